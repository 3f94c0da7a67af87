"""Read a Canvas (Classic) "Student Analysis" report of this quiz, whatever its language, version and settings.

`n correct` and `n incorrect` are never graded from (they also count partial and ungraded answers); they only have to
add up to the number of questions, or else columns were removed and the file is not what Canvas wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from basics.csv_source import Table, header_name
from basics.errors import InputError, Problem
from basics.files import sha256_of
from grader.quiz.spec import Question, QuizBook, normalise
from grader.submissions.cells import shortened, strip_tags, without_tags
from grader.submissions.class_file import IGNORE, ClassFile
from grader.submissions.model import Chosen, Submission, SubmissionFile
from grader.submissions.rows import MOST_PROBLEMS, CellReader, Numbers, Skipper, parse_moment, repeated_students

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


def read_student_analysis(table: Table, book: QuizBook, class_file: ClassFile) -> SubmissionFile:
    """All submissions of a report. Raises InputError with every cell that cannot be trusted."""
    layout = find_columns(table, book, class_file.columns)
    reader = _Reader(table, book, class_file, layout)
    submissions = tuple(reader.submissions())
    reader.check_counts()
    problems = reader.problems + repeated_students(table, submissions)
    problems += reader.skips.unused() if not problems else []
    if not submissions and not problems:
        problems = [Problem(table.path.name, "has a header and no submission", "export the report again")]
    if problems:
        raise InputError(problems[:MOST_PROBLEMS])
    return SubmissionFile(
        path=table.path,
        digest=sha256_of(table.path),
        form="canvas",
        questions=reader.ids,
        submissions=submissions,
        skipped=tuple(reader.skips.told),
        notes=tuple(_notes(layout, book)),
        lms_columns={name: tuple(c.number for c in columns) for name, columns in layout.assigned.items()},
        lms_possible={name: columns[-1].points_possible for name, columns in layout.assigned.items()},
    )


@dataclass
class _Reader:
    table: Table
    book: QuizBook
    class_file: ClassFile
    layout: Layout
    problems: list[Problem] = field(default_factory=list)
    excess: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.ids = tuple(question.id for question in self.book.questions)
        self._columns = [
            (
                question.id,
                tuple(c.answer for c in self.layout.assigned[question.id]),
                CellReader(question.id, self.book),
            )
            for question in self.book.questions
        ]
        self._given = [column.answer + 1 for column in self.layout.questions]
        one_each = all(len(columns) == 1 for _, columns, _ in self._columns)
        self._single = [(columns[0], reader.known) for _, columns, reader in self._columns] if one_each else []
        self._numbers = Numbers()
        self._identity = self.layout.get("sis_id"), self.layout.get("id")
        self.skips = Skipper(self.class_file, self.table.path.name)

    def submissions(self) -> list[Submission]:
        result = []
        width = len(self.table.header)
        for number, row in self.table.rows():
            if len(self.problems) >= MOST_PROBLEMS:
                break
            if self.skips(number, "student"):
                continue
            if len(row) != width:
                what = f"has {len(row)} cells, the header has {width}"
                self.problems.append(Problem(self.table.where(number), what, "export the report again"))
            else:
                result.append(self._submission(number, row))
        return result

    def check_counts(self) -> None:
        """`n correct` + `n incorrect` must be the number of questions of every row."""
        if self.skips("all", "counts") or set(self.excess) <= {0}:
            return
        shown = ", ".join(f"{more:+d} in {rows} rows" for more, rows in sorted(self.excess.items()))
        what = f"`n correct` and `n incorrect` do not add up to the number of question columns: {shown}"
        remedy = "export the report again; if the quiz holds text-only blocks, skip {row: all, cell: counts, reason: …}"
        self.problems.append(Problem(self.table.path.name, what, remedy))

    def _submission(self, number: int, row: Sequence[str]) -> Submission:
        sis, lms = (row[i].strip() if i is not None else "" for i in self._identity)
        student = sis if self._identity[0] is not None else lms
        if not student:
            where = self.table.where(number, next(at for at in self._identity if at is not None))
            remedy = f"a guest or test student: skip {{row: {number}, cell: student, reason: …}}"
            self.problems.append(Problem(where, "has no student id", remedy))
        chosen, points = self._answers(number, row)
        self._count(row)
        return Submission(
            student_id=student,
            questions=self.ids,
            chosen=chosen,
            name=self._text(row, "name"),
            section=self._text(row, "section"),
            submitted=self._moment(number, row),
            attempt=self._attempt(number, row),
            lms_id=lms,
            lms_points=points,
            lms_score=self._numbers[self._text(row, "score")],
            row=number,
        )

    def _answers(self, number: int, row: Sequence[str]) -> tuple[tuple[Chosen | None, ...], tuple[float | None, ...]]:
        marks = [row[at + 1] for at, _ in self._single]
        if marks and "" not in marks and number not in self.skips.rows:
            chosen = [known.get(row[at]) for at, known in self._single]
            if None not in chosen:
                return tuple(chosen), tuple([self._numbers[mark] for mark in marks])
        pairs = [self._answer(number, row, *column) for column in self._columns]
        return tuple([chosen for chosen, _ in pairs]), tuple([points for _, points in pairs])

    def _answer(
        self, number: int, row: Sequence[str], name: str, columns: tuple[int, ...], reader: CellReader
    ) -> tuple[Chosen | None, float | None]:
        given = [at for at in columns if row[at] or row[at + 1]]
        if self.skips(number, name) or not given:
            return None, None
        if len(given) > 1:
            given = self._twice(number, name, given)
        points = self._numbers[row[given[0] + 1]]
        answer = reader.read(row[given[0]])
        if isinstance(answer, frozenset):
            return answer, points
        self._undecodable(number, given[0], name, answer)
        return None, points

    def _twice(self, number: int, name: str, given: list[int]) -> list[int]:
        what = f"{name} is answered in two columns, the second being {self.table.where(number, given[1])}"
        remedy = "ignore the column of the replaced question under `columns:` in the class file"
        self.problems.append(Problem(self.table.where(number, given[0]), what, remedy))
        return given[:1]

    def _undecodable(self, number: int, column: int, name: str, what: str) -> None:
        remedy = (
            f"mend the option's text in the spec, or skip {{row: {number}, cell: {name}, reason: …}} in the class file"
        )
        self.problems.append(Problem(self.table.where(number, column), what, remedy))

    def _moment(self, number: int, row: Sequence[str]) -> datetime | None:
        text = self._text(row, "submitted")
        if self.skips(number, "submitted"):
            return None
        try:
            return parse_moment(text)
        except ValueError:
            what = f"is not a time such as 2026-06-18 15:59:59 UTC: {text!r}"
            remedy = f"export the report again, or skip {{row: {number}, cell: submitted, reason: …}}"
            self.problems.append(Problem(self.table.where(number, self.layout.named["submitted"]), what, remedy))
            return None

    def _attempt(self, number: int, row: Sequence[str]) -> int | None:
        text = self._text(row, "attempt")
        if "attempt" not in self.layout.named or text.isdecimal():
            return int(text) if text else None
        what = f"is not the number of an attempt: {text!r}"
        self.problems.append(Problem(self.table.where(number, self.layout.named["attempt"]), what, "export it again"))
        return None

    def _count(self, row: Sequence[str]) -> None:
        right, wrong = self._text(row, "n correct"), self._text(row, "n incorrect")
        if right.isdecimal() and wrong.isdecimal():
            given = len(self._given) - [row[at] for at in self._given].count("")
            self.excess[int(right) + int(wrong) - given] += 1

    def _text(self, row: Sequence[str], name: str) -> str:
        at = self.layout.named.get(name)
        return "" if at is None else row[at].strip()


def _notes(layout: Layout, book: QuizBook) -> list[str]:
    """Differences between the LMS's quiz and this one that do not stand in the way."""
    notes = []
    for question in book.questions:
        columns = layout.assigned[question.id]
        for column in columns:
            if column.points_possible != question.points:
                shown = f"{column.points_possible:g}, the quiz {question.points:g}"
                notes.append(f"{question.id}: the LMS gives {shown} points")
        if len(columns) > 1:
            numbers = ", ".join(column.number for column in columns)
            notes.append(f"{question.id}: was replaced in the LMS, its answers stand in columns {numbers}")
    return notes
