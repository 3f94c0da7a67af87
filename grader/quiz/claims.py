"""The closed set of claims an option may make about measurements.

A claim is a small typed tree: comparisons of named measurements, joined by `all`, `any` and `not`. There are no
expression strings and no code. `grader.verdicts.judge` decides a claim; `grader.quiz.consistency` checks claims before
any evidence.

Margins: a comparison needs its quantity to clear the threshold by `margin` before it says anything, on either side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from evaluators.evidence import Frozen, Name, Value

NonNegative = Annotated[float, Field(ge=0)]


def _two_names(form: str) -> BeforeValidator:
    """Tells who compares with a number how that is written."""
    number, equal = ("above", "at_least") if form in ("greater", "highest_of") else ("below", "at_most")

    def checked(given: Any) -> Any:
        items = given if isinstance(given, list) else []
        if any(type(item) in (int, float) for item in items) and isinstance(items[0], str):
            bound = next(item for item in items if type(item) in (int, float))
            told = f"compares measurements with one another; with a number write `{number}: [{items[0]}, {bound}]`"
            raise ValueError(f"{told}, or `{equal}` if the number itself will do")
        return tuple(given) if isinstance(given, list) else given

    return BeforeValidator(checked)


def _name_and_number(form: str) -> BeforeValidator:
    """Tells who compares two measurements how that is written, and who writes the number first."""
    names = "greater" if form in ("at_least", "above") else "less"

    def checked(given: Any) -> Any:
        match given:
            case [str() as name, str() as other] if not _is_number(other):
                told = f"compares a measurement with a number; two measurements are compared by `{names}`"
                raise ValueError(f"{told}: `{names}: [{name}, {other}]`")
            case [int() | float() as bound, str() as name]:
                raise ValueError(f"takes the measurement first: `{form}: [{name}, {bound}]`")
        return tuple(given) if isinstance(given, list) else given

    return BeforeValidator(checked)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class Form(Frozen):
    """Base of all claims.

    `about` says what a comparison finds, for people, in both ways it can come out: `{if it holds|if it does not}`.
    `why` is the reason for a threshold or a margin.
    """

    about: str = ""
    why: str = ""


class AtLeast(Form):
    """`at_least: [stoi.english, 0.80]`: the number is not below the threshold."""

    at_least: Annotated[tuple[Name, float], _name_and_number("at_least")]
    margin: NonNegative = 0.0


class AtMost(Form):
    """`at_most: [delay_ms, 200]`: the number is not above the threshold."""

    at_most: Annotated[tuple[Name, float], _name_and_number("at_most")]
    margin: NonNegative = 0.0


class Above(Form):
    """`above: [gain_db, 0]`: the number is greater than the threshold, which is not enough itself."""

    above: Annotated[tuple[Name, float], _name_and_number("above")]
    margin: NonNegative = 0.0


class Below(Form):
    """`below: [delay_ms, 200]`: the number is smaller than the threshold, which is too much itself."""

    below: Annotated[tuple[Name, float], _name_and_number("below")]
    margin: NonNegative = 0.0


class Greater(Form):
    """`{greater: [a, b], by: d}`: a exceeds b by more than d."""

    greater: Annotated[tuple[Name, Name], _two_names("greater")]
    by: NonNegative = 0.0
    margin: NonNegative = 0.0


class Less(Form):
    """`{less: [a, b], by: d}`: a falls short of b by more than d."""

    less: Annotated[tuple[Name, Name], _two_names("less")]
    by: NonNegative = 0.0
    margin: NonNegative = 0.0


class Equals(Form):
    """`{equals: [frame_ms, 80], tolerance: 0.1}`: the number, text or truth value is this one."""

    equals: tuple[Name, Value]
    tolerance: NonNegative = 0.0


class IsTrue(Form):
    """`is_true: mimi.encoder_causal`."""

    is_true: Name


class IsFalse(Form):
    """`is_false: mimi.encoder_causal`."""

    is_false: Name


class Undefined(Form):
    """`undefined: mean.of_none`: the measurement was made and has no value. What nobody measured is undecided."""

    undefined: Name


class HighestOf(Form):
    """`{highest_of: [a, b, c], by: d}`: a exceeds each of the others by more than d."""

    highest_of: Annotated[tuple[Name, ...], Field(min_length=2), _two_names("highest_of")]
    by: NonNegative = 0.0
    margin: NonNegative = 0.0


class LowestOf(Form):
    """`{lowest_of: [a, b, c], by: d}`: a falls short of each of the others by more than d."""

    lowest_of: Annotated[tuple[Name, ...], Field(min_length=2), _two_names("lowest_of")]
    by: NonNegative = 0.0
    margin: NonNegative = 0.0


class All(Form):
    """Every one of the claims holds."""

    all: Annotated[tuple[Claim, ...], Field(min_length=1)]


class Any_(Form):
    """At least one of the claims holds."""

    any: Annotated[tuple[Claim, ...], Field(min_length=1)]


class Not(Form):
    """The claim does not hold."""

    not_: Claim = Field(alias="not")


OPERATORS: dict[str, type[Form]] = {
    "at_least": AtLeast,
    "at_most": AtMost,
    "above": Above,
    "below": Below,
    "greater": Greater,
    "less": Less,
    "equals": Equals,
    "is_true": IsTrue,
    "is_false": IsFalse,
    "undefined": Undefined,
    "highest_of": HighestOf,
    "lowest_of": LowestOf,
    "all": All,
    "any": Any_,
    "not": Not,
}
Operator = Literal[
    "at_least", "at_most", "above", "below", "greater", "less", "equals", "is_true", "is_false", "undefined",
    "highest_of", "lowest_of", "all", "any", "not",
]  # fmt: skip


def operator_of(claim: Any) -> str | None:
    """The operator of a claim, parsed or raw; None unless there is exactly one."""
    if isinstance(claim, Form):
        return next(name for name, form in OPERATORS.items() if isinstance(claim, form))
    found = [name for name in OPERATORS if isinstance(claim, dict) and name in claim]
    return found[0] if len(found) == 1 else None


Claim = Annotated[
    Annotated[AtLeast, Tag("at_least")]
    | Annotated[AtMost, Tag("at_most")]
    | Annotated[Above, Tag("above")]
    | Annotated[Below, Tag("below")]
    | Annotated[Greater, Tag("greater")]
    | Annotated[Less, Tag("less")]
    | Annotated[Equals, Tag("equals")]
    | Annotated[IsTrue, Tag("is_true")]
    | Annotated[IsFalse, Tag("is_false")]
    | Annotated[Undefined, Tag("undefined")]
    | Annotated[HighestOf, Tag("highest_of")]
    | Annotated[LowestOf, Tag("lowest_of")]
    | Annotated[All, Tag("all")]
    | Annotated[Any_, Tag("any")]
    | Annotated[Not, Tag("not")],
    Discriminator(
        operator_of,
        custom_error_type="claim",
        custom_error_message=f"a claim needs exactly one operator out of {', '.join(OPERATORS)}",
    ),
]
for _form in (All, Any_, Not):
    _form.model_rebuild()


def parts(claim: Form) -> tuple[Form, ...]:
    """The claims directly inside `claim`; none for a comparison."""
    match claim:
        case All(all=inner) | Any_(any=inner):
            return inner
        case Not(not_=inner):
            return (inner,)
    return ()


def comparisons(claim: Form) -> Iterator[Form]:
    """All comparisons of a claim, in writing order."""
    inner = parts(claim)
    if not inner:
        yield claim
    for part in inner:
        yield from comparisons(part)


@dataclass(frozen=True)
class Range:
    """What a comparison asks of a number: to lie in `[low, high]`, without the ends if `strict`; None leaves one open.

    The number is the measurement `name`, or its difference `name - minus`. It has to lie inside by `margin` to count as
    inside, and outside by `margin` to count as outside.
    """

    name: str
    minus: str | None = None
    low: float | None = None
    high: float | None = None
    strict: bool = False
    margin: float = 0.0

    @property
    def subject(self) -> str:
        """The number in words."""
        return f"{self.name} − {self.minus}" if self.minus else self.name


@dataclass(frozen=True)
class Fact:
    """What a comparison asks of a text or truth value: that `name` is `value`."""

    name: str
    value: bool | str


@dataclass(frozen=True)
class Lack:
    """What a comparison asks of any measurement: that `name`, though measured, has no value."""

    name: str


def asked_by(comparison: Form) -> Range | Fact | Lack:
    """What a comparison asks for: the one form behind all of them. Raises TypeError for anything else."""
    match comparison:
        case AtLeast(at_least=(name, bound), margin=margin):
            return Range(name, low=bound, margin=margin)
        case AtMost(at_most=(name, bound), margin=margin):
            return Range(name, high=bound, margin=margin)
        case Above(above=(name, bound), margin=margin):
            return Range(name, low=bound, strict=True, margin=margin)
        case Below(below=(name, bound), margin=margin):
            return Range(name, high=bound, strict=True, margin=margin)
        case Greater(greater=(more, less), by=by, margin=margin) | Less(less=(less, more), by=by, margin=margin):
            return Range(more, less, low=by, strict=True, margin=margin)
        case Equals(equals=(name, bool() | str() as value)):
            return Fact(name, value)
        case Equals(equals=(name, int() | float() as value), tolerance=tolerance):
            return Range(name, low=value - tolerance, high=value + tolerance)
        case IsTrue(is_true=name):
            return Fact(name, True)
        case IsFalse(is_false=name):
            return Fact(name, False)
        case Undefined(undefined=name):
            return Lack(name)
    raise TypeError(f"not a comparison of one number or fact: {comparison!r}")


def expanded(claim: Form) -> Form:
    """`highest_of` and `lowest_of` as the comparisons that they stand for; anything else as it is."""
    match claim:
        case HighestOf(highest_of=(a, *others), by=by, margin=margin, why=why):
            return All(all=tuple(Greater(greater=(a, b), by=by, margin=margin, why=why) for b in others))
        case LowestOf(lowest_of=(a, *others), by=by, margin=margin, why=why):
            return All(all=tuple(Less(less=(a, b), by=by, margin=margin, why=why) for b in others))
    return claim


def chosen(claim: Form) -> bool:
    """Whether the threshold of a comparison was chosen, so that it needs a `why`: none or one is no choice."""
    asked = None if isinstance(claim, HighestOf | LowestOf) else asked_by(claim)
    by, margin = getattr(claim, "by", 0.0), getattr(claim, "margin", 0.0)
    if by or margin or not isinstance(asked, Range) or asked.minus:
        return bool(by or margin)
    return any(bound not in (None, 0, 1) for bound in (asked.low, asked.high))


def unexplained(claim: Form, why: str = "") -> Iterator[tuple[Form, str]]:
    """The comparisons of a claim that people cannot read well, each with what it lacks: `about`, or `why`."""
    why = claim.why or why
    for part in parts(claim):
        yield from unexplained(part, why if isinstance(claim, Not) else "")
    if not parts(claim):
        lacking = [] if claim.about else ["about"]
        lacking += ["why"] if chosen(claim) and not why else []
        yield from ((claim, name) for name in lacking)


def names_of(comparison: Form) -> tuple[str, ...]:
    """The measurements that a comparison looks at, in writing order."""
    written: Any = getattr(comparison, operator_of(comparison) or "")
    if isinstance(written, str):
        return (written,)
    names: tuple[str, ...] = (
        written[:1] if isinstance(comparison, AtLeast | AtMost | Above | Below | Equals) else written
    )
    return names


def in_words(claim: Form) -> str:
    """The claim as a person would say it."""
    match claim:
        case AtLeast(at_least=(name, bound), margin=margin):
            return f"{name} ≥ {bound:g}{_margin(margin)}"
        case AtMost(at_most=(name, bound), margin=margin):
            return f"{name} ≤ {bound:g}{_margin(margin)}"
        case Above(above=(name, bound), margin=margin):
            return f"{name} > {bound:g}{_margin(margin)}"
        case Below(below=(name, bound), margin=margin):
            return f"{name} < {bound:g}{_margin(margin)}"
        case Greater(greater=(a, b), by=by, margin=margin):
            return f"{a} > {b}{f' + {by:g}' if by else ''}{_margin(margin)}"
        case Less(less=(a, b), by=by, margin=margin):
            return f"{a} < {b}{f' - {by:g}' if by else ''}{_margin(margin)}"
        case Equals(equals=(name, value), tolerance=tolerance):
            shown = f"“{value}”" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
            return f"{name} = {shown}{f' ± {tolerance:g}' if tolerance else ''}"
        case IsTrue(is_true=name):
            return f"{name} is true"
        case IsFalse(is_false=name):
            return f"{name} is false"
        case Undefined(undefined=name):
            return f"{name} is undefined"
        case HighestOf(highest_of=(first, *others), by=by, margin=margin):
            return f"{first} is higher than {' and '.join(others)}{f' by {by:g}' if by else ''}{_margin(margin)}"
        case LowestOf(lowest_of=(first, *others), by=by, margin=margin):
            return f"{first} is lower than {' and '.join(others)}{f' by {by:g}' if by else ''}{_margin(margin)}"
        case Not(not_=inner):
            return f"not ({in_words(inner)})"
    joiner = " and " if isinstance(claim, All) else " or "
    return joiner.join(f"({in_words(part)})" if parts(part) else in_words(part) for part in parts(claim))


def _margin(margin: float) -> str:
    return f" (margin {margin:g})" if margin else ""
