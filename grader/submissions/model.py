"""What a submission is, and what a file of submissions says besides."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

Chosen = frozenset[str]
"""Letters of the ticked options; empty when nothing was ticked."""

Form = Literal["canvas", "plain", "yaml"]


@dataclass(slots=True, eq=False)
class Submission:
    """One attempt of one student. Treated as immutable; not frozen, because a million of them are made.

    Attributes:
        student_id: as text, as the file has it (Canvas: `sis_id` where present, else `id`); leading zeros survive.
        questions: ids of the quiz's questions, in its order; one tuple shared by all submissions of a file.
        chosen: the ticked options of each question; None where the student was not given the question, or where the
            TA skipped the cell.
        submitted: in UTC, or None where the file does not say.
        attempt: from 1, or None where the file holds only one attempt of each student.
        lms_id: the LMS's own number of the student (Canvas `id`), or "".
        lms_points: the points the LMS gave for each question, or None where the file does not say.
        row: in the file, from 1, the header being row 1; records, not lines.
    """

    student_id: str
    questions: tuple[str, ...]
    chosen: tuple[Chosen | None, ...]
    name: str = ""
    section: str = ""
    submitted: datetime | None = None
    attempt: int | None = None
    lms_id: str = ""
    lms_points: tuple[float | None, ...] | None = None
    lms_score: float | None = None
    row: int = 0

    @property
    def answers(self) -> dict[str, Chosen]:
        """Ticked options by question id, without the questions that the student was not given."""
        return {q: chosen for q, chosen in zip(self.questions, self.chosen, strict=True) if chosen is not None}


@dataclass(frozen=True)
class RosterEntry:
    """A student of the class: the id as text, and the LMS's own number where the roster has both."""

    student_id: str
    name: str = ""
    section: str = ""
    lms_id: str = ""

    def __str__(self) -> str:
        return f"{self.student_id} ({self.name})" if self.name else self.student_id


@dataclass(frozen=True)
class SubmissionFile:
    """All submissions of one file.

    Attributes:
        digest: sha256 of the file's bytes.
        skipped: cells that the TA told to skip, in words; every one is shown with the result.
        notes: things worth a look that do not stand in the way of grading.
        lms_columns: the LMS's number of each question by question id (Canvas only); a question that was replaced in
            the LMS has several.
        lms_possible: the points the LMS gives for each question (Canvas only).
    """

    path: Path
    digest: str
    form: Form
    questions: tuple[str, ...]
    submissions: tuple[Submission, ...]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lms_columns: dict[str, tuple[str, ...]] | None = None
    lms_possible: dict[str, float] | None = None

    @property
    def all_attempts(self) -> bool:
        """Whether the file holds every attempt of a student, so that the attempt that counts can be chosen here."""
        return any(submission.attempt is not None for submission in self.submissions)


P = ParamSpec("P")
R = TypeVar("R")


def without_collection(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` with the cyclic collector off, which would visit millions of submissions again and again.

    What such functions make has no cycles; reference counts free it. Afterwards it is among what the collector takes
    for old, or the next object that is made would have it visit all of it once.
    """

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        was_on = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            if was_on:
                gc.freeze()
                gc.unfreeze()
                gc.enable()

    return wrapped
