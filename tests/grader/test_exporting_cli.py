"""`earwitness export` from files to files, with exit codes."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from grader.cli import app
from grader.quiz.spec import QuizBook
from tests.grader.classroom import Command, letters_key
from tests.grader.gift_reading import read_gift
from tests.grader.qti_reading import read_qti


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def gradebook(tmp_path: Path, points: str, students: int = 30) -> Path:
    path = tmp_path / "gradebook.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["Student", "ID", "SIS Login ID", "Section", "HW10 (7)"])
        writer.writerow(["    Points Possible", "", "", "", points])
        writer.writerows([f"Student {n}", 90000 + n, f"b{n:08d}", "A", ""] for n in range(students))
    return path


@pytest.fixture
def graded(run: Command, report: Path, tmp_path: Path) -> Path:
    assert run("grade", report, "--out", tmp_path / "graded").exit_code == 0
    return tmp_path / "graded"


def test_other_points_in_the_lms_are_refused_or_scaled(graded: Path, tmp_path: Path) -> None:
    export = ["export", "canvas", graded, "--gradebook", gradebook(tmp_path, "100.00"), "--assignment", "7"]
    refused = command(*export)
    assert refused.exit_code == 2
    scaled = command(*export, "--scale", "--json")
    assert scaled.exit_code == 0, scaled.output
    totals = {s["id"]: s["exact"] for s in json.loads((graded / "result.json").read_text())["students"]}
    for change in json.loads(scaled.output)["changes"]:
        assert float(change["new"]) == pytest.approx(10 * eval_fraction(totals[change["student"]]), abs=0.00501)


def eval_fraction(text: str) -> float:
    numerator, _, denominator = text.partition("/")
    return int(numerator) / int(denominator or 1)


def test_a_student_missing_from_the_gradebook_stops_the_export(graded: Path, tmp_path: Path) -> None:
    course = gradebook(tmp_path, "10.00", students=29)
    out = tmp_path / "import.csv"
    ended = command("export", "canvas", graded, "--gradebook", course, "--assignment", "7", "--out", out)
    assert ended.exit_code == 2
    assert not out.exists()


def test_what_is_not_fully_graded_is_exported_only_when_told(
    run: Command, report: Path, tmp_path: Path, class_book: QuizBook
) -> None:
    text = report.read_text(encoding="utf-8")
    option = class_book.question("q10").options["B"].text.replace(",", "\\,")
    broken = tmp_path / "broken.csv"
    broken.write_text(text.replace(option, "edited", 1), encoding="utf-8")
    refused = run("grade", broken, "--out", tmp_path / "graded")
    assert refused.exit_code == 2
    row = int(str(refused.stderr).split("row ")[1].split(",")[0])
    class_file = tmp_path / "class.yaml"
    class_file.write_text(f"skip:\n  - {{row: {row}, cell: q10, reason: the option was edited}}\n")
    graded = run("grade", broken, "--out", tmp_path / "graded", "--class", class_file)
    assert graded.exit_code in (0, 3), graded.output  # 3 if the attempt that counts is the one with the cell
    export = ["export", "canvas", tmp_path / "graded", "--gradebook", gradebook(tmp_path, "10.00"), "--assignment", "7"]
    assert command(*export).exit_code == (2 if graded.exit_code == 3 else 0)
    assert command(*export, "--partial").exit_code == 0


def test_checking_a_file_by_hand_says_what_would_happen(tmp_path: Path) -> None:
    course = gradebook(tmp_path, "10.00")
    edited = tmp_path / "edited.csv"
    edited.write_text("Student,ID,SIS Login ID,Section,HW 10\nStudent 1,90001,b00000001,A,9\n")
    ended = command("export", "check", edited, "--gradebook", course)
    assert ended.exit_code == 1
    assert "would create the assignment HW 10" in ended.output
    assert command("export", "canvas", "--gradebook", course).exit_code == 2


def test_the_quiz_leaves_as_qti_moodle_and_a_sealed_edition(run: Command, tmp_path: Path, class_book: QuizBook) -> None:
    assert run("export", "qti", "--out", tmp_path / "quiz.zip").exit_code == 0
    for item, question in zip(read_qti(tmp_path / "quiz.zip"), class_book.questions, strict=True):
        assert item.correct_texts == {question.options[x].text for x in letters_key(class_book)[question.id]}
    assert run("export", "moodle", "--out", tmp_path / "quiz.xml").exit_code == 0
    assert (tmp_path / "quiz.xml").read_bytes().startswith(b"<?xml")
    plain = [(tmp_path / name).read_bytes() for name in ("quiz.zip", "quiz.xml")]
    for form, name in (("qti", "quiz.zip"), ("moodle", "quiz.xml")):
        assert run("export", form, "--comments", "--language=en", "--out", tmp_path / f"said-{name}").exit_code == 0
    assert read_qti(tmp_path / "said-quiz.zip") == read_qti(tmp_path / "quiz.zip")
    with zipfile.ZipFile(tmp_path / "said-quiz.zip") as package:
        said_in = [package.read(name) for name in package.namelist()] + [(tmp_path / "said-quiz.xml").read_bytes()]
    assert sum(b"So the statement holds." in content for content in said_in) == 2
    assert not any(b"So the statement" in content for content in plain), "the key leaves only when it is asked for"
    assert run("export", "gift", "--out", tmp_path / "quiz.gift").exit_code == 0
    assert len(read_gift((tmp_path / "quiz.gift").read_text(encoding="utf-8"))) == 12

    student = ["export", "student", "--out", tmp_path / "edition", "--opening", tmp_path / "secret.json"]
    assert run(*student).exit_code == 0
    opened = command("export", "open", tmp_path / "edition", tmp_path / "secret.json")
    assert opened.exit_code == 0, opened.output
    assert run(*student).exit_code == 2  # the opening is never overwritten
    secret = json.loads((tmp_path / "secret.json").read_text())
    secret["questions"]["q01"]["correct"] = ["another"]
    (tmp_path / "forged.json").write_text(json.dumps(secret))
    forged = command("export", "open", tmp_path / "edition", tmp_path / "forged.json")
    assert forged.exit_code == 1
    assert "q01" in forged.output
