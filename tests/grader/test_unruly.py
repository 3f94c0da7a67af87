"""Whatever an evaluator of somebody else does, it costs what it was asked for, and nothing else.

One quiz asks for every behaviour of `tests/unruly`, a question each; one `earwitness key` answers it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.unruly.unruly import INPUTS, MEASURES, QUANTITIES

BROKE = 4
Run = Callable[..., CompletedProcess[str]]

RIGHT = [
    *("right", "numpy", "numpy_0d", "numpy_interval", "rounding", "list", "generator_inside", "subclass", "markup"),
    *("prints", "floods", "closes_stdout", "no_stdout", "chdir", "writes", "warns", "progress", "forks", "pool"),
    *("leaves_thread", "leaves_process", "leaves_daemon", "ignores_signals", "at_exit", "environment"),
    *("quantities_generator", "quantities_print", "inputs_package"),
]
UNDEFINED = {
    "nan": "the evaluator gave nan",
    "inf": "the evaluator gave inf",
    "missing": "the evaluator unruly announced it, and gave nothing for it",
    "nothing_found": "the evaluator unruly announced it, and gave nothing for it",
    "reason": "nobody came",
}
FAULTS = {
    "raise": "RuntimeError: the evaluator fell over (unruly.py:",
    "raise_empty": "RuntimeError (unruly.py:",
    "raise_text": r"RuntimeError: \x1b[31mred\udc80 (unruly.py:",
    "raise_untold": "Untold (unruly.py:",
    "raise_base": "Unknown: nobody's",
    "raise_stop": "StopIteration",
    "zero": "ZeroDivisionError: division by zero",
    "assertion": "AssertionError",
    "no_file": "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file.csv'",
    "no_module": "ModuleNotFoundError: No module named 'no_such_module_xyz'",
    "exit": "SystemExit: 3",
    "exit_0": "SystemExit: 0",
    "exit_text": "SystemExit: I give up",
    "hard_exit": "its process ended without an answer (exit status 5)",
    "hard_exit_0": "its process ended without an answer (exit status 0)",
    "crash": "its process ended without an answer (SIGSEGV)",
    "abort": "its process ended without an answer (SIGABRT)",
    "kill": "its process ended without an answer (SIGKILL)",
    "interrupt": "KeyboardInterrupt",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "memory": "MemoryError",
    "hang": "it gave no answer within 1 s",
    "hang_deaf": "it gave no answer within 6 s",
    "spin": "it gave no answer within 1 s",
    "closes_all": "its process ended without an answer",
    "writes_pipe": "",
    "none": "measure returned nothing (None), expected Findings",
    "number": "measure returned float, expected Findings",
    "dict": "measure returned dict, expected Findings",
    "bare_list": "measure returned list, expected Findings",
    "coroutine": "measure returned coroutine, expected Findings",
    "generator": "measure returned generator, expected Findings",
    "not_measurements": "measurements holds 0.5, expected Measurement",
    "one_measurement": "measurements returned Measurement, expected a list of Measurement",
    "text": "u.share is 'half', announced as a number",
    "bool": "u.share is True, announced as a number",
    "one_for_true": "u.yes is 1, announced as a bool",
    "text_for_true": "u.yes is 'true', announced as a bool",
    "number_for_text": "u.word is 3, announced as a text",
    "other_word": "u.word is 'c', announced as one of a, b",
    "numpy_1d": "u.share: a ndarray (array([0.5])) is no number, text or truth value; convert it",
    "fraction": "u.share: a Fraction (Fraction(1, 2)) is no number, text or truth value; convert it",
    "decimal": "u.share: a Decimal (Decimal('0.5')) is no number, text or truth value; convert it",
    "complex": "u.share: a complex (0.5j) is no number, text or truth value; convert it",
    "huge": "u.count: the whole number is too large",
    "out_of_bounds": "u.share is 7.0, announced within [0, 1]",
    "below": "u.count is -1, announced within [0, inf]",
    "interval_off": "u.share: 0.5 lies outside its own interval",
    "interval_flipped": "",
    "no_value": "u.share",
    "unannounced": "u.extra was not announced by quantities",
    "bad_name": "name",
    "twice": "u.share",
    "source": "source",
    "bypassed": "u.share: a list ([1]) is no number, text or truth value; convert it",
    "artefact_lost": "it names blobs/none.png, which the store does not hold",
    "artefact_outside": "'../../etc/passwd' has to be a path inside the store",
    "foreign_type": "it returned something with a unruly.Image in it",
    "quantities_raise": "ValueError: quantities broke",
    "quantities_halfway": "ValueError: halfway",
    "quantities_none": "quantities returned nothing (None), expected a list of Quantity",
    "quantities_twice": "quantities names twice: u.share",
    "quantities_text": "quantities holds 'u.share', expected Quantity",
    "quantities_name": "name",
    "quantities_unicode": "name",
    "quantities_exit": "SystemExit: 3",
    "quantities_hard_exit": "its process ended without an answer (exit status 3)",
    "quantities_interrupt": "KeyboardInterrupt",
    "inputs_raise": "KeyError: 'inputs broke'",
    "inputs_none": "inputs returned nothing (None), expected Inputs",
    "inputs_path": "inputs returned what cannot be: files",
    "inputs_exit": "SystemExit: no inputs",
    "inputs_crash": "its process ended without an answer (SIGKILL)",
    "inputs_hang": "it gave no answer within 1 s",
}
HERE = [
    *("numpy_0d", "numpy_interval", "rounding", "list", "generator_inside", "subclass", "markup", "inf", "missing"),
    *("nothing_found", "reason", "raise_empty", "raise_text", "raise_stop", "zero", "assertion", "no_file", "number"),
    *("dict", "bare_list", "generator", "not_measurements", "one_measurement", "text", "bool", "one_for_true"),
    *("text_for_true", "number_for_text", "other_word", "numpy_1d", "fraction", "decimal", "complex", "huge"),
    *("out_of_bounds", "below", "interval_off", "interval_flipped", "no_value", "unannounced", "bad_name", "twice"),
    *("source", "bypassed", "artefact_lost"),
]
"""What can do nothing to a process runs in that of the command: the same checks, in a tenth of the time."""
UNLOADABLE = {
    "raises_on_import": "RuntimeError: broke while it was imported (raises_on_import.py:3)",
    "exits_on_import": "SystemExit: 0",
    "not_there": "ModuleNotFoundError: No module named 'no_such_package'",
    "no_class": "AttributeError: module 'unruly' has no attribute 'Nobody'",
    "not_a_class": "`version` is 'missing', expected a whole number",
    "misnamed": "it calls itself 'something_else'",
    "lacking": "`version` is 'missing', expected a whole number",
    "odd": "the parameter `data` is a path: make it a QuizFile",
    "demanding": "TypeError",
}
TARGETS = {
    "unruly": "unruly:Unruly",
    "raises_on_import": "raises_on_import:Broken",
    "exits_on_import": "exits_on_import:Broken",
    "not_there": "no_such_package:Broken",
    "no_class": "unruly:Nobody",
    "not_a_class": "unruly:share",
    "misnamed": "unruly:Misnamed",
    "lacking": "unruly:Lacking",
    "odd": "unruly:Odd",
    "demanding": "unruly:Demanding",
    "showy": "unruly:Showy",
}
DISPLAYS = {
    "display_raise": "display broke: ValueError: no paint (unruly.py:",
    "display_none": "display broke: display returned nothing (None), expected a list of",
    "display_exit": "display broke: SystemExit: 1",
    "display_kill": "display broke: its process ended without an answer (SIGKILL)",
    "display_text": "display broke: display holds &#39;paint&#39;, expected",
}
QUESTION = """\
id: {name}
title: {name}
points: 1
choose: many
prompt: What is true?
evidence:
  - {{evaluator: {evaluator}, {more}}}
