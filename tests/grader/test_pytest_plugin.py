"""`pytest QUIZ`: real runs in processes of their own, on another course's quiz."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: object, cwd: Path) -> tuple[int, str]:
    """Exit status and output of a real pytest run."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=cwd, env=environment)
    return done.returncode, done.stdout + done.stderr


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def answers(tmp_path: Path, fair: str, sides: str) -> Path:
    path = tmp_path / "my answers.yaml"
    path.write_text(f"answers:\n  fair: [{fair}]\n  sides: [{sides}]\n")
    return path


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_right_answers_pass(foreign_quiz: Path, tmp_path: Path, workers: tuple[str, ...]) -> None:
    code, text = run(foreign_quiz, f"--answers={answers(tmp_path, 'A, C', 'B')}", *workers, cwd=tmp_path)
    assert code == 0, text
    assert re.search(r"9 passed", text)
    assert "3 options supported, 3 options refuted, 0 options inconclusive" in text


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_wrong_answer_fails_with_the_numbers(foreign_quiz: Path, tmp_path: Path, workers: tuple[str, ...]) -> None:
    code, text = run(foreign_quiz, f"--answers={answers(tmp_path, 'A, B', 'B')}", *workers, cwd=tmp_path)
    assert code == 1, text
    assert "fair: ticked A, B; wrong about B, C" in text
    assert re.search(r"dice\.mean = 3\.\d+ \[3\.\d+, 3\.\d+\] over throws", text)
    assert "Traceback" not in text
    assert "1 failed, 8 passed" in text


def test_without_answers_the_options_are_tested_and_the_questions_skipped(foreign_quiz: Path, tmp_path: Path) -> None:
    code, text = run(foreign_quiz, cwd=tmp_path)
    assert code == 0, text
    assert "7 passed, 2 skipped" in text
    assert "--answers=FILE" in text


def test_one_question_file_can_be_run_by_itself(foreign_quiz: Path, tmp_path: Path) -> None:
    code, text = run(foreign_quiz / "sides.yaml", cwd=tmp_path)
    assert code == 0, text
    assert "3 passed, 1 skipped" in text


def test_evidence_that_cannot_be_had_skips_and_says_what_would_supply_it(foreign_quiz: Path, tmp_path: Path) -> None:
    edit(foreign_quiz / "sides.yaml", "evaluator: dice", "evaluator: dice\n    needs: a table")
    code, text = run(foreign_quiz / "sides.yaml", cwd=tmp_path)
    assert code == 0, text
    assert "4 skipped" in text
    assert "buy a table" in text


def test_evidence_that_decides_nothing_fails(foreign_quiz: Path, tmp_path: Path) -> None:
    edit(foreign_quiz / "fair.yaml", "[dice.mean, 3.0]", "[dice.mean, 3.5], margin: 0.2")
    code, text = run(foreign_quiz / "fair.yaml", cwd=tmp_path)
    assert code == 1, text
    assert "the evidence is here and decides nothing" in text
    assert "2 failed, 2 passed" in text


def test_an_evaluator_that_breaks_is_an_error_and_not_a_failure(foreign_quiz: Path, tmp_path: Path) -> None:
    edit(foreign_quiz / "sides.yaml", "evaluator: dice", "evaluator: dice\n    needs: luck")
    code, text = run(foreign_quiz, cwd=tmp_path)
    assert code == 4, text
    assert "4 errors" in text
    assert "this is a fault of foreign 0.1" in text
    assert "the dice fell off the table" in text
    assert "4 passed, 1 skipped" in text


