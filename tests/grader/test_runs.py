"""What a run leaves behind is whole: many at a time, refused ones, and processes killed at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from basics.files import sha256_of
from grader.marking.ledger import inspect
from tests.grader.classroom import Command
from tests.grader.run_writer import RULES
from tests.grader.test_regrade import FLIP, changes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are forked")


@dataclass
class Writers:
    """Processes that write runs: see `run_writer`."""

    process: subprocess.Popen[str]

    def start(self, out: Path, rule: str, moment: int = 0) -> int:
        return int(self.ask(f"{out}\t{rule}\t{moment}"))

    def wait(self) -> list[int]:
        return [int(code) for code in self.ask("wait").split()]

    def ask(self, line: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    command = [sys.executable, "-m", "tests.grader.run_writer"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Writers(process)


def tree(folder: Path) -> dict[str, str]:
    """Digests by name of what a run consists of, but for the record, which holds the time."""
    run = [folder / "scores.csv", *sorted((folder / "feedback").rglob("*"))]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in run if path.is_file()}


def state(folder: Path) -> tuple[str, dict[str, str]]:
    """The rule of the record, and the rest; the ledger must verify and end with what lies there."""
    seen = inspect(folder)
    assert seen.findings == ()
    assert seen.entries[-1].outputs == {name: sha256_of(folder / name) for name in ("scores.csv", "result.json")}
    assert [*seen.entries[-1].folders] == ["feedback"]
    return json.loads((folder / "result.json").read_text())["rule"], tree(folder)


@pytest.fixture(scope="module")
def whole(writers: Writers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What a run under each rule consists of."""
    found = {}
    for rule in RULES:
        out = tmp_path_factory.mktemp("whole") / "out"
        writers.start(out, rule)
        assert writers.wait() == [0]
        found[rule] = tree(out)
    assert len({found[rule]["scores.csv"] for rule in RULES}) == 2
    assert len(found[RULES[0]]) == 1 + 6 * 4
    return found


def test_eight_runs_into_one_folder_at_the_same_time(
    writers: Writers, whole: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for round_ in range(1, 4):
        for i in range(8):
            writers.start(out, RULES[i % 2])
        assert writers.wait() == [0] * 8
        rule, files = state(out)
        assert files == whole[rule]
        assert len(inspect(out).entries) == 8 * round_


def test_a_run_killed_at_any_moment_leaves_the_old_one_or_the_new_one(
    writers: Writers, whole: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    """Kills spread over the time that writing takes here, start to end."""
    out = tmp_path / "out"
    started = time.monotonic()
    writers.start(out, RULES[0])
    assert writers.wait() == [0]
    takes = time.monotonic() - started
    dice, killed, entries = random.Random(5), 0, 1
    for i in range(40):
        child = writers.start(out, RULES[(i + 1) % 2])
        time.sleep(dice.uniform(0, takes))
        os.kill(child, signal.SIGKILL)  # until it is waited for, its id is nobody else's
        killed += writers.wait() == [-signal.SIGKILL]
        rule, files = state(out)
        assert files == whole[rule]
        assert len(inspect(out).entries) in (entries, entries + 1)
        entries = len(inspect(out).entries)
    assert killed
    left = {path.name for path in out.iterdir() if not path.name.startswith(".writing-")}
    assert left == {".lock", "scores.csv", "result.json", "feedback", "ledger"}


def test_a_run_killed_before_any_of_its_renames_leaves_the_old_one_or_the_new_one(
    writers: Writers, whole: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    out, expected = tmp_path / "out", RULES[0]
    writers.start(out, expected)
    assert writers.wait() == [0]
    reached = set()
    for moment in range(1, 100):
        wanted = RULES[moment % 2]
        writers.start(out, wanted, moment)
        [code] = writers.wait()
        rule, files = state(out)
        assert rule in (expected, wanted)
        assert files == whole[rule]
        reached.add((rule == expected, code))
        expected = rule
        if code == 0:
            break
    assert (False, -signal.SIGKILL) in reached, "some kill fell after the decision"
    writers.start(out, RULES[0])
    assert writers.wait() == [0]
    assert not list(out.glob(".writing-*")), "what killed processes left is swept"


def test_a_refused_regrade_leaves_nothing_behind(run: Command, report: Path, tmp_path: Path) -> None:
    assert run("grade", report, "--out", tmp_path / "old").exit_code == 0
    course = tmp_path / "course.csv"
    course.write_text("Student,ID,SIS Login ID,Section,HW10 (7)\n    Points Possible,,,,10.00\nx,1,b1,A,\n")
    before = {path: sha256_of(path) for path in tmp_path.rglob("*") if path.is_file()}
    refused = run(
        "regrade", tmp_path / "old", changes(tmp_path, FLIP), "--out", tmp_path / "far/new", "--gradebook", course,
        "--assignment", "7",
    )  # fmt: skip
    assert refused.exit_code == 2
    after = {path: sha256_of(path) for path in tmp_path.rglob("*") if path.is_file()}
    assert after == {**before, tmp_path / "changes.yaml": after[tmp_path / "changes.yaml"]}
    assert not (tmp_path / "far").exists()


def test_a_later_run_of_another_kind_leaves_nothing_of_the_earlier_one(
    run: Command, report: Path, tmp_path: Path
) -> None:
    assert run("grade", report, "--out", tmp_path / "old").exit_code == 0
    out = tmp_path / "out"
    assert run("grade", report, "--out", out).exit_code == 0
    assert run("regrade", tmp_path / "old", changes(tmp_path, FLIP), "--out", out).exit_code == 0
    assert run("regrade", tmp_path / "old", changes(tmp_path, FLIP), "--out", tmp_path / "new").exit_code == 0
    assert tree(out) == tree(tmp_path / "new") != tree(tmp_path / "old")
    assert run("grade", report, "--out", out).exit_code == 0
    assert not (out / "changed.csv").exists()
    (out / "gradebook.csv").write_text("somebody's own")
    assert run("grade", report, "--out", out).exit_code == 0
    assert (out / "gradebook.csv").read_text() == "somebody's own", "the ledger does not know it"
    assert [entry.action for entry in inspect(out).entries] == ["grade", "regrade", "grade", "grade"]
    assert inspect(out).findings == ()
