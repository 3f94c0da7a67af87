"""An imitation of NTU COOL's gradebook importer, to see what a file would do before it does it.

After `lib/gradebook_importer.rb` of the public fork `ntudlclearntech/canvas-lms`, step by step; what it does is told in
docs/canvas.md. Where it does something odd (a row "Manual Posting" becomes a nameless student, a zero over an excused
score is no change) so does this. A cell of nothing is None here where it is nil there: it is not an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from grader.exports.gradebook import (
    ASSIGNMENT,
    EXCUSED,
    NOT_ASSIGNED,
    POINTS_POSSIBLE,
    TOTALS,
    Gradebook,
    GradebookStudent,
)
from grader.exports.strict_csv import Malformed, strict_rows
from grader.marking.scoring import rounded

BOM = b"\xef\xbb\xbf"
BLANK_LINE = re.compile(r"[;, ]*")
Cell = str | None
Row = list[Cell]


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
    lost: list[str] = field(default_factory=list)
    points_changed: list[str] = field(default_factory=list)
    custom_changed: list[str] = field(default_factory=list)
    lints: list[str] = field(default_factory=list)

    @property
    def safe(self) -> bool:
        """Whether nothing but scores would change, and none be erased. A course total that is dropped does no harm."""
        unwanted = (self.refused, self.created_assignments, self.created_students, self.lost, self.points_changed)
        return not any((*unwanted, self.custom_changed, self.lints)) and all(e.new for e in self.effects)


@dataclass(frozen=True)
class Layout:
    """What the header makes of the columns: which is what, and how many stand before the assignments.

    A target is the course's column, or None for an assignment that is not there. Customs are the course's columns, by
    their place in the file.
    """

    leading: int
    sis_id: int | None
    login: int | None
    customs: dict[int, int]
    targets: tuple[int | None, ...]


def imitate(data: bytes, course: Gradebook) -> Outcome:
    """What importing `data` would do to `course`, the gradebook as exported."""
    outcome = Outcome()
    text = _decoded(data, outcome)
    outcome.lints += _encoding_lints(data)
    try:
        written = list(strict_rows(text, _separator(text), BLANK_LINE))
    except Malformed as error:
        outcome.refused = f"it is no CSV for the importer: {error}"
        return outcome
    outcome.lints += _digit_lints([cell for row in written for cell in row if cell])
    rows = [[_number(cell) for cell in row] for row in written]
    layout = _header(rows[0] if rows else [], course, outcome)
    if layout is None:
        return outcome
    points: Row = []
    scores: dict[tuple[GradebookStudent, int], Cell] = {}
    notes: dict[tuple[GradebookStudent, int], Cell] = {}
    for row in rows[1:]:
        if row and POINTS_POSSIBLE in (row[0] or ""):
            points = row[layout.leading :]
        elif not all(cell is None or re.fullmatch(r"(Muted|)", cell.strip(), re.I) for cell in row):
            _student_row(row, layout, course, outcome, scores, notes)
    _points(points, layout, course, outcome)
    fixed = {at for cell, at in zip(points, layout.targets, strict=False) if re.search(r"read\s+only", cell or "")}
    _scores({place: cell for place, cell in scores.items() if place[1] not in fixed}, course, outcome)
    _customs(notes, layout, course, outcome)
    return outcome


def _encoding_lints(data: bytes) -> list[str]:
    """Traps in the bytes that are worth a word even where the outcome is right."""
    found = []
    if data.startswith(BOM):
        found.append("begins with a byte order mark: read as Big5, the first header becomes 嚜燙tudent and is refused")
    if not data.isascii():
        found.append("holds characters beyond ASCII: the importer tries Big5 first, and they may turn into others")
    return found


def _digit_lints(cells: Sequence[str]) -> list[str]:
    """Traps in the numbers."""
    found = []
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


def _separator(text: str) -> str:
    """A semicolon if the first three lines have equally many fields with it, and more than with a comma."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)[:3]
    return ";" if _fields(lines, ";") > _fields(lines, ",") else ","


