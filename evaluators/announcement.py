"""What an evaluator returns is held to what it announced: `validate` proves claims from the announcement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf, isclose
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from basics.messages import NOTHING, Message, say
from evaluators.evidence import Artefact, Evaluator, Findings, Frozen, Inputs, Measurement, Quantity, Value

Said = TypeVar("Said", Quantity, Measurement)
Item = TypeVar("Item")
KINDS = {"bool": (bool,), "text": (str,), "number": (int, float)}


class NotAsAnnounced(Exception):
    """An evaluator gave what it had not announced; a fault of its author, never of the sound."""


def as_announced(evaluator: Evaluator, parameters: Frozen, findings: Any) -> Findings:
    """`findings`, all of them as `evaluator.quantities(parameters)` announced: type, names, kinds, ranges, words.

    Raises NotAsAnnounced naming everything that is not. What was announced and is not here is no fault: claims over it
    are undecided.
    """
    if not isinstance(findings, Findings):
        raise NotAsAnnounced(f"measure returned {_kind(findings)}, expected Findings")
    found = Findings(
        measurements=tuple(map(_checked, all_of("measurements", findings.measurements, Measurement))),
        artefacts=all_of("artefacts", findings.artefacts, Artefact),
        faults=all_of("faults", findings.faults, Exception),
        warnings=all_of("warnings", findings.warnings, str),
    )
    if wrong := "; ".join(unlike_announced(found.measurements, announced(evaluator, parameters))):
        raise NotAsAnnounced(wrong)
    return found


def announced(evaluator: Evaluator, parameters: Frozen) -> tuple[Quantity, ...]:
    """What an evaluator says that it can measure. Raises NotAsAnnounced where that is not a list of quantities."""
    listed = tuple(map(_checked, all_of("quantities", evaluator.quantities(parameters), Quantity)))
    names = [quantity.name for quantity in listed]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotAsAnnounced(f"quantities names twice: {', '.join(twice)}")
    return listed


def as_inputs(inputs: Any) -> Inputs:
    """What an evaluator says that its result depends on. Raises NotAsAnnounced where that is none."""
    if not isinstance(inputs, Inputs):
        raise NotAsAnnounced(f"inputs returned {_kind(inputs)}, expected Inputs")
    try:
        return TypeAdapter(Inputs).validate_python(vars(inputs))
    except ValidationError as error:
        told = (f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise NotAsAnnounced(f"inputs returned what cannot be: {'; '.join(dict.fromkeys(told))}") from error


def _checked(said: Said) -> Said:
    """What was said, checked anew: whoever bypasses the checks of its type, or derives from it, is held to them."""
    base = Quantity if isinstance(said, Quantity) else Measurement
    return base.model_validate({name: getattr(said, name) for name in base.model_fields})  # type: ignore[return-value]


def all_of(name: str, items: Any, expected: type[Item]) -> tuple[Item, ...]:
    """The items that the method `name` returned. Raises NotAsAnnounced where one is not of the type expected."""
    if not isinstance(items, Iterable) or isinstance(items, str | BaseModel):
        raise NotAsAnnounced(f"{name} returned {_kind(items)}, expected a list of {expected.__name__}")
    listed = tuple(items)
    for item in listed:
        if not isinstance(item, expected):
            shown = " ".join(repr(item).split())[:60]
            raise NotAsAnnounced(f"{name} holds {shown}, expected {expected.__name__}")
    return listed


def _kind(item: object) -> str:
    return "nothing (None)" if item is None else type(item).__name__


def unlike_announced(measurements: Iterable[Measurement], quantities: Iterable[Quantity]) -> Iterator[Message]:
    """What is wrong with measurements, new or stored, by these quantities: names, kinds, ranges, words."""
    known = {quantity.name: quantity for quantity in quantities}
    for measurement in measurements:
        if measurement.name not in known:
            yield say("{name} was not announced by quantities", name=measurement.name)
        elif measurement.value is not None and (wrong := outside(measurement.value, known[measurement.name])):
            yield say(
                "{name} is {value!r}, {expectation}", name=measurement.name, value=measurement.value, expectation=wrong
            )


def outside(value: Value, quantity: Quantity) -> Message:
    """What was announced, where a value is not of it."""
    if not isinstance(value, KINDS[quantity.kind]) or (quantity.kind == "number" and isinstance(value, bool)):
        return say("announced as a {kind}", kind=quantity.kind)
    if quantity.one_of and value not in quantity.one_of:
        return say("announced as one of {values}", values=", ".join(quantity.one_of))
    if isinstance(value, str):
        return NOTHING
    low, high = (-inf if quantity.low is None else quantity.low), (inf if quantity.high is None else quantity.high)
    rounding = isclose(value, low) or isclose(value, high)
    return (
        NOTHING if low <= value <= high or rounding else say("announced within [{low:g}, {high:g}]", low=low, high=high)
    )
