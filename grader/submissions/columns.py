"""Where things stand in a Canvas "Student Analysis" report, whatever its language, version and settings.

Headers repeat (`1.0, 1.0, …`), leading columns come and go with account settings, and a question's text has lost its
tags and whatever followed a `<`. So the leading columns are found by name, the questions by position from the first
`<number>: ` header on, and each number is associated with a question of the quiz once, by text, or by the class file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from basics.csv_source import Table, header_name
from basics.errors import InputError, Problem
from grader.quiz.spec import Question, QuizBook, normalise
from grader.submissions.cells import shortened, strip_tags, without_tags
from grader.submissions.class_file import IGNORE

NAMES = {
    "name": "name",
    "名稱": "name",
    "id": "id",
    "sis_id": "sis_id",
    "root_account": "root_account",
    "section": "section",
    "班別": "section",
    "section_id": "section_id",
    "section_sis_id": "section_sis_id",
    "submitted": "submitted",
    "已提交": "submitted",
    "attempt": "attempt",
    "作答紀錄": "attempt",
    "n correct": "n correct",
    "n 正確": "n correct",
    "n incorrect": "n incorrect",
    "n 不正確": "n incorrect",
    "score": "score",
    "分數": "score",
}
"""Header, as `header_name` gives it, to meaning: English and zh-Hant."""

QUESTION = re.compile(r"(\d+):(?:\s|$)(.*)", re.DOTALL)
SHORTEST_PREFIX = 12
"""Letters of a cut-off question text that suffice to recognise it, if only one question of the quiz begins so."""


@dataclass(frozen=True)
class QuestionColumn:
    """A question's answer column; its points stand in the next one."""

    number: str
    text: str
    answer: int
    points_possible: float


@dataclass(frozen=True)
class Layout:
    """Columns by meaning, and the question columns in the order of the file."""

    named: Mapping[str, int]
    questions: tuple[QuestionColumn, ...]
    assigned: Mapping[str, tuple[QuestionColumn, ...]] = field(default_factory=dict)

    def get(self, name: str) -> int | None:
        return self.named.get(name)


def is_student_analysis(header: Sequence[str]) -> bool:
    """Whether the header has a question column, or the report's own counts."""
    names = {NAMES.get(header_name(cell)) for cell in header}
    return any(QUESTION.match(cell) for cell in header) or {"n correct", "score"} <= names


def find_columns(table: Table, book: QuizBook, mapping: Mapping[str, str]) -> Layout:
    """The layout of the report. Raises InputError with everything that is missing, repeated or unknown."""
    first = next((i for i, cell in enumerate(table.header) if QUESTION.match(cell)), len(table.header))
    named, problems = _named_columns(table, first)
    questions = _question_columns(table, first, problems)
    if not questions:
        what = "has no question column (a header such as '352902: text of the question')"
        problems.append(Problem(table.where(1), what, "export the quiz's Student Analysis report again"))
        raise InputError(problems)
    if "sis_id" not in named and "id" not in named:
        problems.append(
            Problem(table.where(1), "has no column `sis_id` or `id`", "export a report that is not anonymous")
        )
    assigned = _assign(table, questions, book, mapping, problems)
    if problems:
        raise InputError(problems)
    return Layout(named, questions, assigned)


def _named_columns(table: Table, first: int) -> tuple[dict[str, int], list[Problem]]:
    named: dict[str, int] = {}
    problems = []
    for i, cell in enumerate(table.header):
        name = NAMES.get(header_name(cell))
        trailing = name in ("n correct", "n incorrect", "score")
        if name is None or (i > first) != trailing:
            continue
        if name in named:
            what = f"the column {name!r} stands there twice"
            problems.append(Problem(table.where(1, i), what, "export the report again"))
        named.setdefault(name, i)
    return named, problems


def _question_columns(table: Table, first: int, problems: list[Problem]) -> tuple[QuestionColumn, ...]:
    columns = []
    at = first
    while at < len(table.header) and (match := QUESTION.match(table.header[at])):
        points = table.header[at + 1] if at + 1 < len(table.header) else ""
        try:
            columns.append(QuestionColumn(match[1], match[2], at, float(points)))
        except ValueError:
            what = f"question {match[1]} is not followed by its points, but by {shortened(points)}"
            problems.append(Problem(table.where(1, at + 1), what, "export the report again"))
        at += 2
    numbers = [column.number for column in columns]
    for column in columns:
        if numbers.index(column.number) != columns.index(column):
            what = f"question {column.number} has two columns"
            problems.append(Problem(table.where(1, column.answer), what, "export the report again"))
    return tuple(columns)


def _assign(
    table: Table,
    columns: Sequence[QuestionColumn],
    book: QuizBook,
    mapping: Mapping[str, str],
    problems: list[Problem],
) -> dict[str, tuple[QuestionColumn, ...]]:
    """Columns of each question id. What cannot be told for certain becomes a problem."""
    assigned: dict[str, tuple[QuestionColumn, ...]] = {}
    known = {column.number for column in columns}
    for number in sorted(set(mapping) - known):
        what = f"the class file maps question {number}, which has no column here"
        problems.append(Problem(table.path.name, what, "remove it from `columns`, or name the file it belongs to"))
    for column in columns:
        candidates = [mapping[column.number]] if column.number in mapping else matching(column.text, book.questions)
        if candidates == [IGNORE]:
            continue
        if len(candidates) == 1:
            assigned[candidates[0]] = (*assigned.get(candidates[0], ()), column)
            continue
        found = f"could be {' or '.join(candidates)}" if candidates else "is the text of no question of this quiz"
        what = f"question {column.number} {found}: {shortened(column.text)}"
        remedy = f'write under `columns:` in the class file  "{column.number}": q01 (its question) or {IGNORE}'
        problems.append(Problem(table.where(1, column.answer), what, remedy))
    for question in book.questions:
        if question.id not in assigned:
            what = f"no column holds {question.id} ({shortened(question.prompt)})"
            problems.append(
                Problem(
                    table.path.name, what, "export the right quiz, or map its number under `columns:` in the class file"
                )
            )
    return assigned


def matching(text: str, questions: Sequence[Question]) -> list[str]:
    """Ids of the questions this header text can be: equal up to markup and white space, else cut off at a `<`."""
    wanted = _letters(text)
    equal = [q.id for q in questions if wanted in _dresses(q)]
    if equal or len(wanted) < SHORTEST_PREFIX:
        return equal
    return [q.id for q in questions if any(dress.startswith(wanted) for dress in _dresses(q))]


def _dresses(question: Question) -> set[str]:
    prompt = question.prompt
    return {_letters(t) for t in (prompt, strip_tags(prompt), without_tags(prompt))}


def _letters(text: str) -> str:
    """Letters and digits alone: markup characters, white space and punctuation differ from export to export."""
    return "".join(c for c in normalise(text).casefold() if c.isalnum())
