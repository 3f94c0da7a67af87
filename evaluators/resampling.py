"""How sure a number is: intervals of samples large and small, of windows of one clip, of differences; permutations.

All functions are pure and seeded: the same values and seed give the same result. Samples are vectors (n,) of finite
numbers, one per clip, window, seed or pair. A 95 % interval is meant to cover in 95 % of samples whatever the values
look like; where there are too few of them for that, it is undefined with the reason. How often intervals do cover is
simulated by `benchmarks/interval_coverage.py`; the tables stand in docs/intervals.md.

Mean of 3 to 5 values
    Student's t at a raised level, because skewed values make the plain one far too narrow. The level at which each kind
    of values is covered in 95 % was found by simulation (1,000,000 samples each); lognormal values (sigma 1) need the
    highest, and a little more is taken (`RAISED`):

    | values | normal | uniform | exponential | lognormal | taken | half width in standard errors |
    |---|---|---|---|---|---|---|
    | 3 | 95 % | 97.1 % | 98.5 % | 99.08 % | 99.2 % | 11.1 |
    | 4 | 95 % | 96.9 % | 98.9 % | 99.51 % | 99.6 % | 8.1 |
    | 5 | 95 % | 96.5 % | 99.0 % | 99.67 % | 99.75 % | 6.8 |

Mean of 6 values and more
    Bootstrap-t (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 12), recommended for skewed
    values (Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 2015). Its tails are
    (1 - 4 / n) times as large as asked, found by simulation. Its limits are nowhere nearer than those of Student's t,
    and nowhere farther, in standard errors, than those of five values.

Median of one sample
    The exact interval between two order statistics (`scipy.stats.quantile_test`). There is none of fewer than six
    values: the median lies outside all of five in 6 % of samples.

Windows of a clip
    Blocks of neighbours: see `block_interval`.

Differences
    Of independent samples: from the intervals of both sides (`apart`), so that a difference is as sound as they are. Of
    pairs: one sample of differences.

Equal values
    Three to five equal values do not say that the next one is equal too: their spread is unknown, and the interval of
    their mean undefined. From six on, the exact interval of the median is that very value and has width 0. The mean's
    then has width 0 as well: nothing else was seen, and no interval made of these values could tell of rare others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cbrt, ceil, hypot, inf, log2, sqrt
from typing import TYPE_CHECKING, Any, Literal

from basics.errors import InputError, Problem, Undefined
from basics.messages import say
from evaluators.evidence import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

Statistic = Literal["mean", "median"]

FEWEST = 3
"""Values below which nothing can be said about spread."""
FEW = 5
"""Values up to which no bootstrap is any good."""
RAISED = {3: 0.992, 4: 0.996, 5: 0.9975}
"""The level of Student's t at which so many values are covered in 95 %, also when they are lognormal."""
CALIBRATED = 0.95
"""The level at which `RAISED` was found; at a lower one the tails are divided by as much, which makes it too wide."""
RESAMPLES = 2000
PERMUTATIONS = 9999


def bootstrap_interval(
    values: Sequence[float],
    statistic: Statistic = "mean",
    level: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
    over: str = "clips",
    within: tuple[float, float] = (-inf, inf),
) -> Interval:
    """Confidence interval of the mean or median of `values` (n,), by the method that their number allows.

    `over` names what one value stands for and is kept in the interval; `within` are the bounds that theory sets. Raises
    Undefined for fewer than three values, for a median of fewer than six, for three to five equal values, and for a
    level above 95 % of three to five; InputError for values that are not finite.
    """
    sample = _checked("values", values, over)
    low, high = _limits(sample, statistic, level, seed, resamples, over)
    return _interval(low, high, level, over, within)


def difference_interval(
    a: Sequence[float],
    b: Sequence[float],
    *,
    paired: bool,
    statistic: Statistic = "mean",
    level: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
    over: str = "clips",
) -> Interval:
    """Confidence interval of statistic(a) - statistic(b) of independent samples; paired: of statistic(a - b).

    Shapes (n,) and (m,); equal when paired, a[i] and b[i] then belong together. Raises Undefined where either side, or
    the sample of differences, has no interval; InputError for values that are not finite or for unequal lengths when
    paired.
    """
    first, second = _checked("a", a, over), _checked("b", b, over)
    if paired:
        _require_pairs(first, second)
        low, high = _limits(first - second, statistic, level, seed, resamples, over)
        return _interval(low, high, level, over)
    measure = _statistic(statistic)
    sides = [
        (
            float(measure(sample, axis=-1)),
            _interval(*_limits(sample, statistic, level, seed, resamples, over), level, over),
        )
        for sample in (first, second)
    ]
    return apart(*sides)


