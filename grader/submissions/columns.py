"""What every column of a Student Analysis report is: the LMS's own by their headers, questions by number or text.

A column that might hold something critical (who, when, which attempt) and cannot be told is never passed over: the
class file maps it under `columns:` or confirms that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from basics.csv_source import Table, header_name
from basics.errors import InputError, Problem
from grader.quiz.spec import Question, QuizBook
from grader.submissions.cells import letters, shortened, strip_tags, without_tags
from grader.submissions.class_file import IGNORE, ClassFile
from grader.submissions.headers import LEADING, TRAILING, meaning_of

QUESTION = re.compile(r"(\d+):(?:\s|$)(.*)", re.DOTALL)
SHORTEST_PREFIX = 12
"""Letters of a cut-off question text that suffice to recognise it, if only one question of the quiz begins so."""
LOOKED_AT = 20
"""Rows that are looked at to say what an unknown column seems to hold."""
LOOKS = {
    "submitted": re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*"),
    "attempt": re.compile(r"[1-9]\d?"),
}


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
    notes: tuple[str, ...] = ()

    def get(self, name: str) -> int | None:
        return self.named.get(name)


def is_student_analysis(header: Sequence[str]) -> bool:
    """Whether the header has a question column, or the report's own counts."""
    names = {meaning_of(cell) for cell in header}
    return any(QUESTION.match(cell) for cell in header) or {"n correct", "score"} <= names


def find_columns(table: Table, book: QuizBook, class_file: ClassFile) -> Layout:
    """The layout of the report. Raises InputError with everything that is missing, repeated or unknown."""
    first = next((i for i, cell in enumerate(table.header) if QUESTION.match(cell)), len(table.header))
    questions, problems = _question_columns(table, first)
    if not questions:
        what = "has no question column (a header such as '352902: text of the question')"
        problems.append(Problem(table.where(1), what, "export the quiz's Student Analysis report again"))
        raise InputError(problems)
    after = questions[-1].answer + 2
    named, unknown, faults = _named_columns(table, first, after, class_file.columns)
    problems += [*faults, *_critical(table, named, [at for at in unknown if at < first], class_file)]
    problems += _mapped_in_vain(table, questions, class_file.columns)
    assigned, faults = _assign(table, questions, book, class_file.columns)
    if problems := [*problems, *faults]:
        raise InputError(problems)
    notes = tuple(f"the column {table.header[at]!r} is none that is known, and is not read" for at in unknown)
    return Layout(named, questions, assigned, notes)


def _named_columns(
    table: Table, first: int, after: int, mapping: Mapping[str, str]
) -> tuple[dict[str, int], list[int], list[Problem]]:
    """Columns by meaning, those that nobody knows, and problems."""
    named: dict[str, int] = {}
    unknown: list[int] = []
    problems = []
    mapped = {header_name(header): meaning for header, meaning in mapping.items()}
    for i, cell in enumerate(table.header):
        if first <= i < after:
            continue
        told = mapped.get(header_name(cell))
        name = told or meaning_of(cell)
        if name == IGNORE:
            continue
        if name is None or (told is None and name not in (LEADING if i < first else TRAILING)):
            unknown.append(i)
        elif name in named:
            what = f"the column {name!r} stands there twice"
            problems.append(Problem(table.where(1, i), what, "export the report again, or ignore one under `columns:`"))
        else:
            named[name] = i
    return named, unknown, problems


def _critical(
    table: Table, named: Mapping[str, int], unknown: Sequence[int], class_file: ClassFile
) -> Iterator[Problem]:
    """What of time, id and attempt is not there; an unknown column may be it."""
    missing = []
    if "sis_id" not in named and "id" not in named:
        what = "has no column `sis_id` or `id`"
        yield Problem(table.where(1), what, "export a report that is not anonymous")
        missing.append("sis_id")
    if "submitted" not in named and class_file.no_times is None:
        what = "has no column `submitted`: nobody could be late"
        yield Problem(
            table.where(1), what, "export it with that column, or confirm it in the class file: no_times: reason"
        )
        missing.append("submitted")
    if "attempt" not in named and class_file.no_attempts is None:
        missing.append("attempt")
    for at in unknown if missing else ():
        likely = [name for name, looks in LOOKS.items() if name in missing and _all_look(table, at, looks)]
        seems = f", it looks like `{likely[0]}`" if len(likely) == 1 else ""
        what = f"{table.header[at]!r} is a column that nobody knows, and {' or '.join(missing)} is missing{seems}"
        remedy = f'write under `columns:` in the class file  "{table.header[at]}": {(likely or missing)[0]} or {IGNORE}'
        yield Problem(table.where(1, at), what, remedy)


def _all_look(table: Table, at: int, looks: re.Pattern[str]) -> bool:
    cells = [row[at].strip() for _, row in islice(table.rows(), LOOKED_AT) if at < len(row)]
    return bool(cells) and all(looks.fullmatch(cell) for cell in cells)


def _question_columns(table: Table, first: int) -> tuple[tuple[QuestionColumn, ...], list[Problem]]:
    columns = []
    problems = []
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
    return tuple(columns), problems


def _mapped_in_vain(table: Table, questions: Sequence[QuestionColumn], mapping: Mapping[str, str]) -> Iterator[Problem]:
    known = {column.number for column in questions} | {header_name(cell) for cell in table.header}
    for key in sorted(mapping):
        if key not in known and header_name(key) not in known:
            named = f"question {key}" if key.isdecimal() else f"the column {key!r}"
            what = f"the class file maps {named}, which has no column here"
            yield Problem(table.path.name, what, "remove it from `columns`, or name the file it belongs to")


def _assign(
    table: Table, columns: Sequence[QuestionColumn], book: QuizBook, mapping: Mapping[str, str]
) -> tuple[dict[str, tuple[QuestionColumn, ...]], list[Problem]]:
    """Columns of each question id. What cannot be told for certain becomes a problem."""
    assigned: dict[str, tuple[QuestionColumn, ...]] = {}
    problems = []
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
            remedy = "export the right quiz, or map its number under `columns:` in the class file"
            problems.append(Problem(table.path.name, what, remedy))
    return assigned, problems


def matching(text: str, questions: Sequence[Question]) -> list[str]:
    """Ids of the questions this header text can be: equal up to markup and white space, else cut off at a `<`."""
    wanted = letters(text)
    equal = [q.id for q in questions if wanted in _dresses(q)]
    if equal or len(wanted) < SHORTEST_PREFIX:
        return equal
    return [q.id for q in questions if any(dress.startswith(wanted) for dress in _dresses(q))]


def _dresses(question: Question) -> set[str]:
    prompt = question.prompt
    return {letters(t) for t in (prompt, strip_tags(prompt), without_tags(prompt))}
