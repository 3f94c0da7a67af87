"""Intervals and permutation tests against scipy, against values worked by hand, and against what they promise."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from basics.errors import InputError, Undefined
from evaluators.resampling import bootstrap_interval, difference_interval, permutation_p

RANDOM = np.random.default_rng(7)
NORMAL = RANDOM.normal(2.0, 0.3, 25).tolist()
SHIFTED = RANDOM.normal(1.7, 0.3, 18).tolist()


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_many_values_give_scipys_bca_interval(statistic: str) -> None:
    values = RANDOM.exponential(1.0, 400)
    ours = bootstrap_interval(values.tolist(), statistic, seed=3)  # type: ignore[arg-type]
    theirs = stats.bootstrap(
        (values,), getattr(np, statistic), n_resamples=2000, method="BCa", rng=np.random.default_rng(3)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.01)


def test_few_normal_values_give_about_students_t_interval() -> None:
    half = stats.t.ppf(0.975, 24) * np.std(NORMAL, ddof=1) / math.sqrt(25)
    interval = bootstrap_interval(NORMAL)
    assert interval.low == pytest.approx(np.mean(NORMAL) - half, abs=0.03)
    assert interval.high == pytest.approx(np.mean(NORMAL) + half, abs=0.03)


@pytest.mark.parametrize(("n", "statistic", "least"), [(5, "mean", 0.88), (10, "mean", 0.90), (10, "median", 0.92)])
def test_interval_covers_about_as_often_as_it_says(n: int, statistic: str, least: float) -> None:
    random = np.random.default_rng(11)
    intervals = [bootstrap_interval(random.normal(size=n).tolist(), statistic, resamples=500) for _ in range(200)]  # type: ignore[arg-type]
    assert np.mean([interval.low <= 0 <= interval.high for interval in intervals]) >= least


def test_interval_says_what_was_resampled_and_at_which_level() -> None:
    interval = bootstrap_interval(NORMAL, level=0.9, over="seeds")
    assert (interval.level, interval.over) == (0.9, "seeds")
    wider = bootstrap_interval(NORMAL, level=0.99)
    assert wider.low < interval.low < interval.high < wider.high


def test_same_seed_same_interval_and_another_seed_another() -> None:
    assert bootstrap_interval(NORMAL, seed=1) == bootstrap_interval(NORMAL, seed=1)
    assert bootstrap_interval(NORMAL, seed=1) != bootstrap_interval(NORMAL, seed=2)


def test_interval_moves_and_scales_with_the_values() -> None:
    plain = bootstrap_interval(NORMAL)
    changed = bootstrap_interval([10 + 2 * value for value in NORMAL])
    assert (changed.low, changed.high) == pytest.approx((10 + 2 * plain.low, 10 + 2 * plain.high))


def test_equal_values_give_an_interval_without_width() -> None:
    assert (lambda i: (i.low, i.high))(bootstrap_interval([1.5] * 4)) == (1.5, 1.5)


def test_ties_that_defeat_bca_still_give_an_interval_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        interval = bootstrap_interval([1.0, 1.0, 1.0, 2.0], "median")
    assert (interval.low, interval.high) == (1.0, 2.0)


def test_three_values_reach_over_their_whole_range() -> None:
    interval = bootstrap_interval([1.0, 2.0, 4.0])
    assert (interval.low, interval.high) == pytest.approx((1.0, 4.0))


def test_fewer_than_three_values_have_no_interval() -> None:
    with pytest.raises(Undefined, match="at least 3 clips, got 2"):
        bootstrap_interval([1.0, 2.0])


@pytest.mark.parametrize("values", [[1.0, float("nan"), 2.0], [1.0, float("inf"), 2.0], [[1.0], [2.0], [3.0]]])
def test_values_must_be_a_vector_of_finite_numbers(values: list[float]) -> None:
    with pytest.raises(InputError, match="finite numbers"):
        bootstrap_interval(values)


def test_difference_agrees_with_welch() -> None:
    welch = stats.ttest_ind(NORMAL, SHIFTED, equal_var=False).confidence_interval(0.95)
    interval = difference_interval(NORMAL, SHIFTED, paired=False)
    assert (interval.low, interval.high) == pytest.approx((welch.low, welch.high), abs=0.05)


def test_difference_changes_sign_with_the_order() -> None:
    forth = difference_interval(NORMAL, SHIFTED, paired=False)
    back = difference_interval(SHIFTED, NORMAL, paired=False)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=0.03)


def test_pairs_that_move_together_have_a_narrow_difference() -> None:
    moved = [value + 0.1 + 0.01 * (-1) ** i for i, value in enumerate(NORMAL)]
    paired = difference_interval(moved, NORMAL, paired=True)
    unpaired = difference_interval(moved, NORMAL, paired=False)
    assert paired.low > 0.09
    assert paired.high < 0.11
    assert unpaired.low < 0 < unpaired.high


def test_pairs_need_both_values() -> None:
    with pytest.raises(InputError, match="25 values against 18"):
        difference_interval(NORMAL, SHIFTED, paired=True)


def test_permutation_p_is_exact_for_few_values() -> None:
    assert permutation_p([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert permutation_p([2, 3, 4, 5], [1, 1, 1, 1], paired=True) == pytest.approx(2 / 16)


def test_permutation_p_agrees_with_the_t_test_and_is_never_zero() -> None:
    assert permutation_p(NORMAL, SHIFTED) == pytest.approx(stats.ttest_ind(NORMAL, SHIFTED).pvalue, abs=0.01)
    far = permutation_p([v + 100 for v in NORMAL], SHIFTED, resamples=999)
    assert far == pytest.approx(2 / 1000)


def test_permutation_p_of_one_distribution_is_not_small() -> None:
    assert permutation_p(NORMAL, NORMAL) > 0.95
    assert permutation_p(NORMAL[:12], NORMAL[12:24], statistic="median") > 0.05
