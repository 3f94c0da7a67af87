"""Who of the roster handed nothing in, and the names and sections that the roster has."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.quiz.spec import QuizBook
from tests.grader.classroom import Command, random_class
from tests.grader.test_exporting_cli import command
from tests.grader.test_grading_cli import result, scores


def roster(folder: Path, absent: int = 2) -> None:
    rows = [f'b{n:08d},"學生 {n}",Class C,{90000 + n}' for n in range(30 + absent)]
    (folder / "roster.csv").write_text("\n".join(["student_id,name,section,id", *rows]), encoding="utf-8")


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ("listed", []),
        ("row", [("學生 30", "Class C", "", "", "no submission"), ("學生 31", "Class C", "", "", "no submission")]),
        (
            "zero",
            [("學生 30", "Class C", "", "0.00", "no submission"), ("學生 31", "Class C", "", "0.00", "no submission")],
        ),
    ],
)
def test_who_handed_nothing_in_has_the_row_that_the_course_wants(
    run: Command, report: Path, tmp_path: Path, wanted: str, rows: list[tuple[str, ...]]
) -> None:
    roster(tmp_path)
    class_file = tmp_path / "class.yaml"
    class_file.write_text(f"{{roster: roster.csv, no_submission: {wanted}}}", encoding="utf-8")
    ended = run("grade", report, "--class", class_file, "--out", tmp_path / "out")
    assert ended.exit_code == 0, ended.output
    found = [row for row in scores(tmp_path / "out") if row["student_id"] in ("b00000030", "b00000031")]
    assert [tuple(row[name] for name in ("name", "section", "q01", "total", "status")) for row in found] == rows
    record = result(tmp_path / "out")
    assert [line["id"] for line in record["missing"]] == ["b00000030", "b00000031"]
    assert len(record["students"]) == 30, "the mean is of those who handed in"
    changes = tmp_path / "changes.yaml"
    changes.write_text("{reason: for the test alone, rule: each-answer}")
    assert run("regrade", tmp_path / "out", changes, "--out", tmp_path / "new").exit_code == 0
    found = [row for row in scores(tmp_path / "new") if row["status"] == "no submission"]
    assert [row["total"] for row in found] == [row[3] for row in rows], "a regrade keeps what the class file says"


@pytest.mark.parametrize(("wanted", "imported"), [("listed", {}), ("row", {}), ("zero", {"b00000030": "0.00"})])
def test_a_zero_goes_into_the_gradebook_and_a_blank_does_not(
    run: Command, report: Path, class_book: QuizBook, tmp_path: Path, wanted: str, imported: dict[str, str]
) -> None:
    roster(tmp_path, absent=1)
    (tmp_path / "class.yaml").write_text(f"{{roster: roster.csv, no_submission: {wanted}}}", encoding="utf-8")
    assert run("grade", report, "--class", tmp_path / "class.yaml", "--out", tmp_path / "out").exit_code == 0
    rows = [f"學生 {n},{90000 + n},b{n:08d},Class C," for n in range(31)]
    points = f"    Points Possible,,,,{sum(question.points for question in class_book.questions):.2f}"
    header = "Student,ID,SIS Login ID,Section,HW10 (2)"
    (tmp_path / "gradebook.csv").write_text("\n".join([header, points, *rows]), encoding="utf-8")
    arguments = ["export", "canvas", tmp_path / "out", "--gradebook", tmp_path / "gradebook.csv"]
    ended = command(*arguments, "--assignment", "HW10 (2)", "--out", tmp_path / "import.csv")
    assert ended.exit_code == 0, ended.output
    written = (tmp_path / "import.csv").read_text(encoding="utf-8")
    found = [line for line in written.splitlines() if "b00000030" in line]
    assert [line.rsplit(",", 1)[1] for line in found] == list(imported.values())
    assert ("b00000030: no submission, 0.00" in ended.output) is bool(imported)


def test_a_row_for_nobody_needs_a_roster(run: Command, report: Path, tmp_path: Path) -> None:
    (tmp_path / "class.yaml").write_text("no_submission: row", encoding="utf-8")
    ended = run("grade", report, "--class", tmp_path / "class.yaml")
    assert ended.exit_code == 2
    assert "needs a roster" in ended.stderr


def test_names_and_sections_come_from_the_roster_where_the_file_has_none(
    run: Command, class_book: QuizBook, tmp_path: Path
) -> None:
    roster(tmp_path)
    answers = random_class(class_book, 30)
    header = ["student_id", *(question.id for question in class_book.questions)]
    lines = [",".join([a.login, *("".join(sorted(a.answers[q] or ())) for q in header[1:])]) for a in answers]
    (tmp_path / "plain.csv").write_text("\n".join([",".join(header), *lines]), encoding="utf-8")
    (tmp_path / "class.yaml").write_text("roster: roster.csv", encoding="utf-8")
    ended = run("grade", tmp_path / "plain.csv", "--class", tmp_path / "class.yaml", "--out", tmp_path / "out")
    assert ended.exit_code == 0, ended.output
    assert {(row["name"], row["section"]) for row in scores(tmp_path / "out")} == {
        (f"學生 {n}", "Class C") for n in range(30)
    }
