"""Measures of an estimate against its reference: each a pure function `(reference, estimate, *, sample_rate) -> float`.

Units, ranges, directions and sources stand in `audio.measures.MEASURES`. Signals are mono vectors (n,) of one length
and rate, aligned. A measure that has no value for its input raises `basics.errors.Undefined` with the reason.
`measure_pairs` measures many pairs side by side and survives crashes.
"""

from __future__ import annotations

from audio.metrics.distances import log_mel_distance, multi_resolution_stft_distance, si_sdr
from audio.metrics.engine import measure_pairs
from audio.metrics.intelligibility import estoi, stoi, stoi_and_estoi
from audio.metrics.pitch import f0_correlation, f0_error
from audio.metrics.quality import WindowMean, pesq
from audio.metrics.registry import METRICS

__all__ = [
    "METRICS",
    "WindowMean",
    "estoi",
    "f0_correlation",
    "f0_error",
    "log_mel_distance",
    "measure_pairs",
    "multi_resolution_stft_distance",
    "pesq",
    "si_sdr",
    "stoi",
    "stoi_and_estoi",
]
