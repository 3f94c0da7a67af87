"""How sure is sure: which model is the cascade is said from 95 % probability on, and not below."""

from __future__ import annotations

import json
from math import comb
from pathlib import Path

import pytest

from evaluators.evidence import Measurement, Site
from evaluators.speaker_gender import SpeakerGender, SpeakerGenderParameters

TEXT_BOUND = "I'm a text-based AI and cannot listen to audio, so I can't determine the gender of the speaker."
SOUND_BOUND = "The speaker is male: the voice is deep and the pitch is low."


def measured(path: Path, text_bound: dict[str, int], sound_bound: dict[str, int]) -> dict[str, Measurement]:
    """What so many recorded answers of each model are evidence of."""
    said = [(model, n, TEXT_BOUND) for model, n in text_bound.items()]
    said += [(model, n, SOUND_BOUND) for model, n in sound_bound.items()]
    answers = [(model, text) for model, n, text in said for _ in range(n)]
    lines = [{"model": model, "clip": f"M_{i}.wav", "response": text} for i, (model, text) in enumerate(answers)]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    findings = SpeakerGender().measure(SpeakerGenderParameters(), Site(responses=path))
    return {m.name: m for m in findings.measurements}


@pytest.mark.parametrize(("a", "b"), [("model_a", "model_b"), ("model_b", "model_a")])
@pytest.mark.parametrize(
    ("text", "sound", "sure"), [(1, 1, False), (2, 1, False), (3, 1, False), (4, 1, True), (3, 3, True)]
)
def test_the_cascade_is_named_from_95_percent_on(
    tmp_path: Path, a: str, b: str, text: int, sound: int, sure: bool
) -> None:
    """All answers of one model text-bound, all of the other sound-bound: P is 1 - 1 / C(n + m + 2, m + 1)."""
    found = measured(tmp_path / "r.jsonl", {a: text}, {b: sound})
    probability = 1 - 1 / comb(text + sound + 2, sound + 1)
    assert found[f"{a}.cascade_evidence"].value == pytest.approx(probability)
    assert found[f"{b}.cascade_evidence"].value == pytest.approx(1 - probability)
    assert sure == (probability >= 0.95)
    cascade = found["responses.cascade"]
    if sure:
        assert cascade.value == a
    else:
        assert cascade.value is None
        assert "with 95% probability" in (cascade.undefined or "")


def test_models_that_answer_alike_are_not_told_apart(tmp_path: Path) -> None:
    found = measured(tmp_path / "r.jsonl", {"model_a": 5, "model_b": 4}, {"model_a": 4, "model_b": 5})
    assert 0.5 < float(found["model_a.cascade_evidence"].value or 0) < 0.95
    assert found["responses.cascade"].value is None
