"""Silhouettes for several groupings of the same clips, from the same summed distances, and what each clip moves.

The silhouette of clip i is (b - a) / max(a, b): a is its mean distance to the other clips of its own group, b the mean
distance to the nearest other group (Rousseeuw, "Silhouettes", J. Comput. Appl. Math. 20, 1987). It lies in [-1, 1], is
0 for the only clip of a group, and NaN here where there is no second group. Values equal
`sklearn.metrics.silhouette_samples` to 1e-6.

A clip bears on the mean twice: by its own silhouette, and as one of the clips that others are measured against. The
second part does not shrink faster than the first, so an interval from the spread of silhouettes alone is too narrow.
The pseudo-values hold both: clip j's is s_j + Σ_i ∂s_i/∂w_j, w_j being the clip's weight (the infinitesimal jackknife,
Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982), centred so that their mean is the mean
silhouette.

Intervals of mean silhouettes: clips are drawn with replacement and the mean of their pseudo-values is taken again
(percentile bootstrap); for a map, the seeds are drawn as well, crossed with the clips. The same draws serve every layer
and every score, which `evaluators.resampling` (one sample at a time, and a jackknife that grows with the square of the
clips) could not do in acceptable time. Clips count as independent although few speakers spoke them, and the maps are
not drawn anew for each sample of clips: see docs/evaluators/layer_separation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from basics.errors import Undefined
from evaluators.evidence import Interval
from evaluators.layer_separation.maps import Vectors, weighted_sums
from evaluators.layer_separation.selection import OUT, Cells, Codes
from evaluators.resampling import FEWEST, RESAMPLES

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
        self.values = np.where(np.isinf(self.between), np.nan, values)

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


class Draws:
    """The bootstrap draws of n clips and some seeds; equal for equal arguments."""

    def __init__(self, clips: int, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0) -> None:
        self.clips, self.level, self.resamples, self.seed = clips, level, resamples, seed

    @cached_property
    def clip_counts(self) -> NDArray[np.float32]:
        """How often each clip is drawn (resamples, clips)."""
        generator = np.random.default_rng([self.seed, 0])
        counts = np.empty((self.resamples, self.clips), np.float32)
        for row in counts:
            row[:] = np.bincount(generator.integers(self.clips, size=self.clips), minlength=self.clips)
        return counts

    def seed_shares(self, seeds: int) -> Doubles:
        """Share of each seed in each draw (resamples, seeds), each row adding up to 1.

        A handful of seeds make a bootstrap too narrow; the shares' deviations from equality are stretched to what
        Student's t needs.
        """
        from scipy.stats import norm, t

        generator = np.random.default_rng([self.seed, 1])
        shares = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=self.resamples) / seeds
        tail = (1 - self.level) / 2
        stretch = (seeds / (seeds - 1)) ** 0.5 * t.ppf(tail, seeds - 1) / norm.ppf(tail) if seeds > 1 else 1
        return 1 / seeds + stretch * (shares - 1 / seeds)

    def interval(self, samples: Doubles, bound: float = np.inf) -> Interval:
        """Confidence interval of the mean of `samples` (seeds, clips), the same clips being NaN in every row.

        With one row the interval is over clips, with more over clips and seeds. It is cut off at ±`bound`, beyond which
        the mean cannot be. Raises Undefined for fewer than three clips with a value.
        """
        present = np.isfinite(samples[0])
        if present.sum() < FEWEST:
            raise Undefined(f"an interval needs at least {FEWEST} clips, got {present.sum()}")
        counts = self.clip_counts[:, present]
        drawn = np.maximum(counts.sum(axis=1), 1)
        means = counts @ samples[:, present].T.astype(np.float32) / drawn[:, None]  # (resamples, seeds)
        outcome = (means * self.seed_shares(len(samples))).sum(axis=1)
        tail = (1 - self.level) / 2
        low, high = np.clip(np.quantile(outcome, [tail, 1 - tail]), -bound, bound)
        over = "clips" if len(samples) == 1 else "clips and seeds"
        return Interval(low=float(low), high=float(high), level=self.level, over=over)
