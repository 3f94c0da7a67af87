"""The class list, and how it compares with the students who submitted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from basics.csv_source import header_name, open_table
from basics.errors import InputError, Problem
from grader.submissions.model import Submission

ID_HEADERS = ("student_id", "student id", "sis_id", "sis login id", "學號", "id")
"""Headers of the column with student ids, the most telling one first."""
NAME_HEADERS = ("name", "student", "student name", "姓名", "名稱")
SECTION_HEADERS = ("section", "班別", "班次")


@dataclass(frozen=True)
class RosterEntry:
    """A student of the class; the id as text."""

    student_id: str
    name: str = ""
    section: str = ""


def read_roster(path: Path) -> dict[str, RosterEntry]:
    """The class list by student id. Raises InputError for a missing id column, empty and repeated ids."""
    table = open_table(path, lambda header: any(header_name(cell) in ID_HEADERS for cell in header))
    names = [header_name(cell) for cell in table.header]
    at = next((names.index(header) for header in ID_HEADERS if header in names), None)
    if at is None:
        what = f"has no column with student ids (one of {', '.join(ID_HEADERS)})"
        raise InputError(Problem(table.where(1), what, "name the column student_id"))
    entries: dict[str, RosterEntry] = {}
    problems = []
    for number, row in table.rows():
        student = row[at].strip() if at < len(row) else ""
        if not student:
            problems.append(Problem(table.where(number, at), "has no student id", "write it, or remove the row"))
        elif student in entries:
            problems.append(Problem(table.where(number, at), f"student {student} stands there twice", "keep one"))
        else:
            entries[student] = RosterEntry(student, _cell(names, row, NAME_HEADERS), _cell(names, row, SECTION_HEADERS))
    if not entries and not problems:
        problems = [Problem(path.name, "names no student", "add the class list")]
    if problems:
        raise InputError(problems)
    return entries


def _cell(names: list[str], row: list[str], headers: Iterable[str]) -> str:
    places = [names.index(header) for header in headers if header in names]
    return row[places[0]].strip() if places and places[0] < len(row) else ""


def reconcile(
    roster: dict[str, RosterEntry], submissions: Iterable[Submission], file: str
) -> tuple[tuple[RosterEntry, ...], list[Problem]]:
    """Who is on the roster and did not submit, and a problem for each student who submitted and is not on it."""
    seen: set[str] = set()
    problems = []
    for submission in submissions:
        if submission.student_id not in roster and submission.student_id not in seen:
            what = f"student {submission.student_id} is not on the roster"
            remedy = f"add the student to it, or skip {{row: {submission.row}, cell: student, reason: …}}"
            problems.append(Problem(f"{file} row {submission.row}", what, remedy))
        seen.add(submission.student_id)
    return tuple(entry for student, entry in roster.items() if student not in seen), problems


def unknown_students(named: Collection[str], roster: Collection[str], what: str) -> list[Problem]:
    """A problem for each student whom the class file names and nobody knows."""
    return [
        Problem(f"class file, {what}", f"student {student} is neither on the roster nor in the file", "correct the id")
        for student in sorted(set(named) - set(roster))
    ]
