"""Second phase: residual k-means codebooks over the trained encoder's latents.

One semantic codebook over what a linear map of the latents tells of the short-term cepstrum, and 31 acoustic codebooks,
each fitted to what the ones before it leave (residual vector quantization; Zeghidour et al. 2021, arXiv:2107.03312,
section III-C).
Kyutai's semantic codebook is distilled from WavLM; a cepstrum is the nearest thing to be had without another network.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tools.pocket_mimi.losses import SAMPLE_RATE
from tools.pocket_mimi.network import CODEBOOK_DIM, CODEBOOK_SIZE, FRAME, PocketMimi, StaticMimi

CEPSTRA = 20
ITERATIONS = 10


class Latents(NamedTuple):
    """Encoded training speech: `codes` (frames, 192) before any projection, `sound` (frames * 1920,)."""

    codes: Tensor
    sound: NDArray[np.float32]


def encode_corpus(model: PocketMimi, path: Path, minutes: float, seed: int = 0) -> Latents:
    """Encode the first `minutes` of the training speech, utterance by utterance, each at a random level."""
    draw, network = np.random.default_rng(seed), StaticMimi(model)
    codes, sounds = [], []
    with np.load(path) as archive, torch.no_grad():
        audio, ends = archive["audio"], np.cumsum(archive["lengths"])
        for start, end in zip((0, *ends[:-1]), ends, strict=True):
            sound = audio[start : end - (end - start) % FRAME].astype(np.float32) / 32768
            sound *= min(10 ** (draw.uniform(-6, 6) / 20), 0.99 / np.abs(sound).max())
            codes.append(network.encode(torch.from_numpy(sound)[None, None])[0].T)
            sounds.append(sound)
            if end > minutes * 60 * SAMPLE_RATE:
                break
    return Latents(torch.cat(codes), np.concatenate(sounds))


def cepstra(sound: NDArray[np.float32]) -> Tensor:
    """(frames * 1920,) -> (frames, 60): mel cepstra 1-20 at 12.5 Hz, their change, and the frame before."""
    mel = librosa.feature.melspectrogram(
        y=sound, sr=SAMPLE_RATE, n_fft=1024, hop_length=480, n_mels=40, fmin=60, fmax=8000, power=1.0
    )
    frames = len(sound) // FRAME
    log_mel = np.log(mel[:, : 4 * frames] + 1e-2).reshape(40, frames, 4).mean(axis=2)
    now = librosa.feature.mfcc(S=log_mel, n_mfcc=CEPSTRA + 1)[1:].T
    before = np.concatenate([now[:1], now[:-1]])
    return torch.from_numpy(np.concatenate([now, 0.7 * (now - before), 0.5 * before], axis=1)).float()


def semantic_projection(latents: Latents) -> Tensor:
    """(256, 192): ridge regression of the cepstra on the latents, turned into the codebook's 256 dimensions.

    The turn is orthonormal, so distances (all that k-means sees) are those among predicted cepstra.
    """
    target = cepstra(latents.sound)
    target = (target - target.mean(0)) / target.std()
    centred = latents.codes - latents.codes.mean(0)
    ridge = 1e-2 * len(centred) * centred.var() * torch.eye(centred.shape[1])
    weights = torch.linalg.solve(centred.T @ centred + ridge, centred.T @ target)  # (192, 60)
    explained = 1 - (target - centred @ weights).square().sum() / target.square().sum()
    print(f"semantic projection explains {explained:.2f} of the cepstra's variance")
    turn = torch.linalg.qr(torch.randn(CODEBOOK_DIM, target.shape[1]))[0]
    projection: Tensor = turn @ weights.T
    return projection


def nearest(points: Tensor, centres: Tensor) -> Tensor:
    """Index of the nearest centre of each point; (points, dim), (centres, dim) -> (points,)."""
    half = centres.square().sum(1) / 2
    return torch.cat([(chunk @ centres.T - half).argmax(1) for chunk in torch.split(points, 8192)])


def k_means(points: Tensor, count: int = CODEBOOK_SIZE) -> Tensor:
    """Lloyd's algorithm from random points; an empty cell restarts at a badly served point. Returns (count, dim)."""
    centres = points[torch.randperm(len(points))[:count]].clone()
    for _ in range(ITERATIONS):
        index = nearest(points, centres)
        sums = torch.zeros_like(centres).index_add_(0, index, points)
        sizes = torch.bincount(index, minlength=count)
        centres = torch.where(sizes[:, None] > 0, sums / sizes.clamp(min=1)[:, None], centres)
        empty = (sizes == 0).nonzero()[:, 0]
        if len(empty):
            error = (points - centres[index]).square().sum(1)
            centres[empty] = points[torch.multinomial(error, len(empty))]
    return centres


def set_codebook(codebook: PocketMimi, centres: Tensor) -> None:
    """Store centres the way Mimi keeps them: sums and usage counts, whose ratio is the embedding."""
    codebook.embed_sum.copy_(centres)
    codebook.cluster_usage.fill_(1.0)
    codebook._embed = None  # transformers caches the ratio


@torch.no_grad()
def fit_codebooks(model: PocketMimi, latents: Latents) -> None:
    """Fit all 32 codebooks in place. The semantic one has no say in the sound yet: its output projection is 0."""
    semantic = model.quantizer.semantic_residual_vector_quantizer
    acoustic = model.quantizer.acoustic_residual_vector_quantizer
    semantic.input_proj.weight.copy_(semantic_projection(latents)[:, :, None])
    semantic.output_proj.weight.zero_()
    set_codebook(semantic.layers[0].codebook, k_means(latents.codes @ semantic.input_proj.weight[:, :, 0].T))
    residual = latents.codes @ acoustic.input_proj.weight[:, :, 0].T
    power = (residual - residual.mean(0)).square().mean()
    for level, layer in enumerate(acoustic.layers, start=1):
        centres = k_means(residual)
        set_codebook(layer.codebook, centres)
        index = nearest(residual, centres)
        residual = residual - centres[index]
        ratio = 10 * math.log10(power / residual.square().mean())
        if level in (1, 3, 7, 15, 31):
            print(
                f"acoustic codebook {level}: {len(torch.unique(index))} codes used, signal to residual {ratio:.1f} dB"
            )
