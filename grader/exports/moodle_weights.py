"""What each option of a question weighs in Moodle, in XML and in GIFT: net of wrong ticks, in shares that Moodle has.

Moodle takes only percentages of its own list, and wants those of the correct options to add up to 100. A correct option
is worth 1/C (C correct options) and a wrong tick takes as much; a question never falls below 0, so this is the rule
`net-correct`. There is no share below 5 % and none between 5 and 10 %: with 11 to 20 correct options the two are mixed,
which `inexact` tells, and more cannot be had.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from basics.errors import InputError, Problem
from basics.messages import say
from grader.quiz.spec import CreditRule, Question, QuizBook
from grader.submissions.model import Chosen

EQUAL = ("100", "50", "33.33333", "25", "20", "16.66667", "14.28571", "12.5", "11.11111", "10")
"""A share of 1/C by C, from 1."""
LARGE, SMALL = "10", "5"
MOST = 100 // int(SMALL)


def weights(question: Question, correct: Chosen) -> dict[str, str]:
    """Percentages by letter. The question must have a correct option, and at most `MOST` of them."""
    if question.choose == "one":
        return {letter: "100" if letter in correct else "0" for letter in question.options}
    shares = iter(_shares(len(correct)))
    return {letter: next(shares) if letter in correct else f"-{_penalty(len(correct))}" for letter in question.options}


def _shares(count: int) -> list[str]:
    if count <= len(EQUAL):
        return [EQUAL[count - 1]] * count
    large = MOST - count  # 10 l + 5 (count - l) = 100
    return [LARGE] * large + [SMALL] * (count - large)


def _penalty(count: int) -> str:
    if count <= len(EQUAL):
        return EQUAL[count - 1]
    return min((LARGE, SMALL), key=lambda share: abs(int(share) - Fraction(100, count)))


def too_many(book: QuizBook, key: Mapping[str, Chosen]) -> None:
    """Raises InputError with every question that has more correct options than Moodle has shares for."""
    problems = [
        Problem(
            q.id,
            say("has {n} correct options, Moodle has shares for {limit} at most", n=len(key[q.id]), limit=MOST),
            say("split the question"),
        )
        for q in book.questions
        if q.choose == "many" and len(key[q.id]) > MOST
    ]
    if problems:
        raise InputError(problems)


def inexact(book: QuizBook, key: Mapping[str, Chosen | None]) -> list[str]:
    """What Moodle will score otherwise than the quiz: its rule, and questions with shares of two sizes."""
    notes = [] if (rule := unsupported(book.quiz.credit_rule)) is None else [rule]
    for question in book.questions:
        correct = key[question.id] or frozenset()
        if question.choose == "many" and len(correct) > len(EQUAL):
            shares = _shares(len(correct))
            notes.append(
                f"{question.id}: {len(correct)} correct options, and Moodle has no share of 1/{len(correct)}: "
                f"{shares.count(LARGE)} count {LARGE} % and {shares.count(SMALL)} count {SMALL} %, "
                f"a wrong tick takes {_penalty(len(correct))} %"
            )
    return notes


def unsupported(rule: CreditRule) -> str | None:
    """What to tell a TA whose credit rule Moodle cannot express, or None."""
    return None if rule == "net-correct" else f"Moodle's multichoice scores net of wrong ticks, not {rule}"
