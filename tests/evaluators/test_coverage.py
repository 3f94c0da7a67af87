"""Intervals hold the truth about as often as they say: few seeded trials, so with room for chance.

A share of 95 % in 300 trials has a standard error of 1.3 points; `benchmarks/interval_coverage.py` counts thousands.
"""

from __future__ import annotations

import pytest

from benchmarks.interval_coverage import (
    Side,
    needed_level,
    of_differences,
    of_silhouettes,
    of_speakers,
    of_values,
    of_windows,
)
from evaluators.resampling import RAISED, Statistic

TRIALS = 300
LOGNORMAL, STEADY = Side("lognormal"), Side("normal", 0.1)


@pytest.mark.parametrize("kind", ["normal", "uniform", "exponential", "lognormal"])
@pytest.mark.parametrize("n", RAISED)
def test_the_mean_of_three_to_five_values_of_any_kind_is_covered(n: int, kind: str) -> None:
    assert needed_level(kind, n, samples=200_000, seed=1) < RAISED[n]
    assert of_values(kind, n, "mean", TRIALS, seed=1).share >= 0.93


@pytest.mark.parametrize(("kind", "least"), [("normal", 0.93), ("exponential", 0.92), ("lognormal", 0.89)])
@pytest.mark.parametrize("n", [6, 10, 20])
def test_the_mean_of_more_values_is_covered(n: int, kind: str, least: float) -> None:
    assert of_values(kind, n, "mean", TRIALS, seed=1).share >= least


@pytest.mark.parametrize("n", [6, 15])
def test_the_median_of_six_values_and_more_is_covered(n: int) -> None:
    assert of_values("lognormal", n, "median", TRIALS, seed=1).share >= 0.93


@pytest.mark.parametrize(
    ("a", "n", "b", "m", "statistic"),
    [
        (LOGNORMAL, 3, STEADY, 10, "mean"),
        (LOGNORMAL, 5, STEADY, 5, "mean"),
        (Side("normal", 3), 4, Side("normal"), 16, "mean"),
        (Side("normal"), 8, Side("normal"), 20, "mean"),
        (LOGNORMAL, 6, LOGNORMAL, 6, "median"),
    ],
)
def test_differences_are_covered(a: Side, n: int, b: Side, m: int, statistic: Statistic) -> None:
    assert of_differences(a, n, b, m, statistic, TRIALS, seed=1).share >= 0.92


def test_windows_that_overlap_are_covered_in_blocks_and_not_as_if_they_were_independent() -> None:
    for n in (5, 6, 10, 27):
        assert of_windows("half overlapping", n, TRIALS, seed=1).share >= 0.9, n
        assert of_windows("independent", n, TRIALS, seed=1).share >= 0.93, n
    assert of_windows("half overlapping", 27, TRIALS, seed=1, blocks=False).share < 0.88
    assert of_windows("half overlapping", 8, TRIALS, seed=1, clips=2).share >= 0.88
    assert of_windows("half overlapping", 16, TRIALS, seed=1, statistic="median").share >= 0.9


@pytest.mark.parametrize("clips", [(30,) * 3, (30,) * 8, (36, 37, 49, 18)])
def test_the_mean_over_speakers_is_covered_where_clips_alone_do_not(clips: tuple[int, ...]) -> None:
    """As many clips of each, and a fiftieth of EmoV-DB's."""
    both, same = of_speakers(clips, "normal, 1", TRIALS, seed=1)
    assert both.share >= 0.92
    assert same.share < 0.5
    both, same = of_speakers(clips, "none", TRIALS, seed=1)
    assert both.share >= 0.97
    assert same.share >= 0.9


def test_layers_that_separate_alike_are_seldom_told_apart() -> None:
    found = of_silhouettes(4, 6, 0.6, trials=60, seed=1)
    for name, (both, same) in found.items():
        assert both.share >= 0.93, name
        assert same.share < both.share, name
