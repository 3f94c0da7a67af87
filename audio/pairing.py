"""Whether a reconstruction is one of its original: length, delay and envelopes are compared before it is measured.

A file under the wrong name, a recording cut short, a rate in a header that is not the sound's: each gives values that
look like those of a poor codec. The bounds are set by published reconstructions of Mimi (98 pairs of speech, singing
and music at 4 and 8 codebooks) and by the same originals with reconstructions of others:

| | pairs | mismatched | bound |
|---|---|---|---|
| lengths differ by | 0.08 s at most | | 0.25 s and 2 %, and what a delay explains |
| correlation of envelopes, 3 s or more | 0.88 at least | 0.52 at most, 0.42 in 99 % | 0.5 |
| of 2 s | 0.91 at least | 0.68 at most, 0.49 in 99 % | 0.65 |
| of 1 s | 0.87 at least | 0.86 at most, 0.79 in 99 % | 0.8 |
| delay | 2 samples at most | | 0.5 s |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from audio.clip import LONGEST_LAG, align, resample
from basics.errors import Undefined

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]

BANDS = (100, 200, 400, 800, 1600, 3200, 6400)  # Hz, edges of the octaves whose envelopes are compared
FRAME, HOP = 0.032, 0.008  # s, of the envelopes
LONGER, LONGER_SHARE = 0.25, 0.02  # s and share of the original by which a reconstruction may be longer or shorter
LEAST_CORRELATION, LEAST_OF_A_SECOND = 0.5, 0.8  # of long sounds, of a second: short ones agree by chance
LONG = 3.0  # s, from which the first holds
COMMON_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)  # Hz
SAME_LENGTH = 0.01  # share by which lengths differ at most for a rate to explain them
RATE_GAIN = 0.1  # in correlation: from here on another rate than the header's fits clearly better


@dataclass(frozen=True, eq=False)
class Pairing:
    """An original and its reconstruction, aligned, each (n,), and how they were found to belong together.

    `lag` is what the reconstruction was late by, in s, and is cut off (early where negative); `ratio` its length over
    the original's; `correlation`, 0 to 1, that of their envelopes, or of the waveforms where that is higher.
    """

    reference: Samples
    estimate: Samples
    lag: float
    ratio: float
    correlation: float


def pair(reference: Samples, estimate: Samples, sample_rate: int, *, header_rate: int = 0) -> Pairing:
    """The pairing of two signals (n,) and (m,) at one rate; `header_rate` is what the reconstruction's file says, Hz.

    Raises Undefined with every reason why they are no pair, or when either is silent.
    """
    aligned = align(reference, estimate, sample_rate)
    found = Pairing(
        aligned.reference,
        aligned.estimate,
        aligned.lag_samples / sample_rate,
        len(estimate) / len(reference),
        envelope_correlation(aligned.reference, aligned.estimate, sample_rate),
    )
    lengths = len(reference) / sample_rate, len(estimate) / sample_rate
    reasons = list(_faults(found, *lengths, aligned.beyond_samples / sample_rate))
    reasons += _other_rate(reference, estimate, sample_rate, header_rate, found.correlation)
    if reasons:
        raise Undefined(f"the reconstruction is not one of this original: {'; '.join(reasons)}")
    return found


def least_correlation(seconds: float) -> float:
    """The least that envelopes of a pair of so many seconds correlate by."""
    return float(np.interp(seconds, (1.0, LONG), (LEAST_OF_A_SECOND, LEAST_CORRELATION)))


def _faults(found: Pairing, original: float, made: float, beyond: float) -> Iterator[str]:
    """What length, delay and envelopes say against a pair; the lengths and a delay that is too long in s."""
    if abs(made - original) > LONGER + LONGER_SHARE * original + abs(found.lag):
        yield f"it lasts {made:.2f} s, the original {original:.2f} s (ratio {found.ratio:.3f})"
    if beyond:
        way = "late" if beyond > 0 else "early"
        yield f"it comes {abs(beyond):.2f} s {way}, a pair's at most {LONGEST_LAG:g} s"
    if found.correlation < (least := least_correlation(min(original, made))):
        yield f"their envelopes correlate by {found.correlation:.2f}, those of a pair by {least:.2g} at least"


def _other_rate(
    reference: Samples, estimate: Samples, sample_rate: int, header_rate: int, correlation: float
) -> Iterator[str]:
    """The rate, if any, that explains the lengths and at which the two fit clearly better than at the header's."""
    if not header_rate:
        return
    for rate in COMMON_RATES:
        fits = abs(len(estimate) * header_rate / rate / len(reference) - 1) < SAME_LENGTH
        if rate == header_rate or not fits:
            continue
        aligned = align(reference, resample(estimate, rate, header_rate), sample_rate)
        better = envelope_correlation(aligned.reference, aligned.estimate, sample_rate)
        if better >= max(LEAST_CORRELATION, correlation + RATE_GAIN):
            yield f"at {rate} Hz instead of {header_rate} Hz it would fit ({better:.2f}): see its header"


def envelope_correlation(reference: Samples, estimate: Samples, sample_rate: int) -> float:
    """How alike two aligned signals, each (n,), are, 0 to 1: the median over octaves of their envelopes' correlation.

    Magnitudes in frames of 32 ms each 8 ms, so that a codec which keeps neither phase nor detail passes. Of steady
    sound, whose envelopes say nothing, the waveforms' correlation counts where it is higher.
    """
    x, y = (np.asarray(signal, np.float64) for signal in (reference, estimate))
    found = [_waveform(x, y)]
    if len(x) >= 2 * round(FRAME * sample_rate):
        found.append(float(np.median(_by_band(_envelopes(x, sample_rate), _envelopes(y, sample_rate)))))
    return float(np.clip(max(found), 0, 1))


def _waveform(x: Floats, y: Floats) -> float:
    energy = np.sqrt((x @ x) * (y @ y))
    return float(abs(x @ y) / energy) if energy else 0.0


def _envelopes(signal: Floats, sample_rate: int) -> Floats:
    """Magnitude of each octave without its mean (bands, frames)."""
    length, hop = round(FRAME * sample_rate), round(HOP * sample_rate)
    views = np.lib.stride_tricks.sliding_window_view(signal, length)[::hop]
    power = np.abs(np.fft.rfft(views * np.hanning(length))) ** 2
    frequencies = np.fft.rfftfreq(length, 1 / sample_rate)
    octaves = [(frequencies >= low) & (frequencies < high) for low, high in pairwise(BANDS)]
    magnitude = np.sqrt(np.stack([power[:, octave].sum(axis=1) for octave in octaves]))
    return np.asarray(magnitude - magnitude.mean(axis=1, keepdims=True))


def _by_band(x: Floats, y: Floats) -> Floats:
    energy = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    return np.asarray((x * y).sum(axis=1) / np.where(energy > 0, energy, 1.0))
