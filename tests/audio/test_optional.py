"""Measures of the extra `measures`, and word error rate: taken by name, equal to what they are published as."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from audio.metrics import registry
from audio.metrics.signals import Samples
from basics.errors import InputError, Undefined
from tests.audio.conftest import RATE

pytest.importorskip("gammatone")
pytest.importorskip("torchaudio")
published = pytest.importorskip("torchmetrics.functional.audio.srmr")


def taken(reference: Samples, estimate: Samples, name: str) -> float | Undefined:
    return registry.measure(reference, estimate, sample_rate=RATE, metrics=[name])[name]


def test_srmr_is_torchmetrics_and_falls_with_reverberation(speech: Samples) -> None:
    registry.require_metrics(["srmr"], RATE)
    decay = np.random.default_rng(0).normal(size=RATE) * np.exp(-np.arange(RATE) / (0.2 * RATE))
    distant = np.convolve(speech, decay)[: len(speech)]
    distant *= np.abs(speech).max() / np.abs(distant).max()
    clean, reverberant = taken(distant, speech, "srmr"), taken(speech, distant, "srmr")
    sound = torch.from_numpy(speech.astype(np.float64))
    assert clean == float(published.speech_reverberation_modulation_energy_ratio(sound, RATE))
    assert isinstance(reverberant, float)
    assert reverberant < clean, "of the estimate alone"
    assert "shorter than" in str(taken(speech[:4000], speech[:4000], "srmr"))


def test_what_is_not_here_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(InputError, match=r"nisqa[\s\S]*its weights are not here[\s\S]*nisqa.fetch\(\)"):
        registry.require_metrics(["nisqa"], RATE)
    with pytest.raises(InputError) as told:
        registry.require_metrics(["nisq"], RATE)
    assert "srmr, wer" in str(told.value), "offers what is at hand"
    assert "nisqa" not in str(told.value)


def test_word_error_rate_counts_what_only_the_estimate_is_misheard_in(speech: Samples) -> None:
    short = speech[: 2 * RATE]
    assert taken(short, short, "wer") == 0
    assert taken(short, np.random.default_rng(0).normal(size=len(short)) * 1e-3, "wer") == 1
    hum = np.sin(np.arange(RATE) * 2 * np.pi * 100 / RATE) * 1e-3
    assert "no word in the reference" in str(taken(hum, short[:RATE], "wer"))
