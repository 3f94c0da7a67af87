"""Find the constant delay between a reference and an estimate of it, and cut both to their common part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basics.errors import Undefined

BAND = (100.0, 4000.0)  # Hz, where speech has its energy and codecs keep it
ENVELOPE_BAND = 50.0  # Hz, cut-off of the envelope
LONGEST_LAG = 0.5  # s
SEARCHED = 60.0  # s of sound the lag is estimated on: the loudest stretch
WEAKEST_MATCH = 0.3  # envelope and waveform correlation together, below which no lag is claimed

Floats = NDArray[np.float64]


class Alignment(NamedTuple):
    """`estimate` starts `lag_samples` late (early where negative); the two signals (n,) are cut to match each other.

    `correlation` is the sum of the envelopes' and the waveforms' correlation at that lag, 0 to 2.
    """

    lag_samples: int
    reference: NDArray[np.float32]
    estimate: NDArray[np.float32]
    correlation: float


def align(reference: NDArray[np.float32], estimate: NDArray[np.float32], sample_rate: int) -> Alignment:
    """Cut (n,) and (m,) to one length at the lag, within half a second, at which they match best.

    The score of a lag is the correlation of band-limited envelopes, which codecs that regenerate phase preserve, plus
    the absolute correlation of band-limited waveforms, which is sharp to the sample and ignores polarity. Where nothing
    matches the lag is 0. Raises Undefined when either signal is silent.
    """
    for name, signal in (("reference", reference), ("estimate", estimate)):
        if not np.any(signal):
            raise Undefined(f"cannot align: the {name} is silent")
    longest = round(LONGEST_LAG * sample_rate)
    score = _match(*_searched(reference, estimate, sample_rate), sample_rate, longest)
    best = int(score.argmax())
    lag = best - longest if score[best] >= WEAKEST_MATCH else 0
    return _cut(reference, estimate, lag, float(score[lag + longest]))


def _cut(reference: NDArray[np.float32], estimate: NDArray[np.float32], lag: int, correlation: float) -> Alignment:
    reference, estimate = reference[max(0, -lag) :], estimate[max(0, lag) :]
    length = min(len(reference), len(estimate))
    return Alignment(lag, reference[:length], estimate[:length], correlation)


def _searched(
    reference: NDArray[np.float32], estimate: NDArray[np.float32], sample_rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The loudest minute of both; all of a shorter clip."""
    length = round(SEARCHED * sample_rate)
    shorter = min(len(reference), len(estimate))
    if shorter <= length:
        return reference, estimate
    energy = np.add.reduceat(np.square(reference[:shorter]), np.arange(0, shorter, sample_rate))
    sums = np.convolve(energy, np.ones(round(SEARCHED)), mode="valid")
    start = min(int(sums.argmax()) * sample_rate, shorter - length)
    return reference[start : start + length], estimate[start : start + length]


def _match(reference: NDArray[np.float32], estimate: NDArray[np.float32], sample_rate: int, longest: int) -> Floats:
    """Score of every lag from -longest to longest, (2 * longest + 1,)."""
    size = 1 << (max(len(reference), len(estimate)) + longest).bit_length()
    x, x_envelope = _band_and_envelope(reference, sample_rate, size)
    y, y_envelope = _band_and_envelope(estimate, sample_rate, size)
    return np.maximum(_correlation(x_envelope, y_envelope, longest), 0) + np.abs(_correlation(x, y, longest))


def _band_and_envelope(signal: NDArray[np.float32], sample_rate: int, size: int) -> tuple[Floats, Floats]:
    """The signal within BAND and its envelope without its mean, zero-padded to `size` samples."""
    frequencies = np.fft.rfftfreq(size, 1 / sample_rate)
    spectrum = np.fft.rfft(signal, size)
    band = np.fft.irfft(spectrum * ((frequencies >= BAND[0]) & (frequencies <= BAND[1])), size)
    rectified = np.fft.rfft(np.abs(band), size)
    envelope = np.fft.irfft(rectified * (frequencies <= ENVELOPE_BAND), size)
    envelope[: len(signal)] -= envelope[: len(signal)].mean()
    envelope[len(signal) :] = 0
    return band, envelope


def _correlation(reference: Floats, estimate: Floats, longest: int) -> Floats:
    """Normalized correlation at lags -longest to longest; positive lags mean that `estimate` is late."""
    cross = np.fft.irfft(np.fft.rfft(estimate) * np.conj(np.fft.rfft(reference)), len(reference))
    energy = np.sqrt((reference @ reference) * (estimate @ estimate)) or 1.0
    return np.concatenate((cross[-longest:], cross[: longest + 1])) / energy
