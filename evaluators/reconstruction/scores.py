"""From renditions (a clip and what the codec made of it) to scores: align, cut windows, take every measure at once.

Everything is measured at 16 kHz, the rate of wide-band PESQ, so that values of one measure can be compared whatever the
rate of the clips; what music has above 8 kHz is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.clip import Clip, align, resample
from audio.measures import Metric
from audio.metrics import measure_pairs
from audio.metrics.quality import windows
from basics.errors import Undefined
from evaluators.reconstruction.growth import Growth, growth

RATE = 16_000  # Hz
WINDOW = (1.0, 3.0)  # s, what windows of a clip without companions are at most: a quarter of it, within these limits

Values = Mapping[str, float | Undefined]
Signals = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Rendition:
    """One reconstruction: `reference` (n,) and `estimate` (m,) at 16 kHz, not yet aligned.

    `codebooks` is None where whoever made it did not say; `warnings` are those about the level of either.
    """

    role: str
    clip: str
    codebooks: int | None
    reference: NDArray[np.float32]
    estimate: NDArray[np.float32]
    warnings: tuple[str, ...] = ()
    original: str = ""  # digest of what was reconstructed


def rendition(role: str, clip: str, codebooks: int | None, original: Clip, made: Clip) -> Rendition:
    """A rendition from two clips of any rate: both mono, resampled to 16 kHz."""
    reference, estimate = (resample(sound.samples, sound.sample_rate, RATE) for sound in (original, made))
    found = [f"the original is {note}" for note in original.warnings]
    found += [f"the reconstruction is {note}" for note in made.warnings if note not in original.warnings]
    warnings = tuple(f"{clip}: {note}" for note in found)
    return Rendition(role, clip, codebooks, reference, estimate, warnings, original.digest)


@dataclass(frozen=True)
class Score:
    """The measures of one rendition: of the whole clip, of its windows and its growth where they were asked for."""

    role: str
    clip: str
    codebooks: int | None
    values: Values
    windows: tuple[Values, ...] = ()
    warnings: tuple[str, ...] = ()
    growth: Growth | Undefined | None = None
    seconds: float = 0.0
    original: str = ""


def score(
    renditions: Sequence[Rendition],
    metrics: Sequence[Metric],
    *,
    windowed: Collection[tuple[str, int | None]] = (),
    growing: bool = False,
    jobs: int | None = None,
) -> list[Score]:
    """Scores in the order of `renditions`.

    `windowed` holds the (role, codebooks) whose clips are measured in windows too; `growing` asks for the growth of
    all. Whole clips and windows go to the measuring processes together, so that none of them waits.
    """
    aligned = [_aligned(rendition) for rendition in renditions]
    spans = [
        cut_points(pair[0]) if not isinstance(pair, Undefined) and (r.role, r.codebooks) in windowed else []
        for r, pair in zip(renditions, aligned, strict=True)
    ]
    signals: list[Signals] = []
    for pair, cuts in zip(aligned, spans, strict=True):
        if not isinstance(pair, Undefined):
            signals += [pair, *((pair[0][a:b], pair[1][a:b]) for a, b in cuts)]
    values = iter(measure_pairs(signals, sample_rate=RATE, metrics=metrics, jobs=jobs))
    scores = []
    for r, pair, cuts in zip(renditions, aligned, spans, strict=True):
        whole = _undefined(metrics, pair) if isinstance(pair, Undefined) else next(values)
        spread, rise = tuple(next(values) for _ in cuts), _growth(pair) if growing else None
        seconds = len(r.reference) / RATE
        scores.append(Score(r.role, r.clip, r.codebooks, whole, spread, r.warnings, rise, seconds, r.original))
    return scores


def _aligned(rendition: Rendition) -> Signals | Undefined:
    try:
        _, reference, estimate, _ = align(rendition.reference, rendition.estimate, RATE)
    except Undefined as undefined:
        return undefined
    return reference, estimate


def _growth(pair: Signals | Undefined) -> Growth | Undefined:
    if isinstance(pair, Undefined):
        return pair
    try:
        return growth(*pair, sample_rate=RATE)
    except Undefined as undefined:
        return undefined


def _undefined(metrics: Sequence[Metric], reason: Undefined) -> Values:
    values: dict[str, float | Undefined] = dict.fromkeys(metrics, reason)
    return values


def cut_points(reference: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Spans (first, end) in samples of `reference` (n,), cut at pauses; at least four from 4 s on."""
    lowest, highest = WINDOW
    longest = min(max(len(reference) / RATE / 4, lowest), highest)
    return windows(reference.astype(np.float64), RATE, longest, longest / 2)
