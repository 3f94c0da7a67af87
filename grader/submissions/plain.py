"""Submissions of courses without Canvas: a plain CSV, or YAML (see docs/grading.md).

CSV: a column `student_id`, one per question id, and perhaps `name`, `section`, `submitted` (ISO 8601 with offset),
`attempt`. A cell names options by letter (`AC`, `A;C`, `A, C`) or by text (as Canvas writes them). YAML: `answers:`
of one student, or `submissions:` of many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from basics.csv_source import Table, header_name
from basics.errors import InputError, Problem
from basics.files import sha256_of
from basics.messages import Message, said_by, say
from basics.moments import Moment
from basics.suggestions import did_you_mean
from basics.yaml_source import Source, read, validate
from evaluators.evidence import Frozen
from grader.quiz.commands import command
from grader.quiz.spec import QuizBook, Text
from grader.submissions.cells import CellDecoder, CellError, letters_or_texts
from grader.submissions.class_file import IGNORE, NOTHING_SPECIAL, STUDENT_ID, ClassFile
from grader.submissions.columns import QUESTION
from grader.submissions.critical import UNTIMED, Critical
from grader.submissions.model import Chosen, Submission, SubmissionFile
from grader.submissions.rows import (
    MOST_PROBLEMS,
    NO_ATTEMPT,
    Moments,
    Skipper,
    count_of,
    repeated_students,
)
from grader.submissions.students import Students

KNOWN = (STUDENT_ID, "name", "section", "submitted", "attempt")


def is_plain(header: Sequence[str], mapping: Mapping[str, str]) -> bool:
    """Whether a column holds the students' ids, by its header or, in what is no report of the LMS, the class file."""
    if STUDENT_ID in map(header_name, header):
        return True
    return STUDENT_ID in _names(header, mapping) and not any(QUESTION.match(cell) for cell in header)


def _names(header: Sequence[str], mapping: Mapping[str, str], ids: Iterable[str] = ()) -> list[str]:
    """What each column is called: by the class file, by its header, or by the id that its header says in other case."""
    mapped = {header_name(name): name for name in ids} | {header_name(key): name for key, name in mapping.items()}
    return [mapped.get(header_name(cell), header_name(cell)) for cell in header]


def read_plain(table: Table, book: QuizBook, class_file: ClassFile) -> SubmissionFile:
    """All submissions of a plain CSV. Raises InputError with every cell that cannot be trusted."""
    columns = _columns(table, book, class_file.columns)
    reader = _PlainReader(table, book, class_file, columns)
    submissions = tuple(reader.submissions())
    problems = [*reader.problems, *reader.students.problems, *repeated_students(table, submissions)]
    problems += reader.students.finish()
    problems += critical_problems(table.path.name, reader.times, reader.attempts)
    problems += reader.skips.unused() if not problems else []
    if not submissions and not problems:
        problems = [Problem(table.path.name, say("has a header and no submission"), say("add the submissions"))]
    if problems:
        raise InputError(problems[:MOST_PROBLEMS])
    return SubmissionFile(
        path=table.path,
        digest=sha256_of(table.path),
        form="plain",
        questions=reader.ids,
        submissions=submissions,
        skipped=tuple(reader.skips.told),
        notes=(*critical_notes(reader.times, reader.attempts), *reader.students.notes()),
    )


def critical_problems(file: str, times: Critical, attempts: Critical) -> list[Problem]:
    """A hand-written file may do without times and attempts, but not in some rows only."""
    return [*times.problems(file, may_lack=True), *attempts.problems(file, may_lack=True)]


def critical_notes(times: Critical, attempts: Critical) -> tuple[str, ...]:
    """What follows from what is not there; one submission of each student needs no number."""
    numbered = attempts.notes(say("such a submission counts as the earliest")) if attempts.filled else ()
    return (*times.notes(UNTIMED), *numbered)


