"""A decided comparison as a number line: the value, its interval, the threshold and its margin.

Positions are percentages of the drawing's width, so that it fits any screen while its letters keep their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from grader.quiz.claims import Form, Range, asked_by
from grader.verdicts.judge import Comparison, span_of

PADDING = 0.16
"""Empty part of the axis on either side, as a share of what has to fit on it."""


@dataclass(frozen=True)
class Span:
    """Part of the line: left end and width, in percent."""

    left: float
    width: float

    @property
    def right(self) -> float:
        return self.left + self.width


@dataclass(frozen=True)
class Tick:
    """A labelled place on the line, in percent."""

    at: float
    label: str


@dataclass(frozen=True)
class NumberLine:
    """What the drawing shows. `holds` is where the claim holds, `margin` where nothing is decided."""

    subject: str
    value: float
    interval: Span | None
    thresholds: tuple[Tick, ...]
    margin: tuple[Span, ...]
    holds: Span
    ticks: tuple[Tick, ...]


def number_line(form: Form, comparison: Comparison) -> NumberLine | None:
    """The drawing of a decided comparison; None for texts, truth values and what is undefined."""
    asked = asked_by(form)
    known = {m.name: m.value for m in comparison.measurements}
    if not isinstance(asked, Range) or any(value is None or isinstance(value, bool | str) for value in known.values()):
        return None
    value = float(known[asked.name] or 0) - float((asked.minus and known[asked.minus]) or 0)
    low, high = span_of(asked, comparison.measurements)
    bounds = list(dict.fromkeys(bound for bound in (asked.low, asked.high) if bound is not None))
    edges = [edge for bound in bounds for edge in (bound - asked.margin, bound + asked.margin)]
    axis = _Axis.around([value, low, high, *edges])
    return NumberLine(
        subject=asked.subject,
        value=axis.at(value),
        interval=axis.span(low, high) if low < high else None,
        thresholds=tuple(Tick(axis.at(bound), f"{_sign(asked, bound)} {bound:.4g}") for bound in bounds),
        margin=tuple(axis.span(b - asked.margin, b + asked.margin) for b in bounds if asked.margin),
        holds=axis.span(
            axis.low if asked.low is None else asked.low,
            axis.high if asked.high is None else asked.high,
        ),
        ticks=axis.ticks(),
    )


def _sign(asked: Range, bound: float) -> str:
    if asked.low == asked.high:
        return "="
    below = bound != asked.low
    return ("<" if below else ">") if asked.strict else "≤" if below else "≥"


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float]) -> _Axis:
        low, high = min(values), max(values)
        padding = PADDING * (high - low) or 0.2 * abs(high) or 1.0
        return cls(low - padding, high + padding)

    def at(self, value: float) -> float:
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    def span(self, low: float, high: float) -> Span:
        left = max(0.0, self.at(low))
        return Span(left, round(min(100.0, self.at(high)) - left, 2))

    def ticks(self) -> tuple[Tick, ...]:
        """At most about four round numbers, none so near to an end that its label would be cut."""
        least = (self.high - self.low) / 4
        tens = 10.0 ** floor(log10(least))
        step = next(tens * multiple for multiple in (1, 2, 2.5, 5, 10) if tens * multiple >= least * (1 - 1e-9))
        places = (n * step for n in range(ceil(self.low / step), floor(self.high / step) + 1))
        return tuple(Tick(self.at(place), f"{round(place, 10):.6g}") for place in places if 4 <= self.at(place) <= 96)
