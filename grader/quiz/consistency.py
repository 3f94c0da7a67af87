"""Can these claims hold together? Decided from the claims alone, before any evidence.

Every comparison is a bound on one number, on the difference of two, or a statement about a text or truth value; what is
undefined meets no demand of these, nor their opposites, so it has to be asked for apart from them. A set
of bounds `x - y <= c` is satisfiable iff its constraint graph has no negative cycle (Bellman 1958; CLRS, section 24.4).
The search below walks through the alternatives that `any` and a negated `all` open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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

MOST_STEPS, MOST_WORK = 5_000, 5_000_000
"""Alternatives taken, and bounds looked at in all of them, after which a search is given up: seconds."""

Way = tuple[tuple[Goal, ...], tuple[Demand, ...]]
"""One way to meet a goal: further goals and demands, all of them."""


class TooComplex(Exception):
    """Whether these claims can hold together was not found out within MOST_STEPS and MOST_WORK."""


class _Effort:
    """What a search has taken so far."""

    steps, work = 0, 0

    def add(self, *, steps: int = 0, work: int = 0) -> None:
        self.steps, self.work = self.steps + steps, self.work + work
        if self.steps > MOST_STEPS or self.work > MOST_WORK:
            raise TooComplex


def satisfiable(goals: Sequence[Goal], quantities: Mapping[str, Quantity]) -> bool:
    """Whether some values of the measurements, inside their theoretical ranges, meet all goals at once.

    Alternatives are tried one after the other, what leaves no choice first, and given up as soon as their demands
    contradict each other. Raises TooComplex after MOST_STEPS or MOST_WORK: bounds with alternatives are as hard as any
    puzzle.
    """
    effort = _Effort()
    to_try: list[tuple[tuple[list[Way], ...], tuple[Demand, ...]]] = [(tuple(_ways(*goal) for goal in goals), ())]
    while to_try:
        open_, demands = to_try.pop()
        effort.add(steps=1, work=len(open_))
        if not _agree(demands, quantities, effort):
            continue
        if not open_:
            return True
        chosen = min(range(len(open_)), key=lambda i: len(open_[i]))
        others = open_[:chosen] + open_[chosen + 1 :]
        for more, added in reversed(open_[chosen]):
            effort.add(work=len(others))
            to_try.append(((*(_ways(*goal) for goal in more), *others), (*demands, *added)))
    return False


def _ways(claim: Form, wanted: bool) -> list[Way]:
    """The ways in which a claim comes out supported, or refuted."""
    claim = expanded(claim)
    if isinstance(claim, Not):
        return [(((claim.not_, not wanted),), ())]
    if isinstance(claim, All | Any_):
        inner = tuple((part, wanted) for part in parts(claim))
        return [(inner, ())] if isinstance(claim, All) == wanted else [((goal,), ()) for goal in inner]
    return [((), demands) for demands in _comparison(claim, wanted)]


def _agree(demands: Sequence[Demand], quantities: Mapping[str, Quantity], effort: _Effort) -> bool:
    bounds = [demand for demand in demands if isinstance(demand, Bound)]
    facts = [demand for demand in demands if isinstance(demand, Demanded)]
    names = {name for bound in bounds for name in (bound.left, bound.right)} - {ZERO}
    lacking = {demand.name for demand in demands if isinstance(demand, Valued) and not demand.wanted}
    valued = {demand.name for demand in demands if isinstance(demand, Valued) and demand.wanted}
    if lacking & (names | valued | {fact.name for fact in facts}):
        return False
    return not _negative_cycle(bounds + _ranges(names, quantities), effort) and _facts_agree(facts, quantities)


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


def _negative_cycle(bounds: Sequence[Bound], effort: _Effort) -> bool:
    """Bellman-Ford from a vertex with an edge of weight 0 to every other one, on (limit, -strict) pairs."""
    edges: dict[tuple[str, str], tuple[float, int]] = {}
    for bound in bounds:
        edge, weight = (bound.right, bound.left), (bound.limit, -int(bound.strict))
        edges[edge] = min(weight, edges.get(edge, weight))
    distance = {vertex: (0.0, 0) for edge in edges for vertex in edge}
    for _ in range(len(distance) + 1):
        effort.add(work=len(edges))
        shorter = False
        for (start, end), weight in edges.items():
            path = (distance[start][0] + weight[0], distance[start][1] + weight[1])
            if path < distance[end]:
                distance[end], shorter = path, True
        if not shorter:
            return False
    return True
