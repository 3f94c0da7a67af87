"""Whether a codec loses ground as a clip goes on: how the log-mel distance moves from a clip's beginning to its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

import numpy as np

from audio.metrics import log_mel_distance
from audio.metrics.signals import Samples
from basics.errors import Undefined
from evaluators.evidence import Interval, Measurement, Source
from evaluators.resampling import FEWEST, bootstrap_interval

if TYPE_CHECKING:
    from evaluators.reconstruction.parameters import Request
    from evaluators.reconstruction.scores import Score

WINDOW = 1.0  # s
FEWEST_WINDOWS = 4


@dataclass(frozen=True)
class Growth:
    """By how many dB the distance rises over the `seconds` of a clip; negative where it falls."""

    rise: float
    seconds: float


def growth(reference: Samples, estimate: Samples, *, sample_rate: int) -> Growth:
    """Rise of the log-mel distance from the beginning to the end of an aligned pair, each (n,), in dB.

    Both are cut into successive windows of 1 s, what is left at the end falls away; the least-squares line through the
    windows' distances rises by this much over all of them. A window that is silent has no distance and is passed over.
    Raises Undefined for fewer than four windows with a distance, InputError for two signals that do not match.
    """
    length = round(WINDOW * sample_rate)
    middles, distances = [], []
    for number in range(len(reference) // length):
        span = slice(number * length, (number + 1) * length)
        try:
            distances.append(log_mel_distance(reference[span], estimate[span], sample_rate=sample_rate))
        except Undefined:
            continue
        middles.append((number + 0.5) * WINDOW)
    if len(distances) < FEWEST_WINDOWS:
        raise Undefined(f"growth needs {FEWEST_WINDOWS} windows of {WINDOW:g} s with sound, found {len(distances)}")
    seconds = len(reference) // length * WINDOW
    return Growth(float(np.polyfit(middles, distances, 1)[0]) * seconds, seconds)


def measurements(
    scores: Sequence[Score], parameters: Request, source: Source, locators: Mapping[str, str], remark: str = ""
) -> Iterator[Measurement]:
    """`log_mel_growth.<role>` of every role: mean or median over its clips, the interval over clips."""
    for role in parameters.roles:
        found = [score.growth for score in scores if score.role == role]
        known = [growth for growth in found if isinstance(growth, Growth)]
        reasons = Counter(growth.reason for growth in found if isinstance(growth, Undefined))
        missing = "; ".join(f"{reason} ({count} ×)" for reason, count in reasons.items())
        rises = [growth.rise for growth in known]
        interval, without = _interval(rises, parameters)
        told = (f"defined for {len(known)} of {len(found)} clips", missing, _covered(known), without, remark)
        yield Measurement(
            name=f"log_mel_growth.{role}",
            value=_centre(rises, parameters) if rises else None,
            undefined=None if rises else f"log_mel_growth has no value for any clip of {role}: {missing}",
            unit="dB",
            n=len(rises),
            interval=interval,
            source=source,
            locator=locators[role],
            note="; ".join(filter(None, told)),
        )


def _centre(rises: Sequence[float], parameters: Request) -> float:
    return fmean(rises) if parameters.statistic == "mean" else median(rises)


def _interval(rises: Sequence[float], parameters: Request) -> tuple[Interval | None, str]:
    """The interval over clips, or why there is none."""
    if len(rises) < FEWEST:
        return None, f"no interval: it needs {FEWEST} clips"
    return bootstrap_interval(rises, parameters.statistic, seed=parameters.seed), ""


def _covered(known: Sequence[Growth]) -> str:
    """`over 5 to 9 s of each, 70 s in all`."""
    if not known:
        return ""
    seconds = [growth.seconds for growth in known]
    ends = dict.fromkeys((f"{min(seconds):g}", f"{max(seconds):g}"))
    return f"over {' to '.join(ends)} s of each, {sum(seconds):g} s in all"
