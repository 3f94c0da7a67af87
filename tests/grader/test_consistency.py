"""What can be known about claims before any evidence."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from evaluators.evidence import Measurement, Quantity
from grader.quiz.claims import All, Any_, Claim, Form, Not, Undefined
from grader.quiz.consistency import TooComplex, satisfiable
from grader.verdicts.judge import judge
from tests.grader.test_judge import claims, leaves

CLAIM: TypeAdapter[Form] = TypeAdapter(Claim)
STOI = {"a": Quantity(name="a", low=-1, high=1), "b": Quantity(name="b", low=-1, high=1)}


def parse(claim: object) -> Form:
    return CLAIM.validate_json(json.dumps(claim))


def together(*parts: object) -> bool:
    return satisfiable([(parse(part), True) for part in parts], STOI)


@pytest.mark.parametrize(
    ("first", "second", "possible"),
    [
        ({"greater": ["a", "b"], "by": 0.5}, {"greater": ["b", "a"], "by": 0.5}, False),
        ({"greater": ["a", "b"]}, {"at_least": ["b", 0.9]}, True),
        ({"greater": ["a", "b"], "by": 0.2}, {"at_least": ["b", 0.9]}, False),
        ({"at_least": ["a", 0.8]}, {"at_most": ["a", 0.8]}, True),
        ({"at_least": ["a", 0.8], "margin": 0.01}, {"at_most": ["a", 0.8]}, False),
        ({"not": {"at_least": ["a", 0.8]}}, {"at_least": ["a", 0.8]}, False),
        ({"equals": ["t", "text"]}, {"equals": ["t", "audio"]}, False),
        ({"not": {"equals": ["t", "text"]}}, {"equals": ["t", "audio"]}, True),
        ({"is_true": "t"}, {"is_false": "t"}, False),
        ({"above": ["a", 0.8]}, {"at_most": ["a", 0.8]}, False),
        ({"at_least": ["a", 0.8]}, {"below": ["a", 0.8]}, False),
        ({"at_least": ["a", 0.8]}, {"not": {"above": ["a", 0.8]}}, True),
        ({"above": ["a", 1]}, {"above": ["b", 0]}, False),
        ({"below": ["a", -1]}, {"above": ["b", 0]}, False),
        ({"undefined": "a"}, {"at_least": ["a", 0]}, False),
        ({"undefined": "a"}, {"not": {"at_least": ["a", 0]}}, False),
        ({"undefined": "a"}, {"greater": ["b", "a"]}, False),
        ({"undefined": "t"}, {"not": {"equals": ["t", "text"]}}, False),
        ({"undefined": "a"}, {"not": {"undefined": "a"}}, False),
        ({"undefined": "a"}, {"at_least": ["b", 0]}, True),
        ({"not": {"undefined": "a"}}, {"at_least": ["a", 0]}, True),
        ({"undefined": "a"}, {"any": [{"at_least": ["a", 0]}, {"at_least": ["b", 0]}]}, True),
        ({"highest_of": ["a", "b"]}, {"lowest_of": ["a", "b"]}, False),
        ({"any": [{"at_least": ["a", 2]}, {"at_most": ["b", 0]}]}, {"at_least": ["b", 0.1]}, False),
    ],
)
def test_whether_two_claims_can_hold_together(first: object, second: object, possible: bool) -> None:
    assert together(first, second) is possible


def alternatives(number: int, bound: float) -> dict[str, object]:
    """All of `number` choices, each between two bounds on two measurements of its own."""
    return {"all": [{"any": [{"at_least": [f"x{i}", bound]}, {"at_most": [f"y{i}", -bound]}]} for i in range(number)]}


def test_many_alternatives_take_no_longer_than_few() -> None:
    claim = parse(alternatives(40, 0.5))
    known = {f"{name}{i}": Quantity(name=f"{name}{i}", low=-1, high=1) for name in "xy" for i in range(40)}
    assert satisfiable([(claim, True)], known)
    assert satisfiable([(claim, False)], known)
    impossible = parse(alternatives(40, 2.0))
    assert not satisfiable([(impossible, True)], known)


def test_a_puzzle_is_given_up_in_seconds() -> None:
    """Nine points a unit apart on a line of 7.5: every order of them would have to be tried."""
    apart = [
        {"any": [{"greater": [f"p{i}", f"p{j}"], "by": 1}, {"greater": [f"p{j}", f"p{i}"], "by": 1}]}
        for i in range(9)
        for j in range(i)
    ]
    known = {f"p{i}": Quantity(name=f"p{i}", low=0, high=7.5) for i in range(9)}
    with pytest.raises(TooComplex):
        satisfiable([(parse({"all": apart}), True)], known)


def test_a_chain_of_differences_closes() -> None:
    chain = {"all": [{"greater": ["a", "b"]}, {"greater": ["b", "c"]}, {"greater": ["c", "a"]}]}
    assert not together(chain)
    assert together({"all": [{"greater": ["a", "b"]}, {"greater": ["b", "c"]}]})


def test_a_text_is_one_of_its_words() -> None:
    known = {"t": Quantity(name="t", kind="text", one_of=("text", "audio"))}
    neither = parse({"all": [{"not": {"equals": ["t", "text"]}}, {"not": {"equals": ["t", "audio"]}}]})
    assert not satisfiable([(neither, True)], known)
    assert satisfiable([(neither, True)], {})
    assert not satisfiable([(parse({"equals": ["t", "txt"]}), True)], known)


def test_a_margin_wider_than_the_range_leaves_nothing_to_decide() -> None:
    claim = parse({"at_least": ["a", 0.0], "margin": 1.5})
    assert not satisfiable([(claim, True)], STOI)
    assert not satisfiable([(claim, False)], STOI)


grid = [x / 2 for x in range(-24, 25, 3)]


@settings(max_examples=60)
@given(claims)
def test_what_a_search_over_values_finds_is_called_satisfiable(claim: Form) -> None:
    """Soundness against brute force: a value that supports (refutes) the claim is never called impossible."""
    for values in product(grid[::4], repeat=3):
        world = {n: [Measurement(name=n, value=v, source="measured")] for n, v in zip("abc", values, strict=True)}
        state = judge(claim, world).state
        if state != "inconclusive":
            assert satisfiable([(claim, state == "supported")], {})


@settings(max_examples=60)
@given(claims, st.tuples(*[st.sampled_from(grid)] * 3))
def test_what_is_called_impossible_never_happens(claim: Form, values: tuple[float, float, float]) -> None:
    world = {n: [Measurement(name=n, value=v, source="measured")] for n, v in zip("abc", values, strict=True)}
    if not satisfiable([(claim, True)], {}):
        assert judge(claim, world).state != "supported"


gaps = st.sampled_from("abc").map(lambda name: Undefined(undefined=name))
with_gaps = st.recursive(
    st.one_of(leaves, gaps),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(all=tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Any_(any=tuple(parts))),
        inner.map(lambda part: Not(not_=part)),
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(with_gaps)
def test_so_it_is_where_some_measurements_have_no_value(claim: Form) -> None:
    """Soundness against brute force: what happens in some world, defined or not, is never called impossible."""
    for values in product([None, *grid[::5]], repeat=3):
        world = {
            n: [Measurement(name=n, value=v, undefined=None if v is not None else "none", source="measured")]
            for n, v in zip("abc", values, strict=True)
        }
        state = judge(claim, world).state
        if state != "inconclusive":
            assert satisfiable([(claim, state == "supported")], {})


def test_a_claim_that_covers_every_value_and_none_is_always_supported() -> None:
    everything = parse({"any": [{"undefined": "a"}, {"above": ["a", 0]}, {"at_most": ["a", 0]}]})
    assert satisfiable([(everything, True)], STOI)
    assert not satisfiable([(everything, False)], STOI)
