"""From renditions (a clip and what the codec made of it) to scores: pair, cut windows, take every measure at once.

What a codec makes here is in time with its original, the codec's own delay being taken out, and is never shifted. What
others published has to show that it belongs to its original, and is shifted where that gains clearly.

Everything is measured at 16 kHz, the rate of wide-band PESQ, so that values of one measure can be compared whatever the
rate of the clips; what music has above 8 kHz is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.clip import Clip, resample, summary_of
from audio.measures import Metric
from audio.metrics import measure_pairs
from audio.metrics.quality import windows
from audio.pairing import Pairing, pair
from basics.errors import Undefined
from evaluators.reconstruction.growth import Growth, growth

RATE = 16_000  # Hz
WINDOW = (1.0, 3.0)  # s, what windows of a clip without companions are at most: a quarter of it, within these limits

Values = Mapping[str, float | Undefined]
Signals = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Rendition:
    """One reconstruction: `reference` (n,) and `estimate` (m,) at 16 kHz.

    `codebooks` is None where whoever made it did not say; `warnings` are (which sound, what) of the level of either;
    `rates` those that the two files state, in Hz. `made_here` says that the codec ran here: there is no doubt of the
    pair.
    """

    role: str
    clip: str
    codebooks: int | None
    reference: NDArray[np.float32]
    estimate: NDArray[np.float32]
    warnings: tuple[tuple[str, str], ...] = ()
    original: str = ""  # digest of what was reconstructed
    rates: tuple[int, int] = (RATE, RATE)
    made_here: bool = False


def rendition(
    role: str, clip: str, codebooks: int | None, original: Clip, made: Clip, *, made_here: bool = False
) -> Rendition:
    """A rendition from two clips of any rate: both mono, resampled to 16 kHz."""
    reference, estimate = (resample(sound.samples, sound.sample_rate, RATE) for sound in (original, made))
    warnings = tuple((f"{clip}, original", note) for note in original.warnings)
    warnings += tuple((f"{clip}, reconstruction", note) for note in made.warnings if note not in original.warnings)
    rates = original.sample_rate, made.sample_rate
    return Rendition(role, clip, codebooks, reference, estimate, warnings, original.digest, rates, made_here)


@dataclass(frozen=True)
class Score:
    """The measures of one rendition: of the whole clip, of its windows and its growth where they were asked for."""

    role: str
    clip: str
    codebooks: int | None
    values: Values
    windows: tuple[Values, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    growth: Growth | Undefined | None = None
    seconds: float = 0.0
    original: str = ""
    rates: tuple[int, int] = (RATE, RATE)
    pairing: Pairing | Undefined | None = None  # None: made here


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
    paired = [None if rendition.made_here else _paired(rendition) for rendition in renditions]
    aligned = [_signals(rendition, found) for rendition, found in zip(renditions, paired, strict=True)]
    spans = [
        cut_points(both[0]) if not isinstance(both, Undefined) and (r.role, r.codebooks) in windowed else []
        for r, both in zip(renditions, aligned, strict=True)
    ]
    signals: list[Signals] = []
    for both, cuts in zip(aligned, spans, strict=True):
        if not isinstance(both, Undefined):
            signals += [both, *((both[0][a:b], both[1][a:b]) for a, b in cuts)]
    values = iter(measure_pairs(signals, sample_rate=RATE, metrics=metrics, jobs=jobs))
    scores = []
    for r, found, both, cuts in zip(renditions, paired, aligned, spans, strict=True):
        whole = _undefined(metrics, both) if isinstance(both, Undefined) else next(values)
        spread, rise = tuple(next(values) for _ in cuts), _growth(both) if growing else None
        seconds = len(r.reference) / RATE
        told = r.role, r.clip, r.codebooks, whole, spread, r.warnings, rise, seconds, r.original, r.rates
        scores.append(Score(*told, pairing=found))
    return scores


def _paired(rendition: Rendition) -> Pairing | Undefined:
    try:
        return pair(rendition.reference, rendition.estimate, RATE, header_rate=rendition.rates[1])
    except Undefined as undefined:
        return undefined


def _signals(rendition: Rendition, found: Pairing | Undefined | None) -> Signals | Undefined:
    """What is measured, two (n,): what was paired, or what was made here, in time as it is."""
    if isinstance(found, Undefined):
        return found
    if found:
        return found.reference, found.estimate
    length = min(len(rendition.reference), len(rendition.estimate))
    return rendition.reference[:length], rendition.estimate[:length]


def _growth(both: Signals | Undefined) -> Growth | Undefined:
    if isinstance(both, Undefined):
        return both
    try:
        return growth(*both, sample_rate=RATE)
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


def warnings_of(scores: Sequence[Score]) -> tuple[str, ...]:
    """What a reader must know of the sounds: their levels, and which reconstructions are not of their originals."""
    refused = [(s.clip, f"not measured: {s.pairing.reason}") for s in scores if isinstance(s.pairing, Undefined)]
    return summary_of([*refused, *(warning for s in scores for warning in s.warnings)])
