"""Read CSV files that strangers made: encoding, separator, rows, and an error for each way to be unreadable."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from basics.errors import InputError, Problem, opening

SEPARATORS = ",;\t"
HEAD_BYTES = 1 << 20
LONGEST_CELL = 1 << 24


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
        with _unreadable(self.path), self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=self.separator)
            next(reader)
            for number, row in enumerate(reader, start=2):
                if row and any(row):
                    yield number, row


def open_table(path: Path, recognises: Callable[[tuple[str, ...]], bool]) -> Table:
    """The table in `path`, with the separator under which `recognises` accepts its header (else a comma).

    Raises InputError for a missing or empty file, a directory, and anything but UTF-8 (with or without BOM).
    """
    with _unreadable(path):
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        text = _decoded(head, path)
        if not text.strip():
            raise InputError(Problem(path.name, "is empty", "export the file again"))
        headers = [(tuple(next(csv.reader(io.StringIO(text), delimiter=s))), s) for s in SEPARATORS]
    header, separator = next((h for h in headers if recognises(h[0])), headers[0])
    return Table(path, header, separator)


def column_name(index: int) -> str:
    """A spreadsheet's name of the column with this index (from 0): A … Z, AA …"""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def header_name(cell: str) -> str:
    """A header as it is compared: lower case, single spaces."""
    return " ".join(cell.split()).casefold()


def _decoded(head: bytes, path: Path) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(Problem(path.name, "is UTF-16, expected UTF-8", "save it as 'CSV UTF-8'"))
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) == HEAD_BYTES and error.start > HEAD_BYTES - 4:
            return head[: error.start].decode("utf-8-sig")
        raise


@contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    """Turns what can go wrong while reading into one clear problem."""
    limit = csv.field_size_limit(LONGEST_CELL)
    try:
        with opening(path):
            yield
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte 0x{error.object[error.start]:02x} cannot be read; perhaps Big5 or Latin-1)"
        raise InputError(Problem(path.name, what, "save it as 'CSV UTF-8'")) from error
    except csv.Error as error:
        raise InputError(Problem(path.name, f"is not CSV: {error}", "export the file again")) from error
    finally:
        csv.field_size_limit(limit)
