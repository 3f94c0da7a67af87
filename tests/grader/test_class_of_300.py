"""A whole class, from the LMS's report to the LMS's gradebook and through a regrade, against a computation by hand."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grader.cli import app
from grader.marking.scoring import rounded
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.quiz.spec import QuizBook
from grader.submissions.reading import read_submissions
from tests.grader.classroom import Attempt, Command, Report, letters_key, make_book, random_class

DEADLINE = datetime(2026, 6, 18, 15, 59, 59, tzinfo=UTC)
EXTENDED = {7: "2026-06-21T23:59:59+08:00", 8: "2026-06-19T12:00:00+08:00"}
VIOLATIONS = {20: 0, 21: 0, 22: 1}


@cache
def the_class() -> list[Attempt]:
    """Two attempts each; some late, one student with six on a day."""
    attempts = random_class(make_book(), 300, seed=11, attempts=2)
    late = {5: 1, 6: 3600, 7: 86400, 8: 86400}  # the second attempt, seconds after the deadline
    attempts = [
        replace(a, submitted=DEADLINE + timedelta(seconds=late[a.student]))
        if a.student in late and a.number == 2
        else a
        for a in attempts
    ]
    busy = [
        replace(attempts[18], number=n, submitted=DEADLINE - timedelta(hours=1, minutes=9 - n)) for n in range(3, 9)
    ]
    return [*attempts, *busy]


@pytest.fixture(params=["en", "zh"])
def report(request: pytest.FixtureRequest, tmp_path: Path, class_book: QuizBook) -> Path:
    path = Report(language=request.param, bom=request.param == "zh").write(
        tmp_path / "report.csv", class_book, the_class()
    )
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 607
    with path.open("a", encoding="utf-8", newline="") as file:  # a row that somebody pasted twice
        csv.writer(file).writerow(next(csv.reader([path.read_text(encoding="utf-8-sig").splitlines()[-1]])))
    return path


@pytest.fixture
def class_file(tmp_path: Path) -> Path:
    roster = ["student_id,name,section", *(f"b{n:08d},Student {n},Class {'AB'[n % 2]}" for n in range(302))]
    (tmp_path / "roster.csv").write_text("\n".join(roster) + "\n")
    data = {
        "roster": "roster.csv",
        "feedback": ["zh-TW"],
        "skip": [{"row": 608, "cell": "student", "reason": "pasted twice by accident"}],
        "extensions": [
            {"student": f"b{n:08d}", "until": until, "reason": "a doctor's note"} for n, until in EXTENDED.items()
        ],
        "violations": [
            {"student": f"b{n:08d}", "what": "shared an answer file", "earlier": earlier}
            for n, earlier in VIOLATIONS.items()
        ],
    }
    path = tmp_path / "class.yaml"
    path.write_text(json.dumps(data))
    return path


def by_hand(book: QuizBook, student: int, key: dict[str, frozenset[str]]) -> Fraction:
    """The student's total from the regulations' text and the definition of net-correct, without the grader."""
    until = {7: DEADLINE + timedelta(days=3), 8: datetime(2026, 6, 19, 4, tzinfo=UTC)}.get(student, DEADLINE)
    mine = [a for a in the_class() if a.student == student and a.submitted <= until]
    if not mine or student in VIOLATIONS:
        return Fraction(0)
    latest = max(mine, key=lambda a: a.number)
    total = Fraction(0)
    for question in book.questions:
        chosen, correct = latest.answers[question.id] or frozenset(), key[question.id]
        points = Fraction(str(question.points))
        if question.choose == "one":
            total += points if chosen == correct else 0
        else:
            right, wrong = len(chosen & correct), len(chosen - correct)
            total += points * max(Fraction(0), Fraction(right - wrong, len(correct)))
    return total


TEN = [0, 1, 5, 6, 7, 8, 9, 20, 22, 299]


def result(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((path / "result.json").read_text(encoding="utf-8"))
    return data


def test_a_class_of_300_from_report_to_gradebook_and_through_a_regrade(
    run: Command, report: Path, class_file: Path, class_book: QuizBook, tmp_path: Path
) -> None:
    refused = run("grade", report, "--out", tmp_path / "old")
    assert refused.exit_code == 2  # a student twice
    ended = run("grade", report, "--out", tmp_path / "old", "--class", class_file, "--json")
    assert ended.exit_code == 0, ended.output
    shown = json.loads(ended.output)
    assert (shown["students"], shown["submissions"]) == (300, 606)
    assert shown["missing"] == ["b00000300", "b00000301"]
    assert shown["skipped"] == ["report.csv row 608, student: pasted twice by accident"]
    assert shown["proof"]["cells_different"] == 0
    told = [(line["student"], line["rule"]) for line in shown["adjustments"]]
    assert sorted(told) == [
        ("b00000005", "late"),
        ("b00000006", "late"),
        ("b00000007", "extension"),
        ("b00000008", "extension"),
        ("b00000008", "late"),
        ("b00000009", "attempts per day"),
        ("b00000020", "violation"),
        ("b00000021", "violation"),
        ("b00000022", "violation"),
    ]
    students = {s["id"]: s for s in result(tmp_path / "old")["students"]}
    assert students["b00000020"]["final_factor"] == "9/10"
    assert students["b00000022"]["final_grade"] == "F"
    key = letters_key(class_book)
    for n in TEN:
        assert students[f"b{n:08d}"]["total"] == rounded(by_hand(class_book, n, key))

    course = gradebook(tmp_path, class_book)
    export = ["export", "canvas", str(tmp_path / "old"), "--gradebook", str(course), "--assignment", "HW10 作業"]
    dry = CliRunner().invoke(app, [*export, "--json"])
    assert dry.exit_code == 0, dry.output
    plan = json.loads(dry.output)
    assert plan["dry_run"]["safe"]
    assert plan["dry_run"]["as_planned"]
    assert len(plan["changes"]) + plan["unchanged"] == 300
    assert plan["written"] is None
    written = CliRunner().invoke(app, [*export, "--out", str(tmp_path / "import.csv")])
    assert written.exit_code == 0, written.output
    assert (tmp_path / "import.csv").read_bytes().isascii()

    flip = tmp_path / "flip.yaml"
    flip.write_text(
        "reason: B does not hold after all\noverrides:\n  - {question: q01, correct: [D], reason: B does not hold}\n"
    )
    again = run("regrade", tmp_path / "old", flip, "--out", tmp_path / "new", "--json")
    assert again.exit_code == 0, again.output
    diff = json.loads(again.output)
    flipped = {**key, "q01": frozenset("D")}
    expected = {n for n in range(300) if by_hand(class_book, n, key) != by_hand(class_book, n, flipped)}
    assert {row["student"] for row in diff["changes"]} == {f"b{n:08d}" for n in expected}
    students = {s["id"]: s for s in result(tmp_path / "new")["students"]}
    for n in TEN:
        assert students[f"b{n:08d}"]["total"] == rounded(by_hand(class_book, n, flipped))


def gradebook(tmp_path: Path, book: QuizBook) -> Path:
    """The LMS's gradebook in which a third of the class has the right score already."""
    key = letters_key(book)
    path = tmp_path / "gradebook.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["Student", "ID", "SIS Login ID", "Section", "HW9 (1)", "HW10 作業 (2)"])
        writer.writerow(["    Points Possible", "", "", "", "10.00", "10.00"])
        for n in range(302):
            score = rounded(by_hand(book, n, key)) if n % 3 == 0 and n < 300 else ""
            writer.writerow([f"王, {n}", 90000 + n, f"b{n:08d}", f"Class {'AB'[n % 2]}", "5.00", score])
    return path


def test_the_courses_own_quiz_is_decoded_too(tmp_path: Path) -> None:
    """200 students, the slides' own words with their commas and `<TT>`, headers in zh-Hant, a byte order mark."""
    book = load_quiz(BUILT_IN_QUIZ)
    dice = random.Random(4)
    attempts = [Attempt(n, {q.id: _some(dice, list(q.options), q.choose) for q in book.questions}) for n in range(200)]
    any_key = {q.id: frozenset("C" if q.choose == "one" else "BD") for q in book.questions}
    for html_to_text in (False, True):
        written = Report(language="zh", bom=True, all_versions=False, html_to_text=html_to_text, canvas_key=any_key)
        file = read_submissions(written.write(tmp_path / "r.csv", book, attempts), book)
        found = {s.student_id: s.answers for s in file.submissions}
        assert found == {a.login: a.answers for a in attempts}


def _some(dice: random.Random, letters: list[str], choose: str) -> frozenset[str]:
    return frozenset(dice.choice(letters)) if choose == "one" else frozenset(x for x in letters if dice.random() < 0.5)
