"""Measures that do not assume speech: SI-SDR, log-mel distance, multi-resolution STFT distance.

All take aligned mono signals (n,) of any rate and raise Undefined for empty, silent or non-finite ones. A neural codec
like Mimi regenerates phase, so SI-SDR says little about how it sounds (strongly negative values are normal); the two
spectral distances compare magnitudes only and are defined for music and laughter as much as for speech.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from audio.metrics.signals import Floats, Samples, checked_pair
from basics.errors import Undefined

MEL_BANDS = 80
MEL_WINDOW, MEL_HOP = 0.040, 0.010  # s
MEL_FLOOR = 80.0  # dB below the loudest mel cell of the reference
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # (FFT size, hop, window) in samples
MAGNITUDE_FLOOR = 1e-7  # of power, as in Parallel WaveGAN


def si_sdr(reference: Samples, estimate: Samples, *, sample_rate: int) -> float:
    """Scale-invariant signal-to-distortion ratio in dB.

    Le Roux, Wisdom, Erdogan, Hershey, "SDR - half-baked or well done?", ICASSP 2019, eq. 4-5; means are removed first.
    Range: all reals, higher is better, unchanged by the gain of either signal, sensitive to any delay. Raises Undefined
    where the ratio is infinite: the estimate is the reference up to gain, or holds nothing of it.
    """
    x, y = (signal - signal.mean() for signal in checked_pair(reference, estimate, sample_rate))
    if not (x.any() and y.any()):
        raise Undefined("SI-SDR: a signal is constant")
    target = (x @ y) / (x @ x) * x
    residual = y - target
    if residual @ residual <= np.finfo(np.float64).eps * (y @ y):
        raise Undefined("SI-SDR is infinite: the estimate equals the reference up to gain")
    if not target.any():
        raise Undefined("SI-SDR is minus infinity: the estimate is orthogonal to the reference")
    return float(10 * np.log10((target @ target) / (residual @ residual)))


def log_mel_distance(reference: Samples, estimate: Samples, *, sample_rate: int) -> float:
    """Mean absolute difference of the log-mel spectrograms in dB.

    P is the power spectrogram (Hann window of 40 ms, hop 10 ms, FFT of the next power of two, no padding), M = B P with
    80 triangular HTK-mel bands of unit sum from 0 Hz to half the sample rate, and f the loudest cell of the reference's
    M less 80 dB. The distance is the mean over bands and frames of |10 lg(max(M_ref, f)) - 10 lg(max(M_est, f))|.
    Range 0 (identical magnitudes) to 80 and more, lower is better. A gain of g dB on the estimate alone adds up to |g|;
    the same gain on both changes nothing. Raises Undefined below one window.
    """
    x, y = checked_pair(reference, estimate, sample_rate)
    window = round(MEL_WINDOW * sample_rate)
    if len(x) < window:
        raise Undefined(f"log-mel distance needs {MEL_WINDOW * 1000:.0f} ms, got {1000 * len(x) / sample_rate:.1f} ms")
    x_mel, y_mel = (_mel_power(signal, sample_rate, window) for signal in (x, y))
    floor = x_mel.max() * 10 ** (-MEL_FLOOR / 10)
    return float(np.abs(10 * np.log10(np.maximum(x_mel, floor) / np.maximum(y_mel, floor))).mean())


def _mel_power(signal: Floats, sample_rate: int, window: int) -> Floats:
    fft_size = 1 << (window - 1).bit_length()
    views = np.lib.stride_tricks.sliding_window_view(signal, window)[:: round(MEL_HOP * sample_rate)]
    power = np.abs(np.fft.rfft(views * _hann(window), fft_size)) ** 2
    return np.asarray(power @ _mel_bands(fft_size, sample_rate).T)


@lru_cache(maxsize=8)
def _mel_bands(fft_size: int, sample_rate: int) -> Floats:
    """Triangles of unit sum, (MEL_BANDS, bins); a band narrower than a bin takes the bin at its centre."""
    highest_mel = 2595 * np.log10(1 + sample_rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest_mel, MEL_BANDS + 2) / 2595) - 1)
    bins = np.linspace(0, sample_rate / 2, fft_size // 2 + 1)
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bands = np.maximum(0.0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    empty = ~bands.any(axis=1)
    bands[empty, np.abs(bins - centre).argmin(axis=1)[empty]] = 1.0
    return np.asarray(bands / bands.sum(axis=1, keepdims=True))


def multi_resolution_stft_distance(reference: Samples, estimate: Samples, *, sample_rate: int) -> float:
    """Spectral convergence plus log-magnitude distance, averaged over three resolutions.

    Yamamoto, Song, Kim, "Parallel WaveGAN", ICASSP 2020, eq. 4-6 with the paper's three (FFT, hop, window) settings in
    samples, whatever the rate: compare values of one sample rate only. Range 0 (identical) upwards, lower is better;
    the estimate's gain matters. Raises Undefined when the signal is shorter than the reflection at its ends needs.
    """
    x, y = checked_pair(reference, estimate, sample_rate)
    shortest = max(fft_size for fft_size, _, _ in RESOLUTIONS) // 2 + 1
    if len(x) < shortest:
        raise Undefined(f"multi-resolution STFT distance needs {shortest} samples, got {len(x)}")
    return float(np.mean([_stft_distance(x, y, *resolution) for resolution in RESOLUTIONS]))


def _stft_distance(x: Floats, y: Floats, fft_size: int, hop: int, window: int) -> float:
    x_magnitude, y_magnitude = (_magnitude(signal, fft_size, hop, window) for signal in (x, y))
    convergence = np.linalg.norm(x_magnitude - y_magnitude) / np.linalg.norm(x_magnitude)
    return float(convergence + np.abs(np.log(x_magnitude / y_magnitude)).mean())


def _magnitude(signal: Floats, fft_size: int, hop: int, window: int) -> Floats:
    """Magnitudes (frames, bins) of centred frames with reflected ends: what torch.stft computes by default."""
    padded = np.pad(signal, fft_size // 2, mode="reflect")
    start = (fft_size - window) // 2
    views = np.lib.stride_tricks.sliding_window_view(padded, fft_size)[::hop, start : start + window]
    spectrum = np.fft.rfft(views * _hann(window), fft_size)
    return np.asarray(np.sqrt(np.maximum(spectrum.real**2 + spectrum.imag**2, MAGNITUDE_FLOOR)))


@lru_cache(maxsize=8)
def _hann(length: int) -> Floats:
    """Periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
