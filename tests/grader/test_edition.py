"""The students' edition decides nothing: one line from whatever would need its key, and a word on answers' form."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from grader.cli import app
from tests.grader.classroom import Command

IT_IS = "is the students' edition"


@pytest.fixture
def edition(run: Command, tmp_path: Path) -> Path:
    folder = tmp_path / "edition"
    ended = run("export", "student", "--out", folder, "--opening", tmp_path / "opening.json")
    assert ended.exit_code == 0, ended.output
    return folder


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.mark.parametrize(
    "arguments",
    [
        ["key"],
        ["key", "--evidence", "cached", "--json"],
        ["why", "q03", "E"],
        ["evidence", "q03"],
        ["grade", "class.csv"],
        ["items", "class.csv"],
        ["sensitivity", "class.csv"],
        ["report", "--out", "page.html"],
        ["report", "--edition", "before", "--out", "page.html"],
        ["facts", "list"],
        ["export", "qti", "--out", "quiz.zip"],
        ["export", "moodle", "--out", "quiz.xml"],
        ["export", "student", "--out", "again", "--opening", "opening2.json"],
        ["new", "class"],
        ["doctor"],
        ["demo", "--out", "demo"],
    ],
)
def test_every_command_that_would_need_the_key_says_so_in_one_line(
    edition: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "class.csv").write_text("student_id,q01\nb1,A\n")
    before = {path.name for path in tmp_path.iterdir()}
    ended = command(*arguments, "--quiz", edition)
    assert ended.exit_code == 2, ended.output
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert IT_IS in line
    assert {path.name for path in tmp_path.iterdir()} == before


def test_validate_and_pytest_say_it_too(edition: Path, repository: Path) -> None:
    ended = command("validate", edition)
    assert ended.exit_code == 2
    assert len(ended.stderr.splitlines()) == 1
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(edition)]
    done = subprocess.run(words, cwd=repository, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert f"{edition}: {IT_IS}" in done.stdout
    assert "1 failed" in done.stdout


def test_answers_to_it_are_told_to_be_well_formed_or_not(edition: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("answers: {q01: [B, D], q02: B}")
    ended = command("check", answers, "--quiz", edition)
    assert ended.exit_code == 3
    [line] = ended.stdout.splitlines()
    assert "cannot decide what is right" in line
    assert "2 of 12 questions answered" in line
    data = json.loads(command("check", answers, "--quiz", edition, "--json").stdout)
    assert data["students_edition"]
    assert data["not_answered"] == [f"q{n:02d}" for n in range(3, 13)]
    answers.write_text("answers: {q01: [Z], q02: BD, q99: A}")
    ended = command("check", answers, "--quiz", edition)
    assert ended.exit_code == 2
    for what in ("q01", "q02", "q99"):
        assert what in ended.stderr


def test_it_holds_nothing_that_the_quiz_keeps_to_itself(edition: Path, quiz: Path) -> None:
    for path in edition.glob("q*.yaml"):
        text = path.read_text(encoding="utf-8")
        for word in ("claim:", "evidence:", "contrary:", "aliases:", "note:", "corroborating:"):
            assert word not in text, path
    assert {path.name for path in edition.glob("[!.]*")} == {
        "commitment.json",
        *(path.name for path in quiz.glob("*.yaml")),
    }


def test_a_quiz_with_claims_beside_a_seal_is_a_quiz(edition: Path, quiz: Path) -> None:
    """Somebody who copies the seal into the staff's folder has not made an edition of it."""
    (quiz / "commitment.json").write_bytes((edition / "commitment.json").read_bytes())
    try:
        assert command("key", "--quiz", quiz).exit_code == 0
    finally:
        (quiz / "commitment.json").unlink()
