"""A comparison as a drawing: a number line with the value, its interval, the threshold and its margin.

Positions are percentages of the drawing's width, so that it fits any screen while its letters keep their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.evidence import Measurement
from grader.quiz.claims import AtLeast, AtMost, Equals, Form, Greater, Less
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


@dataclass(frozen=True)
class Requirement:
    """What a comparison of numbers asks for: `subject` to lie in [low, high], either of which may be open (None)."""

    subject: str
    low: float | None
    high: float | None
    margin: float
    sign: str


def number_line(form: Form, comparison: Comparison) -> NumberLine | None:
    """The drawing of a decided comparison; None for texts, truth values and what is undefined."""
    requirement = required(form)
    if requirement is None or any(not _numeric(m) for m in comparison.measurements):
        return None
    value, (low, high) = _value(form, comparison.measurements)
    bounds = list(dict.fromkeys(bound for bound in (requirement.low, requirement.high) if bound is not None))
    edges = [edge for bound in bounds for edge in (bound - requirement.margin, bound + requirement.margin)]
    axis = _Axis.around([value, low, high, *edges])
    return NumberLine(
        subject=requirement.subject,
        value=axis.at(value),
        interval=axis.span(low, high) if low < high else None,
        thresholds=tuple(Tick(axis.at(bound), f"{_sign(requirement, bound)} {bound:.4g}") for bound in bounds),
        margin=tuple(axis.span(b - requirement.margin, b + requirement.margin) for b in bounds if requirement.margin),
        holds=axis.span(
            axis.low if requirement.low is None else requirement.low,
            axis.high if requirement.high is None else requirement.high,
        ),
        ticks=axis.ticks(),
    )


def required(form: Form) -> Requirement | None:
    """The range that a comparison asks for; None for texts and truth values."""
    match form:
        case AtLeast(at_least=(name, bound), margin=margin):
            return Requirement(name, bound, None, margin, "≥")
        case AtMost(at_most=(name, bound), margin=margin):
            return Requirement(name, None, bound, margin, "≤")
        case Greater(greater=(a, b), by=by, margin=margin) | Less(less=(b, a), by=by, margin=margin):
            return Requirement(f"{a} − {b}", by, None, margin, ">")
        case Equals(equals=(name, float() | int() as value), tolerance=tolerance) if not isinstance(value, bool):
            return Requirement(name, value - tolerance, value + tolerance, 0.0, "=")
    return None


def _sign(requirement: Requirement, bound: float) -> str:
    if requirement.sign != "=" or requirement.low == requirement.high:
        return requirement.sign
    return "≥" if bound == requirement.low else "≤"


def _numeric(measurement: Measurement) -> bool:
    return measurement.value is not None and not isinstance(measurement.value, bool | str)


def _value(form: Form, measurements: Sequence[Measurement]) -> tuple[float, tuple[float, float]]:
    """The compared quantity and its span: the measurement, or the difference of two."""
    numbers = [float(m.value) for m in measurements if m.value is not None]
    if isinstance(form, Greater):
        return numbers[0] - numbers[1], span_of(measurements)
    if isinstance(form, Less):
        return numbers[1] - numbers[0], span_of(measurements[::-1])
    return numbers[0], span_of(measurements)


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
        from matplotlib.ticker import MaxNLocator

        places = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        inside = [float(place) for place in places if 4 <= self.at(place) <= 96]
        return tuple(Tick(self.at(place), f"{round(place, 10):.6g}") for place in inside)
