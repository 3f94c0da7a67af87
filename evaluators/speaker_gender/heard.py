"""What was heard in a set of clips: transcripts and acoustic vectors, side by side with who said what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from basics.errors import Undefined
from evaluators.evidence import Interval, Site, Source
from evaluators.origin import source_of
from evaluators.speaker_gender.voices import Utterance, synthetic_among


@dataclass(frozen=True)
class Heard:
    """The clips with what was heard in them: transcripts (lower case, no punctuation) and acoustic vectors.

    Vectors are None for clips without a voiced frame; `source` is `demonstration` where no person speaks.
    """

    voices: tuple[Utterance, ...]
    transcripts: tuple[str, ...]
    vectors: tuple[list[float] | None, ...]
    recogniser: str
    seed: int

    @property
    def described(self) -> str:
        """Which clips these are and who wrote the transcripts, for a locator."""
        first, last = self.voices[0].path.name, self.voices[-1].path.name
        speakers = len({voice.speaker for voice in self.voices})
        clips = f"{len(self.voices)} clips by {speakers} speakers ({first} to {last})"
        return f"{clips}; transcripts by {self.recogniser}"

    @property
    def source(self) -> Source:
        sounds = (voice.path for voice in self.voices)
        return source_of(sounds=sounds, synthetic=synthetic_among(self.voices)).source


def listen(voices: Sequence[Utterance], recogniser: str, seed: int, site: Site) -> Heard:
    """Transcribe every clip and take its acoustic features; both are kept in the site's cache.

    Raises InputError for files that cannot be read, all of them at once.
    """
    from audio.clip import naming_unreadable
    from evaluators.speaker_gender.sound import acoustic_features
    from evaluators.speaker_gender.transcribe import transcripts

    with naming_unreadable(voice.path for voice in voices):
        heard = tuple(map(plain_words, transcripts(voices, recogniser, site)))
    return Heard(tuple(voices), heard, tuple(acoustic_features(voices, site)), recogniser, seed)


def plain_words(text: str) -> str:
    """Lower case, punctuation out, one space between words: as word errors are counted."""
    return " ".join(re.sub(r"[^\w' ]+", " ", text.lower()).split())


@dataclass(frozen=True)
class Found:
    """A number on its way to becoming a measurement."""

    value: float
    n: int
    interval: Interval | None = None
    note: str = ""


def parallel(heard: Heard) -> dict[str, list[int]]:
    """Indices of the clips of every sentence that both genders say."""
    by_sentence: dict[str, list[int]] = {}
    for i, voice in enumerate(heard.voices):
        if voice.text:
            by_sentence.setdefault(plain_words(voice.text), []).append(i)
    return {s: clips for s, clips in by_sentence.items() if len({heard.voices[i].gender for i in clips}) == 2}


def require_parallel(heard: Heard) -> dict[str, list[int]]:
    sentences = parallel(heard)
    if not sentences:
        raise Undefined("no sentence is known to be said by both women and men (manifest column text)")
    return sentences
