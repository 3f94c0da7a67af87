"""Which demonstration clips there are: file, role, and everything needed to make each one again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tools.clips import laughter, music, texts
from tools.clips.laughter import Laugh
from tools.clips.music import MAJOR, MINOR, Piece
from tools.clips.voices import Prosody, Voice, speak

if TYPE_CHECKING:
    from tools.clips.voices import Sound

LICENCES = {
    "espeak-ng": "output of espeak-ng (the program's GPL-3.0 does not extend to its output); text and clip: MIT",
    "flite": "output of flite with CMU voices (BSD-style CMU licence); text and clip: MIT",
    "fluidsynth": "samples: FluidR3 GM soundfont (MIT, Frank Wen); composition and clip: MIT",
    "earwitness": "synthesized by tools/clips/laughter.py: MIT",
}

FEMALE_TRACT = ((780.0, 90.0), (1330.0, 110.0), (2750.0, 160.0), (3900.0, 220.0))
MALE_TRACT = ((680.0, 90.0), (1120.0, 110.0), (2450.0, 160.0), (3400.0, 220.0))
LAUGHS = (
    Laugh(1, 330, FEMALE_TRACT),
    Laugh(2, 190, MALE_TRACT),
    Laugh(3, 280, FEMALE_TRACT),
    Laugh(4, 150, MALE_TRACT),
)
PIECES = (
    Piece(1, melody=0, chords=48, bass=33, key=48, scale=MAJOR, beats_per_minute=120, drums=True),
    Piece(2, melody=24, chords=50, bass=32, key=52, scale=MINOR, beats_per_minute=100, drums=False),
    Piece(3, melody=56, chords=61, bass=33, key=50, scale=MAJOR, beats_per_minute=132, drums=True),
    Piece(4, melody=40, chords=46, bass=42, key=55, scale=MINOR, beats_per_minute=90, drums=False),
)


@dataclass(frozen=True)
class Plan:
    """One clip to make. `make` renders it; the rest goes into the manifest.

    `role` is `english`, `chinese`, `laughter`, `music`, `gender`, `parallel` or `style`; `label` the speaking style.
    """

    file: str
    role: str
    tool: str
    make: Callable[[], Sound]
    language: str = ""
    speaker: str = ""
    gender: str = ""
    label: str = ""
    text: str = ""
    voice: str = ""
    settings: str = ""

    @property
    def licence(self) -> str:
        return LICENCES[self.tool]


def spoken(file: str, role: str, voice: Voice, text: str, prosody: Prosody | None = None, label: str = "") -> Plan:
    """The plan of a clip that `voice` speaks."""
    prosody = prosody or Prosody()
    return Plan(
        file,
        role,
        voice.tool,
        partial(speak, voice, text, prosody),
        language=voice.language,
        speaker=voice.name,
        gender=voice.gender,
        label=label,
        text=text,
        voice=voice.voice,
        settings=" ".join(f"{name}={value:g}" for name, value in vars(prosody).items()),
    )


def numbered(stem: str, index: int) -> str:
    """`music.flac`, then `music_2.flac`, …: the course's own name comes first."""
    return f"{stem}.flac" if index == 1 else f"{stem}_{index}.flac"


def role_clips() -> Iterator[Plan]:
    """The course's four files and three more of each role."""
    cast = (
        ("English_speech", "english", texts.ENGLISH_VOICES, texts.ENGLISH),
        ("Chinese_speech", "chinese", texts.MANDARIN_VOICES, texts.MANDARIN),
    )
    for stem, role, voices, said in cast:
        for index, (voice, text) in enumerate(zip(voices, said, strict=True), start=1):
            yield spoken(numbered(stem, index), role, voice, text)
    for index, laugh in enumerate(LAUGHS, start=1):
        make = partial(laughter.perform, laugh)
        settings = f"seed={laugh.seed} pitch={laugh.pitch:g}"
        yield Plan(numbered("laughter", index), "laughter", "earwitness", make, settings=settings)
    for index, piece in enumerate(PIECES, start=1):
        make = partial(music.play, piece)
        programs = f"programs={piece.melody},{piece.chords},{piece.bass}"
        settings = f"seed={piece.seed} {programs} tempo={piece.beats_per_minute} drums={piece.drums}"
        yield Plan(numbered("music", index), "music", "fluidsynth", make, settings=settings)


def speaker_clips() -> Iterator[Plan]:
    """Two women and a man with one sentence, and twelve sentences by two women and two men each."""
    cast = {"F_1": texts.SLT, "F_2": texts.FAY, "M_1": texts.AWB}
    for name, voice in cast.items():
        yield spoken(f"{name}.flac", "gender", voice, texts.ANY_SPEAKER)
    for voice in texts.ENGLISH_VOICES:
        folder = f"parallel/{voice.gender[0].upper()}_{voice.name}"
        for index, text in enumerate(texts.PARALLEL, start=1):
            yield spoken(f"{folder}/{index:02}.flac", "parallel", voice, text)


def style_clips() -> Iterator[Plan]:
    """Eight sentences in five speaking styles by four voices, in EmoV-DB's folders: `slt_Amused/amused_0001.flac`."""
    for voice in texts.ENGLISH_VOICES:
        for style, prosody in texts.STYLES.items():
            for index, text in enumerate(texts.STYLED, start=1):
                file = f"styles/{voice.name}_{style}/{style.lower()}_{index:04}.flac"
                yield spoken(file, "style", voice, text, prosody, label=style)


def all_clips() -> tuple[Plan, ...]:
    """Every demonstration clip, in the manifest's order."""
    return (*role_clips(), *speaker_clips(), *style_clips())