def _fields(lines: Sequence[str], separator: str) -> int:
    """Fields of each line if they are equally many, else 0."""
    try:
        counts = {len(next(strict_rows(line, separator), [])) for line in lines}
    except Malformed:
        return 0
    return counts.pop() if len(counts) == 1 else 0


def _number(cell: Cell) -> Cell:
    """The importer's way with numbers: the last point or comma is the decimal one, the others go."""
    if cell is None or not re.search(r"^-?[0-9.,]+%?$", cell, re.M):
        return cell
    parts = re.split(r"[,.]", cell)
    while parts and not parts[-1]:
        parts.pop()
    if not parts:
        return None
    *whole, last = parts
    return f"{''.join(whole)}.{last}" if whole else last


def _header(row: Row, course: Gradebook, outcome: Outcome) -> Layout | None:
    """What the header makes of the columns; None if it is refused."""
    header = [cell or "" for cell in row]
    if len(header) <= 3 or "Student" not in header[0] or "ID" not in header[1]:
        outcome.refused = f"the header must have Student first and ID second, and more than three columns: {header[:4]}"
        return None
    leading, sis_id, login = _id_columns(header)
    if len(header) < leading or "Section" not in header[leading - 1]:
        outcome.refused = f"column {leading} of the header must be Section, and is {header[leading - 1 : leading]}"
        return None
    titles = {course.table.header[at]: at for at in course.customs}
    places = {titles[title]: place for place, title in enumerate(header) if title in titles}
    leading += len(places)
    rest = header[leading:]
    outcome.lost += [title for title in header[:leading] if _known(title, course) is not None]
    while rest and TOTALS.search(rest[-1]):
        title = rest.pop()
        outcome.dropped.append(title)
        outcome.lost += [title] if _known(title, course) is not None else []
    targets = [_assignment(title, course, outcome) for title in rest if title not in titles]
    return Layout(leading, sis_id, login, {place: at for at, place in places.items()}, tuple(targets))


def _id_columns(header: Sequence[str]) -> tuple[int, int | None, int | None]:
    """How many columns say who the student is, and where SIS id and login stand."""
    third, fourth, fifth = [*header[2:5], "", "", ""][:3]
    if re.search(r"SIS\s+Login\s+ID", third):
        return 4, None, 2
    if re.search(r"SIS\s+User\s+ID", third) and re.search(r"SIS\s+Login\s+ID", fourth):
        return 5 + bool(re.search(r"Root\s+Account", fifth)), 2, 3
    return 3, None, None


def _assignment(title: str, course: Gradebook, outcome: Outcome) -> int | None:
    """The course's column of an assignment, or None where the importer would create one."""
    at = _known(title, course)
    if at is None:
        outcome.created_assignments.append(title or "(no title)")
    return at


def _known(title: str, course: Gradebook) -> int | None:
    match = ASSIGNMENT.match(title)
    known = {at: found for at in course.assignments if (found := ASSIGNMENT.match(course.table.header[at]))}
    by_number = (at for at, found in known.items() if match and int(match[2]) == int(found[2]))
    by_title = (at for at, found in known.items() if title == found[1])
    return next(by_number, next(by_title, None))


def _points(cells: Row, layout: Layout, course: Gradebook, outcome: Outcome) -> None:
    for cell, at in zip(cells, layout.targets, strict=False):
        if at is None or cell is None or not course.points_row or re.search(r"read\s+only", cell):
            continue
        old = course.plain(course.points[at])
        if (_to_f(old) if old else None) != (_to_f(cell) if cell.strip() else None):
            outcome.points_changed.append(f"{course.table.header[at]}: {old or 'none'} -> {cell or 'none'}")


