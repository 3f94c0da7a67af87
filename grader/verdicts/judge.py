"""Decide a claim from measurements: supported, refuted or inconclusive, with the comparison that decided it.

Three-valued logic after Kleene (Introduction to Metamathematics, 1952, section 64, strong tables): `all` is refuted by
one refuted part whatever the others say, `any` is supported by one supported part, and what is undefined stays
inconclusive. A comparison with intervals is decided only where the whole interval clears the threshold and its margin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from evaluators.evidence import Checked, Frozen, Measurement, Source
from grader.quiz.claims import (
    All,
    Any_,
    AtLeast,
    AtMost,
    Equals,
    Form,
    Greater,
    HighestOf,
    IsFalse,
    IsTrue,
    Less,
    LowestOf,
    Not,
    in_words,
    names_of,
    operator_of,
    parts,
)

State = Literal["supported", "refuted", "inconclusive"]
Candidates = Mapping[str, Sequence[Measurement]]
"""The measurements of each name, the one that counts first (see `grader.verdicts.gather`)."""

OPPOSITE: dict[State, State] = {"supported": "refuted", "refuted": "supported", "inconclusive": "inconclusive"}
STRENGTH: tuple[Checked | None, ...] = ("recalled", "secondary", "read", None)
"""From the weakest to the strongest standing of a published value; None is evidence that was measured or executed."""


class Comparison(Frozen):
    """One comparison with the numbers that went into it.

    `gap` is by how much the worst end of the interval clears the threshold (positive) or misses it, in the unit of the
    measurement, margin not deducted; None for texts and truth values. `reason` says why nothing was decided.
    `dissent` lists other sources' values under which this comparison would come out otherwise.
    """

    claim: str
    why: str = ""
    state: State
    measurements: tuple[Measurement, ...]
    gap: float | None = None
    margin: float = 0.0
    scale: float = 1.0
    reason: str = ""
    dissent: tuple[Measurement, ...] = ()

    @property
    def clearance(self) -> float:
        """The gap relative to the threshold's size: comparable between units; infinite for facts."""
        return float("inf") if self.gap is None else self.gap / self.scale

    @property
    def checked(self) -> Checked | None:
        """The weakest standing among the measurements."""
        return min((m.checked for m in self.measurements), key=STRENGTH.index, default=None)

    @property
    def demonstration(self) -> bool:
        return any(m.source == "demonstration" for m in self.measurements)


class Step(Frozen):
    """A node of the decided claim: a comparison, or `all`/`any`/`not` over further steps."""

    operator: str
    claim: str
    why: str = ""
    state: State
    comparison: Comparison | None = None
    steps: tuple[Step, ...] = ()


class Verdict(Frozen):
    """What became of one option's claim.

    `grounds` is a smallest set of comparisons that suffices for the verdict (for an inconclusive one: those that stand
    in the way); sources, standing and the mark for demonstration evidence are those of the grounds. `deciding` is the
    weakest of them.
    """

    state: State
    step: Step
    grounds: tuple[Comparison, ...]
    deciding: Comparison
    sources: tuple[Source, ...]
    checked: Checked | None
    demonstration: bool

    @property
    def recalled(self) -> bool:
        """Whether the verdict rests on a fact that nobody has looked up yet."""
        return self.checked == "recalled" and self.state != "inconclusive"


def judge(claim: Form, candidates: Candidates) -> Verdict:
    """Decide `claim`. A name without candidates is an error of the caller (specs are checked when loaded)."""
    step = decide(claim, candidates)
    grounds = tuple(dict.fromkeys(_grounds(step)))
    sources = tuple(sorted({m.source for c in grounds for m in c.measurements if m.value is not None}))
    return Verdict(
        state=step.state,
        step=step,
        grounds=grounds,
        deciding=min(grounds, key=lambda c: c.clearance),
        sources=sources,
        checked=min((c.checked for c in grounds), key=STRENGTH.index),
        demonstration=any(c.demonstration for c in grounds),
    )


