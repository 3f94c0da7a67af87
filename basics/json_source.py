"""JSON from files: bounded, without keys given twice, without numbers that are none."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from basics.errors import InputError, Problem
from basics.files import LARGEST, read_bytes
from basics.messages import said_by, say


def read_object(path: Path, *, most: int = LARGEST) -> dict[str, Any]:
    """The object in a JSON file. Raises InputError where it cannot be read or holds anything else."""
    try:
        return parsed_object(read_bytes(path, most=most))
    except ValueError as error:
        raise InputError(
            Problem(str(path), said_by(error), say("restore it from a backup, or make it anew"))
        ) from error


def parsed_object(content: bytes) -> dict[str, Any]:
    """The object in JSON text. Raises ValueError, also for a key that is given twice, NaN, and what nests too deep."""
    try:
        data = json.loads(content, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise ValueError(say("is not JSON that can be read: it nests too deep")) from None
    except ValueError as error:
        raise ValueError(say("is not JSON: {error}", error=error)) from error
    if not isinstance(data, dict):
        raise ValueError(say("holds a {type}, expected an object", type=type(data).__name__))
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(say("the key {key!r} is given twice", key=name))
    return data


def _no_number(name: str) -> NoReturn:
    raise ValueError(say("{literal} is no number", literal=name))
