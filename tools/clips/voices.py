"""Free text-to-speech voices, driven through their command-line programs.

Two formant and statistical synthesizers that Debian packages: espeak-ng (`NAME` or `LANGUAGE+VARIANT`) and flite.
Sound is float64, mono, in [-1, 1], at `SAMPLE_RATE` Hz.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from basics.errors import EarwitnessError, Unavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float64]

SAMPLE_RATE = 24_000
EDGE = 0.003  # amplitude under which the ends of an utterance count as silence

# Natural mean F0 (Hz) of the flite voices; espeak-ng's pitch is a 0-99 dial whose neutral place is 50.
FLITE_F0 = {"slt": 170, "awb": 130, "rms": 110, "kal16": 105, "kal": 105}


@dataclass(frozen=True)
class Voice:
    """One synthetic speaker: the program that speaks, its voice name, and how people would describe it."""

    name: str
    tool: Literal["espeak-ng", "flite"]
    voice: str
    language: Literal["en", "zh"]
    gender: Literal["female", "male"]


@dataclass(frozen=True)
class Prosody:
    """How to speak. `pitch`, `rate` and `span` are factors of the voice's neutral mean F0, speaking rate and F0 range;
    `gap` is extra silence between words in units of 10 ms (espeak-ng only); `level` is the RMS level in dBFS."""

    pitch: float = 1.0
    rate: float = 1.0
    span: float = 1.0
    gap: int = 0
    level: float = -22.0


def require(program: str) -> str:
    """Path of a program on this machine.

    Raises:
        Unavailable: it is not installed; the remedy names the Debian package.
    """
    found = shutil.which(program)
    if found is None:
        raise Unavailable(f"{program} is not installed", f"apt-get install {program}")
    return found


def speak(voice: Voice, text: str, prosody: Prosody | None = None) -> Sound:
    """Say `text`; returns mono sound of shape (samples,), trimmed to 50 ms before and 100 ms after the speech.

    Raises:
        Unavailable: the voice's program is missing.
        EarwitnessError: the program produced no sound for this voice and text.
    """
    prosody = prosody or Prosody()
    wav = _espeak(voice, text, prosody) if voice.tool == "espeak-ng" else _flite(voice, text, prosody)
    if len(wav) < 100:
        raise EarwitnessError(f"{voice.tool} gave no sound for voice {voice.voice!r} and text {text!r}")
    return set_level(trim(at_sample_rate(wav)), prosody.level)


def _espeak(voice: Voice, text: str, prosody: Prosody) -> bytes:
    pitch = round(50 * prosody.pitch)
    rate = round(160 * prosody.rate)
    markup = f'<speak><prosody range="{round(100 * prosody.span)}%">{text}</prosody></speak>'
    options = ["-v", voice.voice, "-p", str(pitch), "-s", str(rate), "-g", str(prosody.gap), "-m", "--stdout"]
    return subprocess.run([require("espeak-ng"), *options, markup], capture_output=True, check=True).stdout


def _flite(voice: Voice, text: str, prosody: Prosody) -> bytes:
    settings = {
        "int_f0_target_mean": FLITE_F0[voice.voice] * prosody.pitch,
        "int_f0_target_stddev": 12 * prosody.span,
        "duration_stretch": 1 / prosody.rate,
    }
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "speech.wav"
        options = [part for key, value in settings.items() for part in ("--setf", f"{key}={value:.3f}")]
        command = [require("flite"), "-voice", voice.voice, *options, "-t", text, "-o", str(out)]
        subprocess.run(command, capture_output=True, check=True)
        return out.read_bytes()


def at_sample_rate(wav: bytes) -> Sound:
    """WAV bytes, any rate -> mono sound at `SAMPLE_RATE`."""
    import numpy as np
    import soundfile
    import soxr

    if wav[:4] == b"RIFF":  # espeak-ng streams: its header promises more samples than follow
        wav = wav[:40] + (len(wav) - 44).to_bytes(4, "little") + wav[44:]
    sound, rate = soundfile.read(io.BytesIO(wav), dtype="float64", always_2d=True)
    return np.asarray(soxr.resample(sound.mean(axis=1), rate, SAMPLE_RATE, quality="VHQ"))


def trim(sound: Sound) -> Sound:
    """Cut silence at both ends, keeping 50 ms before and 100 ms after what is louder than `EDGE`."""
    import numpy as np

    loud = np.flatnonzero(np.abs(sound) > EDGE)
    if not len(loud):
        return sound
    return sound[max(0, loud[0] - SAMPLE_RATE // 20) : loud[-1] + SAMPLE_RATE // 10]


def set_level(sound: Sound, level: float) -> Sound:
    """Scale to an RMS of `level` dBFS, less where the peak would pass 0.98."""
    import numpy as np

    rms = float(np.sqrt(np.mean(np.square(sound))))
    scaled = sound * (10 ** (level / 20) / max(rms, 1e-9))
    return np.asarray(scaled * min(1.0, 0.98 / max(float(np.abs(scaled).max()), 1e-9)))
