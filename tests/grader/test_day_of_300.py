"""A class of 300 through everything that the teaching staff does with it; each number counted again by `recount.py`.

Graded, shown, two decisions that exclude one another, an appeal accepted either way, hold-harmless over three regrades
and lifted, the gradebook, the ledger: after each step 20 students are recounted to the cent, and every page and file
has to name the same key.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grader.cli import app
from grader.quiz.spec import QuizBook
from tests.grader.classroom import QUESTIONS, Attempt, Command, Report, random_class

STUDENTS = 300
DEADLINE = datetime(2026, 6, 18, 15, 59, 59, tzinfo=UTC)
GRACE = 60
ALL_LATE, SECOND_LATE, IN_GRACE, EXTENDED, PUNISHED, BLANK = 3, 5, 6, 7, 20, 30
SPECIAL = {ALL_LATE, SECOND_LATE, IN_GRACE, EXTENDED, PUNISHED, BLANK}
SAMPLED = sorted({*SPECIAL, *random.Random(8).sample(range(40, 300), 14)})
RECOUNT = Path(__file__).with_name("recount.py")


def login(student: int) -> str:
    return f"b{student:08d}"


def handed_in(book: QuizBook) -> list[Attempt]:
    """Two attempts of everybody: late ones, one in the last second of grace, an extended one, one with blanks."""
    late = {
        (ALL_LATE, 1): timedelta(hours=1),
        (ALL_LATE, 2): timedelta(hours=2),
        (SECOND_LATE, 2): timedelta(seconds=GRACE + 1),
        (IN_GRACE, 2): timedelta(seconds=GRACE),
        (EXTENDED, 2): timedelta(days=1),
    }
    attempts = []
    for attempt in random_class(book, STUDENTS, seed=23, attempts=2):
        if behind := late.get((attempt.student, attempt.number)):
            attempt = replace(attempt, submitted=DEADLINE + behind)
        if attempt.student == BLANK:
            attempt = replace(attempt, answers={**attempt.answers, "q01": frozenset(), "q02": frozenset()})
        attempts.append(attempt)
    return attempts


class Day:
    """One class, its runs one after the other, and what they have to come to."""

    def __init__(self, run: Command, book: QuizBook, folder: Path) -> None:
        self.run, self.folder, self.quiz = run, folder, book.folder
        self.attempts = handed_in(book)
        self.key = {f"q{number:02d}": question[4] for number, question in enumerate(QUESTIONS, 1)}
        self.rulings: dict[str, dict[str, Any]] = {}
        self.floors: dict[str, str] = {}
        self.report = Report(language="zh", bom=True).write(folder / "report.csv", book, self.attempts)
        roster = ["student_id,name,section", *(f"{login(n)},Student {n},Class {'AB'[n % 2]}" for n in range(302))]
        (folder / "roster.csv").write_text("\n".join(roster) + "\n", encoding="utf-8")
        self.class_file = self.write(
            "class.yaml",
            {
                "roster": "roster.csv",
                "feedback": ["en"],
                "extensions": [
                    {"student": login(EXTENDED), "until": "2026-06-20T23:59:59+08:00", "reason": "a doctor's note"}
                ],
                "violations": [{"student": login(PUNISHED), "what": "shared an answer file"}],
            },
        )

    def write(self, name: str, data: Mapping[str, Any]) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    def ok(self, *arguments: object) -> Any:
        """The JSON that a command prints, which has to succeed."""
        ended = self.run(*arguments, "--json")
        assert ended.exit_code == 0, ended.output
        return json.loads(ended.stdout)

    def regrade(self, old: str, new: str, changes: Mapping[str, Any], *more: str) -> Any:
        """The diff of one regrade, after which every number and every key is looked at again."""
        file = self.write(f"{new}.yaml", {"reason": f"decided for {new}", "by": "Lin", **changes})
        data = self.ok("regrade", self.folder / old, file, "--out", self.folder / new, *more)
        self.check(new)
        return data

    def recount(self) -> dict[str, Any]:
        """The sampled students, counted from the files without the grader."""
        decided = self.write("decided.json", {"key": self.key, "rulings": self.rulings, "floors": self.floors})
        files = map(str, (self.quiz, self.report, self.class_file, decided))
        command = [sys.executable, "-I", "-S", str(RECOUNT), *files, *map(login, SAMPLED)]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        counted: dict[str, Any] = json.loads(ended.stdout)
        return counted

    def check(self, name: str) -> None:
        """Scores, record and feedback of 20 students against the recount; one key and one mean in every place."""
        out, counted = self.folder / name, self.recount()
        record = json.loads((out / "result.json").read_text(encoding="utf-8"))
        students = {student["id"]: student for student in record["students"]}
        with (out / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = {row["student_id"]: row for row in csv.DictReader(file)}
        for student, expected in counted.items():
            total = cents(expected["total"])
            assert (students[student]["exact"], students[student]["total"]) == (expected["total"], total), student
            assert rows[student]["total"] == total
            points = {name: cents(value) for name, value in expected["points"].items()}
            assert {name: rows[student][name] for name in points} == points, student
            page = (out / "feedback" / "en" / f"{student}.md").read_text(encoding="utf-8")
            assert f"{total} of 10.00" in page
        pages = {n: (out / "feedback" / "en" / f"{login(n)}.md").read_text(encoding="utf-8") for n in SPECIAL}
        assert {n for n, page in pages.items() if "late, not counted" in page} == {ALL_LATE}
        mean = cents(str(sum(Fraction(s["exact"]) for s in record["students"]) / STUDENTS))
        self.check_everywhere(name, record["key"]["digest"], mean)

    def check_everywhere(self, name: str, key: str, mean: str) -> None:
        """The key's digest and the class's mean are the same wherever they are told."""
        out = self.folder / name
        for form in ("html", "md"):
            assert key[:12] in (out / "feedback" / "en" / f"{login(SAMPLED[-1])}.{form}").read_text(encoding="utf-8")
        answers = self.write("mine.yaml", {"answers": {q: list(ticked) for q, ticked in self.key.items()}})
        items, plan = self.ok("items", out), self.plan(name)
        told = {
            "check": self.ok("check", answers, "--override", out)["key"],
            "key": self.ok("key", "--override", out)["digest"],
            "items": items["key"],
            "gradebook": plan["key"],
            "ledger": command("ledger", out)["entries"][-1]["facts"]["key"],
        }
        assert told == dict.fromkeys(told, key)
        record = json.loads((out / "result.json").read_text(encoding="utf-8"))
        assert {record["mean"], items["mean"], plan["mean"]} == {mean}

    def check_page(self, name: str) -> None:
        """The report names the same key and the same mean."""
        page, out = self.folder / "page.html", self.folder / name
        assert self.run("report", "--grades", out, "--out", page).exit_code == 0
        record = json.loads((out / "result.json").read_text(encoding="utf-8"))
        assert f"<code>{record['key']['digest'][:12]}</code>" in page.read_text(encoding="utf-8")
        assert record["mean"] in page.read_text(encoding="utf-8")

    def plan(self, name: str, *more: object) -> Any:
        """What would go into the gradebook."""
        export = ["export", "canvas", self.folder / name, "--gradebook", self.gradebook(), *more]
        return command(*export, "--assignment", "HW10 (2)")

    def gradebook(self) -> Path:
        path = self.folder / "gradebook.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["Student", "ID", "SIS Login ID", "Section", "HW10 (2)"])
            writer.writerow(["    Points Possible", "", "", "", "10.00"])
            writer.writerows([f"Student, {n}", 90000 + n, login(n), f"Class {'AB'[n % 2]}", ""] for n in range(302))
        return path


def command(*arguments: object) -> Any:
    """The JSON that a command without `--quiz` prints, which has to succeed."""
    ended = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)


def cents(exact: str) -> str:
    """Two decimals, halves up."""
    whole = (Fraction(exact) * 100 + Fraction(1, 2)).__floor__()
    return f"{whole // 100}.{whole % 100:02d}"


def totals(folder: Path) -> dict[str, Fraction]:
    record = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return {student["id"]: Fraction(student["exact"]) for student in record["students"]}


@pytest.fixture(scope="module")
def quiz(quiz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classroom's quiz with the LMS's minute of grace."""
    folder = Path(shutil.copytree(quiz, tmp_path_factory.mktemp("with grace") / "quiz"))
    data = json.loads((folder / "quiz.yaml").read_text(encoding="utf-8"))
    data["regulations"]["late_grace_seconds"] = GRACE
    (folder / "quiz.yaml").write_text(json.dumps(data), encoding="utf-8")
    return folder


