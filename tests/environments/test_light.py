"""For those who only grade: the README's environment without torch grades, checks, explains, exports and reports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.environments.conftest import HEAVY, call, megabytes, versions

DONE, UNUSABLE, UNSETTLED = 0, 2, 3
MOST = 500
"""Megabytes that it may take; all packages take more than ten times that."""
CLASS = """student_id,q01,q02,q03,q04,q05,q06,q07,q08,q09,q10,q11,q12
1,BD,CD,AB,A,AB,B,C,A,B,C,A,BE
2,B,D,A,AB,C,B,C,AB,B,C,AB,E
"""
OVERRIDE = """overrides:
  - {question: q02, correct: [A], reason: settled for a test alone}
  - {question: q05, correct: [A], reason: settled for a test alone}
  - {question: q06, correct: [C], reason: settled for a test alone}
  - {question: q07, correct: [C], reason: settled for a test alone}
  - {question: q08, correct: [B], reason: settled for a test alone}
"""
CHANGE = """reason: the rule was announced otherwise
rule: all-or-nothing
"""


@pytest.fixture(scope="module")
def light(checkout: Path) -> Path:
    """The environment that the README's line makes, in a copy of the checkout; returns its folder of programs."""
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^uv venv light .*$", readme, flags=re.MULTILINE)
    assert line in (checkout / "docs/install.md").read_text(encoding="utf-8")
    call("bash", "-ec", line, cwd=checkout)
    return checkout / "light/bin"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a class, a student's answers and a decision of the staff."""
    folder = tmp_path_factory.mktemp("grading")
    (folder / "class.csv").write_text(CLASS)
    (folder / "answers.yaml").write_text("answers:\n  q01: [B, D]\n  q11: [A]\n")
    (folder / "override.yaml").write_text(OVERRIDE)
    (folder / "change.yaml").write_text(CHANGE)
    return folder


def test_nothing_heavy_is_in_it(light: Path) -> None:
    assert not {*HEAVY} & versions(light).keys()
    assert megabytes(light.parent) < MOST


def test_every_command_that_rests_on_the_record_works(light: Path, place: Path) -> None:
    """In this order: later ones read what earlier ones wrote."""
    settled = ("--override", "override.yaml")
    for code, *command in (
        (DONE, "validate"),
        (UNSETTLED, "key"),
        (UNSETTLED, "key", "--json"),
        (DONE, "why", "q11", "A"),
        (UNSETTLED, "check", "answers.yaml", "--why"),
        (DONE, "grade", "class.csv", "--out", "grades", *settled, "--compare-rules"),
        (DONE, "regrade", "grades", "change.yaml", "--out", "again"),
        (DONE, "items", "grades"),
        (DONE, "appeal", "q01", "B", "--student", "2", "--result", "grades"),
        (DONE, "ledger", "grades"),
        (DONE, "sensitivity", "grades"),
        (DONE, "report", "--out", "report.html", "--grades", "grades"),
        (UNSETTLED, "report", "--out", "student.html", "--edition", "student", "--language", "zh-TW"),
        (DONE, "report", "--out", "before.html", "--edition", "before"),
        (DONE, "export", "qti", "--out", "quiz.zip", *settled),
        (DONE, "export", "moodle", "--out", "quiz.xml", *settled),
        (DONE, "export", "student", "--out", "edition", "--opening", "opening.json"),
        (DONE, "export", "open", "edition", "opening.json"),
        (DONE, "doctor"),
        (DONE, "doctor", "--json"),
    ):
        done = call(light / "earwitness", *command, code=code, cwd=place)
        assert "Traceback" not in done.stdout + done.stderr, command


def test_the_quiz_runs_as_tests(light: Path, checkout: Path, place: Path) -> None:
    done = call(light / "pytest", "questions/", f"--answers={place / 'answers.yaml'}", code=1, cwd=checkout)
    assert "q11: ticked A; wrong about" in done.stdout
    assert "error" not in done.stdout.splitlines()[-1]
    call(light / "pytest", "questions/", cwd=checkout)


@pytest.mark.parametrize(
    ("command", "code", "package"),
    [
        (("demo",), UNUSABLE, "huggingface-hub"),
        (("evidence", "q11", "--evidence=refresh"), UNSETTLED, "torch"),
        (("run-models", "--audio", "clips"), UNUSABLE, "torch"),
    ],
)
def test_what_needs_more_says_which_package(
    light: Path, checkout: Path, tmp_path: Path, command: tuple[str, ...], code: int, package: str
) -> None:
    (tmp_path / "clips").symlink_to(checkout / "audio/clips")
    done = call(light / "earwitness", *command, code=code, cwd=tmp_path)
    assert f"the package {package}" in done.stdout + done.stderr
    assert f"pip install {package}" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
