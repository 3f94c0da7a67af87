"""Decide a claim from measurements: supported, refuted or inconclusive, with the comparison that decided it.

Three-valued logic after Kleene (Introduction to Metamathematics, 1952, section 64, strong tables): `all` is refuted by
one refuted part whatever the others say, `any` is supported by one supported part, and what is undefined stays
inconclusive. A comparison with intervals is decided only where the whole interval clears the threshold and its margin.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from basics.messages import NOTHING, Message, say, together
from evaluators.evidence import Checked, Frozen, Measurement, Source
from grader.quiz.claims import (
    Any_,
    Fact,
    Form,
    Lack,
    Not,
    Range,
    asked_by,
    expanded,
    in_words,
    names_of,
    operator_of,
    parts,
)

if TYPE_CHECKING:
    from grader.quiz.spec import Aside

State = Literal["supported", "refuted", "inconclusive"]
Candidates = Mapping[str, Sequence[Measurement]]
"""The measurements of each name, the one that counts first (see `grader.verdicts.testimony`)."""

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
    reason: Message = NOTHING
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
        return any(m.is_demonstration for m in self.measurements)


class Step(Frozen):
    """A node of the decided claim: a comparison, or `all`/`any`/`not` over further steps."""

    operator: str
    claim: str
    why: str = ""
    state: State
    comparison: Comparison | None = None
    steps: tuple[Step, ...] = ()


class Beside(Frozen):
    """What is known beside an option's claim, judged: for it, against it, or against it so that it `defeats` it."""

    side: Literal["for", "against", "defeats"]
    step: Step
    answer: str

    @property
    def stands(self) -> bool:
        """Whether the evidence at hand shows it."""
        return self.step.state == "supported"


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
    beside: tuple[Beside, ...] = ()

    @property
    def recalled(self) -> bool:
        """Whether the verdict rests on a fact that nobody has looked up yet."""
        return self.checked == "recalled" and self.state != "inconclusive"

    @property
    def dissent(self) -> bool:
        """Whether another source's value would decide one of the grounds otherwise."""
        return any(comparison.dissent for comparison in self.grounds)

    @property
    def contrary(self) -> tuple[Beside, ...]:
        """The evidence at hand that speaks against what the claim comes to."""
        return tuple(one for one in self.beside if one.stands and one.side != "for")


def judge(claim: Form, candidates: Candidates, asides: Iterable[Aside] = ()) -> Verdict:
    """Decide `claim`, and judge what is known beside it; what defeats a supported claim refutes the option.

    A name without candidates is an error of the caller (specs are checked when loaded).
    """
    step = decide(claim, candidates)
    beside = tuple(Beside(side=_side(a), step=decide(a.evidence, candidates), answer=a.answer) for a in asides)
    defeats = next((one for one in beside if one.side == "defeats" and one.stands), None)
    defeated = defeats.step if defeats and step.state == "supported" else None
    grounds = tuple(dict.fromkeys(_grounds(defeated or step)))
    told = {m.source for c in grounds for m in c.measurements if m.value is not None or c.state != "inconclusive"}
    return Verdict(
        state="refuted" if defeated else step.state,
        step=step,
        grounds=grounds,
        deciding=min(grounds, key=lambda c: c.clearance),
        sources=tuple(sorted(told)),
        checked=min((c.checked for c in grounds), key=STRENGTH.index),
        demonstration=any(c.demonstration for c in grounds),
        beside=beside,
    )


def _side(aside: Aside) -> Literal["for", "against", "defeats"]:
    defeats = getattr(aside, "defeats", None)
    return "for" if defeats is None else "defeats" if defeats else "against"


