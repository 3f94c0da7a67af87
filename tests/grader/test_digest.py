"""What `grade` says first: how many, how well, what is open, what to decide, and why the exit code is what it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grader.cli import app
from grader.quiz.spec import QuizBook
from tests.grader.classroom import Command, Report, letters_key, random_class
from tests.grader.test_grading_cli import unsettle
from tests.grader.test_no_submission import roster


def first_lines(shown: str) -> list[str]:
    """The digest: all before the empty line."""
    return shown.partition("\n\n")[0].splitlines()


def test_a_class_without_a_question_is_said_in_four_lines(run: Command, report: Path) -> None:
    ended = run("grade", report)
    assert ended.exit_code == 0
    title, students, mean, code = first_lines(ended.output)
    assert title.startswith("HW10   key ")
    assert students == "30 students, 60 submissions; no roster, so nobody knows who handed nothing in"
    assert mean.startswith("mean ")
    assert code == "exit code 0: everything is graded"


def test_what_is_open_is_said_before_the_log_with_its_command(report: Path, quiz: Path, tmp_path: Path) -> None:
    assert quiz
    folder = unsettle(tmp_path)
    ended = CliRunner().invoke(app, ["grade", str(report), "--quiz", str(folder)])
    assert ended.exit_code == 3
    lines = first_lines(ended.output)
    assert lines[3].startswith("open: 1 question not settled: q05")
    assert f"`earwitness key --quiz {folder}`" in lines[3]
    assert "--override" in lines[3]
    assert lines[-1] == "exit code 3: 1 question not settled"
    data = json.loads(CliRunner().invoke(app, ["grade", str(report), "--quiz", str(folder), "--json"]).output)
    assert data["open"] == [lines[3].removeprefix("open: ")]
    assert data["exit"] == {"code": 3, "reason": "1 question not settled"}


def test_what_waits_for_a_decision_is_said_once_it_is_there(run: Command, class_book: QuizBook, tmp_path: Path) -> None:
    """Late only, too many attempts, nothing handed in, another key in the LMS, a skipped cell."""
    attempts = random_class(class_book, 30)
    attempts[4].submitted = datetime(2026, 6, 20, tzinfo=UTC)
    attempts += [random_class(class_book, 1, seed=n)[0] for n in range(2, 8)]
    for number, attempt in enumerate(attempts[30:], 2):
        attempt.number = number
    canvas_key = letters_key(class_book) | {"q02": frozenset("A")}
    path = Report(canvas_key=canvas_key).write(tmp_path / "report.csv", class_book, attempts)
    roster(tmp_path)
    class_file = tmp_path / "class.yaml"
    class_file.write_text("{roster: roster.csv, skip: [{row: 12, cell: q07, reason: it was edited}]}", encoding="utf-8")
    ended = run("grade", path, "--class", class_file)
    assert ended.exit_code == 3
    lines = first_lines(ended.output)
    assert lines[1] == "30 students, 36 submissions; 2 of the roster handed nothing in (no row in scores.csv)"
    said = "\n".join(lines[3:])
    for what in (
        "open: 1 answer not graded: b",
        "to decide: 1 student made more attempts on a day than allowed, which costs nothing by itself: b00000000",
        "to decide: 2 students handed nothing in: b00000030, b00000031 (blank or zero?",
        "to decide: the LMS graded q02 with another key or other points",
        "to decide: 1 student handed in late only, and nothing counts unless the class file has an extension",
        "exit code 3: 1 answer not graded",
    ):
        assert what in said, said
    class_file.write_text(
        f"{class_file.read_text(encoding='utf-8')[:-1]}, no_submission: listed, canvas_key: {{q02: [A]}}}}",
        encoding="utf-8",
    )
    said = "\n".join(first_lines(run("grade", path, "--class", class_file).output))
    assert "blank or zero" not in said, "the class file says it"
    assert "another key" not in said


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_mean_of_nobody_is_no_traceback(
    run: Command, class_book: QuizBook, tmp_path: Path, options: list[Any]
) -> None:
    header = ["student_id", *(question.id for question in class_book.questions)]
    (tmp_path / "class.csv").write_text(f"{','.join(header)}\nonly{',' * (len(header) - 1)}\n", encoding="utf-8")
    ended = run("grade", tmp_path / "class.csv", *options)
    assert ended.exit_code == 0, ended.output
