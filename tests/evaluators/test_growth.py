"""Growth: a distance that is made to rise over a clip is found to rise by as much, from one clip to a role's mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audio.clip import load, save
from basics.errors import Undefined
from evaluators.evidence import Measurement, Site
from evaluators.reconstruction import Reconstruction
from evaluators.reconstruction.growth import growth
from evaluators.reconstruction.parameters import Request
from tests.checkpoints import random_checkpoint

RATE = 16_000
EVALUATOR = Reconstruction()
Samples = NDArray[np.float32]


def hiss(seconds: float, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def quieter(sound: Samples, decibels: list[float]) -> Samples:
    """Each successive second lowered by so many dB, the last of them to the end."""
    steps = np.repeat(decibels, RATE)
    levels = np.concatenate([steps, np.full(max(0, len(sound) - len(steps)), decibels[-1])])[: len(sound)]
    return np.asarray(sound * 10 ** (-levels / 20), dtype=np.float32)


def rise(reference: Samples, estimate: Samples) -> float:
    return growth(reference, estimate, sample_rate=RATE).rise


@pytest.mark.parametrize("seconds", [4, 6, 10])
@pytest.mark.parametrize("slope", [-0.5, 0, 1.5])
def test_a_distance_that_rises_steadily_rises_by_its_slope_times_the_seconds(seconds: int, slope: float) -> None:
    decibels = [20 + slope * second for second in range(seconds)]
    found = growth(hiss(seconds), quieter(hiss(seconds), decibels), sample_rate=RATE)
    assert found.rise == pytest.approx(slope * seconds, abs=1e-3)
    assert found.seconds == seconds


def test_it_is_the_least_squares_line_over_the_windows() -> None:
    decibels = [3.0, 1.0, 4.0, 1.0, 5.0]
    slope = np.polyfit(range(5), decibels, 1)[0]
    assert rise(hiss(5), quieter(hiss(5), decibels)) == pytest.approx(5 * slope, abs=1e-3)


def test_turning_time_round_turns_the_sign_and_the_level_of_both_changes_nothing() -> None:
    sound, other = hiss(6), quieter(hiss(6), [1, 2, 2, 4, 3, 5])
    forward = rise(sound, other)
    assert forward > 3
    assert rise(sound[::-1], other[::-1]) == pytest.approx(-forward, abs=1e-3)
    assert rise(sound / 4, other / 4) == pytest.approx(forward, abs=1e-3)


def test_a_clip_that_is_itself_has_no_growth_and_what_is_left_over_is_not_heard() -> None:
    assert rise(hiss(5), hiss(5)) == 0
    sound, other = hiss(5.9), quieter(hiss(5.9), [1, 2, 3, 4, 5, 90])
    assert rise(sound, other) == pytest.approx(rise(sound[: 5 * RATE], other[: 5 * RATE]))
    assert growth(sound, other, sample_rate=RATE).seconds == 5


def test_a_silent_window_is_passed_over_in_its_place() -> None:
    sound = hiss(6)
    other = quieter(sound, [1, 2, 3, 4, 5, 6])
    sound[2 * RATE : 3 * RATE] = other[2 * RATE : 3 * RATE] = 0
    assert rise(sound, other) == pytest.approx(6, abs=1e-3)


def test_fewer_than_four_windows_have_no_line() -> None:
    with pytest.raises(Undefined, match="growth needs 4 windows of 1 s with sound, found 3"):
        growth(hiss(3.9), hiss(3.9), sample_rate=RATE)
    sound = hiss(5)
    sound[: 2 * RATE] = 0
    with pytest.raises(Undefined, match="found 3"):
        growth(sound, sound, sample_rate=RATE)


# --- in a request ----------------------------------------------------------------------------------------------------


def request(**keys: Any) -> Request:
    return Request.model_validate_json(json.dumps(keys))


CLIPS = {"rising": [0.0, 1.0, 2.0, 3.0, 4.0], "level": [2.0, 2.0, 2.0, 2.0, 2.0], "short": [1.0, 2.0]}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips that fall off by 1 dB more each second, one that is 2 dB off all along, one of 2 s."""
    folder = tmp_path_factory.mktemp("pairs")
    rows = ["pair_id,orig_file,recon_file,kind,language,codebooks,system,repo,commit"]
    for kind, decibels in CLIPS.items():
        for number in range(3 if kind == "rising" else 1):
            original = hiss(len(decibels), number)
            files = [f"{kind}_{number}_{what}.flac" for what in ("original", "made")]
            for file, sound in zip(files, (original, quieter(original, decibels)), strict=True):
                save(folder / file, sound, RATE)
            rows.append(f"{kind}_{number},{','.join(files)},{kind},und,8,Mimi,somebody/pairs,{'a' * 40}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def measured(pairs: Path) -> dict[str, Measurement]:
    roles = {role: {"kind": role} for role in CLIPS}
    asked = request(mode="pairs", pairs=roles, metrics=["log_mel_distance"], growth=True)
    found = EVALUATOR.measure(asked, Site(pairs=pairs)).measurements
    assert {m.name for m in found} == {q.name for q in EVALUATOR.quantities(asked)}
    return {m.name: m for m in found}


def test_a_role_has_the_mean_of_its_clips_and_an_interval_over_them(measured: dict[str, Measurement]) -> None:
    rising = measured["log_mel_growth.rising"]
    assert rising.value == pytest.approx(5, abs=0.05)
    assert (rising.unit, rising.n) == ("dB", 3)
    assert rising.interval
    assert rising.interval.over == "clips"
    assert "over 5 s of each, 15 s in all" in rising.note
    assert "somebody/pairs" in rising.locator


def test_one_clip_has_a_value_without_an_interval_and_says_why(measured: dict[str, Measurement]) -> None:
    level = measured["log_mel_growth.level"]
    assert level.value == pytest.approx(0, abs=0.05)
    assert level.interval is None
    assert "no interval: it needs 3 clips" in level.note


def test_clips_that_are_too_short_leave_the_role_undefined(measured: dict[str, Measurement]) -> None:
    short = measured["log_mel_growth.short"]
    assert short.value is None
    assert "growth needs 4 windows of 1 s with sound, found 2 (1 ×)" in str(short.undefined)


def test_codec_mode_measures_it_at_the_codebooks_asked_for(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    codec = random_checkpoint(tmp_path_factory.mktemp("mimi"))
    asked = request(
        clips={"english": "English_speech.flac"}, codebooks=4, sweep=[1, 4], metrics=["log_mel_distance"], growth=True
    )
    site = Site(audio=repository / "audio/clips", codec=str(codec), device="cpu")
    found = {m.name: m for m in EVALUATOR.measure(asked, site).measurements}
    assert found.keys() == {q.name for q in EVALUATOR.quantities(asked)}
    seconds = len(load(repository / "audio/clips/English_speech.flac", RATE).samples) // RATE
    assert isinstance(found["log_mel_growth.english"].value, float)
    assert f"over {seconds} s of each" in found["log_mel_growth.english"].note
    assert found["log_mel_growth.english"].n == 1
