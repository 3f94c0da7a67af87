"""Strict YAML with line numbers: what a spec file says, and where it says it.

PyYAML reads `1e-3` as text, `012` as 10, `1:30` as 90, `no` as False and keeps the last of two equal keys. This reader
takes YAML 1.2's core scalars (true/false, decimal integers, floats, null), leaves everything else text, and refuses
duplicate keys. `validate` turns the errors of a pydantic model into problems that name file and line, all at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from basics.errors import InputError, Problem, opening
from basics.model_faults import Path_ as Path_
from basics.model_faults import faults_of

Model = TypeVar("Model", bound=BaseModel)
QUOTED = ("'", '"', "|", ">")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SCALARS: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"(null|~|)"), lambda _: None),
    (re.compile(r"(true|false)"), lambda text: text == "true"),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), int),
    (re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)


@dataclass(frozen=True)
class Source:
    """Parsed YAML: `data`, and the line (from 1) of every key and item by its path."""

    path: Path
    data: Any
    lines: Mapping[Path_, int]

    def where(self, path: Path_ = ()) -> str:
        """`file:line` of the deepest part of `path` that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.path.name}:{self.lines.get(path, 1)}"


def read_text(path: Path) -> str:
    """The text of a UTF-8 file. Raises InputError for a missing file, a directory, or another encoding."""
    try:
        with opening(path):
            return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start} cannot be read)"
        raise InputError(Problem(str(path), what, "save the file as UTF-8")) from error


def read(path: Path, repeated: list[Problem] | None = None) -> Source:
    """Parse one YAML document. Raises InputError on broken YAML, duplicate keys, an empty file.

    Duplicate keys go to `repeated` instead, where it is given, to be told together with what else is found.
    """
    text = read_text(path)
    try:
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = f"is not valid YAML: {error.problem or error.context}"
        raise InputError(Problem(f"{path.name}:{line}", what, "mend the indentation or the quotes there")) from error
    except yaml.YAMLError as error:
        raise InputError(Problem(path.name, f"is not valid YAML: {error}", "save it as plain UTF-8 text")) from error
    if node is None:
        raise InputError(Problem(path.name, "is empty", "write the spec, or remove the file"))
    builder = _Builder(path)
    data = builder.build(node, ())
    if repeated is not None:
        repeated += builder.problems
    elif builder.problems:
        raise InputError(builder.problems)
    return Source(path, data, builder.lines)


class _Builder:
    """Turns YAML nodes into plain data, remembering lines and collecting problems."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Path_, int] = {}
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node, path: Path_) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return scalar(node)

    def mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in result:
                first = self.lines[(*path, key)]
                what = f"key {key!r} is given twice, first in line {first}"
                self.problems.append(Problem(f"{self.path.name}:{line}", what, "keep one of them"))
                continue
            self.lines[(*path, key)] = line
            result[key] = self.build(value_node, (*path, key))
        return result


def scalar(node: yaml.ScalarNode) -> Any:
    """The value of a scalar node under YAML 1.2's core schema; quoted and block text stays text."""
    if node.style in QUOTED:
        return node.value
    for pattern, convert in SCALARS:
        if pattern.fullmatch(node.value):
            return convert(node.value)
    return node.value


def validate(model: type[Model], source: Source, data: Any = ..., at: Path_ = (), beside: Iterable[str] = ()) -> Model:
    """`data`, which stands at `at` (default: all of `source`), as a `model`.

    `beside` are keys there that are known and no part of the model. Raises InputError with every problem by file and
    line.
    """
    given = source.data if data is ... else data
    text = json.dumps(given)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        faults = faults_of(error, model, given, source.lines, at=at, beside=beside)
        raise InputError(Problem(source.where(fault.path), fault.what, fault.remedy) for fault in faults) from error