def apart(a: tuple[float, Interval], b: tuple[float, Interval]) -> Interval:
    """Interval of a - b, from two independent values with their intervals of one level.

    Each limit is the root of the squares of what both sides contribute to it (Zou and Donner, "Construction of
    confidence limits about effect measures", Statistics in Medicine 2008). Of two Student's t this makes an interval
    like Welch's, in which each side has its own multiple of its standard error; where one side has no spread, it is
    that of the other.
    """
    (value, of_a), (other, of_b) = a, b
    low = value - other - hypot(value - of_a.low, of_b.high - other)
    high = value - other + hypot(of_a.high - value, other - of_b.low)
    return Interval(low=low, high=high, level=of_a.level, over=" and ".join(dict.fromkeys((of_a.over, of_b.over))))


def block_interval(
    series: Sequence[Sequence[float]],
    statistic: Statistic = "mean",
    level: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
    unit: str = "windows",
) -> Interval:
    """Confidence interval of the mean or median of all values in `series`: for each clip its windows, in their order.

    Neighbouring windows resemble each other, and overlapping ones share sound, so blocks of `block_length` neighbours
    are drawn within each clip (circular block bootstrap: Politis and Romano 1992). A few blocks are too narrow in two
    ways, and the deviations are stretched for both: to Student's t, with the blocks in place of values (less one a
    clip), and by what the blocks' own mean takes away. The interval is nowhere nearer than that of so many independent
    values around each clip's own, and says what was drawn: `windows of one clip, in blocks`, `windows of 2 clips, in
    blocks`.

    Up to five windows make no blocks: the interval is that of so many values (`bootstrap_interval`), and does not speak
    of blocks. Its raised level leaves room for normal windows that half overlap or have an autocorrelation of 0.5.
    Raises like `bootstrap_interval`, and Undefined where each clip is one block.
    """
    import numpy as np
    from scipy.stats import norm, t

    of = f"{unit} of {'one clip' if len(series) == 1 else f'{len(series)} clips'}"
    sample = _checked("series", [value for clip in series for value in clip], of)
    if len(sample) <= FEW:
        low, high = _limits(sample, statistic, level, seed, resamples, of)
        return _interval(low, high, level, of)
    clips = [np.asarray(clip, np.float64) for clip in series if len(clip)]
    lengths = [block_length(len(clip)) for clip in clips]
    blocks = sum(len(clip) / length for clip, length in zip(clips, lengths, strict=True))
    free = blocks - len(clips)
    if free <= 0:
        raise Undefined(f"{len(sample)} {of} hold no two blocks")
    measure = _statistic(statistic)
    value = float(measure(sample))
    generator = _generator(seed)
    drawn = [_in_blocks(clip, length, resamples, generator) for clip, length in zip(clips, lengths, strict=True)]
    deviations = measure(np.concatenate(drawn, axis=1), axis=1) - value
    tail = (1 - level) / 2
    stretch = sqrt(blocks / free) * t.ppf(tail, free) / norm.ppf(tail)
    low, high = stretch * np.quantile(deviations, [tail, 1 - tail])
    within_clips = np.concatenate([clip - measure(clip) for clip in clips])
    left, right = np.array(_limits(within_clips, statistic, level, seed, resamples, of)) - measure(within_clips)
    return _interval(value + min(low, left), value + max(high, right), level, f"{of}, in blocks")


def block_length(windows: int) -> int:
    """Windows in a block: the cube root of their number, rounded up, at least 2, so that an overlap is inside a block.

    The rate is that of Hall, Horowitz and Jing ("On blocking rules for the bootstrap with dependent data", Biometrika
    1995) for a variance.
    """
    root = round(cbrt(windows), 9)  # that of 27 is 3, without a remainder
    return min(windows, max(2, ceil(root)))


def _in_blocks(values: NDArray[Any], length: int, resamples: int, generator: Any) -> NDArray[Any]:
    """Resamples (resamples, n) of `values` (n,) made of blocks of neighbours, the last with the first."""
    import numpy as np

    n = len(values)
    starts = generator.integers(n, size=(resamples, ceil(n / length)))
    numbers = (starts[:, :, None] + np.arange(length)) % n
    drawn: NDArray[Any] = values[numbers.reshape(resamples, -1)[:, :n]]
    return drawn


def permutation_p(
    a: Sequence[float],
    b: Sequence[float],
    *,
    paired: bool = False,
    statistic: Statistic = "mean",
    seed: int = 0,
    resamples: int = PERMUTATIONS,
) -> float:
    """Two-sided p-value that a and b come from one distribution, in (0, 1]; the test statistic is the difference.

    Values are exchanged between the samples, or within pairs when paired. Exact where there are at most `resamples`
    distinct permutations, else random with the observed one counted in (Phipson and Smyth 2010), so never 0. Raises
    Undefined for fewer than three values on either side, InputError like `difference_interval`.
    """
    from scipy.stats import permutation_test

    first, second = _checked("a", a, "values"), _checked("b", b, "values")
    if paired:
        _require_pairs(first, second)
    measure = _statistic(statistic)

    def difference(x: NDArray[Any], y: NDArray[Any], axis: int = -1) -> Any:
        return measure(x - y, axis=axis) if paired else measure(x, axis=axis) - measure(y, axis=axis)

    outcome = permutation_test(
        (first, second),
        difference,
        permutation_type="samples" if paired else "independent",
        n_resamples=resamples,
        vectorized=True,
        rng=_generator(seed),
        batch=1000,
    )
    return float(outcome.pvalue)


