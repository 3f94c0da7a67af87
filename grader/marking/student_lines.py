"""A student's line in `result.json`, put together from parts that are worked out once: a class repeats itself.

A million lines through `json.dumps` would take longer than grading them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import TypeVar

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
