"""The words of the feedback, in English and in Traditional Chinese as in Taiwan, and its arithmetic spelt out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from evaluators.display import value_of
from grader.marking.scoring import printed_points, rounded, share, treated_rightly
from grader.quiz.spec import CreditRule, Question
from grader.submissions.model import Chosen
from grader.verdicts.decisions import Ruling
from grader.verdicts.judge import Comparison, Verdict

TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "title": "Feedback",
            "student": "Student",
            "total": "Total",
            "of": "of",
            "submitted": "Submitted",
            "attempt": "attempt",
            "open": "open",
            "key": "Key",
            "none_in_time": "Nothing was handed in in time.",
            "not_counted": "late, not counted",
            "adjustments": "How the regulations applied",
            "ticked": "Your answer",
            "holds": "Holds?",
            "effect": "Points",
            "option": "Option",
            "why": "Why",
            "yes": "yes",
            "no": "no",
            "unknown": "undecided",
            "tick": "ticked",
            "blank": "left blank",
            "disregarded": "taken out of the question",
            "credited": "counted as right for everybody",
            "points": "Points",
            "unsettled": "This question is not settled yet and was not graded.",
            "not_given": "This question was not graded for you: it was not given, or its cell was skipped.",
            "nothing": "Nothing was ticked.",
            "override": "Decided by the teaching staff",
            "demonstration": "DEMONSTRATION: part of this key rests on a codec other than the one the quiz names.",
            "recalled": "rests on a fact quoted from memory",
            "revision": "Ask for a revision before",
            "rule": "Credit rule",
            "letter": "Your appeal",
            "about": "Option you appealed about",
            "accepted": "The appeal is accepted.",
            "rejected": "The appeal is not accepted.",
            "also": "The option counts as right for everybody, beside the key; nobody loses points.",
            "everyone": "Everybody has full points for this question.",
            "instead": "The key of this question is corrected for everybody.",
            "reason": "Reason",
            "before": "before",
            "after": "after",
            "unchanged": "unchanged",
            "no_answer": "There is no answer of yours to this question that counts.",
            "decided_on": "Decided on",
            "to_come": "The points stand in the gradebook once the class has been graded again.",
        },
        "zh-TW": {
            "title": "作答回饋",
            "student": "學生",
            "total": "總分",
            "of": "／",
            "submitted": "繳交時間",
            "attempt": "第幾次作答：",
            "open": "未定",
            "key": "答案版本",
            "none_in_time": "期限內沒有繳交任何作答。",
            "not_counted": "逾期，不計分",
            "adjustments": "規定的套用",
            "ticked": "你的作答",
            "holds": "是否成立",
            "effect": "得分",
            "option": "選項",
            "why": "理由",
            "yes": "成立",
            "no": "不成立",
            "unknown": "未定",
            "tick": "已勾選",
            "blank": "未勾選",
            "disregarded": "不列入計分",
            "credited": "全體視為答對",
            "points": "得分",
            "unsettled": "本題答案尚未確定，未予計分。",
            "not_given": "本題未對你計分：你未被分派此題，或該欄位已被略過。",
            "nothing": "未勾選任何選項。",
            "override": "由助教決定",
            "demonstration": "示範用：部分答案所依據的編解碼器並非題目所指定者。",
            "recalled": "依據憑記憶引用、尚未查證的資料",
            "revision": "申請複查期限",
            "rule": "計分方式",
            "letter": "你的申訴",
            "about": "申訴的選項",
            "accepted": "申訴成立。",
            "rejected": "申訴不成立。",
            "also": "除原答案外，該選項亦對全體視為答對，無人因此失分。",
            "everyone": "本題全體給滿分。",
            "instead": "本題答案已為全體更正。",
            "reason": "理由",
            "before": "原為",
            "after": "改為",
            "unchanged": "不變",
            "no_answer": "本題沒有你的計分作答。",
            "decided_on": "決定日期",
            "to_come": "分數將於全班重新計分後登錄。",
        },
    }
)
"""Words by language, then by key; both languages have the same keys (a test holds them to it)."""


def grounds_in_words(verdict: Verdict, recalled: str) -> list[str]:
    """The comparisons that decided an option, with their numbers, sources and locators."""
    mark = f" ({recalled})" if verdict.recalled else ""
    return [f"{comparison.claim}: {_numbers(comparison)}{mark}" for comparison in verdict.grounds]


def _numbers(comparison: Comparison) -> str:
    return "; ".join(
        f"{m.name} = {value_of(m)} [{m.source}{f': {m.locator}' if m.locator else ''}]" for m in comparison.measurements
    )


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