@pytest.fixture
def day(run: Command, class_book: QuizBook, tmp_path: Path) -> Day:
    return Day(run, class_book, tmp_path)


def test_a_class_of_300_through_the_whole_day(day: Day, tmp_path: Path) -> None:
    graded = day.ok("grade", day.report, "--class", day.class_file, "--out", tmp_path / "graded")
    assert graded["missing"] == [login(300), login(301)]
    day.check("graded")
    day.check_page("graded")

    # two decisions about q01 that exclude one another
    day.key["q01"] = "D"
    day.regrade("graded", "monday", {"overrides": [{"question": "q01", "correct": ["D"], "reason": "B is too broad"}]})
    tuesday = {"question": "q01", "correct": ["B"], "reason": "D is too narrow", "by": "Wu"}
    refused = day.run(
        "regrade",
        tmp_path / "monday",
        day.write("t.yaml", {"reason": "on Tuesday", "overrides": [tuesday]}),
        "--out",
        tmp_path / "tuesday",
    )
    assert refused.exit_code == 2
    assert "B is too broad" in refused.output
    assert "D is too narrow" in refused.output
    assert not (tmp_path / "tuesday").exists()
    day.key["q01"] = "B"
    joined = day.regrade("monday", "tuesday", {"overrides": [{**tuesday, "replaces": [1]}]})
    assert len(joined["decisions"]) == 2
    assert joined["decisions"][0].endswith("(replaced by 2)")

    # an appeal about a choose-one question, accepted as right also; one about another, as right instead
    old = totals(tmp_path / "tuesday")
    appellant = next(a for a in day.attempts if a.number == 2 and a.answers["q02"] == frozenset("A") and a.student > 40)
    appeal = ["appeal", "q02", "A", "--student", login(appellant.student), "--result", tmp_path / "tuesday"]
    offered = day.ok(*appeal)["if_accepted"]
    assert (offered["also"]["lose"], offered["instead"]["lose"] > 0) == (0, True)
    day.ok(*appeal, "--decision", "accepted", "--as", "also", "--reason", "A can be argued", "--by", "Lin")
    change = tmp_path / "tuesday" / "appeals" / f"q02-A-{login(appellant.student)}.yaml"
    day.rulings["q02"] = {"always_correct": "A"}
    done = day.ok("regrade", tmp_path / "tuesday", change, "--out", tmp_path / "also")
    day.check("also")
    day.check_page("also")
    assert (done["up"], done["down"]) == (offered["also"]["gain"], 0)

    appeal = ["appeal", "q10", "B", "--student", login(appellant.student), "--result", tmp_path / "also"]
    offered = day.ok(*appeal)["if_accepted"]["instead"]
    day.ok(*appeal, "--decision", "accepted", "--as", "instead", "--reason", "B was said in class", "--by", "Lin")
    change = tmp_path / "also" / "appeals" / f"q10-B-{login(appellant.student)}.yaml"
    day.key["q10"] = "ABCE"
    done = day.ok("regrade", tmp_path / "also", change, "--out", tmp_path / "instead")
    day.check("instead")
    assert (done["up"], done["down"]) == (offered["gain"], offered["lose"])
    lost = {s for s, before in totals(tmp_path / "also").items() if totals(tmp_path / "instead")[s] < before}
    assert {loser["student"] for loser in offered["losers"]} == lost

    # hold-harmless protects through three regrades
    held = "instead"
    steps: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
        (
            "first",
            {"overrides": [{"question": "q12", "correct": ["B"], "reason": "E is not shown"}]},
            ("--policy", "hold-harmless"),
        ),
        ("second", {"rulings": [{"question": "q11", "disregard": ["A"], "reason": "A was misprinted"}]}, ()),
        ("third", {"overrides": [{"question": "q07", "correct": ["D"], "reason": "listened to once more"}]}, ()),
    ]
    for name, changes, more in steps:
        day.floors = {student: counted["total"] for student, counted in day.recount().items()}
        day.key |= {"first": {"q12": "B"}, "third": {"q07": "D"}}.get(name, {})
        day.rulings |= {"second": {"q11": {"disregard": "A"}}}.get(name, {})
        done = day.regrade(held, name, changes, *more)
        assert done["down"] == 0
        assert done["up"] > 0
        held = name
    day.floors = {}
    done = day.regrade("third", "lifted", {"lift_hold_harmless": {"reason": "all appeals are answered", "by": "Wu"}})
    assert done["down"] > 0
    day.check_page("lifted")
    assert [line.split(" ")[1] for line in done["decisions"]] == [
        "override",
        "override",
        "ruling",
        "override",
        "override",
        "hold-harmless",
        "ruling",
        "override",
        "lift-hold-harmless",
    ]

    # the gradebook gets what was recounted, and the ledgers hold
    plan = day.plan("lifted", "--out", str(tmp_path / "import.csv"))
    assert plan["dry_run"]["safe"]
    with (tmp_path / "import.csv").open(encoding="ascii", newline="") as file:
        scores = {row["SIS Login ID"]: row["HW10 (2)"] for row in csv.DictReader(file)}
    assert {s: scores[s] for s in map(login, SAMPLED)} == {s: cents(c["total"]) for s, c in day.recount().items()}
    assert old.keys() == scores.keys() - {""}
