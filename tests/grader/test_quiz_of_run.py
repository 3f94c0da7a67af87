"""Whatever takes a run finds its quiz by itself, and says in one message where it cannot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from grader.cli import app

STUDENT = "b00000003"


def command(*arguments: object) -> Result:
    """A command as somebody types it who is in no quiz's folder: without `--quiz`."""
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture
def own_quiz(quiz: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(quiz, tmp_path / "course" / "quiz"))


@pytest.fixture
def graded(own_quiz: Path, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    out = tmp_path / "course" / "graded"
    assert command("grade", report, "--out", out, "--quiz", own_quiz).exit_code == 0
    monkeypatch.chdir(tmp_path)
    return out


def changes(folder: Path) -> Path:
    path = folder / "changes.yaml"
    path.write_text("{reason: for the test alone, rulings: [{question: q02, everyone: true, reason: nobody heard it}]}")
    return path


def users(graded: Path, folder: Path) -> Iterator[list[object]]:
    """Every command that takes a run and needs its quiz."""
    yield ["items", graded]
    yield ["items", graded / "result.json"]
    yield ["sensitivity", graded]
    yield ["appeal", "q03", "E", "--student", STUDENT, "--result", graded]
    yield ["regrade", graded, changes(folder)]
    yield ["report", "--grades", graded, "--out", folder / "page.html"]
    yield ["export", "gradescope", graded, "--out", folder / "gradescope"]
    yield ["export", "qti", "--override", graded, "--out", folder / "quiz.zip"]
    yield ["key", "--override", graded]
    yield ["why", "q03", "E", "--override", graded]


def test_a_run_knows_its_quiz(graded: Path, tmp_path: Path) -> None:
    for arguments in users(graded, tmp_path):
        ended = command(*arguments)
        assert ended.exit_code == 0, f"{arguments}: {ended.output}"


def test_quiz_and_run_may_move_together(graded: Path, tmp_path: Path) -> None:
    moved = Path(shutil.move(graded.parent, tmp_path / "elsewhere"))
    assert command("items", moved / "graded").exit_code == 0


def test_a_quiz_that_moved_is_asked_for_once(graded: Path, own_quiz: Path, tmp_path: Path) -> None:
    moved = shutil.move(own_quiz, tmp_path / "moved")
    for arguments in users(graded, tmp_path):
        ended = command(*arguments)
        assert ended.exit_code == 2, f"{arguments}: {ended.output}"
        assert ended.stderr.count("earwitness: ") == 1
        assert "where it was, holds no quiz.yaml" in ended.stderr
        assert "name its folder with --quiz" in ended.stderr
        named = command(*arguments, "--quiz", moved)
        assert named.exit_code == 0, f"{arguments}: {named.output}"


def test_a_quiz_that_asks_otherwise_by_now_is_not_the_one(graded: Path, own_quiz: Path) -> None:
    path = own_quiz / "q03.yaml"
    question = json.loads(path.read_text(encoding="utf-8"))
    question["options"]["A"]["text"] += " (corrected)"
    path.write_text(json.dumps(question), encoding="utf-8")
    ended = command("items", graded)
    assert ended.exit_code == 2
    assert "has changed since" in ended.stderr
    assert "q03" in ended.stderr
    named = command("items", graded, "--quiz", own_quiz)
    assert named.exit_code == 2
    assert "are asked otherwise in this quiz (q03)" in named.stderr
    assert "name the quiz that the run was graded with" in named.stderr


def test_what_nobody_was_asked_may_change(graded: Path, own_quiz: Path) -> None:
    path = own_quiz / "q03.yaml"
    question = json.loads(path.read_text(encoding="utf-8")) | {"note": "for the staff", "title": "Another heading"}
    path.write_text(json.dumps(question), encoding="utf-8")
    assert command("items", graded).exit_code == 0


def test_another_quiz_in_its_place_is_not_taken_for_it(graded: Path, own_quiz: Path) -> None:
    path = own_quiz / "quiz.yaml"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"id": "another"}), encoding="utf-8")
    ended = command("items", graded)
    assert ended.exit_code == 2
    assert "is the quiz another" in ended.stderr


def test_a_run_of_before_is_looked_for_where_commands_look(
    graded: Path, own_quiz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version wrote neither where the quiz was nor what it asked."""
    path = graded / "result.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["quiz_folder"]
    for question in record["key"]["questions"].values():
        del question["digest"]
    before = tmp_path / "before"
    before.mkdir()
    (before / "result.json").write_text(json.dumps(record), encoding="utf-8")
    assert command("items", before).exit_code == 2
    monkeypatch.chdir(own_quiz)
    assert command("items", before).exit_code == 0
    shutil.move(own_quiz, tmp_path / "questions")
    monkeypatch.chdir(tmp_path)
    assert command("items", before).exit_code == 0


def test_a_file_of_decisions_may_be_json(own_quiz: Path, tmp_path: Path) -> None:
    path = tmp_path / "decided.json"
    path.write_text(json.dumps({"rulings": [{"question": "q02", "everyone": True, "reason": "nobody heard it"}]}))
    assert command("key", "--override", path, "--quiz", own_quiz).exit_code == 0


def test_printed_commands_name_a_quiz_that_is_not_the_default_one(own_quiz: Path) -> None:
    """The same question: with `--quiz` in front of another folder, and without it where commands find it anyway."""
    recompute = f"earwitness evidence q03 --evidence=refresh --quiz {own_quiz}"
    assert recompute in command("why", "q03", "E", "--quiz", own_quiz).output
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(own_quiz.parent)
        shutil.move(own_quiz, "questions")
        shown = command("why", "q03", "E").output
    assert "earwitness evidence q03 --evidence=refresh\n" in shown
