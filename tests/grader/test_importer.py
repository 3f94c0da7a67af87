"""The imitated importer against files traced by hand through `lib/gradebook_importer.rb` of NTU COOL's fork.

Each case says in a word what its Ruby does there. Line ends are `\\n` unless a case is about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.exports.gradebook import Gradebook, read_gradebook
from grader.exports.importer import imitate

EXPORT = """\
Student,ID,SIS Login ID,Section,Notes,Mentor,Final Score essay (13),HW9 (11),HW10 (12)
    Points Possible,,,,,(read only),5.00,10.00,10.00
"Wang, A",101,b1,S1,late,Lin,4.00,8.33,
"Lee, B",102,b2,S1,,,,7.00,3.00
"Ho, C",103,b3,S2,x,Lin,,EX,N/A
"""
HEAD = "Student,ID,SIS Login ID,Section"
HW10 = f"{HEAD},HW10 (12)\n"
SCORE = ("b1", 12, "", "9.00")


@dataclass(frozen=True)
class Case:
    """A file, why it comes out as it does, and everything that the import would do."""

    why: str
    file: str | bytes
    effects: tuple[tuple[str, int, str, str], ...] = ()
    refused: str = ""
    created: tuple[str, ...] = ()
    students: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    customs: tuple[str, ...] = ()
    safe: bool = True


CASES = {
    "as exported": Case("nothing differs: no_change_to_submission? for every cell", EXPORT),
    "one score": Case("an empty original and a present grade differ", f"{HW10}x,101,,,9.00\n", (SCORE,)),
    # custom columns, by title
    "custom columns after Section": Case(
        "titles of the course are counted into the student columns, not taken for assignments",
        f'{HEAD},Notes,HW10 (12)\n"Wang, A",101,b1,S1,late,9.00\n',
        (SCORE,),
    ),
    "one custom column of two": Case(
        "update_column_count counts those that are in the file",
        f"{HEAD},Mentor,HW10 (12)\n    Points Possible,,,,(read only),10.00\nx,101,b1,S1,Lin,9.00\n",
        (SCORE,),
    ),
    "custom column after the assignment": Case(
        "as many columns as there are customs are shifted, wherever they stand: HW10 goes",
        f"{HEAD},HW10 (12),Notes\nx,101,b1,S1,9.00,late\n",
        lost=("HW10 (12)",),
        safe=False,
    ),
    "custom content changed": Case(
        "content is compared as text",
        f"{HEAD},Notes,HW10 (12)\nx,101,b1,S1,early,9.00\n",
        (SCORE,),
        customs=("Notes of b1: late -> early",),
        safe=False,
    ),
    "custom content emptied": Case(
        "nil is not what stands there",
        f"{HEAD},Notes,HW10 (12)\nx,101,b1,S1,,9.00\n",
        (SCORE,),
        customs=("Notes of b1: late -> none",),
        safe=False,
    ),
    "custom content after a student without any": Case(
        "`return true` inside all? leaves the method at the first student whose content is blank on both sides",
        f"{HEAD},Notes,HW10 (12)\nx,102,b2,S1,,3.00\ny,101,b1,S1,early,\n",
    ),
    "read-only custom column changed": Case(
        "exclude_custom_column_on_import", f"{HEAD},Mentor,HW10 (12)\nx,101,b1,S1,Chen,9.00\n", (SCORE,)
    ),
    "a title that is no custom column of the course": Case(
        "not found by title, so it is an assignment, and the real one still has its number",
        f"{HEAD},Remarks,HW10 (12)\nx,101,b1,S1,late,9.00\n",
        (SCORE,),
        created=("Remarks",),
        safe=False,
    ),
    # totals, trailing ones only
    "totals at the end": Case(
        "popped while the last title matches; they were never assignments",
        f"{HEAD},HW10 (12),Current Score,Unposted Final Score\nx,101,b1,S1,9.00,1,2\n",
        (SCORE,),
        dropped=("Unposted Final Score", "Current Score"),
    ),
    "a total before an assignment": Case(
        "the last title does not match, so nothing is popped; no id, no such title: a new assignment",
        f"{HEAD},Current Score,HW10 (12)\nx,101,b1,S1,1,9.00\n",
        (SCORE,),
        created=("Current Score",),
        safe=False,
    ),
    "an assignment like a total before another": Case(
        "not at the end: found by its number",
        f"{HEAD},Final Score essay (13),HW10 (12)\nx,101,b1,S1,5.00,9.00\n",
        (("b1", 13, "4.00", "5.00"), SCORE),
    ),
    "an assignment like a total at the end": Case(
        "popped with its scores",
        f"{HEAD},HW10 (12),Final Score essay (13)\nx,101,b1,S1,9.00,5.00\n",
        (SCORE,),
        dropped=("Final Score essay (13)",),
        lost=("Final Score essay (13)",),
        safe=False,
    ),
    # quoting, as Ruby's CSV has it
    "a quote never closed": Case(
        "MalformedCSVError: the job fails", f'{HW10}"Wang, A,101,,,9.00\n', refused="a quote is not closed", safe=False
    ),
    "a quote inside a cell": Case(
        "Illegal quoting", f'{HW10}Wang "A",101,,,9.00\n', refused="a quote stands in a cell", safe=False
    ),
    "text after a closing quote": Case(
        "Any value after quoted field isn't allowed", f'{HW10}"Wang" A,101,,,9.00\n', refused="text follows", safe=False
    ),
    "a space before a quote": Case(
        "the cell began without one: Illegal quoting", f'{HW10}x, "101",,,9.00\n', refused="a quote stands", safe=False
    ),
    "two quotes are one": Case("an escaped quote", f'{HW10}"Wang ""A""",101,,,9.00\n', (SCORE,)),
    "a line end in quotes": Case("belongs to the cell", f'{HW10}"Wang\nA",101,,,9.00\n', (SCORE,)),
    "line ends of two kinds": Case(
        "row_sep is that of the first line; the other one may not stand without quotes",
        f"{HEAD},HW10 (12)\r\nx,101,,,9.00\ny,102,,,4.00\r\n",
        refused="a line ends in another way",
        safe=False,
    ),
    "line ends of Windows": Case("the row_sep of all lines", f"{HEAD},HW10 (12)\r\nx,101,,,9.00\r\n", (SCORE,)),
    "rows of separators": Case("skip_lines", f"{HW10}\n;;;\n , ;\nx,101,,,9.00\n,,,,\n", (SCORE,)),
    # separators and numbers
    "semicolons": Case(
        "five fields a line against fewer with a comma; a comma is made a point",
        "Student;ID;SIS Login ID;Section;HW10 (12)\nx;101;;;9,00\ny;102;;;4,5\n",
        (SCORE, ("b2", 12, "3.00", "4.5")),
    ),
    "semicolons and one broken line of the first three": Case(
        "not equally many fields with either: a comma; one column is no header",
        "Student;ID;SIS Login ID;Section;HW10 (12)\nx;101\ny;102;;;4,5\n",
        refused="more than three",
        safe=False,
    ),
    "a thousands comma": Case(
        "the last mark is the decimal one", f'{HW10}x,101,,,"1,234"\n', (("b1", 12, "", "1.234"),), safe=False
    ),
    "a thousands comma and a point": Case(
        "all marks but the last go", f'{HW10}x,101,,,"1,234.5"\n', (("b1", 12, "", "1234.5"),)
    ),
    "a point at the end": Case("split drops trailing empty parts", f"{HW10}x,101,,,9.\n", (("b1", 12, "", "9"),)),
    "marks alone": Case("nothing is left to pop: nil, and the original is blank too", f'{HW10}x,101,,,"."\n'),
    "digits of full width": Case(
        "not /[0-9]/, left as text", f"{HW10}x,101,,,９\n", (("b1", 12, "", "９"),), safe=False
    ),
    # the row of points
    "other points": Case(
        "assignment.changed?",
        f"{HW10}    Points Possible,,,,20\nx,101,,,9.00\n",
        (SCORE,),
        points=("HW10 (12): 10.00 -> 20",),
        safe=False,
    ),
    "the same points written otherwise": Case(
        "10.0 == 10.0", f"{HW10}    Points Possible,,,,10\nx,101,,,9.00\n", (SCORE,)
    ),
    "points of nothing": Case(
        "`if row[idx]`: nil sets nothing", f"{HW10}    Points Possible,,,,\nx,101,,,9.00\n", (SCORE,)
    ),
    "points of an empty text": Case(
        "an empty text is not nil: the points go",
        f'{HW10}    Points Possible,,,,""\nx,101,,,9.00\n',
        (SCORE,),
        points=("HW10 (12): 10.00 -> none",),
        safe=False,
    ),
    "points (read only)": Case(
        "readonly_assignment? takes it out", f"{HW10}    Points Possible,,,,(read only)\nx,101,,,9.00\n"
    ),
    "points at the end": Case(
        "told by its name, wherever it stands", f"{HW10}x,101,,,9.00\n Points Possible,,,,10.00\n", (SCORE,)
    ),
    # rows that are no students
    "muted": Case("all cells are Muted or empty: skipped", f"{HW10},,,,muted\nx,101,,,9.00\n", (SCORE,)),
    "manual posting": Case(
        "the fork skips Muted only: a student without name",
        f"{HW10},,,,Manual Posting\nx,101,,,9.00\n",
        (SCORE,),
        students=("(no name)",),
        safe=False,
    ),
    # students
    "an ID with another's name": Case("the ID decides", f'{HW10}"Lee, B",101,b2,,9.00\n', (SCORE,)),
    "an ID with a zero before it": Case("to_i", f"{HW10}x,0101,,,9.00\n", (SCORE,)),
    "a login without an ID": Case("by login", f"{HW10}x,,b1,,9.00\n", (SCORE,)),
    "an unknown ID with a login": Case("not found by ID, so by login", f"{HW10}x,999,b1,,9.00\n", (SCORE,)),
    "a name alone": Case("by name, the whole of it", f'{HW10}"Wang, A",,,,9.00\n', (SCORE,)),
    "a stranger": Case("User.new", f"{HW10}Nobody,999,b9,,9.00\n", students=("Nobody",), safe=False),
    "a student twice": Case("the later row replaces the earlier one", f"{HW10}x,101,,,5.00\nx,101,,,9.00\n", (SCORE,)),
    # headers
    "a SIS user id before the login": Case(
        "five columns", "Student,ID,SIS User ID,SIS Login ID,Section,HW10 (12)\nx,,,b1,S,9.00\n", (SCORE,)
    ),
    "a root account": Case(
        "six columns", "Student,ID,SIS User ID,SIS Login ID,Root Account,Section,HW10 (12)\nx,101,,,,S,9.00\n", (SCORE,)
    ),
    "an integration id": Case(
        "unknown to the fork: the fifth is not Section",
        "Student,ID,SIS User ID,SIS Login ID,Integration ID,Section,HW10 (12)\nx,101,,,,S,9.00\n",
        refused="column 5 of the header must be Section",
        safe=False,
    ),
    "no login": Case("three columns", "Student,ID,Section,HW10 (12)\nx,101,S,9.00\n", (SCORE,)),
    "a header in Chinese": Case(
        "not /Student/", "學生,ID,Section,HW10 (12)\nx,101,S,9.00\n", refused="Student first", safe=False
    ),
    "a byte order mark": Case(
        "Big5 eats the S", b"\xef\xbb\xbf" + f"{HW10}x,101,,,9.00\n".encode(), refused="Student first", safe=False
    ),
    "a title without its number": Case("found by title", f"{HEAD},HW10\nx,101,,,9.00\n", (SCORE,)),
    "a number with zeros before it": Case("to_i", f"{HEAD},Anything (0012)\nx,101,,,9.00\n", (SCORE,)),
    "a number of another course": Case(
        "not found: created", f"{HEAD},HW10 (77)\nx,101,,,9.00\n", created=("HW10 (77)",), safe=False
    ),
    "a header of nothing": Case(
        "Assignment.new(title: nil)", f"{HW10[:-1]},\nx,101,,,9.00,\n", (SCORE,), created=("(no title)",), safe=False
    ),
    "nothing": Case("no header at all", "", refused="more than three columns", safe=False),
    # scores
    "the same at two decimals": Case("compared as I18n.n writes them", f"{HEAD},HW9 (11)\nx,101,,,8.334\n"),
    "a short row": Case(
        "nil over a score is a change", f"{HW10}x,101,,,\nz,103,,,\ny,102,,\n", (("b2", 12, "3.00", ""),), safe=False
    ),
    "a short row among the first three": Case(
        "unequal with a comma, one field in each line with a semicolon: that it is, and one column is no header",
        f"{HW10}y,102,,\n",
        refused="more than three columns",
        safe=False,
    ),
    "excused in small letters": Case("casecmp", f"{HEAD},HW9 (11)\nz,103,,,ex\n"),
    "a zero over excused": Case('"EX".to_f is 0.0: no change', f"{HEAD},HW9 (11)\nz,103,,,0\n"),
    "a score over excused": Case("8.0 is not 0.0", f"{HEAD},HW9 (11)\nz,103,,,8\n", (("b3", 11, "EX", "8"),)),
    "a score for who is not assigned": Case("made an empty text, as the original is", f"{HW10}z,103,,,9.00\n"),
    "a word over a score": Case(
        "to_f of a word is 0.0", f"{HW10}y,102,,,good\n", (("b2", 12, "3.00", "good"),), safe=False
    ),
    "a percentage": Case("kept as it is", f"{HW10}x,101,,,90%\n", (("b1", 12, "", "90%"),)),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Gradebook:
    path = tmp_path_factory.mktemp("course") / "gradebook.csv"
    path.write_text(EXPORT)
    return read_gradebook(path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_file_does_what_the_importer_s_own_lines_say(course: Gradebook, case: Case) -> None:
    data = case.file if isinstance(case.file, bytes) else case.file.encode()
    outcome = imitate(data, course)
    number = {course.table.header[at]: int(course.table.header[at].split("(")[1][:-1]) for at in course.assignments}
    assert tuple((e.student, number[e.assignment], e.old, e.new) for e in outcome.effects) == case.effects
    assert case.refused in outcome.refused
    assert bool(case.refused) == bool(outcome.refused)
    assert tuple(outcome.created_assignments) == case.created
    assert tuple(outcome.created_students) == case.students
    assert tuple(outcome.dropped) == case.dropped
    assert tuple(outcome.lost) == case.lost
    assert tuple(outcome.points_changed) == case.points
    assert tuple(outcome.custom_changed) == case.customs
    assert outcome.safe == case.safe, outcome.lints


def test_the_course_of_the_cases_is_what_it_is_taken_for(course: Gradebook) -> None:
    titles = [[course.table.header[at] for at in columns] for columns in (course.customs, course.assignments)]
    assert titles == [["Notes", "Mentor"], ["Final Score essay (13)", "HW9 (11)", "HW10 (12)"]]


def test_totals_of_a_stock_export_are_no_assignments(tmp_path: Path) -> None:
    """With the title of a grading period in parentheses they look like some; no points stand under them."""
    path = tmp_path / "gradebook.csv"
    path.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,HW10 (12),Assignments Current Score,Final Score (2026)\n"
        "    Points Possible,,,,,10.00,(read only),(唯讀)\nx,101,s1,b1,A,9.00,90.00,90.00\n"
    )
    assert read_gradebook(path).assignments == (5,)
