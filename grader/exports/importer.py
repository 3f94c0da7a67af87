"""An imitation of NTU COOL's gradebook importer, to see what a file would do before it does it.

After `lib/gradebook_importer.rb` of the public fork `ntudlclearntech/canvas-lms`: the bytes are read as Big5 and
only when that fails as UTF-8; a byte order mark is not removed; the separator is told from the first three lines;
every cell that looks like a number has its last comma or point made the decimal point; assignments are found by
`(id)`, else by title, else created; students by ID, else login, else name, else created; trailing headers that read
like totals are dropped; an empty cell over a score counts as a change; scores are compared at two decimals.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.exports.gradebook import ASSIGNMENT, POINTS_POSSIBLE, TOTALS, Gradebook, GradebookStudent, same_score

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Effect:
    """A score that the import would change; `new` is empty where it would erase one."""

    student: str
    assignment: str
    old: str
    new: str


@dataclass
class Outcome:
    """What the importer would do. `refused` is its reason not to take the file at all."""

    encoding: str = "big5"
    refused: str = ""
    effects: list[Effect] = field(default_factory=list)
    created_assignments: list[str] = field(default_factory=list)
    created_students: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    points_changed: list[str] = field(default_factory=list)
    lints: list[str] = field(default_factory=list)

    @property
    def safe(self) -> bool:
        """Whether nothing but scores would change, and none be erased."""
        unwanted = (self.refused, self.created_assignments, self.created_students, self.dropped, self.points_changed)
        return not any(unwanted) and not any(e.new == "" for e in self.effects) and not self.lints


def imitate(data: bytes, course: Gradebook) -> Outcome:
    """What importing `data` would do to `course`, the gradebook as exported."""
    outcome = Outcome()
    text = _decoded(data, outcome)
    outcome.lints += lint(data, text)
    rows = _rows(text)
    header: list[str] = next(rows, [])
    columns = _header(header, outcome)
    if not columns:
        return outcome
    targets = [_assignment(title, course, outcome) for title in header[columns:]]
    for row in rows:
        if row and POINTS_POSSIBLE in row[0]:
            _points(row[columns:], targets, course, outcome)
        elif not all(re.fullmatch(r"(Muted|)", cell.strip(), re.I) for cell in row):
            _student_row(row, columns, targets, course, outcome)
    return outcome


def lint(data: bytes, text: str) -> list[str]:
    """Traps that are worth a word even where the outcome is right."""
    found = []
    if data.startswith(BOM):
        found.append("begins with a byte order mark: read as Big5, the first header becomes 嚜燙tudent and is refused")
    if not data.isascii():
        found.append("holds characters beyond ASCII: the importer tries Big5 first, and they may turn into others")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    if any(re.search(r"[０-９．]", cell) for cell in cells):
        found.append("holds full-width digits: the importer does not read them as numbers")
    if any(re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+", cell) for cell in cells):
        found.append("holds a number with a thousands comma: the importer reads 1,234 as 1.234")
    return found


def _decoded(data: bytes, outcome: Outcome) -> str:
    try:
        return data.decode("big5")
    except UnicodeDecodeError:
        outcome.encoding = "utf-8"
        return data.decode("utf-8", errors="replace")


def _rows(text: str) -> Iterator[list[str]]:
    lines = list(io.StringIO(text, newline=""))
    separator = ";" if _fields(lines[:3], ";") > _fields(lines[:3], ",") else ","
    kept = [line for line in lines if not re.fullmatch(r"[;, ]*", line.rstrip("\r\n"))]
    for row in csv.reader(kept, delimiter=separator):
        yield [_number(cell) for cell in row]


def _fields(lines: Sequence[str], separator: str) -> int:
    """Fields of each line if they are equally many, else 0."""
    counts = {len(next(csv.reader([line], delimiter=separator), [])) for line in lines}
    return counts.pop() if len(counts) == 1 else 0


def _number(cell: str) -> str:
    """The importer's way with numbers: the last point or comma is the decimal one, the others go."""
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *whole, last = re.split(r"[,.]", cell)
    return f"{''.join(whole)}.{last}" if whole else last


def _header(header: list[str], outcome: Outcome) -> int:
    """How many leading columns say who the student is; 0 if the header is refused. Drops trailing totals."""
    if len(header) <= 3 or "Student" not in header[0] or "ID" not in header[1]:
        outcome.refused = f"the header must have Student first and ID second, and more than three columns: {header[:4]}"
        return 0
    columns = 3
    if re.search(r"SIS\s+Login\s+ID", header[2]):
        columns = 4
    elif re.search(r"SIS\s+User\s+ID", header[2]) and re.search(r"SIS\s+Login\s+ID", header[3]):
        columns = 5 + (len(header) > 4 and bool(re.search(r"Root\s+Account", header[4])))
    if len(header) < columns or "Section" not in header[columns - 1]:
        outcome.refused = f"column {columns} of the header must be Section, and is {header[columns - 1 : columns]}"
        return 0
    for i in reversed(range(columns, len(header))):
        if TOTALS.search(header[i]):
            outcome.dropped.append(header.pop(i))
    return columns


def _assignment(title: str, course: Gradebook, outcome: Outcome) -> int | None:
    """The course's column of an assignment, or None where the importer would create one."""
    match = ASSIGNMENT.match(title)
    for at in course.assignments:
        known = ASSIGNMENT.match(course.table.header[at])
        if known and ((match and match[2] == known[2]) or title == known[1]):
            return at
    outcome.created_assignments.append(title)
    return None


def _points(cells: Sequence[str], targets: Sequence[int | None], course: Gradebook, outcome: Outcome) -> None:
    for cell, at in zip(cells, targets, strict=False):
        if at is None or not cell or not course.points:
            continue
        if not same_score(course.points[at].strip(), cell):
            outcome.points_changed.append(f"{course.table.header[at]}: {course.points[at].strip()} -> {cell}")


def _student_row(
    row: Sequence[str], columns: int, targets: Sequence[int | None], course: Gradebook, outcome: Outcome
) -> None:
    student = _find(row, columns, course)
    if student is None:
        outcome.created_students.append(row[0])
        return
    for offset, at in enumerate(targets):
        if at is None:
            continue
        new = row[columns + offset] if columns + offset < len(row) else ""
        old = student.cells[at].strip() if at < len(student.cells) else ""
        blank = not old and not new
        if blank or (old and new and same_score(old, new)) or old == new:
            continue
        outcome.effects.append(Effect(student.login or student.lms_id, course.table.header[at], old, new))


def _find(row: Sequence[str], columns: int, course: Gradebook) -> GradebookStudent | None:
    login = row[columns - 2] if columns > 3 else ""
    for student in course.students:
        if row[1] and row[1] == student.lms_id:
            return student
    return next(
        (s for s in course.students if (login and login == s.login) or (row[0] and row[0] == s.name)),
        None,
    )
