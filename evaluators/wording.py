"""A measurement in words: the one place that decides how value, unit, interval and number of samples are written."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.evidence import Measurement


@dataclass(frozen=True)
class Wording:
    """The parts of a measurement as texts, each empty where there is none; `value` is `undefined` where there is none.

    `over` says what the interval was taken over, `n` is `n = 12`, `reason` why there is no value.
    """

    value: str
    unit: str = ""
    interval: str = ""
    over: str = ""
    n: str = ""
    reason: str = ""


def number(value: float | None, signed: bool = False) -> str:
    """At most four significant digits."""
    return "" if value is None else f"{value:+.4g}" if signed else f"{value:.4g}"


def wording(measurement: Measurement) -> Wording:
    """The parts: measured numbers to four significant digits, words in quotation marks, `[low, high]`."""
    n = f"n = {measurement.n}" if measurement.n is not None else ""
    if measurement.undefined is not None:
        return Wording("undefined", n=n, reason=measurement.undefined)
    value, interval = measurement.value, measurement.interval
    return Wording(
        value=number(value) if isinstance(value, float) else f"“{value}”" if isinstance(value, str) else str(value),
        unit=measurement.unit,
        interval=f"[{number(interval.low)}, {number(interval.high)}]" if interval else "",
        over=interval.over if interval else "",
        n=n,
    )


def value_of(measurement: Measurement, *, with_n: bool = False) -> str:
    """`0.83 [0.8, 0.86] over clips STOI, n = 12`, or `undefined: ` and the reason."""
    words = wording(measurement)
    shown = f"{words.value}: {words.reason}"
    if not words.reason:
        over = f"over {words.over}" if words.over else ""
        shown = " ".join(filter(None, (words.value, words.interval, over, words.unit)))
    return f"{shown}, {words.n}" if with_n and words.n else shown
