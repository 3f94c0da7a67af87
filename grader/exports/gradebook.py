"""The LMS's gradebook: read its export, find whose score changes, write a file that its importer takes.

What NTU COOL's importer does with a file decides what may stand in it (`grader.exports.importer` imitates it): it
reads Big5 before UTF-8 and does not know a byte order mark, so the file is ASCII without one; it matches students by
`ID`, so a name that is not ASCII is replaced by the login; an empty cell over a score erases it, so only students
whose score changes are listed; the points row is taken over, so it repeats the LMS's own figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from basics.csv_source import MEND_SEPARATORS, Table, column_name, csv_text, open_table
from basics.errors import InputError, Problem
from basics.messages import say
from basics.suggestions import did_you_mean
from grader.exports.numerals import decimal_mark, plain_number, why_no_number
from grader.marking.scoring import rounded
from grader.marking.student_lines import harmless

ASSIGNMENT = re.compile(r"\A(.*)\s\((\d+)\)\Z", re.DOTALL)
TOTALS = re.compile(
    r"Current Score|Current Points|Current Grade|Final Score|Final Points|Final Grade"
    r"|Override Score|Override Grade|Override Status"
)
"""Headers that the importer takes for course totals and drops, where nothing else follows."""
POINTS_POSSIBLE = "Points Possible"
EXCUSED, NOT_ASSIGNED = "EX", "N/A"
OTHER_TITLE = "assignment"


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
    """An exported gradebook. `customs` are the course's own columns, which stand before the assignments.

    `mark` is the decimal mark of its numbers; `points_row` is 0 where the file has no points row.
    """

    table: Table
    id_columns: Mapping[str, int]
    customs: tuple[int, ...]
    assignments: tuple[int, ...]
    points: tuple[str, ...]
    points_row: int
    mark: str
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
        what = (
            say("fits {n} columns of {file}", n=len(found), file=self.table.path.name)
            if found
            else say("is no assignment of the gradebook")
        )
        remedy = say("give the whole header, Title (id)") if found else did_you_mean(wanted, list(titles.values()))
        raise InputError(Problem(f"assignment {wanted!r}", what, remedy))

    def plain(self, text: str) -> str:
        """A cell with its number in plain digits and a decimal point; any other text, and a doubtful one, as it is."""
        return plain_number(text, self.mark) or text.strip()

    def score(self, student: GradebookStudent, column: int) -> str:
        """What a student has in an assignment, numbers in plain digits."""
        return self.plain(student.cells[column])

    def possible(self, column: int) -> Fraction:
        """The assignment's points. Raises InputError where they are not there, are zero, or no number for certain."""
        what = say("has no points possible in the gradebook, so nothing says what its scores count")
        if self.points_row and (text := self.points[column].strip()):
            number = plain_number(text, self.mark)
            if number is not None and (points := Fraction(number)) > 0:
                return points
            why = say("is nothing") if number else why_no_number(text)
            what = say("is worth {text!r} points, which {problem}", text=text, problem=why)
        where = self.table.where(self.points_row or 1, column)
        raise InputError(
            Problem(f"{where}, {self.table.header[column]}", what, say("correct it in the LMS; export again"))
        )


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
        what = say("is not a gradebook export: it has no column {missing}", missing=", ".join(missing))
        raise InputError(Problem(table.where(1), what, say("export it in English from the LMS: Grades > Export")))
    ids: dict[str, int] = {
        name: columns[name] for name in ("Student", "ID", "SIS User ID", "SIS Login ID", "Section") if name in columns
    }
    rows = list(table.rows())
    if problems := _ragged(table, rows):
        raise InputError(problems)
    points_row, points = next(((n, row) for n, row in rows if POINTS_POSSIBLE in row[ids["Student"]]), (0, []))
    customs, assignments = _columns(table.header, ids["Section"] + 1, points)
    named = [(n, row) for n, row in rows if n != points_row and (row[ids["Student"]].strip() or row[ids["ID"]].strip())]
    students = [_student(number, row, ids) for number, row in named]
    if problems := [*_unknown(table, students), *_repeated(table, students)]:
        raise InputError(problems)
    mark = decimal_mark(row[at] for _, row in rows for at in assignments)
    return Gradebook(table, ids, customs, assignments, tuple(points), points_row, mark, tuple(students))


