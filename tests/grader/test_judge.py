"""Claims and verdicts: three-valued logic, margins, intervals, and what a verdict rests on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from evaluators.evidence import Checked, Interval, Measurement, Source
from grader.quiz.claims import (
    Above,
    All,
    Any_,
    AtLeast,
    AtMost,
    Below,
    Claim,
    Equals,
    Form,
    Greater,
    Less,
    Not,
    comparisons,
    in_words,
)
from grader.quiz.spec import Contrary
from grader.verdicts.judge import Candidates, judge

NAMES = ("a", "b", "c")
CLAIM: TypeAdapter[Form] = TypeAdapter(Claim)
numbers = st.floats(-10, 10).map(lambda x: round(x, 2))


def parse(claim: object) -> Form:
    """A claim as it would come from a file."""
    return CLAIM.validate_json(json.dumps(claim))


def number(name: str, value: float | None, half: float = 0.0, source: Source = "measured") -> Measurement:
    if value is None:
        return Measurement(name=name, undefined="no utterance", source=source)
    interval = Interval(low=value - half, high=value + half) if half else None
    return Measurement(name=name, value=float(value), interval=interval, source=source)


def cited(name: str, value: float | str, checked: Checked) -> Measurement:
    return Measurement(name=name, value=value, source="published", locator="§1", checked=checked)


def seen(*measurements: Measurement) -> Candidates:
    return {m.name: [m] for m in measurements}


names = st.sampled_from(NAMES)
margins = st.floats(0, 3).map(lambda x: round(x, 2))
leaves: st.SearchStrategy[Form] = st.one_of(
    st.builds(lambda n, t, m: AtLeast(at_least=(n, t), margin=m), names, numbers, margins),
    st.builds(lambda n, t, m: AtMost(at_most=(n, t), margin=m), names, numbers, margins),
    st.builds(lambda n, t, m: Above(above=(n, t), margin=m), names, numbers, margins),
    st.builds(lambda n, t, m: Below(below=(n, t), margin=m), names, numbers, margins),
    st.builds(lambda x, y, d, m: Greater(greater=(x, y), by=d, margin=m), names, names, margins, margins),
    st.builds(lambda x, y, d, m: Less(less=(x, y), by=d, margin=m), names, names, margins, margins),
    st.builds(lambda n, v, t: Equals(equals=(n, v), tolerance=t), names, numbers, margins),
)
claims = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(all=tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Any_(any=tuple(parts))),
        inner.map(lambda part: Not(not_=part)),
    ),
    max_leaves=8,
)
worlds = st.fixed_dictionaries(
    {name: st.one_of(st.none(), numbers).map(lambda v, n=name: [number(n, v)]) for name in NAMES}
)
OPPOSITE = {"supported": "refuted", "refuted": "supported", "inconclusive": "inconclusive"}


@given(claims, worlds)
def test_double_negation_and_de_morgan(claim: Form, world: Candidates) -> None:
    state = judge(claim, world).state
    assert judge(Not(not_=claim), world).state == OPPOSITE[state]
    assert judge(Not(not_=Not(not_=claim)), world).state == state


@given(st.lists(claims, min_size=1, max_size=3), worlds)
def test_de_morgan(parts: list[Form], world: Candidates) -> None:
    left = Not(not_=All(all=tuple(parts)))
    right = Any_(any=tuple(Not(not_=part) for part in parts))
    assert judge(left, world).state == judge(right, world).state


@given(st.lists(claims, min_size=1, max_size=3), worlds)
def test_strong_kleene_tables(parts: list[Form], world: Candidates) -> None:
    """`all` is the minimum and `any` the maximum of refuted < inconclusive < supported."""
    order = ["refuted", "inconclusive", "supported"]
    states = [order.index(judge(part, world).state) for part in parts]
    assert judge(All(all=tuple(parts)), world).state == order[min(states)]
    assert judge(Any_(any=tuple(parts)), world).state == order[max(states)]


@given(leaves, worlds, st.floats(0, 5))
def test_a_wider_margin_only_turns_decisions_into_doubt(leaf: Form, world: Candidates, more: float) -> None:
    if isinstance(leaf, Equals):
        return
    before = judge(leaf, world).state
    after = judge(leaf.model_copy(update={"margin": leaf.margin + more}), world).state  # type: ignore[attr-defined]
    assert after in (before, "inconclusive")


@given(claims, st.floats(0, 3), st.tuples(numbers, numbers, numbers))
def test_a_wider_interval_only_turns_decisions_into_doubt(claim: Form, half: float, values: tuple[float, ...]) -> None:
    points = seen(*(number(n, v) for n, v in zip(NAMES, values, strict=True)))
    spans = seen(*(number(n, v, half) for n, v in zip(NAMES, values, strict=True)))
    assert judge(claim, spans).state in (judge(claim, points).state, "inconclusive")


@given(claims, worlds)
def test_undefined_measurements_alone_decide_nothing(claim: Form, world: Candidates) -> None:
    nothing = seen(*(number(name, None) for name in world))
    assert judge(claim, nothing).state == "inconclusive"


@given(claims, worlds, st.tuples(numbers, numbers, numbers))
def test_filling_in_what_is_undefined_never_reverses_a_decision(
    claim: Form, world: Candidates, values: tuple[float, ...]
) -> None:
    filled = {
        name: measured if measured[0].value is not None else [number(name, value)]
        for (name, measured), value in zip(world.items(), values, strict=True)
    }
    before = judge(claim, world).state
    assert before in ("inconclusive", judge(claim, filled).state)


@given(claims, worlds)
def test_grounds_suffice_for_the_verdict(claim: Form, world: Candidates) -> None:
    """Blanking every measurement outside the grounds leaves the verdict as it was."""
    verdict = judge(claim, world)
    needed = {m.name for comparison in verdict.grounds for m in comparison.measurements}
    bare = {name: measured if name in needed else [number(name, None)] for name, measured in world.items()}
    if verdict.state != "inconclusive":
        assert judge(claim, bare).state == verdict.state
    assert verdict.deciding in verdict.grounds


@pytest.mark.parametrize(
    ("claim", "value", "half", "state", "gap"),
    [
        ({"at_least": ["a", 0.8]}, 0.8, 0, "supported", 0),
        ({"at_least": ["a", 0.8], "margin": 0.02}, 0.81, 0, "inconclusive", 0.01),
        ({"at_least": ["a", 0.8], "margin": 0.02}, 0.85, 0.01, "supported", 0.04),
        ({"at_least": ["a", 0.8], "margin": 0.02}, 0.75, 0.01, "refuted", 0.04),
        ({"at_least": ["a", 0.8]}, 0.8, 0.05, "inconclusive", -0.05),
        ({"at_most": ["a", 200]}, 160, 0, "supported", 40),
        ({"at_most": ["a", 200]}, 160, 50, "inconclusive", -10),
        ({"equals": ["a", 80], "tolerance": 0.1}, 80.05, 0, "supported", 0.05),
        ({"equals": ["a", 80]}, 79, 0, "refuted", 1),
    ],
)
def test_gap_and_state_of_a_comparison(claim: object, value: float, half: float, state: str, gap: float) -> None:
    verdict = judge(parse(claim), seen(number("a", value, half)))
    assert verdict.state == state
    assert verdict.deciding.gap == pytest.approx(gap)


def test_a_difference_has_to_clear_both_intervals() -> None:
    claim = parse({"greater": ["a", "b"], "by": 0.5})
    assert judge(claim, seen(number("a", 3, 0.2), number("b", 2, 0.2))).state == "supported"
    assert judge(claim, seen(number("a", 3, 0.3), number("b", 2, 0.3))).state == "inconclusive"
    assert judge(claim, seen(number("a", 2.5), number("b", 2))).state == "refuted", "greater by d means by more than d"


def test_highest_of_names_the_rival_that_refutes() -> None:
    claim = parse({"highest_of": ["a", "b", "c"]})
    assert judge(claim, seen(number("a", 3), number("b", 2), number("c", 1))).state == "supported"
    verdict = judge(claim, seen(number("a", 3), number("b", 2), number("c", 4)))
    assert verdict.state == "refuted"
    assert [m.name for m in verdict.deciding.measurements] == ["a", "c"]


def test_texts_and_truth_values() -> None:
    text = Measurement(name="a", value="text", source="executed")
    truth = Measurement(name="b", value=True, source="executed")
    assert judge(parse({"equals": ["a", "text"]}), seen(text)).state == "supported"
    assert judge(parse({"equals": ["a", "audio"]}), seen(text)).state == "refuted"
    assert judge(parse({"is_true": "b"}), seen(truth)).state == "supported"
    assert judge(parse({"is_false": "b"}), seen(truth)).state == "refuted"


def test_the_reason_of_an_undefined_measurement_reaches_the_verdict() -> None:
    verdict = judge(parse({"at_least": ["a", 1]}), seen(number("a", None)))
    assert verdict.state == "inconclusive"
    assert "no utterance" in verdict.deciding.reason
    assert verdict.sources == ()


@pytest.mark.parametrize(("operator", "recalled"), [("all", True), ("any", False)])
def test_a_verdict_is_marked_when_a_recalled_fact_is_needed_and_only_then(operator: str, recalled: bool) -> None:
    claim = parse({operator: [{"at_least": ["a", 1]}, {"at_least": ["b", 1]}]})
    verdict = judge(claim, seen(cited("a", 2.0, "recalled"), cited("b", 2.0, "read")))
    assert (verdict.state, verdict.recalled) == ("supported", recalled)


def test_real_evidence_carries_a_verdict_before_a_demonstration_does() -> None:
    claim = parse({"any": [{"at_least": ["a", 1]}, {"at_least": ["b", 1]}]})
    verdict = judge(claim, seen(number("a", 9, source="demonstration"), number("b", 2)))
    assert (verdict.state, verdict.demonstration, verdict.sources) == ("supported", False, ("measured",))


def test_dissent_of_another_source_is_reported() -> None:
    world = {"a": [number("a", 2), cited("a", 0.5, "read"), cited("a", 3.0, "read")]}
    verdict = judge(parse({"at_least": ["a", 1]}), world)
    assert verdict.state == "supported"
    assert [m.value for m in verdict.deciding.dissent] == [0.5]


def test_claims_read_aloud() -> None:
    claim = parse({"all": [{"at_least": ["a", 0.8], "margin": 0.1}, {"not": {"greater": ["b", "c"], "by": 0.5}}]})
    assert in_words(claim) == "a ≥ 0.8 (margin 0.1) and (not (b > c + 0.5))"
    assert len(list(comparisons(claim))) == 2


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"at_least": ["a", 1], "at_most": ["a", 2]},
        {"all": []},
        {"at_least": ["a", True]},
        {"at_least": ["a", 1], "margin": -1},
        {"at_least": ["a", 1], "tolerance": 1},
        {"highest_of": ["a"]},
        {"at_least": ["A b", 1]},
        {"equals": ["a", float("nan")]},
    ],
)
def test_claims_outside_the_closed_set_are_refused(broken: object) -> None:
    with pytest.raises(ValidationError):
        parse(broken)


@pytest.mark.parametrize("form", ["greater", "less", "highest_of", "lowest_of"])
@pytest.mark.parametrize(("apart", "beyond", "short"), [(2.0, 2.5, 1.5), (4.0, 4.25, 3.75)])
def test_exactly_the_margin_away_is_undecided_on_either_side(
    form: str, apart: float, beyond: float, short: float
) -> None:
    claim = parse({form: ["a", "b"], "margin": apart})
    sign = 1 if form in ("greater", "highest_of") else -1
    states = {
        gap: judge(claim, seen(number("a", sign * gap), number("b", 0.0))).state
        for gap in (apart, -apart, beyond, -beyond, short, -short)
    }
    assert states == {
        apart: "inconclusive",
        -apart: "inconclusive",
        beyond: "supported",
        -beyond: "refuted",
        short: "inconclusive",
        -short: "inconclusive",
    }


def beside(state: float, *, defeats: bool) -> Contrary:
    return Contrary(evidence=parse({"at_least": ["b", state]}), answer="it was heard", defeats=defeats)


@pytest.mark.parametrize(
    ("b", "defeats", "state", "stands"),
    [
        (2.0, True, "refuted", True),
        (0.0, True, "supported", False),
        (None, True, "supported", False),
        (2.0, False, "supported", True),
    ],
)
def test_contrary_evidence_stands_beside_a_verdict_and_decides_only_where_it_defeats(
    b: float | None, defeats: bool, state: str, stands: bool
) -> None:
    verdict = judge(
        parse({"at_least": ["a", 1]}), seen(number("a", 2.0), number("b", b)), [beside(1.0, defeats=defeats)]
    )
    assert verdict.state == state
    assert bool(verdict.contrary) == stands
    assert verdict.beside[0].answer == "it was heard"
    if state == "refuted":
        assert [m.name for m in verdict.deciding.measurements] == ["b"]


def test_what_defeats_never_makes_a_refuted_option_hold() -> None:
    claim = parse({"at_least": ["a", 1]})
    assert judge(claim, seen(number("a", 0.0), number("b", 2.0)), [beside(1.0, defeats=True)]).state == "refuted"
    assert judge(claim, seen(number("a", None), number("b", 2.0)), [beside(1.0, defeats=True)]).state == "inconclusive"


@pytest.mark.parametrize(
    ("claim", "value", "half", "state"),
    [
        ({"below": ["a", 2]}, 1.9, 0, "supported"),
        ({"below": ["a", 2]}, 2, 0, "refuted"),
        ({"at_most": ["a", 2]}, 2, 0, "supported"),
        ({"above": ["a", 2]}, 2, 0, "refuted"),
        ({"above": ["a", 2]}, 2.5, 0.1, "supported"),
        ({"above": ["a", 2]}, 2.5, 0.5, "inconclusive"),
        ({"below": ["a", 2], "margin": 0.5}, 1.5, 0, "inconclusive"),
        ({"below": ["a", 2], "margin": 0.5}, 2.5, 0, "inconclusive"),
        ({"undefined": "a"}, 2, 0, "refuted"),
        ({"undefined": "a"}, None, 0, "supported"),
        ({"not": {"undefined": "a"}}, 2, 0, "supported"),
        ({"any": [{"undefined": "a"}, {"above": ["a", 5]}]}, None, 0, "supported"),
    ],
)
def test_strict_bounds_and_what_has_no_value(claim: object, value: float | None, half: float, state: str) -> None:
    verdict = judge(parse(claim), seen(number("a", value, half)))
    assert verdict.state == state


def test_what_nobody_measured_is_not_undefined() -> None:
    unknown = Measurement(name="a", undefined="no stored evidence", unmeasured=True, source="measured")
    verdict = judge(parse({"undefined": "a"}), seen(unknown))
    assert verdict.state == "inconclusive"
    assert verdict.deciding.reason == "a was not measured: no stored evidence"
    assert judge(parse({"not": {"undefined": "a"}}), seen(unknown)).state == "inconclusive"


def test_a_value_cannot_be_unmeasured() -> None:
    with pytest.raises(ValidationError, match="what was not measured has no value"):
        Measurement(name="a", value=1, unmeasured=True, source="measured")


def test_the_new_forms_in_words() -> None:
    words = in_words(parse({"all": [{"above": ["a", 2]}, {"below": ["b", 0.5]}, {"not": {"undefined": "c"}}]}))
    assert words == "a > 2 and b < 0.5 and (not (c is undefined))"
