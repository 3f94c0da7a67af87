"""The words of the feedback, in English and in Traditional Chinese as written in Taiwan."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from evaluators.wording import value_of
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
            "none_in_time": "Nothing was handed in in time.",
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
            "ruling": "Ruling of the teaching staff",
            "demonstration": "DEMONSTRATION: part of this key rests on a codec other than the one the quiz names.",
            "recalled": "rests on a fact quoted from memory",
            "revision": "Ask for a revision before",
            "rule": "Credit rule",
        },
        "zh-TW": {
            "title": "作答回饋",
            "student": "學生",
            "total": "總分",
            "of": "／",
            "submitted": "繳交時間",
            "attempt": "第幾次作答：",
            "none_in_time": "期限內沒有繳交任何作答。",
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
            "ruling": "助教裁定",
            "demonstration": "示範用：部分答案所依據的編解碼器並非題目所指定者。",
            "recalled": "依據憑記憶引用、尚未查證的資料",
            "revision": "申請複查期限",
            "rule": "計分方式",
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
