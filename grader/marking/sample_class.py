"""A made-up class in NTU COOL's CSV format, so that grading can be tried before anybody has answered.

The students are invented: each treats every option rightly with a probability of their own. The file has what real
ones have: commas inside options, several attempts, two sections, a late submission.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, timedelta
from fractions import Fraction
from pathlib import Path

from basics.csv_source import csv_text
from basics.files import write_whole
from grader.marking.scoring import share
from grader.quiz.spec import Question, QuizBook
from grader.submissions.cells import encode
from grader.verdicts.key import AnswerKey

SURNAMES = ("Chen", "Lin", "Huang", "Chang", "Li", "Wang", "Wu", "Liu", "Tsai", "Yang", "Hsu", "Cheng")
NAMES = ("Yi-Chun", "Po-Wei", "Ting-Yu", "Jia-Hao", "Hsin-Yi", "Wei-Ting", "Yu-Xuan", "Pin-Yu", "Chih-Hao", "Mei-Ling")
HEAD = ("name", "id", "sis_id", "section", "section_id", "section_sis_id", "submitted", "attempt")
TAIL = ("n correct", "n incorrect", "score")
FIRST_COLUMN = 352901
"""The number that the LMS would give to the first question."""


def write_sample_class(book: QuizBook, key: AnswerKey, path: Path, *, students: int = 40, seed: int = 2026) -> Path:
    """Write the class as a Student Analysis report (UTF-8 with a byte order mark, newest first)."""
    dice = random.Random(seed)
    rows = [row for student in range(students) for row in _attempts(book, key, student, dice)]
    columns = [
        cell for i, q in enumerate(book.questions) for cell in (f"{FIRST_COLUMN + i}: {q.prompt}", f"{q.points:g}")
    ]
    newest_first = sorted(rows, key=lambda row: row[HEAD.index("submitted")], reverse=True)
    write_whole(path, csv_text([[*HEAD, *columns, *TAIL], *newest_first], bom=True).encode())
    return path


def _attempts(book: QuizBook, key: AnswerKey, student: int, dice: random.Random) -> Iterator[list[str]]:
    ability = dice.betavariate(7, 2)
    name = f"{dice.choice(SURNAMES)}, {dice.choice(NAMES)}"
    deadline = book.quiz.deadline.astimezone(UTC)
    submitted = deadline - timedelta(minutes=dice.randint(5, 9 * 24 * 60))
    late = student == 3
    for attempt in range(1, dice.choice((1, 1, 1, 2)) + 1):
        moment = deadline + timedelta(hours=2) if late else min(submitted + timedelta(hours=attempt), deadline)
        yield [
            name,
            str(98000 + student),
            f"b129{student:05d}",
            f"Class {'AB'[student % 2]}",
            "45510",
            "",
            f"{moment:%Y-%m-%d %H:%M:%S} UTC",
            str(attempt),
            *_cells(book, key, min(1.0, ability + 0.1 * (attempt - 1)), dice),
        ]


def _cells(book: QuizBook, key: AnswerKey, ability: float, dice: random.Random) -> list[str]:
    """Answer and the LMS's points for each question, then the report's own totals."""
    cells: list[str] = []
    points: list[Fraction] = []
    for question in book.questions:
        correct = frozenset(key.question(question.id).correct or ())
        chosen = _chosen(question, correct, ability, dice)
        points.append(share(question, correct, frozenset(chosen), "net-correct").points(question))
        cells += [_cell(question, chosen), str(float(points[-1]))]
    right = sum(earned > 0 for earned in points)
    return [*cells, str(right), str(len(points) - right), str(float(sum(points)))]


def _chosen(question: Question, correct: frozenset[str], ability: float, dice: random.Random) -> list[str]:
    letters = list(question.options)
    if question.choose == "one":
        return [*correct][:1] if dice.random() < ability and correct else [dice.choice(letters)]
    chosen = [x for x in letters if (x in correct) == (dice.random() < ability)]
    return dice.sample(chosen, len(chosen))


def _cell(question: Question, chosen: list[str]) -> str:
    texts = [question.options[letter].text for letter in chosen]
    return texts[0] if question.choose == "one" else encode(texts)
