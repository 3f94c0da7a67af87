"""The class list, and how it compares with the students who submitted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from basics.csv_source import header_name, open_table
from basics.errors import InputError, Problem
from basics.messages import say
from grader.submissions.identity import Directory, mangled
from grader.submissions.model import RosterEntry, Submission

LMS_HEADER = "id"
ID_HEADERS = ("student_id", "student id", "sis_id", "sis user id", "sis login id", "學號", LMS_HEADER)
"""Headers of the column with student ids, the most telling one first; `id` beside another is the LMS's number."""
NAME_HEADERS = ("name", "student", "student name", "姓名", "名稱")
SECTION_HEADERS = ("section", "班別", "班次")
AS_TEXT = say("format the column as text, and write or export the ids again")


def read_roster(path: Path) -> dict[str, RosterEntry]:
    """The class list by student id.

    Raises InputError for a missing id column, empty and repeated ids, and ids that a spreadsheet mangled.
    """
    table = open_table(path, lambda header: any(header_name(cell) in ID_HEADERS for cell in header))
    names = [header_name(cell) for cell in table.header]
    at = next((names.index(header) for header in ID_HEADERS if header in names), None)
    if at is None:
        what = say("has no column with student ids (one of {headers})", headers=", ".join(ID_HEADERS))
        raise InputError(Problem(table.where(1), what, say("name the column student_id")))
    lms_at = (LMS_HEADER,) if names[at] != LMS_HEADER else ()
    entries: dict[str, RosterEntry] = {}
    numbers: dict[str, str] = {}
    problems = []
    for number, row in table.rows():
        student = row[at].strip() if at < len(row) else ""
        if not student:
            problems.append(
                Problem(table.where(number, at), say("has no student id"), say("write it, or remove the row"))
            )
        elif what := mangled(student):
            problems.append(
                Problem(
                    table.where(number, at), say("the id {student!r} {problem}", student=student, problem=what), AS_TEXT
                )
            )
        elif student in entries:
            problems.append(
                Problem(
                    table.where(number, at),
                    say("student {student} stands there twice", student=student),
                    say("keep one"),
                )
            )
        else:
            entry = RosterEntry(
                student, _cell(names, row, NAME_HEADERS), _cell(names, row, SECTION_HEADERS), _cell(names, row, lms_at)
            )
            entries[student] = entry
            other = numbers.setdefault(entry.lms_id, student) if entry.lms_id else student
            if other != student:
                what = say(
                    "students {other} and {student} have the same id {lms_id}",
                    other=other,
                    student=student,
                    lms_id=entry.lms_id,
                )
                problems.append(Problem(table.where(number), what, say("find out whose it is")))
    if not entries and not problems:
        problems = [Problem(path.name, say("names no student"), say("add the class list"))]
    if problems:
        raise InputError(problems)
    return entries


def _cell(names: list[str], row: list[str], headers: Iterable[str]) -> str:
    places = [names.index(header) for header in headers if header in names]
    return row[places[0]].strip() if places and places[0] < len(row) else ""


def reconcile(
    roster: Mapping[str, RosterEntry], submissions: Iterable[Submission], file: str
) -> tuple[tuple[RosterEntry, ...], list[Problem]]:
    """Who is on the roster and did not submit, and a problem for each student who submitted and is not on it."""
    seen: set[str] = set()
    problems = []
    known = Directory(roster)
    for submission in submissions:
        if submission.student_id not in roster and submission.student_id not in seen:
            what = say("student {student} is not on the roster", student=submission.student_id)
            guess = known.remedy(submission.student_id, submission.name)
            remedy = say(
                "{suggestion}; add the student to it, or skip {{row: {row}, cell: student, reason: …}}",
                suggestion=guess,
                row=submission.row,
            )
            problems.append(Problem(f"{file} row {submission.row}", what, remedy))
        seen.add(submission.student_id)
    return tuple(entry for student, entry in roster.items() if student not in seen), problems


def unknown_students(named: Collection[str], known: Mapping[str, RosterEntry], what: str) -> list[Problem]:
    """A problem for each student whom the class file names and nobody knows."""
    unknown = sorted(set(named) - set(known))
    if not unknown:
        return []
    directory = Directory(known)
    return [
        Problem(
            f"class file, {what}",
            say("student {student} is neither on the roster nor in the file", student=student),
            say("correct the id: {remedy}", remedy=directory.remedy(student)),
        )
        for student in unknown
    ]
