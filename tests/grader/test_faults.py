"""A program or an evaluator that breaks is told, costs its own request alone, and has an exit code of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from basics.errors import Incompatible
from evaluators.packages import Package, all_packages, blamed, cause_of, not_installed, package, whose_fault

BROKE = 4
ANSWERS = "answers:\n  fair: [A, C]\n  sides: B\n"
CLASS = "student_id,fair,sides\n1,AC,B\n2,A,A\n"

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def broken_quiz(foreign_quiz: Path) -> Path:
    """Another course's quiz: what `sides` asks breaks, what `fair` asks does not."""
    sides = foreign_quiz / "sides.yaml"
    sides.write_text(sides.read_text().replace("evaluator: dice", "evaluator: quick_dice\n    needs: luck"))
    return foreign_quiz


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with answers and a class to work on."""
    (tmp_path / "answers.yaml").write_text(ANSWERS)
    (tmp_path / "class.csv").write_text(CLASS)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("key",),
        ("why", "sides"),
        ("evidence",),
        ("check", "answers.yaml"),
        ("grade", "class.csv", "--out", "grades"),
        ("report", "--out", "report.html"),
        ("demo", "--out", "demo"),
        ("items", "class.csv"),
        ("export", "qti", "--out", "quiz.zip"),
        ("export", "moodle", "--out", "quiz.xml"),
        ("export", "student", "--out", "edition", "--opening", "opening.json"),
    ],
    ids=lambda command: " ".join(command[:2]) if command[0] == "export" else command[0],
)
def test_every_command_tells_what_broke_and_does_the_rest(
    earwitness: Run, broken_quiz: Path, place: Path, command: tuple[str, ...]
) -> None:
    earwitness("evidence", "fair", "--quiz", broken_quiz)  # for commands that measure nothing
    done = earwitness(*command, "--quiz", broken_quiz, cwd=place)
    assert done.returncode == BROKE, done.stdout + done.stderr
    assert 'quick_dice broke (asked for needs: "luck"): RuntimeError: the dice fell off the table (' in done.stderr
    untested = [known for known in all_packages() if known.state in ("newer", "older")]
    assert f"this is a fault of foreign 0.1{', or of ' if untested else '; --debug'}" in done.stderr
    assert done.stderr.count("fell off the table") == 1
    assert "Traceback" not in done.stderr + done.stdout


def test_the_key_is_formed_from_what_is_left(earwitness: Run, broken_quiz: Path, place: Path) -> None:
    key = json.loads(earwitness("key", "--json", "--quiz", broken_quiz).stdout)
    assert {q["id"]: q["correct"] for q in key["questions"]} == {"fair": ["A", "C"], "sides": None}
    assert [gap["cause"] for gap in key["questions"][1]["missing"]] == ["fault"]
    earwitness("evidence", "fair", "--quiz", broken_quiz)
    graded = earwitness("grade", "class.csv", "--out", "grades", "--quiz", broken_quiz, cwd=place)
    assert graded.returncode == BROKE
    rows = (place / "grades/scores.csv").read_text().splitlines()
    assert rows[1:] == ["1,,,2.00,,2.00,graded", "2,,,1.33,,1.33,graded"]


@pytest.mark.parametrize("place_of_option", [0, 1])
def test_debug_shows_the_traceback_wherever_it_stands(earwitness: Run, broken_quiz: Path, place_of_option: int) -> None:
    command = ["key", "--quiz", broken_quiz]
    command.insert(place_of_option, "--debug")
    done = earwitness(*command)
    assert done.returncode == BROKE
    assert "Traceback" in done.stderr
    assert 'raise RuntimeError("the dice fell off the table")' in done.stderr


def test_a_fault_of_the_program_itself_is_one_message(earwitness: Run, tmp_path: Path) -> None:
    """A library of another shape than the project knows."""
    (tmp_path / "jinja2.py").write_text("class Environments: ...\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = earwitness("report", "--edition", "before", "--out", tmp_path / "page.html", env=environment)
    assert done.returncode == BROKE
    assert "earwitness: broke: ImportError: cannot import name" in done.stderr
    assert "this is a fault of earwitness" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("raised", ["SystemExit(0)", "MemoryError()", "KeyError('x')", "RecursionError('deep')"])
def test_whatever_an_evaluator_raises_is_its_fault(
    earwitness: Run, broken_quiz: Path, foreign_site: Path, tmp_path: Path, raised: str
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    source = (foreign_site / "foreign_evaluators.py").read_text()
    (site / "foreign_evaluators.py").write_text(source.replace('RuntimeError("the dice fell off the table")', raised))
    search = os.pathsep.join([str(site), str(foreign_site)])
    done = earwitness("key", "--quiz", broken_quiz, env={**os.environ, "PYTHONPATH": search})
    assert done.returncode == BROKE, done.stdout + done.stderr
    assert raised.partition("(")[0] in done.stderr
    assert "fair" in done.stdout


@pytest.mark.parametrize(("breaks", "told"), [("1 / 0", "ZeroDivisionError"), ("exit(0)", "SystemExit: 0")])
def test_an_evaluator_that_cannot_say_what_it_measures_is_named_with_the_line(
    earwitness: Run, foreign_quiz: Path, foreign_site: Path, tmp_path: Path, breaks: str, told: str
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    source = (foreign_site / "foreign_evaluators.py").read_text()
    (site / "foreign_evaluators.py").write_text(
        source.replace('yield Quantity(name="dice.mean"', f"yield {breaks}, Quantity(name='x'")
    )
    search = os.pathsep.join([str(site), str(foreign_site)])
    done = earwitness("validate", foreign_quiz, env={**os.environ, "PYTHONPATH": search})
    assert done.returncode == 2
    assert "fair.yaml:" in done.stderr
    assert f"dice broke when asked what it measures: {told}" in done.stderr


def test_whose_fault_it_is_names_the_version_beside_the_tested_ones() -> None:
    moved = Incompatible("transformers", "it hands on nothing")
    told = whose_fault("earwitness 0.1.0", moved)
    assert told.startswith(f"this is a fault of earwitness 0.1.0, or of {package('transformers')}; ")
    assert "(tested: " in told


def test_a_package_is_suspected_because_the_error_arose_in_it_or_it_owns_the_object() -> None:
    import numpy as np
    import yaml

    with pytest.raises(yaml.YAMLError) as parsing:
        yaml.safe_load("a: [")
    assert blamed(parsing.value)[0].name == "pyyaml"
    assert cause_of(parsing.value).startswith("ParserError: ")
    with pytest.raises(AttributeError) as lacking:
        np.zeros(3).encoder_past_key_values  # type: ignore[attr-defined] # noqa: B018
    assert [suspect.name for suspect in blamed(lacking.value)] == ["numpy"]


@pytest.mark.parametrize(
    ("installed", "state"),
    [("4.57.0", "tested"), ("5.3", "tested"), ("5.24.0", "tested"), ("4.9", "older"), ("5.25.0", "newer"),
     ("5.24.1rc1", "newer"), ("absent", "absent")],
)  # fmt: skip
def test_a_version_between_tested_ones_counts_as_tested(installed: str, state: str) -> None:
    assert Package("transformers", installed, ("4.57.0", "5.24.0")).state == state


def test_only_a_package_that_the_project_needs_can_be_absent() -> None:
    assert not_installed(ModuleNotFoundError("No module named 'nobody'", name="nobody")) is None
    assert not_installed(ModuleNotFoundError("No module named 'torch.nothing'", name="torch.nothing")) is None
    assert not_installed(ImportError("cannot import name 'x'", name="torch")) is None
