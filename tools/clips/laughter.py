"""Laughter, synthesized: voiced bursts ("ha ha ha") through fixed formants, each with a breath before it.

Source and filter after Fant 1960; burst rate (about 4 to 5 a second), falling pitch and fading level after Bachorowski,
Smoski & Owren 2001, "The acoustic features of human laughter", JASA 110(3). It sounds like a caricature, and is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.clips.voices import SAMPLE_RATE, set_level

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from tools.clips.voices import Sound

    Signal = NDArray[np.float64]


@dataclass(frozen=True)
class Laugh:
    """One laugher. `pitch` (Hz) is the first burst's F0; `formants` are (frequency, bandwidth) pairs in Hz."""

    seed: int
    pitch: float
    formants: tuple[tuple[float, float], ...]


def resonate(signal: Signal, frequency: float, bandwidth: float) -> Signal:
    """Two-pole resonator of unit gain at 0 Hz (Klatt 1980, equation 1)."""
    import numpy as np
    from scipy.signal import lfilter

    radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
    poles = [1.0, -2 * radius * np.cos(2 * np.pi * frequency / SAMPLE_RATE), radius**2]
    return np.asarray(lfilter([sum(poles)], poles, signal))


def burst(laugh: Laugh, index: int, draw: Generator) -> Signal:
    """The `index`-th "ha": 70 ms of breath, then 110-160 ms of voice gliding down. Peak 1."""
    import numpy as np
    from scipy.signal import lfilter

    length = int(draw.uniform(0.11, 0.16) * SAMPLE_RATE)
    envelope = np.hanning(length) ** 0.7
    pitch = laugh.pitch * max(1 - 0.04 * index, 0.55) * np.linspace(1.1, 0.85, length)
    pulses = np.diff(np.floor(np.cumsum(pitch) / SAMPLE_RATE), prepend=0.0) > 0
    voiced = (
        lfilter([1.0], [1.0, -0.95], pulses.astype(float)) * envelope + 0.02 * draw.standard_normal(length) * envelope
    )
    breath = 0.06 * draw.standard_normal(int(0.07 * SAMPLE_RATE)) * np.hanning(int(0.07 * SAMPLE_RATE))
    sound = np.concatenate([breath, voiced])
    for frequency, bandwidth in laugh.formants:
        sound = resonate(sound, frequency, bandwidth)
    return np.asarray(sound / np.abs(sound).max())


def perform(laugh: Laugh, seconds: float = 4.0, level: float = -22.0) -> Sound:
    """Bursts until 0.4 s before the end, each fainter than the last; mono at `SAMPLE_RATE`, shape (samples,)."""
    import numpy as np

    draw = np.random.default_rng(laugh.seed)
    sound = np.zeros(round(seconds * SAMPLE_RATE))
    time, index = 0.15, 0
    while time < seconds - 0.4:
        ha = burst(laugh, index, draw) * 0.94**index
        start = round(time * SAMPLE_RATE)
        sound[start : start + len(ha)] += ha[: len(sound) - start]
        time += len(ha) / SAMPLE_RATE + draw.uniform(0.01, 0.05)
        index += 1
    return set_level(sound, level)
