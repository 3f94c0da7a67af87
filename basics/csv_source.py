"""CSV: read what strangers made, with an error for each way to be unreadable; write what spreadsheets will open.

Rows are read as RFC 4180 has them: a quoted cell ends at its closing quote, which a separator or the row's end follows.
A quote that is never closed would otherwise swallow rows without a word, down to the next quote or the file's end.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from basics.errors import InputError, Problem
from basics.files import read_bytes, reading
from basics.messages import Message, say, together

SEPARATORS = ",;\t"
HEAD_BYTES = 1 << 20
MOST_BYTES = 1 << 30
LONGEST_CELL = 1 << 20
MOST_COLUMNS, MOST_ROWS = 16_384, 1_048_576
"""What a spreadsheet can hold."""
TOO_WIDE = say("has more than {limit:,} cells, the most that a spreadsheet holds in a row", limit=MOST_COLUMNS)
TOO_LONG = say("is one more than the {limit:,} rows that a spreadsheet holds", limit=MOST_ROWS)
SPLIT = say("split the file; is it the one that is meant?")

CLOSE_QUOTES = say('close the quote; a quote that belongs to the text is written twice ("") in a cell in quotes')
MEND_SEPARATORS = say("quote cells that contain a separator; leave none out, a blank cell keeps its separator")


@dataclass(frozen=True)
class Table:
    """A CSV file that is known to be readable at its beginning: its header and its separator."""

    path: Path
    header: tuple[str, ...]
    separator: str

    def where(self, row: int, column: int | None = None) -> str:
        """`class.csv row 3, column H`, as a spreadsheet shows it (columns from 0 here)."""
        place = f"{self.path.name} row {row}"
        return place if column is None else f"{place}, column {column_name(column)}"

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Number (the header is 1) and cells of each row that is not blank. Raises InputError on unreadable text."""
        with _unreadable(self.path), _reading(self.path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            rows = _rows(text, self.separator, self.path)
            next(rows)
            yield from ((number, row) for number, row in rows if any(row))


@dataclass(frozen=True)
class Record:
    """One row by the names of its columns (as `header_name` gives them); `where` names it for messages.

    White space around a cell is gone.
    """

    where: str
    cells: Mapping[str, str]

    def text(self, *columns: str) -> str:
        """The first of these columns that is there and not blank, or an empty text."""
        return next((cell for column in columns if (cell := self.cells.get(column))), "")


def open_table(path: Path, recognises: Callable[[tuple[str, ...]], bool]) -> Table:
    """The table in `path`, with the separator under which `recognises` accepts its header (else a comma).

    Raises InputError for a missing or empty file, a directory, and anything but UTF-8 (with or without BOM).
    """
    with _unreadable(path):
        with _reading(path) as file:
            head = file.read(HEAD_BYTES)
        text = _decoded(head, path)
        if not text.strip():
            raise InputError(Problem(path.name, say("is empty"), say("export the file again")))
        headers = [(_header(text, separator, path), separator) for separator in SEPARATORS]
    is_it = (h for h in headers if not isinstance(h[0], InputError) and recognises(h[0]))
    header, separator = next(is_it, headers[0])
    if isinstance(header, InputError):
        raise header
    return Table(path, header, separator)


def read_records(path: Path, required: Sequence[Sequence[str]] = (), *, most: int | None = None) -> list[Record]:
    """The rows of a CSV whose columns are known by name; of each group in `required`, one column must be there.

    Raises InputError with every column that is missing, nameless or there twice, else with every row that has more or
    fewer cells than the header; and for more rows than `most`, before they are read.
    """
    table = open_table(path, lambda header: all(set(group) & set(map(header_name, header)) for group in required))
    names = [header_name(cell) for cell in table.header]
    if problems := [*_missing(table, names, required), *_ambiguous(table, names)]:
        raise InputError(problems)
    rows = list(islice(table.rows(), None if most is None else most + 1))
    if most is not None and len(rows) > most:
        raise InputError(
            Problem(str(path), say("has more than {limit:,} rows", limit=most), say("cut it into several files"))
        )
    if problems := [
        Problem(
            f"{path} row {number}",
            say("has {n} cells, the header has {width}", n=len(row), width=len(names)),
            MEND_SEPARATORS,
        )
        for number, row in rows
        if len(row) != len(names)
    ]:
        raise InputError(problems)
    return [Record(f"{path} row {number}", dict(zip(names, map(str.strip, row), strict=True))) for number, row in rows]


def csv_text(rows: Iterable[Iterable[object]], *, bom: bool = False, line_end: str = "\r\n") -> str:
    """CSV with line ends as RFC 4180 wants them, unless told otherwise; cells are written as they are."""
    text = io.StringIO(newline="")
    write_rows(text, rows, line_end=line_end)
    return ("\ufeff" if bom else "") + text.getvalue()


def write_rows(file: IO[str], rows: Iterable[Iterable[object]], *, line_end: str = "\r\n") -> None:
    """As `csv_text`, row by row into an open file: a table of any length takes the memory of one row."""
    csv.writer(file, lineterminator=line_end).writerows(rows)


def column_name(index: int) -> str:
    """A spreadsheet's name of the column with this index (from 0): A … Z, AA …"""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def header_name(cell: str) -> str:
    """A header as it is compared: lower case, single spaces, composed accents."""
    return unicodedata.normalize("NFC", " ".join(cell.split()).casefold())


def _decoded(head: bytes, path: Path) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(Problem(path.name, say("is UTF-16, expected UTF-8"), say("save it as 'CSV UTF-8'")))
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) == HEAD_BYTES and error.start > HEAD_BYTES - 4:
            return head[: error.start].decode("utf-8-sig")
        raise