def _ragged(table: Table, rows: Sequence[tuple[int, Sequence[str]]]) -> list[Problem]:
    width = len(table.header)
    return [
        Problem(
            table.where(number), say("has {n} cells, the header has {width}", n=len(row), width=width), MEND_SEPARATORS
        )
        for number, row in rows
        if len(row) != width
    ]


def _columns(header: Sequence[str], first: int, points: Sequence[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The course's own columns and the assignments; totals stand last, and no points stand under them."""
    last = len(header)
    while last > first and TOTALS.search(header[last - 1]) and not _is_assignment(header, last - 1, points):
        last -= 1
    assignments = tuple(i for i in range(first, last) if ASSIGNMENT.match(header[i]))
    return tuple(range(first, assignments[0] if assignments else last)), assignments


def _is_assignment(header: Sequence[str], at: int, points: Sequence[str]) -> bool:
    return bool(ASSIGNMENT.match(header[at])) and not (points and re.search(r"\(.*\)", points[at]))


def _student(number: int, row: Sequence[str], ids: Mapping[str, int]) -> GradebookStudent:
    def cell(name: str) -> str:
        return row[ids[name]].strip() if name in ids else ""

    name = re.sub(r'^="(.*)"$', r"\1", cell("Student"))
    login, sis = cell("SIS Login ID"), cell("SIS User ID")
    return GradebookStudent(number, name, cell("ID"), login, sis, cell("Section"), tuple(row))


def _unknown(table: Table, students: Sequence[GradebookStudent]) -> list[Problem]:
    """Rows whose ID is not one of the LMS's: a spreadsheet's total, a mangled number, a formula."""
    return [
        Problem(
            table.where(s.row),
            say("has the ID {lms_id!r}, expected a number of the LMS", lms_id=s.lms_id),
            say("export it again"),
        )
        for s in students
        if not re.fullmatch(r"\d+", s.lms_id, re.ASCII)
    ]


def _repeated(table: Table, students: Sequence[GradebookStudent]) -> list[Problem]:
    first: dict[str, GradebookStudent] = {}
    return [
        Problem(
            table.where(s.row),
            say("ID {lms_id} stands in row {row} already", lms_id=s.lms_id, row=first[s.lms_id].row),
            say("export it again"),
        )
        for s in students
        if first.setdefault(s.lms_id, s) is not s
    ]


@dataclass(frozen=True)
class Transfer:
    """What goes into the gradebook: changes, and who is left alone and why.

    `rows` has everybody's row by student id, `scores` the score of everybody who is to have one, changed or not.
    """

    column: int
    changes: tuple[ScoreChange, ...]
    unchanged: int
    left_alone: tuple[str, ...]
    rows: Mapping[str, GradebookStudent]
    scores: Mapping[str, str]


def transfer(
    gradebook: Gradebook, column: int, totals: Mapping[str, Fraction], lms_ids: Mapping[str, str], scale: Fraction
) -> Transfer:
    """Compare totals (exact, by student id) with the gradebook at two decimals.

    Raises InputError for a student who is not in the gradebook, or matches two rows, and for scores there that are no
    numbers for certain.
    """
    rows = _match(gradebook, totals, lms_ids)
    if problems := doubtful(gradebook, (column,), rows.values()):
        raise InputError(problems)
    changes, left, unchanged = [], [], 0
    scores: dict[str, str] = {}
    for student, row in rows.items():
        old = gradebook.score(row, column)
        new = rounded(totals[student] * scale)
        if old.upper() == EXCUSED or old == NOT_ASSIGNED:
            left.append(f"{student}: {'excused' if old.upper() == EXCUSED else 'not assigned'}, left as it is")
            continue
        scores[student] = new
        if same_score(old, new):
            unchanged += 1
        else:
            changes.append(ScoreChange(row, old, new))
    named = {row.lms_id for row in rows.values()}
    left += [
        f"{s.login or s.lms_id}: no submission, left as it is" for s in gradebook.students if s.lms_id not in named
    ]
    return Transfer(column, tuple(changes), unchanged, tuple(left), rows, scores)


def doubtful(gradebook: Gradebook, columns: Iterable[int], students: Iterable[GradebookStudent]) -> list[Problem]:
    """Scores that hold digits and are no number for certain; a grade in words is none."""
    places = sorted((row.row, column, row.cells[column].strip()) for row in students for column in columns)
    return [
        Problem(
            gradebook.table.where(row, column),
            say("{text!r} {problem}", text=text, problem=why_no_number(text)),
            say("export it again"),
        )
        for row, column, text in places
        if any(map(str.isdigit, text)) and plain_number(text, gradebook.mark) is None
    ]


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
            what = say("student {student} is not in the gradebook", student=student)
            if candidates:
                what = say("student {student} fits two rows", student=student)
            remedy = say("export the gradebook again, or remove the student from the submissions and the roster")
            problems.append(Problem(where, what, remedy))
    taken: dict[str, str] = {}
    for student, row in found.items():
        if taken.setdefault(row.lms_id, student) != student:
            what = say(
                "students {other} and {student} are both ID {lms_id}",
                other=taken[row.lms_id],
                student=student,
                lms_id=row.lms_id,
            )
            problems.append(Problem(f"{where} row {row.row}", what, say("find out which account is meant")))
    if problems:
        raise InputError(problems)
    return found


def gradebook_file(gradebook: Gradebook, plan: Transfer) -> bytes:
    """The file to import: ASCII, no byte order mark, only students whose score changes, and no formula."""
    rows = [*_head(gradebook, plan.column), *(_line(change) for change in plan.changes)]
    return csv_text([[harmless(cell) for cell in row] for row in rows]).encode("ascii")


def defused(gradebook: Gradebook, plan: Transfer) -> list[str]:
    """What a spreadsheet would have run as a formula, and stands in the file with an apostrophe before it."""
    rows = [*_head(gradebook, plan.column), *(_line(change) for change in plan.changes)]
    return [
        f"{cell!r} would be a formula in a spreadsheet: written with an apostrophe before it"
        for cell in dict.fromkeys(cell for row in rows for cell in row)
        if harmless(cell) != cell
    ]


def _head(gradebook: Gradebook, column: int) -> list[list[str]]:
    """The header and the points. The importer goes by the number: a title that it would misread is replaced."""
    match = ASSIGNMENT.match(gradebook.table.header[column])
    assert match is not None
    title = OTHER_TITLE if TOTALS.search(match[1]) else plain(match[1], OTHER_TITLE)
    points = gradebook.plain(gradebook.points[column])
    return [
        ["Student", "ID", "SIS Login ID", "Section", f"{title} ({match[2]})"],
        [f"    {POINTS_POSSIBLE}", "", "", "", points],
    ]


def _line(change: ScoreChange) -> list[str]:
    student = change.student
    name = plain(student.name, student.login or student.lms_id)
    return [name, student.lms_id, plain(student.login, ""), plain(student.section, ""), change.new]


def plain(text: str, otherwise: str) -> str:
    """`text` if it is ASCII, else `otherwise`: no byte of the file may mean one thing in Big5 and another in UTF-8."""
    return text if text.isascii() else otherwise if otherwise.isascii() else ""


def column_of(gradebook: Gradebook, column: int) -> str:
    """`column F, HW10 (123456)`, for messages."""
    return f"column {column_name(column)}, {gradebook.table.header[column]}"
