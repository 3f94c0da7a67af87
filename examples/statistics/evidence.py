"""Evidence of the quiz: each function returns a dict of numbers, truth values, or None where there is none."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, StatisticsError, correlation, mean, stdev

NORMAL = NormalDist()


def power(n: int, effect: float, level: float = 0.05) -> dict[str, float]:
    """Power of the two-sided z test of a mean, exactly: `effect` is in standard deviations."""
    reach, shift = NORMAL.inv_cdf(1 - level / 2), effect * sqrt(n)
    return {"power": 1 - NORMAL.cdf(reach - shift) + NORMAL.cdf(-reach - shift)}


def coverage(n: int, samples: int, seed: int) -> dict[str, dict[str, float | str]]:
    """How often mean ± 1.96 standard errors of `n` exponential values holds the true mean, by simulation."""
    dice = random.Random(seed)
    held = 0
    for _ in range(samples):
        values = [dice.expovariate(1.0) for _ in range(n)]
        held += abs(mean(values) - 1.0) <= 1.96 * stdev(values) / sqrt(n)
    share = held / samples
    half = 1.96 * sqrt(share * (1 - share) / samples)
    return {"share": {"value": share, "low": share - half, "high": share + half, "n": samples, "over": "samples"}}


def pearson(x: Sequence[float], y: Sequence[float]) -> dict[str, float | None]:
    """The correlation of two variables; None where one of them does not vary."""
    try:
        return {"r": correlation(x, y)}
    except StatisticsError:
        return {"r": None}
