"""What a grade hangs on and a file may lack: the time of a submission, the number of an attempt.

Such a gap is refused, or confirmed once in the class file with a reason, which then stands in the notes of the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from basics.errors import Problem
from basics.listing import first_few
from basics.messages import Message, plural, say

WORDS = {"submitted": say("time of submission"), "attempt": say("number of the attempt")}
KEYS = {"submitted": "no_times", "attempt": "no_attempts"}
ROWS_SHOWN = 10
UNTIMED = say("a submission without one is taken to be in time")


@dataclass
class Critical:
    """One such column while a file is read: which rows have something there, and which have not."""

    column: Literal["submitted", "attempt"]
    reason: str | None
    empty: list[int] = field(default_factory=list)
    filled: int = 0

    def saw(self, row: int, text: str) -> None:
        """Notes what this row holds."""
        if text:
            self.filled += 1
        else:
            self.empty.append(row)

    def problems(self, file: str, *, may_lack: bool) -> Iterator[Problem]:
        """Rows without a value that nobody confirmed, and a confirmation of what is not the case.

        A file that `may_lack` the column may have no value at all; some rows without one are a gap in any file.
        """
        key, word = KEYS[self.column], WORDS[self.column]
        if self.reason is not None:
            if self.filled and not self.empty:
                what = say("fits nothing: every submission of {file} has a {field}", file=file, field=word)
                yield Problem(f"class file, {key}", what, say("remove it"))
            return
        if self.empty and (self.filled or not may_lack):
            what = say(
                "has no {field} (`{column}`) in {rows}",
                field=word,
                column=self.column,
                rows=rows_in_words(self.empty),
            )
            remedy = say(
                "export or complete it, skip the cell or row, or confirm it once in the class file: {key}: reason",
                key=key,
            )
            yield Problem(file, what, remedy)

    def notes(self, consequence: Message) -> Iterator[Message]:
        """What the file lacks, what follows, and why that was confirmed."""
        if not self.empty:
            return
        rows = say("in {rows}", rows=rows_in_words(self.empty)) if self.filled else say("in the whole file")
        told = say("no {field} {rows}: {consequence}", field=WORDS[self.column], rows=rows, consequence=consequence)
        yield say("{note} (confirmed: {reason})", note=told, reason=self.reason) if self.reason else told


def rows_in_words(rows: list[int]) -> Message:
    """`row 3`, `rows 3, 5, 9`, and of many the first ones and their number."""
    return plural("row {rows}", "rows {rows}", len(rows), rows=first_few(map(str, rows), ROWS_SHOWN))
