"""Who, when, which attempt: a file that does not say it is refused, or that is confirmed once in the class file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from basics.csv_source import header_name
from basics.errors import InputError
from grader.cli import app
from grader.marking.class_run import grade_file, summary
from grader.marking.regulations import Regulator
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook
from grader.submissions.class_file import ClassFile, Skip, read_class_file
from grader.submissions.headers import COLUMNS, languages, meaning_of
from grader.submissions.model import SubmissionFile
from grader.submissions.reading import read_submissions
from tests.grader.classroom import Attempt, Report, key_for, letters_key, make_book

LATE = datetime(2026, 6, 25, 12, tzinfo=UTC)
REASON = "the course ran without times"


@pytest.fixture(scope="module")
def book() -> QuizBook:
    return make_book()


def rows_of(book: QuizBook, *, all_versions: bool = True) -> list[list[str]]:
    """A report of three students; the second handed in a week late."""
    key = letters_key(book)
    attempts = [
        Attempt(i, key, 1, LATE if i == 1 else datetime(2026, 6, 18, 12, tzinfo=UTC), f"No. {i}") for i in range(3)
    ]
    return list(csv.reader(io.StringIO(Report(all_versions=all_versions).text(book, attempts))))


def written(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def problems(path: Path, book: QuizBook, class_file: ClassFile | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_submissions(path, book, class_file or ClassFile())
    return str(caught.value)


def late_students(file: SubmissionFile, book: QuizBook, class_file: ClassFile | None = None) -> set[str]:
    regulator = Regulator(book.quiz, class_file or ClassFile())
    return {submission.student_id for submission in file.submissions if regulator.is_late(submission)}


def without(rows: list[list[str]], *names: str) -> list[list[str]]:
    gone = {rows[0].index(name) for name in names}
    return [[cell for i, cell in enumerate(row) if i not in gone] for row in rows]


@pytest.mark.parametrize("language", sorted(languages()))
def test_the_report_reads_the_same_in_every_language_of_the_lms(tmp_path: Path, book: QuizBook, language: str) -> None:
    words = languages()[language]
    for change in (str, lambda word: word[:1].upper() + word[1:], lambda word: f" {word} "):
        for which in (0, -1):
            rows = rows_of(book)
            first = rows[0].index("352902: " + book.questions[0].prompt)
            rows[0] = [
                change(words.get(cell, [cell])[which]) if i < first or cell in COLUMNS else cell
                for i, cell in enumerate(rows[0])
            ]
            file = read_submissions(written(tmp_path / "r.csv", rows), book)
            assert late_students(file, book) == {"b00000001"}
            newest = file.submissions[0]
            assert (newest.name, newest.attempt, newest.lms_id, newest.section) == ("No. 2", 1, "90002", "Class A")
            assert not any("not read" in note for note in file.notes)


def test_no_header_word_has_two_meanings() -> None:
    found: dict[str, set[str]] = {}
    for meanings in languages().values():
        assert set(meanings) <= {*COLUMNS}
        for meaning, words in meanings.items():
            for word in words:
                found.setdefault(header_name(word), set()).add(meaning)
    assert {word: meanings for word, meanings in found.items() if len(meanings) > 1} == {}
    assert {meaning_of(name) for name in COLUMNS} == {*COLUMNS}


def test_the_words_of_the_fork_are_known() -> None:
    assert meaning_of("作答紀錄") == meaning_of("嘗試") == "attempt"
    assert meaning_of("n  正確") == "n correct"


@pytest.mark.parametrize("header", ["提交時間", "Time submitted", "when", "Submitted at", ""])
def test_an_unknown_header_of_the_times_is_refused_until_it_is_mapped(
    tmp_path: Path, book: QuizBook, header: str
) -> None:
    rows = rows_of(book)
    rows[0][rows[0].index("submitted")] = header
    text = problems(written(tmp_path / "r.csv", rows), book)
    assert "r.csv row 1: has no column `submitted`: nobody could be late" in text
    assert f"{header!r} is a column that nobody knows, and submitted is missing, it looks like `submitted`" in text
    assert f'"{header}": submitted or ignore' in text
    mapped = ClassFile(columns={header: "submitted"})
    assert late_students(read_submissions(tmp_path / "r.csv", book, mapped), book) == {"b00000001"}


def test_a_report_without_times_is_refused_or_confirmed_and_says_so_everywhere(tmp_path: Path, book: QuizBook) -> None:
    path = written(tmp_path / "r.csv", without(rows_of(book), "submitted"))
    assert "no_times: reason" in problems(path, book)
    confirmed = ClassFile(no_times=REASON)
    run = grade_file(read_submissions(path, book, confirmed), book, key_for(book), class_file=confirmed)
    told = [note for note in run.grades.notes if "no time of submission in the whole file" in note]
    assert len(told) == 1
    assert REASON in told[0]
    assert told[0] in summary(run, ())["notes"]
    assert [a.rule for r in run.grades.records for a in r.adjustments] == ["no time"] * 3
    assert all(REASON in a.detail for r in run.grades.records for a in r.adjustments)
    assert run.head().class_file.no_times == REASON


def test_a_row_without_a_time_is_named_and_can_be_confirmed(tmp_path: Path, book: QuizBook) -> None:
    rows = rows_of(book)
    rows[2][rows[0].index("submitted")] = ""
    path = written(tmp_path / "r.csv", rows)
    assert "r.csv: has no time of submission (`submitted`) in row 3" in problems(path, book)
    file = read_submissions(path, book, ClassFile(no_times=REASON))
    assert f"no time of submission in row 3: a submission without one is taken to be in time (confirmed: {REASON})" in (
        file.notes
    )
    by_student = {r.student_id: r for r in grade_file(file, book, key_for(book)).grades.records}
    assert by_student["b00000001"].decision.kept is not None


@pytest.mark.parametrize("key", ["no_times", "no_attempts"])
def test_a_confirmation_of_what_is_not_the_case_is_a_mistake(tmp_path: Path, book: QuizBook, key: str) -> None:
    path = written(tmp_path / "r.csv", rows_of(book))
    assert f"class file, {key}: fits nothing" in problems(path, book, ClassFile.model_validate({key: REASON}))


def test_attempts_that_nobody_knows_are_refused_mapped_or_ignored(tmp_path: Path, book: QuizBook) -> None:
    rows = rows_of(book)
    rows[0][rows[0].index("attempt")] = "第幾次"
    path = written(tmp_path / "r.csv", rows)
    text = problems(path, book)
    assert "'第幾次' is a column that nobody knows, and attempt is missing, it looks like `attempt`" in text
    assert read_submissions(path, book, ClassFile(columns={"第幾次": "attempt"})).all_attempts
    for told in (ClassFile(columns={"第幾次": "ignore"}), ClassFile(no_attempts=REASON)):
        file = read_submissions(path, book, told)
        assert not file.all_attempts
        assert any("whether that is the latest in time cannot be told" in note for note in file.notes)


def moved_to_the_end(rows: list[list[str]], name: str) -> list[list[str]]:
    at = rows[0].index(name)
    return [[*row[:at], *row[at + 1 :], row[at]] for row in rows]


@pytest.mark.parametrize("name", ["submitted", "attempt", "sis_id"])
def test_a_column_is_known_wherever_it_stands(tmp_path: Path, book: QuizBook, name: str) -> None:
    rows = rows_of(book)
    moved, as_it_was = (
        [(s.student_id, s.submitted, s.attempt, s.chosen) for s in read_submissions(path, book).submissions]
        for path in (written(tmp_path / "r.csv", moved_to_the_end(rows, name)), written(tmp_path / "s.csv", rows))
    )
    assert moved == as_it_was


def test_times_under_a_foreign_header_after_the_questions_are_not_passed_over(tmp_path: Path, book: QuizBook) -> None:
    rows = moved_to_the_end(rows_of(book), "submitted")
    rows[0][-1] = "wann"
    text = problems(written(tmp_path / "r.csv", rows), book)
    assert "'wann' is a column that nobody knows, and submitted is missing, it looks like `submitted`" in text


@pytest.mark.parametrize("points", ["1,0", "one", "１", "0x1", "nan"])
def test_points_that_are_no_number_are_refused_with_their_cell(tmp_path: Path, book: QuizBook, points: str) -> None:
    rows = rows_of(book)
    first = next(i for i, cell in enumerate(rows[0]) if ":" in cell)
    rows[2][first], rows[2][first + 1] = "", points
    rows[3][rows[0].index("score")] = points
    path = written(tmp_path / "r.csv", rows)
    assert problems(path, book).count("is no number of points as the LMS writes them") == 2
    left_out = [Skip(row=3, cell=book.questions[0].id, reason=REASON), Skip(row=4, cell="score", reason=REASON)]
    assert len(read_submissions(path, book, ClassFile(skip=tuple(left_out))).submissions) == 3


def test_an_attempt_without_a_number_is_refused_or_confirmed(tmp_path: Path, book: QuizBook) -> None:
    rows = rows_of(book)
    rows[1][rows[0].index("attempt")] = ""
    path = written(tmp_path / "r.csv", rows)
    assert "r.csv: has no number of the attempt (`attempt`) in row 2" in problems(path, book)
    assert [s.attempt for s in read_submissions(path, book, ClassFile(no_attempts=REASON)).submissions] == [None, 1, 1]


def test_a_column_of_ids_is_mapped_and_a_score_too(tmp_path: Path, book: QuizBook) -> None:
    rows = rows_of(book)
    rows[0][rows[0].index("sis_id")], rows[0][rows[0].index("score")] = "login", "得点"
    path = written(tmp_path / "r.csv", rows)
    for meaning in ("sis_id", "student_id"):
        file = read_submissions(path, book, ClassFile(columns={"Login": meaning, "得点": "score"}))
        assert [s.student_id for s in file.submissions] == ["b00000002", "b00000001", "b00000000"]
        assert all(s.lms_score == 10 for s in file.submissions)


def test_a_report_without_its_counts_says_what_cannot_be_told(tmp_path: Path, book: QuizBook) -> None:
    rows = without(rows_of(book), "n correct", "n incorrect")
    notes = read_submissions(written(tmp_path / "r.csv", rows), book).notes
    assert any("whether question columns were removed cannot be told" in note for note in notes)


def test_an_unknown_column_beside_everything_critical_is_noted(tmp_path: Path, book: QuizBook) -> None:
    rows = [["Kommentar" if i == 0 else "x", *row] for i, row in enumerate(rows_of(book))]
    file = read_submissions(written(tmp_path / "r.csv", rows), book)
    assert "the column 'Kommentar' is none that is known, and is not read" in file.notes


def test_a_mapping_that_fits_no_column_is_a_mistake(tmp_path: Path, book: QuizBook) -> None:
    path = written(tmp_path / "r.csv", rows_of(book))
    assert "the class file maps the column 'when', which has no column here" in problems(
        path, book, ClassFile(columns={"when": "submitted"})
    )


def test_what_a_header_means_is_checked_where_it_is_written(tmp_path: Path, book: QuizBook) -> None:
    path = tmp_path / "class.yaml"
    path.write_text('columns: {when: submited, "352902": submitted}\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_class_file(path, book)
    assert "did you mean submitted" in str(caught.value)
    assert len(caught.value.problems) == 2


def plain(path: Path, book: QuizBook, *rows: str, head: str = "student_id,submitted,attempt") -> Path:
    ids = ",".join(question.id for question in book.questions)
    blank = "," * len(book.questions)
    path.write_text("\n".join([f"{head},{ids}", *(row + blank for row in rows)]) + "\n", encoding="utf-8")
    return path


def test_a_plain_file_may_lack_times_but_not_in_some_rows(tmp_path: Path, book: QuizBook) -> None:
    some = plain(tmp_path / "some.csv", book, "a,2026-06-18T12:00:00+08:00,", "b,,", "c,,")
    assert "some.csv: has no time of submission (`submitted`) in rows 3, 4" in problems(some, book)
    assert read_submissions(some, book, ClassFile(no_times=REASON)).submissions[1].submitted is None
    for none in (plain(tmp_path / "none.csv", book, "a,,"), plain(tmp_path / "no.csv", book, "a", head="student_id")):
        [note] = read_submissions(none, book).notes
        assert note == "no time of submission in the whole file: a submission without one is taken to be in time"


def test_a_plain_files_headers_are_mapped(tmp_path: Path, book: QuizBook) -> None:
    path = plain(tmp_path / "c.csv", book, "007,2026-06-25T12:00:00+08:00,x", head="學號,繳交,備註")
    assert "is neither" in problems(path, book)
    mapping = {"學號": "student_id", "繳交": "submitted", "備註": "ignore"}
    file = read_submissions(path, book, ClassFile(columns=mapping))
    assert late_students(file, book) == {"007"}


def test_attempts_in_some_rows_of_a_plain_file(tmp_path: Path, book: QuizBook) -> None:
    at = "2026-06-18T12:00:00+08:00"
    path = plain(tmp_path / "c.csv", book, f"a,{at},1", f"a,{at},", f"b,{at},1")
    assert "has no number of the attempt (`attempt`) in row 3" in problems(path, book)


def test_some_sheets_without_a_time(tmp_path: Path, book: QuizBook) -> None:
    sheets = [
        {"student_id": "a", "submitted": "2026-06-18T12:00:00+08:00", "answers": {}},
        {"student_id": "b", "answers": {}},
    ]
    path = tmp_path / "s.yaml"
    path.write_text(json.dumps({"submissions": sheets}), encoding="utf-8")
    assert "s.yaml: has no time of submission (`submitted`) in row 2" in problems(path, book)
    assert read_submissions(path, book, ClassFile(no_times=REASON)).notes


@pytest.mark.parametrize("name", ["late", "ja", "zh_hans"])
def test_the_case_of_the_week_late_attempt(shared: Path, name: str) -> None:
    cases = shared / "cases/grading"
    book = load_quiz(cases / "quiz")
    assert late_students(read_submissions(cases / f"c28/{name}.csv", book), book) == {"b12901002"}


@pytest.mark.parametrize(
    ("name", "told"),
    [("no_submitted", f"no_times: {REASON}"), ("submitted_translated", "columns: {提交時間: submitted}")],
)
def test_the_case_of_the_column_that_is_not_there(shared: Path, name: str, told: str, tmp_path: Path) -> None:
    quiz, out = shared / "cases/grading/quiz", tmp_path / "out"
    report = shared / f"cases/grading/c28/{name}.csv"
    arguments = ["grade", report, "--quiz", quiz, "--override", quiz / "key.yaml", "--out", out]
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 2
    assert "has no column `submitted`" in done.output
    assert not out.exists()
    class_file = tmp_path / "class.yaml"
    class_file.write_text(told + "\n", encoding="utf-8")
    done = CliRunner().invoke(app, [*map(str, arguments), "--class", str(class_file)])
    assert done.exit_code == 0, done.output
    assert (REASON in " ".join(done.output.split())) == (name == "no_submitted")
    students = json.loads((out / "result.json").read_text(encoding="utf-8"))["students"]
    rules = {s["id"]: [a["rule"] for a in s.get("adjustments", [])] for s in students}
    assert rules["b12901002"] == (["no time"] if name == "no_submitted" else ["late"])


@pytest.mark.parametrize(
    ("name", "row"), [("plain_stray_quote", 2), ("canvas_stray_quote", 2), ("plain_section", 2), ("truncated", 4)]
)
def test_the_case_of_the_quote_that_is_never_closed(shared: Path, name: str, row: int) -> None:
    cases = shared / "cases/grading"
    text = problems(cases / f"c50/{name}.csv", load_quiz(cases / "quiz"))
    assert f"{name}.csv row {row}: a cell opens with a quote" in text
