"""Evaluators that other packages bring: who may bring one, what their evidence rests on, and doing without them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.grader.test_unruly import install

UNUSABLE, UNSETTLED = 2, 3
Run = Callable[..., CompletedProcess[str]]
TALLY = """\
id: {name}
title: A table
points: {points}
choose: many
prompt: What was thrown?
evidence:
  - {{evaluator: tally, table: {table}}}
options:
  A: {{text: more than three, claim: {{at_least: [tally.mean, 3]}}}}
  B: {{text: more than four, claim: {{at_least: [tally.mean, 4]}}}}
"""


class Course:
    """Another course's quiz on a machine: the packages that are installed there, a store, the command."""

    def __init__(self, earwitness: Run, quiz: Path, site: Path, folder: Path) -> None:
        self.quiz, self.folder, self.site = quiz, folder, Path(shutil.copytree(site, folder / "installed"))
        self.sites = [self.site]
        self._earwitness = earwitness

    def __call__(self, *arguments: object, quiz: bool = True) -> CompletedProcess[str]:
        command, *more = arguments
        where = [] if not quiz else [self.quiz] if command in ("validate", "record") else ["--quiz", self.quiz]
        return self._earwitness(command, *more, *where, cwd=self.folder, env=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        search = os.pathsep.join(map(str, (*self.sites, REPOSITORY)))
        return {**os.environ, "PYTHONPATH": search, "EARWITNESS_CACHE": str(self.folder / "store")}

    def data(self, *arguments: object) -> Any:
        return json.loads(self(*arguments, "--json").stdout)

    def bare(self, *arguments: object) -> Any:
        return json.loads(self(*arguments, "--json", quiz=False).stdout)

    def key(self, *arguments: object) -> dict[str, Any]:
        return {question["id"]: question for question in self.data("key", *arguments)["questions"]}

    def before_throwing(self, statement: str) -> None:
        """Change the code of dice, under the same version."""
        source = self.site / "foreign_evaluators.py"
        throws = "generator = random.Random(7)"
        source.write_text(source.read_text().replace(throws, f"{statement}\n        {throws}"))

    def ask_tables(self, **tables: str) -> None:
        """Make its two questions ask for what tables say."""
        for (name, table), points in zip(tables.items(), (2, 1), strict=True):
            (self.quiz / f"{name}.yaml").write_text(TALLY.format(name=name, table=table, points=points))

    def write(self, table: str, *throws: int) -> None:
        (self.quiz / table).parent.mkdir(exist_ok=True)
        (self.quiz / table).write_text("\n".join(map(str, throws)))


@pytest.fixture
def course(earwitness: Run, foreign_quiz: Path, foreign_site: Path, tmp_path: Path) -> Course:
    return Course(earwitness, foreign_quiz, foreign_site, tmp_path)


# Who may bring an evaluator


@pytest.mark.parametrize("of_record", [False, True])
def test_two_packages_that_bring_one_evaluator_are_refused_naming_both(course: Course, of_record: bool) -> None:
    if of_record:
        course("evidence", "--record")
    install(course.folder / "twin", "twin", {"dice": "foreign_evaluators:Dice"})
    course.sites.append(course.folder / "twin")
    done = course("validate")
    assert done.returncode == UNUSABLE
    assert "'dice' is brought by more than one package: foreign 0.1 and twin 0.1" in done.stderr
    assert "uninstall one" in done.stderr


def test_a_package_that_shadows_what_is_built_in_is_refused_naming_both(course: Course) -> None:
    install(course.folder / "twin", "twin", {"literature": "foreign_evaluators:Dice"})
    course.sites.append(course.folder / "twin")
    sides = course.quiz / "sides.yaml"
    sides.write_text(sides.read_text().replace("evaluator: dice", "evaluator: literature\n    topics: [moshi]"))
    done = course("validate")
    assert done.returncode == UNUSABLE
    assert "'literature' is brought by more than one package: earwitness " in done.stderr
    assert " (built in) and twin 0.1" in done.stderr


# Doing without them


def test_what_is_of_record_is_checked_judged_and_graded_without_the_package(course: Course) -> None:
    sides = course.quiz / "sides.yaml"
    sides.write_text(sides.read_text().replace("evaluator: dice", "evaluator: quick_dice\n    throws: 100"))
    assert course("evidence", "--record").returncode == 0
    assert {path.stem.split("-")[0] for path in (course.quiz / "evidence").glob("*-*")} == {"dice", "quick_dice"}
    before = course.data("key", "--evidence=cached")
    course.sites.clear()
    shutil.rmtree(course.folder / "store")
    assert course("validate").returncode == 0
    assert course.data("key") == before
    assert [q["correct"] for q in before["questions"]] == [["A", "C"], ["B"]]
    (course.folder / "class.csv").write_text("student_id,fair,sides\n1,AC,B\n")
    assert course("grade", "class.csv", "--out", "grades").returncode == 0
    assert (course.folder / "grades/scores.csv").read_text().splitlines()[1] == "1,,,2.00,1.00,3.00,graded"
    page = course("report", "--out", "page.html")
    assert page.returncode == 0, page.stderr


def test_without_package_and_record_the_evaluator_is_not_known(course: Course) -> None:
    course.sites.clear()
    done = course("validate")
    assert done.returncode == UNUSABLE
    assert "fair.yaml:7: evaluator 'dice' is not known" in done.stderr
    assert "Traceback" not in done.stderr


def test_other_parameters_than_those_of_record_are_told_where_the_package_is_not_here(course: Course) -> None:
    course("evidence", "--record")
    course.sites.clear()
    fair = course.quiz / "fair.yaml"
    fair.write_text(fair.read_text().replace("evaluator: dice", "evaluator: dice\n    throws: 12"))
    done = course("validate")
    assert done.returncode == UNUSABLE
    assert "nothing of record was asked for with these parameters" in done.stderr
    assert "fair.yaml" in done.stderr


def test_nothing_is_run_for_what_only_looks_at_what_is_there(course: Course) -> None:
    sides = course.quiz / "sides.yaml"
    sides.write_text(sides.read_text().replace("evaluator: dice", "evaluator: quick_dice"))
    assert course.key("--evidence=cached")["sides"]["correct"] is None
    course("evidence")
    assert course.key("--evidence=cached")["sides"]["correct"] == ["B"]


# What evidence rests on


def test_changed_code_in_the_same_version_is_told_wherever_the_evidence_is_shown(course: Course) -> None:
    course("evidence", "--record")
    assert course.key()["fair"]["differences"] == []
    course.before_throwing("pass")
    (told,) = course.key()["fair"]["differences"]
    assert told.startswith("of other code: the source of dice changed since it was measured by foreign 0.1, and its")
    assert "of other code" in course("key").stdout
    why = course("why", "fair").stdout
    assert "of other code" in why
    assert ", foreign 0.1, earwitness " in why
    assert course.data("evidence", "--evidence=cached")[0]["differences"] == [told]
    assert course.data("record", "verify")["entries"][0]["differences"] == [told]
    (course.folder / "class.csv").write_text("student_id,fair,sides\n1,AC,B\n")
    graded = course("grade", "class.csv", "--out", "grades")
    assert graded.returncode == 0
    assert "fair rests on evidence of other code" in graded.stderr
    page = course("report", "--out", "page.html")
    assert "of other code" in (course.folder / "page.html").read_text(encoding="utf-8"), page.stderr
    course("evidence", "--evidence=refresh", "--record")
    assert course.key()["fair"]["differences"] == []


def test_provenance_says_who_brought_the_evaluator_and_of_which_source(course: Course) -> None:
    (found,) = course.data("evidence", "fair")
    known = found["evidence"]["provenance"]
    assert known["evaluator"] == "foreign 0.1"
    assert len(known["code"]) == 64


def test_a_changed_file_of_the_quiz_is_told_and_measured_anew(course: Course) -> None:
    course.ask_tables(fair="data/a.txt", sides="data/b.txt")
    course.write("data/a.txt", 2, 3, 4)
    course.write("data/b.txt", 5, 5, 6)
    course("evidence")
    assert course.key("--evidence=cached")["fair"]["correct"] == ["A"]
    course.write("data/a.txt", 5, 6)
    cached = course.key("--evidence=cached")
    assert cached["fair"]["differences"] == ["of other inputs: data/a.txt changed since it was measured"]
    assert cached["sides"]["differences"] == []
    anew = course.key()["fair"]
    assert anew["correct"] == ["A", "B"]
    assert "of other inputs" in str(anew["differences"]), "what was stored is shown beside it"


def test_where_a_file_lies_is_not_in_a_fingerprint_and_equal_files_have_an_answer_each(course: Course) -> None:
    course.ask_tables(fair="data/a.txt", sides="data/b.txt")
    course.write("data/a.txt", 2, 3, 4)
    course.write("data/b.txt", 2, 3, 4)
    found = [one["evidence"] for one in course.data("evidence")]
    assert len({one["fingerprint"] for one in found}) == 1
    assert [one["provenance"]["files"].keys() for one in found] == [{"data/a.txt"}, {"data/b.txt"}]
    assert {q["id"]: q["correct"] for q in course.key("--evidence=cached").values()} == {"fair": ["A"], "sides": ["A"]}


@pytest.mark.parametrize("table", ["../secret.txt", "/etc/passwd", "data/../../secret.txt", "C:/x.txt", "''"])
def test_a_path_that_leads_out_of_the_quiz_is_refused_with_its_line(course: Course, table: str) -> None:
    course.ask_tables(fair=table, sides="data/b.txt")
    done = course("validate")
    assert done.returncode == UNUSABLE
    assert "has to be a path inside the quiz's folder" in done.stderr
    assert "fair.yaml:7" in done.stderr


def test_a_link_that_leads_out_of_the_quiz_and_a_file_that_is_not_there_are_told(course: Course) -> None:
    course.ask_tables(fair="out.txt", sides="data/b.txt")
    (course.folder / "secret.txt").write_text("6")
    (course.quiz / "out.txt").symlink_to(course.folder / "secret.txt")
    problems = {one["questions"][0]: one["problem"] for one in course.data("evidence")}
    assert "lies outside the quiz's folder" in problems["fair"]["what"]
    assert "there is no such file in the quiz" in problems["sides"]["what"]
    assert {problem["cause"] for problem in problems.values()} == {"input"}


def test_a_question_file_of_another_folder_is_refused(course: Course) -> None:
    (course.quiz / "fair.yaml").rename(course.folder / "fair.yaml")
    quiz = course.quiz / "quiz.yaml"
    quiz.write_text(quiz.read_text().replace("fair.yaml", "../fair.yaml"))
    before = (course.folder / "fair.yaml").read_bytes()
    for command in (("validate",), ("export", "student", "--out", "edition", "--opening", "opening.json")):
        done = course(*command)
        assert done.returncode == UNUSABLE
        assert "../fair.yaml lies outside the quiz" in done.stderr
    assert (course.folder / "fair.yaml").read_bytes() == before


# Trying one


def test_evaluators_are_listed_with_their_packages_and_what_is_wrong_with_them(course: Course) -> None:
    install(course.folder / "twin", "twin", {"dice": "nowhere:Dice", "wheel": "nowhere:Wheel"})
    course.sites.append(course.folder / "twin")
    listed = {one["name"]: one for one in course.bare("evaluators")}
    assert listed["tally"]["package"] == "foreign 0.1"
    assert listed["tally"]["about"].startswith("Mean of throws that somebody wrote down")
    assert listed["literature"]["problem"] == ""
    assert "more than one package" in listed["dice"]["problem"]
    assert "No module named 'nowhere'" in listed["wheel"]["problem"]


def test_an_evaluator_says_what_it_takes_and_what_it_measures_then(course: Course) -> None:
    found = course.bare("evaluators", "dice", "sides=8")
    assert [(one["name"], one["kind"], one["default"]) for one in found["parameters"]] == [
        ("sides", "integer", "6"),
        ("throws", "integer", "2000"),
        ("needs", "string", '""'),
    ]
    mean = found["quantities"][0]
    assert (mean["name"], mean["low"], mean["high"]) == ("dice.mean", 1, 8)
    assert "table: Field required" in course.bare("evaluators", "tally")["refused"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [(["dise"], "'dise': is not known"), (["dice", "sides"], "sides: names no value")],
)
def test_what_cannot_be_asked_of_an_evaluator_is_told(course: Course, asked: list[str], told: str) -> None:
    done = course("evaluators", *asked, quiz=False)
    assert done.returncode == UNUSABLE
    assert told in done.stderr


def test_a_question_is_tried_with_what_its_evaluator_prints_and_nothing_is_kept(course: Course) -> None:
    course("evidence", "fair", "--record")
    before = sorted(course.quiz.rglob("*")), sorted((course.folder / "store").rglob("*.json"))
    course.before_throwing("print('thrown')")
    done = course("try", "fair")
    assert done.returncode == 0
    assert done.stderr.count("thrown") == 1
    assert "settled: A, C" in done.stdout
    assert course.key("--evidence=cached")["fair"]["differences"], "what is of record is still what it was"
    assert before == (sorted(course.quiz.rglob("*")), sorted((course.folder / "store").rglob("*.json")))
    assert len(course.data("try", "fair")["questions"]) == 1


def test_what_draws_without_a_seed_is_noted_where_it_is_tried_and_where_it_is_measured_anew(course: Course) -> None:
    assert "two runs differ" not in course("try", "fair").stdout
    course.before_throwing("import random as chance")
    source = course.site / "foreign_evaluators.py"
    source.write_text(
        source.read_text().replace("value=mean, interval", "value=mean + chance.random() / 1e3, interval")
    )
    assert "two runs differ: dice.mean was 3." in course("try", "fair").stdout
    course("evidence", "fair", "--evidence=refresh")
    assert "two runs differ: dice.mean was 3." in course("evidence", "fair", "--evidence=refresh").stdout


def test_a_question_that_is_on_no_list_is_noted(course: Course) -> None:
    assert "note" not in course("validate").stderr
    shutil.copy(course.quiz / "fair.yaml", course.quiz / "third.yml")
    done = course("validate")
    assert (done.returncode, done.stderr.count("third.yml looks like a question and is not among")) == (0, 1)


# How it is run


def test_an_evaluator_runs_in_this_process_where_a_question_says_so(course: Course) -> None:
    course.before_throwing("print('thrown')")
    assert "thrown" not in course("evidence", "fair").stdout
    fair = course.quiz / "fair.yaml"
    fair.write_text(fair.read_text().replace("evaluator: dice", "evaluator: dice\n    isolate: false"))
    assert "thrown" in course("evidence", "fair", "--evidence=refresh").stdout


def test_a_worker_ends_with_the_program_that_asks_it_and_takes_its_folder_with_it(course: Course) -> None:
    note, scratch = course.folder / "process", course.folder / "scratch"
    scratch.mkdir()
    course.before_throwing(f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    command = [sys.executable, "-c", "from grader.cli import main; main()", "key", "--quiz", str(course.quiz)]
    here = {**course.environment, "TMPDIR": str(scratch)}
    program = subprocess.Popen(command, env=here, cwd=course.folder, stdout=subprocess.DEVNULL)
    wait_for(lambda: note.exists() and note.read_text() != "")
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert [*scratch.glob("earwitness-*")]
    wait_for(lambda: not running(int(note.read_text())) and not [*scratch.glob("earwitness-*")])


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def running(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
