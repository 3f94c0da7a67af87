"""The interval of a difference lies around that difference, wherever a difference is measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from basics.errors import Undefined
from evaluators.evidence import Measurement
from evaluators.layer_separation.parameters import Parameters
from evaluators.layer_separation.scores import Sample, Samples, Scorer
from evaluators.layer_separation.selection import Cells, groupings
from evaluators.reconstruction.parameters import Request
from evaluators.reconstruction.scores import Score
from evaluators.reconstruction.summary import Summary
from evaluators.resampling import difference_interval
from evaluators.speaker_gender.channel import Heard, channel
from evaluators.speaker_gender.voices import Utterance

RANDOM = np.random.default_rng(5)
A, B = RANDOM.normal(3.0, 0.2, 20), RANDOM.normal(-4.0, 0.5, 20)


def width(measurement: Measurement) -> float:
    assert measurement.interval, measurement.name
    return measurement.interval.high - measurement.interval.low


def off_centre(measurement: Measurement) -> float:
    """How far the value lies from the middle of its interval, in halves of its width: above 1 it is outside."""
    assert measurement.interval, measurement.name
    middle = (measurement.interval.low + measurement.interval.high) / 2
    return abs(float(measurement.value or 0) - middle) / (width(measurement) / 2)


class TestStatistics:
    @pytest.mark.parametrize("paired", [False, True])
    @pytest.mark.parametrize("statistic", ["mean", "median"])
    def test_the_interval_holds_the_difference_and_moves_with_it(self, paired: bool, statistic: Any) -> None:
        def interval(a: Any, b: Any) -> Any:
            return difference_interval(a.tolist(), b.tolist(), paired=paired, statistic=statistic)

        centre = getattr(np, statistic)
        difference = float(centre(A - B) if paired else centre(A) - centre(B))
        plain, moved = interval(A, B), interval(A + 10, B - 1)
        assert plain.low < difference < plain.high
        assert (moved.low, moved.high) == pytest.approx((plain.low + 11, plain.high + 11))
        back = interval(B, A)
        assert back.low < -difference < back.high


def one_clip(role: str, clip: float, windows: list[float]) -> Score:
    """A clip whose whole says something else than its windows: what windows show is the spread."""
    return Score(role, role, 8, {"stoi": clip}, windows=tuple({"stoi": value} for value in windows))


class TestReconstruction:
    @pytest.mark.parametrize("statistic", ["mean", "median"])
    def test_the_interval_of_windows_is_moved_onto_the_whole_clips(self, statistic: str) -> None:
        asked = {"clips": {"english": "e", "chinese": "c"}, "metrics": ["stoi"], "statistic": statistic}
        request = Request.model_validate_json(json.dumps(asked))
        clips = [
            one_clip("english", 0.9, [0.50, 0.53, 0.51, 0.55, 0.52, 0.51, 0.53, 0.52]),
            one_clip("chinese", 0.2, [0.60, 0.63, 0.61, 0.65, 0.62, 0.61, 0.63, 0.62]),
        ]
        summary = Summary(request, "measured", {"english": "e", "chinese": "c"})
        found = {m.name: m for m in summary.measurements(clips, 8)}
        difference = found["stoi.english_minus_chinese"]
        assert difference.value == pytest.approx(0.7)
        assert off_centre(difference) < 0.5
        assert width(difference) < 0.15
        for name in ("stoi.english", "stoi.chinese"):
            assert off_centre(found[name]) < 0.5, name


Recogniser = Callable[[int, str, str], str]


NAMES = {"female": ("ann", "bea", "cleo"), "male": ("carl", "dan", "ed")}


def people(transcript: Recogniser, each: int = 2) -> Heard:
    """Four sentences said by as many women as men, heard by a recogniser that errs."""
    sentences = ("the lamp is on the desk", "please wait by the gate", "we met her in spring", "snow fell on the hill")
    rows: list[tuple[Any, str, str]] = [
        (gender, name, said) for gender, names in NAMES.items() for name in names[:each] for said in sentences
    ]
    voices = tuple(
        Utterance(Path(f"{i}.flac"), g, name, said, False, f"{i:064x}") for i, (g, name, said) in enumerate(rows)
    )
    pitch = {"female": 7.6, "male": 6.8}
    vectors = tuple([pitch[gender] + 0.01 * i, 0.3] for i, (gender, _, _) in enumerate(rows))
    return Heard(
        voices, tuple(transcript(i, gender, said) for i, (gender, _, said) in enumerate(rows)), vectors, "x", 0
    )


def lossy(i: int, gender: str, said: str) -> str:
    """Women are understood; of what men say, the first words are lost, more of some than of others."""
    return said if gender == "female" else " ".join(said.split()[1 + i % 2 :])


def perfect(_i: int, _gender: str, said: str) -> str:
    return said


def heard_by(recogniser: Recogniser, each: int = 2) -> dict[str, Measurement]:
    return {m.name: m for m in channel(people(recogniser, each))}


class TestChannel:
    def test_over_chance_is_the_accuracys_interval_less_chance(self) -> None:
        found = heard_by(lossy)
        accuracy = found["channel.transcript_gender_accuracy"]
        advantage = found["channel.transcript_advantage_over_chance"]
        assert accuracy.interval
        assert advantage.interval
        assert advantage.value == pytest.approx(float(accuracy.value or 0) - 0.5)
        low, high = advantage.interval.low, advantage.interval.high
        assert (low, high) == pytest.approx((accuracy.interval.low - 0.5, accuracy.interval.high - 0.5))

    @pytest.mark.parametrize(
        ("name", "recogniser", "expected"),
        [("wer_gender_gap", lossy, -0.3), ("sound_advantage_over_transcript", perfect, 0.5)],
    )
    def test_the_interval_holds_the_difference(self, name: str, recogniser: Recogniser, expected: float) -> None:
        difference = heard_by(recogniser, each=3)[f"channel.{name}"]
        assert difference.interval
        assert difference.value == pytest.approx(expected, abs=0.1)
        assert difference.interval.low <= float(difference.value or 0) <= difference.interval.high

    def test_four_speakers_who_agree_do_not_say_how_far_a_fifth_would(self) -> None:
        difference = heard_by(perfect)["channel.sound_advantage_over_transcript"]
        assert difference.value is None
        assert difference.undefined == "all 4 speakers have the value 0.5: their spread is unknown"

    def test_an_error_rate_keeps_its_value_where_its_spread_is_unknown_and_its_interval_is_not_negative(self) -> None:
        known, alike = heard_by(lossy), heard_by(perfect)["channel.transcript_accuracy_bound"]
        assert (alike.value, alike.interval) == (0.5, None)
        interval = known["channel.transcript_wer"].interval
        assert interval
        assert interval.low >= 0


class TestLayers:
    def test_the_interval_of_two_layers_difference_lies_around_it(self) -> None:
        cells = Cells.of(["Angry", "Sleepy"] * 30, ["a", "a", "b", "b", "c", "c"] * 10)
        asked = Parameters(
            layers=(0, 3), codebooks=4, emotions=("Angry", "Sleepy"), differences=((0, 3), (3, 0)), pair_differences=()
        )
        samples = Samples(cells, ("Sleepy", "Angry"))
        for layer, mean in ((0, 0.6), (3, -0.2)):
            for name in groupings(cells, samples.pair):
                for place, seeds in (("", 1), ("_map", 5)):
                    values = np.random.default_rng(layer).normal(mean, 0.1, (seeds, len(cells)))
                    samples.values[name.format(place), layer] = Sample(values, values)
        found = {m.name: m for m in Scorer(samples, asked.seeds, "measured").measurements(asked)}
        for place in ("", "_map"):
            forth = found[f"silhouette{place}_difference.layer_0_minus_3"]
            back = found[f"silhouette{place}_difference.layer_3_minus_0"]
            assert forth.value == pytest.approx(0.8, abs=0.1)
            assert back.value == pytest.approx(-0.8, abs=0.1)
            assert off_centre(forth) < 0.5
            assert off_centre(back) < 0.5
            assert width(forth) < 0.3


def test_a_difference_without_spread_is_undefined_and_not_a_bare_number() -> None:
    with pytest.raises(Undefined, match="at least 3"):
        difference_interval([1.0, 2.0], [1.0, 2.0, 3.0], paired=False)
