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
- a choose-one question is right or wrong under every rule, as a radio button is in Canvas and PrairieLearn; where the
teaching staff decided that several of its options are right, any one of them is.

`share` is the only place that works a share out; points and the arithmetic that students read are both taken from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import lcm
from statistics import median_high, median_low

from basics import messages
from basics.messages import Message, say
from grader.quiz.spec import CreditRule, Question, QuizBook
from grader.submissions.model import Chosen
from grader.verdicts.decisions import Ruling
from grader.verdicts.key import AnswerKey

ONE, ZERO = Fraction(1), Fraction(0)
PLACES = 2
"""Decimals of a score in every exported file, as Canvas shows and compares them."""


@dataclass(frozen=True, slots=True)
class Share:
    """The share of a question's points that an answer earns, and the terms it comes from.

    `right` and `wrong` count ticks, `possible` the correct options among `options`. `fraction` lies in [0, 1];
    `formula` is the same number as arithmetic over the terms, such as `max(0, (2 - 1)/3)`.
    """

    fraction: Fraction
    formula: str
    right: int = 0
    wrong: int = 0
    possible: int = 0
    options: int = 0

    def points(self, question: Question) -> Fraction:
        """The points of `question` that this share is."""
        return printed_points(question) * self.fraction

    def sentence(self, question: Question) -> str:
        """How the points come about: `max(0, (2 - 1)/3) x 1 = 0.33`."""
        return f"{self.formula} x {str(question.points).removesuffix('.0')} = {rounded(self.points(question))}"


NOTHING, EVERYTHING = Share(ZERO, "0"), Share(ONE, "1")


def all_or_nothing(correct: Chosen, chosen: Chosen, _options: int) -> tuple[Fraction, str]:
    """1 if exactly the correct options are ticked, else 0."""
    return (ONE, "1") if chosen == correct else (ZERO, "0")


def net_correct(correct: Chosen, chosen: Chosen, _options: int) -> tuple[Fraction, str]:
    """Share of right ticks less the same share for every wrong tick, not below 0."""
    right, wrong, possible = len(chosen & correct), len(chosen - correct), max(1, len(correct))
    return max(ZERO, Fraction(right - wrong, possible)), f"max(0, ({right} - {wrong})/{possible})"


def each_answer(correct: Chosen, chosen: Chosen, options: int) -> tuple[Fraction, str]:
    """Share of all options that are treated rightly: ticked if correct, left blank if not."""
    wrong, missed = len(chosen - correct), len(correct - chosen)
    return Fraction(options - wrong - missed, options), f"({options} - {wrong} - {missed})/{options}"


def coverage(correct: Chosen, chosen: Chosen, _options: int) -> tuple[Fraction, str]:
    """Share of the correct options that are ticked, times the share of the ticks that are correct."""
    right, possible, ticked = len(chosen & correct), len(correct), len(chosen)
    if not right:
        return ZERO, "0"
    return Fraction(right * right, possible * ticked), f"{right}/{possible} x {right}/{ticked}"


def any_one(correct: Chosen, chosen: Chosen, _options: int) -> tuple[Fraction, str]:
    """1 if the one tick is right, whichever of several right options it is on, else 0: the rule of choose-one."""
    return (ONE, "1") if len(chosen) == 1 and chosen <= correct else (ZERO, "0")


RULES: Mapping[CreditRule, Callable[[Chosen, Chosen, int], tuple[Fraction, str]]] = {
    "all-or-nothing": all_or_nothing,
    "net-correct": net_correct,
    "each-answer": each_answer,
    "coverage": coverage,
}
"""By rule: the fraction that an answer earns under a key, of a question with so many options, and its formula."""


def share(question: Question, correct: Chosen, chosen: Chosen, rule: CreditRule, ruling: Ruling | None = None) -> Share:
    """The share of the question's points that `chosen` earns; by a ruling it never falls."""
    if ruling and ruling.everyone:
        return EVERYTHING
    if not chosen:
        return NOTHING
    as_asked = _share(question, correct, chosen, rule, len(question.options))
    if not ruling:
        return as_asked
    ruled = _ruled(question, correct, chosen, rule, ruling)
    if ruled.fraction >= as_asked.fraction:
        return ruled
    return replace(as_asked, formula=f"max({ruled.formula}, {as_asked.formula})")


