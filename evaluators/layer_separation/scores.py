"""From silhouettes of clips to measurements: means with intervals, differences of layers with a permutation test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basics.errors import Undefined
from evaluators.evidence import Measurement, Source
from evaluators.layer_separation.parameters import PLACES, SCORES, Parameters, Score
from evaluators.layer_separation.selection import Arrays, Cells, groupings
from evaluators.layer_separation.silhouettes import Draws
from evaluators.resampling import bootstrap_interval, permutation_p

Doubles = NDArray[np.float64]

FEW = 5
"""Clips of an emotion below which its separation from one other is that of these clips and not of the emotion."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Silhouettes and pseudo-values (seeds, clips) of one score; one row where no map is involved.

    NaN for clips that the score leaves out. Both have the same mean.
    """

    silhouettes: Doubles
    pseudo_values: Doubles

    def __sub__(self, other: Sample) -> Sample:
        return Sample(self.silhouettes - other.silhouettes, self.pseudo_values - other.pseudo_values)

    @property
    def clips(self) -> int:
        """How many clips have a silhouette, in [0, n]."""
        return int(np.isfinite(self.silhouettes[0]).sum())


@dataclass(frozen=True)
class Samples:
    """The silhouettes of every clip: `values` by (name of the score with its place, layer).

    `absent` maps (place, layer) to the reason why there are none.
    """

    cells: Cells
    pair: tuple[str, str]
    values: dict[tuple[str, int], Sample] = field(default_factory=dict)
    absent: dict[tuple[str, int], str] = field(default_factory=dict)

    def add(self, layer: int, place: str, blobs: Sequence[Arrays]) -> None:
        """Take in what was found in a layer's space, or in each of its maps."""
        silhouettes = np.stack([blob["silhouettes"] for blob in blobs], axis=1)  # (scores, seeds, clips)
        pseudo_values = np.stack([blob["pseudo_values"] for blob in blobs], axis=1)
        for number, name in enumerate(groupings(self.cells, self.pair)):
            self.values[name.format(place), layer] = Sample(silhouettes[number], pseudo_values[number])

    def of(self, score: Score, place: str, layer: int) -> Sample:
        """The silhouettes of a layer by one score. Raises Undefined with the reason where there are none."""
        if (place, layer) in self.absent:
            raise Undefined(self.absent[place, layer])
        found = self.values[score.name.format(place), layer]
        if reason := self._why_not(score, found):
            raise Undefined(reason)
        return found

    def _why_not(self, score: Score, found: Sample) -> str:
        """Why the corpus cannot answer; empty where it can."""
        if score.compares == "pair_differences":
            clips = dict(zip(self.cells.emotions, self.cells.table().sum(axis=0).tolist(), strict=True))
            few = [
                f"{clips.get(emotion, 0)} clips of {emotion}" for emotion in self.pair if clips.get(emotion, 0) < FEW
            ]
            if few:
                return f"the corpus has {' and '.join(few)}, a pair needs {FEW} of each"
        if found.clips:
            return ""
        table = self.cells.table()
        if score.name == "speaker_silhouette{}":
            return "the corpus has one speaker" if len(table) < 2 else "every clip is of a speaker of its own"
        if score.name.endswith("within_speaker"):
            return "no speaker has clips of two of the emotions, and two of any of them"
        return (
            "the corpus has clips of one emotion alone" if table.shape[1] < 2 else "every clip has a label of its own"
        )


class Scorer:
    """Means of silhouettes as measurements: of each layer, and between layers."""

    def __init__(self, samples: Samples, seeds: Sequence[int], source: Source) -> None:
        self.samples, self.seeds, self.source = samples, tuple(seeds), source
        self.draws = Draws(samples.cells.cell_speaker[samples.cells.cell])

    def measurements(self, parameters: Parameters) -> Iterator[Measurement]:
        """Every measurement of every score: silhouettes and differences in [-2, 2], p in [0, 1].

        Undefined with a reason.
        """
        for score in SCORES:
            for place in PLACES:
                for layer in parameters.chosen:
                    yield from self._of_layer(score, place, layer)
                for a, b in score.layers(parameters):
                    yield from self._between(score, place, a, b)

    def _of_layer(self, score: Score, place: str, layer: int) -> Iterator[Measurement]:
        name = score.name.format(place)
        maps = 1 if place else 0
        yield from self._mean(name, f"layer_{layer}", lambda: self.samples.of(score, place, layer), 1, maps)
        if place and score.by_seed:
            yield self._say(
                f"{name}_over_seeds.layer_{layer}", lambda: self._over_seeds(self.samples.of(score, place, layer))
            )

    def _between(self, score: Score, place: str, a: int, b: int) -> Iterator[Measurement]:
        key = f"layer_{a}_minus_{b}"

        def difference() -> Sample:
            return self.samples.of(score, place, a) - self.samples.of(score, place, b)

        yield from self._mean(f"{score.name.format(place)}_difference", key, difference, 2, 2 if place else 0)
        yield self._say(f"{score.p_name.format(place)}.{key}", lambda: self._permutation(difference()))

    def _say(self, name: str, compute: Callable[[], dict[str, Any]]) -> Measurement:
        try:
            return Measurement(name=name, source=self.source, **compute())
        except Undefined as undefined:
            return Measurement(name=name, source=self.source, undefined=undefined.reason)

    def _mean(self, name: str, key: str, find: Callable[[], Sample], bound: float, maps: int) -> Iterator[Measurement]:
        """A mean with its interval, and what clips and seeds alone leave open of it."""
        resolution = f"{name}_resolution.{key}"
        try:
            sample = find()
            spread = self.draws.spread(sample.pseudo_values, bound, maps)
        except Undefined as undefined:
            for one in (f"{name}.{key}", resolution):
                yield Measurement(name=one, source=self.source, undefined=undefined.reason)
            return
        value = float(np.nanmean(sample.silhouettes))
        yield Measurement(
            name=f"{name}.{key}", source=self.source, value=value, n=sample.clips, interval=spread.interval
        )
        yield Measurement(name=resolution, source=self.source, value=spread.resolution, n=sample.clips)

    def _over_seeds(self, sample: Sample) -> dict[str, Any]:
        means = np.nanmean(sample.silhouettes, axis=1)  # (seeds,)
        each = ", ".join(f"seed {seed}: {mean:.4f}" for seed, mean in zip(self.seeds, means, strict=True))
        return {
            "value": float(means.mean()),
            "n": len(means),
            "interval": bootstrap_interval(means.tolist(), over="seeds"),
            "note": f"{each}; standard deviation {means.std(ddof=1):.4f}",
        }

    def _permutation(self, difference: Sample) -> dict[str, Any]:
        """Two-sided p of exchanging the layers clip by clip; for maps after the mean over the seeds."""
        values = difference.pseudo_values.mean(axis=0)
        values = values[np.isfinite(values)]
        return {"value": permutation_p(values.tolist(), [0.0] * len(values), paired=True), "n": len(values)}
