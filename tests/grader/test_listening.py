"""What the report plays side by side is one moment of sound: a reconstruction that is late is shifted back."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate

from evaluators.evidence import Artefact, Evidence, Measurement, Provenance, Site
from evaluators.store import Store
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.report.panels import Page, sections
from grader.report.sounds import SoundBank
from grader.verdicts import testimony as testimonies

RATE = 24_000
GAIN = 0.5
Sound = Any  # (n,) float64


@pytest.fixture
def original(repository: Path) -> Sound:
    sound, rate = soundfile.read(repository / "audio/clips/English_speech.flac")
    assert rate == RATE
    return sound


def reconstruction(original: Sound, late: float) -> Sound:
    """The original at half its level, with a little noise, `late` by so many milliseconds (early where negative)."""
    shift = round(late * RATE / 1000)
    moved = np.concatenate([np.zeros(max(0, shift)), original[max(0, -shift) :]])
    noise = np.random.default_rng(0).normal(0, 0.002, len(moved))
    return GAIN * moved + noise


def evidence_of(store: Store, sounds: dict[str, Sound]) -> Evidence:
    """Evidence whose artefacts are these sounds, as `reconstruction` keeps them."""

    def artefact(version: str, key: str) -> Artefact:
        path = store.blob(key * 64, ".flac", lambda made: soundfile.write(made, sounds[version], RATE, format="FLAC"))
        return store.artefact(f"english: English_speech, {version}", path, "audio/flac")

    return Evidence(
        evaluator="reconstruction",
        version=1,
        parameters={},
        fingerprint="f" * 64,
        measurements=(Measurement(name="stoi.english", value=0.9, source="measured"),),
        artefacts=(artefact("original", "b"), artefact("8 codebooks", "c")),
        provenance=Provenance(earwitness="0", python="3", started=datetime.now(UTC), seconds=0),
    )


def played(bank: SoundBank) -> list[Sound]:
    """The sounds that the page plays, in their order."""
    bodies = [place.partition(",")[2] for place in bank.places.values()]
    sounds = [soundfile.read(io.BytesIO(base64.b64decode(body)))[0] for body in bodies]
    assert len(sounds) == 2
    return sounds


@pytest.mark.parametrize("late", [37.5, -21.25])
def test_both_sounds_of_a_pair_begin_at_the_same_moment(tmp_path: Path, original: Sound, late: float) -> None:
    store, bank = Store(tmp_path / "store"), SoundBank()
    evidence = evidence_of(store, {"original": original, "8 codebooks": reconstruction(original, late)})
    question = load_quiz(BUILT_IN_QUIZ).question("q06")
    testimony = testimonies.Testimony(question, (testimonies.Exhibit(evidence, "store"),), (), {}, {})
    (found,) = sections([testimony], Site(cache=store.root), Page(store, bank, "en"))
    assert found
    first, second = played(bank)
    assert len(first) == len(second) > len(original) - 0.25 * RATE
    lag = int(correlate(second, first, method="fft").argmax()) - (len(first) - 1)
    assert lag == 0
    assert np.corrcoef(first, second)[0, 1] > 0.99
    assert np.sqrt(np.mean(second**2) / np.mean(first**2)) == pytest.approx(1, abs=0.01), "of equal level"
