"""The vote for the worst reconstruction between clips of one kind: what a lead is worth.

The measures that vote are correlated, so a lead of several votes may be chance. How often it is, is counted: every two
different clips of one role are polled as if each were a role of its own, with the intervals of their windows, as two
single clips are. A lead beyond what such clips reach in 95 % of the draws tells more than that they are two clips.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from audio.measures import Metric
from basics.errors import Undefined
from evaluators.evidence import Interval, Measurement, Source
from evaluators.reconstruction.parameters import Request, polls
from evaluators.reconstruction.scores import Score
from evaluators.reconstruction.summary import around, poll, sample_of
from evaluators.resampling import FEWEST, apart

DRAWS = 200
"""Pairs of clips that are polled at most; of more pairs, so many are drawn."""
QUANTILE = 0.95

Side = tuple[float, Interval]
Draw = tuple[int, int]
"""Two clips, by their numbers among the scores."""


@dataclass(frozen=True)
class Null:
    """The clips of the roles in `null_roles`, with their windows; every measure of every clip is summarized once."""

    parameters: Request
    scores: Sequence[Score]
    source: Source
    locators: Mapping[str, str]

    def measurements(self) -> Iterator[Measurement]:
        """The distribution of each poll's lead, or the reason why there is none; nothing where no role was named."""
        if self.parameters.null_roles:
            for title, metrics in polls(self.parameters):
                yield self._distribution(f"{title}_null", metrics)

    @cached_property
    def draws(self) -> list[Draw]:
        """Every two clips of one role at one number of codebooks that are long enough for windows.

        At most DRAWS of them, chosen by the request's seed.
        """
        pairs = [
            (i, j)
            for role in self.parameters.null_roles
            for i, j in combinations((i for i, s in enumerate(self.scores) if s.role == role and self._long(s)), 2)
            if self.scores[i].codebooks == self.scores[j].codebooks
        ]
        if len(pairs) <= DRAWS:
            return pairs
        chosen = np.random.default_rng(self.parameters.seed).choice(len(pairs), DRAWS, replace=False)
        return [pairs[number] for number in sorted(chosen.tolist())]

    def _long(self, score: Score) -> bool:
        return len(score.windows) >= FEWEST

    @cached_property
    def sides(self) -> dict[tuple[int, Metric], Side | None]:
        """Value and interval of each clip that is drawn, by each measure; None where either is undefined."""
        clips = sorted({clip for draw in self.draws for clip in draw})
        metrics = self.parameters.voting_metrics
        return {(clip, metric): self._side(self.scores[clip], metric) for clip in clips for metric in metrics}

    def _side(self, score: Score, metric: Metric) -> Side | None:
        sample = sample_of([score], metric, score.role, score.codebooks)
        if not sample.clips:
            return None
        try:
            return sample.clips[0], around(sample.clips[0], sample, self.parameters)
        except Undefined:
            return None

    def lead(self, draw: Draw, metrics: Sequence[Metric]) -> int | None:
        """Votes against the first clip less those against the second; None where no measure can compare them."""
        first, second = map(str, draw)
        votes: Counter[str | None] = Counter()
        compared = False
        for metric in metrics:
            a, b = self.sides[draw[0], metric], self.sides[draw[1], metric]
            interval = apart(a, b) if a and b else None
            worst, defined = poll(metric, (first, second), {(metric, first, second): interval})
            compared |= defined
            votes[worst] += 1
        return votes[first] - votes[second] if compared else None

    def _distribution(self, name: str, metrics: Sequence[Metric]) -> Measurement:
        roles = self.parameters.null_roles
        locator = ", ".join(dict.fromkeys(self.locators[role] for role in roles))
        leads = [lead for draw in self.draws if (lead := self.lead(draw, metrics)) is not None]
        if not leads:
            why = f"no two clips of {' or of '.join(roles)} at one number of codebooks are long enough for windows"
            if self.draws:
                why = f"no measure compares any two clips of {' or of '.join(roles)}"
            return Measurement(name=name, undefined=why, unit="measures", n=0, source=self.source, locator=locator)
        sizes = np.abs(leads)
        counts = ", ".join(f"{size}: {count}" for size, count in sorted(Counter(sizes.tolist()).items()))
        clips = {clip for draw in self.draws for clip in draw}
        return Measurement(
            name=name,
            value=int(np.quantile(sizes, QUANTILE, method="inverted_cdf")),
            unit="measures",
            n=len(leads),
            source=self.source,
            locator=locator,
            note=f"two clips of one kind differ by {counts} of {len(leads)} draws "
            f"({len(clips)} clips of {', '.join(roles)}); intervals over windows",
        )
