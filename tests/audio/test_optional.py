"""Measures of the extra `measures`, and word error rate: taken by name, equal to what they are published as."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from audio.metrics import registry
from audio.metrics.signals import Samples
from basics.errors import InputError, Undefined
from basics.files import sha256_of
from tests.audio.conftest import RATE
from tests.audio.judges import save_dnsmos, save_nisqa
from tests.tiny_models import SPECIAL, TIMES, WORDS, save_whisper

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


def test_words_are_heard_by_any_whisper_that_is_here(speech: Samples, tmp_path: Path) -> None:
    short, name = speech[: 2 * RATE], f"wer:{save_whisper(tmp_path / 'whisper')}"
    settings = tmp_path / "whisper" / "generation_config.json"
    last = len(SPECIAL) + len(WORDS)  # random weights would say tokens that are no words, and times
    words_alone = {"suppress_tokens": [*range(len(SPECIAL)), *range(last, last + TIMES)]}
    settings.write_text(json.dumps(json.loads(settings.read_text()) | words_alone))
    registry.require_metrics([name], RATE)
    assert taken(short, short, name) == 0
    assert isinstance(taken(short, short[::-1].copy(), name), float)
    facts = registry.facts_of(name)
    assert facts.package == "transformers"
    assert str(tmp_path) in facts.source
    assert registry.identity_of(name) == sha256_of(tmp_path / "whisper" / "model.safetensors")
    assert not registry.identity_of("wer")
    with pytest.raises(InputError, match=r"weights of nobody/whisper are not on this machine[\s\S]*hf download"):
        registry.require_metrics(["wer:nobody/whisper"], RATE)
    with pytest.raises(InputError, match=r"metric 'srmr:fast': has no variants[\s\S]*name it srmr"):
        registry.require_metrics(["srmr:fast"], RATE)


def test_networks_that_judge_the_estimate_are_torchmetrics(
    speech: Samples, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    from torchmetrics.functional.audio.dnsmos import deep_noise_suppression_mean_opinion_score
    from torchmetrics.functional.audio.nisqa import non_intrusive_speech_quality_assessment

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    home = tmp_path / ".torchmetrics"
    networks, network = save_dnsmos(home / "DNSMOS" / "DNSMOS"), save_nisqa(home / "NISQA")
    registry.require_metrics(["dnsmos", "nisqa"], RATE)
    sound = torch.from_numpy(speech.astype(np.float64))
    four = deep_noise_suppression_mean_opinion_score(sound, RATE, personalized=False).tolist()
    assert len(set(four)) == 4
    assert taken(speech[::-1].copy(), speech, "dnsmos") == four[3], "overall, of the estimate alone"
    parts = [taken(speech[::-1].copy(), speech, f"dnsmos:{part}") for part in ("p808", "sig", "bak", "ovr")]
    assert parts == four
    assert registry.facts_of("dnsmos:sig").source.startswith("sig of Reddy")
    with pytest.raises(InputError, match=r"metric 'dnsmos:x': is none of its values[\s\S]*dnsmos:p808, dnsmos:sig"):
        registry.require_metrics(["dnsmos:x"], RATE)
    five = non_intrusive_speech_quality_assessment(sound, RATE).tolist()
    assert len(set(five)) == 5
    assert taken(speech[::-1].copy(), speech, "nisqa") == pytest.approx(five[0], abs=1e-6)
    assert set(registry.identity_of("dnsmos").split()) == {sha256_of(path) for path in networks}
    before = registry.identity_of("nisqa")
    network.write_bytes(network.read_bytes() + b"1")
    assert registry.identity_of("nisqa") != before