def test_a_bad_spec_is_a_collection_error(foreign_quiz: Path, tmp_path: Path) -> None:
    edit(foreign_quiz / "fair.yaml", "dice.mean, 3.0", "dice.maen, 3.0")
    code, text = run(foreign_quiz, cwd=tmp_path)
    assert code == 2, text
    assert "fair.yaml:11: measurement 'dice.maen'" in text
    assert "did you mean dice.mean" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("answers:\n  fare: [A]\n  sides: [Z]\n", ("fare is not in the quiz", "Z")),
        ("answers: [\n", ("not valid YAML",)),
        ("", ("is empty",)),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_bad_answers_file_is_a_usage_error_with_all_problems(
    foreign_quiz: Path, tmp_path: Path, content: str, message: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(content)
    code, text = run(foreign_quiz, f"--answers={path}", *workers, cwd=tmp_path)
    assert code == 4, text
    assert all(part in text for part in message)
    assert "Traceback" not in text


def test_other_test_suites_are_left_alone(tmp_path: Path) -> None:
    """The plugin is loaded wherever the package is installed; YAML files of strangers are none of its business."""
    (tmp_path / "config.yaml").write_text("a: [1, 2\n")
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n")
    code, text = run(tmp_path, cwd=tmp_path)
    assert code == 0, text
    assert "1 passed" in text
    check = "import sys, grader.pytest_plugin; print([m for m in ('pydantic', 'yaml', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_decisions_of_the_teaching_staff_hold_and_say_why(foreign_quiz: Path, tmp_path: Path) -> None:
    path = tmp_path / "decided.yaml"
    path.write_text(
        "overrides:\n  - {question: sides, correct: [A, B], reason: A can be argued}\n"
        "rulings:\n  - {question: fair, always_correct: [B], reason: B was unclear}\n"
    )
    given = f"--answers={answers(tmp_path, 'A, B, C', 'A')}"
    code, text = run(foreign_quiz, given, cwd=tmp_path)
    assert code == 1, text
    code, text = run(foreign_quiz, given, f"--override={path}", cwd=tmp_path)
    assert code == 0, text
    wrong = f"--answers={answers(tmp_path, 'C', 'C')}"
    code, text = run(foreign_quiz, wrong, f"--override={path}", cwd=tmp_path)
    assert code == 1, text
    assert "sides: ticked C; wrong about A, B, C" in text
    assert "decided by the teaching staff: A, B right (A can be argued)" in text
    assert "fair: ticked C; wrong about A" in text
    assert "decided by the teaching staff: B counted as right (B was unclear)" in text
    path.write_text("overrides: [{question: sides, correct: [Z], reason: long enough}]\n")
    code, text = run(foreign_quiz, f"--override={path}", cwd=tmp_path)
    assert code == 4, text
    assert "sides has no option Z" in text


def test_several_files_of_decisions_add_up_or_are_refused_with_both_named(foreign_quiz: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "monday.yaml", tmp_path / "tuesday.yaml"
    one.write_text("overrides: [{question: sides, correct: [A, B], reason: A can be argued}]\n")
    two.write_text("rulings: [{question: fair, always_correct: [B], reason: B was unclear}]\n")
    both = (f"--override={one}", f"--override={two}")
    code, text = run(foreign_quiz, f"--answers={answers(tmp_path, 'A, B, C', 'A')}", *both, cwd=tmp_path)
    assert code == 0, text
    assert "fair: decided by the teaching staff: B counted as right (B was unclear)" in text
    assert "sides: decided by the teaching staff: A, B right (A can be argued)" in text
    two.write_text("overrides: [{question: sides, correct: [C], reason: C it has to be}]\n")
    code, text = run(foreign_quiz, *both, cwd=tmp_path)
    assert code == 4, text
    assert "A can be argued" in text
    assert "C it has to be" in text


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_what_was_given_for_a_quiz_below_the_named_folder_is_read_before_anything_runs(
    foreign_quiz: Path, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    shutil.copytree(foreign_quiz, tmp_path / "course" / "week 3")
    path = tmp_path / "decided.yaml"
    path.write_text("overrides: [{question: sides, correct: [Z], reason: long enough}]\n")
    wrong = tmp_path / "mine.yaml"
    wrong.write_text("answers: {fair: [A, Q]}\n")
    code, text = run(tmp_path / "course", f"--override={path}", f"--answers={wrong}", *workers, cwd=tmp_path)
    assert code == 4, text
    assert "sides has no option Z" in text
    assert "Q" in text
    assert "Traceback" not in text
