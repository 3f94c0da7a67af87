"""Credit rules: what share of a question's points a set of ticked options earns. Exact fractions until the export.

With C correct options out of N, r right ticks and w wrong ticks, the rules give
    all-or-nothing  1 if exactly the correct options are ticked, else 0
    net-correct     max(0, (r - w) / C)
    each-answer     (N - w - (C - r)) / N, every option being a true/false item
    coverage        (r / C) * (r / (r + w))
as PrairieLearn's `pl-checkbox` defines `off`, `net-correct`, `each-answer` and `coverage` (PrairieLearn docs, element
`pl-checkbox`, attribute `partial-credit`, and `grade` in its `pl-checkbox.py`). `net-correct` is also what Canvas
Classic gives a "multiple answers" question: max(0, P*r/C - P*w/C).

Three points where the definitions leave room:
- a question with nothing ticked counts as not answered and earns 0 under every rule (PrairieLearn refuses a blank
answer; in a Canvas report a blank one cannot be told from none);
- a key without any correct option has C = 0: `each-answer` still works; a tick can earn nothing under the other
rules (in Canvas such a question can never score above 0, so `lint_key` warns);
- a choose-one question is right or wrong under every rule, as a radio button is in Canvas and PrairieLearn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from math import lcm
from typing import Annotated

from pydantic import Field

from evaluators.evidence import Frozen
from grader.quiz.spec import CreditRule, Letter, Question, QuizBook, Text
from grader.submissions.model import Chosen
from grader.verdicts.key import AnswerKey

ONE, ZERO = Fraction(1), Fraction(0)
PLACES = 2
"""Decimals of a score in every exported file, as Canvas shows and compares them."""


def all_or_nothing(correct: Chosen, chosen: Chosen, _options: int) -> Fraction:
    """1 if exactly the correct options are ticked, else 0."""
    return ONE if chosen == correct else ZERO


def net_correct(correct: Chosen, chosen: Chosen, _options: int) -> Fraction:
    """Share of right ticks less the same share for every wrong tick, not below 0."""
    return max(ZERO, Fraction(len(chosen & correct) - len(chosen - correct), max(1, len(correct))))


def each_answer(correct: Chosen, chosen: Chosen, options: int) -> Fraction:
    """Share of all options that are treated rightly: ticked if correct, left blank if not."""
    return ONE - Fraction(len(chosen ^ correct), options)


def coverage(correct: Chosen, chosen: Chosen, _options: int) -> Fraction:
    """Share of the correct options that are ticked, times the share of the ticks that are correct."""
    right = len(chosen & correct)
    return Fraction(right * right, len(correct) * len(chosen)) if right else ZERO


RULES: Mapping[CreditRule, Callable[[Chosen, Chosen, int], Fraction]] = {
    "all-or-nothing": all_or_nothing,
    "net-correct": net_correct,
    "each-answer": each_answer,
    "coverage": coverage,
}


class Ruling(Frozen):
    """What a TA decides about a question or its options after the fact, for everybody alike.

    `disregard`: the options are taken out of the question. `always_correct`: however a student treated these
    options, they count as treated rightly. `everyone`: the question gives full credit to all who submitted.
    """

    question: Text
    disregard: tuple[Letter, ...] = ()
    always_correct: tuple[Letter, ...] = ()
    everyone: bool = False
    reason: Annotated[str, Field(min_length=8)]


def share(
    question: Question, correct: Chosen, chosen: Chosen, rule: CreditRule, ruling: Ruling | None = None
) -> Fraction:
    """The share of the question's points, in [0, 1], that `chosen` earns."""
    options = len(question.options)
    if ruling:
        if ruling.everyone:
            return ONE
        answered = bool(chosen)
        dropped, free = frozenset(ruling.disregard), frozenset(ruling.always_correct)
        correct, chosen = (correct | free) - dropped, (chosen | free) - dropped if answered else chosen
        options -= len(dropped)
        if answered and not chosen and not correct:
            return ONE
    if not chosen:
        return ZERO
    return RULES["all-or-nothing" if question.choose == "one" else rule](correct, chosen, options)


