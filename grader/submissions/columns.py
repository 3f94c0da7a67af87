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
from basics.messages import say, together
from grader.quiz.spec import QuizBook
from grader.submissions.cells import shortened
from grader.submissions.class_file import IGNORE, STUDENT_ID, ClassFile
from grader.submissions.headers import meaning_of
from grader.submissions.question_columns import QuestionColumn, assign

QUESTION = re.compile(r"(\d+):(?:\s|$)(.*)", re.DOTALL)
LOOKED_AT = 20
"""Rows that are looked at to say what an unknown column seems to hold."""
LOOKS = {
    "submitted": re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*"),
    "attempt": re.compile(r"[1-9]\d?"),
}


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
        what = say("has no question column (a header such as '352902: text of the question')")
        problems.append(Problem(table.where(1), what, say("export the quiz's Student Analysis report again")))
        raise InputError(problems)
    after = questions[-1].answer + 2
    named, unknown, faults = _named_columns(table, first, after, class_file.columns)
    problems += [*faults, *_critical(table, named, unknown, first, class_file)]
    problems += _mapped_in_vain(table, questions, class_file.columns)
    assignment = assign(table, questions, book, class_file.columns)
    if problems := [*problems, *assignment.problems]:
        raise InputError(problems)
    unread = [
        say("the column {column!r} is none that is known, and is not read", column=table.header[at]) for at in unknown
    ]
    return Layout(named, questions, assignment.columns, (*unread, *assignment.notes))


def _named_columns(
    table: Table, first: int, after: int, mapping: Mapping[str, str]
) -> tuple[dict[str, int], list[int], list[Problem]]:
    """Columns by meaning, those that nobody knows, and problems."""
    named: dict[str, int] = {}
    unknown: list[int] = []
    problems = []
    mapped = {header_name(key): "sis_id" if said == STUDENT_ID else said for key, said in mapping.items()}
    for i, cell in enumerate(table.header):
        if first <= i < after:
            continue
        told = mapped.get(header_name(cell))
        name = told or meaning_of(cell)
        if name == IGNORE:
            continue
        if name is None:
            unknown.append(i)
        elif name in named:
            what = say("the column {name!r} stands there twice", name=name)
            problems.append(
                Problem(table.where(1, i), what, say("export the report again, or ignore one under `columns:`"))
            )
        else:
            named[name] = i
    return named, unknown, problems


def _critical(
    table: Table, named: Mapping[str, int], unknown: Sequence[int], first: int, class_file: ClassFile
) -> Iterator[Problem]:
    """What of time, id and attempt is not there; an unknown column may be it.

    After the questions the report counts right and wrong answers, which look like attempts: only a time is told there.
    """
    missing = []
    if "sis_id" not in named and "id" not in named:
        what = say("has no column `sis_id` or `id`")
        yield Problem(table.where(1), what, say("export a report that is not anonymous"))
        missing.append("sis_id")
    if "submitted" not in named and class_file.no_times is None:
        what = say("has no column `submitted`: nobody could be late")
        yield Problem(
            table.where(1), what, say("export it with that column, or confirm it in the class file: no_times: reason")
        )
        missing.append("submitted")
    if "attempt" not in named and class_file.no_attempts is None:
        missing.append("attempt")
    for at in unknown if missing else ():
        likely = [name for name, looks in LOOKS.items() if name in missing and _all_look(table, at, looks)]
        if at > first and "submitted" not in likely:
            continue
        what = say(
            "{header!r} is a column that nobody knows, and {missing} is missing",
            header=table.header[at],
            missing=together(missing, say(" or ")),
        )
        if len(likely) == 1:
            what = say("{problem}, it looks like `{column}`", problem=what, column=likely[0])
        remedy = say(
            'write under `columns:` in the class file  "{header}": {column} or {ignore}',
            header=table.header[at],
            column=(likely or missing)[0],
            ignore=IGNORE,
        )
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
            what = say(
                "question {number} is not followed by its points, but by {header}",
                number=match[1],
                header=shortened(points),
            )
            problems.append(Problem(table.where(1, at + 1), what, say("export the report again")))
        at += 2
    numbers = [column.number for column in columns]
    for column in columns:
        if numbers.index(column.number) != columns.index(column):
            what = say("question {number} has two columns", number=column.number)
            problems.append(Problem(table.where(1, column.answer), what, say("export the report again")))
    return tuple(columns), problems


def _mapped_in_vain(table: Table, questions: Sequence[QuestionColumn], mapping: Mapping[str, str]) -> Iterator[Problem]:
    known = {column.number for column in questions} | {header_name(cell) for cell in table.header}
    for key in sorted(mapping):
        if key not in known and header_name(key) not in known:
            named = say("question {key}", key=key) if key.isdecimal() else say("the column {key!r}", key=key)
            what = say("the class file maps {column}, which has no column here", column=named)
            yield Problem(table.path.name, what, say("remove it from `columns`, or name the file it belongs to"))