def _limits(
    sample: NDArray[Any], statistic: Statistic, level: float, seed: int, resamples: int, over: str
) -> tuple[float, float]:
    """Limits of the mean or median of `sample` (n,)."""
    measure = _statistic(statistic)
    if statistic == "median":
        needed = ceil(1 - log2(1 - level))
        if len(sample) < needed:
            raise Undefined(f"the {level:.0%} interval of a median needs at least {needed} {over}, got {len(sample)}")
        return _order_statistics(sample, level)
    if _equal(sample):
        if len(sample) <= FEW:
            raise Undefined(f"all {len(sample)} {over} have the value {sample[0]:g}: their spread is unknown")
        value = float(measure(sample))
        return value, value
    if len(sample) <= FEW:
        if level > CALIBRATED:
            raise Undefined(f"of {len(sample)} {over} there is no interval above {CALIBRATED:.0%}, asked {level:.0%}")
        return _students(sample, level)
    return _studentized(sample, level, seed, resamples)


def _students(sample: NDArray[Any], level: float) -> tuple[float, float]:
    """Student's t at the raised level: limits of the mean of 3 to 5 values."""
    reach = few_reach(len(sample), level) * float(sample.std(ddof=1)) / sqrt(len(sample))
    return float(sample.mean()) - reach, float(sample.mean()) + reach


def few_reach(n: int, level: float = CALIBRATED) -> float:
    """How many standard errors the interval of the mean of `n` values, 3 to 5, reaches to either side."""
    from scipy.stats import t

    tail = (1 - level) * (1 - RAISED[n]) / (1 - CALIBRATED)
    return float(t.ppf(1 - tail / 2, n - 1))


def _studentized(sample: NDArray[Any], level: float, seed: int, resamples: int) -> tuple[float, float]:
    """Bootstrap-t limits of the mean of six values or more, between Student's t and what five values would give."""
    import numpy as np
    from scipy.stats import t

    n, mean, error = len(sample), float(sample.mean()), float(sample.std(ddof=1)) / sqrt(len(sample))
    least, most = float(t.ppf((1 + level) / 2, n - 1)), few_reach(FEW, level)
    generator, drawn = _generator(seed), []
    for count in _batches(resamples, n):
        values = sample[generator.integers(n, size=(count, n))]
        with np.errstate(all="ignore"):  # resamples of one value alone: infinite, cut off below
            drawn.append((values.mean(axis=1) - mean) / (values.std(axis=1, ddof=1) / sqrt(n)))
    scores = np.clip(np.nan_to_num(np.concatenate(drawn)), -most, most)
    tail = (1 - level) * (1 - 4 / n) / 2
    low, high = np.quantile(scores, [tail, 1 - tail])
    return mean - max(float(high), least) * error, mean - min(float(low), -least) * error


def _batches(resamples: int, n: int) -> list[int]:
    """How many resamples of n values to hold at once: a million values."""
    size = max(1, 1_000_000 // n)
    return [min(size, resamples - first) for first in range(0, resamples, size)]


def _order_statistics(sample: NDArray[Any], level: float) -> tuple[float, float]:
    from scipy.stats import quantile_test

    interval = quantile_test(sample, p=0.5).confidence_interval(level)
    return float(interval.low), float(interval.high)


def _equal(sample: NDArray[Any]) -> bool:
    """Whether all values are the same but for rounding."""
    import numpy as np

    return bool(np.ptp(sample) <= 1e-12 * np.abs(sample).max())


def _interval(low: float, high: float, level: float, over: str, within: tuple[float, float] = (-inf, inf)) -> Interval:
    held = [min(max(float(end), within[0]), within[1]) for end in (low, high)]  # a bound may be missed by a rounding
    return Interval(low=held[0], high=held[1], level=level, over=over)


def _generator(seed: int) -> Any:
    import numpy as np

    return np.random.default_rng(seed)


def _statistic(name: Statistic) -> Callable[..., Any]:
    import numpy as np

    known: dict[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}
    if name not in known:
        raise InputError(
            Problem(
                "statistic",
                say("unknown statistic {name!r}", name=name),
                say("choose from {known}", known=", ".join(known)),
            )
        )
    return known[name]


def _checked(name: str, values: Sequence[float], over: str) -> NDArray[Any]:
    import numpy as np

    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not np.isfinite(sample).all():
        raise InputError(
            Problem(name, say("expected a vector of finite numbers"), say("leave undefined values out and say so"))
        )
    if len(sample) < FEWEST:
        raise Undefined(f"an interval needs at least {FEWEST} {over}, got {len(sample)}")
    return sample


def _require_pairs(a: NDArray[Any], b: NDArray[Any]) -> None:
    if len(a) != len(b):
        raise InputError(
            Problem(
                "pairs",
                say("{first} values against {second}", first=len(a), second=len(b)),
                say("give both values of each pair"),
            )
        )
