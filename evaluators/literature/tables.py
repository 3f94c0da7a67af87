"""Cited facts as types, and the data files beside this module that hold them: by property, and by published table.

Their formats are described in the files' own headers. Everything wrong with them is reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import Field, model_validator

from basics.errors import InputError, Problem
from basics.messages import Message, say
from basics.yaml_source import Source, read, validate
from evaluators.evidence import Checked, Confirmed, Frozen, Interval, Measurement, Quantity, Value

Words = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]

ALONE = "known of this system alone"
"""What is said of a property that nothing stands beside to compare it with."""


class Entry(NamedTuple):
    """One fact in both forms: what may be asked for, and what is known."""

    quantity: Quantity
    measurement: Measurement

    def looked_up(self, confirmed: Confirmed | None) -> Measurement:
        """The fact as it stands after somebody looked it up, with the value that was found."""
        if confirmed is None:
            return self.measurement
        note = f"looked up by {confirmed.by} on {confirmed.when}: “{confirmed.quote}”"
        return Measurement(
            name=self.quantity.name,
            value=confirmed.value,
            unit=self.quantity.unit,
            source="published",
            locator=confirmed.locator,
            checked="read",
            note=note,
        )


SECTION = re.compile(r"§|Table|Fig|Eq\.|Abstract")
FILE = re.compile(r"[\w.()-]+\.(?:py|md|jsx|csv|json|png|rst)\b")


def unplaced(locator: str, read_at: str, checked: Checked) -> str:
    """What is missing from a fact that is said to be read: the place where it stands; empty if nothing is.

    A place in a file has to be one of a file that the locator names.
    """
    if checked == "read" and not read_at and not SECTION.search(locator):
        return "is said to be read, and neither its locator nor `read_at` says where it stands"
    folders = locator.count("/pages@")  # a folder of files is named as a whole
    if strange := [name for name in FILE.findall(read_at) if name not in locator and not folders]:
        return f"was read at {strange[0]}, which its locator does not name"
    return ""


class Cell(Frozen):
    """One cited fact: a value, or the reason why there is none; `read_at` says where inside the source it stands."""

    value: Value | None = None
    undefined: Words | None = None
    locator: Words
    read_at: str = ""
    checked: Checked
    n: Count | None = None
    interval: Interval | None = None
    note: str = ""

    @model_validator(mode="after")
    def _placed(self) -> Cell:
        if fault := unplaced(self.locator, self.read_at, self.checked):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _value_or_reason(self) -> Cell:
        if (self.value is None) == (self.undefined is None):
            raise ValueError("give a value or the reason why it is undefined, and not both")
        return self

    def entry(self, quantity: Quantity) -> Entry:
        """This cell as a published measurement of `quantity`."""
        cited = self.model_dump(exclude={"interval", "locator", "read_at"})
        found = Measurement(
            name=quantity.name,
            unit=quantity.unit,
            source="published",
            interval=self.interval,
            locator="; read at ".join(filter(None, (self.locator, self.read_at))),
            **cited,
        )
        return Entry(quantity, found)


class Metric(Frozen):
    """Unit and theoretical bounds of a published figure."""

    about: Words
    unit: Words
    low: float | None = None
    high: float | None = None

    def quantity(self, name: str) -> Quantity:
        return Quantity(name=name, unit=self.unit, low=self.low, high=self.high, about=self.about)

    def fault_of(self, value: Value | None) -> str:
        """What keeps `value` from being a figure of this metric; empty if nothing does."""
        if value is None:
            return ""
        if isinstance(value, bool | str):
            return f"{value!r} is not a number"
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            return f"{value:g} lies outside [{self.low}, {self.high}]"
        return ""


class Property(Frozen):
    """What systems are compared by: a number in a unit, or one of a few words."""

    about: Words
    unit: Words | None = None
    low: float | None = None
    high: float | None = None
    one_of: tuple[Words, ...] | None = None
    systems: Annotated[dict[str, Cell], Field(min_length=1)]

    @model_validator(mode="after")
    def _values_fit(self) -> Property:
        if (self.unit is None) == (self.one_of is None):
            raise ValueError("give a unit (numbers) or one_of (words), and not both")
        if faults := [f"{name}: {fault}" for name, cell in self.systems.items() if (fault := self._fault_of(cell))]:
            raise ValueError("; ".join(faults))
        return self

    def _fault_of(self, cell: Cell) -> str:
        if self.one_of is None:
            return self._metric().fault_of(cell.value)
        known = cell.value is None or cell.value in self.one_of
        return "" if known else f"{cell.value!r} is none of {', '.join(self.one_of)}"

    def _metric(self) -> Metric:
        return Metric(about=self.about, unit=self.unit or "-", low=self.low, high=self.high)

    def entries(self, name: str) -> Iterator[tuple[str, Entry]]:
        """(system, fact) for each cell; the measurement is called `<system>.<name>`."""
        about = self.about if len(self.systems) > 1 else f"{self.about} ({ALONE})"
        for system, cell in self.systems.items():
            label = f"{system}.{name}"
            words = Quantity(name=label, kind="text", one_of=self.one_of or (), about=about)
            counted = self._metric().model_copy(update={"about": about})
            yield system, cell.entry(words if self.one_of else counted.quantity(label))


class Row(Frozen):
    """Figures of one codec on one kind of sound."""

    codec: Words
    codebooks: Annotated[int, Field(ge=1)] | None = None
    sound: Words | None = None
    set: str = ""
    n: Count | None = None
    interval: Interval | None = None
    figures: Annotated[dict[str, float], Field(min_length=1)]
    read_at: str = ""
    note: str = ""


class Table(Frozen):
    """Figures from one source (`rows`), or single figures with a source each (`cells`)."""

    about: Words
    locator: Words | None = None
    read_at: str = ""
    checked: Checked | None = None
    rows: tuple[Row, ...] = ()
    cells: dict[str, Cell] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _located(self) -> Table:
        if self.rows and (self.locator is None or self.checked is None):
            raise ValueError("a table with rows needs a locator and `checked`")
        if not self.rows and not self.cells:
            raise ValueError("holds neither rows nor cells")
        places = (
            (row, unplaced(self.locator or "", self._place(row), self.checked or "recalled")) for row in self.rows
        )
        if faults := [f"{row.codec} {', '.join(row.figures)} {fault}" for row, fault in places if fault]:
            raise ValueError("; ".join(faults))
        return self

    def _place(self, row: Row) -> str:
        return row.read_at or self.read_at

    def figures(self, name: str) -> Iterator[tuple[tuple[str | int, ...], str, str, Cell]]:
        """(place in the table, metric, measurement name, cell) of each figure; the names: see mimi_figures.yaml."""
        for i, row in enumerate(self.rows):
            suffix = [step for step in (row.sound, f"q{row.codebooks}" if row.codebooks else None) if step]
            locator = "; ".join(step for step in (self.locator, row.set) if step)
            for metric, value in row.figures.items():
                cell = Cell(
                    value=value,
                    locator=locator,
                    read_at=self._place(row),
                    checked=self.checked or "recalled",
                    n=row.n,
                    interval=row.interval,
                    note=row.note,
                )
                yield ("rows", i, "figures", metric), metric, ".".join([name, row.codec, metric, *suffix]), cell
        for label, cell in self.cells.items():
            metric, _, sounds = label.partition(".")
            yield ("cells", label), f"{metric}_difference" if "_minus_" in sounds else metric, label, cell

    def faults(self, name: str, metrics: Mapping[str, Metric]) -> Iterator[tuple[tuple[str | int, ...], Message]]:
        """(place in the table, fault) of figures of unknown metrics, outside their bounds, or given twice."""
        seen: set[str] = set()
        for at, metric, label, cell in self.figures(name):
            if metric not in metrics:
                yield at, say("{label}: {metric} is not among the metrics", label=label, metric=metric)
            elif fault := metrics[metric].fault_of(cell.value):
                yield at, say("{label}: {fault}", label=label, fault=fault)
            if label in seen:
                yield at, say("{label} is given twice", label=label)
            seen.add(label)


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
            Problem(figures.where(("tables", name, *at)), fault, say("correct the row"))
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
    what = say("{section} holds no mapping of names to facts", section=".".join(section) or say("the file"))
    problems.append(Problem(source.where(section), what, say("see the format in the header of the file as released")))
    return {}
