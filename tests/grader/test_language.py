"""The commands in Traditional Chinese: no English sentence is left in what they print; JSON and files are the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from grader.cli import app
from grader.quiz.spec import QuizBook
from tests.grader.classroom import Command, Report, random_class

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SENTENCE = re.compile(r"[A-Za-z]+[a-z](?: [a-z]+){2,}")
QUOTED = re.compile(r"`[^`]*`|「[^」]*」|“[^”]*”|'[^']*'|\"[^\"]*\"|\{[^}]*\}")
"""Commands, cells, titles and examples are quoted as they are."""


def english_in(text: str) -> list[str]:
    """Lines in which three English words or more follow one another outside quotes."""
    said = [line for line in text.splitlines() if not line.startswith("Usage: root")]  # which `main` says otherwise
    return [line for line in said if SENTENCE.search(QUOTED.sub("", line))]


def say(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture
def files(tmp_path: Path, class_book: QuizBook) -> Path:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "plain.csv").write_text("student_id,q01,q99\nb1,BZ,\nb1,B,A\n")
    (tmp_path / "open.csv").write_text('student_id,q01\nb1,"A\n')
    (tmp_path / "bad.yaml").write_text("answers: {q01: [Z], q01: A}\n")
    (tmp_path / "class.yaml").write_text("rooster: x\nextensions: [{student: b1}]\n")
    (tmp_path / "decided.yaml").write_text("overrides: [{question: q01, correct: [Z], reason: ''}]\n")
    (tmp_path / "result.json").write_text("{}")
    report = Report(language="zh").write(tmp_path / "report.csv", class_book, random_class(class_book, 4, attempts=2))
    lines = report.read_text(encoding="utf-8").splitlines()
    (tmp_path / "cut.csv").write_text("\n".join([lines[0], lines[1][: len(lines[1]) // 2]]), encoding="utf-8")
    return tmp_path


REFUSED = (
    "grade none.csv",
    "grade empty.csv",
    "grade plain.csv",
    "grade open.csv",
    "grade cut.csv",
    "grade report.csv --class class.yaml",
    "grade report.csv --override decided.yaml",
    "grade report.csv --accept guesses",
    "grade . --out result.json",
    "check bad.yaml",
    "regrade result.json class.yaml",
    "items none",
    "sensitivity result.json",
    "ledger none",
    "appeal none new",
    "export canvas none --gradebook none.csv",
    "export check none.csv --gradebook empty.csv",
    "export gradescope result.json --out out",
    "report --grades none",
    "why q99 A",
    "why q01 Z",
    "evidence q99",
    "evaluators nobody",
    "new question no/name",
    "key --quiz none",
    "compare none@x --audio none",
    "store prune --older-than -1",
    "key --nonsense",
    "grade",
)


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused_is_refused_in_chinese(files: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(files)
    result = say("--language", "zh-TW", *line.split())
    assert result.exit_code in (1, 2), result.output
    assert CHINESE.search(result.output)
    assert english_in(result.output) == []


def test_a_graded_class_is_told_in_chinese_and_kept_in_english(run: Command, report: Path, tmp_path: Path) -> None:
    kept = {}
    for language in ("en", "zh-TW"):
        out = tmp_path / language
        result = run("grade", report, "--out", out, "--compare-rules", "--language", language)
        assert result.exit_code in (0, 3), result.output
        assert (english_in(result.output) == []) is (language == "zh-TW")
        kept[language] = [(out / "scores.csv").read_bytes(), json.loads((out / "result.json").read_text())]
    assert kept["en"][0] == kept["zh-TW"][0]
    assert {**kept["en"][1], "graded": ""} == {**kept["zh-TW"][1], "graded": ""}


def test_json_is_the_same_in_every_language(run: Command, report: Path) -> None:
    said = [run("grade", report, "--json", "--language", language).stdout for language in ("en", "zh-TW")]
    assert said[0] == said[1]


def test_help_is_in_the_language_of_the_locale(
    earwitness: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    environment = os.environ | {"LC_ALL": "zh_TW.UTF-8", "PYTHONIOENCODING": "utf-8"}
    done = earwitness("grade", "--help", env=environment)
    assert done.returncode == 0, done.stderr
    assert english_in(done.stdout) == []
    assert "用法：earwitness grade" in done.stdout
