"""Check an import: recompute the points that Canvas itself gave, cell by cell, and list where they differ.

Canvas Classic scores "multiple answers" as max(0, P*r/C - P*w/C) (r right ticks, w wrong ones, C correct options),
and a choice of one as right or wrong. If the key that Canvas used is given, a difference means an edited question or
a score entered by hand; if the comparison is against this quiz's key, it may as well mean that the key in Canvas is
another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.marking.scoring import share
from grader.quiz.spec import Question, QuizBook
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
class ImportCheck:
    """Outcome of the recomputation. `compared` counts cells; `suspects` are questions where most cells differ."""

    compared: int
    differences: tuple[Difference, ...]
    score_differences: tuple[Difference, ...]
    suspects: tuple[str, ...]
    key_given: bool

    @property
    def holds(self) -> bool:
        return not self.differences and not self.score_differences


def check_import(
    file: SubmissionFile, book: QuizBook, key: Mapping[str, Chosen | None], *, key_given: bool
) -> ImportCheck | None:
    """Compare Canvas's points with Canvas's rule under `key`; None if the file brings no points."""
    if not file.lms_possible or all(s.lms_points is None for s in file.submissions):
        return None
    tables = [_Expected(book.question(name), key.get(name), file.lms_possible[name]) for name in file.questions]
    compared: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    reported = [submission for submission in file.submissions if submission.lms_points is not None]
    chosen = zip(*(s.chosen for s in reported), strict=True)
    points = zip(*(s.lms_points or () for s in reported), strict=True)
    for name, table, *column in zip(file.questions, tables, chosen, points, strict=True):
        for pair, n in Counter(zip(*column, strict=True)).items():
            compared[name] += n if table[pair] is not None else 0
            wrong[name] += n if table[pair] else 0
    differences = list(_differences(reported, tables)) if any(wrong.values()) else []
    suspects = tuple(name for name in file.questions if compared[name] and 2 * wrong[name] > compared[name])
    sums = tuple(_sums(file))
    return ImportCheck(sum(compared.values()), tuple(differences), sums, suspects, key_given)


def _differences(reported: Sequence[Submission], tables: Sequence[_Expected]) -> Iterator[Difference]:
    for s in reported:
        for name, chosen, points, table in zip(s.questions, s.chosen, s.lms_points or (), tables, strict=True):
            fault = table[chosen, points]
            if fault and points is not None:
                yield Difference(s.row, s.student_id, name, points, points - fault)


class _Expected(dict[tuple[Chosen | None, float | None], float | None]):
    """By answer and Canvas's points: the difference from Canvas's rule; 0 if none, None if nothing can be compared."""

    def __init__(self, question: Question, correct: Chosen | None, possible: float) -> None:
        super().__init__()
        self.question, self.correct, self.possible = question, correct, Fraction(str(possible))

    def __missing__(self, pair: tuple[Chosen | None, float | None]) -> float | None:
        chosen, points = pair
        if chosen is None or points is None or self.correct is None:
            self[pair] = None
        else:
            expected = float(self.possible * share(self.question, self.correct, chosen, "net-correct").fraction)
            self[pair] = points - expected if abs(points - expected) > TOLERANCE else 0.0
        return self[pair]


def _sums(file: SubmissionFile) -> Iterator[Difference]:
    """Attempts whose score is not the sum of their points: a score entered by hand, or columns that are gone.

    Without all attempts in the file, `score` and points belong to the same attempt; with them too (Canvas then reports
    each attempt's own score).
    """
    for submission in file.submissions:
        points = submission.lms_points
        if submission.lms_score is None or points is None or None in points:
            continue
        total = sum(filter(None, points))
        if abs(total - submission.lms_score) > TOLERANCE:
            yield Difference(submission.row, submission.student_id, "score", submission.lms_score, total)
