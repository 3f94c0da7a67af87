"""What an evaluator returns is held to what it announced, whatever its author did."""

# ruff: noqa: ARG002 - the protocol has arguments that these do not need

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from evaluators.evidence import Findings, Frozen, Inputs, Interval, Measurement, Quantity, Site
from evaluators.gathering import Answer, answer


class Nothing(Frozen):
    """No parameters."""


class Author:
    """An evaluator that announces a number, a truth, a word and one of two words, and returns what it was made with."""

    name: ClassVar[str] = "author"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = False
    Parameters: ClassVar[type[Frozen]] = Nothing

    def __init__(self, returned: Any, quantities: Any = None) -> None:
        self.returned, self.said = returned, quantities

    def quantities(self, parameters: Any) -> Any:
        announced = (
            Quantity(name="share", low=0, high=1),
            Quantity(name="count", low=0),
            Quantity(name="yes", kind="bool"),
            Quantity(name="word", kind="text"),
            Quantity(name="side", kind="text", one_of=("left", "right")),
        )
        return announced if self.said is None else self.said

    def inputs(self, parameters: Any, site: Site) -> Inputs:
        return Inputs()

    def measure(self, parameters: Any, site: Site) -> Any:
        return self.returned() if callable(self.returned) else self.returned


def ask(returned: Any, quantities: Any = None) -> Answer:
    return answer(Author(returned, quantities), Nothing(), Site(), None)


def one(name: str, value: Any, **more: Any) -> Findings:
    return Findings((Measurement(name=name, value=value, source="measured", **more),))


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("yes", np.bool_(True), True),
        ("yes", torch.tensor(False), False),
        ("count", np.int64(7), 7),
        ("count", np.array(3), 3),
        ("share", np.float32(0.5), 0.5),
        ("share", torch.tensor(0.25), 0.25),
        ("share", 1, 1),
        ("share", 1 + 1e-12, 1 + 1e-12),
        ("word", np.array(["left"])[0], "left"),
    ],
)
def test_scalars_of_libraries_are_the_values_they_stand_for(name: str, value: Any, plain: Any) -> None:
    evidence, missing = ask(one(name, value))
    assert missing is None
    assert evidence
    found = evidence.measurements[0]
    assert found.value == plain
    assert type(found.value) is type(plain)


def test_counts_and_intervals_may_be_scalars_of_libraries_too() -> None:
    interval = Interval(low=np.float32(0.25), high=np.float64(0.75))
    found = Measurement(name="x", value=0.5, n=np.int64(9), interval=interval, source="measured")
    assert (found.n, interval.low, interval.high) == (9, 0.25, 0.75)
    assert '"n":9' in found.model_dump_json()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan"), torch.tensor(float("-inf"))])
def test_what_is_no_number_is_undefined(value: Any) -> None:
    interval = Interval(low=0, high=1)
    found = Measurement(name="share", value=value, interval=interval, source="measured")
    assert found.value is None
    assert found.undefined == f"the evaluator gave {float(value)}"


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (one("share", 7.0), "share is 7.0, announced within [0, 1]"),
        (one("count", -1), "count is -1, announced within [0, inf]"),
        (one("share", True), "share is True, announced as a number"),
        (one("share", "half"), "share is 'half', announced as a number"),
        (one("yes", 1), "yes is 1, announced as a bool"),
        (one("yes", "true"), "yes is 'true', announced as a bool"),
        (one("word", 3), "word is 3, announced as a text"),
        (one("side", "up"), "side is 'up', announced as one of left, right"),
        (one("other", 0.5), "other was not announced by quantities"),
        (Findings((*one("share", 2).measurements, *one("new", 1).measurements)), "share is 2, …; new was not"),
        (Findings(one("share", 0.5).measurements * 2), "measured twice from one source: share"),
        (Findings((0.5,)), "measurements holds 0.5, expected Measurement"),  # type: ignore[arg-type]
        ([*one("share", 0.5).measurements], "measure returned list, expected Findings"),
        ({"share": 0.5}, "measure returned dict, expected Findings"),
        (None, "expected Findings"),
        (lambda: one("share", 0.5, interval=Interval(low=0.7, high=0.9)), "outside its own interval"),
    ],
)
def test_what_was_not_announced_is_a_fault_of_the_evaluator(returned: Any, told: str) -> None:
    evidence, missing = ask(returned)
    assert evidence is None
    assert missing
    assert missing.cause == "fault"
    assert "broke" in missing.what
    assert all(part in missing.what for part in told.split("…")), missing.what


@pytest.mark.parametrize(
    ("quantities", "told"),
    [
        (5, "quantities returned int"),
        (["share"], "quantities holds 'share', expected Quantity"),
        ([Quantity(name="share"), Quantity(name="share", kind="text")], "quantities names twice: share"),
    ],
)
def test_an_announcement_that_is_none_is_a_fault(quantities: Any, told: str) -> None:
    missing = ask(one("share", 0.5), quantities).missing
    assert missing
    assert told in missing.what


def test_an_announced_value_that_is_not_there_is_no_fault() -> None:
    evidence, missing = ask(Findings(()))
    assert evidence is not None
    assert missing is None
    assert {m.undefined for m in evidence.measurements} == {
        "the evaluator author announced it, and gave nothing for it"
    }


def test_a_value_lies_in_its_own_interval() -> None:
    Measurement(name="x", value=0.3, interval=Interval(low=0.1 + 0.2, high=1), source="measured")
    with pytest.raises(ValidationError, match=r"0\.5 lies outside its own interval \[0\.7, 0\.9\]"):
        Measurement(name="x", value=0.5, interval=Interval(low=0.7, high=0.9), source="measured")