def _columns(table: Table, book: QuizBook, mapping: Mapping[str, str]) -> dict[str, int]:
    allowed = [*KNOWN, *(question.id for question in book.questions)]
    columns: dict[str, int] = {}
    present = set(map(header_name, table.header))
    problems = [
        Problem(
            table.path.name,
            say("the class file maps {key!r}, which has no column here", key=key),
            say("remove it from `columns`"),
        )
        for key in mapping
        if header_name(key) not in present
    ]
    for i, name in enumerate(_names(table.header, mapping, allowed)):
        if name == IGNORE:
            continue
        if name in columns:
            problems.append(
                Problem(table.where(1, i), say("the column {name!r} stands there twice", name=name), say("keep one"))
            )
        elif name not in allowed:
            what = say("{header!r} is not a column of this quiz", header=table.header[i])
            remedy = say(
                "{suggestion} Else map or {ignore} it under `columns:` in the class file",
                suggestion=did_you_mean(name, allowed),
                ignore=IGNORE,
            )
            problems.append(Problem(table.where(1, i), what, remedy))
        columns.setdefault(name, i)
    missing = [name for name in allowed if name not in columns and name not in KNOWN[1:]]
    problems += [
        Problem(table.path.name, say("has no column {name!r}", name=name), say("add it, empty if need be"))
        for name in missing
    ]
    if problems:
        raise InputError(problems)
    return columns


class AnswerReader:
    """Reads hand-written cells of the whole quiz, each distinct text once."""

    def __init__(self, book: QuizBook) -> None:
        self.questions = {question.id: question for question in book.questions}
        self.decoders = {question.id: CellDecoder(question) for question in book.questions}
        self.known: dict[str, dict[str, Chosen]] = {question.id: {} for question in book.questions}

    def read(self, name: str, cell: str) -> Chosen | Message:
        """The ticked options of question `name`, or what is wrong with the cell."""
        known = self.known[name]
        if cell not in known:
            try:
                known[cell] = letters_or_texts(self.questions[name], self.decoders[name], cell)
            except CellError as error:
                return said_by(error)
        return known[cell]


class _PlainReader:
    def __init__(self, table: Table, book: QuizBook, class_file: ClassFile, columns: dict[str, int]) -> None:
        self.table, self.columns = table, columns
        self.ids = tuple(question.id for question in book.questions)
        self.problems: list[Problem] = []
        self.skips = Skipper(class_file, table.path.name)
        self.students = Students(table.path.name, class_file, partial(table.where, column=columns[STUDENT_ID]))
        self.times = Critical("submitted", class_file.no_times)
        self.attempts = Critical("attempt", class_file.no_attempts)
        self._moments = Moments()
        self._reader = AnswerReader(book)
        self._at = [(name, columns[name], self._reader.known[name]) for name in self.ids]

    def submissions(self) -> list[Submission]:
        result = []
        width = len(self.table.header)
        for number, row in self.table.rows():
            if len(self.problems) >= MOST_PROBLEMS:
                break
            if self.skips(number, "student"):
                continue
            if len(row) != width:
                what = say("has {n} cells, the header has {width}", n=len(row), width=width)
                self.problems.append(
                    Problem(self.table.where(number), what, say("quote cells that contain a separator"))
                )
            else:
                result.append(self._submission(number, row))
        return result

    def _submission(self, number: int, row: Sequence[str]) -> Submission:
        given, name = row[self.columns[STUDENT_ID]].strip(), self._text(row, "name")
        if given:
            student = self.students(number, given, name=name)
        else:
            student = ""
            self._problem(number, STUDENT_ID, say("is empty"), say("write the student's id"))
        chosen: list[Chosen | None] = [known.get(row[at]) for _, at, known in self._at]
        if None in chosen or number in self.skips.rows:
            chosen = [self._answer(number, name, row[at]) for name, at, _ in self._at]
        return Submission(
            student_id=student,
            questions=self.ids,
            chosen=tuple(chosen),
            name=name,
            section=self._text(row, "section"),
            submitted=self._moment(number, row),
            attempt=self._attempt(number, row),
            row=number,
        )

    def _answer(self, number: int, name: str, cell: str) -> Chosen | None:
        if self.skips(number, name):
            return None
        answer = self._reader.read(name, cell)
        if isinstance(answer, frozenset):
            return answer
        remedy = say(
            "correct the cell, or skip {{row: {row}, cell: {cell}, reason: …}} in the class file",
            row=number,
            cell=name,
        )
        self._problem(number, name, answer, remedy)
        return None

    def _moment(self, number: int, row: Sequence[str]) -> datetime | None:
        text = self._text(row, "submitted")
        if self.skips(number, "submitted"):
            return None
        self.times.saw(number, text)
        if not text:
            return None
        try:
            return self._moments[text]
        except ValueError:
            what = say("is not a time with its offset such as 2026-06-18T23:59:59+08:00: {text!r}", text=text)
            self._problem(number, "submitted", what, say("write the offset from UTC, once"))
            return None

    def _attempt(self, number: int, row: Sequence[str]) -> int | None:
        text = self._text(row, "attempt")
        self.attempts.saw(number, text)
        found = count_of(text)
        if text and found is None:
            self._problem(number, "attempt", NO_ATTEMPT.filled(text=text[:60]), say("count from 1"))
        return found

    def _text(self, row: Sequence[str], name: str) -> str:
        return row[self.columns[name]].strip() if name in self.columns else ""

    def _problem(self, number: int, column: str, what: Message, remedy: Message) -> None:
        self.problems.append(Problem(self.table.where(number, self.columns[column]), what, remedy))


