"""First phase: encoder and decoder together, with noise in the latent space where the quantizer will be.

python -m tools.pocket_mimi.autoencoder --data DIR --state DIR/autoencoder.pt --minutes 60 [--warm-start CHECKPOINT]
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.pocket_mimi.evaluate import evaluate, load_tests
from tools.pocket_mimi.losses import DECIBEL, SpectralLoss
from tools.pocket_mimi.network import FRAME, PocketMimi, StaticMimi, fresh_model, warm_start

NOISE = 0.05  # of the latents' RMS. More (0.3) makes a code of so few dimensions that 8 and 32 codebooks sound alike
LEAD_IN = 960  # samples left out of the loss: there the causal network has heard nothing yet
FLOOR = 0.03  # the last learning rate as a share of the first


class Excerpts:
    """Random stretches of the training sound, at random level (-8 to +8 dB) and polarity."""

    def __init__(self, path: Path, seed: int = 0) -> None:
        with np.load(path) as archive:
            self.audio: NDArray[np.int16] = archive["audio"]
        self.draw = np.random.default_rng(seed)

    def one(self, samples: int) -> NDArray[np.float32]:
        """A stretch that is not silent."""
        while True:
            start = self.draw.integers(len(self.audio) - samples)
            sound = self.audio[start : start + samples].astype(np.float32) / 32768
            if (peak := np.abs(sound).max()) > 0.05:
                gain = min(10 ** (self.draw.uniform(-8, 8) / 20), 0.99 / peak)
                return np.asarray(sound * gain * self.draw.choice((-1, 1)), dtype=np.float32)

    def batch(self, size: int, frames: int) -> Tensor:
        """(size, 1, frames * 1920)"""
        return torch.from_numpy(np.stack([self.one(frames * FRAME) for _ in range(size)]))[:, None]


class Schedule:
    """Cosine learning rate over wall-clock time, after a warm-up: a shared CPU makes step counts unpredictable."""

    def __init__(self, optimizer: torch.optim.Optimizer, peak: float, minutes: float, warm_up: int = 100) -> None:
        self.optimizer, self.peak, self.seconds, self.warm_up = optimizer, peak, minutes * 60, warm_up
        self.start, self.step = time.monotonic(), 0

    def advance(self) -> bool:
        """Set the next step's learning rate; False when the time is up."""
        self.step += 1
        progress = (time.monotonic() - self.start) / self.seconds
        cosine = FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(progress, 1)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.peak * min(1, self.step / self.warm_up) * cosine
        return progress < 1


class Log:
    """Prints running means of a loss every 100 steps."""

    def __init__(self) -> None:
        self.start = self.last = time.monotonic()
        self.losses: list[tuple[float, float]] = []

    def add(self, step: int, loss: Tensor, mel: Tensor) -> None:
        self.losses.append((loss.item(), mel.item() * DECIBEL))
        if step % 100 == 0:
            now = time.monotonic()
            mean_loss, mean_mel = np.mean(self.losses, axis=0)
            pace = len(self.losses) / (now - self.last)
            minutes = (now - self.start) / 60
            print(
                f"{minutes:5.1f} min step {step} loss {mean_loss:.3f} mel {mean_mel:.2f} dB, {pace:.2f} steps/s",
                flush=True,
            )
            self.losses, self.last = [], now


def bottleneck(model: PocketMimi, latents: Tensor, noise: float = 0.0) -> Tensor:
    """Latents through the acoustic projections with noise in between; (batch, 192, frames) in and out."""
    quantizer = model.quantizer.acoustic_residual_vector_quantizer
    code: Tensor = quantizer.input_proj(latents)
    scale = code.detach().square().mean().sqrt() * noise
    code = code + torch.randn_like(code) * scale * torch.rand(len(code), 1, 1)
    result: Tensor = quantizer.output_proj(code)
    return result


def train(options: argparse.Namespace) -> None:
    """Run the phase; leaves the weights in `options.state`, also every five minutes on the way."""
    torch.manual_seed(options.seed)
    model = fresh_model()
    if options.warm_start:
        warm_start(model, options.warm_start)
    if options.resume:
        model.load_state_dict(torch.load(options.resume))
    network, plain = StaticMimi(model, compiled=options.compile), StaticMimi(model)
    excerpts = Excerpts(options.data / "train.npz", seed=options.seed)
    loss_of, log = SpectralLoss(), Log()
    tests = load_tests(options.data / "test.npz", each=3)
    optimizer = torch.optim.AdamW(model.parameters(), options.rate, betas=(0.8, 0.99), weight_decay=1e-3)
    schedule, next_save = Schedule(optimizer, options.rate, options.minutes), time.monotonic() + 300
    while schedule.advance():
        sound = excerpts.batch(options.batch, options.frames)
        output = network.decode(bottleneck(model, network.encode(sound), NOISE))
        loss, mel = loss_of(output[:, 0, LEAD_IN:], sound[:, 0, LEAD_IN:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        log.add(schedule.step, loss, mel)
        if time.monotonic() > next_save:
            torch.save(model.state_dict(), options.state)
            evaluate(lambda x: plain.decode(bottleneck(model, plain.encode(x))), tests, "unquantized")
            next_save = time.monotonic() + options.every * 60
    torch.save(model.state_dict(), options.state)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the pocket codec's encoder and decoder without a quantizer.")
    parser.add_argument("--data", type=Path, required=True, help="folder that tools.pocket_mimi.corpus wrote")
    parser.add_argument("--state", type=Path, required=True, help="file for the weights")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=10, help="minutes between evaluations")
    parser.add_argument("--warm-start", type=Path, help="folder of an earlier checkpoint")
    parser.add_argument("--resume", type=Path, help="weights that an earlier run of this phase left")
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


if __name__ == "__main__":
    train(parse())