def decide(claim: Form, candidates: Candidates) -> Step:
    """The decided tree of `claim`."""
    inner = tuple(decide(part, candidates) for part in parts(expanded(claim)))
    name, words = operator_of(claim) or "", in_words(claim)
    if not inner:
        comparison = compare(claim, candidates)
        return Step(operator=name, claim=words, why=claim.why, state=comparison.state, comparison=comparison)
    states = [step.state for step in inner]
    if isinstance(claim, Not):
        state = OPPOSITE[states[0]]
    else:
        decisive: State = "supported" if isinstance(claim, Any_) else "refuted"
        uniform = states[0] if len(set(states)) == 1 else "inconclusive"
        state = decisive if decisive in states else uniform
    return Step(operator=name, claim=words, why=claim.why, state=state, steps=inner)


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
    asked = asked_by(claim)
    if isinstance(asked, Lack):
        return _lacking(claim, measurements)
    undefined = [
        say("{name} is undefined: {reason}", name=m.name, reason=m.undefined)
        for m in measurements
        if m.undefined is not None
    ]
    if undefined:
        return _comparison(claim, measurements, "inconclusive", reason=together(undefined))
    if isinstance(asked, Fact):
        same = type(measurements[0].value) is type(asked.value) and measurements[0].value == asked.value
        return _comparison(claim, measurements, "supported" if same else "refuted")
    return _placed(claim, measurements, asked)


def _lacking(claim: Form, measurements: Sequence[Measurement]) -> Comparison:
    """Whether what was measured has no value; nothing can be said where nobody measured."""
    (m,) = measurements
    if m.unmeasured:
        reason = say("{name} was not measured: {reason}", name=m.name, reason=m.undefined)
        return _comparison(claim, measurements, "inconclusive", reason=reason)
    return _comparison(claim, measurements, "refuted" if m.undefined is None else "supported")


def _placed(claim: Form, measurements: Sequence[Measurement], asked: Range) -> Comparison:
    """Whether all of the number's span lies inside the range asked for, by its margin, or all of it outside.

    Exactly the margin away is neither, on either side, where the range has no ends of its own (`greater`, `less`).
    """
    (low, high), margin = span_of(asked, measurements), asked.margin
    above: Callable[[float, float], bool] = operator.gt if asked.strict else operator.ge
    ends = [(low, high, asked.low)] if asked.low is not None else []
    ends += [(-high, -low, -asked.high)] if asked.high is not None else []  # an upper end is a lower one, mirrored
    bounds = [bound for bound in (asked.low, asked.high) if bound is not None]
    middle = abs(sum(bounds) / len(bounds))
    found = partial(_comparison, claim, measurements, margin=margin, scale=middle or max(abs(low), abs(high)) or 1.0)
    if all(above(near, bound + margin) for near, _, bound in ends):
        return found("supported", gap=min(near - bound for near, _, bound in ends))
    missed: Callable[[float, float], bool] = operator.lt if margin or not asked.strict else operator.le
    if any(missed(far, bound - margin) for _, far, bound in ends):
        return found("refuted", gap=max(bound - far for _, far, bound in ends))
    if len(ends) > 1:
        return found("inconclusive", reason=say("the interval reaches over the tolerance"))
    ((near, far, bound),) = ends
    reached = near - bound if near + far >= 2 * bound else bound - far
    wide = say("the interval reaches over the threshold")
    return found("inconclusive", gap=reached, reason=wide if low < high else say("the gap is within the margin"))


def _comparison(
    claim: Form,
    measurements: Sequence[Measurement],
    state: State,
    *,
    gap: float | None = None,
    margin: float = 0.0,
    scale: float = 1.0,
    reason: Message = NOTHING,
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


def span_of(asked: Range, measurements: Iterable[Measurement]) -> tuple[float, float]:
    """The span of the number that a comparison asks about, from the measurements of its names."""
    known = {m.name: m for m in measurements}
    return _difference(known[asked.name], known[asked.minus]) if asked.minus else _range(known[asked.name])


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
    for inner in [max(same, key=weight)] if one_suffices else same:
        yield from _grounds(inner)


def weight(step: Step) -> tuple[bool, int, float]:
    """How well a step alone carries a verdict: real evidence first, then its standing, then its clearance."""
    grounds = list(_grounds(step))
    weakest = min(STRENGTH.index(c.checked) for c in grounds)
    return not any(c.demonstration for c in grounds), weakest, min(c.clearance for c in grounds)
