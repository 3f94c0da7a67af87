"""The gradebook file: what is in it, what NTU COOL's importer would make of it, and the traps of hand-made files."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basics.csv_source import csv_text
from basics.errors import InputError
from grader.exports.gradebook import Gradebook, defused, gradebook_file, read_gradebook, same_score, transfer
from grader.exports.importer import imitate
from grader.exports.transfer import checked
from grader.marking.student_lines import harmless

HEADER = "Student,ID,SIS Login ID,Section,Notes,HW9 (123455),HW10 中文 (123456),Final Score HW (99)"
EXPORT = f'''{HEADER}
,,,,,,Manual Posting,
    Points Possible,,,,,5.00,10.00,10.00
"王, 小明",98765,b12901001,ML-01,,4.00,8.33,
"=""=Lee, X""",98766,b12901002,ML-02,,,,
"Chen, Y",98767,b12901003,"ML-01, ML-02",,,3.00,
"Excused, E",98768,b12901004,ML-01,,,EX,
"Auditor, A",98769,b12901005,ML-01,,,N/A,
"Absent, B",98770,b12901006,ML-01,,,,
"Student, Test",98771,0123abcd,ML-01,,,,
'''
IDS = {f"b1290100{i}": str(98764 + i) for i in range(1, 7)}


@pytest.fixture
def course(tmp_path: Path) -> Gradebook:
    return exported(tmp_path, EXPORT)


def exported(tmp_path: Path, text: str) -> Gradebook:
    path = tmp_path / "gradebook.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    return read_gradebook(path)


def totals(**points: str) -> dict[str, Fraction]:
    return {f"b1290100{name[1]}": Fraction(value) for name, value in points.items()}


def file_for(course: Gradebook, given_: dict[str, Fraction], ids: dict[str, str] = IDS) -> bytes:
    return gradebook_file(course, transfer(course, course.column("123456"), given_, ids, Fraction(1)))


def test_only_students_whose_score_changes_are_listed(course: Gradebook) -> None:
    content = file_for(course, totals(s1="8.3349", s2="7.5", s3="3.005", s4="9", s5="9"))
    assert content.decode("ascii").splitlines() == [
        "Student,ID,SIS Login ID,Section,assignment (123456)",
        "    Points Possible,,,,10.00",
        '"\'=Lee, X",98766,b12901002,ML-02,7.50',
        '"Chen, Y",98767,b12901003,"ML-01, ML-02",3.01',
    ]


def test_excused_unassigned_and_absent_students_are_left_alone(course: Gradebook) -> None:
    plan = transfer(course, course.column("HW10 中文"), totals(s1="8.33", s4="9", s5="9"), IDS, Fraction(1))
    assert plan.changes == ()
    assert plan.unchanged == 1
    assert "b12901004: excused, left as it is" in plan.left_alone
    assert "b12901005: not assigned, left as it is" in plan.left_alone
    assert "b12901006: no submission, left as it is" in plan.left_alone


def test_the_imitated_importer_does_exactly_what_was_planned(course: Gradebook) -> None:
    content = file_for(course, totals(s1="9.99", s2="7.5", s3="0"))
    outcome = imitate(content, course)
    assert outcome.safe
    assert outcome.encoding == "big5"  # ASCII reads the same in both
    assert [(e.student, e.old, e.new) for e in outcome.effects] == [
        ("b12901001", "8.33", "9.99"),
        ("b12901002", "", "7.50"),
        ("b12901003", "3.00", "0.00"),
    ]
    assert {e.assignment for e in outcome.effects} == {"HW10 中文 (123456)"}


@given(st.dictionaries(st.sampled_from(sorted(IDS)), st.fractions(0, 10, max_denominator=7200)))
def test_any_totals_arrive_as_they_were_meant(points: dict[str, Fraction]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        course = exported(Path(folder), EXPORT)
        plan = transfer(course, course.column("123456"), points, IDS, Fraction(1))
        outcome = imitate(gradebook_file(course, plan), course)
    assert outcome.safe
    assert [(e.student, e.new) for e in outcome.effects] == [(c.student.login, c.new) for c in plan.changes]


def test_students_are_found_by_lms_number_then_login(course: Gradebook) -> None:
    by_number = transfer(course, 6, {"someone": Fraction(5)}, {"someone": "98767"}, Fraction(1))
    assert by_number.changes[0].student.login == "b12901003"
    by_login = transfer(course, 6, {"b12901003": Fraction(5)}, {}, Fraction(1))
    assert by_login.changes[0].student.lms_id == "98767"


def test_a_student_who_is_not_in_the_gradebook_stops_the_export(course: Gradebook) -> None:
    with pytest.raises(InputError, match="student b99 is not in the gradebook"):
        transfer(course, 6, {"b99": Fraction(5)}, {}, Fraction(1))
    with pytest.raises(InputError, match="are both ID 98767"):
        transfer(course, 6, {"x": Fraction(5), "b12901003": Fraction(4)}, {"x": "98767"}, Fraction(1))


def test_the_assignment_must_be_one_of_the_gradebook(course: Gradebook) -> None:
    assert course.column("HW10 中文 (123456)") == course.column("(123456)") == course.column("123456") == 6
    with pytest.raises(InputError, match="is no assignment"):
        course.column("HW11")


def test_an_assignment_that_reads_like_a_total_goes_under_another_title(course: Gradebook) -> None:
    """The importer drops such a title where it stands last, and finds assignments by their number."""
    plan = transfer(course, course.column("Final Score HW (99)"), totals(s2="7.5"), IDS, Fraction(1))
    content = gradebook_file(course, plan)
    assert content.decode("ascii").splitlines()[0].endswith(",assignment (99)")
    assert imitate(content, course).safe
    assert [(e.assignment, e.new) for e in imitate(content, course).effects] == [("Final Score HW (99)", "7.50")]


def imported(course: Gradebook, *rows: str, header: str = "Student,ID,SIS Login ID,Section,HW10 (123456)") -> object:
    return imitate("\n".join([header, *rows]).encode(), course)


def test_a_byte_order_mark_before_ascii_loses_the_header(course: Gradebook) -> None:
    content = b"\xef\xbb\xbf" + file_for(course, totals(s2="7.5"))
    outcome = imitate(content, course)
    assert outcome.refused
    assert "嚜燙tudent" in outcome.refused
    assert not outcome.safe


def test_chinese_names_may_turn_into_others(course: Gradebook) -> None:
    outcome = imitate("Student,ID,SIS Login ID,Section,HW10 (123456)\n王,98765,,x,9\n".encode(), course)
    assert any("beyond ASCII" in lint for lint in outcome.lints)
    assert not outcome.safe


@pytest.mark.parametrize(
    ("cell", "read"),
    [("8.5", "8.5"), ("1,234", "1.234"), ("1,234.5", "1234.5"), ("8,5", "8.5"), ("8.5%", "8.5%"), ("８.５", "８.５")],
)  # fmt: skip
def test_numbers_are_read_as_the_importer_reads_them(course: Gradebook, cell: str, read: str) -> None:
    text = csv_text([["Student", "ID", "SIS Login ID", "Section", "HW10 (123456)"], ["Chen", "98767", "", "x", cell]])
    outcome = imitate(text.encode(), course)
    if cell.isascii():
        assert [e.new for e in outcome.effects] == [read]
    assert any("thousands" in lint for lint in outcome.lints) == (cell == "1,234")
    assert any("full-width" in lint for lint in outcome.lints) == (not cell.isascii())


@pytest.mark.parametrize(
    "header",
    ["學生,ID,SIS Login ID,Section,HW10 (123456)", "Student,ID,HW10 (123456)", "Student,Login,Section,HW10 (123456)",
     "Student,ID,SIS Login ID,HW10 (123456),Section"],
)  # fmt: skip
def test_headers_the_importer_refuses(course: Gradebook, header: str) -> None:
    assert imported(course, "x,98767,,x,9", header=header).refused  # type: ignore[attr-defined]


def test_an_unknown_title_creates_an_assignment_and_a_total_is_dropped(course: Gradebook) -> None:
    outcome = imitate(b"Student,ID,SIS Login ID,Section,HW 10,My Final Score\nx,98767,,x,9,9\n", course)
    assert outcome.created_assignments == ["HW 10"]
    assert outcome.dropped == ["My Final Score"]
    assert not outcome.effects
    titled = imitate(b"Student,ID,SIS Login ID,Section,HW9\nx,98767,,x,5\n", course)
    assert [e.assignment for e in titled.effects] == ["HW9 (123455)"]


def test_an_empty_cell_erases_a_score(course: Gradebook) -> None:
    outcome = imitate(b"Student,ID,SIS Login ID,Section,HW10 (123456)\nx,98767,,x,\ny,98766,,x,\n", course)
    assert [(e.student, e.old, e.new) for e in outcome.effects] == [("b12901003", "3.00", "")]
    assert not outcome.safe


def test_points_possible_are_taken_over_and_a_stranger_is_created(course: Gradebook) -> None:
    text = "Student,ID,SIS Login ID,Section,HW10 (123456)\n    Points Possible,,,,100\nNobody,1,b0,x,9\n"
    outcome = imitate(text.encode(), course)
    assert outcome.points_changed == ["HW10 中文 (123456): 10.00 -> 100"]
    assert outcome.created_students == ["Nobody"]


def test_semicolons_and_blank_rows(course: Gradebook) -> None:
    text = "Student;ID;SIS Login ID;Section;HW10 (123456)\n;;;;\nx;98767;;x;9,5\n , ;\n"
    assert [e.new for e in imitate(text.encode(), course).effects] == ["9.5"]


def test_a_real_gradebook_has_english_headers(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a gradebook export: it has no column Section"):
        exported(tmp_path, "Student,ID,Group\nx,1,y\n")
    with pytest.raises(InputError, match="ID 1 stands in row 2 already"):
        exported(tmp_path, "Student,ID,SIS Login ID,Section,A (1)\nx,1,b1,y,\nz,1,b2,y,\n")


@pytest.mark.parametrize(("old", "new", "same"), [("8.33", "8.33", True), ("8.333", "8.33", True), ("8", "8.00", True),
    ("", "0.00", False), ("8.34", "8.33", False), ("complete", "8.33", False)])  # fmt: skip
def test_scores_are_compared_at_two_decimals(old: str, new: str, same: bool) -> None:
    assert same_score(old, new) is same


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_nothing_in_a_cell_runs_as_a_formula(cell: str) -> None:
    assert harmless(cell) == "'" + cell
    assert next(csv.reader(io.StringIO(csv_text([[harmless(cell)]]))))[0][0] == "'"
    assert harmless("b12901001") == "b12901001"


def dressed(tmp_path: Path, rows: list[list[str]], separator: str = ",", title: str = "HW10 (7)") -> Gradebook:
    """A gradebook with the rows of students, and of points where one of them is that."""
    path = tmp_path / "gradebook.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(["Student", "ID", "SIS Login ID", "Section", title])
        writer.writerows(rows)
    return read_gradebook(path)


def points(text: str) -> list[str]:
    return ["    Points Possible", "", "", "", text]


def student(number: int, score: str) -> list[str]:
    return [f"Student {number}", str(100 + number), f"b{number}", "A", score]


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize(
    ("worth", "old"),
    [("1000,00", "8,33"), ("1.000,00", "8,33"), ("1\u202f000,00", "8,33"), ("1,000.00", "8.33"),
     ("1\u2019000.00", "8.33"), ("1000\u066b00", "8\u066b33"), ("1.000", "8,33"), ("1,000", "8.33")],
)  # fmt: skip
def test_numbers_of_other_languages_mean_what_they_mean(tmp_path: Path, separator: str, worth: str, old: str) -> None:
    course = dressed(tmp_path, [points(worth), student(1, old), student(2, old), student(3, "")], separator)
    column = course.column("7")
    assert course.possible(column) == 1000
    plan = transfer(course, column, {"b1": Fraction("8.33"), "b2": Fraction("9")}, {}, Fraction(1))
    assert [(c.old, c.new) for c in plan.changes] == [("8.33", "9.00")]
    content = gradebook_file(course, plan)
    assert content.decode("ascii").splitlines()[1].split(",")[-1] in ("1000.00", "1000")
    outcome = imitate(content, course)
    assert outcome.safe, outcome
    assert [(e.student, e.old, e.new) for e in outcome.effects] == [("b2", "8.33", "9.00")]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([student(1, "")], "has no points possible"),
        ([points(""), student(1, "")], "has no points possible"),
        ([points("0.00"), student(1, "")], "'0.00' points, which is nothing"),
        ([points("１０分"), student(1, "")], "row 2, column E, HW10 (7): is worth '１０分' points, which is no number"),
        ([points("１０"), student(1, "")], "is no number in the digits 0 to 9"),
        ([points("١٠"), student(1, "")], "is no number in the digits 0 to 9"),
        ([points("1,234"), student(1, "")], "can be read as 1.234 and as 1234"),
        ([points("ten"), student(1, "")], "is no number"),
    ],
)
def test_points_that_are_none_for_certain_are_refused(tmp_path: Path, rows: list[list[str]], told: str) -> None:
    course = dressed(tmp_path, rows)
    with pytest.raises(InputError) as caught:
        course.possible(course.column("7"))
    assert told in str(caught.value)


@pytest.mark.parametrize("separator", [",", ";"])
def test_rows_that_are_too_short_or_too_long_are_named_all_at_once(tmp_path: Path, separator: str) -> None:
    rows = [points("10.00"), student(1, ""), ["Total"], [*student(2, ""), ""], student(3, "")[:4]]
    with pytest.raises(InputError) as caught:
        dressed(tmp_path, rows, separator)
    assert [problem.where for problem in caught.value.problems] == [f"gradebook.csv row {row}" for row in (4, 5, 6)]
    assert "has 1 cells, the header has 5" in str(caught.value)


@pytest.mark.parametrize("bad", ["", "=1+1", "98765.0", "1.2E+05", "９８", "x"])
def test_an_id_that_is_no_number_of_the_lms_is_refused_with_its_row(tmp_path: Path, bad: str) -> None:
    row = ["Total", bad, "", "", "8.00"]
    with pytest.raises(InputError, match=r"row 4: has the ID '.*', expected a number of the LMS"):
        dressed(tmp_path, [points("10.00"), student(1, ""), row])


def test_old_scores_that_are_no_numbers_for_certain_are_named_all_at_once(tmp_path: Path) -> None:
    rows = [points("10"), student(1, "1,234"), student(2, "８.３３"), student(3, "complete"), student(4, "7")]
    course = dressed(tmp_path, rows)
    given_ = {f"b{n}": Fraction(8) for n in range(1, 5)}
    with pytest.raises(InputError) as caught:
        transfer(course, course.column("7"), given_, {}, Fraction(1))
    told = ["gradebook.csv row 3, column E", "gradebook.csv row 4, column E"]
    assert [problem.where for problem in caught.value.problems] == told
    (tmp_path / "any.csv").write_text("Student,ID,SIS Login ID,Section,HW10 (7)\nx,104,b4,A,8\n")
    with pytest.raises(InputError) as caught:
        checked(tmp_path / "any.csv", course)
    assert [problem.where for problem in caught.value.problems] == told, "nor is another file compared with them"


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_formulas_in_headers_names_and_logins_are_defused_and_told(tmp_path: Path, start: str) -> None:
    bad = f'{start}HYPERLINK("x")'
    rows = [points("10.00"), [bad, "101", bad, bad, ""]]
    course = dressed(tmp_path, rows, title=f"{bad} (7)")
    plan = transfer(course, course.column("7"), {"b1": Fraction(8)}, {"b1": "101"}, Fraction(1))
    content = gradebook_file(course, plan)
    cells = [cell for row in csv.reader(io.StringIO(content.decode("ascii"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(start)]
    assert f"'{bad} (7)" in cells
    told = defused(course, plan)
    assert len(told) == 2
    assert all("would be a formula" in line for line in told)
    assert [(e.new) for e in imitate(content, course).effects] == ["8.00"]
