"""Numbers as the LMS writes them: `I18n.n` has another decimal mark, and other groups of three, in each language.

Canvas writes two decimals and no groups; a spreadsheet in between may write both otherwise. `1,234` alone can be two
numbers: what else stands in the file decides which, or nobody does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from basics.messages import Message, say

MARKS = ".,\u066b"
SPACES = " \u00a0\u2009\u202f"
GROUPS = MARKS + SPACES + "'\u2019\u066c"
NUMBER = re.compile(
    rf"(-?)(?:(\d{{1,3}}(?:([{GROUPS}])\d{{3}})(?:\3\d{{3}})*)|(\d+))(?:([{MARKS}])(\d+))?", re.ASCII
)  # a sign, digits in groups or plain ones, and decimals
CERTAIN = re.compile(rf"-?(?:\d+|\d{{1,3}}(?:[{GROUPS}]\d{{3}})+)([{MARKS}])\d{{1,2}}", re.ASCII)
"""A number with one or two decimals: its last mark is the decimal one."""


def decimal_mark(cells: Iterable[str]) -> str:
    """The decimal mark of a file, or nothing if its numbers do not show it, or show two."""
    found = {match[1] for cell in cells if (match := CERTAIN.fullmatch(cell.strip()))}
    return found.pop() if len(found) == 1 else ""


def plain_number(text: str, mark: str = "") -> str | None:
    """`text` in plain digits with a decimal point, as many decimals as it has; None if it is no number for certain.

    `mark` is the file's decimal mark, where that is known.
    """
    match = NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    sign, grouped, group, digits, point, decimals = match.groups()
    if grouped is None:
        return f"{sign}{digits}" + (f".{decimals}" if point else "")
    if point == group:
        return None
    whole = grouped.replace(group, "")
    if not point and group in MARKS and grouped.count(group) == 1:  # 1,234
        if group == mark or grouped.startswith("0"):
            return f"{sign}{grouped.replace(group, '.')}"
        if not mark:
            return None
    return f"{sign}{whole}" + (f".{decimals}" if point else "")


def why_no_number(text: str) -> Message:
    """What is wrong with a text that `plain_number` does not read."""
    match = NUMBER.fullmatch(text.strip())
    if match and match[3] and not match[5]:
        whole, decimals = text.strip().split(match[3])
        return say("can be read as {whole}.{decimals} and as {whole}{decimals}", whole=whole, decimals=decimals)
    return say("is no number in the digits 0 to 9")
