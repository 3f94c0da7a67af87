"""Music for the demonstration clips: short pieces composed here by chance, written as MIDI and played by fluidsynth.

Standard MIDI Files 1.0: one header chunk, one track chunk, event times as variable-length quantities.
"""

from __future__ import annotations

import random
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from basics.errors import Unavailable
from tools.clips.voices import SAMPLE_RATE, at_sample_rate, require, set_level

if TYPE_CHECKING:
    from tools.clips.voices import Sound

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
TICKS = 480  # a quarter note
BAR = 4 * TICKS
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
DRUMS = 9  # General MIDI's percussion channel
KICK, SNARE, HAT = 36, 38, 42


@dataclass(frozen=True)
class Piece:
    """Four bars. `melody`, `chords`, `bass` are General MIDI programs (from 0); `key` is the tonic's MIDI note."""

    seed: int
    melody: int
    chords: int
    bass: int
    key: int
    scale: tuple[int, ...]
    beats_per_minute: int
    drums: bool


@dataclass(frozen=True)
class Note:
    """One note: start and length in ticks, channel, MIDI pitch, velocity."""

    start: int
    length: int
    channel: int
    pitch: int
    velocity: int


def compose(piece: Piece) -> Iterator[Note]:
    """Chords on the steps I, IV, V and vi, a bass on their roots, a random melody in the scale, drums if wanted."""
    draw = random.Random(piece.seed)
    step = {degree: piece.scale[degree % 7] + 12 * (degree // 7) for degree in range(14)}
    for bar in range(4):
        start, root = bar * BAR, draw.choice((0, 3, 4, 5))
        for degree in (root, root + 2, root + 4):
            yield Note(start, BAR - 20, 1, piece.key + 12 + step[degree], 70)
        for beat in range(4):
            now = start + beat * TICKS
            yield Note(now, TICKS - 40, 2, piece.key - 12 + step[root], 90)
            if piece.drums:
                yield Note(now, 60, DRUMS, SNARE if beat % 2 else KICK, 100)
                yield Note(now, 60, DRUMS, HAT, 70)
                yield Note(now + TICKS // 2, 60, DRUMS, HAT, 60)
            count = draw.choice((1, 2, 2, 4))
            for index in range(count):
                pitch = piece.key + 24 + step[draw.randrange(7)]
                yield Note(now + index * TICKS // count, TICKS // count - 10, 0, pitch, draw.randint(75, 110))


def variable_length(value: int) -> bytes:
    """MIDI's big-endian base-128 number: every byte but the last has its top bit set."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append((value & 0x7F) | 0x80)
    return bytes(reversed(groups))


def midi_file(piece: Piece) -> bytes:
    """The piece as a format-0 Standard MIDI File."""
    events = [(0, bytes([0xC0 | c, p])) for c, p in enumerate((piece.melody, piece.chords, piece.bass))]
    for note in compose(piece):
        events.append((note.start, bytes([0x90 | note.channel, note.pitch, note.velocity])))
        events.append((note.start + note.length, bytes([0x80 | note.channel, note.pitch, 0])))
    events.sort(key=lambda event: (event[0], event[1][0] & 0xF0 != 0x80))  # end a note before starting it anew
    track = b"\x00\xff\x51\x03" + (60_000_000 // piece.beats_per_minute).to_bytes(3, "big")  # tempo
    last = 0
    for tick, message in events:
        track += variable_length(tick - last) + message
        last = tick
    track += b"\x00\xff\x2f\x00"  # end of track
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + track


def play(piece: Piece, seconds: float = 5.0, level: float = -22.0) -> Sound:
    """The piece's first `seconds`, mono at `SAMPLE_RATE`, shape (samples,).

    Raises:
        Unavailable: fluidsynth or the soundfont is missing.
    """
    import numpy as np

    if not SOUNDFONT.is_file():
        raise Unavailable(f"the soundfont {SOUNDFONT.name} is not installed", "apt-get install fluid-soundfont-gm")
    with tempfile.TemporaryDirectory() as folder:
        score, out = Path(folder) / "piece.mid", Path(folder) / "piece.wav"
        score.write_bytes(midi_file(piece))
        command = [
            require("fluidsynth"),
            "-ni",
            "-q",
            "-r",
            str(SAMPLE_RATE),
            "-F",
            str(out),
            str(SOUNDFONT),
            str(score),
        ]
        subprocess.run(command, capture_output=True, check=True)
        sound = at_sample_rate(out.read_bytes())[: round(seconds * SAMPLE_RATE)]
    fade = np.ones(len(sound))
    fade[-SAMPLE_RATE // 4 :] = np.linspace(1, 0, SAMPLE_RATE // 4)
    return set_level(sound * fade, level)
