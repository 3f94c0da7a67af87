"""`earwitness check` and `grade` from files to files, with exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grader.cli import app
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook
from grader.verdicts.testimony import answer_key
from tests.grader.classroom import Command, Report, key_for, letters_key, random_class, write_quiz


def scores(out: Path) -> list[dict[str, str]]:
    with (out / "scores.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def result(out: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((out / "result.json").read_text(encoding="utf-8"))
    return data


def unsettle(tmp_path: Path) -> Path:
    """A copy of the quiz in which nobody has looked at what q05 is about."""
    folder = write_quiz(tmp_path / "unsettled")
    path = folder / "q05.yaml"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["options"]["C"]["claim"] = {"equals": ["dice.colour", "red"]}
    path.write_text(json.dumps(data), encoding="utf-8")
    return folder


def test_the_key_of_the_classroom_is_what_its_evidence_says(class_book: QuizBook) -> None:
    key, expected = answer_key(class_book), key_for(class_book)
    assert [question.correct for question in key.questions] == [question.correct for question in expected.questions]


def test_a_class_goes_from_report_to_scores_feedback_and_result(
    run: Command, report: Path, class_book: QuizBook, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = run("grade", report, "--out", out)
    assert ended.exit_code == 0, ended.output
    rows = scores(out)
    questions = [question.id for question in class_book.questions]
    assert list(rows[0]) == ["student_id", "name", "section", *questions, "total", "status"]
    assert {(row["name"], row["section"], row["status"]) for row in rows} == {
        (f"Student, No. {n}", f"Class {'AB'[n % 2]}", "graded") for n in range(30)
    }
    assert len(rows) == 30
    by_id = {(a.login, a.number): a for a in random_class(class_book, 30, attempts=2)}
    for row in rows:  # the latest attempt counts; recomputed with floats, as Canvas would
        attempt = by_id[row["student_id"], 2]
        for question in class_book.questions:
            key, chosen = letters_key(class_book)[question.id], attempt.answers[question.id] or frozenset()
            net = max(0.0, (len(chosen & key) - len(chosen - key)) / len(key))
            points = question.points * (net if question.choose == "many" else float(chosen == key))
            assert float(row[question.id]) == pytest.approx(points, abs=0.00501)
    data = result(out)
    assert data["key"]["digest"] == answer_key(class_book).digest
    assert data["submissions"]["rows"] == 60
    assert data["import_check"]["cells_different"] == 0
    assert not data["demonstration"]
    assert {path.name for path in (out / "feedback" / "zh-TW").iterdir()} == {
        f"{row['student_id']}.{form}" for row in rows for form in ("md", "html")
    }


def test_totals_are_rounded_once_from_the_exact_sum(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    header = "student_id," + ",".join(f"q{i:02d}" for i in range(1, 13))
    path.write_text(f"{header}\ntimid,B,A,A,A,A,A,C,A,A,A,A,B\n")
    out = tmp_path / "out"
    assert run("grade", path, "--out", out).exit_code == 0
    [row] = scores(out)
    assert row["total"] == "3.42"  # 41/12; the rounded points would sum to 3.41
    assert sum(round(100 * float(row[f"q{i:02d}"])) for i in range(1, 13)) == 341
    assert result(out)["students"][0]["exact"] == "41/12"


def test_without_out_nothing_is_written(run: Command, report: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    ended = run("grade", report)
    assert ended.exit_code == 0
    assert "30 students, 60 submissions" in ended.output
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_cannot_be_trusted_writes_nothing(run: Command, report: Path, tmp_path: Path) -> None:
    text = report.read_text(encoding="utf-8")
    report.write_text(text.replace("Non-linear", "Nonlinear"), encoding="utf-8")
    ended = run("grade", report, "--out", tmp_path / "out")
    assert ended.exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("quiz")
def test_an_unsettled_question_is_named_and_not_graded_until_overridden(report: Path, tmp_path: Path) -> None:
    folder, out = unsettle(tmp_path), tmp_path / "out"
    ended = CliRunner().invoke(app, ["grade", str(report), "--out", str(out), "--quiz", str(folder)])
    assert ended.exit_code == 3, ended.output
    assert "q05 is not settled" in ended.output
    assert {row["q05"] for row in scores(out)} == {""}
    assert result(out)["unsettled"] == ["q05"]
    assert "not settled yet" in (out / "feedback/en/b00000001.md").read_text()

    override = tmp_path / "override.yaml"
    override.write_text("overrides:\n  - {question: q05, correct: [A, B, E], reason: seen in the notebook, by: TA}\n")
    ended = CliRunner().invoke(
        app, ["grade", str(report), "--out", str(out), "--quiz", str(folder), "--override", str(override)]
    )
    assert ended.exit_code == 0, ended.output
    assert "decided: 1. override q05, A, B, E right" in ended.output
    [decision] = result(out)["decisions"]
    assert (decision["question"], decision["by"], decision["reason"]) == ("q05", "TA", "seen in the notebook")
    assert "seen in the notebook" in (out / "feedback/en/b00000001.html").read_text()


def test_feedback_of_an_earlier_run_does_not_linger(
    run: Command, report: Path, class_book: QuizBook, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run("grade", report, "--out", out).exit_code == 0
    smaller = Report().write(tmp_path / "smaller.csv", class_book, random_class(class_book, 3))
    assert run("grade", smaller, "--out", out).exit_code == 0
    assert len(list((out / "feedback/en").glob("*.md"))) == 3


@pytest.mark.parametrize("rule", ["all-or-nothing", "net-correct", "each-answer", "coverage"])
def test_the_rule_can_be_named(run: Command, report: Path, rule: str) -> None:
    ended = run("grade", report, "--rule", rule, "--json")
    assert ended.exit_code == 0
    assert json.loads(ended.output)["rule"] == rule


def test_an_unknown_rule_is_refused(run: Command, report: Path) -> None:
    assert run("grade", report, "--rule", "generous").exit_code == 2


def test_rules_are_compared_against_the_one_in_force(run: Command, report: Path) -> None:
    rules = json.loads(run("grade", report, "--compare-rules", "--json").output)["rules"]
    assert rules["net-correct"]["in_force"]
    assert rules["net-correct"]["changes"] == {}
    assert rules["all-or-nothing"]["gain"] == 0
    assert rules["all-or-nothing"]["lose"] > 0
    assert rules["each-answer"]["lose"] == 0
    shown = run("grade", report, "--compare-rules").output
    assert "net-correct (in force)" in " ".join(shown.split())
    assert "all-or-nothing, largest loss: b" in shown
    assert "all-or-nothing, largest gain" not in shown


def test_check_says_what_is_right_without_telling_the_key(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("answers: {q01: [B], q02: B, q03: [A, C, E]}\n")
    ended = run("check", path, "--json")
    assert ended.exit_code == 0, ended.output
    data = json.loads(ended.output)
    assert [line["state"] for line in data["questions"][:4]] == ["not right", "right", "right", "blank"]
    assert data["questions"][0]["points"] == "0.50"
    assert data["total"] == "2.50"
    assert "options" not in data["questions"][0]
    shown = run("check", path)
    assert "2.50 of 10.00 under net-correct" in shown.output
    why = run("check", path, "--why")
    assert "q01 D (blank): supported" in why.output
    assert "exactly 6 sides; at least 5 needed" in why.output


def test_check_key_and_why_print_a_verdict_in_one_form(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("answers: {q01: [B]}\n")
    checked, keyed, shown = (
        json.loads(run(*arguments, "--json").output)
        for arguments in (["check", path, "--why"], ["key"], ["why", "q01"])
    )
    assert checked["questions"][0]["id"] == keyed["questions"][0]["id"] == shown["question"]
    of_key, of_check = keyed["questions"][0]["options"], checked["questions"][0]["options"]
    for option, more in [*zip(of_key, of_check, strict=True), *zip(of_key, shown["options"], strict=True)]:
        assert option.items() <= more.items()
    assert [option["letter"] for option in of_check if option["ticked"]] == ["B"]


def test_check_refuses_an_unknown_question(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("answers: {q1: B}\n")
    assert run("check", path).exit_code == 2


@pytest.mark.usefixtures("quiz")
def test_demonstration_evidence_is_refused_unless_accepted(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import foreign_evaluators

    folder = write_quiz(tmp_path / "demo", accept=["measured", "executed", "published", "demonstration"])
    for path in folder.glob("*.yaml"):  # in this process, whose evaluator is another one here
        path.write_text(path.read_text().replace('"evaluator": "dice"', '"evaluator": "dice", "isolate": false'))
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "store"))

    def demonstrate(self: Any, parameters: Any, site: Any) -> Any:
        findings = honest(self, parameters, site)
        shown = tuple(m.model_copy(update={"source": "demonstration"}) for m in findings.measurements)
        return type(findings)(measurements=shown)

    honest = foreign_evaluators.Dice.measure
    monkeypatch.setattr(foreign_evaluators.Dice, "measure", demonstrate)
    answer_key(load_quiz(folder), mode="auto")
    grade = ["grade", str(report), "--quiz", str(folder), "--out", str(tmp_path / "out")]
    refused = CliRunner().invoke(app, grade)
    assert refused.exit_code == 2
    assert not (tmp_path / "out").exists()
    accepted = CliRunner().invoke(app, [*grade, "--accept", "demonstration"])
    assert accepted.exit_code == 0
    assert "DEMONSTRATION" in accepted.output
    assert result(tmp_path / "out")["demonstration"]
    assert "DEMONSTRATION" in (tmp_path / "out/feedback/en/b00000001.md").read_text()
    assert "示範用" in (tmp_path / "out/feedback/zh-TW/b00000001.html").read_text()
