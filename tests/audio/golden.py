"""What the pocket codec made of one clip, stored: codes and sound that every supported version of every library gives.

`python -m tests.audio.golden` writes `pocket_mimi.npz` again; only a new checkpoint or clip is a reason to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import audio
from audio.clip import load
from audio.codec import Codec, load_codec

PACKAGE = Path(audio.__file__).parent
FILE = Path(__file__).parent / "pocket_mimi.npz"
SECONDS = 14
"""Longer than the 10 s that Mimi's attention spans: a window that is not applied shows."""
EVERY = 97
"""Of the sound every 97th sample is stored."""


def long_clip(codec: Codec) -> NDArray[np.float32]:
    """The built-in English clip said again and again, (SECONDS * 24000,)."""
    clip = load(PACKAGE / "clips/English_speech.flac", codec.sample_rate)
    return np.resize(clip.samples, SECONDS * codec.sample_rate)


def made(backend: str) -> dict[str, NDArray[Any]]:
    """Codes (32, frames) and every EVERYth sample of the sound of 8 codebooks."""
    codec = load_codec(PACKAGE / "pocket_mimi", device="cpu", backend=backend)
    (codes,) = codec.encode([long_clip(codec)])
    (sound,) = codec.decode([codes[:8]])
    return {"codes": codes.astype(np.uint8), "sound": sound[::EVERY]}


if __name__ == "__main__":
    np.savez_compressed(FILE, **made("transformers"))  # type: ignore[arg-type]
