"""Word error rate of an estimate: what a recogniser hears in it, against what it hears in the reference."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from audio.measures import Measure
from audio.metrics.signals import Samples, checked_pair
from basics.errors import Undefined


def wer(reference: Samples, estimate: Samples, *, sample_rate: int) -> float:
    """Word error rate, 0 and up; lower is better. What the recogniser mishears in both alike is no error.

    PocketSphinx, whose model of US English lies in its package (docs/decisions/0005-offline-asr.md). Raises Undefined
    where it hears no word in the reference.
    """
    import jiwer

    said, heard = (
        _transcript(sound.tobytes(), sample_rate) for sound in checked_pair(reference, estimate, sample_rate)
    )
    if not said:
        raise Undefined("the recogniser hears no word in the reference")
    return float(jiwer.wer(said, heard))


vars(wer)["measure"] = Measure(
    unit="",
    low=0.0,
    high=None,
    higher_is_better=False,
    source="words lost, added and exchanged over words heard in the reference, both by PocketSphinx (US English)",
    undefined="no word heard in the reference",
    speech_only=True,
    package="pocketsphinx",
    on_request=True,
)


@lru_cache(maxsize=4)  # the reference is the same at every setting
def _transcript(sound: bytes, sample_rate: int) -> str:
    from audio.clip import resample
    from evaluators.speaker_gender.transcribe import SAMPLE_RATE, PocketSphinx

    return PocketSphinx()(resample(np.frombuffer(sound).astype(np.float32), sample_rate, SAMPLE_RATE))
