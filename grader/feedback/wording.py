"""An answer worked out for people: how each option was treated, what it earned, and the arithmetic spelt out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.marking.scoring import printed_points, rounded, share, treated_rightly
from grader.quiz.spec import CreditRule, Question
from grader.submissions.model import Chosen
from grader.verdicts.decisions import Ruling


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
    whole: bool = False
    """Whether it earns all of the points."""

    @property
    def without_points(self) -> AnswerSum:
        """The answer as it was given, where it does not count."""
        return AnswerSum(tuple(replace(line, effect="") for line in self.options), "", "", self.possible)


def work_out(
    question: Question, correct: Chosen | None, chosen: Chosen | None, rule: CreditRule, ruling: Ruling | None = None
) -> AnswerSum:
    """The sum of one answer; without points where the question is unsettled or was not given."""
    possible = printed_points(question)
    lines = tuple(_line(question, letter, correct, chosen or frozenset(), rule, ruling) for letter in question.options)
    open_ = correct is None and not (ruling and ruling.everyone)
    if chosen is None or open_:
        return AnswerSum(lines, "", "", rounded(possible))
    earned = share(question, correct or frozenset(), chosen, rule, ruling)
    points = rounded(earned.points(question))
    return AnswerSum(lines, earned.sentence(question), points, rounded(possible), whole=earned.fraction == 1)


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
    return OptionLine(letter, ticked, holds, treated_rightly(question, correct, chosen, letter, ruling), effect)


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
