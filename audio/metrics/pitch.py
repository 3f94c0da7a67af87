"""Measures of prosody: does the estimate's fundamental frequency (F0) move as the reference's does, and where it does?

Correlation and root mean squared error of F0 over voiced frames are how generated intonation has been judged since
Dusterhoff and Black, "Generating F0 contours for speech synthesis using the Tilt intonation theory", ESCA Workshop on
Intonation, 1997 (section "Measure of accuracy"). Both are taken of the logarithm here, so that an error weighs the same
in a low and in a high voice, and over frames that are voiced in both signals: a lost voice is not counted, slips by an
octave are, those of the tracker included.

F0 is followed by probabilistic YIN (Mauch, Dixon, "pYIN", ICASSP 2014) as `librosa.pyin` implements it: 60 to 500 Hz,
frames of 64 ms each 10 ms, candidates 0.1 semitones apart, all else by its defaults; at 16 kHz that is 1024 and 160
samples. It follows one voice: speech alone, neither music nor laughter.
"""

from __future__ import annotations

import numpy as np

from audio.metrics.signals import Floats, Samples, checked_pair
from basics.errors import Undefined
from basics.kernels import keep_kernels_whole

F0_RANGE = (60.0, 500.0)  # Hz, from a low male to a high female voice
FRAME, HOP = 0.064, 0.010  # s
FEWEST_FRAMES = 30  # voiced in both: 0.3 s


def f0_correlation(reference: Samples, estimate: Samples, *, sample_rate: int) -> float:
    """Pearson correlation of log F0 over the frames voiced in both, in [-1, 1]; higher is better.

    Unchanged by the gain of either signal and by a transposition of all of one. Raises Undefined for fewer than 30
    common frames (0.3 s), and where F0 does not move at all.
    """
    return _correlation(*_common_pitch(reference, estimate, sample_rate))


def f0_error(reference: Samples, estimate: Samples, *, sample_rate: int) -> float:
    """Root mean squared difference of F0 over the frames voiced in both, in semitones, 0 and up; lower is better.

    A transposition by n semitones is n, an octave slipped in a quarter of the frames 6. Unchanged by the gain of either
    signal. Raises Undefined for fewer than 30 common frames (0.3 s).
    """
    return _error(*_common_pitch(reference, estimate, sample_rate))


def f0_correlation_and_error(
    reference: Samples, estimate: Samples, *, sample_rate: int
) -> tuple[float | Undefined, float]:
    """Both for the price of one, the correlation Undefined where F0 does not move. Raises Undefined where both are."""
    x, y = _common_pitch(reference, estimate, sample_rate)
    try:
        return _correlation(x, y), _error(x, y)
    except Undefined as undefined:
        return undefined, _error(x, y)


def require_tracker() -> None:
    """Raise ModuleNotFoundError where librosa is not installed."""
    import librosa  # noqa: F401 - its parts, which take seconds, are loaded when they are used


def _correlation(x: Floats, y: Floats) -> float:
    if not (np.ptp(x) and np.ptp(y)):
        raise Undefined("F0 correlation: F0 does not move")
    return float(np.corrcoef(x, y)[0, 1])


def _error(x: Floats, y: Floats) -> float:
    return float(np.sqrt(np.mean((x - y) ** 2)))


def _common_pitch(reference: Samples, estimate: Samples, sample_rate: int) -> tuple[Floats, Floats]:
    """Pitch of both in semitones re 1 Hz over the frames voiced in both, each (frames,). Raises Undefined."""
    x, y = (_pitch(signal, sample_rate) for signal in checked_pair(reference, estimate, sample_rate))
    voiced = np.isfinite(x) & np.isfinite(y)
    if voiced.sum() < FEWEST_FRAMES:
        raise Undefined(
            f"F0 needs {FEWEST_FRAMES} frames ({FEWEST_FRAMES * HOP:.1f} s) that are voiced in both signals, "
            f"found {voiced.sum()}"
        )
    return x[voiced], y[voiced]


def _pitch(signal: Floats, sample_rate: int) -> Floats:
    """Pitch in semitones re 1 Hz of frames centred each HOP, (1 + n // hop,); NaN where unvoiced."""
    keep_kernels_whole()
    import librosa

    f0, _, _ = librosa.pyin(
        signal,
        fmin=F0_RANGE[0],
        fmax=F0_RANGE[1],
        sr=sample_rate,
        frame_length=round(FRAME * sample_rate),
        hop_length=round(HOP * sample_rate),
    )
    return np.asarray(12 * np.log2(f0))