def decide(claim: Form, candidates: Candidates) -> Step:
    """The decided tree of `claim`."""
    inner = tuple(decide(part, candidates) for part in parts(expanded(claim)))
    operator, words = operator_of(claim) or "", in_words(claim)
    if not inner:
        comparison = compare(claim, candidates)
        return Step(operator=operator, claim=words, why=claim.why, state=comparison.state, comparison=comparison)
    states = [step.state for step in inner]
    if isinstance(claim, Not):
        state = OPPOSITE[states[0]]
    else:
        decisive: State = "supported" if isinstance(claim, Any_) else "refuted"
        uniform = states[0] if len(set(states)) == 1 else "inconclusive"
        state = decisive if decisive in states else uniform
    return Step(operator=operator, claim=words, why=claim.why, state=state, steps=inner)


def expanded(claim: Form) -> Form:
    """`highest_of` and `lowest_of` as the comparisons that they stand for."""
    match claim:
        case HighestOf(highest_of=(a, *others), by=by, margin=margin, why=why):
            return All(all=tuple(Greater(greater=(a, b), by=by, margin=margin, why=why) for b in others))
        case LowestOf(lowest_of=(a, *others), by=by, margin=margin, why=why):
            return All(all=tuple(Less(less=(a, b), by=by, margin=margin, why=why) for b in others))
    return claim


def compare(claim: Form, candidates: Candidates) -> Comparison:
    """Decide one comparison with the measurement that counts, and note which other sources would disagree."""
    chosen = [candidates[name][0] for name in names_of(claim)]
    result = _compare(claim, chosen)
    dissent = []
    for i, name in enumerate(names_of(claim)):
        for other in candidates[name][1:]:
            verdict = _compare(claim, [*chosen[:i], other, *chosen[i + 1 :]])
            if verdict.state == OPPOSITE[result.state] != "inconclusive":
                dissent.append(other)
    return result.model_copy(update={"dissent": tuple(dissent)})


def _compare(claim: Form, measurements: Sequence[Measurement]) -> Comparison:
    undefined = [f"{m.name} is undefined: {m.undefined}" for m in measurements if m.undefined is not None]
    if undefined:
        return _comparison(claim, measurements, "inconclusive", reason="; ".join(undefined))
    match claim:
        case AtLeast(at_least=(_, bound), margin=margin):
            return _ordered(claim, measurements, _range(measurements[0]), bound, margin, strict=False)
        case AtMost(at_most=(_, bound), margin=margin):
            low, high = _range(measurements[0])
            return _ordered(claim, measurements, (-high, -low), -bound, margin, strict=False)
        case Greater(by=by, margin=margin):
            return _ordered(claim, measurements, _difference(*measurements), by, margin, strict=True)
        case Less(by=by, margin=margin):
            return _ordered(claim, measurements, _difference(*reversed(measurements)), by, margin, strict=True)
        case Equals(equals=(_, float() | int() as value), tolerance=tolerance) if not isinstance(value, bool):
            return _near(claim, measurements, float(value), tolerance)
        case Equals(equals=(_, fact)):
            same = type(measurements[0].value) is type(fact) and measurements[0].value == fact
            return _comparison(claim, measurements, "supported" if same else "refuted")
        case IsTrue() | IsFalse():
            same = measurements[0].value is isinstance(claim, IsTrue)
            return _comparison(claim, measurements, "supported" if same else "refuted")
    raise TypeError(f"not a comparison: {claim!r}")


