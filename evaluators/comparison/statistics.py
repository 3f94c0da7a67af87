"""What the values of a comparison come to: means with intervals over clips, and differences of pairs.

A measure is compared over the clips that have a value at every setting (settings without any value are left out of
that, and have none), so that no codec gains by a clip that it cannot take. Intervals are at 95 %: of the mean by
`evaluators.resampling`, of more than `MANY` clips by Student's t. Differences are of the same clips; their p-values
are those of the sign-flip permutation test of the mean (two-sided; exact up to 13 clips, else 9,999 random flips with
the observed one counted in), held to 5 % over all pairs of one measure by Holm's method (Scandinavian Journal of
Statistics 6, 1979).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basics.errors import Undefined
from evaluators.resampling import PERMUTATIONS, bootstrap_interval

MANY = 1000
"""Clips beyond which the interval of a mean is Student's t: the bootstrap gives the same and takes long."""
EXACT = 13
"""Clips up to which all flips of signs are taken."""
ALL_PAIRS = 8
"""Settings up to which each is compared with each other one; beyond it, with the first."""
BLOCK = 1 << 22  # signs that are held at once

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """A mean over clips with its 95 % interval; `reason` says why there is none."""

    mean: float | None
    low: float | None
    high: float | None
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """One measure at one setting (by its index), over the `common` clips; `defined` of `clips` have a value."""

    setting: int
    spread: Spread
    defined: int
    clips: int


@dataclass(frozen=True)
class Difference:
    """Setting `a` less setting `b`, over the same clips; `p` as it is, `holm` for all pairs of the measure together."""

    a: int
    b: int
    spread: Spread
    p: float | None
    holm: float | None


@dataclass(frozen=True)
class Summary:
    """One measure: `common` are the indices of the clips that it is compared over."""

    metric: str
    common: tuple[int, ...]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]


def summarize(metric: str, values: Floats, within: tuple[float, float] = (-inf, inf), *, seed: int = 0) -> Summary:
    """From values (clips, settings) with NaN where there is none; `within` are the measure's bounds."""
    known: NDArray[np.bool_] = np.isfinite(values)
    usable: Any = known.any(axis=0)
    common = np.flatnonzero(known[:, usable].all(axis=1)) if usable.any() else np.empty(0, int)
    rows = tuple(
        Row(
            i,
            spread(values[common, i], seed, within) if usable[i] else _none("no clip has a value"),
            int(n),
            len(values),
        )
        for i, n in enumerate(known.sum(axis=0))
    )
    settings = [int(i) for i in np.flatnonzero(usable)]
    pairs = list(combinations(settings, 2))
    if len(settings) > ALL_PAIRS:
        pairs = [(a, b) for a, b in pairs if a == settings[0]]
    apart = np.stack([values[common, a] - values[common, b] for a, b in pairs], axis=1) if pairs else np.empty((0, 0))
    ps = list(flipped(apart, seed)) if pairs and len(common) >= 3 else [None] * len(pairs)
    differences = [
        Difference(a, b, spread(apart[:, i], seed), p, h)
        for i, ((a, b), p, h) in enumerate(zip(pairs, ps, holm(ps), strict=True))
    ]
    return Summary(metric, tuple(map(int, common)), rows, tuple(differences))


def spread(values: Floats, seed: int, within: tuple[float, float] = (-inf, inf)) -> Spread:
    """The mean of values (n,) with its interval, or without one and the reason."""
    if not len(values):
        return _none("no clip has a value at every setting")
    mean = float(values.mean())
    if len(values) > MANY:
        from scipy.stats import t

        reach = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
        return Spread(mean, max(within[0], mean - reach), min(within[1], mean + reach))
    try:
        found = bootstrap_interval(values.tolist(), seed=seed, within=within)
    except Undefined as undefined:
        return Spread(mean, None, None, undefined.reason)
    return Spread(mean, found.low, found.high)


def _none(reason: str) -> Spread:
    return Spread(None, None, None, reason)


def flipped(differences: Floats, seed: int) -> Iterator[float]:
    """p-value of each column of differences (n, pairs): how often flipped signs give a mean as far from zero."""
    n = len(differences)
    exact = n <= EXACT
    seen = np.abs(differences.sum(axis=0)) * (1 - 1e-12)
    beyond = np.zeros(differences.shape[1])
    drawn = 0
    for signs in _signs(n, seed, exact=exact):
        beyond += (np.abs(signs @ differences) >= seen).sum(axis=0)
        drawn += len(signs)
    yield from (float(p) for p in (beyond / drawn if exact else (beyond + 1) / (drawn + 1)))


def _signs(n: int, seed: int, *, exact: bool) -> Iterator[NDArray[Any]]:
    """All 2^n rows of signs (flips, n), or 9,999 random ones, some at a time."""
    if exact:
        yield 1.0 - 2.0 * ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1)
        return
    generator, size = np.random.default_rng(seed), max(1, BLOCK // n)
    for start in range(0, PERMUTATIONS, size):
        shape = min(size, PERMUTATIONS - start), n
        bits = np.frombuffer(generator.bytes(-(-math.prod(shape) // 8)), np.uint8)
        yield 1.0 - 2.0 * np.unpackbits(bits, count=math.prod(shape)).reshape(shape)


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values of those that there are."""
    order = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    adjusted: list[Any] = [None] * len(ps)
    highest = 0.0
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        adjusted[i] = highest
    return adjusted
