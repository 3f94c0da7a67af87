"""The 95 % interval of alpha is one: as wide as Feldt's, and around the true value as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from grader.review.items import alpha, reliability

ITEMS, TRUE_ALPHA = 8, 0.8


def parallel_items(students: int, seed: int) -> np.ndarray:
    """Normal scores (students, 8) of parallel items whose alpha is 0.8: ability and noise of variance 2 in each."""
    random = np.random.default_rng(seed)
    noise = ITEMS * (1 - TRUE_ALPHA) / TRUE_ALPHA
    return random.normal(size=(students, 1)) + noise**0.5 * random.normal(size=(students, ITEMS))


def feldt(value: float, students: int, level: float) -> tuple[float, float]:
    """(1 - true alpha) / (1 - alpha) has the distribution F(n - 1, (n - 1)(k - 1)) (Feldt, Psychometrika 1965)."""
    tail, f = (1 - level) / 2, stats.f(students - 1, (students - 1) * (ITEMS - 1))
    return 1 - (1 - value) * f.ppf(1 - tail), 1 - (1 - value) * f.ppf(tail)


@pytest.mark.parametrize("students", [120, 300])
def test_the_interval_is_about_feldts_at_the_level_it_names(students: int) -> None:
    scores = parallel_items(students, seed=students)
    found = reliability(scores)
    assert found.interval
    assert found.interval.level == 0.95
    low, high = feldt(alpha(scores) or 0, students, found.interval.level)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=0.25 * (high - low))


def test_the_interval_covers_the_true_alpha_about_as_often_as_it_says() -> None:
    intervals = [reliability(parallel_items(80, seed), resamples=200).interval for seed in range(100)]
    covered = [interval.low <= TRUE_ALPHA <= interval.high for interval in intervals if interval]
    assert len(covered) == 100
    assert 0.88 <= np.mean(covered) <= 1
