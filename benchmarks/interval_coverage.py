"""How often the intervals hold what they are of: simulated samples whose mean, median or difference is known.

    python benchmarks/interval_coverage.py --trials 2000 --seed 0

Prints the Markdown tables of docs/intervals.md: few values of four kinds, medians, differences, windows in sequence,
speakers with clips, and silhouettes of planted vectors. A 95 % interval should hold the truth in 95 % of the trials; of
2,000 trials the share has a standard error of 0.5 points. `--only few` prints one of them.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from evaluators.evidence import Interval
from evaluators.layer_separation.maps import weighted_sums
from evaluators.layer_separation.selection import Cells, groupings
from evaluators.layer_separation.silhouettes import Draws, judge
from evaluators.resampling import (
    RAISED,
    Statistic,
    block_interval,
    bootstrap_interval,
    difference_interval,
)

LEVEL = 0.95
Doubles = NDArray[np.float64]
Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""Title, header and rows."""


@dataclass(frozen=True)
class Kind:
    """A distribution: how it is drawn, and what its mean and median are."""

    draw: Callable[[Generator, tuple[int, ...]], Doubles]
    mean: float
    median: float


KINDS: Mapping[str, Kind] = {
    "normal": Kind(lambda random, shape: random.normal(size=shape), 0.0, 0.0),
    "uniform": Kind(lambda random, shape: random.random(shape), 0.5, 0.5),
    "exponential": Kind(lambda random, shape: random.exponential(size=shape), 1.0, math.log(2)),
    "lognormal": Kind(lambda random, shape: random.lognormal(size=shape), math.exp(0.5), 1.0),
}


@dataclass(frozen=True)
class Coverage:
    """The share of trials whose interval holds the truth, and the median of half the intervals' width."""

    share: float
    half_width: float

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} %"


def coverage(intervals: Iterator[Interval], truth: float) -> Coverage:
    """Of intervals of one truth."""
    limits = np.array([(interval.low, interval.high) for interval in intervals])
    held = (limits[:, 0] <= truth) & (truth <= limits[:, 1])
    return Coverage(float(held.mean()), float(np.median(limits[:, 1] - limits[:, 0]) / 2))


def of_values(kind: str, n: int, statistic: Statistic, trials: int, seed: int) -> Coverage:
    """Of the mean or median of n values of one kind."""
    random, drawn = np.random.default_rng([seed, n]), KINDS[kind]
    samples = (drawn.draw(random, (n,)).tolist() for _ in range(trials))
    intervals = (bootstrap_interval(sample, statistic, LEVEL, seed=trial) for trial, sample in enumerate(samples))
    return coverage(intervals, drawn.mean if statistic == "mean" else drawn.median)


@dataclass(frozen=True)
class Side:
    """One side of a difference: values of a kind, times a scale."""

    kind: str
    scale: float = 1.0

    def __str__(self) -> str:
        return self.kind if self.scale == 1 else f"{self.scale:g} × {self.kind}"

    def truth(self, statistic: Statistic) -> float:
        kind = KINDS[self.kind]
        return self.scale * (kind.mean if statistic == "mean" else kind.median)

    def draw(self, random: Generator, n: int) -> list[float]:
        return [self.scale * value for value in KINDS[self.kind].draw(random, (n,)).tolist()]


def of_differences(a: Side, n: int, b: Side, m: int, statistic: Statistic, trials: int, seed: int) -> Coverage:
    """Of the difference of means or medians of n and m independent values."""
    random = np.random.default_rng([seed, n, m])
    intervals = (
        difference_interval(a.draw(random, n), b.draw(random, m), paired=False, statistic=statistic, seed=trial)
        for trial in range(trials)
    )
    return coverage(intervals, a.truth(statistic) - b.truth(statistic))


def autoregressive(correlation: float) -> Callable[[Generator, int], Doubles]:
    """Normal windows of mean 0 of which each resembles the one before, AR(1)."""

    def draw(random: Generator, n: int) -> Doubles:
        values = random.normal(size=n)
        for i in range(1, n):
            values[i] = correlation * values[i - 1] + math.sqrt(1 - correlation**2) * values[i]
        return values

    return draw


def half_overlapping(kind: str) -> Callable[[Generator, int], Doubles]:
    """Windows of mean 0 each of which shares one half with the next: means of two neighbouring halves."""

    def draw(random: Generator, n: int) -> Doubles:
        halves = KINDS[kind].draw(random, (n + 1,)) - KINDS[kind].mean
        return (halves[1:] + halves[:-1]) / 2

    return draw


SERIES: Mapping[str, Callable[[Generator, int], Doubles]] = {
    "independent": autoregressive(0.0),
    "AR(1), 0.3": autoregressive(0.3),
    "AR(1), 0.5": autoregressive(0.5),
    "half overlapping": half_overlapping("normal"),
    "half overlapping, exponential": half_overlapping("exponential"),
}


