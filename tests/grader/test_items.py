"""Item statistics against published worked examples and independent formulas."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pointbiserialr

from grader.marking.grading import Setting, grade
from grader.review.items import alpha, analyse, correlation, extreme_groups, item_statistics, reliability, wilson
from grader.submissions.model import Submission, SubmissionFile
from tests.grader.classroom import letters_key, make_book, random_class

LSAT_COUNTS = """3 6 2 11 1 1 3 4 1 8 0 16 0 3 2 15
10 29 14 81 3 28 15 80 16 56 21 173 11 61 28 298"""
"""Section VI of the LSAT, 1000 persons by answer pattern 00000 … 11111 (Bock and Lieberman 1970, table 1)."""

ATTITUDE = """
43 51 30 39 61 92 45 63 64 51 54 63 73 47 71 70 68 69 76 86 48 61 63 45 47 54 84 35 81 78 56 66 71 83 47
43 55 49 44 54 49 34 58 67 42 56 66 68 35 71 75 50 55 70 66 41 72 82 72 67 71 83 31 67 61 45 47 62 80 41
64 53 53 58 58 67 34 67 60 47 39 59 74 41 69 62 57 42 55 63 25 68 83 83 45 59 77 35 77 77 54 72 79 77 46
81 90 50 72 60 54 36 74 85 64 69 79 79 63 65 60 65 75 55 80 60 65 70 46 57 75 85 46 50 58 68 54 64 78 52
50 40 33 34 43 64 33 64 61 52 62 66 80 41 53 66 52 50 63 80 37 40 37 42 58 50 57 49 63 54 42 48 66 75 33
66 77 66 63 88 76 72 78 75 58 74 80 78 49 48 57 44 45 51 83 38 85 85 71 71 77 74 55 82 82 39 59 64 78 39
"""
"""R's data set `attitude` (Chatterjee and Price 1977): 30 departments, 7 items."""


@pytest.fixture(scope="module")
def lsat() -> np.ndarray:
    patterns = np.array(list(product((0.0, 1.0), repeat=5)))
    return np.repeat(patterns, [int(count) for count in LSAT_COUNTS.split()], axis=0)


def test_the_lsat_as_the_r_package_psych_computes_it(lsat: np.ndarray) -> None:
    """`alpha(…)` of psych 2.2.9: means, `r.drop` (the item excluded), raw alpha, raw alpha without each item."""
    items = item_statistics(lsat, np.ones(5), list("12345"))
    assert [item.difficulty for item in items] == pytest.approx([0.924, 0.709, 0.553, 0.763, 0.870])
    excluded = [item.discrimination for item in items]
    assert excluded == pytest.approx([0.1128, 0.1532, 0.1728, 0.1444, 0.1216], abs=5e-5)
    assert alpha(lsat) == pytest.approx(0.2950, abs=5e-5)
    without = [item.without for item in items]
    assert without == pytest.approx([0.2754, 0.2376, 0.2168, 0.2459, 0.2663], abs=5e-5)
    assert {item.n for item in items} == {1000}


def test_attitude_as_the_r_package_psych_computes_it() -> None:
    """`alpha(attitude)` of psych 2.2.9."""
    scores = np.array(ATTITUDE.split(), dtype=float).reshape(30, 7)
    items = item_statistics(scores, np.ones(7), list("abcdefg"))
    assert alpha(scores) == pytest.approx(0.8431, abs=5e-5)
    without = [item.without for item in items]
    assert without == pytest.approx([0.8098, 0.7969, 0.8278, 0.8030, 0.7954, 0.8639, 0.8405], abs=5e-5)
    excluded = [item.discrimination for item in items]
    assert excluded == pytest.approx([0.6713, 0.7421, 0.5607, 0.7144, 0.7863, 0.2650, 0.4608], abs=5e-5)


def test_alpha_of_0_1_items_is_kr_20(lsat: np.ndarray) -> None:
    p = lsat.mean(axis=0)
    kr20 = 5 / 4 * (1 - (p * (1 - p)).sum() / lsat.sum(axis=1).var())
    assert alpha(lsat) == pytest.approx(kr20)


def test_discrimination_of_a_0_1_item_is_the_point_biserial_of_scipy(lsat: np.ndarray) -> None:
    rest = lsat[:, 1:].sum(axis=1)
    assert correlation(lsat[:, 0], rest) == pytest.approx(pointbiserialr(lsat[:, 0], rest).statistic)


def test_the_interval_covers_alpha_and_narrows_with_the_class(lsat: np.ndarray) -> None:
    large, small = reliability(lsat, resamples=300), reliability(lsat[::20], resamples=300)
    assert large.interval
    assert small.interval
    assert large.interval.low < (large.alpha or 0) < large.interval.high
    assert large.interval.high - large.interval.low < small.interval.high - small.interval.low
    assert reliability(lsat, resamples=50) == reliability(lsat, resamples=50)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (np.ones((2, 3)), "fewer than three students"),
        (np.ones((9, 1)), "fewer than two items"),
        (np.ones((9, 3)), "no variance"),
    ],
)
def test_alpha_that_is_not_defined_says_why(scores: np.ndarray, reason: str) -> None:
    result = reliability(scores)
    assert result.alpha is None
    assert reason in result.reason


def test_groups_hold_27_percent_and_whoever_ties_with_them() -> None:
    best, weakest = extreme_groups(np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    assert (best.sum(), weakest.sum()) == (3, 3)
    best, weakest = extreme_groups(np.array([5.0, 5, 5, 5, 1, 9]))
    assert (best.sum(), weakest.sum()) == (5, 5)


def test_wilson_of_newcombes_example() -> None:
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998, table I, method 3)."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == pytest.approx(0)


def test_a_class_is_analysed_by_question_and_by_option() -> None:
    book = make_book()
    ids = tuple(q.id for q in book.questions)
    submissions = [
        Submission(a.login, ids, tuple(a.answers[name] for name in ids), row=i)
        for i, a in enumerate(random_class(book, 200, seed=3))
    ]
    late = Submission("late", ids, submissions[0].chosen, submitted=datetime(2027, 1, 1, tzinfo=UTC))
    file = SubmissionFile(Path("x"), "0" * 64, "plain", ids, (*submissions, late))
    grades = grade(file, Setting(book, letters_key(book), "net-correct"))
    data = analyse(grades)
    assert (data["n"], data["left_out"], data["small_class"]) == (200, 1, False)
    assert len(data["questions"]) == 12
    assert len(data["options"]) == sum(len(q.options) for q in book.questions)
    first = data["options"][1]  # q01 B, correct
    ticks = np.array([float("B" in (s.chosen[0] or ())) for s in submissions])
    assert first["correct"]
    assert first["ticked"] == pytest.approx(ticks.mean()) == first["difficulty"]
    wrong = data["options"][0]
    assert wrong["difficulty"] == pytest.approx(1 - wrong["ticked"])
    totals = np.array([float(grades.total(r)) for r in grades.records[:-1]])
    points = np.array([float(grades.scorer.fraction(r.units[0] or 0)) for r in grades.records[:-1]])
    assert data["questions"][0]["discrimination"] == pytest.approx(np.corrcoef(points, totals - points)[0, 1])
    assert data["reliability"]["options"]["alpha"] > data["reliability"]["questions"]["alpha"] > 0.5
    assert all(row["discrimination"] > 0 for row in data["questions"])
