"""Whose a row is: never another student's, whatever a spreadsheet or a keyboard did to the id."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from basics.errors import InputError
from grader.marking.grading import check_students
from grader.quiz.spec import QuizBook
from grader.submissions.class_file import ClassFile
from grader.submissions.identity import Directory, alike, canonical, mangled
from grader.submissions.model import RosterEntry, SubmissionFile
from grader.submissions.reading import read_submissions
from grader.submissions.roster import read_roster
from tests.grader.classroom import Report, make_book, random_class

REASON = "guests of the exchange programme have none"


@pytest.fixture(scope="module")
def book() -> QuizBook:
    return make_book()


def people(*ids: str, name: str = "") -> Directory:
    return Directory({student: RosterEntry(student, name and f"{name} {i}") for i, student in enumerate(ids)})


def scientific(text: str) -> str:
    return f"{float(text):.2E}" if text.isdecimal() else text


def fifteen_digits(text: str) -> str:
    return text[:15] + "0" * (len(text) - 15) or "0"


MANGLINGS: dict[str, Callable[[str], str]] = {
    "scientific notation": scientific,
    "a decimal part": lambda text: f"{text}.0" if text.isdecimal() else text,
    "a decimal comma": lambda text: f"{text},00" if text.isdecimal() else text,
    "an apostrophe": lambda text: f"'{text}",
    "a formula": lambda text: f'="{text}"',
    "lost zeros": lambda text: text.lstrip("0") or "0",
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) for c in text),
    "upper case": str.upper,
    "thousands": lambda text: f"{int(text):,}" if text.isdecimal() and not text.startswith("0") else text,
    "fifteen digits": lambda text: fifteen_digits(text.lstrip("0")) if text.isdecimal() else text,
    "nothing seen": lambda text: f"\u200b{text}\ufeff",
    "a space": lambda text: f"{text[:3]} {text[3:]}",
}
IDS = st.one_of(
    st.from_regex(r"[0-9]{1,9}", fullmatch=True),
    st.from_regex(r"[brd][0-9]{8}", fullmatch=True),
    st.from_regex(r"[0-9]{16,20}", fullmatch=True),
    st.from_regex(r"[a-z]{1,4}\.?[0-9]{0,3}", fullmatch=True),
)


@pytest.mark.parametrize("name", MANGLINGS)
@given(st.lists(IDS, min_size=1, max_size=12, unique_by=canonical), st.booleans())
@example(["129010012", "129010013"], True)
@example(["0012", "012", "12"], True)
@example(["0", "00"], False)
def test_a_mangled_id_is_its_own_students_or_nobodys(name: str, ids: list[str], named: bool) -> None:
    """The names of the class are all different; where they are not known, ids alone must tell."""
    directory = people(*ids, name="Student" if named else "")
    for person in directory.people.values():
        text = MANGLINGS[name](person.student_id)
        if text in directory.people:
            continue  # the id of somebody else, to the letter
        found = directory.certain(text, person.name)
        assert found in (None, person)
        if name not in ("scientific notation", "lost zeros", "fifteen digits"):
            assert found == person
        assert person in directory.likely(text)


@pytest.mark.parametrize(
    ("text", "ids", "expected"),
    [
        ("B12901001", ["b12901001"], "b12901001"),
        ("ｂ１２９０１００１", ["b12901001"], "b12901001"),
        ("'0012", ["0012", "12"], "0012"),
        ("12", ["0012"], "0012"),
        ("12", ["0012", "012"], None),
        ("12345.0", ["12345"], "12345"),
        ("129,010,012", ["129010012"], "129010012"),
        ("1.29E+08", ["129010012"], None),  # without a name nobody can know
        ("1,29E+08", ["129010012"], None),
        ("b12901002", ["b12901001"], None),
        ("1E+99", ["1"], None),
        ("", ["0"], None),
    ],
)
def test_who_is_certain(text: str, ids: list[str], expected: str | None) -> None:
    found = people(*ids).certain(text)
    assert (found.student_id if found else None) == expected


def test_where_digits_are_gone_the_name_must_say_the_same() -> None:
    directory = Directory({"129010012": RosterEntry("129010012", "王小明"), "231": RosterEntry("231", "Lin, Mei")})
    assert directory.certain("1.29E+08", "王小明") == directory.people["129010012"]
    assert directory.certain("1.29E+08", "李小華") is None
    assert directory.remedy("1.29E+08", "李小華") == "perhaps 129010012 (王小明)"
    assert directory.certain("2.3E+02", "Mei Lin") == directory.people["231"]


def test_where_zeros_are_gone_the_name_may_not_be_anothers() -> None:
    directory = Directory({"0012": RosterEntry("0012", "Ann Lee")})
    assert directory.certain("12") == directory.certain("12", "Lee, Ann") == directory.people["0012"]
    assert directory.certain("12", "Bob") is None


def test_an_id_that_is_anothers_without_its_zeros_is_told_by_the_name(tmp_path: Path, book: QuizBook) -> None:
    known = ClassFile(roster=roster(tmp_path, "student_id,name", "0012,Ann Lee", "12,Bob"))
    path = plain(tmp_path, book, "12", names=["Ann Lee"])
    assert "the id '12' is that of 12 (Bob), the name is that of 0012 (Ann Lee)" in problems(path, book, known)
    for name in ("Bob", "", "Robert"):
        assert students(read_submissions(plain(tmp_path, book, "12", names=[name]), book, known)) == ["12"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("1.29E+08", "scientific notation"),
        ("1E+05", "scientific notation"),
        ("12345.0", "decimal part"),
        ("'12345", "apostrophe"),
        ("\u201912345", "apostrophe"),
        ('="12345"', "formula"),
        ("１２３", "full-width"),
        ("129,010,012", "thousands"),
        ("12\u200b3", "nobody sees"),
    ],
)
def test_a_mangled_id_is_refused_without_a_roster(tmp_path: Path, book: QuizBook, text: str, what: str) -> None:
    assert what in mangled(text)
    said = problems(plain(tmp_path, book, text), book)
    assert f"class.csv row 2, column A: the id {text!r}" in said
    assert "name a roster in the class file" in said
    assert said.count("class.csv") == 1


@pytest.mark.parametrize("text", ["0012", "1e5", "b12901001", "123@example.org", "12345678901234567890", "a.b-c_d"])
def test_what_looks_like_itself_is_not_mangled(text: str) -> None:
    assert mangled(text) == ""


def test_alike_ids_of_one_file_are_refused_without_a_roster(tmp_path: Path, book: QuizBook) -> None:
    assert list(alike(["b1", "B1", "c", "07", "7"])) == [("b1", "B1"), ("07", "7")]
    assert "the ids 'b12901001' and 'B12901001' differ only" in problems(
        plain(tmp_path, book, "b12901001", "B12901001"), book
    )
    told = ClassFile(roster=roster(tmp_path, "student_id", "07", "7"))
    assert [s.student_id for s in read_submissions(plain(tmp_path, book, "07", "7"), book, told).submissions] == [
        "07",
        "7",
    ]


def plain(tmp_path: Path, book: QuizBook, *ids: str, names: Sequence[str] = ()) -> Path:
    path = tmp_path / "class.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student_id", "name", *(question.id for question in book.questions)])
        for i, student in enumerate(ids):
            writer.writerow([student, names[i] if names else "", *[""] * len(book.questions)])
    return path


def roster(tmp_path: Path, head: str, *rows: str) -> str:
    path = tmp_path / "roster.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return str(path)


def problems(path: Path, book: QuizBook, class_file: ClassFile | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_submissions(path, book, class_file or ClassFile())
    return str(caught.value)


def students(file: SubmissionFile) -> list[str]:
    return [submission.student_id for submission in file.submissions]


def test_a_class_that_a_spreadsheet_saved_is_read_through_the_roster(tmp_path: Path, book: QuizBook) -> None:
    given_ids = ("B12901001", "12345.0", "7", "'r99", "ｄ１")
    path = plain(tmp_path, book, *given_ids)
    known = roster(tmp_path, "student_id,name", "b12901001,A", "12345,B", "0007,C", "r99,D", "d1,E")
    file = read_submissions(path, book, ClassFile(roster=known))
    assert students(file) == ["b12901001", "12345", "0007", "r99", "d1"]
    for given_id in given_ids:
        assert any(note.startswith(f"the id {given_id!r} is taken for ") for note in file.notes)
    assert check_students(file, ClassFile(roster=known)) == ()


def test_an_uncertain_id_is_refused_with_the_likely_students(tmp_path: Path, book: QuizBook) -> None:
    known = roster(tmp_path, "student_id,name", "129010012,Wang", "129010013,Chen", "0012,Lin", "012,Wu", "b1,Lee")
    path = plain(tmp_path, book, "1.29E+08", "12", "b1")
    text = problems(path, book, ClassFile(roster=known))
    assert "the id '1.29E+08' is a number in scientific notation" in text
    assert "perhaps 129010012 (Wang) or 129010013 (Chen)" in text
    assert "the id '12' is on the roster in another spelling, and not for certain" in text
    assert "perhaps 0012 (Lin) or 012 (Wu)" in text
    assert "row 4" not in text


def test_one_student_under_two_spellings_is_one_student(tmp_path: Path, book: QuizBook) -> None:
    known = roster(tmp_path, "student_id", "b1")
    text = problems(plain(tmp_path, book, "b1", "B1"), book, ClassFile(roster=known))
    assert "class.csv row 3: student b1 stands in row 2 already" in text


def test_a_stranger_is_told_with_whom_may_be_meant(tmp_path: Path, book: QuizBook) -> None:
    known = ClassFile(roster=roster(tmp_path, "student_id,name", "b12901001,Wang", "b12901002,Chen"))
    file = read_submissions(plain(tmp_path, book, "b12901oo1", "guest", names=["", "Chen"]), book, known)
    with pytest.raises(InputError) as caught:
        check_students(file, known)
    assert "did you mean b12901001" in str(caught.value)
    assert "perhaps b12901002 (Chen)" in str(caught.value)


def test_an_extension_for_another_spelling_names_the_student(tmp_path: Path, book: QuizBook) -> None:
    extension = {"student": "B1", "until": "2026-06-20T23:59:59+08:00", "reason": "was in hospital"}
    told = ClassFile.model_validate_json(f'{{"extensions": [{str(extension).replace(chr(39), chr(34))}]}}')
    with pytest.raises(InputError, match="correct the id: perhaps b1"):
        check_students(read_submissions(plain(tmp_path, book, "b1"), book), told)


@pytest.mark.parametrize("text", ["1.29E+08", "12345.0", "'12345", "１２３"])
def test_a_roster_that_a_spreadsheet_mangled_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="format the column as text"):
        read_roster(Path(roster(tmp_path, "student_id", text, "b1")))


def test_a_roster_with_one_number_of_the_lms_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="students b1 and b2 have the same id 90001"):
        read_roster(Path(roster(tmp_path, "SIS Login ID,ID", "b1,90001", "b2,90001")))


def report(tmp_path: Path, book: QuizBook, *sis_ids: str, ids: Sequence[str] = ()) -> Path:
    attempts = [replace(a, sis_id=sis) for a, sis in zip(random_class(book, len(sis_ids)), sis_ids, strict=True)]
    rows = list(csv.reader(io.StringIO(Report().text(book, list(reversed(attempts))))))
    for row, number in zip(rows[1:], ids, strict=False):
        row[1] = number
    path = tmp_path / "r.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def test_an_empty_sis_id_needs_a_word(tmp_path: Path, book: QuizBook) -> None:
    path = report(tmp_path, book, "b1", "", "b3")
    assert "r.csv row 3, column C: has no student id" in problems(path, book)
    assert "no_sis_ids: reason in the class file (here 90001)" in problems(path, book)


def test_every_row_without_an_id_is_named(tmp_path: Path, book: QuizBook) -> None:
    text = problems(report(tmp_path, book, "", "b2", "", ids=["", "90001", ""]), book)
    assert text.count("has no student id") == 2
    assert "stands in row" not in text


def test_an_empty_sis_id_falls_back_to_the_number_where_that_is_confirmed(tmp_path: Path, book: QuizBook) -> None:
    path = report(tmp_path, book, "b1", "", "b3")
    file = read_submissions(path, book, ClassFile(no_sis_ids=REASON))
    assert students(file) == ["b1", "90001", "b3"]
    assert f"90001 has no sis_id and goes by the LMS's number (confirmed: {REASON})" in file.notes
    all_there = report(tmp_path, book, "b1", "b2")
    assert "class file, no_sis_ids: fits nothing" in problems(all_there, book, ClassFile(no_sis_ids=REASON))


@pytest.mark.parametrize(
    ("head", "rows", "expected"),
    [
        ("student_id,id", ("b1,90000", "b2,90001", "b3,90002"), ["b1", "b2", "b3"]),
        ("student_id", ("b1", "90001", "b3"), ["b1", "90001", "b3"]),
    ],
)
def test_an_empty_sis_id_falls_back_to_what_the_roster_says(
    tmp_path: Path, book: QuizBook, head: str, rows: tuple[str, ...], expected: list[str]
) -> None:
    path = report(tmp_path, book, "b1", "", "b3")
    file = read_submissions(path, book, ClassFile(roster=roster(tmp_path, head, *rows)))
    assert students(file) == expected
    assert any("has no sis_id and goes by the LMS's number" in note for note in file.notes)


def test_the_numbers_of_the_lms_must_be_of_one_student_each(tmp_path: Path, book: QuizBook) -> None:
    path = report(tmp_path, book, "b1", "", "b3", ids=["90001", "90001", "90002"])
    assert "the LMS's number 90001 is that of b1 and of 90001" in problems(path, book, ClassFile(no_sis_ids=REASON))
    known = ClassFile(roster=roster(tmp_path, "student_id,id", "b1,90000", "b2,90001"))
    assert "student b1 has the LMS's number 90005 here and 90000 on the roster" in problems(
        report(tmp_path, book, "b1", "b2", ids=["90005", "90001"]), book, known
    )


def test_the_number_of_the_lms_tells_whose_a_mangled_id_is(tmp_path: Path, book: QuizBook) -> None:
    known = ClassFile(roster=roster(tmp_path, "student_id,id", "129010012,90000", "129010013,90001"))
    path = report(tmp_path, book, "1.29E+08", "1.29E+08")
    assert students(read_submissions(path, book, known)) == ["129010012", "129010013"]


def test_a_mangled_number_of_the_lms_is_refused(tmp_path: Path, book: QuizBook) -> None:
    path = report(tmp_path, book, "b1", "b2", ids=["90000.0", "9.00E+04"])
    text = problems(path, book)
    assert "the LMS's number '90000.0' is a number with a decimal part" in text
    assert "the LMS's number '9.00E+04' is a number in scientific notation" in text


def test_a_report_without_sis_ids_says_by_what_students_go(tmp_path: Path, book: QuizBook) -> None:
    rows = list(csv.reader(report(tmp_path, book, "b1", "b2").open(encoding="utf-8", newline="")))
    with (tmp_path / "r.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[*row[:2], *row[3:]] for row in rows])
    for told in (ClassFile(), ClassFile(no_sis_ids=REASON)):
        [note] = [n for n in read_submissions(tmp_path / "r.csv", book, told).notes if "no column sis_id" in n]
        assert (REASON in note) == (told.no_sis_ids is not None)


def test_the_case_of_the_roster_with_a_stray_quote(shared: Path) -> None:
    with pytest.raises(InputError, match=r"roster_stray\.csv row 3: a cell opens with a quote"):
        read_roster(shared / "cases/grading/c50/roster_stray.csv")
    assert list(read_roster(shared / "cases/grading/c50/roster_full.csv")) == ["b1", "b2", "b3"]
