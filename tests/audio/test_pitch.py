"""Prosody: a voice of known pitch is measured as it was made, and what has no pitch has no measure."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from statistics import fmean

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import pearsonr

from audio.clip import align, load
from audio.metrics import METRICS, f0_correlation, f0_error, measure_pairs
from audio.metrics.registry import measure
from basics.errors import Undefined
from tests.audio.conftest import RATE, Samples, add_noise

BOTH = ("f0_correlation", "f0_error")
TIME = np.arange(3 * RATE) / RATE
STILL = np.full(len(TIME), 85.0)
WAVE = 85 + 3 * np.sin(2 * np.pi * TIME)
"""Semitones re 1 Hz at every sample: 135 Hz, and up and down from there by 3 semitones once a second."""


def voice(semitones: NDArray[np.float64], rate: int = RATE) -> Samples:
    """A buzz of that pitch, given at every sample: harmonics that fall off by 6 dB an octave."""
    phase = 2 * np.pi * np.cumsum(2 ** (semitones / 12)) / rate
    return np.asarray(sum(np.sin(k * phase) / k for k in range(1, 20)) / 10, dtype=np.float32)


def both(reference: Samples, estimate: Samples, rate: int = RATE) -> tuple[float, float]:
    """Correlation and error; neither may be undefined."""
    correlation, error = measure(reference, estimate, sample_rate=rate, metrics=BOTH).values()
    assert isinstance(correlation, float)
    assert isinstance(error, float)
    return correlation, error


# Parity


def test_they_are_their_definitions_over_the_pitch_that_librosa_finds(speech: Samples, noisy: Samples) -> None:
    contours = [
        librosa.pyin(s.astype(float), fmin=60, fmax=500, sr=RATE, frame_length=1024, hop_length=160)[0]
        for s in (speech, noisy)
    ]
    x, y = (np.log2(contour[~np.isnan(contours).any(axis=0)]) for contour in contours)
    correlation, error = both(speech, noisy)
    assert correlation == pytest.approx(pearsonr(x, y).statistic, abs=1e-9)
    assert error == pytest.approx(12 * np.sqrt(np.mean((x - y) ** 2)), abs=1e-9)


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000])
def test_known_contours_are_told_apart_as_they_were_made(rate: int) -> None:
    """Two sines of 3 and 1 semitones, a quarter period apart: correlation 0, error the root of their summed powers."""
    time = np.arange(3 * rate) / rate
    x, y = 85 + 3 * np.sin(2 * np.pi * time), 85 + np.cos(2 * np.pi * time)
    correlation, error = both(voice(x, rate), voice(y, rate), rate)
    assert correlation == pytest.approx(np.corrcoef(x, y)[0, 1], abs=0.05)
    assert error == pytest.approx(np.sqrt(np.mean((x - y) ** 2)), abs=0.05)


# Metamorphic behaviour


@pytest.mark.parametrize("semitones", [-5, -1, 1, 2])
def test_a_transposition_is_an_error_of_as_many_semitones_and_leaves_the_melody(semitones: int) -> None:
    correlation, error = both(voice(WAVE), voice(WAVE + semitones))
    assert correlation > 0.99
    assert error == pytest.approx(abs(semitones), abs=0.05)


def test_speech_moved_by_a_semitone_is_a_semitone_off(speech: Samples) -> None:
    moved = librosa.effects.pitch_shift(speech, sr=RATE, n_steps=1)
    assert f0_error(speech, moved, sample_rate=RATE) == pytest.approx(1, abs=0.1)


def test_an_octave_slipped_in_a_quarter_of_the_time_is_an_error_of_half_an_octave() -> None:
    slipped = np.repeat([97.0, 85.0], [len(TIME) // 4, len(TIME) - len(TIME) // 4])
    assert f0_error(voice(STILL), voice(slipped), sample_rate=RATE) == pytest.approx(6, abs=0.3)


def test_a_melody_turned_upside_down_correlates_negatively() -> None:
    assert f0_correlation(voice(WAVE), voice(2 * STILL - WAVE), sample_rate=RATE) < -0.99


def test_gain_and_polarity_change_nothing_and_the_two_sides_can_be_exchanged(speech: Samples, noisy: Samples) -> None:
    plain = both(speech, noisy)
    assert both(0.01 * speech, -3 * noisy) == pytest.approx(plain, abs=1e-6)
    assert both(noisy, speech) == pytest.approx(plain, abs=1e-9)


def test_noise_lowers_the_correlation_and_raises_the_error(speech: Samples) -> None:
    measured = [both(speech, add_noise(speech, snr)) for snr in (30, 20, 10, 5)]
    correlations, errors = zip(*measured, strict=True)
    assert list(correlations) == sorted(correlations, reverse=True)
    assert list(errors) == sorted(errors)
    assert correlations[0] > correlations[-1] + 0.01
    assert errors[-1] > 2 * errors[0]


def test_what_loses_its_voice_is_not_counted() -> None:
    hoarse = voice(WAVE)
    hoarse[RATE : 2 * RATE] = np.random.default_rng(0).normal(0, 0.1, RATE)
    correlation, error = both(voice(WAVE), hoarse)
    assert correlation > 0.99
    assert error < 0.2


# Undefined


def test_without_a_voice_there_is_no_pitch(speech: Samples) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, len(speech)).astype(np.float32)
    for name in BOTH:
        with pytest.raises(Undefined, match=r"30 frames \(0.3 s\) that are voiced in both signals, found \d"):
            METRICS[name](speech, noise, sample_rate=RATE)
        with pytest.raises(Undefined, match="the estimate is silent"):
            METRICS[name](speech, np.zeros_like(speech), sample_rate=RATE)


def test_a_pitch_that_stands_still_has_an_error_and_no_correlation() -> None:
    values = measure(voice(STILL), voice(STILL + 1), sample_rate=RATE, metrics=BOTH)
    assert isinstance(values["f0_correlation"], Undefined)
    assert values["f0_correlation"].reason == "F0 correlation: F0 does not move"
    assert values["f0_error"] == pytest.approx(1, abs=0.05)
    with pytest.raises(Undefined, match="does not move"):
        f0_correlation(voice(STILL), voice(STILL + 1), sample_rate=RATE)


# Many pairs


def test_together_they_are_what_they_are_alone(speech: Samples, noisy: Samples) -> None:
    pairs = [(speech, noisy), (speech, np.zeros_like(speech))]
    found, silent = measure_pairs(pairs, sample_rate=RATE, metrics=[*BOTH, "stoi"], jobs=1)
    for name in BOTH:
        (alone,) = measure_pairs(pairs[:1], sample_rate=RATE, metrics=[name], jobs=1)
        assert found[name] == alone[name] == METRICS[name](speech, noisy, sample_rate=RATE)
        assert isinstance(silent[name], Undefined)


def test_where_librosa_is_missing_they_alone_say_so(
    speech: Samples, noisy: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(ModuleNotFoundError) as told:
        measure_pairs([(speech, noisy)], sample_rate=RATE, metrics=["stoi", "f0_error"])
    assert told.value.name == "librosa"
    assert measure_pairs([(speech, noisy)], sample_rate=RATE, metrics=["stoi"])


# Real output of Mimi


def test_mimi_keeps_the_melody_of_speech_and_more_codebooks_keep_it_better(shared: Path) -> None:
    folder = shared / "audio" / "pairs"
    rows = list(csv.DictReader((folder / "manifest.csv").open(encoding="utf-8")))
    few, many = (
        [row for row in rows if row["pair_id"].startswith("stablecodec_en_speech_1") and row["codebooks"] == n]
        for n in "48"
    )
    assert len(few) == len(many) >= 4
    signals = []
    for row in (*few, *many):
        files = (load(folder / row[name], RATE).samples for name in ("orig_file", "recon_file"))
        signals.append(align(*files, RATE)[1:3])
    values = measure_pairs(signals, sample_rate=RATE, metrics=BOTH)
    correlation, error = ([float(value[name]) for value in values] for name in BOTH)  # type: ignore[arg-type]
    assert 0.95 < fmean(correlation[: len(few)]) < fmean(correlation[len(few) :]) < 1
    assert 0.2 < fmean(error[len(few) :]) < fmean(error[: len(few)]) < 1
