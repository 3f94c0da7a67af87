"""A student's line in `result.json`, put together from parts that are worked out once: a class repeats itself.

A million lines through `json.dumps` would take longer than grading them. `scores.csv` has a line for each, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TypeVar

from basics.csv_source import write_rows
from basics.files import writing_text
from grader.marking.grading import Grades, StudentRecord
from grader.marking.regulations import UNCHANGED
from grader.marking.scoring import rounded
from grader.submissions.model import Chosen, Submission


class Points(dict[int | None, str]):
    """Rounded points by units of the scorer, each number rounded once; empty for None."""

    def __init__(self, grades: Grades) -> None:
        super().__init__({None: ""})
        self.grades = grades

    def __missing__(self, units: int) -> str:
        self[units] = rounded(self.grades.scorer.fraction(units))
        return self[units]

    def total(self, record: StudentRecord) -> str:
        """The total after adjustments, rounded once from the exact sum."""
        if record.decision.factor is UNCHANGED and record.held is None:
            return self[record.earned]
        return rounded(self.grades.total(record))


Key = TypeVar("Key")


class Memo(dict[Key, str]):
    """What `make` gives for a key, made once."""

    def __init__(self, make: Callable[[Key], str]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, key: Key) -> str:
        self[key] = self.make(key)
        return self[key]


class StudentLines:
    """Writes lines of JSON: id, name, attempts with their answers, the one kept, points, total, adjustments.

    Entries that are empty or as usual are left out.
    """

    def __init__(self, grades: Grades) -> None:
        self.grades = grades
        self.points = Points(grades)
        self._quoted = Memo[int | None](lambda units: "null" if units is None else f'"{self.points[units]}"')
        self._exact = Memo[int | Fraction](lambda units: str(grades.scorer.fraction(units)))
        self._letters = Memo[Chosen | None](lambda chosen: "null" if chosen is None else f'"{letters(chosen)}"')
        self._moments = Memo[datetime](lambda moment: f'"{moment.isoformat()}"')

    def line(self, record: StudentRecord) -> str:
        """The student's line, without a line end."""
        kept, decision = record.decision.kept, record.decision
        attempts = record.attempts
        first = attempts[0]
        parts = [f'{{"id":{quoted(first.student_id)}']
        if first.name:
            parts.append(f'"name":{quoted(first.name)}')
        if first.section:
            parts.append(f'"section":{quoted(first.section)}')
        if first.lms_id:
            parts.append(f'"lms_id":{quoted(first.lms_id)}')
        parts.append(f'"attempts":[{",".join(map(self._attempt, attempts))}]')
        parts.append('"kept":null' if kept is None else f'"kept":{attempts.index(kept)}')
        parts.append(f'"points":[{",".join(map(self._quoted.__getitem__, record.units))}]')
        parts.append(f'"total":"{self.points.total(record)}","exact":"{self._exact[self.grades.total_units(record)]}"')
        if decision.final_factor is not UNCHANGED:
            parts.append(f'"final_factor":"{decision.final_factor}"')
        if decision.final_grade:
            parts.append(f'"final_grade":{quoted(decision.final_grade)}')
        if decision.adjustments:
            parts.append(f'"adjustments":{text([{"rule": a.rule, "detail": a.detail} for a in decision.adjustments])}')
        return ",".join(parts) + "}"

    def _attempt(self, attempt: Submission) -> str:
        answers = ",".join(map(self._letters.__getitem__, attempt.chosen))
        number = "" if attempt.attempt is None else f',"attempt":{attempt.attempt}'
        moment = "" if attempt.submitted is None else f',"submitted":{self._moments[attempt.submitted]}'
        return f'{{"answers":[{answers}]{number}{moment}}}'


quoted = json.JSONEncoder(ensure_ascii=False).encode
"""A text as JSON, without the detour that `json.dumps` takes for its arguments."""


def text(value: object) -> str:
    """`value` as JSON with its Chinese left readable."""
    return json.dumps(value, ensure_ascii=False)


def letters(chosen: Chosen) -> str:
    """The ticked letters in order, `BD`."""
    return "".join(sorted(chosen))


SCORES = "scores.csv"
DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""First characters that make Excel, LibreOffice or Google Sheets evaluate a cell (OWASP, "CSV Injection")."""


def harmless(cell: str) -> str:
    """The cell with an apostrophe before a first character that would make it a formula."""
    return "'" + cell if cell.startswith(DANGEROUS) else cell


def write_scores(path: Path, grades: Grades) -> None:
    """`student_id, name, section, q01 … qNN, total, status`, points in percent points.

    A cell is empty where nothing could be graded. `status` is `graded`, `late` (no attempt counts) or, in the rows that
    the class file asks for by `no_submission`, `no submission`.
    """
    points = Points(grades)
    questions = [question.id for question in grades.scorer.book.questions]
    header = ["student_id", "name", "section", *questions, "total", "status"]
    rows = (
        [
            harmless(record.student_id),
            harmless(record.name),
            harmless(record.section),
            *map(points.__getitem__, record.units),
            points.total(record),
            "graded" if record.decision.kept else "late",
        ]
        for record in grades.records
    )
    with writing_text(path) as file:
        write_rows(file, chain([header], rows, _absent(grades, len(questions))))


def _absent(grades: Grades, questions: int) -> Iterator[list[str]]:
    """Rows of the students who handed nothing in, where the class file wants them."""
    if grades.no_submission == "listed":
        return
    total = rounded(Fraction(0)) if grades.no_submission == "zero" else ""
    for entry in grades.missing:
        who = map(harmless, (entry.student_id, entry.name, entry.section))
        yield [*who, *[""] * questions, total, "no submission"]
