"""The LMS's gradebook: read its export, find whose score changes, write a file that its importer takes.

What NTU COOL's importer does with a file decides what may stand in it (`grader.exports.importer` imitates it): it
reads Big5 before UTF-8 and does not know a byte order mark, so the file is ASCII without one; it matches students by
`ID`, so a name that is not ASCII is replaced by the login; an empty cell over a score erases it, so only students
whose score changes are listed; the points row is taken over, so it repeats the LMS's own figure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from basics.csv_source import Table, column_name, csv_text, open_table
from basics.errors import InputError, Problem
from basics.suggestions import did_you_mean
from grader.marking.scoring import rounded
from grader.marking.student_lines import harmless

ASSIGNMENT = re.compile(r"\A(.*)\s\((\d+)\)\Z", re.DOTALL)
TOTALS = re.compile(
    r"Current Score|Current Points|Current Grade|Final Score|Final Points|Final Grade"
    r"|Override Score|Override Grade|Override Status"
)
"""Headers that the importer takes for course totals and drops."""
POINTS_POSSIBLE = "Points Possible"
EXCUSED, NOT_ASSIGNED = "EX", "N/A"


@dataclass(frozen=True)
class GradebookStudent:
    """A student's row; `cells` are the row's texts by column."""

    row: int
    name: str
    lms_id: str
    login: str
    sis_id: str
    section: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Gradebook:
    """An exported gradebook."""

    table: Table
    id_columns: Mapping[str, int]
    assignments: tuple[int, ...]
    points: tuple[str, ...]
    students: tuple[GradebookStudent, ...]

    def column(self, wanted: str) -> int:
        """The column of an assignment by `Title (id)`, id or title. Raises InputError unless exactly one fits."""
        titles = {at: self.table.header[at] for at in self.assignments}
        found = [
            at
            for at, title in titles.items()
            if (match := ASSIGNMENT.match(title)) and wanted in (title, match[1], match[2], f"({match[2]})")
        ]
        if len(found) == 1:
            return found[0]
        what = f"fits {len(found)} columns of {self.table.path.name}" if found else "is no assignment of the gradebook"
        remedy = "give the whole header, Title (id)" if found else did_you_mean(wanted, list(titles.values()))
        raise InputError(Problem(f"assignment {wanted!r}", what, remedy))

    def possible(self, column: int) -> Fraction | None:
        """The assignment's points, or None if the export has no points row."""
        text = self.points[column].strip() if column < len(self.points) else ""
        return Fraction(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


@dataclass(frozen=True)
class ScoreChange:
    """One student's new score; `old` is the text in the gradebook, empty if there was none."""

    student: GradebookStudent
    old: str
    new: str


def read_gradebook(path: Path) -> Gradebook:
    """Read an exported gradebook. Raises InputError for anything else, and for students who stand in it twice."""
    table = open_table(path, lambda header: "Student" in header and "Section" in header)
    columns = {name.strip(): i for i, name in reversed(list(enumerate(table.header)))}
    missing = [name for name in ("Student", "ID", "Section") if name not in columns]
    if missing:
        what = f"is not a gradebook export: it has no column {', '.join(missing)}"
        raise InputError(Problem(table.where(1), what, "export it in English from the LMS: Grades > Export"))
    ids: dict[str, int] = {
        name: columns[name] for name in ("Student", "ID", "SIS User ID", "SIS Login ID", "Section") if name in columns
    }
    assignments = tuple(
        i
        for i, title in enumerate(table.header)
        if i > ids["Section"] and ASSIGNMENT.match(title) and not TOTALS.search(title)
    )
    points: tuple[str, ...] = ()
    students: list[GradebookStudent] = []
    for number, row in table.rows():
        name = row[ids["Student"]].strip()
        if POINTS_POSSIBLE in name:
            points = tuple(row)
        elif row[ids["ID"]].strip():
            students.append(_student(number, row, ids))
    if problems := _repeated(table, students):
        raise InputError(problems)
    return Gradebook(table, ids, assignments, points, tuple(students))


def _student(number: int, row: Sequence[str], ids: Mapping[str, int]) -> GradebookStudent:
    def cell(name: str) -> str:
        return row[ids[name]].strip() if name in ids and ids[name] < len(row) else ""

    name = re.sub(r'^="(.*)"$', r"\1", cell("Student"))
    login, sis = cell("SIS Login ID"), cell("SIS User ID")
    return GradebookStudent(number, name, cell("ID"), login, sis, cell("Section"), tuple(row))


def _repeated(table: Table, students: Sequence[GradebookStudent]) -> list[Problem]:
    first: dict[str, GradebookStudent] = {}
    return [
        Problem(table.where(s.row), f"ID {s.lms_id} stands in row {first[s.lms_id].row} already", "export it again")
        for s in students
        if first.setdefault(s.lms_id, s) is not s
    ]


@dataclass(frozen=True)
class Transfer:
    """What goes into the gradebook: changes, and who is left alone and why."""

    column: int
    changes: tuple[ScoreChange, ...]
    unchanged: int
    left_alone: tuple[str, ...]


def transfer(
    gradebook: Gradebook, column: int, totals: Mapping[str, Fraction], lms_ids: Mapping[str, str], scale: Fraction
) -> Transfer:
    """Compare totals (exact, by student id) with the gradebook at two decimals.

    Raises InputError for a student who is not in the gradebook, or matches two rows.
    """
    rows = _match(gradebook, totals, lms_ids)
    changes, left, unchanged = [], [], 0
    for student, row in rows.items():
        old = row.cells[column].strip() if column < len(row.cells) else ""
        new = rounded(totals[student] * scale)
        if old.upper() == EXCUSED or old == NOT_ASSIGNED:
            left.append(f"{student}: {'excused' if old.upper() == EXCUSED else 'not assigned'}, left as it is")
        elif same_score(old, new):
            unchanged += 1
        else:
            changes.append(ScoreChange(row, old, new))
    named = {row.lms_id for row in rows.values()}
    left += [
        f"{s.login or s.lms_id}: no submission, left as it is" for s in gradebook.students if s.lms_id not in named
    ]
    return Transfer(column, tuple(changes), unchanged, tuple(left))


def same_score(old: str, new: str) -> bool:
    """Whether two scores are the same at two decimals, as the importer compares them."""
    if not all(re.fullmatch(r"-?\d+(\.\d*)?", text) for text in (old, new)):
        return old == new
    return rounded(Fraction(old)) == rounded(Fraction(new))


def _match(
    gradebook: Gradebook, totals: Mapping[str, Fraction], lms_ids: Mapping[str, str]
) -> dict[str, GradebookStudent]:
    by_lms = {s.lms_id: s for s in gradebook.students}
    by_name: dict[str, list[GradebookStudent]] = {}
    for s in gradebook.students:
        for name in {s.login, s.sis_id} - {""}:
            by_name.setdefault(name, []).append(s)
    found: dict[str, GradebookStudent] = {}
    problems = []
    where = gradebook.table.path.name
    for student in totals:
        lms = lms_ids.get(student, "")
        candidates = by_name.get(student) or [by_lms[x] for x in (student,) if x in by_lms]
        candidates = [by_lms[lms]] if lms in by_lms else candidates
        if len(candidates) == 1:
            found[student] = candidates[0]
        else:
            what = f"student {student} {'is not in the gradebook' if not candidates else 'fits two rows'}"
            remedy = "export the gradebook again, or remove the student from the submissions"
            problems.append(Problem(where, what, remedy))
    taken: dict[str, str] = {}
    for student, row in found.items():
        if taken.setdefault(row.lms_id, student) != student:
            what = f"students {taken[row.lms_id]} and {student} are both ID {row.lms_id}"
            problems.append(Problem(f"{where} row {row.row}", what, "find out which account is meant"))
    if problems:
        raise InputError(problems)
    return found


def gradebook_file(gradebook: Gradebook, plan: Transfer) -> bytes:
    """The file to import: ASCII, no byte order mark, only students whose score changes."""
    title = gradebook.table.header[plan.column]
    match = ASSIGNMENT.match(title)
    assert match is not None
    header = ["Student", "ID", "SIS Login ID", "Section", f"{plain(match[1], 'assignment')} ({match[2]})"]
    rows = [header]
    if plan.column < len(gradebook.points) and gradebook.points[plan.column].strip():
        rows.append([f"    {POINTS_POSSIBLE}", "", "", "", gradebook.points[plan.column].strip()])
    for change in plan.changes:
        student = change.student
        name = plain(student.name, student.login or student.lms_id)
        section = plain(student.section, "")
        rows.append([harmless(name), student.lms_id, harmless(plain(student.login, "")), harmless(section), change.new])
    return csv_text(rows).encode("ascii")


def plain(text: str, otherwise: str) -> str:
    """`text` if it is ASCII, else `otherwise`: no byte of the file may mean one thing in Big5 and another in UTF-8."""
    return text if text.isascii() else otherwise if otherwise.isascii() else ""


def column_of(gradebook: Gradebook, column: int) -> str:
    """`column F, HW10 (123456)`, for messages."""
    return f"column {column_name(column)}, {gradebook.table.header[column]}"
