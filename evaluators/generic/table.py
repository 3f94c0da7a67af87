"""`table: bench.csv`: numbers of a table in the quiz (CSV, TSV, JSON lines, Parquet), chosen by row and aggregated."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from pathlib import PurePath
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from basics.csv_source import header_name, read_records
from basics.errors import InputError, Problem, Undefined
from basics.messages import Message, plural, say, together
from basics.parquet_source import parquet_faults
from basics.suggestions import did_you_mean
from evaluators.evidence import Findings, Frozen, Inputs, Measurement, Quantity, QuizFile, Site
from evaluators.generic.offers import Named, Offer, Taking, needed, quantities
from evaluators.generic.running import TIMEOUT

SHOWN = 6
"""Rows or values that a message names."""
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
TRUTH = {"true": True, "false": False}
Cell = str | int | float | bool | None


class Ends(Frozen):
    """An interval that stands in the table beside its value.

    Attributes:
        low, high: the columns of its ends.
        n: the column that says of how many; else it is not known.
        over: what it is over, such as clips.
        undefined: the column that says why there is no value, where there is none.
    """

    low: str
    high: str
    n: str = ""
    over: str = ""
    undefined: str = ""


class Column(Offer):
    """A value of a table: a column, the rows that are meant, and what is made of them.

    Attributes:
        column: whose cells are taken; not needed to count rows.
        where: what other columns hold in the rows that are meant; a list gives alternatives.
        aggregate: `only` (exactly one row is meant), or what is made of all of them.
        interval: `bootstrap` gives a 95 % interval of a mean or median; or the columns that hold the value's own.
    """

    column: str = ""
    where: dict[str, bool | int | float | str | list[bool | int | float | str]] = Field(default={})
    aggregate: Literal["only", "mean", "median", "sum", "min", "max", "sd", "count"] = "only"
    interval: Literal["bootstrap"] | Ends | None = None

    @model_validator(mode="after")
    def _fits(self) -> Column:
        if not self.column and self.aggregate != "count":
            raise ValueError("name the column whose cells are taken")
        if self.interval == "bootstrap" and self.aggregate not in ("mean", "median"):
            raise ValueError(f"there is no bootstrap interval of `{self.aggregate}`, only of mean and median")
        if self.aggregate != "only" and isinstance(self.interval, Ends):
            raise ValueError(f"`{self.aggregate}` of several rows has no interval of its own in the table")
        if self.kind == "bool" and self.aggregate != "only":
            raise ValueError(f"`{self.aggregate}` gives a number, not a truth value")
        return self


class TableParameters(Frozen):
    """What a question asks of a table.

    Attributes:
        table: a file of the quiz: .csv, .tsv, .jsonl, .ndjson or .parquet.
        take: the values that are taken of it.
        source: `simulated` where its numbers come from a simulation, `saved` where others measured them.
    """

    table: QuizFile
    take: Named[Column]
    source: Literal["measured", "simulated", "saved"] = "measured"
    seed: int = 0


class Row(NamedTuple):
    """A row by its columns, and its number as an editor or spreadsheet shows it."""

    number: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Table:
    """Reads numbers out of a table."""

    name: ClassVar[str] = "table"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = TableParameters
    timeout: float = TIMEOUT

    def quantities(self, parameters: TableParameters) -> Iterable[Quantity]:
        """What is taken of the table."""
        return quantities(parameters.take)

    def inputs(self, parameters: TableParameters, site: Site) -> Inputs:  # noqa: ARG002 - the protocol's
        """The table is a parameter; the seed is that of the bootstrap."""
        drawn = any(column.interval == "bootstrap" for column in parameters.take.values())
        return Inputs(packages=("numpy", "scipy") if drawn else (), seed=parameters.seed if drawn else None)

    def measure(self, parameters: TableParameters, site: Site) -> Findings:
        """Read it. Raises InputError with every column that is not there and every cell that is no number."""
        rows = _rows(parameters.table, site)
        taking = Taking(parameters.source)
        found = [m for name, column in parameters.take.items() for m in _taken(name, column, rows, taking, parameters)]
        return Findings(taking.checked(found))


def _rows(name: str, site: Site) -> list[Row]:
    kind = PurePath(name).suffix.lower()
    if kind in (".csv", ".tsv"):
        return _csv(name, site)
    if kind in (".jsonl", ".ndjson"):
        return _json_lines(name, site)
    if kind == ".parquet":
        return _parquet(name, site)
    what = say("is a {suffix} file", suffix=kind or say("nameless kind of"))
    raise InputError(Problem(name, what, say("save it as .csv, .jsonl or .parquet")))


def _csv(name: str, site: Site) -> list[Row]:
    path = site.file(name)
    try:
        records = read_records(path)
    except InputError as error:
        raise InputError(Problem(p.where.replace(str(path), name), p.what, p.remedy) for p in error.problems) from error
    return [Row(int(record.where.rpartition(" ")[2]), record.cells) for record in records]


def _json_lines(name: str, site: Site) -> list[Row]:
    rows, problems = [], []
    text = site.file(name).read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.append(
                Problem(
                    f"{name} row {number}", say("is not JSON: {error}", error=error), say("mend or remove the line")
                )
            )
            continue
        if isinstance(cells, dict):
            rows.append(Row(number, {header_name(key): cell for key, cell in cells.items()}))
        else:
            what = say("holds a {type}, expected an object", type=type(cells).__name__)
            problems.append(Problem(f"{name} row {number}", what, say("write one object a line")))
    if problems:
        raise InputError(problems)
    return rows


def _parquet(name: str, site: Site) -> list[Row]:
    parquet = needed("pyarrow.parquet", "reading Parquet")
    with parquet_faults(name):
        content = parquet.read_table(site.file(name)).to_pylist()
    return [Row(i, {header_name(key): cell for key, cell in cells.items()}) for i, cells in enumerate(content, 1)]


def _taken(
    name: str, column: Column, rows: Sequence[Row], taking: Taking, parameters: TableParameters
) -> Iterator[Measurement]:
    table = parameters.table
    known = dict.fromkeys(key for row in rows for key in row.cells)
    ends = column.interval if isinstance(column.interval, Ends) else None
    read_from = (column.column, *((ends.low, ends.high, ends.n, ends.undefined) if ends else ()))
    wanted = {header_name(key): key for key in (*filter(None, read_from), *column.where)}
    if rows and (absent := [key for key, written in wanted.items() if key not in known]):
        for key in absent:
            taking.problems.append(
                Problem(
                    table,
                    say("{name}: there is no column {column!r}", name=name, column=wanted[key]),
                    did_you_mean(key, known),
                )
            )
        return
    meant = [row for row in rows if all(_matches(row.cells.get(header_name(k)), v) for k, v in column.where.items())]
    where = f"{table}, {_in_words(column)}"
    if column.aggregate == "count":
        yield from taking.take(name, {"value": len(meant), "n": len(rows)}, column, where)
        return
    if not meant:
        yield from taking.take(name, {"undefined": _none_matches(table, column, rows)}, column, where)
        return
    if column.aggregate == "only" and len(meant) > 1:
        what = say("{name}: {n} rows match, expected one ({rows})", name=name, n=len(meant), rows=_numbers(meant))
        remedy = say("narrow `where`, or say what is made of them: `aggregate: mean`")
        taking.problems.append(Problem(table, what, remedy))
        return
    if ends and (reason := str(meant[0].cells.get(header_name(ends.undefined)) or "").strip()):
        yield from taking.take(name, {"undefined": reason}, column, where)
        return
    read = _truth if column.kind == "bool" else _number
    values = [read(row.cells.get(header_name(column.column))) for row in meant]
    if bad := [row for row, value in zip(meant, values, strict=True) if value is None]:
        shown = ", ".join(repr(row.cells.get(header_name(column.column))) for row in bad[:SHOWN])
        what = say(
            "{name}: column {column!r} holds no {kind} in {rows}: {cells}",
            name=name,
            column=column.column,
            kind=say("truth value") if column.kind == "bool" else say("number"),
            rows=_numbers(bad),
            cells=shown,
        )
        remedy = say("correct these cells, or leave these rows out with `where`; none is skipped in silence")
        taking.problems.append(Problem(table, what, remedy))
        return
    said = _aggregated(column, values, parameters.seed)
    if ends:
        beside = {key: meant[0].cells.get(header_name(getattr(ends, key))) for key in ("low", "high", "n")}
        found = {key: _number(cell) for key, cell in beside.items()}
        if bad_ends := [getattr(ends, key) for key in ("low", "high") if found[key] is None]:
            what = say(
                "{name}: there is no number in {rows} under {columns}",
                name=name,
                rows=_numbers(meant),
                columns=together(bad_ends, say(" and ")),
            )
            taking.problems.append(Problem(table, what, say("correct the cell, or leave `interval` out")))
            return
        said |= {"low": found["low"], "high": found["high"], "over": ends.over, "n": found["n"]}
    yield from taking.take(name, said, column, where)


def _aggregated(column: Column, values: list[Any], seed: int) -> dict[str, Any]:
    from evaluators.resampling import bootstrap_interval

    if column.kind == "bool":
        return {"value": values[0], "n": 1}
    if column.aggregate == "sd" and len(values) < 2:
        return {"undefined": "one row has no standard deviation"}
    said = {"value": MADE[column.aggregate](values), "n": len(values)}
    if column.interval == "bootstrap":
        low = -float("inf") if column.at_least is None else column.at_least
        high = float("inf") if column.at_most is None else column.at_most
        statistic: Any = column.aggregate
        try:
            interval = bootstrap_interval(values, statistic, seed=seed, over="rows", within=(low, high))
        except Undefined as error:
            return {"undefined": f"its interval is undefined: {error.reason}"}
        said |= {"low": interval.low, "high": interval.high, "over": interval.over}
    return said


MADE: dict[str, Any] = {
    "only": lambda values: values[0],
    "mean": lambda values: fsum(values) / len(values),
    "median": statistics.median,
    "sum": fsum,
    "min": min,
    "max": max,
    "sd": statistics.stdev,
}


def _number(cell: Cell) -> float | int | None:
    """The number in a cell; None for anything else."""
    if isinstance(cell, str):
        text = cell.strip()
        if not NUMBER.fullmatch(text):
            return None
        cell = int(text) if text.lstrip("+-").isdecimal() else float(text)
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not isfinite(cell):
        return None
    return cell


def _truth(cell: Cell) -> bool | None:
    return TRUTH.get(cell.strip().lower()) if isinstance(cell, str) else cell if isinstance(cell, bool) else None


def _matches(cell: Cell, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(_matches(cell, one) for one in wanted)
    if isinstance(wanted, bool):
        return _truth(cell) is wanted
    if isinstance(wanted, int | float):
        return _number(cell) == wanted
    return (cell is None or isinstance(cell, str)) and (cell or "").strip() == str(wanted).strip()


def _none_matches(table: str, column: Column, rows: Sequence[Row]) -> str:
    if not rows:
        return f"{table} has no rows"
    asked = " and ".join(f"{key} = {_shown(value)}" for key, value in column.where.items())
    for key, value in column.where.items():
        there = [row.cells.get(header_name(key)) for row in rows]
        if not any(_matches(cell, value) for cell in there):
            seen = list(dict.fromkeys(str(cell) for cell in there))
            more = " …" if len(seen) > SHOWN else ""
            return f"no row of {table} has {asked}; {key} is one of: {', '.join(seen[:SHOWN])}{more}"
    return f"no row of {table} has {asked}"


def _in_words(column: Column) -> str:
    made = column.aggregate if column.aggregate == "count" else f"{column.aggregate} of {column.column}"
    asked = " and ".join(f"{key} = {_shown(value)}" for key, value in column.where.items())
    return (column.column if column.aggregate == "only" else made) + (f" where {asked}" if asked else "")


def _shown(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)


def _numbers(rows: Sequence[Row]) -> Message:
    shown = ", ".join(str(row.number) for row in rows[:SHOWN]) + (" …" if len(rows) > SHOWN else "")
    return plural("row {rows}", "rows {rows}", len(rows), rows=shown)
