"""Read the data files beside this module: facts about systems by property, and published figures by table.

Their formats are described in the files' own headers. Everything wrong with them is reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from basics.errors import InputError, Problem
from basics.yaml_source import Source, read, validate
from evaluators.evidence import Frozen
from evaluators.literature.cells import Entry, Metric, Property, Table

FOLDER = Path(__file__).resolve().parent
SYSTEMS = "systems.yaml"
FIGURES = "mimi_figures.yaml"
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
    properties = _models(Property, _read(folder / SYSTEMS, problems), problems)
    figures = _read(folder / FIGURES, problems)
    metrics = _models(Metric, figures, problems, "metrics")
    tables = _models(Table, figures, problems, "tables")
    for name, table in tables.items():
        assert figures is not None
        problems += [
            Problem(figures.where(("tables", name, *at)), fault, "correct the row")
            for at, fault in table.faults(name, metrics)
        ]
    if problems:
        raise InputError(problems)
    return _library(properties, metrics, tables)


def _library(properties: Mapping[str, Property], metrics: Mapping[str, Metric], tables: Mapping[str, Table]) -> Library:
    systems: dict[str, tuple[Entry, ...]] = {}
    for name, compared in properties.items():
        for system, entry in compared.entries(name):
            systems[system] = (*systems.get(system, ()), entry)
    by_table = {
        name: tuple(cell.entry(metrics[metric].quantity(label)) for _, metric, label, cell in table.figures(name))
        for name, table in tables.items()
    }
    return Library(systems, by_table)


def _read(path: Path, problems: list[Problem]) -> Source | None:
    """What a file says; None where it cannot be read, and why goes to `problems`."""
    try:
        return read(path, problems)
    except InputError as error:
        problems += error.problems
        return None


def _models(model: type[Model], source: Source | None, problems: list[Problem], *section: str) -> dict[str, Model]:
    """Each entry of a section as a `model`; what is wrong with the others goes to `problems`."""
    found: dict[str, Model] = {}
    if source is None:
        return found
    for name, raw in _entries(source, section, problems).items():
        try:
            found[name] = validate(model, source, raw, (*section, name))
        except InputError as error:
            problems += error.problems
    return found


def _entries(source: Source, section: tuple[str, ...], problems: list[Problem]) -> Mapping[str, Any]:
    data = source.data
    for step in section:
        data = data.get(step) if isinstance(data, dict) else None
    if isinstance(data, dict):
        return data
    what = f"{'.'.join(section) or 'the file'} holds no mapping of names to facts"
    problems.append(Problem(source.where(section), what, "see the format in the header of the file as released"))
    return {}
