"""Reading submissions from plain CSV and YAML, and what happens to files that cannot be trusted."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from basics.errors import InputError
from grader.quiz.spec import QuizBook
from grader.submissions.class_file import read_class_file
from grader.submissions.model import without_collection
from grader.submissions.reading import read_submissions
from grader.submissions.rows import parse_moment
from tests.grader.classroom import make_book

HEADER = "student_id,name,submitted,attempt," + ",".join(f"q{i:02d}" for i in range(1, 13))


@pytest.fixture(scope="module")
def book() -> QuizBook:
    return make_book()


def plain(tmp_path: Path, *rows: str, header: str = HEADER, name: str = "class.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def problems(path: Path, book: QuizBook) -> str:
    with pytest.raises(InputError) as caught:
        read_submissions(path, book)
    return str(caught.value)


def test_letters_in_every_spelling_and_texts(tmp_path: Path, book: QuizBook) -> None:
    texts = '"Freezing\\, inferior,Only 10%\\, of data"'
    row = f'007,Ann,2026-06-18T23:59:59+08:00,1,BD,B,"A;C",A C,"A, B",,C,{texts},A,A,A,BE'
    [submission] = read_submissions(plain(tmp_path, row), book).submissions
    assert submission.student_id == "007"
    assert submission.submitted == datetime(2026, 6, 18, 15, 59, 59, tzinfo=UTC)
    assert submission.attempt == 1
    expected = ["BD", "B", "AC", "AC", "AB", "", "C", "AB", "A", "A", "A", "BE"]
    assert [set(chosen or ()) for chosen in submission.chosen] == [set(letters) for letters in expected]


def test_an_option_whose_text_is_a_letter_is_read_as_text(tmp_path: Path, book: QuizBook) -> None:
    row = "s1,,,," + ",".join(["", "", "B"] + [""] * 9)
    [submission] = read_submissions(plain(tmp_path, row), book).submissions
    assert submission.answers["q03"] == {"D"}  # the option whose text is "B"


def test_semicolons_and_a_byte_order_mark(tmp_path: Path, book: QuizBook) -> None:
    path = tmp_path / "class.csv"
    text = HEADER.replace(",", ";") + "\ns1;;;;BD" + ";" * 11 + "\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_submissions(path, book).submissions[0].answers["q01"] == {"B", "D"}


def test_every_fault_of_a_plain_file_at_once(tmp_path: Path, book: QuizBook) -> None:
    empty = "," * 11
    text = problems(
        plain(
            tmp_path,
            f"s1,,yesterday,x,Z{empty}",
            f",,2026-06-18,,{empty}",
            f"s2,,,,BB{empty}",
            f"s2,,,,{empty}",
            "s3,too,short",
            f"s4,,,,not an option{empty}",
        ),
        book,
    )
    for expected in (
        "class.csv row 2, column C: is not a time with its offset",
        "class.csv row 2, column D: is not the number of an attempt: 'x'",
        "class.csv row 2, column E: q01 has no option Z",
        "class.csv row 3, column A: is empty",
        "class.csv row 3, column C: is not a time with its offset",
        "class.csv row 4, column E: names an option twice",
        "class.csv row 5: student s2 stands in row 4 already",
        "class.csv row 6: has 3 cells, the header has 16",
        "class.csv row 7, column E: names no option of q01: 'not an option'",
    ):
        assert expected in text, text


def test_columns_that_are_missing_repeated_or_unknown(tmp_path: Path, book: QuizBook) -> None:
    header = HEADER.replace("q07", "q06").replace("name", "mane")
    text = problems(plain(tmp_path, "s1" + "," * 15, header=header), book)
    assert "has no column 'q07'" in text
    assert "the column 'q06' stands there twice" in text
    assert "'mane' is not a column of this quiz" in text
    assert "name" in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf  \n", "is empty"),
        (HEADER.encode(), "has a header and no submission"),
        (HEADER.encode("utf-16"), "is UTF-16, expected UTF-8"),
        ((HEADER + "\n" + "王小明" + "," * 15).encode("big5"), "is not UTF-8"),
        (b"a,b,c\n1,2,3\n", "is neither a Canvas"),
    ],
)
def test_files_that_are_no_submissions(tmp_path: Path, book: QuizBook, content: bytes, expected: str) -> None:
    path = tmp_path / "class.csv"
    path.write_bytes(content)
    assert expected in problems(path, book)


@pytest.mark.parametrize("ending", ["", "\n"])
def test_a_quote_that_is_never_closed_loses_no_student(tmp_path: Path, book: QuizBook, ending: str) -> None:
    empty = "," * 12
    path = tmp_path / "class.csv"
    rows = [f"s1,,,{empty}", f's2,"Tiny Tim,,{empty}', f"s3,Two,,{empty}", f"s4,Three,,{empty}"]
    path.write_text("\n".join([HEADER, *rows]) + ending)
    assert 'class.csv row 3: a cell opens with a quote (") that is not closed' in problems(path, book)
    rows[3] = f's4,"Three",,{empty}'
    path.write_text("\n".join([HEADER, *rows]) + ending)
    assert 'class.csv row 3: a cell opens with a quote (") that is not closed' in problems(path, book)


def test_a_wrong_encoding_far_into_the_file_is_found(tmp_path: Path, book: QuizBook) -> None:
    rows = [f"s{i}" + "," * 15 for i in range(120_000)]
    path = plain(tmp_path, *rows)
    path.write_bytes(path.read_bytes() + "王,".encode("big5") + b"," * 14 + b"\n")
    assert "is not UTF-8" in problems(path, book)


def test_a_folder_and_a_missing_file(tmp_path: Path, book: QuizBook) -> None:
    assert "is a directory, expected a file" in problems(tmp_path, book)
    assert "there is no such file" in problems(tmp_path / "gone.csv", book)


def test_answers_of_one_student_in_yaml(tmp_path: Path, book: QuizBook) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("answers:\n  q01: [B, D]\n  q02: B\n  q05: ABE\n  q12: ['A token (<TT>), inserted']\n")
    [submission] = read_submissions(path, book).submissions
    assert submission.answers["q01"] == {"B", "D"}
    assert submission.answers["q05"] == {"A", "B", "E"}
    assert submission.answers["q12"] == {"C"}
    assert submission.answers["q03"] == frozenset()


def test_many_students_in_yaml_with_all_faults(tmp_path: Path, book: QuizBook) -> None:
    path = tmp_path / "class.yaml"
    path.write_text(
        "submissions:\n  - student_id: s1\n    answers: {q01: [B], q99: A}\n  - student_id: s1\n    answers: {q01: F}\n"
    )
    text = problems(path, book)
    assert "class.yaml:3: q99 is not in the quiz" in text
    assert "class.yaml:5: q01 has no option F" in text
    assert "student s1 stands there twice" in text


def test_a_skipped_cell_is_left_out_and_named(tmp_path: Path, book: QuizBook) -> None:
    path = plain(tmp_path, "s1,,,,Z" + "," * 11, "s2,,,,BD" + "," * 11)
    notes = tmp_path / "notes.yaml"
    notes.write_text("skip:\n  - {row: 2, cell: q01, reason: the student wrote Z by hand}\n")
    file = read_submissions(path, book, read_class_file(notes, book))
    assert file.submissions[0].chosen[0] is None
    assert "q01" not in file.submissions[0].answers
    assert file.skipped == ("class.csv row 2, q01: the student wrote Z by hand",)


def test_all_faults_of_a_class_file_at_once(tmp_path: Path, book: QuizBook) -> None:
    path = tmp_path / "notes.yaml"
    path.write_text(
        "columns: {'1': q99}\n"
        "skip:\n  - {row: 2, cell: q98, reason: long enough}\n"
        "canvas_key: {q01: [Z]}\n"
        "extensions:\n"
        "  - {student: s1, until: '2026-06-20T00:00:00+08:00', reason: was ill for days}\n"
        "  - {student: s1, until: '2026-06-21T00:00:00+08:00', reason: was ill for days}\n"
    )
    with pytest.raises(InputError) as caught:
        read_class_file(path, book)
    text = str(caught.value)
    for expected in ("notes.yaml:1: 'q99'", "notes.yaml:3: 'q98'", "q01 has no option Z", "extensions names s1 twice"):
        assert expected in text, text


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-18 12:00:00 UTC",
        "2026-06-18T12:00:00Z",
        "2026-06-18 12:00:00Z",
        "2026-06-18T20:00:00+08:00",
        "2026-06-18T20:00:00+0800",
        "2026-06-18T06:30:00.000-0530",
    ],
)
def test_a_time_with_one_zone_is_read(text: str) -> None:
    assert parse_moment(text) == datetime(2026, 6, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-06-18 10:00+05:00 UTC", "2026-06-18T12:00:00Z UTC", "2026-06-18T12:00:00", "2026-06-18", "UTC", "noon"],
)
def test_a_time_with_two_zones_or_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026-06-18|isoformat|Invalid"):
        parse_moment(text)
    assert parse_moment("") is None


def test_the_collector_goes_on_after_a_bulk_step_and_not_at_once_through_what_that_made() -> None:
    made = without_collection(lambda: [[] for _ in range(10_000)])()
    young = set(map(id, gc.get_objects(generation=0)))
    assert gc.isenabled()
    assert not gc.get_freeze_count()
    assert not young & set(map(id, made))
