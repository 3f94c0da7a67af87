"""What is to know about the values of each measure: unit, range, direction, what it is validated for, and its source.

`audio.metrics` computes them. The facts stand apart from the functions because judging stored evidence needs them too,
and must not wait for numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from basics.messages import say

Metric = Literal[
    "pesq_wb",
    "pesq_nb",
    "stoi",
    "estoi",
    "si_sdr",
    "log_mel_distance",
    "mrstft_distance",
    "f0_correlation",
    "f0_error",
]


OF_WINDOWS = ", mean of windows"
"""Behind the unit of PESQ wherever sounds of more than 20 s are in a value."""


@dataclass(frozen=True)
class Measure:
    """`low` and `high` are the ends of the range, None where it has none; `undefined` says for which sounds.

    Every measure is undefined for empty, silent and non-finite signals besides. `package` computes it where it is
    another than numpy, pesq and scipy; one that is `on_request` is taken where it is named alone, and is slower.
    """

    unit: str
    low: float | None
    high: float | None
    higher_is_better: bool
    source: str
    undefined: str
    speech_only: bool = False
    package: str = ""
    on_request: bool = False


MEASURES: Mapping[Metric, Measure] = {
    "pesq_wb": Measure(
        unit="MOS-LQO",
        low=0.999,  # the ends of the mapping from raw PESQ
        high=4.65,
        higher_is_better=True,
        source="ITU-T P.862.2, without Corrigendum 2",
        undefined=say("below 0.25 s, or no utterance found"),
        speech_only=True,
    ),
    "pesq_nb": Measure(
        unit="MOS-LQO",
        low=0.999,
        high=4.55,
        higher_is_better=True,
        source="ITU-T P.862, mapped by P.862.1",
        undefined=say("below 0.25 s, or no utterance found"),
        speech_only=True,
    ),
    "stoi": Measure(
        unit="",
        low=-1.0,
        high=1.0,
        higher_is_better=True,
        source="Taal, Hendriks, Heusdens, Jensen, IEEE TASLP 19(7), 2011",
        undefined=say("below about 0.4 s of speech"),
        speech_only=True,
    ),
    "estoi": Measure(
        unit="",
        low=-1.0,
        high=1.0,
        higher_is_better=True,
        source="Jensen, Taal, IEEE/ACM TASLP 24(11), 2016",
        undefined=say("below about 0.4 s of speech"),
        speech_only=True,
    ),
    "si_sdr": Measure(
        unit="dB",
        low=None,
        high=None,
        higher_is_better=True,
        source="Le Roux, Wisdom, Erdogan, Hershey, ICASSP 2019",
        undefined=say("estimate equal to the reference up to gain, or orthogonal to it"),
    ),
    "log_mel_distance": Measure(
        unit="dB",
        low=0.0,
        high=None,
        higher_is_better=False,
        source=say("this project; defined at the function"),
        undefined=say("below 40 ms"),
    ),
    "mrstft_distance": Measure(
        unit="",
        low=0.0,
        high=None,
        higher_is_better=False,
        source="Yamamoto, Song, Kim, ICASSP 2020",
        undefined=say("below 1025 samples"),
    ),
    "f0_correlation": Measure(
        unit="",
        low=-1.0,
        high=1.0,
        higher_is_better=True,
        source="Dusterhoff, Black, ESCA Workshop on Intonation, 1997, on a logarithmic scale",
        undefined=say("below 0.3 s voiced in both, or F0 that does not move"),
        speech_only=True,
        package="librosa",
        on_request=True,
    ),
    "f0_error": Measure(
        unit="semitones",
        low=0.0,
        high=None,
        higher_is_better=False,
        source="Dusterhoff, Black, ESCA Workshop on Intonation, 1997, on a logarithmic scale",
        undefined=say("below 0.3 s voiced in both"),
        speech_only=True,
        package="librosa",
        on_request=True,
    ),
}
