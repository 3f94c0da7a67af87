"""Sounds of the page, each once: inline as a data URI or as a file beside the page; and their spectrograms."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from basics.errors import Undefined
from basics.files import write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.float64]

Samples: TypeAlias = Any
"""Mono samples (n,) float32 in [-1, 1]; numpy is imported where they are worked on."""

LOUDEST = 0.99
"""Peak that level matching may reach, of full scale."""
MP3_QUALITY = 0.6
"""libsndfile's `compression_level` for MP3: about 38 kbit/s for speech at 24 kHz."""

WINDOW_SECONDS = 0.032  # long enough to part the harmonics of a low voice, short enough to keep syllables apart
PICTURE_SIZE = (560, 160)  # pixels, width and height
RANGE_DB = 70.0  # below the loudest bin of the first sound
DIFFERENCE_DB = 30.0
TOP_HZ = 8000.0
PICTURE_QUALITY = 70  # of WebP, at which nothing is lost to the eye


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

    def as_it_is(self, file: Path, media_type: str) -> str:
        """Keep a file that the page offers unchanged; its id."""
        return self._keep(file.read_bytes(), file.suffix.removeprefix("."), media_type)

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

    clip = load(file, allow_truncated=True)  # what was measured is played; the evidence tells what it was
    return encoded(clip.samples, clip.sample_rate, "MP3", "MPEG_LAYER_III")


def encoded(samples: Samples, sample_rate: int, container: str, subtype: str) -> bytes:
    """A sound file as bytes."""
    import soundfile

    options = {"compression_level": MP3_QUALITY, "bitrate_mode": "VARIABLE"} if container == "MP3" else {}
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


def heard(first: Path, second: Path) -> tuple[Samples, Samples, int]:
    """Both sounds (n,), aligned, at the second's sample rate; silent ones as they are, cut to one length."""
    from audio.clip import align, load

    estimate = load(second, allow_truncated=True)
    rate = estimate.sample_rate
    reference = load(first, rate, allow_truncated=True)
    try:
        aligned = align(reference.samples, estimate.samples, rate)
    except Undefined:
        length = min(len(reference.samples), len(estimate.samples))
        return reference.samples[:length], estimate.samples[:length], rate
    return aligned.reference, aligned.estimate, rate


@dataclass(frozen=True)
class Spectrograms:
    """Three images as data URIs, and the axes they share: `seconds` wide, `khz` high."""

    first: str
    second: str
    difference: str
    seconds: float
    khz: float


def spectrograms(first: Samples, second: Samples, sample_rate: int) -> Spectrograms:
    """Of two sounds (n,) of one length: powers down to 70 dB below the first's peak, differences within ±30 dB."""
    top = min(TOP_HZ, sample_rate / 2)
    before, after = power_db(first, sample_rate, top), power_db(second, sample_rate, top)
    floor = before.max() - RANGE_DB
    before, after = before.clip(floor), after.clip(floor)
    return Spectrograms(
        first=image((before - floor) / RANGE_DB, "magma"),
        second=image((after - floor) / RANGE_DB, "magma"),
        difference=image((after - before) / (2 * DIFFERENCE_DB) + 0.5, "PuOr_r"),
        seconds=len(first) / sample_rate,
        khz=top / 1000,
    )


def power_db(samples: Samples, sample_rate: int, top: float) -> Picture:
    """Power in dB (frequencies up to `top` Hz, frames) by a short-time Fourier transform with Hann windows."""
    import numpy as np
    from scipy.signal import stft

    length = int(WINDOW_SECONDS * sample_rate)
    frequencies, _, spectrum = stft(samples, sample_rate, nperseg=length, noverlap=length * 3 // 4)
    kept: Any = np.abs(spectrum[frequencies <= top]) ** 2
    return np.asarray(10 * np.log10(kept + 1e-12), np.float64)


def image(shares: Picture, colours: str) -> str:
    """Values in [0, 1] (rows from the bottom up, columns) in a colour map of matplotlib, as a WebP data URI."""
    import matplotlib
    import numpy as np
    from PIL import Image

    table = (matplotlib.colormaps[colours](np.arange(256))[:, :3] * 255).astype(np.uint8)
    levels = np.flipud(np.clip(shares * 255, 0, 255)).astype(np.uint8)
    picture = Image.fromarray(table[levels]).resize(PICTURE_SIZE, Image.Resampling.BILINEAR)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=PICTURE_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"
