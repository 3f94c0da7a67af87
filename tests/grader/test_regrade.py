"""Regrades: who changes and by how much, hold-harmless, changed rows, and refusals."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from basics.errors import InputError
from grader.marking.scoring import rounded
from grader.quiz.spec import QuizBook
from grader.review.regrade import compare, ranks, read_changes
from tests.grader.classroom import Command, letters_key, make_book, random_class


@pytest.fixture
def graded(run: Command, report: Path, tmp_path: Path) -> Path:
    assert run("grade", report, "--out", tmp_path / "old").exit_code == 0
    return tmp_path / "old"


def changes(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "changes.yaml"
    path.write_text("reason: decided at the staff meeting\n" + text)
    return path


FLIP = "overrides:\n  - {question: q03, correct: [A, C], reason: E was disputed rightly}\n"


def by_hand(book: QuizBook, student: int, key: dict[str, frozenset[str]]) -> Fraction:
    """net-correct of the latest of two attempts, in fractions, from the definition."""
    [attempt] = [a for a in random_class(book, 30, attempts=2) if a.student == student and a.number == 2]
    total = Fraction(0)
    for question in book.questions:
        chosen, correct = attempt.answers[question.id] or frozenset(), key[question.id]
        points = Fraction(str(question.points))
        if question.choose == "one":
            total += points * (chosen == correct)
        elif chosen:
            total += points * max(Fraction(0), Fraction(len(chosen & correct) - len(chosen - correct), len(correct)))
    return total


def test_a_flipped_option_changes_exactly_the_students_it_should(
    run: Command, graded: Path, tmp_path: Path, class_book: QuizBook
) -> None:
    ended = run("regrade", graded, changes(tmp_path, FLIP), "--out", tmp_path / "new", "--json")
    assert ended.exit_code == 0, ended.output
    data = json.loads(ended.output)
    old, new = letters_key(class_book), {**letters_key(class_book), "q03": frozenset("AC")}
    expected = {
        f"b{n:08d}": (before, after)
        for n in range(30)
        if (before := by_hand(class_book, n, old)) != (after := by_hand(class_book, n, new))
    }
    assert {row["student"]: (row["old"], row["new"]) for row in data["changes"]} == {
        student: (rounded(before), rounded(after)) for student, (before, after) in expected.items()
    }
    assert data["key_changes"] == {"q03": {"old": ["A", "C", "E"], "new": ["A", "C"]}}
    assert data["old"]["key"] != data["new"]["key"]
    assert data["up"] + data["down"] == data["changed"] == len(expected)
    assert all(row["questions"] == ["q03"] for row in data["changes"])
    with (tmp_path / "new/changed.csv").open(newline="") as file:
        assert [row["student_id"] for row in csv.DictReader(file)] == [row["student"] for row in data["changes"]]


def test_the_diff_between_two_runs_is_the_diff_of_the_change_file(
    run: Command, graded: Path, report: Path, tmp_path: Path
) -> None:
    override = tmp_path / "override.yaml"
    override.write_text(FLIP)
    assert run("grade", report, "--out", tmp_path / "second", "--override", override).exit_code == 0
    by_runs = json.loads(run("regrade", graded, tmp_path / "second", "--json").output)
    by_file = json.loads(run("regrade", graded, changes(tmp_path, FLIP), "--json").output)
    assert by_runs["changes"] == by_file["changes"]
    assert by_runs["new"]["key"] == by_file["new"]["key"]


def test_hold_harmless_lets_nobody_fall_and_says_so(run: Command, graded: Path, tmp_path: Path) -> None:
    change = changes(tmp_path, FLIP)
    strict = json.loads(run("regrade", graded, change, "--json").output)
    held = json.loads(
        run("regrade", graded, change, "--policy", "hold-harmless", "--json", "--out", tmp_path / "new").output
    )
    assert strict["down"] > 0
    assert held["down"] == 0
    assert held["up"] == strict["up"]
    losers = {row["student"] for row in strict["changes"] if row["change"].startswith("-")}
    result = json.loads((tmp_path / "new/result.json").read_text())
    old = json.loads((graded / "result.json").read_text())
    totals = {s["id"]: s["total"] for s in old["students"]}
    for student in result["students"]:
        if student["id"] in losers:
            assert student["total"] == totals[student["id"]]
            assert student["adjustments"][-1]["rule"] == "hold-harmless"
    again = json.loads(run("regrade", tmp_path / "new", graded, "--json").output)
    assert {row["student"] for row in again["changes"]} == {row["student"] for row in held["changes"]}


@pytest.mark.parametrize(
    ("text", "down"),
    [
        ("rule: all-or-nothing\n", True),
        ("rulings:\n  - {question: q03, everyone: true, reason: the question was unclear}\n", False),
        ("rulings:\n  - {question: q03, always_correct: [E], reason: E can be argued}\n", False),
        ("rulings:\n  - {question: q03, disregard: [E], reason: E was misprinted}\n", False),
    ],
    ids=["another rule", "everyone", "always correct", "disregarded"],
)
def test_rules_and_rulings(run: Command, graded: Path, tmp_path: Path, text: str, down: bool) -> None:
    data = json.loads(run("regrade", graded, changes(tmp_path, text), "--json").output)
    assert data["changed"] > 0
    assert (data["down"] > 0) == down


def test_a_misprint_taken_out_costs_nobody_and_the_packet_says_how(run: Command, tmp_path: Path) -> None:
    """A student who ticked only the misprinted C of q01 (key B, D), where every option is a true/false item."""
    path = tmp_path / "class.csv"
    path.write_text("student_id," + ",".join(f"q{i:02d}" for i in range(1, 13)) + "\nunlucky,C" + "," * 11 + "\n")
    assert run("grade", path, "--rule", "each-answer", "--out", tmp_path / "old").exit_code == 0
    misprint = changes(tmp_path, "rulings:\n  - {question: q01, disregard: [C], reason: C was misprinted}\n")
    data = json.loads(run("regrade", tmp_path / "old", misprint, "--out", tmp_path / "new", "--json").output)
    assert [(row["old"], row["new"]) for row in data["changes"]] == [("0.40", "0.50")]
    appeal = run("appeal", "q01", "A", "--student", "unlucky", "--result", tmp_path / "new", "--json")
    student = json.loads(appeal.output)["if_accepted"]["instead"]["this_student"]
    assert student["arithmetic"] == "(4 - 0 - 2)/4 x 1 = 0.50"


def test_a_regrade_back_restores_everything(run: Command, graded: Path, tmp_path: Path) -> None:
    assert run("regrade", graded, changes(tmp_path, FLIP), "--out", tmp_path / "new").exit_code == 0
    back = "overrides:\n  - {question: q03, correct: [A, C, E], replaces: [1], reason: back as it was}\n"
    ended = run("regrade", tmp_path / "new", changes(tmp_path, back), "--out", tmp_path / "back")
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "back/scores.csv").read_bytes() == (graded / "scores.csv").read_bytes()
    old, new = (json.loads((f / "result.json").read_text()) for f in (graded, tmp_path / "back"))
    assert new["key"]["digest"] == old["key"]["digest"]
    assert new["students"] == old["students"]


def gradebook(tmp_path: Path, graded: Path) -> Path:
    students = json.loads((graded / "result.json").read_text())["students"]
    path = tmp_path / "gradebook_export.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["Student", "ID", "SIS Login ID", "Section", "HW10 作業 (123456)"])
        writer.writerow(["    Points Possible", "", "", "", "10.00"])
        writer.writerows([s["name"], s["lms_id"], s["id"], s["section"], s["total"]] for s in students)
    return path


def test_the_gradebook_file_of_a_regrade_holds_changed_rows_only(run: Command, graded: Path, tmp_path: Path) -> None:
    course = gradebook(tmp_path, graded)
    ended = run(
        "regrade", graded, changes(tmp_path, FLIP), "--out", tmp_path / "new", "--gradebook", course,
        "--assignment", "123456", "--json",
    )  # fmt: skip
    assert ended.exit_code == 0, ended.output
    changed = {row["student"]: row["new"] for row in json.loads(ended.output)["changes"]}
    with (tmp_path / "new/gradebook.csv").open(newline="") as file:
        rows = list(csv.reader(file))[2:]
    assert {row[2]: row[4] for row in rows} == changed
    from typer.testing import CliRunner

    from grader.cli import app

    checked = CliRunner().invoke(
        app, ["export", "check", str(tmp_path / "new/gradebook.csv"), "--gradebook", str(course), "--json"]
    )
    assert checked.exit_code == 0, checked.output
    assert len(json.loads(checked.output)["changes"]) == len(changed)


def refused(run: Command, *arguments: object) -> Any:
    ended = run("regrade", *arguments)
    assert ended.exit_code == 2
    return ended


def test_what_does_not_fit_together_is_refused(run: Command, graded: Path, report: Path, tmp_path: Path) -> None:
    refused(run, graded, tmp_path / "gone")
    refused(run, graded, changes(tmp_path, FLIP), "--out", graded)
    refused(run, graded, changes(tmp_path, ""))
    half = report.read_text(encoding="utf-8").splitlines(keepends=True)
    other = tmp_path / "half.csv"
    other.write_text("".join(half[:20]), encoding="utf-8")
    assert run("grade", other, "--out", tmp_path / "half").exit_code == 0
    refused(run, graded, tmp_path / "half")
    assert not (tmp_path / "new").exists()


def test_all_faults_of_a_change_file_at_once(tmp_path: Path) -> None:
    path = changes(
        tmp_path,
        "overrides:\n  - {question: q02, correct: [], reason: long enough}\n"
        "rulings:\n  - {question: q99, everyone: true, reason: long enough}\n"
        "  - {question: q01, disregard: [Z], reason: long enough}\n"
        "  - {question: q01, reason: long enough}\n"
        "  - {question: q01, disregard: [A, B], always_correct: [B], reason: long enough}\n",
    )
    with pytest.raises(InputError) as caught:
        read_changes(path, make_book())
    text = str(caught.value)
    for expected in (
        "q02 is choose-one",
        "q99 is not in the quiz",
        "q01 has no option Z",
        "decides nothing",
        "takes B out",
    ):
        assert expected in text, text


def test_equal_totals_share_the_better_rank() -> None:
    totals = {"a": Fraction(9), "b": Fraction(7), "c": Fraction(9), "d": Fraction(1)}
    assert ranks(totals) == {"a": 1, "c": 1, "b": 3, "d": 4}
    [change] = compare(totals, {**totals, "d": Fraction(8)})
    assert (change.old_rank, change.new_rank, change.change) == (4, 3, 7)
    with pytest.raises(InputError, match="of different students: d"):
        compare(totals, {name: totals[name] for name in "abc"})
