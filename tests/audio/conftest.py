"""Fixtures of the ground floor: sound that is always there, and Mimi checkpoints with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.clip import load
from audio.codec import Codec, load_codec
from basics.kernels import keep_kernels_whole
from tests.checkpoints import random_checkpoint

Samples = NDArray[np.float32]
RATE = 16_000

keep_kernels_whole()  # some tests use librosa themselves


@pytest.fixture(scope="session")
def speech(repository: Path) -> Samples:
    """Four seconds of a demonstration voice at 16 kHz."""
    return load(repository / "audio" / "clips" / "English_speech.flac", RATE).samples[: 4 * RATE]


@pytest.fixture(scope="session")
def noisy(speech: Samples) -> Samples:
    """The same with noise 10 dB below it."""
    return add_noise(speech, 10.0)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Mimi with random weights, as `transformers` saves it."""
    return random_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def codec(checkpoint: Path) -> Codec:
    """The small Mimi through `transformers`, on the CPU."""
    return load_codec(checkpoint, device="cpu")


@pytest.fixture(scope="session")
def signals(repository: Path) -> list[Samples]:
    """Speech at 24 kHz of unequal lengths: whole frames, a frame and a bit, less than a frame, more than one chunk."""
    clips = sorted((repository / "audio" / "clips").glob("*_speech*.flac"))
    sound = np.concatenate([load(path, 24_000).samples for path in clips])
    return [sound[:length] for length in (1920 * 25, 1920 * 30 + 77, 1000, 24_000 * 13 + 5)]


def add_noise(signal: Samples, snr: float, seed: int = 0) -> Samples:
    """White noise `snr` dB below the signal, added."""
    noise = np.random.default_rng(seed).standard_normal(len(signal)).astype(np.float32)
    return signal + noise * np.float32(signal.std() / noise.std() * 10 ** (-snr / 20))
