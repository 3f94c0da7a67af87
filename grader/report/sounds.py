"""Sounds of the page: each once, inline as a data URI or as a file beside the page."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from basics.files import write_whole

Samples: TypeAlias = Any
"""Mono samples (n,) float32 in [-1, 1]; numpy is imported where they are worked on."""

LOUDEST = 0.99
"""Peak that level matching may reach, of full scale."""
QUALITY = 0.6
"""libsndfile's `compression_level` for MP3: about 38 kbit/s for speech at 24 kHz."""


@dataclass
class SoundBank:
    """Collects the sounds that a page plays. `beside` is the folder for files, None to keep them in the page."""

    beside: Path | None = None
    _places: dict[str, str] = field(default_factory=dict)

    @property
    def places(self) -> Mapping[str, str]:
        """By id of a sound: its data URI, or its path from the page."""
        return self._places

    def exact(self, samples: Samples, sample_rate: int) -> str:
        """Keep `samples` (n,) in [-1, 1] without loss (FLAC, 16 bit), to be compared by ear; its id."""
        return self._keep(encoded(samples, sample_rate, "FLAC", "PCM_16"), "flac", "audio/flac")

    def compact(self, files: Sequence[Path]) -> list[str]:
        """Keep the sound of `files` small (MP3, which every browser plays), to be recognised by ear; their ids."""
        with ThreadPoolExecutor() as threads:  # libsndfile works without the interpreter's lock
            return [self._keep(content, "mp3", "audio/mpeg") for content in threads.map(_as_mp3, files)]

    def _keep(self, content: bytes, suffix: str, media_type: str) -> str:
        name = hashlib.sha256(content).hexdigest()[:12]
        if name in self._places:
            return name
        if self.beside is None:
            self._places[name] = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
        else:
            write_whole(self.beside / f"{name}.{suffix}", content)
            self._places[name] = f"{self.beside.name}/{name}.{suffix}"
        return name


def _as_mp3(file: Path) -> bytes:
    from audio.clip import load

    clip = load(file)
    return encoded(clip.samples, clip.sample_rate, "MP3", "MPEG_LAYER_III")


def encoded(samples: Samples, sample_rate: int, container: str, subtype: str) -> bytes:
    """A sound file as bytes."""
    import soundfile

    options = {"compression_level": QUALITY, "bitrate_mode": "VARIABLE"} if container == "MP3" else {}
    out = io.BytesIO()
    soundfile.write(out, samples, sample_rate, format=container, subtype=subtype, **options)
    return out.getvalue()


@dataclass(frozen=True, eq=False)
class Matched:
    """Two sounds of equal level (root mean square), and by how many dB the second was changed against the first."""

    first: Samples
    second: Samples
    gain_db: float


def level_matched(first: Samples, second: Samples) -> Matched:
    """Bring `second` (m,) to the level of `first` (n,); both are lowered alike where that would clip.

    A silent sound has no level and is left as it is.
    """
    import numpy as np

    levels = [float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) for x in (first, second)]
    gain = levels[0] / levels[1] if min(levels) > 0 else 1.0
    second = second * np.float32(gain)
    peak = max(float(np.abs(x).max(initial=0.0)) for x in (first, second))
    down = np.float32(min(1.0, LOUDEST / peak) if peak > 0 else 1.0)
    return Matched(first * down, second * down, 20 * float(np.log10(gain)))
