"""The grading day of `docs/grading_day.md`: its commands in its order, its files as it has them, on a made-up class."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from basics.yaml_source import read
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.quiz.spec import Question, QuizBook
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
            {q.id: key[q.id] if dice.random() < 0.6 else _some(dice, q) for q in book.questions},
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


def _some(dice: random.Random, question: Question) -> frozenset[str]:
    letters = list(question.options)
    return frozenset(dice.choice(letters)) if question.choose == "one" else frozenset(dice.sample(letters, 2))


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
    dry_run, check = "earwitness grade report.csv --class class.yaml", "earwitness check answers.yaml --quiz edition"
    seal = "earwitness export student --out edition --opening opening.json"
    open_ = {"earwitness key", dry_run, check}
    for ended in day.ended:
        expected = {UNSETTLED} if ended.command in open_ else {DONE}
        assert ended.code in expected, f"{ended.command}: {ended.code}\n{ended.out[-2000:]}{ended.err}"
    assert "sealed as not settled" in day.of(seal).err
    assert len(day.of(check).out.splitlines()) == 1


def test_the_first_lines_say_what_there_is_to_do(day: Day) -> None:
    dry_run, for_good = (e for e in day.ended if e.command.startswith("earwitness grade"))
    digest = dry_run.out.partition("\n\n")[0].splitlines()
    assert digest[1] == "24 students, 24 submissions; 2 of the roster handed nothing in (a row with a total of 0)"
    assert digest[3].startswith("open: 5 questions not settled: q02, q05, q06, q07, q08 (see `earwitness key`")
    assert digest[4].startswith("to decide: 1 student handed in late only")
    assert digest[-1] == "exit code 3: 5 questions not settled"
    assert for_good.out.partition("\n\n")[0].splitlines()[-1] == "exit code 0: everything is graded"


def test_everybody_of_the_roster_has_a_row_with_name_and_section(day: Day) -> None:
    for run in ("graded", "regraded", "final"):
        rows = {row["student_id"]: row for row in day.rows(f"{run}/scores.csv")}
        assert {(who, row["name"], row["section"]) for who, row in rows.items()} == {
            (row["student_id"], row["name"], row["section"]) for row in day.rows("roster.csv")
        }
        statuses = {who: row["status"] for who, row in rows.items() if row["status"] != "graded"}
        assert statuses == {"b00000009": "late", "b00000024": "no submission", "b00000025": "no submission"}
        assert {rows[who]["total"] for who in statuses} == {"0.00"}


def test_the_gradebook_has_a_score_for_everybody(day: Day) -> None:
    totals = {row["student_id"]: row["total"] for row in day.rows("graded/scores.csv")}
    imported = {row["SIS Login ID"]: row["HW10 (77)"] for row in day.rows("import.csv") if row["SIS Login ID"]}
    assert imported == totals
    final = {row["student_id"]: row["total"] for row in day.rows("final/scores.csv")}
    last = {row["SIS Login ID"]: row["HW10 (77)"] for row in day.rows("final/gradebook.csv") if row["SIS Login ID"]}
    assert last == final, "the gradebook of the day had no scores yet"


def test_an_appellant_reads_of_nobody_else(day: Day) -> None:
    texts = {name: day.text(f"graded/appeals/{name}.md") for name in ("q11-B-b00000003", "q12-A-b00000004")}
    for name, text in texts.items():
        assert set(re.findall(r"b\d{8}", text)) == {name[-9:]}
        assert len(re.findall("王小", text)) == 2, "the student's own, once in each language"
    listed = [ended.out for ended in day.ended if "--list" in ended.command]
    assert "2 appeals, 2 of them open" in listed[0]
    assert "2 appeals, 0 of them open" in listed[1]


def test_decisions_add_up_and_the_ledger_is_intact(day: Day) -> None:
    decisions = json.loads(day.text("final/result.json"))["decisions"]
    assert [d["what"] for d in decisions] == ["override"] * 5 + ["ruling"] * 2 + ["hold-harmless"]
    assert decisions[5]["appeal"] == "b00000003 about B"
    assert day.of("earwitness ledger").out.rstrip().endswith("intact")
    changed = {row["student_id"] for row in day.rows("final/changed.csv")}
    assert changed, "somebody gains by full points for everyone"


def test_what_is_handed_out_before_the_deadline_says_nothing_of_the_key(day: Day) -> None:
    handed_out = [day.folder / "sheet.html", *sorted((day.folder / "edition").iterdir())]
    evidence = [
        name for path in sorted((day.folder / "questions").glob("q[0-9]*.yaml")) for name in _compared(read(path).data)
    ]
    assert len(set(evidence)) > 20
    for path in handed_out:
        text = path.read_text(encoding="utf-8")
        assert [name for name in evidence if name in text] == [], path
    for command in ("key", "why q11 A", "grade report.csv", "report --out leak.html"):
        ended = day.run(f"earwitness {command} --quiz edition")
        assert (ended.code, ended.out) == (UNUSABLE, "")
        assert len(ended.err.splitlines()) == 1
    assert not (day.folder / "leak.html").exists()


def _compared(question: dict[str, Any]) -> Iterator[str]:
    """Names of measurements, which have a dot, in the claims of a question."""
    for option in question["options"].values():
        yield from re.findall(r"\b[a-z_]+\.[a-z_]{3,}\b", json.dumps(_without_words(option["claim"])))


def _without_words(claim: Any) -> Any:
    """A claim without what it says for people, where files of the quiz may be named."""
    if isinstance(claim, dict):
        return {key: _without_words(part) for key, part in claim.items() if key not in ("about", "why")}
    return [_without_words(part) for part in claim] if isinstance(claim, list) else claim


def test_the_page_says_which_files_the_day_needs(day: Day, page: str) -> None:
    assert {"report.csv", "roster.csv", "gradebook.csv", "answers.yaml"} <= set(re.findall(r"`([\w.]+)`", page))
    written = {path.name for path in day.folder.iterdir()}
    for name in set(re.findall(r"`([\w]+\.(?:html|yaml|csv|json)|\w+/)`", page)):
        within = [day.folder / name, day.folder / "graded" / name]
        assert any(path.exists() for path in within), f"{name} is named and not there: {sorted(written)}"
