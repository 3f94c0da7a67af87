"""How a measurement is written, wherever it is read."""

from __future__ import annotations

import pytest

from evaluators.display import value_of
from evaluators.evidence import Interval, Measurement

OVER_CLIPS = Interval(low=0.80004, high=0.86, over="clips")


@pytest.mark.parametrize(
    ("measurement", "words"),
    [
        (
            Measurement(name="stoi", value=0.83333, unit="STOI", n=12, interval=OVER_CLIPS, source="measured"),
            "0.8333 [0.8, 0.86] over clips STOI, n = 12",
        ),
        (Measurement(name="frames", value=12500, unit="frames", source="executed"), "12500 frames"),
        (Measurement(name="causal", value=True, source="executed"), "True"),
        (Measurement(name="family", value="non-linear", source="executed"), "“non-linear”"),
        (Measurement(name="stoi", undefined="silence", n=0, source="measured"), "undefined: silence, n = 0"),
    ],
)
def test_value_unit_interval_and_number_of_samples(measurement: Measurement, words: str) -> None:
    assert value_of(measurement, with_n=True) == words
