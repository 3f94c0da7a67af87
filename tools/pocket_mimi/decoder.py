"""Second and third phase: codebooks over the frozen encoder's latents, then the decoder alone on quantized latents.

Quantizer dropout (Zeghidour et al. 2021, arXiv:2107.03312, section III-C) makes one decoder serve every number of
codebooks.

    python -m tools.pocket_mimi.decoder --data DIR --state DIR/autoencoder.pt --out DIR/checkpoint --minutes 20
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.pocket_mimi.autoencoder import Log, Schedule
from tools.pocket_mimi.codebooks import Latents, encode_corpus, fit_codebooks, nearest
from tools.pocket_mimi.evaluate import Codec, evaluate, load_tests
from tools.pocket_mimi.losses import SpectralLoss
from tools.pocket_mimi.network import FRAME, PocketMimi, StaticMimi, fresh_model

LADDER = (1, 2, 4, 8, 16, 32)
# Chances of each number of acoustic codebooks in a training excerpt: the course listens to 7, all 31 sound best.
DROPOUT = {0: 0.08, 1: 0.08, 2: 0.06, 3: 0.1, 5: 0.08, 7: 0.3, 15: 0.1, 31: 0.2}
LEAD_IN = FRAME  # samples left out of the loss: there the decoder lacks the frames before the excerpt


class QuantizedExcerpts:
    """Random stretches of the encoded corpus as quantized latents, with the sound they stand for."""

    def __init__(self, model: PocketMimi, latents: Latents, seed: int = 0) -> None:
        self.semantic = model.quantizer.semantic_residual_vector_quantizer
        self.acoustic = model.quantizer.acoustic_residual_vector_quantizer
        self.sound: NDArray[np.float32] = latents.sound
        with torch.no_grad():
            semantic_points = latents.codes @ self.semantic.input_proj.weight[:, :, 0].T
            self.semantic_book = self.semantic.layers[0].codebook.embed.clone()
            self.semantic_codes = nearest(semantic_points, self.semantic_book)
            residual = latents.codes @ self.acoustic.input_proj.weight[:, :, 0].T
            self.books = torch.stack([layer.codebook.embed for layer in self.acoustic.layers])
            codes = []
            for book in self.books:
                codes.append(nearest(residual, book))
                residual = residual - book[codes[-1]]
            self.codes = torch.stack(codes, dim=1)  # (frames, 31)
        self.draw = np.random.default_rng(seed)
        loud = np.abs(self.sound).reshape(-1, FRAME).max(axis=1) > 0.02
        self.starts = np.flatnonzero(loud)

    def batch(self, size: int, frames: int) -> tuple[Tensor, Tensor]:
        """Latents for the decoder, (size, 192, frames), and their sound, (size, frames * 1920)."""
        limit = len(self.codes) - frames
        starts = np.clip(self.draw.choice(self.starts, size) - self.draw.integers(0, frames, size), 0, limit)
        counts = self.draw.choice(list(DROPOUT), size, p=list(DROPOUT.values()))
        spans = [slice(start, start + frames) for start in starts]
        semantic = torch.stack([self.semantic_book[self.semantic_codes[span]] for span in spans])
        acoustic = torch.stack([self.sum_of(span, count) for span, count in zip(spans, counts, strict=True)])
        sound = np.stack([self.sound[start * FRAME : (start + frames) * FRAME] for start in starts])
        latents = self.semantic.output_proj(semantic.transpose(1, 2))
        return latents + self.acoustic.output_proj(acoustic.transpose(1, 2)), torch.from_numpy(sound)

    def sum_of(self, span: slice, count: int) -> Tensor:
        """Sum of the first `count` acoustic code vectors of each frame in `span`: (frames, 256)."""
        levels = torch.arange(count)
        return self.books[levels, self.codes[span, :count]].sum(dim=1)


def codec(model: PocketMimi, codebooks: int) -> Codec:
    """Encode and decode with the first `codebooks` codebooks, through the stock model: (1, 1, samples) in and out."""

    def run(sound: Tensor) -> Tensor:
        codes = model.encode(sound, num_quantizers=codebooks).audio_codes
        audio: Tensor = model.decode(codes).audio_values
        return audio

    return run


def tune(model: PocketMimi, latents: Latents, options: argparse.Namespace) -> None:
    """Train decoder and output projections on quantized latents for `options.minutes`."""
    quantizer = model.quantizer
    parameters = [
        *model.decoder.parameters(),
        quantizer.semantic_residual_vector_quantizer.output_proj.weight,
        quantizer.acoustic_residual_vector_quantizer.output_proj.weight,
    ]
    excerpts, loss_of, log = QuantizedExcerpts(model, latents), SpectralLoss(), Log()
    network = StaticMimi(model, compiled=options.compile)
    optimizer = torch.optim.AdamW(parameters, options.rate, betas=(0.8, 0.99), weight_decay=1e-3)
    schedule = Schedule(optimizer, options.rate, options.minutes, warm_up=50)
    while schedule.advance():
        quantized, sound = excerpts.batch(options.batch, options.frames)
        loss, mel = loss_of(network.decode(quantized)[:, 0, LEAD_IN:], sound[:, LEAD_IN:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        log.add(schedule.step, loss, mel)


def save(model: PocketMimi, out: Path) -> None:
    """Write a half-precision checkpoint that `MimiModel.from_pretrained` loads."""
    half = fresh_model()
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(out)


def train(options: argparse.Namespace) -> None:
    """Run both phases; writes the finished checkpoint to `options.out` and prints its ladder."""
    torch.manual_seed(0)
    model = fresh_model()
    model.load_state_dict(torch.load(options.state))
    latents = encode_corpus(model, options.data / "train.npz", options.corpus_minutes)
    fit_codebooks(model, latents)
    tests = load_tests(options.data / "test.npz", each=3)
    evaluate(codec(model, 8), tests, "8, untuned")
    tune(model, latents, options)
    save(model, options.out)
    for codebooks in LADDER:
        evaluate(codec(model, codebooks), tests, f"{codebooks} codebooks")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fit the pocket codec's codebooks and tune its decoder to them.")
    parser.add_argument("--data", type=Path, required=True, help="folder that tools.pocket_mimi.corpus wrote")
    parser.add_argument("--state", type=Path, required=True, help="weights that tools.pocket_mimi.autoencoder left")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--corpus-minutes", type=float, default=60, help="how much speech to encode")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=13)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


if __name__ == "__main__":
    train(parse())
