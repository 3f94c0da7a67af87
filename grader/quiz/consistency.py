"""Can these claims hold together? Decided from the claims alone, before any evidence.

Every comparison is a bound on one number, on the difference of two, or a statement about a text or truth value; what is
undefined meets no demand of these, nor their opposites, so it has to be asked for apart from them. A set
of bounds `x - y <= c` is satisfiable iff its constraint graph has no negative cycle (Bellman 1958; CLRS, section 24.4).
The search below walks through the alternatives that `any` and a negated `all` open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, product

from evaluators.evidence import Quantity, Value
from grader.quiz.claims import All, Any_, Fact, Form, Lack, Not, asked_by, expanded, parts

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


@dataclass(frozen=True)
class Valued:
    """`name` has a value (wanted), or is undefined (not wanted)."""

    name: str
    wanted: bool


Demand = Bound | Demanded | Valued

MOST_STEPS = 5_000
"""Steps after which a search is given up: seconds."""


class TooComplex(Exception):
    """Whether these claims can hold together was not found out within MOST_STEPS."""


def satisfiable(goals: Sequence[Goal], quantities: Mapping[str, Quantity]) -> bool:
    """Whether some values of the measurements, inside their theoretical ranges, meet all goals at once.

    Alternatives are tried one after the other, and given up as soon as their demands contradict each other. Raises
    TooComplex after MOST_STEPS: bounds with alternatives are as hard as any puzzle.
    """
    return _search(tuple(goals), (), quantities, count(1))


def _search(
    goals: tuple[Goal, ...], demands: tuple[Demand, ...], known: Mapping[str, Quantity], steps: count[int]
) -> bool:
    """Meet `goals` besides `demands`; what leaves no choice comes first."""
    if next(steps) > MOST_STEPS:
        raise TooComplex
    if not _agree(demands, known):
        return False
    if not goals:
        return True
    ways = [_ways(expanded(claim), wanted) for claim, wanted in goals]
    chosen = min(range(len(goals)), key=lambda i: len(ways[i]))
    others = goals[:chosen] + goals[chosen + 1 :]
    return any(_search((*more, *others), (*demands, *added), known, steps) for more, added in ways[chosen])


def _ways(claim: Form, wanted: bool) -> list[tuple[tuple[Goal, ...], tuple[Demand, ...]]]:
    """The ways in which a claim comes out supported, or refuted: each further goals and demands, all of them."""
    if isinstance(claim, Not):
        return [(((claim.not_, not wanted),), ())]
    if isinstance(claim, All | Any_):
        inner = tuple((part, wanted) for part in parts(claim))
        return [(inner, ())] if isinstance(claim, All) == wanted else [((goal,), ()) for goal in inner]
    return [((), demands) for demands in _comparison(claim, wanted)]


def _agree(demands: Sequence[Demand], quantities: Mapping[str, Quantity]) -> bool:
    bounds = [demand for demand in demands if isinstance(demand, Bound)]
    facts = [demand for demand in demands if isinstance(demand, Demanded)]
    names = {name for bound in bounds for name in (bound.left, bound.right)} - {ZERO}
    lacking = {demand.name for demand in demands if isinstance(demand, Valued) and not demand.wanted}
    valued = {demand.name for demand in demands if isinstance(demand, Valued) and demand.wanted}
    if lacking & (names | valued | {fact.name for fact in facts}):
        return False
    return not _negative_cycle(bounds + _ranges(names, quantities)) and _facts_agree(facts, quantities)


def _comparison(claim: Form, wanted: bool) -> Iterator[tuple[Demand, ...]]:
    """A wanted range is all its ends at once; a refuted one is any of them missed."""
    asked = asked_by(claim)
    if isinstance(asked, Fact):
        yield (Demanded(asked.name, asked.value, wanted),)
        return
    if isinstance(asked, Lack):
        yield (Valued(asked.name, not wanted),)
        return
    place, other = asked.name, asked.minus or ZERO
    strict, margin = asked.strict is wanted, asked.margin if wanted else -asked.margin
    strict = strict or (asked.strict and asked.margin > 0)  # exactly the margin away is undecided on both sides
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
