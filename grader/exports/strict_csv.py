"""CSV as the LMS's importer reads it: Ruby's library, which refuses what Python's takes; nothing is not empty."""

from __future__ import annotations

import re
from collections.abc import Iterator

from basics.messages import say


class Malformed(Exception):
    """The importer's library raises here; the text says why and in which line."""


def strict_rows(text: str, separator: str, skip: re.Pattern[str] | None = None) -> Iterator[list[str | None]]:
    """The rows; a cell of nothing at all is None, one of two quotes an empty text. Lines that fit `skip` are left out.

    The first line end of the text is its line end; any other one may stand in quotes only.
    """
    end = next(iter(re.findall(r"\r\n|\n|\r", text)), "\n")
    at = 0
    while at < len(text):
        stop = text.find(end, at) % (len(text) + 1)  # the text's end where there is no line end any more
        if skip and skip.fullmatch(text, at, stop):
            at = stop + len(end)
            continue
        row, at = _row(text, at, separator, end)
        yield row


def _row(text: str, at: int, separator: str, end: str) -> tuple[list[str | None], int]:
    """The row that begins at `at`, and where the next one begins."""
    row: list[str | None] = []
    while True:
        cell, at = _quoted(text, at) if text[at : at + 1] == '"' else _plain(text, at, separator, end)
        row.append(cell)
        if text.startswith(separator, at):
            at += len(separator)
        elif at >= len(text):
            return row, at
        elif text.startswith(end, at):
            return row, at + len(end)
        else:
            raise Malformed(f"text follows a closing quote in line {_line(text, at)}")


def _quoted(text: str, at: int) -> tuple[str, int]:
    match = re.compile(r'"((?:[^"]|"")*)"').match(text, at)
    if match is None:
        raise Malformed(f"a quote is not closed that opens in line {_line(text, at)}")
    return match[1].replace('""', '"'), match.end()


def _plain(text: str, at: int, separator: str, end: str) -> tuple[str | None, int]:
    begin = at
    while at < len(text) and not text.startswith((separator, end), at):
        if text[at] in '"\r\n':
            what = (
                say("a quote stands in a cell without quotes") if text[at] == '"' else say("a line ends in another way")
            )
            raise Malformed(f"{what} in line {_line(text, at)}")
        at += 1
    return text[begin:at] or None, at


def _line(text: str, at: int) -> int:
    return len(re.findall(r"\r\n|\n|\r", text[:at])) + 1
