"""The list of a run's appeals, and the letter to a student whose appeal was decided."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from grader.quiz.spec import QuizBook
from tests.grader.classroom import Command, random_class
from tests.grader.test_grading_cli import result

REASON = "E can be argued, we agree"
Out = Path


@pytest.fixture
def out(run: Command, report: Path, tmp_path: Path) -> Out:
    folder = tmp_path / "out"
    assert run("grade", report, "--out", folder).exit_code == 0
    return folder


def listed(run: Command, out: Out) -> list[dict[str, Any]]:
    ended = run("appeal", "--list", "--result", out, "--json")
    assert ended.exit_code == 0, ended.output
    appeals: list[dict[str, Any]] = json.loads(ended.output)["appeals"]
    return appeals


def decide(run: Command, out: Out, student: str, *how: object) -> dict[str, Any]:
    ended = run("appeal", "q03", "E", "--student", student, "--result", out, *how, "--by", "Lin", "--json")
    assert ended.exit_code == 0, ended.output
    packet: dict[str, Any] = json.loads(ended.output)
    return packet


def test_appeals_are_listed_the_open_ones_first(run: Command, out: Out) -> None:
    assert listed(run, out) == []
    assert "0 appeals, 0 of them open" in run("appeal", "--list", "--result", out).output
    decide(run, out, "b00000002", "--decision", "accepted", "--as", "also", "--reason", REASON)
    decide(run, out, "b00000003", "--decision", "rejected", "--reason", "the die has six sides")
    decide(run, out, "b00000004")
    appeals = listed(run, out)
    assert [(a["student"], a["status"]) for a in appeals] == [
        ("b00000004", "open"),
        ("b00000002", "accepted as also right"),
        ("b00000003", "rejected"),
    ]
    ends = [[file.rpartition(".")[2] for file in a["files"]] for a in appeals]
    assert ends == [["json"], ["json", "md", "yaml"], ["json", "md"]]
    assert all(Path(file).is_file() for a in appeals for file in a["files"])
    shown = run("appeal", "--list", "--result", out).output
    assert "3 appeals, 1 of them open" in shown
    assert f"letter: {out}/appeals/q03-E-b00000003.md" in shown
    assert run("ledger", out, "--json").exit_code in (0, 2)


def test_the_list_needs_nothing_but_the_run_and_one_appeal_needs_all(run: Command, out: Out, tmp_path: Path) -> None:
    ended = run("appeal", "q03", "--result", out)
    assert ended.exit_code == 2
    assert "needs OPTION and --student" in ended.stderr
    assert "--list" in ended.stderr
    assert run("appeal", "--list", "--result", tmp_path / "nowhere").exit_code == 2
    both = run("appeal", "q03", "E", "--student", "b00000002", "--result", out, "--list", "--decision", "rejected")
    assert both.exit_code == 2
    assert "it was given with q03, E, b00000002, rejected" in both.stderr


def test_a_packet_that_is_none_is_named(run: Command, out: Out) -> None:
    decide(run, out, "b00000004")
    (out / "appeals" / "q01-A-x.json").write_text("{}")
    (out / "appeals" / "q01-B-x.json").write_text("nothing")
    ended = run("appeal", "--list", "--result", out)
    assert ended.exit_code == 2
    assert ended.stderr.count("is not the packet of an appeal") == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("how", [("accepted", "also"), ("accepted", "instead"), ("rejected", "")])
def test_a_letter_has_question_answer_decision_reason_and_points(
    run: Command, out: Out, class_book: QuizBook, how: tuple[str, str]
) -> None:
    decision, way = how
    said = ["--decision", decision, *(["--as", way] if way else []), "--reason", REASON]
    packet = decide(run, out, "b00000002", *said)
    text = (out / "appeals" / "q03-E-b00000002.md").read_text(encoding="utf-8")
    english, chinese = text.split("\n\n---\n\n")
    question, effect = class_book.question("q03"), packet["if_accepted"][way or "also"]["this_student"]
    then = "_then" if way else ""
    for page in (english, chinese):
        assert "b00000002" in page
        assert "Student, No. 2" in page
        assert question.options["E"].text in page
        for letter in effect["ticked"]:
            assert f"- **{letter}** {question.options[letter].text}" in page
        assert REASON in page
        assert "Lin" in page
        numbers = re.findall(r"^\| q03 \| (\S+) .*? \| (\S+) ", page, flags=re.M)
        assert numbers == [(effect["points"], effect[f"points{then}"])]
        totals = re.findall(r"^\| (?:Total|總分) \| (\S+) \| (\S+)", page, flags=re.M)
        assert totals == [(effect["total"], effect[f"total{then}"])]
    assert ("The appeal is accepted." in english) is (decision == "accepted")
    assert ("申訴不成立。" in chinese) is (decision == "rejected")


def test_a_letter_tells_what_the_regrade_then_gives(run: Command, out: Out, tmp_path: Path) -> None:
    decide(run, out, "b00000002", "--decision", "accepted", "--as", "instead", "--reason", REASON)
    changes = out / "appeals" / "q03-E-b00000002.yaml"
    assert run("regrade", out, changes, "--out", tmp_path / "new").exit_code == 0
    text = (out / "appeals" / "q03-E-b00000002.md").read_text(encoding="utf-8")
    [(before, after)] = re.findall(r"^\| Total \| (\S+) \| (\S+)", text, flags=re.M)
    told = [next(s for s in result(run_)["students"] if s["id"] == "b00000002") for run_ in (out, tmp_path / "new")]
    assert [before, after] == [student["total"] for student in told]


def test_a_letter_says_nothing_of_anybody_else(run: Command, out: Out, class_book: QuizBook) -> None:
    decide(run, out, "b00000002", "--decision", "accepted", "--as", "instead", "--reason", REASON)
    text = (out / "appeals" / "q03-E-b00000002.md").read_text(encoding="utf-8")
    for other in {a.student: a for a in random_class(class_book, 30) if a.student != 2}.values():
        assert other.login not in text
        assert not re.search(rf"{re.escape(other.name)}\b", text)


@pytest.mark.parametrize("named", ["b00000005", "B00000005", "student, no. 5"])
def test_a_reason_that_names_another_student_is_refused(run: Command, out: Out, named: str) -> None:
    about = ["appeal", "q03", "E", "--student", "b00000002", "--result", out, "--decision", "rejected"]
    ended = run(*about, "--reason", f"as we told {named} already")
    assert ended.exit_code == 2
    assert "b00000005" in ended.stderr
    assert not (out / "appeals").exists()
    assert run(*about, "--reason", "b00000002 did not tick it, nor say why").exit_code == 0, "the appellant's own id"


def test_letters_are_in_the_languages_of_the_class(run: Command, report: Path, tmp_path: Path) -> None:
    for languages, headings in (("[zh-TW]", ["# 你的申訴"]), ("[]", ["# Your appeal"])):
        class_file, folder = tmp_path / "class.yaml", tmp_path / languages
        class_file.write_text(f"feedback: {languages}", encoding="utf-8")
        assert run("grade", report, "--class", class_file, "--out", folder).exit_code == 0
        decide(run, folder, "b00000002", "--decision", "rejected", "--reason", REASON)
        text = (folder / "appeals" / "q03-E-b00000002.md").read_text(encoding="utf-8")
        assert re.findall(r"^# [^:：]*", text, flags=re.M) == headings


def test_who_handed_in_late_only_is_told_that_no_answer_counts(
    run: Command, class_book: QuizBook, tmp_path: Path
) -> None:
    questions = [question.id for question in class_book.questions]
    lines = ["student_id,submitted," + ",".join(questions)]
    lines += [
        f"{who},2026-06-{day}T12:00:00+08:00{',A' * len(questions)}" for who, day in (("early", 17), ("late", 20))
    ]
    (tmp_path / "class.csv").write_text("\n".join(lines), encoding="utf-8")
    assert run("grade", tmp_path / "class.csv", "--out", tmp_path / "out").exit_code == 0
    decide(run, tmp_path / "out", "late", "--decision", "rejected", "--reason", REASON)
    text = (tmp_path / "out" / "appeals" / "q03-E-late.md").read_text(encoding="utf-8")
    assert "There is no answer of yours to this question that counts." in text
    assert "| before |" not in text