options:
  A: {{text: a half, claim: {{at_least: [u.share, 0.3]}}}}
  B: {{text: most, claim: {{at_least: [u.share, 0.6]}}}}
  C: {{text: so it is, claim: {{is_true: u.yes}}}}
  D: {{text: forty-five, claim: {{equals: [u.count, 45]}}}}
  E: {{text: a, claim: {{equals: [u.word, a]}}}}
"""
QUIZ = """\
id: unruly
title: Whatever they do
total: {total}
deadline: 2026-03-01T12:00:00+01:00
time_zone: Europe/Berlin
credit_rule: each-answer
questions: {questions}
"""


def install(folder: Path, package: str, targets: dict[str, str]) -> None:
    """A package's metadata in a folder for PYTHONPATH."""
    metadata = folder / f"{package}-0.1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
    points = "".join(f"{name} = {target}\n" for name, target in targets.items())
    (metadata / "entry_points.txt").write_text(f"[earwitness.evaluators]\n{points}")


def write_quiz(folder: Path, asked: dict[str, str]) -> Path:
    """A quiz with a question by each name, and what it asks: an evaluator, and more words of the request."""
    folder.mkdir()
    for name, request in asked.items():
        evaluator, _, more = request.partition(", ")
        (folder / f"{name}.yaml").write_text(QUESTION.format(name=name, evaluator=evaluator, more=more))
    questions = json.dumps([f"{name}.yaml" for name in asked])
    (folder / "quiz.yaml").write_text(QUIZ.format(total=len(asked), questions=questions))
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for path in (REPOSITORY / "tests/unruly").glob("*.py"):
        shutil.copy(path, folder)
    install(folder, "unruly", TARGETS)
    return folder


