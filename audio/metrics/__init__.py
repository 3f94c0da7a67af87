"""Measures of an estimate against its reference: each a pure function `(reference, estimate, *, sample_rate) -> float`.

| name | function | range | better |
|---|---|---|---|
| `pesq_wb`, `pesq_nb` | `pesq(mode=...)` | 1.0 to 4.6 MOS-LQO | higher |
| `stoi`, `estoi` | `stoi`, `estoi` | about 0 to 1 | higher |
| `si_sdr` | `si_sdr` | dB | higher |
| `log_mel_distance` | `log_mel_distance` | dB, from 0 | lower |
| `mrstft_distance` | `multi_resolution_stft_distance` | from 0 | lower |

Signals are mono vectors (n,) of one length and rate, aligned. A measure that has no value for its input raises
`audio.errors.Undefined` with the reason. `measure_pairs` measures many pairs side by side and survives crashes.
"""

from __future__ import annotations

from audio.metrics.distances import log_mel_distance, multi_resolution_stft_distance, si_sdr
from audio.metrics.engine import measure_pairs
from audio.metrics.intelligibility import estoi, stoi, stoi_and_estoi
from audio.metrics.quality import WindowMean, pesq
from audio.metrics.registry import HIGHER_IS_BETTER, METRICS, SPEECH_ONLY

__all__ = [
    "HIGHER_IS_BETTER",
    "METRICS",
    "SPEECH_ONLY",
    "WindowMean",
    "estoi",
    "log_mel_distance",
    "measure_pairs",
    "multi_resolution_stft_distance",
    "pesq",
    "si_sdr",
    "stoi",
    "stoi_and_estoi",
]