def of_windows(
    series: str, n: int, trials: int, seed: int, *, clips: int = 1, statistic: Statistic = "mean", blocks: bool = True
) -> Coverage:
    """Of the mean or median of n windows in each of some clips; without `blocks` as of so many independent values."""
    random, draw = np.random.default_rng([seed, n, clips]), SERIES[series]

    def interval(trial: int) -> Interval:
        windows = [draw(random, n).tolist() for _ in range(clips)]
        if blocks:
            return block_interval(windows, statistic, LEVEL, seed=trial)
        return bootstrap_interval([value for clip in windows for value in clip], statistic, LEVEL, seed=trial)

    return coverage(map(interval, range(trials)), 0.0)


EFFECTS: Mapping[str, tuple[str, float]] = {
    "none": ("normal", 0.0),
    "normal, 0.3": ("normal", 0.3),
    "normal, 1": ("normal", 1.0),
    "lognormal, 1": ("lognormal", 1.0),
}
"""What the speakers add to their clips: its kind and its standard deviation, that within a speaker being 1."""
EMOV_DB = (182, 187, 245, 86)
"""A tenth of the clips of EmoV-DB's four speakers."""


def of_speakers(clips: Sequence[int], effect: str, trials: int, seed: int) -> tuple[Coverage, Coverage]:
    """Of the mean over speakers with so many clips each: the interval, and the one that `resolution` is half of."""
    random = np.random.default_rng([seed, *clips])
    speaker = np.repeat(np.arange(len(clips)), clips)
    draws = Draws(speaker, level=LEVEL, seed=seed)
    kind, deviation = KINDS[EFFECTS[effect][0]], EFFECTS[effect][1]
    spread = math.sqrt((math.e - 1) * math.e) if EFFECTS[effect][0] == "lognormal" else 1.0
    both, same = [], []
    for _ in range(trials):
        added = deviation * (kind.draw(random, (len(clips),)) - kind.mean) / spread
        values = added[speaker] + random.normal(size=len(speaker))
        found, mean = draws.spread(values[None]), float(values.mean())
        both.append(found.interval)
        same.append(Interval(low=mean - found.resolution, high=mean + found.resolution))
    return coverage(iter(both), 0.0), coverage(iter(same), 0.0)


EMOTIONS = ("Amused", "Angry", "Disgusted", "Neutral", "Sleepy")
DIMENSIONS = 16


def planted(cells: Cells, random: Generator, centres: Doubles, differ: float) -> Doubles:
    """Points (clips, dim): emotions around `centres` (emotions, dim), each speaker with a voice of his own.

    Speakers also express each emotion in their own way, by offsets of this standard deviation.
    """
    emotion, speaker = cells.cell_emotion[cells.cell], cells.cell_speaker[cells.cell]
    own = differ * random.normal(size=(len(cells.speakers), *centres.shape))
    voices = 0.5 * random.normal(size=(len(cells.speakers), centres.shape[1]))
    noise = random.normal(size=(len(cells), centres.shape[1]))
    return centres[emotion] + own[speaker, emotion] + voices[speaker] + noise


def of_silhouettes(speakers: int, each: int, differ: float, trials: int, seed: int) -> dict[str, tuple[Coverage, ...]]:
    """Of the difference of two layers that separate emotions equally, by score: the interval, and that of resolution.

    `each` clips of every emotion and speaker. Both layers are drawn alike, so the truth is 0.
    """
    names = [(emotion, f"speaker {number}") for number in range(speakers) for emotion in EMOTIONS for _ in range(each)]
    cells = Cells.of(*zip(*names, strict=True))
    asked = groupings(cells, ("Sleepy", "Angry"))
    draws = Draws(cells.cell_speaker[cells.cell], level=LEVEL, seed=seed)
    random = np.random.default_rng([seed, speakers, each])
    wanted = [name for name in asked if name.startswith("silhouette")]
    centres = 0.5 * random.normal(size=(len(EMOTIONS), DIMENSIONS))
    found: dict[str, tuple[list[Interval], list[Interval]]] = {name: ([], []) for name in wanted}
    for _ in range(trials):
        layers = []
        for _ in range(2):
            points = planted(cells, random, centres, differ)
            layers.append(judge(points, weighted_sums(points, cells.member), cells, [asked[name] for name in wanted]))
        for name, one, other in zip(wanted, *layers, strict=True):
            values = one.pseudo_values - other.pseudo_values
            spread, mean = draws.spread(values[None], bound=2), float(values.mean())
            found[name][0].append(spread.interval)
            found[name][1].append(Interval(low=mean - spread.resolution, high=mean + spread.resolution))
    return {name: tuple(coverage(iter(each_kind), 0.0) for each_kind in both) for name, both in found.items()}


def needed_level(kind: str, n: int, samples: int, seed: int) -> float:
    """The level at which Student's t holds the mean of n values in 95 % of samples."""
    from scipy.stats import t

    values = KINDS[kind].draw(np.random.default_rng([seed, n]), (samples, n))
    scores = np.abs(values.mean(axis=1) - KINDS[kind].mean) / (values.std(axis=1, ddof=1) / math.sqrt(n))
    return float(1 - 2 * t.sf(np.quantile(scores, LEVEL), n - 1))