def _ordered(
    claim: Form,
    measurements: Sequence[Measurement],
    span: tuple[float, float],
    bound: float,
    margin: float,
    *,
    strict: bool,
) -> Comparison:
    """Whether all of `span` lies above `bound + margin`, or all of it below `bound - margin`."""
    low, high = span
    above: Callable[[float, float], bool] = (lambda x, y: x > y) if strict else (lambda x, y: x >= y)
    scale = abs(bound) or max(abs(low), abs(high)) or 1.0
    if above(low, bound + margin):
        return _comparison(claim, measurements, "supported", gap=low - bound, margin=margin, scale=scale)
    if not above(high, bound - margin):
        return _comparison(claim, measurements, "refuted", gap=bound - high, margin=margin, scale=scale)
    reached = low - bound if low + high >= 2 * bound else bound - high
    reason = "the interval reaches over the threshold" if low < high else "the gap is within the margin"
    return _comparison(claim, measurements, "inconclusive", gap=reached, margin=margin, scale=scale, reason=reason)


def _near(claim: Form, measurements: Sequence[Measurement], value: float, tolerance: float) -> Comparison:
    low, high = _range(measurements[0])
    scale = abs(value) or 1.0
    if value - tolerance <= low and high <= value + tolerance:
        gap = min(low - value + tolerance, value + tolerance - high)
        return _comparison(claim, measurements, "supported", gap=gap, scale=scale)
    if high < value - tolerance or low > value + tolerance:
        gap = max(value - tolerance - high, low - value - tolerance)
        return _comparison(claim, measurements, "refuted", gap=gap, scale=scale)
    return _comparison(claim, measurements, "inconclusive", reason="the interval reaches over the tolerance")


def _comparison(
    claim: Form,
    measurements: Sequence[Measurement],
    state: State,
    *,
    gap: float | None = None,
    margin: float = 0.0,
    scale: float = 1.0,
    reason: str = "",
) -> Comparison:
    return Comparison(
        claim=in_words(claim),
        why=claim.why,
        state=state,
        measurements=tuple(measurements),
        gap=gap,
        margin=margin,
        scale=scale,
        reason=reason,
    )


def _range(measurement: Measurement) -> tuple[float, float]:
    if measurement.interval:
        return measurement.interval.low, measurement.interval.high
    value = measurement.value
    if isinstance(value, bool | str) or value is None:
        raise TypeError(f"{measurement.name} is not a number: {value!r}")
    return float(value), float(value)


def _difference(a: Measurement, b: Measurement) -> tuple[float, float]:
    """The span of a - b when both ends are free: wider than a paired interval, never narrower."""
    (a_low, a_high), (b_low, b_high) = _range(a), _range(b)
    return a_low - b_high, a_high - b_low


def span_of(measurements: Sequence[Measurement]) -> tuple[float, float]:
    """The span of a number, or of the first number less the second: what a comparison has to clear."""
    return _range(measurements[0]) if len(measurements) == 1 else _difference(*measurements)


def measured_by(comparisons: Iterable[Comparison]) -> list[Measurement]:
    """The measurements of some comparisons, each once."""
    return list(dict.fromkeys(m for comparison in comparisons for m in comparison.measurements))


def every_comparison(step: Step) -> list[Comparison]:
    """All comparisons of a decided claim, in writing order."""
    own = [step.comparison] if step.comparison else []
    return own + [comparison for inner in step.steps for comparison in every_comparison(inner)]


def _grounds(step: Step) -> Iterator[Comparison]:
    """The comparisons of a smallest sufficient set; for an inconclusive step, those that block a decision."""
    if step.comparison:
        yield step.comparison
        return
    same = [inner for inner in step.steps if inner.state == step.state or step.operator == "not"]
    decisive = {"any": "supported"}.get(step.operator, "refuted")
    one_suffices = step.operator != "not" and step.state == decisive
    for inner in [max(same, key=_weight)] if one_suffices else same:
        yield from _grounds(inner)


def _weight(step: Step) -> tuple[bool, int, float]:
    """How well a step alone carries a verdict: real evidence first, then its standing, then its clearance."""
    grounds = list(_grounds(step))
    weakest = min(STRENGTH.index(c.checked) for c in grounds)
    return not any(c.demonstration for c in grounds), weakest, min(c.clearance for c in grounds)