def _header(text: str, separator: str, path: Path) -> tuple[str, ...] | InputError:
    """The first row under this separator, or why there is none."""
    try:
        return tuple(next(_rows(io.StringIO(text, newline=""), separator, path))[1])
    except InputError as error:
        return error


def _rows(lines: Iterable[str], separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number (from 1) and cells of every row. Raises InputError naming the row in which a fault began."""
    number = 0
    try:
        for number, row in enumerate(csv.reader(_text(lines), delimiter=separator, strict=True), start=1):
            if len(row) > MOST_COLUMNS:
                raise InputError(Problem(f"{path.name} row {number}", TOO_WIDE, SPLIT))
            if number > MOST_ROWS:
                raise InputError(Problem(f"{path.name} row {number}", TOO_LONG, SPLIT))
            yield number, row
    except csv.Error as error:
        raise InputError(Problem(f"{path.name} row {number + 1}", *_fault(str(error)))) from error


def _text(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise csv.Error("a NUL character")
        yield line


def _fault(message: str) -> tuple[Message, Message]:
    """What is wrong and what to do, by the message of the csv module."""
    if message == "unexpected end of data":
        return say('a cell opens with a quote (") that is not closed before the file ends'), CLOSE_QUOTES
    if "expected after" in message:
        return say('a cell opens with a quote (") that is not closed, or text follows where it is closed'), CLOSE_QUOTES
    if "field limit" in message:
        return say("a cell is longer than {limit:,} characters", limit=LONGEST_CELL), CLOSE_QUOTES
    return say("is not CSV: {error}", error=message), say("export the file again")


def _missing(table: Table, names: Sequence[str], required: Sequence[Sequence[str]]) -> list[Problem]:
    known = ", ".join(filter(None, table.header)) or say("none")
    return [
        Problem(
            str(table.path),
            say("has no column {column}, only {known}", column=together(group, say(" or ")), known=known),
            say("add it"),
        )
        for group in required
        if not set(group) & set(names)
    ]


def _ambiguous(table: Table, names: Sequence[str]) -> Iterator[Problem]:
    for i, name in enumerate(names):
        where = f"{table.path} row 1, column {column_name(i)}"
        if not name:
            yield Problem(where, say("has no name"), say("name the column, or remove it"))
        elif name in names[:i]:
            yield Problem(where, say("the column {name!r} stands there twice", name=name), say("keep one"))


@contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    """Turns what can go wrong while reading into one clear problem."""
    limit = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    except UnicodeDecodeError as error:
        raise InputError(_not_utf8(path)) from error
    finally:
        csv.field_size_limit(limit)


def _reading(path: Path) -> AbstractContextManager[io.BufferedReader]:
    return reading(path, most=MOST_BYTES)


def _not_utf8(path: Path) -> Problem:
    """Where the first byte stands that is no UTF-8: known only from the whole file, which is read in pieces else."""
    content = read_bytes(path, most=MOST_BYTES)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = say(
            "is not UTF-8 (byte 0x{byte:02x} cannot be read; perhaps Big5 or Latin-1)", byte=content[error.start]
        )
        return Problem(f"{path.name} line {line}", what, say("save it as 'CSV UTF-8'"))
    return Problem(path.name, say("changed while it was read"), say("read it again"))
