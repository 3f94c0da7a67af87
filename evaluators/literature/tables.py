"""Read the data files beside this module: facts about systems by property, and published figures by table.

Their formats are described in the files' own headers. Everything wrong with them is reported at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from basics.errors import InputError, Problem
from evaluators.evidence import Frozen
from evaluators.literature.cells import Entry, Metric, Property, Table

FOLDER = Path(__file__).resolve().parent
SYSTEMS = "systems.yaml"
FIGURES = "mimi_figures.yaml"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Model = TypeVar("Model", bound=Frozen)


@dataclass(frozen=True)
class Library:
    """All cited facts, by the name of the system or of the table."""

    systems: Mapping[str, tuple[Entry, ...]]
    tables: Mapping[str, tuple[Entry, ...]]


@cache
def load(folder: Path = FOLDER) -> Library:
    """Both files of `folder`. Raises InputError with every problem of both."""
    problems: list[Problem] = []
    properties = _models(Property, _read(folder / SYSTEMS, problems), SYSTEMS, problems)
    figures = _read(folder / FIGURES, problems)
    metrics = _models(Metric, _section(figures, "metrics", problems), FIGURES, problems)
    tables = _models(Table, _section(figures, "tables", problems), FIGURES, problems)
    for name, table in tables.items():
        problems += [Problem(f"{FIGURES}: {name}", fault, "correct the row") for fault in table.faults(name, metrics)]
    if problems:
        raise InputError(problems)
    return _library(properties, metrics, tables)


def _library(properties: Mapping[str, Property], metrics: Mapping[str, Metric], tables: Mapping[str, Table]) -> Library:
    systems: dict[str, tuple[Entry, ...]] = {}
    for name, compared in properties.items():
        for system, entry in compared.entries(name):
            systems[system] = (*systems.get(system, ()), entry)
    by_table = {
        name: tuple(cell.entry(metrics[metric].quantity(label)) for metric, label, cell in table.figures(name))
        for name, table in tables.items()
    }
    return Library(systems, by_table)


def _read(path: Path, problems: list[Problem]) -> dict[str, Any]:
    """The mapping that a file holds; adds repeated keys and broken YAML to `problems`."""
    loader = LOADER(path.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        problems += [
            Problem(f"{path.name}:{line}", f"{key!r} is given twice", "keep one of them") for key, line in repeats(node)
        ]
        data = loader.construct_document(node) if node else None
    except yaml.YAMLError as error:
        problems.append(Problem(path.name, f"is not valid YAML: {error}", "mend it there"))
        return {}
    finally:
        loader.dispose()
    if isinstance(data, dict):
        return data
    problems.append(Problem(path.name, "holds no mapping of names to facts", "see its format in docs/evaluators"))
    return {}


def repeats(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """(key, line from 1) of every key that its mapping already has: YAML itself would keep the last one silently."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from repeats(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from repeats(item)


def _section(data: Mapping[str, Any], name: str, problems: list[Problem]) -> dict[str, Any]:
    section = data.get(name)
    if isinstance(section, dict):
        return section
    problems.append(Problem(f"{FIGURES}: {name}", "is missing or no mapping", f"add `{name}:`"))
    return {}


def _models(model: type[Model], data: Mapping[str, Any], file: str, problems: list[Problem]) -> dict[str, Model]:
    """Each entry as a `model`; adds what is wrong with the others to `problems`."""
    found: dict[str, Model] = {}
    for name, raw in data.items():
        try:
            found[name] = model.model_validate_json(json.dumps(raw, default=str))
        except ValidationError as error:
            for fault in error.errors():
                where = ".".join(map(str, (name, *fault["loc"])))
                what = fault["msg"].removeprefix("Value error, ")
                problems.append(Problem(f"{file}: {where}", what, "correct the entry"))
    return found
