"""The key cross-examined: effects of a flip, the strong half of the class, appeals."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from evaluators.evidence import Measurement
from grader.marking.grading import Grades, Setting, grade
from grader.marking.scoring import correct_options
from grader.quiz.spec import QuizBook
from grader.review.sensitivity import flipped, sensitivity, two_witnesses
from grader.submissions.model import Submission, SubmissionFile
from grader.verdicts.key import AnswerKey
from tests.grader.classroom import QUESTIONS, SIDES, Command, key_for, letters_key, make_book, random_class


def graded(book: QuizBook, key: AnswerKey, students: int = 60) -> Grades:
    ids = tuple(q.id for q in book.questions)
    submissions = tuple(
        Submission(a.login, ids, tuple(a.answers[name] for name in ids)) for a in random_class(book, students, seed=5)
    )
    file = SubmissionFile(Path("x"), "0" * 64, "plain", ids, submissions)
    return grade(file, Setting(book, correct_options(key), "net-correct"))


@pytest.mark.parametrize("name", ["q01", "q06"])
def test_the_effect_of_a_flip_is_what_regrading_with_it_gives(name: str) -> None:
    book = make_book()
    key = key_for(book)
    grades = graded(book, key)
    line = Fraction(7)
    for flip in sensitivity(grades, key, line):
        if flip.question != name:
            continue
        other = {**letters_key(book), name: flipped(book.question(name), letters_key(book)[name], flip.letter)}
        file = SubmissionFile(Path("x"), "0" * 64, "plain", grades.records[0].attempts[0].questions,
                              tuple(r.attempts[0] for r in grades.records))  # fmt: skip
        again = grade(file, Setting(book, other, "net-correct"))
        old, new = grades.totals(), again.totals()
        assert flip.changed == sum(1 for s in old if old[s] != new[s])
        assert flip.mean_change == sum((new[s] - old[s] for s in old), Fraction(0)) / len(old)
        assert set(flip.crossing) == {s for s in old if (old[s] >= line) != (new[s] >= line)}


def test_doubtful_evidence_comes_before_firm_evidence_and_large_effects_before_small_ones() -> None:
    book = make_book()
    recalled = Measurement(
        name="dice.sides", value=6, unit="sides", source="published", locator="p. 1", checked="recalled"
    )
    firm, doubtful = key_for(book), key_for(book, measured=recalled)
    assert {f.doubt for f in sensitivity(graded(book, doubtful), doubtful)} == {"recalled"}
    flips = sensitivity(graded(book, firm), firm)
    assert {f.doubt for f in flips} == {"firm"}
    effects = [abs(f.mean_change) for f in flips]
    assert effects == sorted(effects, reverse=True)
    near = key_for(book, measured=SIDES.model_copy(update={"value": 5.2, "source": "measured"}))
    flips = sensitivity(graded(book, near), near)
    assert flips[0].doubt == "undecided" or flips[0].doubt == "close"
    assert any(f.doubt == "close" and f.gap == pytest.approx(0.2) for f in flips)


def test_a_class_that_contradicts_the_evidence_is_heard() -> None:
    book = make_book()
    key = key_for(book)
    assert {w.standing for w in two_witnesses(graded(book, key, 200), key) if w.question == "q01"} == {"agrees"}
    *kept, _ = QUESTIONS[0]
    other = make_book([(*kept, "AD"), *QUESTIONS[1:]])  # type: ignore[list-item]  # A instead of B
    misled = key_for(other)
    grades = graded(book, key, 200)
    file = SubmissionFile(Path("x"), "0" * 64, "plain", grades.records[0].attempts[0].questions,
                          tuple(r.attempts[0] for r in grades.records))  # fmt: skip
    again = grade(file, Setting(other, correct_options(misled), "net-correct"))
    witnesses = two_witnesses(again, misled)
    assert {(w.question, w.letter) for w in witnesses if w.standing == "disagrees"} == {("q01", "A"), ("q01", "B")}
    first = witnesses[0]
    assert first.n == 100
    assert first.interval[0] < first.strong < first.interval[1]


def test_the_command_ranks_options_and_marks_a_line(run: Command, report: Path) -> None:
    ended = run("sensitivity", report, "--line", "7", "--json")
    assert ended.exit_code == 0, ended.output
    data = json.loads(ended.output)
    assert len(data["flips"]) == sum(len(q.options) for q in make_book().questions)
    assert data["line"] == "7.00"
    assert any(row["crossing"] for row in data["flips"])
    shown = run("sensitivity", report)
    assert "n = 30 students" in shown.output
    assert run("sensitivity", report, "--line", "seven").exit_code == 2


def test_items_of_a_run_and_of_a_report_are_the_same(run: Command, report: Path, tmp_path: Path) -> None:
    assert run("grade", report, "--out", tmp_path / "out").exit_code == 0
    from_run, from_report = run("items", tmp_path / "out", "--json"), run("items", report, "--json")
    assert json.loads(from_run.output) == json.loads(from_report.output)
    shown = run("items", report)
    assert shown.exit_code == 0
    assert "n = 30 students" in shown.output
    assert "alpha over 12 questions" in shown.output


def test_an_appeal_is_opened_decided_once_and_carried_into_a_regrade(
    run: Command, report: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run("grade", report, "--out", out).exit_code == 0
    about = ["appeal", "q03", "E", "--student", "b00000002", "--result", out]
    opened = run(*about, "--json")
    assert opened.exit_code == 0, opened.output
    packet = json.loads(opened.output)
    assert packet["decision"] is None
    assert "dice.sides = 6 sides [executed]" in packet["evidence"]["grounds"][0]
    assert "moved by more than 1" in packet["what_would_change_it"][0]
    assert packet["if_accepted"]["instead"]["correct"] == "AC"

    assert run(*about, "--decision", "accepted").exit_code == 2  # no reason
    accepted = [*about, "--decision", "accepted", "--reason", "E can be argued", "--by", "TA", "--json"]
    neither = run(*accepted)
    assert neither.exit_code == 2
    assert "as right instead (" in neither.stderr
    losers = packet["if_accepted"]["instead"]["losers"]
    assert losers
    assert all(f"{who['student']} {who['old']} -> {who['new']}" in neither.stderr for who in losers[:20])
    decided = run(*accepted, "--as", "instead")
    assert decided.exit_code == 0, decided.output
    data = json.loads(decided.output)
    assert data["decision"]["outcome"] == "accepted"
    assert data["opened"] == packet["opened"]
    assert run(*about, "--decision", "rejected", "--reason", "changed my mind").exit_code == 2

    [change_file] = (out / "appeals").glob("*.yaml")
    diff = json.loads(run("regrade", out, change_file, "--json").output)
    assert diff["key_changes"] == {"q03": {"old": ["A", "C", "E"], "new": ["A", "C"]}}
    assert diff["changed"] == data["if_accepted"]["instead"]["students_changed"]
    mine = [row for row in diff["changes"] if row["student"] == "b00000002"]
    student = data["if_accepted"]["instead"]["this_student"]
    assert [(row["old"], row["new"]) for row in mine] == (
        [(student["total"], student["total_then"])] if student["total"] != student["total_then"] else []
    )
    from typer.testing import CliRunner

    from grader.cli import app

    ledger = json.loads(CliRunner().invoke(app, ["ledger", str(out), "--json"]).output)
    assert [entry["action"] for entry in ledger["entries"]] == ["grade", "appeal", "appeal"]
    assert ledger["intact"]


@pytest.mark.parametrize("about", [["q99", "A", "b00000002"], ["q03", "Z", "b00000002"], ["q03", "A", "nobody"]])
def test_an_appeal_about_nothing_is_refused(run: Command, report: Path, tmp_path: Path, about: list[str]) -> None:
    out = tmp_path / "out"
    assert run("grade", report, "--out", out).exit_code == 0
    question, letter, student = about
    assert run("appeal", question, letter, "--student", student, "--result", out).exit_code == 2
    assert not (out / "appeals").exists()