@pytest.fixture(scope="module")
def answered(
    site: Path, tmp_path_factory: pytest.TempPathFactory, earwitness: Run
) -> tuple[CompletedProcess[str], Path]:
    """What `earwitness key --json` said of them all, and the quiz."""
    folder = tmp_path_factory.mktemp("quiz")
    asked = {name: f"unruly, how: {name}, timeout: 60" for name in (*RIGHT, *UNDEFINED, *FAULTS, "raise_input")}
    asked |= {name: f"unruly, how: {name}, isolate: false" for name in HERE}
    asked |= {name: f"unruly, how: {name}, timeout: 1" for name in ("hang", "spin", "inputs_hang")}
    asked["hang_deaf"] = "unruly, how: hang_deaf, timeout: 6"
    quiz = write_quiz(folder / "quiz", asked | {name: f"{name}, " for name in UNLOADABLE})
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(REPOSITORY)])}
    env["EARWITNESS_CACHE"] = str(folder / "store")
    done = earwitness("key", "--json", "--quiz", quiz, cwd=folder, env=env)
    return done, quiz


@pytest.fixture(scope="module")
def questions(answered: tuple[CompletedProcess[str], Path]) -> dict[str, Any]:
    return {question["id"]: question for question in json.loads(answered[0].stdout)["questions"]}


def test_all_behaviours_are_asked_for() -> None:
    assert {*RIGHT, *UNDEFINED, *FAULTS, "raise_input"} == {*MEASURES, *QUANTITIES, *INPUTS}


def test_no_behaviour_ends_the_command_or_shows_through(
    answered: tuple[CompletedProcess[str], Path], questions: dict[str, Any]
) -> None:
    done, quiz = answered
    assert done.returncode == BROKE, done.stderr
    assert len(questions) == len(RIGHT) + len(UNDEFINED) + len(FAULTS) + len(UNLOADABLE) + 1
    assert "Traceback" not in done.stdout + done.stderr
    assert {path.suffix for path in quiz.iterdir()} == {".yaml"}, "an evaluator wrote into the quiz"
    assert not list(quiz.parent.glob("left_behind*"))


@pytest.mark.parametrize("how", RIGHT)
def test_what_is_right_is_taken_for_what_it_is(questions: dict[str, Any], how: str) -> None:
    assert questions[how]["correct"] == ["A", "C", "D", "E"], questions[how]["obstacles"]
    assert questions[how]["missing"] == []


@pytest.mark.parametrize("how", UNDEFINED)
def test_what_is_undefined_says_why_and_decides_nothing(questions: dict[str, Any], how: str) -> None:
    assert questions[how]["correct"] is None
    assert UNDEFINED[how] in str(questions[how]["obstacles"])
    assert questions[how]["missing"] == []


@pytest.mark.parametrize("how", FAULTS)
def test_what_is_wrong_is_a_fault_of_its_author_in_one_line(questions: dict[str, Any], how: str) -> None:
    assert questions[how]["correct"] is None
    (gap,) = questions[how]["missing"]
    assert gap["cause"] == "fault"
    assert FAULTS[how] in gap["what"]
    assert f'how: "{how}"' in gap["what"] or how.startswith("quantities")
    assert "\n" not in gap["what"]
    assert "this is a fault of unruly 0.1" in gap["remedy"]


@pytest.mark.parametrize("name", UNLOADABLE)
def test_what_is_no_evaluator_is_a_fault_of_its_author(questions: dict[str, Any], name: str) -> None:
    assert questions[name]["correct"] is None
    (gap,) = questions[name]["missing"]
    assert gap["cause"] == "fault"
    assert UNLOADABLE[name] in gap["what"]
    assert "unruly 0.1" in gap["what"]


def test_a_file_that_cannot_be_used_is_told_as_the_evaluator_tells_it(questions: dict[str, Any]) -> None:
    (gap,) = questions["raise_input"]["missing"]
    assert gap["cause"] == "input"
    assert "lab.csv: has no column x" in gap["what"]


def test_output_is_shown_where_something_broke_and_nowhere_else(
    answered: tuple[CompletedProcess[str], Path], questions: dict[str, Any]
) -> None:
    assert "so far" in questions["hang_deaf"]["missing"][0]["output"]
    assert "50 %" not in answered[0].stdout + answered[0].stderr
    assert "a child" not in answered[0].stdout + answered[0].stderr


def test_a_display_that_breaks_costs_its_own_panels_alone(site: Path, tmp_path: Path, earwitness: Run) -> None:
    quiz = write_quiz(tmp_path / "quiz", {name: f"showy, how: {name}" for name in ("display_right", *DISPLAYS)})
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(REPOSITORY)])}
    env["EARWITNESS_CACHE"] = str(tmp_path / "store")
    assert earwitness("evidence", "--quiz", quiz, cwd=tmp_path, env=env).returncode == 0
    done = earwitness("report", "--quiz", quiz, "--out", "page.html", cwd=tmp_path, env=env)
    assert done.returncode == BROKE
    assert "Traceback" not in done.stdout + done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "all is well" in page
    assert [told for told in DISPLAYS.values() if told not in page] == []