def printed_points(question: Question) -> Fraction:
    """The question's points exactly as the spec prints them: 0.1 is a tenth, not the nearest double."""
    return _exactly(question.points)


@cache
def _exactly(points: float) -> Fraction:
    return Fraction(str(points))


class Scorer:
    """Scores answers against one key under one rule; each distinct answer to a question is worked out once.

    Points are whole numbers of `unit` (the reciprocal of a common denominator), so that a sum over a million
    students is integer arithmetic and still exact.
    """

    def __init__(
        self, book: QuizBook, key: Mapping[str, Chosen | None], rule: CreditRule, rulings: tuple[Ruling, ...] = ()
    ) -> None:
        self.book, self.key, self.rule = book, key, rule
        self.rulings = {ruling.question: ruling for ruling in rulings}
        self.denominator = lcm(*(self._denominator(question) for question in book.questions))
        self.graded = tuple(self._is_graded(question) for question in book.questions)
        self.tables = tuple(_Units(self, index) for index in range(len(book.questions)))

    def units(self, index: int, chosen: Chosen | None) -> int | None:
        """Points of question number `index` in units; None if the question is unsettled or was not given."""
        return self.tables[index][chosen]

    def points(self, index: int, chosen: Chosen | None) -> Fraction | None:
        """Points of question number `index`; None if the question is unsettled or was not given."""
        question = self.book.questions[index]
        ruling = self.rulings.get(question.id)
        if chosen is None or not self.graded[index]:
            return None
        correct = self.key[question.id] or frozenset()
        return printed_points(question) * share(question, correct, chosen, self.rule, ruling)

    def fraction(self, units: int | Fraction) -> Fraction:
        """The points that this many units are."""
        return Fraction(units, self.denominator)

    def sheet(self, chosen: Iterable[Chosen | None]) -> tuple[int | None, ...]:
        """Points per question of a whole answer sheet, in units."""
        return tuple([table[answer] for table, answer in zip(self.tables, chosen, strict=True)])

    def _is_graded(self, question: Question) -> bool:
        ruling = self.rulings.get(question.id)
        return self.key[question.id] is not None or (ruling is not None and ruling.everyone)

    def _denominator(self, question: Question) -> int:
        """A common denominator of every score the question can give, rulings included."""
        n = len(question.options)
        return lcm(printed_points(question).denominator * lcm(*range(1, n + 1)) ** 2, 1)


class _Units(dict[Chosen | None, int | None]):
    """Units of one question's answers, filled as answers turn up."""

    def __init__(self, scorer: Scorer, index: int) -> None:
        super().__init__()
        self.scorer, self.index = scorer, index

    def __missing__(self, chosen: Chosen | None) -> int | None:
        points = self.scorer.points(self.index, chosen)
        self[chosen] = None if points is None else int(points * self.scorer.denominator)
        return self[chosen]


def correct_options(key: AnswerKey) -> dict[str, Chosen | None]:
    """Correct letters by question id; None for an unsettled question."""
    return {q.id: None if q.correct is None else frozenset(q.correct) for q in key.questions}


def lint_key(book: QuizBook, key: Mapping[str, Chosen | None], rule: CreditRule) -> list[str]:
    """Settled questions that nobody can score on under this rule."""
    return [
        f"{q.id}: no option is correct, so nobody can earn its {q.points:g} points under {rule} (nor in Canvas)"
        for q in book.questions
        if key[q.id] == frozenset() and not (q.choose == "many" and rule == "each-answer")
    ]


def rounded(value: Fraction, places: int = PLACES) -> str:
    """`value` with this many decimals, halves away from zero; called once, where a number leaves the program."""
    one = 10**places
    scaled = abs(value) * one + Fraction(1, 2)
    digits = scaled.numerator // scaled.denominator
    text = f"{digits // one}.{digits % one:0{places}d}"
    return f"-{text}" if value < 0 and digits else text
