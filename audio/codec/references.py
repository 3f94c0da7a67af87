"""Codecs that every listener knows, as references beside neural ones: Opus and MP3, by ffmpeg, at stated bitrates.

Both run at a constant bitrate, so that they hold what is stated. What an encoder puts in front of the sound (its
delay: 6.5 ms of Opus, 1105 samples of LAME) is written into the file and taken out again by ffmpeg's decoder: no
measure is charged with it. Opus: RFC 6716 through libopus at 48 kHz. MP3: MPEG-2 Audio Layer III through libmp3lame at
24 kHz, which holds all that is measured here and has the low bitrates.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from audio.codec.contract import Audio, Rate, SoundCodec, fitted
from basics.errors import Unavailable, Undefined
from basics.messages import say

REMEDY = say(
    "install ffmpeg with its usual encoders (`apt-get install ffmpeg`, `brew install ffmpeg`), or leave it out"
)


@dataclass(frozen=True)
class Format:
    """How ffmpeg is asked for it: encoder, container, Hz, options, and the kbit/s it has for one channel."""

    encoder: str
    suffix: str
    sample_rate: int
    options: tuple[str, ...]
    kilobits: tuple[int, ...]


FORMATS = {
    "opus": Format("libopus", ".opus", 48_000, ("-vbr", "off"), tuple(range(6, 257))),
    "mp3": Format(
        "libmp3lame", ".mp3", 24_000, ("-write_xing", "1"), (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    ),
}


class FfmpegCodec(SoundCodec):
    """Opus or MP3. Raises Unavailable where ffmpeg or its encoder is not here."""

    def __init__(self, name: str) -> None:
        self._format = FORMATS[name]
        self.name, self.sample_rate = name, self._format.sample_rate
        version = _version()
        if self._format.encoder not in _encoders():
            raise Unavailable(
                say(
                    "the ffmpeg that is here has no encoder {encoder}, which makes {codec}",
                    encoder=self._format.encoder,
                    codec=name,
                ),
                REMEDY,
            )
        self.identity = (f"{self._format.encoder} {' '.join(self._format.options)}", version)
        self.provenance = {"source": name, "encoder": self._format.encoder, "backend": version}

    def rates(self) -> tuple[Rate, ...]:
        return tuple(Rate(1000.0 * kilobits) for kilobits in self._format.kilobits)

    def transcode(self, audio: Sequence[Audio], rate: Rate) -> list[Audio]:
        self._require_audio(audio)
        return [self._through(signal, rate) for signal in audio]

    def _through(self, signal: Audio, rate: Rate) -> Audio:
        raw = ["-f", "f32le", "-ar", str(self.sample_rate), "-ac", "1"]
        chosen = ["-c:a", self._format.encoder, "-b:a", f"{rate.bits_per_second:.0f}", *self._format.options]
        with TemporaryDirectory(prefix="earwitness-") as folder:
            made = Path(folder) / f"sound{self._format.suffix}"  # a file, whose head can be completed at the end
            self._run([*raw, "-i", "pipe:0", *chosen, str(made)], np.asarray(signal, "<f4").tobytes())
            content = self._run(["-i", str(made), *raw, "pipe:1"], b"")
        return fitted(np.frombuffer(content, "<f4").astype(np.float32), len(signal))

    def _run(self, arguments: Sequence[str], given: bytes) -> bytes:
        command = ["ffmpeg", "-v", "error", "-bitexact", "-threads", "1", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
            raise Undefined(f"ffmpeg could not take the sound through {self.name} ({said or done.returncode})")
        return done.stdout


def _version() -> str:
    """`ffmpeg version 5.1.6`. Raises Unavailable where there is none."""
    if shutil.which("ffmpeg") is None:
        raise Unavailable(say("Opus and MP3 are made by ffmpeg, which is not installed"), REMEDY)
    return _asked("-version").partition(" Copyright")[0]


def _encoders() -> frozenset[str]:
    return frozenset(words[1] for line in _asked("-encoders").splitlines() if len(words := line.split()) > 1)


@cache
def _asked(what: str) -> str:
    return subprocess.run(["ffmpeg", "-hide_banner", what], capture_output=True, text=True, check=False).stdout
