"""Word error rate of an estimate: what a recogniser hears in it, against what it hears in the reference.

`wer` is by PocketSphinx, whose model of US English lies in its package (docs/decisions/0005-offline-asr.md);
`wer:CHECKPOINT` by a Whisper that is on this machine, hub id or folder, told to hear English where it knows others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from audio.measures import Measure
from audio.metrics.signals import Samples, checked_pair
from basics.errors import InputError, Problem, Unavailable, Undefined
from basics.files import sha256_of
from basics.messages import say
from evaluators.speaker_gender import transcribe


@dataclass(frozen=True)
class WordErrorRate:
    """The measure by one recogniser, of 0 and up; lower is better. What is misheard in both alike is no error."""

    recogniser: str = transcribe.POCKETSPHINX

    @property
    def measure(self) -> Measure:
        """Its facts."""
        heard = "PocketSphinx (US English)" if self._sphinx else f"Whisper ({self.recogniser})"
        return Measure(
            unit="",
            low=0.0,
            high=None,
            higher_is_better=False,
            source=f"words lost, added and exchanged over words heard in the reference, both by {heard}",
            undefined="no word heard in the reference",
            speech_only=True,
            package="pocketsphinx" if self._sphinx else "transformers",
            on_request=True,
        )

    def variant(self, recogniser: str) -> WordErrorRate:
        """The measure by the recogniser of another checkpoint."""
        return WordErrorRate(recogniser)

    def require(self) -> None:
        """Raise InputError where the recogniser is not here."""
        try:
            transcribe.choose_recogniser(self.recogniser)
        except Unavailable as error:
            remedy = say("where there is a network, once: `hf download {checkpoint}`", checkpoint=self.recogniser)
            raise InputError(Problem(f"metric 'wer:{self.recogniser}'", error.what, remedy)) from None

    def identity(self) -> str:
        """sha256 of the checkpoint's weights; empty for PocketSphinx, whose version is its identity."""
        return "" if self._sphinx else sha256_of(transcribe.weights_of(self.recogniser))

    def __call__(self, reference: Samples, estimate: Samples, *, sample_rate: int) -> float:
        """The value of two signals (n,). Raises Undefined where no word is heard in the reference."""
        import jiwer

        pair = checked_pair(reference, estimate, sample_rate)
        said, heard = (_transcript(self.recogniser, sound.tobytes(), sample_rate) for sound in pair)
        if not said:
            raise Undefined("the recogniser hears no word in the reference")
        return float(jiwer.wer(said, heard))

    @property
    def _sphinx(self) -> bool:
        return self.recogniser == transcribe.POCKETSPHINX


wer = WordErrorRate()


@lru_cache(maxsize=1)
def _loaded(recogniser: str) -> transcribe.Recogniser:
    if recogniser == transcribe.POCKETSPHINX:
        return transcribe.PocketSphinx()
    return transcribe.Whisper(recogniser)


@lru_cache(maxsize=4)  # the reference is the same at every setting
def _transcript(recogniser: str, sound: bytes, sample_rate: int) -> str:
    from audio.clip import resample

    heard = resample(np.frombuffer(sound).astype(np.float32), sample_rate, transcribe.SAMPLE_RATE)
    return _loaded(recogniser)(heard)
