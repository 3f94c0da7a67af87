"""STOI, PESQ and mel distance of a codec on the held-out sets, group by group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from pesq import PesqError, pesq
from pystoi import stoi
from torch import Tensor

from tools.pocket_mimi.losses import DECIBEL, SAMPLE_RATE, SpectralLoss
from tools.pocket_mimi.network import FRAME

Clip = NDArray[np.float32]
Codec = Callable[[Tensor], Tensor]


class Score(NamedTuple):
    """STOI (0-1), wide-band PESQ (1-4.64; NaN where PESQ hears no utterance), mel distance (dB)."""

    stoi: float
    pesq: float
    mel: float


def load_tests(path: Path, each: int | None = None) -> dict[str, list[Clip]]:
    """The test set that `corpus.write` left, as float sound by group; at most `each` clips a group."""
    groups: dict[str, list[Clip]] = defaultdict(list)
    with np.load(path) as archive:
        for name in archive.files:
            group, index = name.split("/")
            if each is None or int(index) < each:
                groups[group].append(archive[name].astype(np.float32) / 32768)
    return dict(groups)


def score(reference: Clip, estimate: Clip, distance: SpectralLoss) -> Score:
    """One reconstruction at 24 kHz against its original, both (samples,)."""
    wide = [soxr.resample(sound, SAMPLE_RATE, 16_000) for sound in (reference, estimate)]
    try:
        opinion = float(pesq(16_000, *wide, "wb"))
    except PesqError:
        opinion = float("nan")
    with torch.no_grad():
        mel = distance(torch.from_numpy(estimate)[None], torch.from_numpy(reference)[None])[1].item() * DECIBEL
    return Score(float(stoi(reference, estimate, SAMPLE_RATE)), opinion, mel)


def reconstruct(codec: Codec, clip: Clip) -> Clip:
    """Pad to whole frames, run the codec, cut back. (samples,) -> (samples,)"""
    padded = np.pad(clip, (0, -len(clip) % FRAME))
    with torch.no_grad():
        output: Clip = codec(torch.from_numpy(padded)[None, None])[0, 0].float().numpy()
    return output[: len(clip)]


def evaluate(codec: Codec, tests: dict[str, list[Clip]], label: str = "") -> dict[str, Score]:
    """Mean scores of every group; printed as they come."""
    distance = SpectralLoss()
    means: dict[str, Score] = {}
    for group, clips in tests.items():
        scores = [score(clip, reconstruct(codec, clip), distance) for clip in clips]
        means[group] = Score(*(float(np.nanmean(column)) for column in zip(*scores, strict=True)))
        print(f"  {label:12} {group:12} STOI {means[group].stoi:.3f} ", end="")
        print(f"PESQ {means[group].pesq:.2f} mel {means[group].mel:.2f} dB", flush=True)
    return means
