"""The grading day of `docs/grading_day.md`: its commands in its order, its files as it has them, on a made-up class."""

from __future__ import annotations

import csv
import os
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.quiz.spec import QuizBook
from grader.verdicts.testimony import answer_key
from tests.grader.classroom import Attempt, Report
from tests.test_readme import argv

STUDENTS, ABSENT = 24, (24, 25)
DEADLINE = datetime(2026, 6, 18, 15, 59, 59, tzinfo=UTC)
DONE, UNUSABLE, UNSETTLED = 0, 2, 3


@dataclass(frozen=True)
class Ended:
    """A command of the day and how it ended."""

    command: str
    code: int
    out: str
    err: str


def steps(page: str) -> Iterator[tuple[str, str]]:
    """In the page's order: `("sh", command)` for each command, `(file, content)` for each file that the TA writes."""
    for kind, block in re.findall(r"```(sh|yaml)\n(.*?)```", page, flags=re.S):
        if kind == "sh":
            yield from (("sh", line) for line in block.strip().splitlines())
        else:
            yield block.splitlines()[0].removeprefix("# "), block


def write_class(folder: Path, book: QuizBook, key: dict[str, frozenset[str]]) -> None:
    """The LMS's report, its gradebook, the class list and one student's answers."""
    dice = random.Random(7)
    attempts = [
        Attempt(
            n,
            {
                q.id: key[q.id] if dice.random() < 0.6 else _some(dice, q.choose, list(q.options))
                for q in book.questions
            },
            submitted=DEADLINE - timedelta(hours=n),
            name=f"王小{n}",
            section=f"Class {'AB'[n % 2]}",
        )
        for n in range(STUDENTS)
    ]
    attempts[7] = replace(attempts[7], submitted=DEADLINE + timedelta(hours=20))  # has an extension
    attempts[9] = replace(attempts[9], submitted=DEADLINE + timedelta(hours=20))
    Report(language="zh", bom=True, canvas_key=key).write(folder / "report.csv", book, attempts)
    everybody = range(STUDENTS + len(ABSENT))
    _table(
        folder / "roster.csv",
        ["student_id", "name", "section", "id"],
        [[f"b{n:08d}", f"王小{n}", f"Class {'AB'[n % 2]}", 90000 + n] for n in everybody],
    )
    _table(
        folder / "gradebook.csv",
        ["Student", "ID", "SIS Login ID", "Section", "HW10 (77)"],
        [
            ["    Points Possible", "", "", "", "10.00"],
            *([f"王小{n}", 90000 + n, f"b{n:08d}", f"Class {'AB'[n % 2]}", ""] for n in everybody),
        ],
    )
    answers = {name: sorted(letters) for name, letters in attempts[0].answers.items() if letters is not None}
    (folder / "answers.yaml").write_text(yaml.safe_dump({"answers": answers}), encoding="utf-8")


def _table(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def _some(dice: random.Random, choose: str, letters: list[str]) -> frozenset[str]:
    return frozenset(dice.choice(letters)) if choose == "one" else frozenset(dice.sample(letters, 2))


class Day:
    """A folder in which commands are run as somebody would type them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ended: list[Ended] = []

    def run(self, command: str) -> Ended:
        environment = {**os.environ, "EARWITNESS_CACHE": str(self.folder / "cache"), "COLUMNS": "80"}
        done = subprocess.run(
            argv(command),
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            encoding="utf-8",
        )
        ended = Ended(command, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in ended.err, f"{command}\n{ended.err}"
        self.ended.append(ended)
        return ended

    def of(self, beginning: str) -> Ended:
        """The last command that begins so."""
        return [ended for ended in self.ended if ended.command.startswith(beginning)][-1]

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs/grading_day.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def day(repository: Path, page: str, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The whole day, once."""
    folder = tmp_path_factory.mktemp("day")
    (folder / "questions").symlink_to(repository / "questions")
    book = load_quiz(BUILT_IN_QUIZ)
    decided = next(yaml.safe_load(text) for name, text in steps(page) if name == "override.yaml")
    key = {q.id: frozenset(q.correct or ()) for q in answer_key(book).questions}
    key |= {entry["question"]: frozenset(entry["correct"]) for entry in decided["overrides"]}
    write_class(folder, book, key)
    day = Day(folder)
    for what, said in steps(page):
        if what == "sh":
            day.run(said)
        else:
            assert (folder / what).is_file(), f"{what} is a starter that the TA fills in"
            (folder / what).write_text(said, encoding="utf-8")
    return day


def test_every_command_of_the_day_ends_as_the_page_says(day: Day) -> None:
    open_ = {
        "earwitness key",
        "earwitness check answers.yaml --quiz edition",
        "earwitness grade report.csv --class class.yaml",
    }
    for ended in day.ended:
        expected = {DONE, UNSETTLED} if ended.command.startswith("earwitness export student") else {DONE}
        assert ended.code in ({UNSETTLED} if ended.command in open_ else expected), f"{ended}"
