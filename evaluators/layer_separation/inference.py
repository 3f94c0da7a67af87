"""Intervals over clips, and over clips and UMAP seeds together, for mean silhouettes.

Clips are drawn with replacement and the mean of their pseudo-values is taken again (percentile bootstrap); for a map,
the seeds are drawn as well, crossed with the clips. The same draws serve every layer and every score, which
`evaluators.statistics` (one sample at a time, and a jackknife that grows with the square of the clips) could not do in
acceptable time. Clips count as independent although few speakers spoke them, and the maps are not drawn anew for each
sample of clips: see docs/evaluators/layer_separation.md.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from basics.errors import Undefined
from evaluators.evidence import Interval
from evaluators.statistics import FEWEST, RESAMPLES

Doubles = NDArray[np.float64]


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
