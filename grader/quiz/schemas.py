"""JSON Schemas for editors: beside what a quiz says, what the evaluators that it can ask take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from evaluators.evidence import Evaluator
from evaluators.generic import KINDS
from evaluators.registry import BUILT_IN

REQUEST = "EvidenceRequest"


def with_parameters(schema: Mapping[str, Any], evaluators: Iterable[Evaluator]) -> dict[str, Any]:
    """The schema of a question in which a request to one of `evaluators` is checked for that one's parameters."""
    request = dict(schema["$defs"][REQUEST])
    definitions, branches = dict(schema["$defs"]), []
    for evaluator in evaluators:
        name = evaluator.name
        text = json.dumps(evaluator.Parameters.model_json_schema(by_alias=True))
        taken = json.loads(text.replace('"#/$defs/', f'"#/$defs/{name}.'))
        definitions |= {f"{name}.{key}": said for key, said in taken.pop("$defs", {}).items()}
        known = taken.get("properties", {}) | dict.fromkeys(request["properties"], True)
        then = {"properties": known, "required": taken.get("required", []), "additionalProperties": False}
        branches.append({"if": _asks(name), "then": then})
    definitions[REQUEST] = request | {"allOf": branches}
    return {**schema, "$defs": definitions}


def _asks(name: str) -> dict[str, Any]:
    """What a request to an evaluator looks like: by its name, or by the kind of file."""
    by_name = {"properties": {"evaluator": {"const": name}}, "required": ["evaluator"]}
    by_kind = {"required": [name], "not": {"required": ["evaluator"]}}
    return {"anyOf": [by_name, by_kind]} if name in KINDS else by_name


def of_built_in(schema: Any) -> Any:
    """The same without evaluators that are not built in: what does not hang on the packages that are installed."""
    try:
        request, definitions = schema["$defs"][REQUEST], schema["$defs"]
        others = {name for name in (key.partition(".")[0] for key in definitions if "." in key) if name not in BUILT_IN}
        kept = [one for one in request["allOf"] if _name(one) in BUILT_IN]
    except (KeyError, TypeError):
        return schema
    left = {key: said for key, said in definitions.items() if key.partition(".")[0] not in others}
    return {**schema, "$defs": {**left, REQUEST: {**request, "allOf": kept}}}


def _name(branch: Mapping[str, Any]) -> Any:
    asks = branch["if"]
    return asks.get("anyOf", [asks])[0]["properties"]["evaluator"]["const"]
