"""Prove an import: recompute the points that Canvas itself gave, cell by cell, and list where they differ.

Canvas Classic scores "multiple answers" as max(0, P*r/C - P*w/C) (r right ticks, w wrong ones, C correct options),
and a choice of one as right or wrong. If the key that Canvas used is given, a difference means an edited question or
a score entered by hand; if the comparison is against this quiz's key, it may as well mean that the key in Canvas is
another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from grader.scoring import share
from grader.spec import QuizBook
from grader.submissions.model import Chosen, Submission, SubmissionFile

TOLERANCE = 0.005
"""Canvas stores doubles and shows two decimals."""


@dataclass(frozen=True)
class Difference:
    """A cell whose points are not what Canvas's rule gives."""

    row: int
    student_id: str
    question: str
    canvas: float
    expected: float


@dataclass(frozen=True)
class Proof:
    """Outcome of the recomputation. `compared` counts cells; `suspects` are questions where most cells differ."""

    compared: int
    differences: tuple[Difference, ...]
    score_differences: tuple[Difference, ...]
    suspects: tuple[str, ...]
    key_given: bool

    @property
    def holds(self) -> bool:
        return not self.differences and not self.score_differences


def prove(file: SubmissionFile, book: QuizBook, key: Mapping[str, Chosen | None], *, key_given: bool) -> Proof | None:
    """Compare Canvas's points with Canvas's rule under `key`; None if the file brings no points."""
    if not file.lms_possible or all(s.lms_points is None for s in file.submissions):
        return None
    expect = _Expectation(file, book, key)
    differences: list[Difference] = []
    wrong: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    for submission in file.submissions:
        for name, canvas, expected in expect.cells(submission):
            compared[name] += 1
            if abs(canvas - expected) > TOLERANCE:
                wrong[name] += 1
                differences.append(Difference(submission.row, submission.student_id, name, canvas, expected))
    suspects = tuple(name for name in file.questions if compared[name] and 2 * wrong[name] > compared[name])
    sums = tuple(_sums(file))
    return Proof(sum(compared.values()), tuple(differences), sums, suspects, key_given)


class _Expectation:
    """What Canvas should have given for each distinct answer to each question."""

    def __init__(self, file: SubmissionFile, book: QuizBook, key: Mapping[str, Chosen | None]) -> None:
        self.book, self.key = book, key
        self.possible = file.lms_possible or {}
        self._known: dict[tuple[str, Chosen], float] = {}

    def cells(self, submission: Submission) -> Iterator[tuple[str, float, float]]:
        """Question, Canvas's points and the expected points, for every cell that can be compared."""
        for name, chosen, canvas in zip(
            submission.questions, submission.chosen, submission.lms_points or (), strict=False
        ):
            if chosen is not None and canvas is not None and self.key.get(name) is not None:
                yield name, canvas, self._expected(name, chosen)

    def _expected(self, name: str, chosen: Chosen) -> float:
        if (name, chosen) not in self._known:
            correct = self.key[name] or frozenset()
            part = share(self.book.question(name), correct, chosen, "net-correct")
            self._known[name, chosen] = float(Fraction(str(self.possible[name])) * part)
        return self._known[name, chosen]


def _sums(file: SubmissionFile) -> Iterator[Difference]:
    """Attempts whose score is not the sum of their points: a score entered by hand, or columns that are gone.

    Without all attempts in the file, `score` and points belong to the same attempt; with them too (Canvas then reports
    each attempt's own score).
    """
    for submission in file.submissions:
        if submission.lms_score is None or submission.lms_points is None or None in submission.lms_points:
            continue
        total = sum(points for points in submission.lms_points if points is not None)
        if abs(total - submission.lms_score) > TOLERANCE:
            yield Difference(submission.row, submission.student_id, "score", submission.lms_score, total)
