"""The class file: what the TA knows that no LMS report says. One YAML file, with a reason for everything unusual.

Roster, extensions, violations, cells to skip, LMS columns that could not be matched by text, the key Canvas graded
with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from basics.errors import InputError, Problem
from basics.messages import say
from basics.moments import Moment
from basics.suggestions import did_you_mean
from basics.yaml_source import Source, read, validate
from evaluators.evidence import Frozen
from grader.quiz.spec import Letter, QuizBook, Text
from grader.submissions.headers import COLUMNS

IGNORE = "ignore"
STUDENT_ID = "student_id"
Reason = Annotated[str, Field(min_length=8)]
Language = Literal["en", "zh-TW"]
NoSubmission = Literal["listed", "row", "zero"]


class Skip(Frozen):
    """A cell that is not to be graded. `cell` is a question id, or `student`, `submitted`, `counts` (row: all)."""

    row: Annotated[int, Field(ge=2)] | Literal["all"]
    cell: Text
    reason: Reason


class Extension(Frozen):
    """A student's own deadline."""

    student: Text
    until: Moment
    reason: Reason


class Violation(Frozen):
    """A breach of the rules in this homework; `earlier` counts the student's violations earlier in the semester."""

    student: Text
    what: Reason
    earlier: Annotated[int, Field(ge=0)] = 0


class ClassFile(Frozen):
    """The whole file; every key may be left out.

    `columns` says what columns are: question ids by the LMS's number, others by their header, or `ignore`.
    `no_times` and `no_attempts` confirm, with the reason, that a file does not say when or which attempt;
    `no_sis_ids`, that the LMS's number stands in for an empty `sis_id`;
    `empty_cells`, that an empty cell is an empty answer even where the LMS gave points for it.
    `no_submission` says what becomes of students of the roster who handed nothing in: they are named with the result
    (`listed`), have a row without points in the scores as well (`row`), or a row and a gradebook score of 0 (`zero`).
    """

    roster: str | None = None
    columns: dict[str, Text] = Field(default_factory=dict)
    skip: tuple[Skip, ...] = ()
    extensions: tuple[Extension, ...] = ()
    violations: tuple[Violation, ...] = ()
    no_times: Reason | None = None
    no_attempts: Reason | None = None
    no_sis_ids: Reason | None = None
    empty_cells: Reason | None = None
    canvas_key: dict[str, tuple[Letter, ...]] = Field(default_factory=dict)
    no_submission: NoSubmission = "listed"
    feedback: tuple[Language, ...] = ("en", "zh-TW")


NOTHING_SPECIAL = ClassFile()


def read_class_file(path: Path | None, book: QuizBook) -> ClassFile:
    """The class file at `path`, or an empty one. Raises InputError for unknown questions, letters and repetitions."""
    if path is None:
        return ClassFile()
    source = read(path)
    result = validate(ClassFile, source)
    problems = [*_unknown_questions(result, source, book), *_repetitions(result, source)]
    problems += _offsets(result, source, book)
    if result.no_submission != "listed" and not result.roster:
        what = say(
            "no_submission: {setting} needs a roster: nobody else knows who handed nothing in",
            setting=result.no_submission,
        )
        problems.append(Problem(source.where(("no_submission",)), what, say("name one: `roster: roster.csv`")))
    if problems:
        raise InputError(problems)
    if result.roster:
        return result.model_copy(update={"roster": str(path.parent / result.roster)})
    return result


def _unknown_questions(file: ClassFile, source: Source, book: QuizBook) -> list[Problem]:
    known = [question.id for question in book.questions]
    meant = [*known, *COLUMNS, STUDENT_ID, IGNORE]
    named = [
        (source.where(("columns", key)), said, [*known, IGNORE] if key.isdecimal() else meant)
        for key, said in file.columns.items()
    ]
    named += [
        (source.where(("skip", i, "cell")), entry.cell, [*known, "student", "submitted", "counts"])
        for i, entry in enumerate(file.skip)
    ]
    named += [(source.where(("canvas_key", q)), q, known) for q in file.canvas_key]
    problems = [
        Problem(
            where,
            say("{name!r} is not one of {allowed}", name=name, allowed=", ".join(allowed)),
            did_you_mean(name, allowed),
        )
        for where, name, allowed in named
        if name not in allowed
    ]
    for name, letters in file.canvas_key.items():
        if name in known and (unknown := sorted(set(letters) - set(book.question(name).options))):
            where = source.where(("canvas_key", name))
            problems.append(
                Problem(
                    where,
                    say("{question} has no option {letters}", question=name, letters=", ".join(unknown)),
                    say("correct the letter"),
                )
            )
    return problems


def _offsets(file: ClassFile, source: Source, book: QuizBook) -> list[Problem]:
    return [
        Problem(source.where(("extensions", i, "until")), wrong, say("correct the offset"))
        for i, extension in enumerate(file.extensions)
        if (wrong := book.quiz.other_offset(extension.until))
    ]


def _repetitions(file: ClassFile, source: Source) -> list[Problem]:
    entries = [
        ("extensions", [e.student for e in file.extensions]),
        ("violations", [v.student for v in file.violations]),
    ]
    return [
        Problem(
            source.where((key, i)),
            say("{key} names {student} twice", key=key, student=student),
            say("keep one entry for each student"),
        )
        for key, students in entries
        for i, student in enumerate(students)
        if student in students[:i]
    ]
