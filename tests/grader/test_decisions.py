"""Decisions of the teaching staff add up or are refused with both named, and every place says the same of them."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from basics.errors import InputError
from grader.cli import app
from grader.marking.run_record import read_run
from grader.marking.scoring import RULES, mean_of, rounded, share, treated_rightly
from grader.quiz.spec import CreditRule, QuizBook
from grader.verdicts.decisions import Override, Ruling, StaffDecision, as_decisions, contradictions, in_force
from tests.grader.classroom import Command, make_book
from tests.grader.test_regrade import gradebook

BOOK = make_book()
WHEN = "2026-06-20T10:00:00+08:00"


def ruling(question: str = "q01", **effect: Any) -> StaffDecision:
    said = {"question": question, "reason": f"about {question} {effect}", "when": WHEN, "by": "Lin", **effect}
    return as_decisions(BOOK, [Ruling.model_validate_json(json.dumps(said))], datetime.fromisoformat(WHEN))[0]


def override(question: str, correct: str, **more: Any) -> StaffDecision:
    said = {"question": question, "correct": list(correct), "reason": f"{correct} is right", "by": "Wu", **more}
    return as_decisions(BOOK, [Override.model_validate_json(json.dumps(said))], datetime.fromisoformat(WHEN))[0]


def hold(what: str = "hold-harmless") -> StaffDecision:
    return StaffDecision.model_validate_json(json.dumps({"what": what, "reason": "at the meeting", "when": WHEN}))


COMPATIBLE = {
    "out E": ruling(disregard=["E"]),
    "right C": ruling(always_correct=["C"]),
    "right A": ruling(always_correct=["A"]),
    "everyone": ruling(everyone=True),
    "override": override("q01", "BD"),
    "the same override": override("q01", "DB", reason="seen once more"),
}


@pytest.mark.parametrize("names", list(combinations(COMPATIBLE, 3)), ids=" + ".join)
def test_decisions_that_can_both_hold_add_up_in_every_order(names: tuple[str, ...]) -> None:
    sums = [in_force([COMPATIBLE[name] for name in order]) for order in permutations(names)]
    for one in sums:
        assert {(q, o.correct) for q, o in one.overrides.items()} == {
            (q, o.correct) for q, o in sums[0].overrides.items()
        }
        assert [(r.disregard, r.always_correct, r.everyone) for r in one.rulings.values()] == [
            (r.disregard, r.always_correct, r.everyone) for r in sums[0].rulings.values()
        ]
        said = " ".join(d.reason for d in (*one.overrides.values(), *one.rulings.values()))
        assert all(COMPATIBLE[name].reason in said for name in names), "no reason is lost"


def test_two_rulings_give_what_one_that_says_both_gives() -> None:
    two = in_force([ruling(always_correct=["B"]), ruling(always_correct=["C"]), ruling(disregard=["E"])]).rulings["q01"]
    assert (two.always_correct, two.disregard) == (("B", "C"), ("E",))


EXCLUDE = {
    "two keys": (override("q01", "AB"), override("q01", "ABCD")),
    "a key that takes away from a choose-one": (override("q02", "BC"), override("q02", "C")),
    "other letters of a choose-one": (override("q02", "B"), override("q02", "C")),
    "out and right": (ruling(disregard=["E"]), ruling(always_correct=["E"])),
    "right and out": (ruling(always_correct=["A", "E"]), ruling(disregard=["E", "B"])),
}


@pytest.mark.parametrize("name", EXCLUDE)
def test_decisions_that_exclude_one_another_are_refused_with_both_named(name: str) -> None:
    first, second = EXCLUDE[name]
    between = [ruling("q03", everyone=True), override("q03", "A")]
    with pytest.raises(InputError, match="two decisions cannot both hold") as caught:
        in_force([first, *between, second])
    [problem] = caught.value.problems
    assert first.told(1) in problem.what
    assert second.told(4) in problem.what
    assert "2026-06-20 10:00+08:00" in problem.what
    assert "`replaces: [1]`" in problem.remedy


@pytest.mark.parametrize("name", EXCLUDE)
def test_a_decision_that_replaces_another_takes_its_place_by_name(name: str) -> None:
    first, second = EXCLUDE[name]
    decided = in_force([first, second.model_copy(update={"replaces": (1,)})])
    alone = in_force([second])
    assert decided == alone


def test_a_choose_one_override_can_be_widened_and_a_choose_many_one_cannot() -> None:
    assert in_force([override("q02", "B"), override("q02", "BC")]).overrides["q02"].correct == ("B", "C")
    assert list(contradictions([override("q01", "B"), override("q01", "BC")]))


def test_a_ruling_is_taken_back_by_one_that_says_nothing_more() -> None:
    nothing = ruling().model_copy(update={"replaces": (1,)})
    assert in_force([ruling(disregard=["E"]), nothing]).rulings == {}


@pytest.mark.parametrize(
    ("decisions", "told"),
    [
        ([ruling("q03", everyone=True), ruling(everyone=True, replaces=[1])], "which is about another question"),
        ([ruling(everyone=True, replaces=[1])], "which is not an earlier one"),
        ([override("q01", "B"), ruling(everyone=True, replaces=[1])], "an override"),
        ([hold(), hold("lift-hold-harmless"), hold("lift-hold-harmless")], "is not in force"),
        ([hold("lift-hold-harmless")], "is not in force"),
    ],
)
def test_what_a_decision_refers_to_must_be_there(decisions: list[StaffDecision], told: str) -> None:
    with pytest.raises(InputError, match=told):
        in_force(decisions)


def test_hold_harmless_is_in_force_until_it_is_lifted_and_can_come_back() -> None:
    lift = hold("lift-hold-harmless")
    states = [in_force(list_).hold_harmless for list_ in ([], [hold()], [hold(), lift], [hold(), lift, hold()])]
    assert states == [False, True, False, True]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("correct", ["B", "BC", "ABD"])
def test_any_right_option_of_a_choose_one_question_earns_the_points_under_every_rule(
    rule: CreditRule, correct: str
) -> None:
    question = BOOK.question("q02")
    for letter in question.options:
        earned = share(question, frozenset(correct), frozenset(letter), rule)
        assert (earned.fraction == 1) == (letter in correct)
        judged = {x: treated_rightly(question, frozenset(correct), frozenset(letter), x) for x in question.options}
        assert (False in judged.values()) == (letter not in correct)
    assert share(question, frozenset(correct), frozenset(), rule).fraction == 0


@pytest.mark.parametrize("rule", RULES)
def test_an_option_that_is_also_right_costs_nobody_and_gains_those_who_ticked_it(rule: CreditRule) -> None:
    also = Ruling(question="q02", always_correct=("A",), reason="can be argued")
    question = BOOK.question("q02")
    now = {x: share(question, frozenset("B"), frozenset(x), rule).fraction for x in question.options}
    then = {x: share(question, frozenset("B"), frozenset(x), rule, also).fraction for x in question.options}
    assert now == {"A": 0, "B": 1, "C": 0, "D": 0}
    assert then == {"A": 1, "B": 1, "C": 0, "D": 0}


# A class of thirty.


@pytest.fixture
def graded(run: Command, report: Path, tmp_path: Path) -> Path:
    assert run("grade", report, "--out", tmp_path / "run").exit_code == 0
    return tmp_path / "run"


@pytest.fixture
def changed(run: Command, tmp_path: Path) -> Callable[..., Path]:
    """Regrades a run with a change file, and gives the new run."""
    made = iter(range(99))

    def regrade(old: Path, text: str, *options: object) -> Path:
        name = f"changed{next(made)}"
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"reason: decided at the staff meeting\nby: Lin\n{text}")
        ended = run("regrade", old, path, "--out", tmp_path / name, *options)
        assert ended.exit_code == 0, ended.output
        return tmp_path / name

    return regrade


def result(run: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((run / "result.json").read_text(encoding="utf-8"))
    return data


def totals(run: Path) -> dict[str, Fraction]:
    return {student["id"]: Fraction(student["exact"]) for student in result(run)["students"]}


MONDAY = "rulings:\n  - {question: q01, disregard: [E], reason: E was misprinted}\n"
TUESDAY = "rulings:\n  - {question: q01, always_correct: [A], reason: A can be argued}\n"
BOTH = "rulings:\n  - {question: q01, disregard: [E], always_correct: [A], reason: a misprint; A can be argued}\n"


@pytest.mark.parametrize("rule", RULES)
def test_one_regrade_after_the_other_is_one_with_both_in_either_order(
    run: Command, report: Path, tmp_path: Path, changed: Callable[..., Path], rule: str
) -> None:
    assert run("grade", report, "--rule", rule, "--out", tmp_path / "run").exit_code == 0
    graded = tmp_path / "run"
    at_once = changed(graded, BOTH)
    for first, second in ((MONDAY, TUESDAY), (TUESDAY, MONDAY)):
        one_by_one = changed(changed(graded, first), second)
        assert (one_by_one / "scores.csv").read_bytes() == (at_once / "scores.csv").read_bytes()
        assert len(result(one_by_one)["decisions"]) == 2
    assert totals(at_once) != totals(graded)


def test_a_decision_that_excludes_an_earlier_one_leaves_nothing(
    run: Command, graded: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    first = changed(graded, "overrides:\n  - {question: q03, correct: [A, C], reason: decided on Monday, by: Wu}\n")
    path = tmp_path / "tuesday.yaml"
    path.write_text("reason: decided on Tuesday\noverrides:\n  - {question: q03, correct: [A], reason: only A holds}\n")
    ended = run("regrade", first, path, "--out", tmp_path / "never")
    assert ended.exit_code == 2
    assert "1. override q03, A, C right" in ended.stderr
    assert "Wu]: decided on Monday" in ended.stderr
    assert "2. override q03, A right" in ended.stderr
    assert not (tmp_path / "never").exists()
    shown = run("regrade", first, graded, "--out", tmp_path / "never")
    assert shown.exit_code == 2, "a run that lacks the decision cannot follow one that has it"
    assert "decided on Monday" in shown.stderr
    assert not (tmp_path / "never").exists()


def test_hold_harmless_over_three_regrades_until_it_is_lifted(graded: Path, changed: Callable[..., Path]) -> None:
    steps = [
        "overrides:\n  - {question: q03, correct: [A, C], reason: E does not hold}\n",
        "overrides:\n  - {question: q04, correct: [A, B, C], reason: E does not hold here}\n",
        "overrides:\n  - {question: q12, correct: [B], reason: E is not said anywhere}\n",
    ]
    strict = held = graded
    fell = set()
    for i, step in enumerate(steps):
        strict = changed(strict, step)
        before, held = held, changed(held, step, *(("--policy", "hold-harmless") if i == 0 else ()))
        assert all(total >= totals(before)[student] for student, total in totals(held).items())
        fell |= {student for student, total in totals(strict).items() if total < totals(graded)[student]}
        assert result(held)["regrade_of"]["policy"] == "hold-harmless"
    assert fell
    told = {s["id"]: [a["rule"] for a in s.get("adjustments", ())] for s in result(held)["students"]}
    assert all("hold-harmless" in told[student] for student in fell if totals(held)[student] > totals(strict)[student])
    lifted = changed(held, "lift_hold_harmless: {reason: the semester is over, by: Wu}\n")
    assert totals(lifted) == totals(strict)
    assert [d["what"] for d in result(lifted)["decisions"]] == [
        "override", "hold-harmless", "override", "override", "lift-hold-harmless",
    ]  # fmt: skip


def test_an_appeal_offers_both_ways_before_it_is_decided_and_does_what_it_said(
    run: Command, graded: Path, tmp_path: Path
) -> None:
    for question, letter in (("q02", "A"), ("q02", "B"), ("q03", "B"), ("q03", "E")):
        out = tmp_path / f"{question}{letter}"
        about = ["appeal", question, letter, "--student", "b00000003", "--json"]
        offered = json.loads(run(*about, "--result", graded).output)["if_accepted"]
        assert set(offered) == {"also", "instead"}
        assert (offered["also"]["lose"], offered["also"]["losers"]) == (0, [])
        for way, effect in offered.items():
            copy = tmp_path / f"copy-{question}{letter}-{way}"
            copy.mkdir()
            (copy / "result.json").write_bytes((graded / "result.json").read_bytes())
            accept = ["--decision", "accepted", "--reason", "it can be argued", "--by", "Lin", "--as", way]
            ended = run(*about, "--result", copy, *accept)
            if effect["not_possible"]:
                assert (question, letter, way) == ("q02", "B", "instead"), "no option would be right"
                assert ended.exit_code == 2
                assert not list(copy.glob("appeals/*"))
                continue
            assert ended.exit_code == 0, ended.output
            [file] = copy.glob("appeals/*.yaml")
            diff = json.loads(run("regrade", copy, file, "--json", "--out", out / way).output)
            assert (diff["up"], diff["down"]) == (effect["gain"], effect["lose"])
            losers = [row["student"] for row in diff["changes"] if row["change"].startswith("-")]
            assert losers == [loser["student"] for loser in effect["losers"]]
            [decision] = result(out / way)["decisions"]
            assert decision["appeal"] == f"b00000003 about {letter}"


def test_a_second_appeal_joins_the_first_or_is_refused_before_it_is_written(run: Command, graded: Path) -> None:
    def accept(letter: str, way: str) -> Any:
        about = ["appeal", "q03", letter, "--student", "b00000003", "--result", graded, "--by", "Lin"]
        return run(*about, "--decision", "accepted", "--reason", f"{letter} can be argued", "--as", way, "--json")

    assert accept("B", "instead").exit_code == 0
    assert accept("D", "also").exit_code == 0
    refused = accept("E", "instead")
    assert refused.exit_code == 2
    assert "B can be argued" in refused.stderr
    assert "E can be argued" in refused.stderr
    assert len(list((graded / "appeals").glob("*.yaml"))) == 2


def test_an_appeal_against_an_override_names_what_it_takes_the_place_of(
    run: Command, graded: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    first = changed(graded, "overrides:\n  - {question: q03, correct: [A, C], reason: decided on Monday}\n")
    about = ["appeal", "q03", "E", "--student", "b00000003", "--result", first]
    shown = run(*about)
    assert "in place of 1. override q03, A, C right" in " ".join(shown.output.split())
    assert run(*about, "--decision", "accepted", "--as", "instead", "--reason", "E holds after all").exit_code == 0
    [file] = (first / "appeals").glob("*.yaml")
    ended = run("regrade", first, file, "--out", tmp_path / "back")
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "back/scores.csv").read_bytes() == (graded / "scores.csv").read_bytes()
    assert "(replaced by 2)" in " ".join(ended.output.split())


def decided_run(changed: Callable[..., Path], graded: Path) -> Path:
    """A run with an override of two letters, rulings of every kind and hold-harmless."""
    text = (
        "overrides:\n  - {question: q02, correct: [A, B], reason: A is right as well}\n"
        "  - {question: q03, correct: [A, C], reason: E does not hold}\n"
        "rulings:\n  - {question: q01, disregard: [E], always_correct: [A], reason: E was misprinted}\n"
        "  - {question: q11, everyone: true, reason: the question was unclear}\n"
    )
    return changed(graded, text, "--policy", "hold-harmless")


REASONS = ("A is right as well", "E does not hold", "E was misprinted", "the question was unclear")


def test_one_key_one_mean_and_every_reason_everywhere(
    run: Command, graded: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    new = decided_run(changed, graded)
    record = result(new)
    digest, mean = record["key"]["digest"], record["mean"]
    assert mean == rounded(Fraction(sum(totals(new).values())) / 30)
    items = json.loads(run("items", new, "--json").output)
    assert (items["mean"], items["key"]) == (mean, digest)
    course = gradebook(tmp_path, new)
    arguments = ["export", "canvas", str(new), "--gradebook", str(course), "--assignment", "123456", "--json"]
    plan = json.loads(CliRunner().invoke(app, arguments).output)
    assert (plan["mean"], plan["key"]) == (mean, digest)
    assert plan["changes"] == []
    key = json.loads(run("key", "--override", new, "--json").output)
    assert key["digest"] == digest
    page = tmp_path / "report.html"
    assert run("report", "--grades", new, "--out", page).exit_code == 0
    html = page.read_text(encoding="utf-8")
    assert digest[:12] in html
    assert f"mean {mean}" in html
    feedback = sorted((new / "feedback/en").glob("*.md"))
    assert len(feedback) == 30
    texts = [path.read_text(encoding="utf-8") for path in feedback]
    shown = [re.findall(r"\*\*Total: (\d+\.\d\d) of 10\.00\*\*", text) for text in texts]
    with (new / "scores.csv").open(newline="") as file:
        scores = {row["student_id"]: [row["total"]] for row in csv.DictReader(file)}
    assert dict(zip((path.stem for path in feedback), shown, strict=True)) == scores
    assert all(f"Key {digest[:12]}" in text for text in texts)
    why = "".join(run("why", name, "--override", new).output for name in ("q01", "q02", "q03", "q11"))
    answers = tmp_path / "answers.yaml"
    answers.write_text("answers: {q01: [B, D, A], q02: A, q03: [A, C], q11: E}\n")
    checked = json.loads(run("check", answers, "--override", new, "--json").output)
    assert checked["key"] == digest
    states = {line["id"]: line["state"] for line in checked["questions"]}
    assert [states[name] for name in ("q01", "q02", "q03", "q11")] == ["right"] * 4
    for reason in REASONS:
        assert all(f"Decided by the teaching staff: {reason}" in text for text in texts)
        assert f"{reason} (Lin)" in html
        assert reason in " ".join(why.split())
        assert any(reason in line for line in key["decisions"])
        assert any(reason in line for line in items["decisions"])
        assert any(reason in line["decided"] for line in checked["questions"])
    assert "decided by the teaching staff" in why


def test_a_run_graded_with_the_decisions_of_another_is_the_same_run(
    run: Command, report: Path, graded: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    text = "rulings:\n  - {question: q01, always_correct: [A], reason: A can be argued}\n"
    new = changed(graded, text + "overrides:\n  - {question: q02, correct: [A, B], reason: A is right as well}\n")
    ended = run("grade", report, "--override", new, "--out", tmp_path / "again")
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "again/scores.csv").read_bytes() == (new / "scores.csv").read_bytes()
    assert result(tmp_path / "again")["decisions"] == result(new)["decisions"]
    assert run("items", new, "--override", new).exit_code == 2, "a run has its own decisions"


def test_an_override_that_is_taken_back_leaves_the_question_to_the_evidence(
    run: Command, graded: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    first = changed(graded, "overrides:\n  - {question: q03, correct: [A, C], reason: E does not hold}\n")
    back = changed(first, "overrides:\n  - {question: q03, replaces: [1], reason: E holds after all}\n")
    assert result(back)["key"]["digest"] == result(graded)["key"]["digest"] != result(first)["key"]["digest"]
    assert totals(back) == totals(graded) != totals(first)
    told = json.loads(run("key", "--override", back, "--json").output)["decisions"]
    assert [line.split(" ")[1] for line in told] == ["override", "override"]
    assert "E holds after all" in told[1]
    path = tmp_path / "nothing.yaml"
    path.write_text("reason: at the meeting\noverrides: [{question: q03, reason: says nothing at all}]\n")
    ended = run("regrade", graded, path)
    assert ended.exit_code == 2
    assert "decides nothing" in ended.stderr


def test_a_credit_rule_is_decided_like_anything_else(
    run: Command, report: Path, graded: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    new = changed(changed(graded, "rule: all-or-nothing\n"), MONDAY)
    assert [d["what"] for d in result(new)["decisions"]] == ["credit-rule", "ruling"]
    assert run("grade", report, "--override", new, "--out", tmp_path / "again").exit_code == 0
    assert totals(tmp_path / "again") == totals(new) != totals(changed(graded, MONDAY))
    refused = run("grade", report, "--override", new, "--rule", "coverage")
    assert refused.exit_code == 2
    assert "1. credit-rule all-or-nothing" in refused.stderr
    answers = tmp_path / "answers.yaml"
    answers.write_text("answers: {q04: [A, B]}\n")
    assert json.loads(run("check", answers, "--override", new, "--json").output)["rule"] == "all-or-nothing"


def test_hold_harmless_binds_a_class_that_is_graded_anew(
    run: Command, report: Path, graded: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    text = "overrides:\n  - {question: q03, correct: [A, C], reason: E does not hold}\n"
    held = changed(graded, text, "--policy", "hold-harmless")
    assert totals(changed(graded, text)) != totals(held)
    assert run("grade", report, "--override", held, "--out", tmp_path / "again").exit_code == 0
    assert totals(tmp_path / "again") == totals(held)


def test_decisions_of_a_run_and_of_files_add_up_wherever_they_are_given(
    run: Command, report: Path, graded: Path, changed: Callable[..., Path], tmp_path: Path
) -> None:
    one, two, clash = (tmp_path / f"{name}.yaml" for name in ("one", "two", "clash"))
    one.write_text(MONDAY)
    two.write_text(TUESDAY)
    clash.write_text("rulings:\n  - {question: q01, always_correct: [E], reason: E can be argued}\n")
    both = changed(graded, BOTH)
    for first in (one, changed(graded, MONDAY)):
        out = tmp_path / f"again {first.name}"
        assert run("grade", report, "--override", first, "--override", two, "--out", out).exit_code == 0
        assert totals(out) == totals(both)
        for command in (["key"], ["why", "q01"], ["grade", report], ["report", "--out", tmp_path / "page.html"]):
            refused = run(*command, "--override", first, "--override", clash)
            assert refused.exit_code == 2, refused.output
            assert "E was misprinted" in refused.stderr
            assert "E can be argued" in refused.stderr
    replacing = "rulings:\n  - {question: q01, always_correct: [E], reason: E can be argued, replaces: [1]}\n"
    clash.write_text(replacing)
    assert run("key", "--override", one, "--override", clash).exit_code == 0
    refused = run("key", "--override", one, "--override", both)
    assert refused.exit_code == 2
    assert "name one run at most, before any file" in refused.stderr


def test_where_the_evidence_gives_another_key_than_the_run_it_is_refused_by_question(
    quiz: Path, report: Path, graded: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(quiz, tmp_path / "other"))
    text = (other / "q01.yaml").read_text(encoding="utf-8")
    (other / "q01.yaml").write_text(text.replace('["dice.sides", 5.0]', '["dice.sides", 8.0]', 1), encoding="utf-8")
    answers = tmp_path / "answers.yaml"
    answers.write_text("answers: {q01: [B, D]}\n")
    commands: list[list[object]] = [
        ["key"], ["why", "q01"], ["check", answers], ["report", "--out", tmp_path / "page.html"],
        ["export", "qti", "--out", tmp_path / "quiz.zip"],
    ]  # fmt: skip
    for command in commands:
        ended = CliRunner().invoke(app, [*map(str, command), "--override", str(graded), "--quiz", str(other)])
        assert ended.exit_code == 2, ended.output
        assert f"q01: was BD in {graded}, and is D by the evidence as it is now" in ended.stderr
        assert not (tmp_path / "page.html").exists()
    anew = ["grade", str(report), "--override", str(graded), "--quiz", str(other)]
    assert CliRunner().invoke(app, anew).exit_code == 0
    said = tmp_path / "said.yaml"
    said.write_text("overrides:\n  - {question: q01, correct: [B], reason: B alone can be defended}\n")
    ended = CliRunner().invoke(app, ["key", "--override", str(graded), "--override", str(said), "--quiz", str(other)])
    assert ended.exit_code == 0, "the question is decided by the file"


def test_a_run_whose_decisions_stood_apart_is_brought_up_to_date(
    graded: Path, changed: Callable[..., Path], class_book: QuizBook, tmp_path: Path
) -> None:
    new = decided_run(changed, graded)
    data = result(new)
    decisions = data.pop("decisions")
    for question in data["key"]["questions"].values():
        question["override"] = None
    said = ("question", "reason", "by")
    for decision in decisions:
        entry = {name: decision[name] for name in said}
        if decision["what"] == "override":
            data["key"]["questions"][decision["question"]]["override"] = entry | {"correct": decision["correct"]}
    effects = ("question", "reason", "disregard", "always_correct", "everyone")
    data["rulings"] = [{name: d[name] for name in effects} for d in decisions if d["what"] == "ruling"]
    del data["mean"], data["late_grace_seconds"], data["class_file"]["feedback"]
    old = tmp_path / "old.json"
    old.write_text(json.dumps(data | {"format": 2}), encoding="utf-8")
    record = read_run(old, class_book)
    assert in_force(record.decisions).hold_harmless
    assert record.late_grace_seconds == 0, "a run keeps the deadline that it was graded with"
    assert record.mean == result(new)["mean"]
    assert {d.substance for d in record.decisions} == {d.substance for d in read_run(new, class_book).decisions}


def test_means_are_exact_and_halves_go_up() -> None:
    assert mean_of([Fraction(1, 3), Fraction(1, 6)]) == "0.25"
    assert mean_of([1, 0], 100) == "0.01"
    assert mean_of([]) is None
