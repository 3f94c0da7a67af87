"""What the readers of rows share: times and numbers by their text, cells, students twice, cells to leave out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from basics.csv_source import Table
from basics.errors import Problem
from basics.messages import Message, said_by, say
from basics.moments import in_range
from grader.submissions.cells import CellDecoder, CellError
from grader.submissions.class_file import ClassFile
from grader.submissions.model import Chosen, Submission

MOST_PROBLEMS = 200
"""A file of another quiz would otherwise be reported in millions of lines."""


LONGEST_COUNT = 9
NO_ATTEMPT = say("is not the number of an attempt: {text!r}", text="")


class Numbers(dict[str, float | None]):
    """Numbers by their text, None for what is none; equal texts share one object, a million rows stay small."""

    def __missing__(self, text: str) -> float | None:
        self[text] = float(text) if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]+)?([eE]-?[0-9]{1,2})?", text) else None
        return self[text]


class Moments(dict[str, datetime | None]):
    """Times by their text, likewise. Raises ValueError like `parse_moment`."""

    def __missing__(self, text: str) -> datetime | None:
        self[text] = parse_moment(text)
        return self[text]


def read_cell(decoder: CellDecoder, cell: str) -> Chosen | Message:
    """The ticked options, or what is wrong with the cell."""
    try:
        return decoder.decode(cell)
    except CellError as error:
        return said_by(error)


def parse_moment(text: str) -> datetime | None:
    """A time with its zone as an aware time in UTC; None for an empty cell.

    The zone is written once: ` UTC` as Canvas has it, `Z`, or an offset such as `+08:00` or `+0800`. Raises ValueError
    for a time without a zone, or with two, and for a year of no class.
    """
    if not text:
        return None
    moment = in_range(datetime.fromisoformat(text.removesuffix(" UTC")))
    if (moment.tzinfo is not None) == text.endswith(" UTC"):
        raise ValueError(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def count_of(text: str) -> int | None:
    """The count in a cell, such as the number of an attempt; None where it is none."""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_COUNT else None


def repeated_students(table: Table, submissions: Sequence[Submission]) -> list[Problem]:
    """Rows that give one student the same attempt twice, or one student two LMS numbers."""
    first: dict[tuple[str, int | None], Submission] = {}
    lms: dict[str, Submission] = {}
    problems = []
    for submission in submissions:
        if not submission.student_id:
            continue
        earlier = first.setdefault((submission.student_id, submission.attempt), submission)
        if earlier is not submission:
            student, row = submission.student_id, earlier.row
            what = say("student {student} stands in row {row} already", student=student, row=row)
            if submission.attempt is not None:
                what = say(
                    "student {student}, attempt {attempt}, stands in row {row} already",
                    student=student,
                    attempt=submission.attempt,
                    row=row,
                )
            remedy = say(
                "remove one, or skip {{row: {row}, cell: student, reason: …}} in the class file", row=submission.row
            )
            problems.append(Problem(table.where(submission.row), what, remedy))
        known = lms.setdefault(submission.student_id, submission)
        if known.lms_id != submission.lms_id:
            what = say(
                "student {student} has id {lms_id} here and {other_id} in row {row}",
                student=submission.student_id,
                lms_id=submission.lms_id,
                other_id=known.lms_id,
                row=known.row,
            )
            problems.append(Problem(table.where(submission.row), what, say("find out which account is meant")))
    return problems


Row = int | Literal["all"]


class Skipper:
    """The class file's `skip` applied to one file. `told` says in words what was left out."""

    def __init__(self, class_file: ClassFile, file: str) -> None:
        self.file = file
        self.told: list[str] = []
        self.rows = frozenset(entry.row for entry in class_file.skip)
        self._waiting = {(entry.row, entry.cell): entry.reason for entry in class_file.skip}
        self._done: set[tuple[Row, str]] = set()

    def __call__(self, row: Row, cell: str) -> bool:
        """Whether this cell is to be left out."""
        if row not in self.rows or (row, cell) not in self._waiting:
            return False
        if (row, cell) not in self._done:
            self._done.add((row, cell))
            self.told.append(f"{self.file} row {row}, {cell}: {self._waiting[row, cell]}")
        return True

    def unused(self) -> list[Problem]:
        """A problem for each entry that fits no cell of the file: it was written for another one, or mistyped."""
        return [
            Problem(
                f"class file, skip row {row}, {cell}",
                say("fits nothing in {file}", file=self.file),
                say("correct or remove the entry"),
            )
            for row, cell in self._waiting
            if (row, cell) not in self._done
        ]
