"""Acoustic fingerprints: the same recording recognised in other rates, formats and levels, trimmed or padded.

Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002): sound at 5 kHz in frames of 0.37 s every
11.6 ms, 33 logarithmic bands from 300 to 2,000 Hz; each frame gives 32 bits, the signs of the differences of energy
between neighbouring bands and frames (equation 1). Two recordings are the same where at one offset fewer than
`MOST_ERRORS` of the bits differ (section 5.2 has 0.35 for 3 s; here it is stricter, since many clips are shorter).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from audio.clip import resample

RATE = 5000  # Hz
FRAME = 1850  # samples, 0.37 s
TRANSFORM = 2048  # samples, FRAME with zeros
HOP = 58  # samples, 11.6 ms
BANDS = np.geomspace(300.0, 2000.0, 34)  # Hz, edges of 33 bands
QUIET = 1e-5  # energy of a frame, as a share of the loudest one's, under which its bits are noise
MOST_ERRORS = 0.22
PROBES = 48  # frames of a sound that are looked up
NEAR = 4  # bits of 32 in which a looked-up frame may differ
FEWEST_FRAMES = 24  # frames in common that a judgement needs
COVERED = 0.5  # share of the shorter recording that has to be in common

Bits = NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """`bits` (n,), a word of 32 bits for each frame, and whether each frame is `loud` enough to be compared (n,)."""

    bits: Bits
    loud: NDArray[np.bool_]


def fingerprint(samples: NDArray[np.float32], sample_rate: int) -> Fingerprint:
    """The fingerprint of samples (n,); empty for less than two frames (0.4 s)."""
    sound = resample(samples, sample_rate, RATE)
    if len(sound) < FRAME + HOP:
        return Fingerprint(np.empty(0, np.uint32), np.empty(0, np.bool_))
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP]
    spectrum = fft.rfft(frames * np.hanning(FRAME).astype(np.float32), TRANSFORM)
    energy = (np.abs(spectrum) ** 2) @ _bands().T  # (frames, 33)
    across = energy[:, :-1] - energy[:, 1:]
    signs = np.diff(across, axis=0) > 0  # (frames - 1, 32)
    total = energy.sum(axis=1)[1:]
    packed = np.packbits(signs, axis=1).view(">u4")[:, 0].astype(np.uint32)
    return Fingerprint(packed, total > QUIET * total.max(initial=0.0))


@cache
def _bands() -> NDArray[np.float64]:
    """Which frequency of a frame belongs to which band (33, frequencies)."""
    frequencies = np.fft.rfftfreq(TRANSFORM, 1 / RATE)
    edges = BANDS[:, None]
    return ((frequencies >= edges[:-1]) & (frequencies < edges[1:])).astype(np.float64)


class Index:
    """Fingerprints by name, to be asked which of them a sound is."""

    def __init__(self, known: Mapping[str, Fingerprint]) -> None:
        self.known = {name: one for name, one in known.items() if len(one.bits)}
        self._names = list(self.known)
        lengths = [len(one.bits) for one in self.known.values()]
        self._starts = np.cumsum([0, *lengths])
        self._bits = np.concatenate([np.empty(0, np.uint32), *(one.bits for one in self.known.values())])

    def find(self, sound: Fingerprint) -> str:
        """The name of the recording that `sound` is a copy of; empty where it is of none."""
        loud = np.flatnonzero(sound.loud)
        if len(loud) < FEWEST_FRAMES or not len(self._bits):
            return ""
        probes = loud[np.linspace(0, len(loud) - 1, min(PROBES, len(loud))).astype(int)]
        tried: set[tuple[int, int]] = set()
        for probe in probes:
            hits = np.flatnonzero(np.bitwise_count(self._bits ^ sound.bits[probe]) <= NEAR)
            for hit in hits:
                number = int(np.searchsorted(self._starts, hit, side="right")) - 1
                offset = int(hit - self._starts[number] - probe)
                if (number, offset) not in tried and same(self.known[self._names[number]], sound, offset):
                    return self._names[number]
                tried.add((number, offset))
        return ""


def same(known: Fingerprint, sound: Fingerprint, offset: int) -> bool:
    """Whether frame i of `sound` is frame i + offset of `known`, as far as both are loud there."""
    first, last = max(0, -offset), min(len(sound.bits), len(known.bits) - offset)
    if last - first < FEWEST_FRAMES:
        return False
    there = slice(first + offset, last + offset)
    both = known.loud[there] & sound.loud[first:last]
    needed = max(FEWEST_FRAMES, COVERED * min(known.loud.sum(), sound.loud.sum()))
    if both.sum() < needed:
        return False
    differing = np.bitwise_count(known.bits[there] ^ sound.bits[first:last])[both]
    return bool(differing.mean() < 32 * MOST_ERRORS)


def index_of(sounds: Sequence[tuple[str, NDArray[np.float32], int]]) -> Index:
    """An index of recordings, each given as (name, samples (n,), rate in Hz)."""
    return Index({name: fingerprint(samples, rate) for name, samples, rate in sounds})
