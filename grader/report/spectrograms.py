"""Spectrograms of an original, its reconstruction and their difference, as small images."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.report.sounds import Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.float64]

WINDOW_SECONDS = 0.032  # long enough to part the harmonics of a low voice, short enough to keep syllables apart
SIZE = (560, 160)  # pixels, width and height
RANGE_DB = 70.0  # below the loudest bin of the original
DIFFERENCE_DB = 30.0
TOP_HZ = 8000.0
QUALITY = 70  # of WebP, at which nothing is lost to the eye


@dataclass(frozen=True)
class Spectrograms:
    """Three images as data URIs, and the axes they share: `seconds` wide, `khz` high."""

    original: str
    reconstruction: str
    difference: str
    seconds: float
    khz: float


def spectrograms(original: Samples, reconstruction: Samples, sample_rate: int) -> Spectrograms:
    """Of two sounds (n,) of one length: powers down to 70 dB below the original's peak, differences within ±30 dB."""
    top = min(TOP_HZ, sample_rate / 2)
    first, second = power_db(original, sample_rate, top), power_db(reconstruction, sample_rate, top)
    floor = first.max() - RANGE_DB
    first, second = first.clip(floor), second.clip(floor)
    return Spectrograms(
        original=image((first - floor) / RANGE_DB, "magma"),
        reconstruction=image((second - floor) / RANGE_DB, "magma"),
        difference=image((second - first) / (2 * DIFFERENCE_DB) + 0.5, "PuOr_r"),
        seconds=len(original) / sample_rate,
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
    picture = Image.fromarray(table[levels]).resize(SIZE, Image.Resampling.BILINEAR)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"