def levels(trials: int, seed: int) -> Table:
    def needed(n: int) -> list[float]:
        return [needed_level(kind, n, 500 * trials, seed) for kind in KINDS]

    rows = [[str(n), *(f"{100 * level:.2f} %" for level in (*needed(n), RAISED[n]))] for n in RAISED]
    return "Level at which Student's t covers the mean of few values in 95 %", ("values", *KINDS, "taken"), rows


def few(trials: int, seed: int) -> Table:
    rows = []
    for n in (3, 4, 5, 6, 8, 10, 15, 20, 40):
        found = [of_values(kind, n, "mean", trials, seed) for kind in KINDS]
        rows.append([str(n), *map(str, found), f"{found[0].half_width * math.sqrt(n):.2f}"])
    return "Mean of n values", ("values", *KINDS, "half width × √n, normal"), rows


def medians(trials: int, seed: int) -> Table:
    rows = [
        [str(n), *(str(of_values(kind, n, "median", trials, seed)) for kind in KINDS)] for n in (6, 8, 10, 15, 20, 40)
    ]
    return "Median of n values", ("values", *KINDS), rows


SIDES = (
    (Side("normal"), Side("normal")),
    (Side("normal", 3), Side("normal")),
    (Side("normal"), Side("normal", 3)),
    (Side("lognormal"), Side("lognormal")),
    (Side("lognormal"), Side("normal", 0.1)),
)


def differences(trials: int, seed: int) -> Table:
    sizes: tuple[tuple[int, int, Statistic], ...] = (
        (3, 3, "mean"),
        (3, 10, "mean"),
        (4, 5, "mean"),
        (5, 16, "mean"),
        (6, 6, "mean"),
        (8, 20, "mean"),
        (16, 18, "mean"),
        (6, 6, "median"),
        (8, 20, "median"),
    )
    rows = [
        [f"{n} and {m}, {statistic}s", *(str(of_differences(a, n, b, m, statistic, trials, seed)) for a, b in SIDES)]
        for n, m, statistic in sizes
    ]
    return "Difference of two samples", ("values", *(f"{a} − {b}" for a, b in SIDES)), rows


def windows(trials: int, seed: int) -> Table:
    rows = []
    for n in (4, 5, 6, 7, 8, 10, 16, 27, 40):
        rows.append([f"{n}", *(str(of_windows(name, n, trials, seed)) for name in SERIES)])
        if n in (6, 10, 27):
            alone = (str(of_windows(name, n, trials, seed, blocks=False)) for name in SERIES)
            rows.append([f"{n}, as if independent", *alone])
    rows.append(["2 clips of 8", *(str(of_windows(name, 8, trials, seed, clips=2)) for name in SERIES)])
    for n in (8, 16):
        named = [name for name in SERIES if "exponential" not in name]
        cells = [str(of_windows(name, n, trials, seed, statistic="median")) for name in named]
        rows.append([f"{n}, median", *cells, ""])
    return "Mean of n windows of one clip", ("windows", *SERIES), rows


def speakers(trials: int, seed: int) -> Table:
    rows = []
    layouts = [(50,) * number for number in (2, 3, 4, 6, 10)] + [EMOV_DB]
    for clips in layouts:
        found = [of_speakers(clips, effect, trials, seed) for effect in EFFECTS]
        title = f"{len(clips)} × {clips[0]}" if len(set(clips)) == 1 else ", ".join(map(str, clips))
        rows.append([title, *(f"{both} ({same})" for both, same in found)])
    header = ("speakers × clips", *(f"speakers differ: {effect}" for effect in EFFECTS))
    return "Mean over speakers and clips (in brackets: over clips alone)", header, rows


def silhouettes(trials: int, seed: int) -> Table:
    rows = []
    for number, each, differ in ((4, 10, 0.0), (4, 10, 0.3), (4, 10, 0.6), (8, 10, 0.3)):
        found = of_silhouettes(number, each, differ, max(1, trials // 5), seed)
        rows.append([f"{number}", f"{differ:g}", *(f"{both} ({same})" for both, same in found.values())])
    header = ("speakers", "speakers differ by", "pooled", "within a speaker")
    return "Difference of two layers' silhouettes (in brackets: over clips alone)", header, rows


TABLES: Mapping[str, Callable[[int, int], Table]] = {
    "levels": levels,
    "few": few,
    "medians": medians,
    "differences": differences,
    "windows": windows,
    "speakers": speakers,
    "silhouettes": silhouettes,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(TABLES), nargs="+", default=list(TABLES))
    arguments = parser.parse_args()
    for name in arguments.only:
        title, header, rows = TABLES[name](arguments.trials, arguments.seed)
        print(f"{title}:\n")
        for line in (header, ["---"] * len(header), *rows):
            print(f"| {' | '.join(line)} |", flush=True)
        print()


if __name__ == "__main__":
    main()