def _student_row(
    row: Row,
    layout: Layout,
    course: Gradebook,
    outcome: Outcome,
    scores: dict[tuple[GradebookStudent, int], Cell],
    notes: dict[tuple[GradebookStudent, int], Cell],
) -> None:
    """Note what a row says of its student; of two rows the later counts."""
    student = _find(row, layout, course)
    if student is None:
        outcome.created_students.append(row[0] or "(no name)")
        return
    for offset, at in enumerate(layout.targets):
        if at is not None:
            scores[student, at] = _at(row, layout.leading + offset)
    for place, at in layout.customs.items():
        notes[student, at] = _at(row, place)


def _at(row: Row, place: int | None) -> Cell:
    return row[place] if place is not None and place < len(row) else None


def _find(row: Row, layout: Layout, course: Gradebook) -> GradebookStudent | None:
    number, sis_id, login = _at(row, 1), _at(row, layout.sis_id), _at(row, layout.login)
    name = _at(row, 0)
    ways: tuple[Callable[[GradebookStudent], bool], ...] = (
        lambda s: _present(number) and _to_i(number) == int(s.lms_id),
        lambda s: _present(sis_id) and sis_id == s.sis_id,
        lambda s: _present(login) and login == s.login,
        lambda s: _present(name) and name == s.name,
    )
    return next((student for way in ways for student in course.students if way(student)), None)


def _scores(scores: dict[tuple[GradebookStudent, int], Cell], course: Gradebook, outcome: Outcome) -> None:
    for (student, at), cell in scores.items():
        old = course.score(student, at)
        if old == NOT_ASSIGNED or _unchanged(old, cell):
            continue  # nothing is given to who was not assigned
        new = (cell or "").strip()
        name = student.login or student.lms_id
        outcome.effects.append(Effect(name, course.table.header[at], old, new))
        if new and new.upper() != EXCUSED and not re.fullmatch(r"-?(\d+|\d*\.\d+)%?", new, re.ASCII):
            outcome.lints.append(f"would give {name} {new!r}, which is no number")


def _unchanged(old: str, new: Cell) -> bool:
    """Whether the importer sees no change: it compares what both begin with as numbers, at two decimals."""
    new = "EX" if (new or "").upper() == EXCUSED else new
    if old == (new or "") or not (old or _present(new)):
        return True
    return bool(old) and _present(new) and rounded(_to_f(old)) == rounded(_to_f(new or ""))


def _customs(
    notes: dict[tuple[GradebookStudent, int], Cell], layout: Layout, course: Gradebook, outcome: Outcome
) -> None:
    """Contents of the course's own columns that would change; the first student who has none ends the comparison."""
    for at in layout.customs.values():
        title = course.table.header[at]
        if course.points_row and re.search(r"read\s+only", course.points[at]):
            continue
        mine = [(student, (cell or "")) for (student, column), cell in notes.items() if column == at]
        if _column_unchanged(mine, at):
            continue
        outcome.custom_changed += [
            f"{title} of {student.login or student.lms_id}: {student.cells[at] or 'none'} -> {new or 'none'}"
            for student, new in mine
            if student.cells[at] != new
        ]


def _column_unchanged(mine: Sequence[tuple[GradebookStudent, str]], at: int) -> bool:
    for student, new in mine:
        if not student.cells[at].strip() and not new.strip():
            return True
        if student.cells[at] != new:
            return False
    return True


def _present(cell: Cell) -> bool:
    return bool(cell and cell.strip())


def _to_f(text: str) -> Fraction:
    """As Ruby's `to_f`: the number that a text begins with, else 0."""
    match = re.match(r"\s*([-+]?\d+(\.\d+)?)", text, re.ASCII)
    return Fraction(match[1]) if match else Fraction(0)


def _to_i(text: Cell) -> int:
    """As Ruby's `to_i`: the whole number that a text begins with, else 0."""
    match = re.match(r"\s*([-+]?\d+)", text or "", re.ASCII)
    return int(match[1]) if match else 0
