"""Credit rules: definitions, a class of five worked by hand, rounding, rulings."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.marking.scoring import (
    RULES,
    Ruling,
    Scorer,
    all_or_nothing,
    coverage,
    each_answer,
    lint_key,
    net_correct,
    rounded,
    share,
)
from grader.quiz.spec import CreditRule, QuizBook
from tests.grader.classroom import QUESTIONS, letters_key, make_book

SETS = st.frozensets(st.sampled_from("ABCDE"))


@pytest.fixture(scope="module")
def book() -> QuizBook:
    return make_book()


@pytest.mark.parametrize(
    ("correct", "chosen", "net", "each", "cover"),
    [
        ("BD", "BD", "1", "1", "1"),
        ("BD", "B", "1/2", "4/5", "1/2"),
        ("BD", "BC", "0", "3/5", "1/4"),
        ("BD", "ABD", "1/2", "4/5", "2/3"),
        ("BD", "ACE", "0", "0", "0"),
        ("BD", "ABCDE", "0", "2/5", "2/5"),
        ("ABCE", "ABCD", "1/2", "3/5", "9/16"),
    ],
)
def test_shares_as_canvas_and_prairielearn_define_them(
    correct: str, chosen: str, net: str, each: str, cover: str
) -> None:
    key, ticks = frozenset(correct), frozenset(chosen)
    assert net_correct(key, ticks, 5)[0] == Fraction(net)
    assert each_answer(key, ticks, 5)[0] == Fraction(each)
    assert coverage(key, ticks, 5)[0] == Fraction(cover)
    assert all_or_nothing(key, ticks, 5)[0] == (correct == chosen)


KEY = "BD B ACE ABCE ABE C C ABE ABD ACE ABC BE"
FIVE: dict[str, tuple[str, dict[CreditRule, str], dict[CreditRule, str]]] = {
    # answers to q01 … q12 (points 1 1 1 1 1 .5 .5 .5 .5 1 1 1), then points and total under each rule
    "perfect": (
        "BD B ACE ABCE ABE C C ABE ABD ACE ABC BE",
        {
            "all-or-nothing": "1.00 1.00 1.00 1.00 1.00 0.50 0.50 0.50 0.50 1.00 1.00 1.00",
            "net-correct": "1.00 1.00 1.00 1.00 1.00 0.50 0.50 0.50 0.50 1.00 1.00 1.00",
            "each-answer": "1.00 1.00 1.00 1.00 1.00 0.50 0.50 0.50 0.50 1.00 1.00 1.00",
            "coverage": "1.00 1.00 1.00 1.00 1.00 0.50 0.50 0.50 0.50 1.00 1.00 1.00",
        },
        {"all-or-nothing": "10.00", "net-correct": "10.00", "each-answer": "10.00", "coverage": "10.00"},
    ),
    "blank": (
        "- - - - - - - - - - - -",
        dict.fromkeys(RULES, " ".join(["0.00"] * 12)),
        dict.fromkeys(RULES, "0.00"),
    ),
    "timid": (  # one right tick everywhere; q02 and q06 wrong
        "B A A A A A C A A A A B",
        {
            "all-or-nothing": "0.00 0.00 0.00 0.00 0.00 0.00 0.50 0.00 0.00 0.00 0.00 0.00",
            # 1/2 0 1/3 1/4 1/3 0 1/2 1/6 1/6 1/3 1/3 1/2 = 41/12 = 3.41666…
            "net-correct": "0.50 0.00 0.33 0.25 0.33 0.00 0.50 0.17 0.17 0.33 0.33 0.50",
            # 4/5 0 3/5 2/5 3/5 0 1/2 3/10 3/10 3/5 3/5 4/5 = 5.5
            "each-answer": "0.80 0.00 0.60 0.40 0.60 0.00 0.50 0.30 0.30 0.60 0.60 0.80",
            # one right tick of one: the same shares as net-correct
            "coverage": "0.50 0.00 0.33 0.25 0.33 0.00 0.50 0.17 0.17 0.33 0.33 0.50",
        },
        {"all-or-nothing": "0.50", "net-correct": "3.42", "each-answer": "5.50", "coverage": "3.42"},
    ),
    "greedy": (  # everything ticked; a choice of one cannot be
        "ABCDE B ABCDE ABCDE ABCDE C C ABCDE ABCDE ABCDE ABCDE ABCDE",
        {
            "all-or-nothing": "0.00 1.00 0.00 0.00 0.00 0.50 0.50 0.00 0.00 0.00 0.00 0.00",
            # (2-3)<0 1 1/3 3/4 1/3 1/2 1/2 1/6 1/6 1/3 1/3 0 = 4.41666…
            "net-correct": "0.00 1.00 0.33 0.75 0.33 0.50 0.50 0.17 0.17 0.33 0.33 0.00",
            # 2/5 1 3/5 4/5 3/5 1/2 1/2 3/10 3/10 3/5 3/5 2/5 = 6.6
            "each-answer": "0.40 1.00 0.60 0.80 0.60 0.50 0.50 0.30 0.30 0.60 0.60 0.40",
            # C/5 of each: the same as each-answer when everything is ticked
            "coverage": "0.40 1.00 0.60 0.80 0.60 0.50 0.50 0.30 0.30 0.60 0.60 0.40",
        },
        {"all-or-nothing": "2.00", "net-correct": "4.42", "each-answer": "6.60", "coverage": "6.60"},
    ),
    "mixed": (
        "BC B AC ABDE AB C A ABC A ABCE ABC AE",
        {
            "all-or-nothing": "0.00 1.00 0.00 0.00 0.00 0.50 0.00 0.00 0.00 0.00 1.00 0.00",
            # 0 1 2/3 (3-1)/4 2/3 1/2 0 (2-1)/3/2 1/3/2 (3-1)/3 1 0 = 5.33333…
            "net-correct": "0.00 1.00 0.67 0.50 0.67 0.50 0.00 0.17 0.17 0.67 1.00 0.00",
            # 3/5 1 4/5 3/5 4/5 1/2 0 3/10 3/10 4/5 1 3/5 = 7.3
            "each-answer": "0.60 1.00 0.80 0.60 0.80 0.50 0.00 0.30 0.30 0.80 1.00 0.60",
            # 1/4 1 2/3 9/16 2/3 1/2 0 2/9 1/6 3/4 1 1/4 = 869/144 = 6.03472…
            "coverage": "0.25 1.00 0.67 0.56 0.67 0.50 0.00 0.22 0.17 0.75 1.00 0.25",
        },
        {"all-or-nothing": "2.50", "net-correct": "5.33", "each-answer": "7.30", "coverage": "6.03"},
    ),
}


@pytest.mark.parametrize("student", FIVE)
@pytest.mark.parametrize("rule", RULES)
def test_a_class_of_five_worked_by_hand(book: QuizBook, student: str, rule: CreditRule) -> None:
    assert [question[4] for question in QUESTIONS] == KEY.split()
    answers, points, totals = FIVE[student]
    scorer = Scorer(book, letters_key(book), rule)
    units = [scorer.units(i, frozenset(answer.strip("-"))) for i, answer in enumerate(answers.split())]
    assert [rounded(scorer.fraction(u or 0)) for u in units] == points[rule].split()
    assert rounded(scorer.fraction(sum(u or 0 for u in units))) == totals[rule]


@given(SETS, SETS, st.sampled_from(sorted(RULES)))
def test_a_share_lies_between_nothing_and_all_and_only_the_key_earns_all(
    correct: frozenset[str], chosen: frozenset[str], rule: CreditRule
) -> None:
    [question] = make_book([("?", 1, "many", {x: x for x in "ABCDE"}, "A")]).questions
    result = share(question, correct, chosen, rule).fraction
    assert 0 <= result <= 1
    assert (result == 1) == (chosen == correct and bool(chosen))


@given(SETS.filter(bool), SETS, st.sampled_from("ABCDE"), st.sampled_from(sorted(RULES)))
def test_treating_one_more_option_rightly_never_costs(
    correct: frozenset[str], chosen: frozenset[str], letter: str, rule: CreditRule
) -> None:
    [question] = make_book([("?", 1, "many", {x: x for x in "ABCDE"}, "A")]).questions
    better = chosen | {letter} if letter in correct else chosen - {letter}
    if better:
        assert share(question, correct, better, rule).fraction >= share(question, correct, chosen, rule).fraction


def test_units_are_exact_for_every_answer_and_rule(book: QuizBook) -> None:
    for rule in RULES:
        scorer = Scorer(book, letters_key(book), rule)
        for i, question in enumerate(book.questions):
            for size in range(len(question.options) + 1):
                for chosen in map(frozenset, combinations(question.options, size)):
                    points = scorer.points(i, chosen)
                    assert points is not None
                    assert scorer.fraction(scorer.units(i, chosen) or 0) == points


def test_a_question_nobody_can_score_on_is_pointed_out(book: QuizBook) -> None:
    key = {**letters_key(book), "q03": frozenset()}
    assert lint_key(Scorer(book, key, "net-correct"))[0].startswith("q03: no option is correct, so nobody")
    assert lint_key(Scorer(book, key, "each-answer")) == []
    assert share(book.question("q03"), frozenset(), frozenset("A"), "each-answer").fraction == Fraction(4, 5)
    assert all(
        share(book.question("q03"), frozenset(), frozenset("A"), rule).fraction == 0
        for rule in ("net-correct", "coverage")
    )


def test_a_question_whose_only_right_option_is_taken_out_is_pointed_out(book: QuizBook) -> None:
    def told(**effect: Any) -> list[str]:
        ruling = Ruling(question="q02", reason="it was misprinted", **effect)
        return lint_key(Scorer(book, letters_key(book), "net-correct", (ruling,)))

    assert told(disregard=("B",)) == [
        "q02: no option is correct once B is taken out; `everyone: true` gives all its points to all"
    ]
    assert told(disregard=("A",)) == told(disregard=("B",), always_correct=("C",)) == []
    assert told(disregard=("B",), everyone=True) == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1/8", "0.13"), ("1/200", "0.01"), ("-1/200", "-0.01"), ("-1/1000", "0.00"), ("2/3", "0.67"), ("25/1000", "0.03"),
     ("10", "10.00"), ("1234.5", "1234.50"), ("9.995", "10.00"), ("0", "0.00")],
)  # fmt: skip
def test_halves_are_rounded_up_and_digits_are_plain(value: str, shown: str) -> None:
    assert rounded(Fraction(value)) == shown


def ruling(**fields: object) -> Ruling:
    return Ruling.model_validate({"question": "q01", "reason": "decided by the staff", **fields})


@pytest.mark.parametrize(
    ("fields", "chosen", "share_"),
    [
        ({"disregard": ("D",)}, "B", "1"),
        ({"disregard": ("D",)}, "BD", "1"),
        ({"disregard": ("D",)}, "BC", "0"),
        ({"disregard": ("C",)}, "BC", "1/2"),
        ({"always_correct": ("C",)}, "BD", "1"),
        ({"always_correct": ("C",)}, "BCD", "1"),
        ({"always_correct": ("C",)}, "B", "2/3"),
        ({"everyone": True}, "ACE", "1"),
        ({"everyone": True}, "", "1"),
        ({"disregard": ("D",)}, "", "0"),
    ],
)
def test_rulings(book: QuizBook, fields: dict[str, object], chosen: str, share_: str) -> None:
    result = share(book.question("q01"), frozenset("BD"), frozenset(chosen), "net-correct", ruling(**fields))
    assert result.fraction == Fraction(share_)


@given(SETS.filter(bool), SETS, st.sampled_from("ABCDE"), st.sampled_from(sorted(RULES)))
def test_an_option_that_counts_as_right_for_all_never_costs(
    correct: frozenset[str], chosen: frozenset[str], letter: str, rule: CreditRule
) -> None:
    [question] = make_book([("?", 1, "many", {x: x for x in "ABCDE"}, "A")]).questions
    generous = ruling(always_correct=(letter,))
    before = share(question, correct, chosen, rule).fraction
    assert share(question, correct, chosen, rule, generous).fraction >= before


def test_an_unsettled_question_earns_nothing_unless_everyone_gets_it(book: QuizBook) -> None:
    key = {**letters_key(book), "q01": None}
    assert Scorer(book, key, "net-correct").units(0, frozenset("B")) is None
    given_to_all = Scorer(book, key, "net-correct", (ruling(everyone=True),))
    assert given_to_all.points(0, frozenset("B")) == 1


def subsets(letters: str) -> list[frozenset[str]]:
    return [frozenset(chosen) for size in range(len(letters) + 1) for chosen in combinations(letters, size)]


def as_arithmetic(sentence: str) -> tuple[Fraction, str]:
    """The left side of `formula x points = rounded`, worked out exactly by Python, and the right side."""
    formula, _, result = sentence.rpartition(" = ")
    exact = re.sub(r"\d+(\.\d+)?", r"Fraction('\g<0>')", formula).replace(" x ", " * ")
    return eval(exact, {"Fraction": Fraction, "max": max}), result


@pytest.mark.parametrize("options", range(2, 6))
@pytest.mark.parametrize("rule", RULES)
def test_taking_options_out_never_costs_and_the_arithmetic_is_true(rule: CreditRule, options: int) -> None:
    letters = "ABCDE"[:options]
    [many] = make_book([("?", 0.35, "many", {x: x for x in letters}, "A")]).questions
    [one] = make_book([("?", 2, "one", {x: x for x in letters}, "A")]).questions
    shares: dict[str, Fraction] = {}
    for dropped, correct, chosen in product(subsets(letters), repeat=3):
        without = ruling(disregard=tuple(sorted(dropped)))
        for question in (many, one) if len(correct) == 1 and len(chosen) <= 1 else (many,):
            before = share(question, correct, chosen, rule)
            after = share(question, correct, chosen, rule, without)
            assert after.fraction >= before.fraction
            if chosen and not dropped & (correct | chosen) and rule != "each-answer":
                assert after.fraction == before.fraction  # an option that nobody ticked and that is not right
            for earned in (before, after):
                if (sentence := earned.sentence(question)) not in shares:
                    shares[sentence], shown = as_arithmetic(sentence)
                    assert shown == rounded(shares[sentence])
                assert shares[sentence] == earned.points(question)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dropped", ["A", "B", "D", "AB", "ACE"])
def test_an_option_taken_out_is_as_if_it_had_never_been_there(rule: CreditRule, dropped: str) -> None:
    letters, left = "ABCDE", "".join(x for x in "ABCDE" if x not in dropped)
    [whole] = make_book([("?", 1, "many", {x: x for x in letters}, "A")]).questions
    [rest] = make_book([("?", 1, "many", {x: x for x in left}, left[0])]).questions
    for correct, chosen in product(subsets(letters), repeat=2):
        smaller = share(rest, correct & set(left), chosen & set(left), rule).fraction
        before = share(whole, correct, chosen, rule).fraction
        after = share(whole, correct, chosen, rule, ruling(disregard=tuple(dropped))).fraction
        if chosen & set(left):
            assert after == max(before, smaller)


def test_a_student_who_ticked_only_the_misprint_has_answered(book: QuizBook) -> None:
    question, without_d = book.question("q03"), ruling(disregard=("D",))
    before = share(question, frozenset("ABC"), frozenset("D"), "each-answer")
    after = share(question, frozenset("ABC"), frozenset("D"), "each-answer", without_d)
    assert before.sentence(question) == "(5 - 1 - 3)/5 x 1 = 0.20"
    assert after.sentence(question) == "(4 - 0 - 3)/4 x 1 = 0.25"
    right = share(question, frozenset("DE"), frozenset("D"), "each-answer", without_d)
    assert right.sentence(question) == "max((4 - 0 - 1)/4, (5 - 0 - 1)/5) x 1 = 0.80"


def test_a_second_right_answer_of_a_choose_one_question(book: QuizBook) -> None:
    arguable = ruling(always_correct=("C",))
    earned = {x: share(book.question("q02"), frozenset("B"), frozenset(x), "net-correct", arguable) for x in "ABC"}
    assert {x: earned[x].fraction for x in earned} == {"A": 0, "B": 1, "C": 1}


@pytest.mark.parametrize("rule", ["all-or-nothing", "net-correct", "each-answer", "coverage"])
def test_two_ticks_of_a_choose_one_question_earn_nothing_though_both_are_right(book: QuizBook, rule: Any) -> None:
    question = book.question("q02")
    both = share(question, frozenset("BC"), frozenset("BC"), rule)
    assert (both.fraction, share(question, frozenset("BC"), frozenset("C"), rule).fraction) == (0, 1)