def _ruled(question: Question, correct: Chosen, chosen: Chosen, rule: CreditRule, ruling: Ruling) -> Share:
    """The share without the options that are out, and with the ones that count as treated rightly."""
    dropped = frozenset(ruling.disregard) & question.options.keys()
    free = frozenset(ruling.always_correct) - dropped
    left = (correct | free) - dropped
    ticked = (chosen if question.choose == "one" else chosen | free) - dropped
    if not left and not ticked:
        return EVERYTHING  # answered, and rightly: nothing was to be ticked
    return _share(question, left, ticked, rule, len(question.options) - len(dropped))


def _share(question: Question, correct: Chosen, chosen: Chosen, rule: CreditRule, options: int) -> Share:
    fraction, formula = (any_one if question.choose == "one" else RULES[rule])(correct, chosen, options)
    return Share(fraction, formula, len(chosen & correct), len(chosen - correct), len(correct), options)


def treated_rightly(
    question: Question, correct: Chosen, chosen: Chosen, letter: str, ruling: Ruling | None = None
) -> bool | None:
    """Whether the option was ticked if right and left blank if not; None where there is nothing to judge.

    That is where a ruling takes the option out or counts it as right, and where another of several right options of a
    choose-one question was ticked.
    """
    if ruling and (ruling.everyone or letter in ruling.disregard or letter in ruling.always_correct):
        return None
    if question.choose == "one" and letter in correct and letter not in chosen:
        right = correct | frozenset(ruling.always_correct if ruling else ())
        return None if chosen and chosen <= right else False
    return (letter in chosen) == (letter in correct)


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
        return share(question, correct, chosen, self.rule, ruling).points(question)

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


def lint_key(scorer: Scorer) -> list[str]:
    """Settled questions whose points nobody can earn, or only who ticked what a ruling took out."""
    return [told for question in scorer.book.questions if (told := _nothing_left(question, scorer))]


def _nothing_left(question: Question, scorer: Scorer) -> Message:
    correct, ruling, rule = scorer.key[question.id], scorer.rulings.get(question.id), scorer.rule
    free, out = (set(ruling.always_correct), set(ruling.disregard)) if ruling else (set[str](), set[str]())
    works = question.choose == "many" and rule == "each-answer"
    if correct is None or (correct | free) - out or works or (ruling and ruling.everyone):
        return messages.NOTHING
    if out & (correct | free):
        return say(
            "{question}: no option is correct once {letters} is taken out; `everyone: true` gives all its points "
            "to all",
            question=question.id,
            letters=", ".join(sorted(out)),
        )
    return say(
        "{question}: no option is correct, so nobody can earn its {points:g} points under {rule} (nor in Canvas)",
        question=question.id,
        points=question.points,
        rule=rule,
    )


@dataclass(frozen=True)
class OutOf:
    """What a total is out of: the points that are graded, and those that are still open (empty if none are)."""

    possible: str
    open: str

    def sentence(self, total: str, of: str = "of", open_word: str = "open") -> str:
        """`8.50 of 8.50, 1.50 open`."""
        return f"{total} {of} {self.possible}" + (f", {self.open} {open_word}" if self.open else "")


def out_of(book: QuizBook, graded: Sequence[bool]) -> OutOf:
    """What a student's total is out of, where these questions were graded."""
    points = [printed_points(question) for question in book.questions]
    rest = sum((p for p, is_graded in zip(points, graded, strict=True) if not is_graded), ZERO)
    return OutOf(rounded(sum(points, ZERO) - rest), rounded(rest) if rest else "")


def mean_of(values: Collection[int | Fraction], denominator: int = 1) -> str | None:
    """The mean of exact values, in units of 1/`denominator`, rounded once; None of nobody. Every mean shown is this."""
    return rounded(Fraction(sum(values)) / (len(values) * denominator)) if values else None


def median_of(values: Collection[int | Fraction], denominator: int = 1) -> str | None:
    """The median, likewise."""
    return rounded(Fraction(median_low(values) + median_high(values)) / (2 * denominator)) if values else None


def rounded(value: Fraction, places: int = PLACES) -> str:
    """`value` with this many decimals, halves away from zero; called once, where a number leaves the program."""
    one = 10**places
    scaled = abs(value) * one + Fraction(1, 2)
    digits = scaled.numerator // scaled.denominator
    text = f"{digits // one}.{digits % one:0{places}d}"
    return f"-{text}" if value < 0 and digits else text
