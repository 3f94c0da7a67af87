"""The arithmetic of one answer, spelt out: what each option did, and the formula that gave the points."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from grader.marking.scoring import Ruling, printed_points, rounded, share
from grader.quiz.spec import CreditRule, Question
from grader.submissions.model import Chosen


@dataclass(frozen=True)
class OptionLine:
    """How one option was treated. `effect` is in points (signed, rounded), empty where the rule is not a sum."""

    letter: str
    ticked: bool
    holds: bool | None
    treated_rightly: bool | None
    effect: str
    ruling: str = ""


@dataclass(frozen=True)
class AnswerSum:
    """An answer with its options and its points; `formula` reads as text, such as `max(0, (2 - 1)/3) x 1 = 0.33`."""

    options: tuple[OptionLine, ...]
    formula: str
    points: str
    possible: str


def work_out(
    question: Question, correct: Chosen | None, chosen: Chosen | None, rule: CreditRule, ruling: Ruling | None = None
) -> AnswerSum:
    """The sum of one answer; without points where the question is unsettled or was not given."""
    possible = printed_points(question)
    lines = tuple(_line(question, letter, correct, chosen or frozenset(), rule, ruling) for letter in question.options)
    open_ = correct is None and not (ruling and ruling.everyone)
    if chosen is None or open_:
        return AnswerSum(lines, "", "", rounded(possible))
    points = possible * share(question, correct or frozenset(), chosen, rule, ruling)
    formula = _formula(question, correct or frozenset(), chosen, rule, ruling)
    return AnswerSum(lines, f"{formula} = {rounded(points)}" if formula else "", rounded(points), rounded(possible))


def _line(
    question: Question, letter: str, correct: Chosen | None, chosen: Chosen, rule: CreditRule, ruling: Ruling | None
) -> OptionLine:
    ticked = letter in chosen
    if correct is None:
        return OptionLine(letter, ticked, None, None, "")
    holds = letter in correct
    if ruling and (letter in ruling.disregard or letter in ruling.always_correct or ruling.everyone):
        kind = "disregarded" if letter in ruling.disregard else "credited"
        return OptionLine(letter, ticked, holds, None, "", kind)
    effect = _effect(question, ticked, holds, correct, chosen, rule) if ruling is None else ""
    return OptionLine(letter, ticked, holds, ticked == holds, effect)


def _effect(question: Question, ticked: bool, holds: bool, correct: Chosen, chosen: Chosen, rule: CreditRule) -> str:
    """Signed points of one option, for the rules that are sums over options."""
    possible = printed_points(question)
    if question.choose == "one" or not chosen:
        return ""
    if rule == "net-correct" and ticked:
        part = possible / max(1, len(correct))
        return f"+{rounded(part)}" if holds else f"-{rounded(part)}"
    if rule == "each-answer":
        return f"+{rounded(possible / len(question.options))}" if ticked == holds else "+0.00"
    return ""


def _formula(question: Question, correct: Chosen, chosen: Chosen, rule: CreditRule, ruling: Ruling | None) -> str:
    n = len(question.options)
    if (ruling and ruling.everyone) or not chosen:
        return ""
    if ruling:
        dropped, free = frozenset(ruling.disregard), frozenset(ruling.always_correct)
        correct, chosen, n = (correct | free) - dropped, (chosen | free) - dropped, n - len(dropped)
    right, wrong, c = len(chosen & correct), len(chosen - correct), len(correct)
    points = _plain(printed_points(question))
    if question.choose == "one" or rule == "all-or-nothing":
        return f"{int(chosen == correct)} x {points}"
    if rule == "net-correct":
        return f"max(0, ({right} - {wrong})/{max(1, c)}) x {points}"
    if rule == "each-answer":
        return f"({n} - {wrong} - {c - right})/{n} x {points}"
    return f"{right}/{c} x {right}/{right + wrong} x {points}" if right else f"0 x {points}"


def _plain(value: Fraction) -> str:
    return f"{float(value):g}"
