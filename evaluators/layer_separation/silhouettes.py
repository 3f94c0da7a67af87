"""Silhouettes for several groupings of the same clips, from the same summed distances, and what each clip moves.

The silhouette of clip i is (b - a) / max(a, b): a is its mean distance to the other clips of its own group, b the mean
distance to the nearest other group (Rousseeuw, "Silhouettes", J. Comput. Appl. Math. 20, 1987). It lies in [-1, 1], is
0 for the only clip of a group, and NaN here where there is no second group, and where every clip is a group of its own:
scikit-learn raises for both. Values equal `sklearn.metrics.silhouette_samples` to 1e-6.

A clip bears on the mean twice: by its own silhouette, and as one of the clips that others are measured against. The
second part does not shrink faster than the first, so an interval from the spread of silhouettes alone is too narrow.
The pseudo-values hold both: clip j's is s_j + Σ_i ∂s_i/∂w_j, w_j being the clip's weight (the infinitesimal jackknife,
Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982), centred so that their mean is the mean
silhouette.

Intervals of mean silhouettes: speakers are drawn with replacement, then clips within each drawn speaker, and the mean
of their pseudo-values is taken again (two-stage bootstrap: Davison and Hinkley, "Bootstrap Methods and their
Application", 1997, section 3.8; it errs on the wide side). For a map, the seeds are drawn as well, crossed with the
clips. The same draws serve every layer and every score, which `evaluators.resampling` (one sample at a time) could not
do in acceptable time: everything is linear in the pseudo-values. The maps are not drawn anew for each sample of clips:
see docs/evaluators/layer_separation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from basics.errors import Undefined
from evaluators.evidence import Interval
from evaluators.layer_separation.maps import Vectors, weighted_sums
from evaluators.layer_separation.selection import OUT, Cells, Codes
from evaluators.resampling import FEW, RESAMPLES

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """Silhouettes and pseudo-values (n,) of one score; NaN for clips that the score leaves out."""

    silhouettes: Doubles
    pseudo_values: Doubles


def judge(points: Vectors, sums: Doubles, cells: Cells, groupings: Sequence[Sequence[Codes]]) -> list[Judged]:
    """Every score of `points` (n, dim), a score being a list of groupings without a clip in common.

    `sums` (n, cells) are the summed distances of the points to each cell.
    """
    problems = [[_Problem(sums, cells, grouping) for grouping in score] for score in groupings]
    columns = [problem.slopes for score in problems for problem in score]
    pulls = weighted_sums(points, np.concatenate(columns, axis=1).astype(np.float32))
    start, judged = 0, []
    for score in problems:
        values, moved = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
        for problem in score:
            width = problem.slopes.shape[1]
            values[problem.clips] = problem.values
            moved[problem.clips] = problem.moved(pulls[:, start : start + width])
            start += width
        judged.append(Judged(values, values + moved - _mean(moved)))
    return judged


def _mean(values: Doubles) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else 0.0


class _Problem:
    """One grouping of some of the clips: m clips in k groups.

    `clips` (m,) are their numbers, `values` (m,) their silhouettes, `slopes` (n, k) the derivative of each clip's
    silhouette by its summed distance to each group, 0 for clips that take no part.
    """

    def __init__(self, sums: Doubles, cells: Cells, grouping: Codes) -> None:
        present = grouping != OUT
        names, group = np.unique(grouping[present], return_inverse=True)
        group_of_cell = np.full(len(grouping), OUT)
        group_of_cell[present] = group
        self.clips = np.flatnonzero(present[cells.cell])
        self.own = group_of_cell[cells.cell[self.clips]]
        member = np.eye(len(names))[group]  # (cells that take part, k)
        self._silhouettes(sums[np.ix_(self.clips, np.flatnonzero(present))] @ member, cells.sizes[present] @ member)
        self.slopes = np.zeros((len(cells), len(names)))
        self._differentiate()

    def _silhouettes(self, sums: Doubles, sizes: Doubles) -> None:
        clip = np.arange(len(self.clips))
        means = sums / sizes
        self.others = np.maximum(sizes[self.own] - 1, 1)  # divisor of the mean over the other clips of the group
        self.within = sums[clip, self.own] / self.others
        means[clip, self.own] = np.inf
        self.next = means.argmin(axis=1) if sizes.size else self.own
        self.between = means.min(axis=1, initial=np.inf)
        self.next_size = sizes[self.next]
        self.lone = sizes[self.own] == 1
        larger = np.maximum(self.within, self.between)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(self.lone | (larger == 0), 0.0, (self.between - self.within) / larger)
        self.values = np.where(np.isinf(self.between) | self.lone.all(), np.nan, values)

    def _differentiate(self) -> None:
        a, b = self.within, self.between
        with np.errstate(invalid="ignore", divide="ignore"):
            by_within = np.where(a < b, -1 / b, -b / a**2)
            by_between = np.where(a < b, a / b**2, 1 / a)
        flat = self.lone | ~np.isfinite(self.values) | ~np.isfinite(by_within) | ~np.isfinite(by_between)
        by_within, by_between = (np.where(flat, 0.0, slope) for slope in (by_within, by_between))
        np.add.at(self.slopes, (self.clips, self.own), by_within / self.others)
        np.add.at(self.slopes, (self.clips, self.next), by_between / self.next_size)
        shift = np.where(flat, 0.0, by_within * a / self.others)
        far = np.where(flat, 0.0, by_between * np.where(flat, 0.0, b) / self.next_size)
        groups = self.slopes.shape[1]
        self.shift = np.bincount(self.own, shift, groups) + np.bincount(self.next, far, groups)  # (k,)

    def moved(self, pulls: Doubles) -> Doubles:
        """Σ_i ∂s_i/∂w_j for each clip j of the problem (m,), from the distances summed under the slopes (n, k)."""
        moved = pulls[self.clips, self.own] - self.shift[self.own]
        return np.where(np.isnan(self.values), np.nan, moved)


@dataclass(frozen=True)
class Spread:
    """How far a mean silhouette would move: `interval` with other speakers, clips and seeds.

    `resolution`, at least 0, is half the width of the interval that clips and seeds alone leave, the speakers being
    those that were measured: what is smaller than that cannot be told from chance, even about these speakers.
    """

    interval: Interval
    resolution: float


LAYOUT = 0.19


def layout_moves(clips: int) -> float:
    """By how much the mean silhouette of maps of so many clips moves where the same vectors are laid out otherwise.

    A layout amplifies roundings, so another processor or version gives another one of the same seed; the mean over the
    seeds moved by up to 0.020 at 60 clips and 0.0075 at 620. The square root of the number goes through both.
    """
    return LAYOUT / sqrt(clips)


class Draws:
    """The bootstrap draws of clips, of their speakers and of some seeds; equal for equal arguments.

    `speaker` (clips,) is the number of each clip's speaker.
    """

    def __init__(
        self, speaker: Sequence[int] | Codes, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
    ) -> None:
        self.speaker = np.asarray(speaker, np.intp)
        self.level, self.resamples, self.seed = level, resamples, seed

    @cached_property
    def clip_counts(self) -> NDArray[np.float32]:
        """How often each clip is drawn among those of its speaker (resamples, clips)."""
        generator = np.random.default_rng([self.seed, 0])
        counts = np.empty((self.resamples, len(self.speaker)), np.float32)
        for number in range(self.speaker.max(initial=-1) + 1):
            own = np.flatnonzero(self.speaker == number)
            for row in counts:
                row[own] = np.bincount(generator.integers(len(own), size=len(own)), minlength=len(own))
        return counts

    def speaker_counts(self, speakers: int) -> NDArray[np.float32]:
        """How often each of so many speakers is drawn (resamples, speakers)."""
        generator = np.random.default_rng([self.seed, 2, speakers])
        return generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=self.resamples).astype(np.float32)

    def seed_shares(self, seeds: int) -> Doubles:
        """Share of each seed in each draw (resamples, seeds), each row adding up to 1; deviations stretched."""
        generator = np.random.default_rng([self.seed, 1])
        shares = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=self.resamples) / seeds
        return 1 / seeds + self.stretch(seeds - 1, seeds) * (shares - 1 / seeds)

    def stretch(self, free: int, drawn: int) -> float:
        """What the deviations of a bootstrap of `drawn` units are multiplied by to be as wide as Student's t.

        A handful of speakers, clips or seeds make a bootstrap too narrow. `free` degrees of freedom; 1 for none.
        """
        from scipy.stats import norm, t

        tail = (1 - self.level) / 2
        return float((drawn / free) ** 0.5 * t.ppf(tail, free) / norm.ppf(tail)) if free > 0 else 1.0

    def spread(self, samples: Doubles, bound: float = np.inf, maps: int = 0) -> Spread:
        """Confidence interval of the mean of `samples` (seeds, clips), the same clips being NaN in every row.

        With one row the interval is over speakers and clips, with more over seeds too. Speakers who have no clip with a
        value take no part; with one speaker left, the interval is over the clips of that speaker, and says so. It is
        cut off at ±`bound`, beyond which the mean cannot be. `maps` is how many maps each row is of, one, or two for a
        difference: they add what another layout of the same vectors moves. Raises Undefined for fewer than six clips
        with a value.
        """
        present = np.isfinite(samples[0])
        if (clips := int(present.sum())) <= FEW:
            raise Undefined(f"an interval over clips needs at least {FEW + 1} of them, got {clips}")
        names, speaker = np.unique(self.speaker[present], return_inverse=True)
        mean = samples[:, present].mean(axis=1)  # (seeds,)
        sums, sizes = self._by_speaker(samples, present, names)
        totals = np.stack([samples[:, present][:, speaker == number].sum(axis=1) for number in range(len(names))])
        lengths = np.bincount(speaker).astype(np.float64)  # (speakers,)
        wide = self.stretch(clips - len(names), clips)
        drawn = self.speaker_counts(len(names))
        whole = drawn @ totals / (drawn @ lengths)[:, None]  # drawn speakers with all their clips: (resamples, seeds)
        other_clips = _ratio(np.einsum("rs,srk->rk", drawn, sums), (drawn * sizes.T).sum(axis=1), whole) - whole
        other_speakers = self.stretch(len(names) - 1, len(names)) * (whole - mean)
        same_speakers = wide * (_ratio(sums.sum(axis=0), sizes.sum(axis=0), mean) - mean)
        shares = self.seed_shares(len(samples))
        moved = other_speakers + wide * other_clips if len(names) > 1 else same_speakers
        low, high = self._limits(mean + moved, shares)
        left, right = self._limits(mean + same_speakers, shares)
        middle, moves = mean.mean(), layout_moves(clips) * maps**0.5
        interval = Interval(
            low=float(np.clip(middle - np.hypot(max(middle - low, 0), moves), -bound, bound)),
            high=float(np.clip(middle + np.hypot(max(high - middle, 0), moves), -bound, bound)),
            level=self.level,
            over=_over(len(names), len(samples)),
        )
        return Spread(interval, min(float(np.hypot((right - left) / 2, moves)), bound))

    def _by_speaker(self, samples: Doubles, present: NDArray[np.bool_], names: Codes) -> tuple[Doubles, Doubles]:
        """Of each speaker and draw: the sum of the drawn clips (speakers, resamples, seeds), and their number."""
        sums, sizes = [], []
        for name in names:
            own = np.flatnonzero(present & (self.speaker == name))
            counts = self.clip_counts[:, own]
            sums.append(counts @ samples[:, own].T.astype(np.float32))
            sizes.append(counts.sum(axis=1))
        return np.stack(sums).astype(np.float64), np.stack(sizes).astype(np.float64)

    def _limits(self, means: Doubles, shares: Doubles) -> tuple[float, float]:
        """Limits of the mean over the seeds, from the draws' means and shares (resamples, seeds)."""
        tail = (1 - self.level) / 2
        low, high = np.quantile((means * shares).sum(axis=1), [tail, 1 - tail])
        return float(low), float(high)


def _ratio(sums: Doubles, sizes: Doubles, otherwise: Doubles) -> Doubles:
    """Sums (resamples, seeds) by sizes (resamples,); `otherwise` where no clip was drawn."""
    return np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], otherwise)


def _over(speakers: int, seeds: int) -> str:
    """`speakers and clips`, `speakers, clips and seeds`; of one speaker `clips of one speaker`, `… and seeds`."""
    if speakers == 1:
        return "clips of one speaker" if seeds == 1 else "clips of one speaker and seeds"
    return "speakers and clips" if seeds == 1 else "speakers, clips and seeds"
