"""Commands that the program prints can be pasted: where the quiz is not the default one, they name it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from grader.cli import app
from grader.quiz.commands import command as command_of
from grader.quiz.loading import BUILT_IN_QUIZ
from tests.grader.test_grading_cli import unsettle

TREE: Any = typer.main.get_command(app)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def printed(text: str) -> list[list[str]]:
    """The words of every command in a text, `--help` ones left out."""
    lines = re.findall(r"(?:(?<=`)|^ *|(?<=: ))(earwitness (?!: )[a-z][^`\n]*)", text, flags=re.M)
    found = [shlex.split(line, comments=True) for line in lines]
    return [words for words in found if "--help" not in words]


def parameters(words: list[str]) -> set[str]:
    """Names of the parameters of the command that these words call."""
    command = TREE
    for word in words[1:]:
        if not hasattr(command, "commands"):
            break
        command = command.commands[word]
    return {parameter.name for parameter in command.params}


@pytest.fixture
def folder(quiz: Path, tmp_path: Path) -> Path:
    """A quiz in a folder whose name needs quotes, with a question that nobody has evidence for."""
    assert quiz
    return Path(shutil.move(unsettle(tmp_path), tmp_path / "our course's quiz"))


def test_every_printed_command_names_the_quiz(folder: Path, report: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (folder / "schema").mkdir()
    (folder / "schema" / "quiz.schema.json").write_text("{}")
    calls: list[list[object]] = [
        ["key", "--quiz", folder],
        ["why", "q03", "E", "--quiz", folder],
        ["why", "q05", "C", "--quiz", folder],
        ["evidence", "--quiz", folder],
        ["grade", report, "--out", out, "--quiz", folder],
        ["items", out, "--override", "decided.yaml"],
        ["doctor", "--quiz", folder],
        ["new", "class", "--out", tmp_path / "new", "--quiz", folder],
        ["validate", folder],
        ["record", "verify", folder, "--signers", report],
        ["record", "sign", folder, "--key", report],
    ]
    found = []
    for call in calls:
        ended = run(*call)
        assert ended.exit_code in (0, 1, 2, 3), f"{call}: {ended.output}"
        found += printed(ended.output)
    assert len(found) >= 6
    assert {words[1] for words in found} >= {"evidence", "key", "regrade", "grade"}
    for words in found:
        if parameters(words) & {"quiz", "folder"}:
            assert str(folder) in words or str(out) in words, shlex.join(words)


def test_where_it_is_the_default_one_nothing_is_added(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = Path(shutil.move(folder, folder.parent / "questions"))
    assert command_of(default, "key") == f"earwitness key --quiz {default}"
    monkeypatch.chdir(default.parent)
    assert command_of(default, "key") == "earwitness key"
    assert command_of(Path("questions"), "why", "q05", "C") == "earwitness why q05 C"
    assert command_of(BUILT_IN_QUIZ, "key") == f"earwitness key --quiz {BUILT_IN_QUIZ}", "./questions is the default"


def test_a_remedy_for_a_record_names_its_quiz(folder: Path) -> None:
    record = folder / "evidence"
    record.mkdir()
    (record / "index.json").write_text(json.dumps({"format": 1, "entries": "none"}))
    ended = run("record", "verify", folder)
    assert ended.exit_code in (1, 2)
    remedies = [words for words in printed(ended.output) if words[1] == "evidence"]
    assert remedies
    assert all(words[-2:] == ["--quiz", str(folder)] for words in remedies)
