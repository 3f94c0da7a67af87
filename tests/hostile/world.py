"""A quiz, a class, a graded run and all that hangs on it, to be copied and spoilt."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hostile.driver import attempt, load_everything

FOREIGN = Path(__file__).resolve().parents[1] / "foreign" / "foreign_evaluators.py"
IDS = tuple(f"b1290100{i}" for i in range(1, 7))
TICKS = ("BD", "B", "ACE", "ABCE", "ABE", "C", "C", "ABE", "ABD", "ACE", "ABC", "BE")

CLASS = """\
extensions:
  - {student: b12901001, until: "2026-06-20T12:00:00+08:00", reason: was ill all week}
skip:
  - {row: 8, cell: student, reason: a test account}
feedback: [en]
"""
OVERRIDE = """\
overrides:
  - {question: q02, correct: [A], reason: the slide is wrong, by: Wu}
rulings:
  - {question: q03, disregard: [E], reason: nobody could know}
"""
CHANGES = """\
reason: appeals are decided
rule: all-or-nothing
overrides:
  - {question: q01, correct: [B], reason: D was disputed rightly, by: Wu}
"""
ANSWERS = """\
student_id: b12901001
name: "Chen, Y"
submitted: "2026-06-18T12:00:00+08:00"
attempt: 1
answers: {q01: [B, D], q02: B, q03: [], q06: C}
"""
GRADEBOOK = """\
Student,ID,SIS Login ID,Section,HW10 (123456),Final Score (99)
    Points Possible,,,,10.00,10.00
"Chen, Y",98761,b12901001,ML-01,,
"Wang, X",98762,b12901002,ML-01,3.00,
"Lin, Z",98763,b12901003,ML-01,EX,
D,98764,b12901004,ML-01,,
E,98765,b12901005,ML-01,,
F,98766,b12901006,ML-01,,
"""


def class_csv() -> str:
    """Six students and a test account."""
    rows = ["student_id,name,section,submitted,attempt," + ",".join(f"q{i:02d}" for i in range(1, 13))]
    for i, name in enumerate((*IDS, "test0000")):
        ticked = [";".join(letters[: 1 + (i + n) % len(letters)]) for n, letters in enumerate(TICKS)]
        rows.append(f"{name},Student {i},ML-0{i % 2},2026-06-18T1{i}:00:00+08:00,1," + ",".join(ticked))
    return "\n".join(rows) + "\n"


FILES = {
    "class.yaml": CLASS,
    "override.yaml": OVERRIDE,
    "changes.yaml": CHANGES,
    "answers.yaml": ANSWERS,
    "gradebook.csv": GRADEBOOK,
    "class.csv": class_csv(),
}
GRADE = ("grade", "class.csv", "--class", "class.yaml", "--quiz", "quiz", "--out", "run")
APPEAL = ("appeal", "q01", "C", "--student", "b12901001", "--result", "run", "--quiz", "quiz")
DECIDE = ("--decision", "rejected", "--reason", "the evidence is clear")
MADE_BY = (
    GRADE,
    (*APPEAL, *DECIDE),
    ("regrade", "run", "changes.yaml", "--quiz", "quiz", "--out", "new"),
    ("export", "student", "--quiz", "quiz", "--out", "edition", "--opening", "opening.json"),
)

NOTING = """
_throw = Dice.measure


def _noted(self, parameters, site):
    with open({log!r}, "a") as thrown:
        thrown.write("x\\n")
    return _throw(self, parameters, site)


Dice.measure = _noted
"""
"""The end of the evaluator's source, in a copy: each throw is noted."""


@contextmanager
def worlds() -> Iterator[Path]:
    """The world as it was made, to be copied; the environment leads to its store, its state and its evaluator.

    Each throw of its dice adds a line to `site/thrown.log`.
    """
    from grader.quiz.loading import load_quiz
    from grader.verdicts.testimony import answer_key
    from tests.grader.classroom import write_quiz

    with TemporaryDirectory(prefix="hostile-") as name:
        top = Path(name)
        site = top / "site"
        (site / "foreign-0.1.dist-info").mkdir(parents=True)
        (site / FOREIGN.name).write_text(
            FOREIGN.read_text(encoding="utf-8") + NOTING.format(log=str(site / "thrown.log"))
        )
        metadata = site / "foreign-0.1.dist-info"
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 0.1\n")
        (metadata / "entry_points.txt").write_text("[earwitness.evaluators]\ndice = foreign_evaluators:Dice\n")
        sys.path.insert(0, str(site))
        world, made = top / "case" / "world", top / "made"
        os.environ |= {
            "EARWITNESS_CACHE": str(world / "store"),
            "EARWITNESS_STATE": str(world / "state"),
            "PYTHONPATH": os.pathsep.join([str(site), str(FOREIGN.parents[2])]),
        }
        write_quiz(world / "quiz")
        load_everything()
        answer_key(load_quiz(world / "quiz"), mode="auto")
        for file, text in FILES.items():
            (world / file).write_text(text, encoding="utf-8")
        for arguments in MADE_BY:
            ended = attempt(arguments, world)
            if ended.code:
                raise AssertionError(f"{arguments}: {ended.code}\n{ended.said}")
        world.rename(made)
        yield made


@contextmanager
def copied(made: Path) -> Iterator[Path]:
    """A copy of the world where it was made, since ledgers are known by their place; nothing else lies beside it."""
    beside = made.parent / "case"
    try:
        yield Path(shutil.copytree(made, beside / "world"))
    finally:
        shutil.rmtree(beside)
