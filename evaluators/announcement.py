"""What an evaluator returns is held to what it announced: `validate` proves claims from the announcement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf, isclose

from evaluators.evidence import Evaluator, Findings, Frozen, Measurement, Quantity, Value

KINDS = {"bool": (bool,), "text": (str,), "number": (int, float)}


class NotAsAnnounced(Exception):
    """An evaluator gave what it had not announced; a fault of its author, never of the sound."""


def as_announced(evaluator: Evaluator, parameters: Frozen, findings: Findings) -> Findings:
    """`findings`, all of them as `evaluator.quantities(parameters)` announced: type, names, kinds, ranges, words.

    Raises NotAsAnnounced naming everything that is not. What was announced and is not here is no fault: claims over it
    are undecided.
    """
    if not isinstance(findings, Findings):
        raise NotAsAnnounced(f"measure returned {type(findings).__name__}, expected Findings")
    if wrong := "; ".join(unlike_announced(findings.measurements, announced(evaluator, parameters))):
        raise NotAsAnnounced(wrong)
    return findings


def announced(evaluator: Evaluator, parameters: Frozen) -> tuple[Quantity, ...]:
    """What an evaluator says that it can measure. Raises NotAsAnnounced where that is not a list of quantities."""
    quantities = evaluator.quantities(parameters)
    if not isinstance(quantities, Iterable):
        raise NotAsAnnounced(f"quantities returned {type(quantities).__name__}, expected a list of Quantity")
    listed = tuple(quantities)
    names = [quantity.name if isinstance(quantity, Quantity) else "" for quantity in listed]
    if strange := next((quantity for quantity in listed if not isinstance(quantity, Quantity)), None):
        raise NotAsAnnounced(f"quantities holds {strange!r}, expected Quantity")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotAsAnnounced(f"quantities names twice: {', '.join(twice)}")
    return listed


def unlike_announced(measurements: Iterable[Measurement], quantities: Iterable[Quantity]) -> Iterator[str]:
    """What is wrong with measurements, new or stored, by these quantities: names, kinds, ranges, words."""
    known = {quantity.name: quantity for quantity in quantities}
    for measurement in measurements:
        if not isinstance(measurement, Measurement):
            yield f"measurements holds {measurement!r}, expected Measurement"
        elif measurement.name not in known:
            yield f"{measurement.name} was not announced by quantities"
        elif measurement.value is not None and (wrong := outside(measurement.value, known[measurement.name])):
            yield f"{measurement.name} is {measurement.value!r}, {wrong}"


def outside(value: Value, quantity: Quantity) -> str:
    """What was announced, where a value is not of it."""
    if not isinstance(value, KINDS[quantity.kind]) or (quantity.kind == "number" and isinstance(value, bool)):
        return f"announced as a {quantity.kind}"
    if quantity.one_of and value not in quantity.one_of:
        return f"announced as one of {', '.join(quantity.one_of)}"
    if isinstance(value, str):
        return ""
    low, high = (-inf if quantity.low is None else quantity.low), (inf if quantity.high is None else quantity.high)
    rounding = isclose(value, low) or isclose(value, high)
    return "" if low <= value <= high or rounding else f"announced within [{low:g}, {high:g}]"
