"""What evaluators there are, what each takes, and what it measures then: for whoever writes a question."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from basics.errors import InputError, Problem
from basics.messages import say
from evaluators.announcement import announced
from evaluators.entries import first_fault
from evaluators.evidence import Evaluator, Frozen, Quantity
from evaluators.isolation import Isolated
from evaluators.packages import cause_of, whose_fault
from evaluators.registry import get, owner, targets


class Listed(Frozen):
    """An evaluator: who brings it, what it is about, or why it cannot be used."""

    name: str
    package: str
    version: int | None = None
    about: str = ""
    problem: str = ""


class Parameter(Frozen):
    """What a request may ask of an evaluator. `default` is JSON; empty where something has to be asked."""

    name: str
    kind: str
    default: str = ""
    about: str = ""


class Described(Frozen):
    """An evaluator, its parameters, and its quantities for what was asked; or why it announces none for that."""

    evaluator: Listed
    parameters: tuple[Parameter, ...]
    quantities: tuple[Quantity, ...] = ()
    refused: str = ""


def catalogue() -> tuple[Listed, ...]:
    """Every evaluator that is installed here, by name."""
    return tuple(_listed(name) for name in sorted(targets()))


def described(name: str, asked: Mapping[str, Any]) -> Described:
    """One evaluator, asked so. Raises InputError where it is not here, or breaks when asked what it measures."""
    evaluator = get(name)
    schema = evaluator.Parameters.model_json_schema()
    known = Described(evaluator=_listed(name), parameters=tuple(_parameters(schema)))
    try:
        parameters = evaluator.Parameters.model_validate_json(json.dumps(dict(asked)))
        return known.model_copy(update={"quantities": announced(evaluator, parameters)})
    except ValidationError as error:
        return known.model_copy(update={"refused": first_fault(error)})
    except (Exception, SystemExit) as error:  # an evaluator may be anybody's code
        what = say("broke when asked what it measures: {cause}", cause=cause_of(error))
        raise InputError(Problem(f"evaluator {name}", what, whose_fault(owner(name), error))) from error


def _listed(name: str) -> Listed:
    try:
        evaluator = get(name)
    except InputError as error:
        problem = "; ".join(problem.what for problem in error.problems)
        return Listed(name=name, package=owner(name), problem=problem)
    return Listed(name=name, package=owner(name), version=evaluator.version, about=about(evaluator))


def about(evaluator: Evaluator) -> str:
    """The first line of what an evaluator's class says of itself."""
    said = evaluator.about if isinstance(evaluator, Isolated) else type(evaluator).__doc__
    return inspect.cleandoc(said or "").partition("\n")[0]


def _parameters(schema: Mapping[str, Any]) -> Iterator[Parameter]:
    needed, kinds = schema.get("required", ()), schema.get("$defs", {})
    for name, said in schema.get("properties", {}).items():
        default = "" if name in needed else json.dumps(said.get("default"), ensure_ascii=False)
        yield Parameter(name=name, kind=_kind(said, kinds), default=default, about=said.get("description", ""))


def _kind(said: Mapping[str, Any], kinds: Mapping[str, Any]) -> str:
    """What a parameter may be, in words, from its JSON Schema."""
    if "$ref" in said:
        return _kind(kinds.get(said["$ref"].rpartition("/")[2], {}), kinds)
    if "const" in said or "enum" in said:
        return " | ".join(json.dumps(one, ensure_ascii=False) for one in said.get("enum", [said.get("const")]))
    if "anyOf" in said:
        return " | ".join(_kind(one, kinds) for one in said["anyOf"])
    if said.get("type") == "array":
        inner = _kind(said["items"], kinds) if isinstance(said.get("items"), dict) else "anything"
        return f"list of {inner}"
    bounds = [f"{sign} {said[key]}" for key, sign in BOUNDS.items() if key in said]
    return " ".join([str(said.get("type", "anything")), *bounds])


BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<", "pattern": "like"}
"""Words of a JSON Schema that bound a value, and how they are shown."""
