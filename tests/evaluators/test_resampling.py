"""Intervals and permutation tests against scipy, against values worked by hand, and against what they promise."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from basics.errors import InputError, Undefined
from evaluators.resampling import (
    block_interval,
    block_length,
    bootstrap_interval,
    difference_interval,
    permutation_p,
)

RANDOM = np.random.default_rng(7)
NORMAL = RANDOM.normal(2.0, 0.3, 25).tolist()
SHIFTED = RANDOM.normal(1.7, 0.3, 18).tolist()


@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_many_values_give_about_scipys_bca_interval(statistic: str) -> None:
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


def test_few_equal_values_leave_the_spread_unknown_and_many_give_an_interval_without_width() -> None:
    with pytest.raises(Undefined, match=r"all 4 seeds have the value 1\.5: their spread is unknown"):
        bootstrap_interval([1.5] * 4, over="seeds")
    with pytest.raises(Undefined, match="spread is unknown"):  # equal but for rounding
        bootstrap_interval([0.3, 0.1 + 0.2, 0.3])
    with pytest.raises(Undefined, match="spread is unknown"):
        difference_interval([0.9, 0.8, 0.7], [0.4, 0.3, 0.2], paired=True)
    for statistic in ("mean", "median"):
        interval = bootstrap_interval([1.5] * 6, statistic)  # type: ignore[arg-type]
        assert (interval.low, interval.high) == (1.5, 1.5)


@pytest.mark.parametrize(("n", "level"), [(3, 0.992), (4, 0.996), (5, 0.9975)])
def test_few_values_have_students_t_interval_at_a_raised_level(n: int, level: float) -> None:
    values = NORMAL[:n]
    expected = stats.t.interval(level, n - 1, np.mean(values), stats.sem(values))
    interval = bootstrap_interval(values)
    assert (interval.low, interval.high) == pytest.approx(expected)
    lower = bootstrap_interval(values, level=0.9)
    assert interval.low < lower.low < lower.high < interval.high
    with pytest.raises(Undefined, match="no interval above 95%, asked 99%"):
        bootstrap_interval(values, level=0.99)


def test_one_more_value_does_not_make_the_interval_much_narrower_at_once() -> None:
    random = np.random.default_rng(3)
    widths = []
    for n in (5, 6, 7, 8):
        samples = [random.lognormal(size=n) for _ in range(100)]
        reaches = [(lambda i: (i.high - i.low) / 2)(bootstrap_interval(x.tolist())) / stats.sem(x) for x in samples]
        widths.append(float(np.median(reaches)))
        assert max(reaches) < 6.77
    assert widths == sorted(widths, reverse=True)


def test_a_median_has_the_exact_interval_of_order_statistics_from_six_values_on() -> None:
    values = sorted(NORMAL)
    interval = bootstrap_interval(NORMAL, "median")
    assert (interval.low, interval.high) == (values[7], values[17])
    assert stats.binom.cdf(7, 25, 0.5) < 0.025 < stats.binom.cdf(8, 25, 0.5)
    six = bootstrap_interval(NORMAL[:6], "median")
    assert (six.low, six.high) == (min(NORMAL[:6]), max(NORMAL[:6]))
    with pytest.raises(Undefined, match="95% interval of a median needs at least 6 clips, got 5"):
        bootstrap_interval(NORMAL[:5], "median")
    with pytest.raises(Undefined, match="median needs at least 6"):
        difference_interval(NORMAL, SHIFTED[:5], paired=False, statistic="median")
    with pytest.raises(Undefined, match="99% interval of a median needs at least 8 clips, got 7"):
        bootstrap_interval(NORMAL[:7], "median", level=0.99)


def test_values_that_are_all_but_one_equal_have_a_finite_interval_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        interval = bootstrap_interval([0.0] * 9 + [1.0])
    assert interval.low < 0.1 < interval.high < 1


def test_an_interval_stays_within_the_bounds_of_theory() -> None:
    plain, bounded = bootstrap_interval([0.1, 0.5, 0.9]), bootstrap_interval([0.1, 0.5, 0.9], within=(0, 1))
    assert plain.low < 0
    assert plain.high > 1
    assert (bounded.low, bounded.high) == (0, 1)


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


def test_few_values_on_either_side_make_a_difference_as_wide_as_they_are() -> None:
    few, many = [1.0, 1.2, 1.1], [2.0 + 0.001 * i for i in range(30)]
    alone, difference = bootstrap_interval(few), difference_interval(few, many, paired=False)
    assert difference.high - difference.low == pytest.approx(alone.high - alone.low, rel=0.01)
    error = math.hypot(stats.sem(few), stats.sem([2.0, 2.3, 2.1]))
    both = difference_interval(few, [2.0, 2.3, 2.1], paired=False)
    assert (both.high - both.low) / 2 == pytest.approx(stats.t.ppf(0.996, 2) * error)


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


def autoregressive(n: int, correlation: float, seed: int) -> list[float]:
    """Values (n,) of mean 0, of which each resembles the one before."""
    values = np.random.default_rng(seed).normal(size=n)
    for i in range(1, n):
        values[i] = correlation * values[i - 1] + math.sqrt(1 - correlation**2) * values[i]
    return values.tolist()


class TestBlocks:
    def test_windows_that_resemble_their_neighbours_have_a_wider_interval_than_as_many_clips(self) -> None:
        values = autoregressive(60, 0.8, 1)
        alone, blocks = bootstrap_interval(values), block_interval([values])
        assert blocks.high - blocks.low > 1.4 * (alone.high - alone.low)
        assert blocks.low < np.mean(values) < blocks.high
        assert blocks == block_interval([values])

    def test_the_interval_says_what_the_windows_are_of_and_that_blocks_were_drawn(self) -> None:
        assert block_interval([NORMAL]).over == "windows of one clip, in blocks"
        assert block_interval([NORMAL, SHIFTED]).over == "windows of 2 clips, in blocks"
        assert block_interval([NORMAL[:5]]).over == "windows of one clip"

    def test_up_to_five_windows_are_treated_as_so_many_values(self) -> None:
        few, alone = block_interval([NORMAL[:3], NORMAL[3:5]]), bootstrap_interval(NORMAL[:5])
        assert (few.low, few.high) == (alone.low, alone.high)
        with pytest.raises(Undefined, match="at least 3 windows of one clip, got 2"):
            block_interval([NORMAL[:2]])
        with pytest.raises(Undefined, match="median needs at least 6 windows of one clip"):
            block_interval([NORMAL[:5]], "median")

    def test_blocks_do_not_reach_from_one_clip_into_the_next(self) -> None:
        """Two clips that differ, each steady: no draw mixes them, so the steady difference adds nothing."""
        high, low = [10 + value for value in NORMAL], NORMAL
        apart, alone = block_interval([high, low]), block_interval([NORMAL, NORMAL])
        assert apart.high - apart.low == pytest.approx(alone.high - alone.low, rel=0.01)

    @pytest.mark.parametrize(("n", "length"), [(6, 2), (8, 2), (9, 3), (27, 3), (28, 4), (64, 4), (1, 1)])
    def test_a_block_is_the_cube_root_of_the_windows_and_at_least_two(self, n: int, length: int) -> None:
        assert block_length(n) == length

    def test_clips_that_are_one_block_each_say_so(self) -> None:
        with pytest.raises(Undefined, match="6 windows of 3 clips hold no two blocks"):
            block_interval([[1.0, 2.0], [2.0, 3.0], [1.0, 4.0]])


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
