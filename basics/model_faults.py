"""What a pydantic model refuses in a file, for whoever wrote it: where it stands, what is wrong, and what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError

from basics.messages import NOTHING, Message, quoted, said_by, say, together
from basics.suggestions import close_to, did_you_mean

Path_ = tuple[str | int, ...]
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """A fault at the place `path` of the file: what is wrong, and a remedy or nothing."""

    path: Path_
    what: Message
    remedy: Message


def faults_of(
    error: ValidationError,
    model: type[BaseModel],
    data: Any,
    places: Iterable[Path_],
    *,
    at: Path_ = (),
    beside: Iterable[str] = (),
) -> Iterator[Fault]:
    """One for each thing that is wrong with `data`; what only follows from another fault is left out.

    `data` stands at `at` of a file whose keys and items are at `places`; `beside` are keys at the top of `data` that
    are known and no part of the model.
    """
    known, schema = set(places), _schema(model)
    raised = error.errors()
    paths = [_in_file(at + tuple(fault["loc"]), known) for fault in raised]
    meant: set[Path_] = set()  # what is missing because its name is misspelt
    for fault, path in zip(raised, paths, strict=True):
        if fault["type"] == "extra_forbidden":
            keys = _keys(schema, data, path[len(at) :])
            meant |= {(*path[:-1], key) for key in close_to(str(path[-1]), keys)}
    for fault, path in zip(raised, paths, strict=True):
        follows = fault["type"] == "too_short" and any(len(f["loc"]) > len(fault["loc"]) for f in raised)
        if follows or (fault["type"] == "missing" and path in meant):
            continue
        inside = path[len(at) :]
        extra = beside if len(inside) == 1 else ()
        yield Fault(path, _what(fault, path), _remedy(fault, inside, schema, data, extra))


def _schema(model: type[BaseModel]) -> Schema:
    try:
        return model.model_json_schema(by_alias=True)
    except PydanticUserError:  # anybody's types, of which there is none
        return {}


def _in_file(loc: Path_, places: set[Path_]) -> Path_:
    """The location with pydantic's own steps (union tags) left out; a missing key stays as the last step."""
    found: list[Path_] = [()]
    for step in loc:
        found += [(*path, step) for path in found if (*path, step) in places]
    whole = [path for path in found if path[-1:] == loc[-1:]]
    return max(whole, key=len) if whole else (*max(found, key=len), *loc[-1:])


def _what(fault: Mapping[str, Any], path: Path_) -> Message:
    key = ".".join(map(str, path)) or say("the document")
    match fault["type"]:
        case "missing":
            return say("{key} is missing", key=key)
        case "extra_forbidden":
            return say("{key} is not a known key", key=key)
        case "value_error" | "claim":
            return say("{key}: {what}", key=key, what=raised(fault))
    shown = str(fault["input"])
    what = f"{fault['msg'][:1].lower()}{fault['msg'][1:]}"
    return say("{key}: {problem}, got {value!r}", key=key, problem=what, value=shown[:60])


def raised(fault: Mapping[str, Any]) -> Message:
    """What a validator of ours says."""
    error = fault.get("ctx", {}).get("error")
    return said_by(error) if isinstance(error, ValueError) else quoted(str(fault["msg"]).removeprefix("Value error, "))


def _remedy(fault: Mapping[str, Any], path: Path_, schema: Schema, data: Any, beside: Iterable[str]) -> Message:
    given = fault["input"]
    match fault["type"]:
        case "missing":
            return say("add it")
        case "extra_forbidden":
            return did_you_mean(str(fault["loc"][-1]), {*_keys(schema, data, path), *beside})
        case "claim" if isinstance(given, dict):
            known = {key for one in _at(schema, path) for key in one.get("properties", {})}
            unknown = [key for key in given if key not in known]
            return together(
                say("{key}: {suggestion}", key=key, suggestion=did_you_mean(key, known))
                for key in unknown[:3]
                if close_to(key, known)
            )
        case "string_type" if given is None:
            return say("write a text, or leave the key out")
        case "string_type" if isinstance(given, bool | int | float):
            value = str(given).lower() if isinstance(given, bool) else str(given)
            return say('quote it, so that it is a text: "{value}"', value=value)
        case "int_type" | "float_type" | "bool_type" if isinstance(given, str):
            return say("leave out the quotes") if _is_one(fault["type"], given) else NOTHING
    return NOTHING


def _is_one(kind: str, text: str) -> bool:
    if kind == "bool_type":
        return text in ("true", "false")
    try:
        float(text)
    except ValueError:
        return False
    return kind == "float_type" or text.lstrip("+-").isdecimal()


def _keys(schema: Schema, data: Any, path: Path_) -> set[str]:
    """The keys that are known where the last step of `path` stands: of alternatives, those most like what is there."""
    for step in path[:-1]:
        data = data[step]  # a key or an item that is there
    written = set(data) if isinstance(data, dict) else set()
    known = [set(one.get("properties", {})) for one in _at(schema, path[:-1])]
    most = max((len(keys & written) for keys in known), default=0)
    return {key for keys in known if len(keys & written) == most for key in keys}


def _at(schema: Schema, path: Path_) -> list[Schema]:
    """What a JSON Schema says of the place `path`, all its alternatives."""
    here = [schema]
    for step in path:
        here = [inner for one in _alternatives(here, schema) for inner in _inner(one, step)]
    return list(_alternatives(here, schema))


def _inner(schema: Schema, step: str | int) -> Iterator[Schema]:
    if isinstance(step, int):
        first = schema.get("prefixItems", [])
        found = first[step] if step < len(first) else schema.get("items")
    else:
        any_key = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
        found = schema.get("properties", {}).get(step, next(filter(None, any_key), None))
    if isinstance(found, dict):
        yield found


def _alternatives(schemas: Iterable[Schema], whole: Schema) -> Iterator[Schema]:
    for schema in schemas:
        if "$ref" in schema:
            named = schema["$ref"].rpartition("/")[2]
            yield from _alternatives([whole.get("$defs", {}).get(named, {})], whole)
        elif several := [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]:
            yield from _alternatives(several, whole)
        else:
            yield schema
