"""Can these claims hold together? Decided from the claims alone, before any evidence.

Every comparison is a bound on one number, on the difference of two, or a statement about a text or truth value. A set
of bounds `x - y <= c` is satisfiable iff its constraint graph has no negative cycle (Bellman 1958; CLRS, section 24.4).
The search below walks through the alternatives that `any` and a negated `all` open, one set of bounds at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from evaluators.evidence import Quantity, Value
from grader.quiz.claims import All, Any_, Fact, Form, HighestOf, LowestOf, Not, asked_by, expanded

ZERO = ""
"""The vertex that stands for the number 0, so that a bound on one number is a difference too."""

Goal = tuple[Form, bool]
"""A claim and what is wanted of it: True = supported, False = refuted."""


@dataclass(frozen=True)
class Bound:
    """`left - right <= limit`, or `<` if strict."""

    left: str
    right: str
    limit: float
    strict: bool = False


@dataclass(frozen=True)
class Demanded:
    """`name` is `value` (wanted), or is anything else (not wanted)."""

    name: str
    value: Value
    wanted: bool


Demand = Bound | Demanded


def satisfiable(goals: Sequence[Goal], quantities: Mapping[str, Quantity]) -> bool:
    """Whether some values of the measurements, inside their theoretical ranges, meet all goals at once."""
    for alternative in product(*(list(alternatives(claim, wanted)) for claim, wanted in goals)):
        demands = [demand for conjunction in alternative for demand in conjunction]
        bounds = [d for d in demands if isinstance(d, Bound)]
        facts = [d for d in demands if isinstance(d, Demanded)]
        names = {name for bound in bounds for name in (bound.left, bound.right)} - {ZERO}
        if not _negative_cycle(bounds + _ranges(names, quantities)) and _facts_agree(facts, quantities):
            return True
    return False


def alternatives(claim: Form, wanted: bool) -> Iterator[tuple[Demand, ...]]:
    """The ways (each a conjunction of demands) in which the claim comes out supported, or refuted."""
    match claim:
        case Not(not_=inner):
            yield from alternatives(inner, not wanted)
        case All(all=inner) | Any_(any=inner):
            ways = [list(alternatives(part, wanted)) for part in inner]
            if isinstance(claim, All) == wanted:
                for choice in product(*ways):
                    yield tuple(demand for way in choice for demand in way)
            else:
                for way in ways:
                    yield from way
        case HighestOf() | LowestOf():
            yield from alternatives(expanded(claim), wanted)
        case _:
            yield from _comparison(claim, wanted)


def _comparison(claim: Form, wanted: bool) -> Iterator[tuple[Demand, ...]]:
    """A wanted range is all its ends at once; a refuted one is any of them missed."""
    asked = asked_by(claim)
    if isinstance(asked, Fact):
        yield (Demanded(asked.name, asked.value, wanted),)
        return
    place, other = asked.name, asked.minus or ZERO
    strict, margin = asked.strict is wanted, asked.margin if wanted else -asked.margin
    above, below = (_above, _below) if wanted else (_below, _above)
    ends = [above(place, other, asked.low + margin, strict=strict)] if asked.low is not None else []
    ends += [below(place, other, asked.high - margin, strict=strict)] if asked.high is not None else []
    yield from [tuple(ends)] if wanted else [(end,) for end in ends]


def _below(a: str, b: str, limit: float, *, strict: bool = False) -> Bound:
    return Bound(a, b, limit, strict)


def _above(a: str, b: str, limit: float, *, strict: bool = False) -> Bound:
    return Bound(b, a, -limit, strict)


def _ranges(names: set[str], quantities: Mapping[str, Quantity]) -> list[Bound]:
    known = [quantities[name] for name in sorted(names) if name in quantities]
    low = [_above(q.name, ZERO, q.low) for q in known if q.low is not None]
    return low + [_below(q.name, ZERO, q.high) for q in known if q.high is not None]


def _facts_agree(facts: Sequence[Demanded], quantities: Mapping[str, Quantity]) -> bool:
    for name in {fact.name for fact in facts}:
        mine = [fact for fact in facts if fact.name == name]
        wanted = {fact.value for fact in mine if fact.wanted}
        excluded = {fact.value for fact in mine if not fact.wanted}
        values = _values(name, wanted | excluded, quantities)
        if len(wanted) > 1 or wanted & excluded or (values and (wanted - values or values <= excluded)):
            return False
    return True


def _values(name: str, named: set[Value], quantities: Mapping[str, Quantity]) -> set[Value]:
    """All values that a text or truth value can take; empty where they are not known."""
    if any(isinstance(value, bool) for value in named):
        return {True, False}
    return set(quantities[name].one_of) if name in quantities else set()


def _negative_cycle(bounds: Sequence[Bound]) -> bool:
    """Floyd-Warshall on (limit, -strict) pairs, compared and added component by component."""
    vertices = sorted({name for bound in bounds for name in (bound.left, bound.right)})
    distance: dict[tuple[str, str], tuple[float, int]] = {}
    for bound in bounds:
        edge, weight = (bound.right, bound.left), (bound.limit, -int(bound.strict))
        distance[edge] = min(weight, distance.get(edge, weight))
    for via, start, end in product(vertices, repeat=3):
        if (start, via) in distance and (via, end) in distance:
            first, second = distance[start, via], distance[via, end]
            path = (first[0] + second[0], first[1] + second[1])
            distance[start, end] = min(path, distance.get((start, end), path))
    return any(distance.get((v, v), (0.0, 0)) < (0.0, 0) for v in vertices)