class AnswerSheet(Frozen):
    """One student's answers in YAML: `answers: {q01: [B, D], q02: E}`; letters, or texts of options."""

    student_id: Text = "me"
    name: str = ""
    section: str = ""
    submitted: Moment | None = None
    attempt: int | None = None
    answers: dict[str, str | tuple[str, ...] | None]


class AnswerSheets(Frozen):
    """Many students' answers in YAML."""

    submissions: tuple[AnswerSheet, ...]


def read_yaml(path: Path, book: QuizBook, class_file: ClassFile = NOTHING_SPECIAL) -> SubmissionFile:
    """Answers of one student or of many. Raises InputError by file and line."""
    source = read(path)
    many = isinstance(source.data, dict) and "submissions" in source.data
    sheets = validate(AnswerSheets, source).submissions if many else (validate(AnswerSheet, source),)
    reader = AnswerReader(book)
    ids = tuple(question.id for question in book.questions)
    problems: list[Problem] = []
    submissions = []
    times, attempts = Critical("submitted", class_file.no_times), Critical("attempt", class_file.no_attempts)

    def answers_at(row: int) -> tuple[Any, ...]:
        return ("submissions", row - 1, "answers") if many else ("answers",)

    students = Students(path.name, class_file, lambda row: source.where(answers_at(row)))
    for i, sheet in enumerate(sheets):
        times.saw(i + 1, str(sheet.submitted or ""))
        attempts.saw(i + 1, str(sheet.attempt or ""))
        at = answers_at(i + 1)
        student = students(i + 1, sheet.student_id.strip(), name=sheet.name)
        submissions.append(_from_sheet(student, sheet, source, at, reader, ids, problems))
        if [s.student_id for s in submissions].index(student) != i and sheet.attempt is None:
            what = say("student {student} stands there twice", student=student)
            problems.append(Problem(source.where(at), what, say("keep one, or number the attempts")))
    problems += [*students.problems, *students.finish(), *critical_problems(path.name, times, attempts)]
    if problems:
        raise InputError(problems)
    notes = (*critical_notes(times, attempts), *students.notes()) if many else ()
    return SubmissionFile(path, sha256_of(path), "yaml", ids, tuple(submissions), notes=notes)


def read_answers(path: Path, book: QuizBook) -> dict[str, Chosen]:
    """One person's answers by question id, from YAML. Raises InputError, also if the file holds several people's."""
    submissions = read_yaml(path, book).submissions
    if len(submissions) != 1:
        what = say("holds the answers of {n} students, expected one", n=len(submissions))
        raise InputError(
            Problem(path.name, what, say("grade a class: `{command}`", command=command(book.folder, "grade", path)))
        )
    return submissions[0].answers


def _from_sheet(
    student: str,
    sheet: AnswerSheet,
    source: Source,
    at: tuple[Any, ...],
    reader: AnswerReader,
    ids: tuple[str, ...],
    problems: list[Problem],
) -> Submission:
    chosen: dict[str, Chosen] = {}
    for name, given in sheet.answers.items():
        if name not in ids:
            problems.append(
                Problem(
                    source.where((*at, name)),
                    say("{question} is not in the quiz", question=name),
                    did_you_mean(name, ids),
                )
            )
            continue
        answers = [reader.read(name, cell) for cell in ([given] if isinstance(given, str) else given or [])]
        problems += [
            Problem(source.where((*at, name)), fault, say("correct it"))
            for fault in answers
            if isinstance(fault, Message)
        ]
        chosen[name] = frozenset().union(*(answer for answer in answers if not isinstance(answer, str)))
    return Submission(
        student_id=student,
        questions=ids,
        chosen=tuple(chosen.get(name, frozenset()) for name in ids),
        name=sheet.name,
        section=sheet.section,
        submitted=sheet.submitted.astimezone(UTC) if sheet.submitted else None,
        attempt=sheet.attempt,
    )
