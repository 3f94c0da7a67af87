"""What may call itself measured: the codec of record on sound that people brought, whoever says so."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.clip import content_digest
from audio.codec.weights import KYUTAI_DIGESTS, MIMI, find_weights
from evaluators.evidence import Evidence, Findings, Inputs, Measurement, Quantity, Site
from evaluators.gathering import gather
from evaluators.origin import CLIPS, built_in_clip, is_of_record, source_of
from evaluators.speaker_gender import SpeakerGender, SpeakerGenderParameters
from evaluators.store import Store
from tests.checkpoints import random_checkpoint
from tests.foreign.foreign_evaluators import Dice, DiceParameters

KYUTAI = next(iter(KYUTAI_DIGESTS))
LAUGHTER = CLIPS / "laughter.flac"
COURSE_NAMES = {
    f"{name}_{number}": CLIPS / f"parallel/{folder}/{number:02d}.flac"
    for name, folder in (("F", "F_slt"), ("M", "M_awb"))
    for number in (1, 2)
}
"""What the homework calls its clips, and sentences that two synthetic voices say."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_checkpoint(tmp_path_factory.mktemp("weights") / "small")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A sound that did not come with the project, as long as one that did."""
    samples, rate = soundfile.read(LAUGHTER, dtype="int16")
    soundfile.write(tmp_path / "laughter.flac", np.flip(samples), rate)
    return tmp_path / "laughter.flac"


# Which weights


@pytest.mark.parametrize(
    ("weights", "codec_of_record", "expected"),
    [(KYUTAI, MIMI, "measured"), ("0" * 64, MIMI, "demonstration"), (KYUTAI, "somebody/else", "demonstration")],
)
def test_weights_are_known_by_their_digest(weights: str, codec_of_record: str, expected: str) -> None:
    assert source_of(weights=weights, codec_of_record=codec_of_record).source == expected


def test_a_quizs_own_codec_is_known_by_the_digest_of_its_own_weights(checkpoint: Path, tmp_path: Path) -> None:
    of_record, other = str(checkpoint), random_checkpoint(tmp_path / "small", seed=1)
    copy = shutil.copytree(checkpoint, tmp_path / "copy")
    assert is_of_record(find_weights(copy).digest, of_record)
    assert not is_of_record(find_weights(other).digest, of_record)


def test_the_reason_names_weights_and_clips(own: Path) -> None:
    found = source_of(weights="0" * 64, sounds=[own, LAUGHTER], synthetic=["M_1.wav"])
    assert "sha256 00000000…) are not those of kyutai/mimi" in found.reason
    assert "laughter.flac has the sound of laughter.flac" in found.reason
    assert "synthetic voices, as the manifest says: M_1.wav" in found.reason
    assert source_of(weights=KYUTAI, sounds=[own]) == ("measured", "")


# Which sounds


def test_every_built_in_clip_is_known_by_its_content() -> None:
    with (CLIPS / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 200
    assert {built_in_clip(CLIPS / row["file"]) for row in rows} == {built_in_clip(row["sha256"]) for row in rows}
    assert all(built_in_clip(row["sha256"]) for row in rows)


def _wav(samples: Any, rate: int, path: Path) -> None:
    soundfile.write(path.with_suffix(".wav"), samples, rate)


def _wider(samples: Any, rate: int, path: Path) -> None:
    soundfile.write(path.with_suffix(".wav"), samples, rate, subtype="PCM_24")


def _float(samples: Any, rate: int, path: Path) -> None:
    soundfile.write(path.with_suffix(".wav"), samples / 32768, rate, subtype="FLOAT")


def _stereo(samples: Any, rate: int, path: Path) -> None:
    soundfile.write(path.with_suffix(".flac"), np.stack([samples, samples], axis=1), rate)


def _titled(samples: Any, rate: int, path: Path) -> None:
    with soundfile.SoundFile(path.with_suffix(".flac"), "w", rate, 1, "PCM_16") as file:
        file.title = "recorded in the wild"
        file.write(samples)


@pytest.mark.parametrize("write", [_wav, _wider, _float, _stereo, _titled])
def test_another_file_of_the_same_sound_is_the_same_sound(write: Any, tmp_path: Path) -> None:
    samples, rate = soundfile.read(LAUGHTER, dtype="int16")
    write(samples, rate, tmp_path / "music")
    (copy,) = tmp_path.iterdir()
    assert copy.read_bytes() != LAUGHTER.read_bytes()
    assert built_in_clip(copy) == "laughter.flac"
    assert built_in_clip(content_digest(copy)) == "laughter.flac"


def test_other_sound_and_what_is_no_sound_are_not_built_in(own: Path, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not sound")
    assert [built_in_clip(sound) for sound in (own, tmp_path / "text.wav", tmp_path / "gone.wav", "0" * 64)] == [""] * 4


def test_a_file_that_changed_is_looked_at_again(own: Path) -> None:
    assert not built_in_clip(own)
    shutil.copy(LAUGHTER, own)
    assert built_in_clip(own) == "laughter.flac"


# Whoever says so


class Listener(Dice):
    """Somebody's evaluator, which says `measured` of whatever it is given."""

    name = "listener"
    declared = Inputs()

    def quantities(self, parameters: DiceParameters) -> Iterable[Quantity]:  # noqa: ARG002
        yield Quantity(name="listener.all")
        yield Quantity(name="listener.heard", rests_on=("sounds",))
        yield Quantity(name="listener.counted", rests_on=())

    def inputs(self, parameters: DiceParameters, site: Site) -> Inputs:  # noqa: ARG002
        return self.declared

    def measure(self, parameters: DiceParameters, site: Site) -> Findings:  # noqa: ARG002
        names = ("listener.all", "listener.heard", "listener.counted")
        return Findings(tuple(Measurement(name=name, value=1.0, source="measured", note="mine") for name in names))


def sources(evidence: Evidence) -> dict[str, str]:
    return {m.name.removeprefix("listener."): m.source[:4] for m in evidence.measurements}


def listen(declared: Inputs, store: Store | None = None) -> Evidence:
    listener = Listener()
    listener.declared = declared
    return gather(listener, DiceParameters(), Site(), store).evidence


def test_nobody_claims_measured_for_built_in_sound_or_other_weights(own: Path) -> None:
    by_sound = {"all": "demo", "heard": "demo", "counted": "meas"}
    assert sources(listen(Inputs(sounds=(LAUGHTER,)))) == by_sound
    assert sources(listen(Inputs(sounds=(content_digest(LAUGHTER),)))) == by_sound
    assert sources(listen(Inputs(weights="0" * 64))) == {**by_sound, "heard": "meas"}
    assert set(sources(listen(Inputs(sounds=(own,), weights=KYUTAI))).values()) == {"meas"}


def test_the_note_says_why_it_was_turned_into_a_demonstration() -> None:
    note = listen(Inputs(sounds=(LAUGHTER,))).measurements[0].note
    assert note == "mine; demonstration: clips that come with the project: laughter.flac has the sound of laughter.flac"


def test_what_the_store_holds_is_held_to_it_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    declared = Inputs(files={"clip": "0" * 64})
    assert set(sources(listen(declared, store)).values()) == {"meas"}
    assert sources(listen(replace(declared, sounds=(LAUGHTER,)), store))["heard"] == "demo"


# A command


def test_built_in_voices_under_the_courses_names_never_become_evidence_of_record(
    earwitness: Any, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "store"))
    quiz = shutil.copytree(repository / "questions", tmp_path / "quiz")
    before = {path.name: path.read_bytes() for path in (quiz / "evidence").iterdir()}
    clips = tmp_path / "clips"
    clips.mkdir()
    for name, source in COURSE_NAMES.items():
        samples, rate = soundfile.read(source, dtype="int16")
        soundfile.write(clips / f"{name}.wav", samples, rate)
    done = earwitness("evidence", "q02", "--quiz", quiz, "--audio", clips, "--record")
    assert "is demonstration evidence, never of record" in done.stderr
    assert {path.name: path.read_bytes() for path in (quiz / "evidence").iterdir()} == before


def test_course_named_copies_are_a_demonstration_for_the_evaluator_itself(tmp_path: Path) -> None:
    for name, source in COURSE_NAMES.items():
        shutil.copy(source, tmp_path / f"{name}.flac")
    evaluator, asked = SpeakerGender(), SpeakerGenderParameters(layers=())
    found = evaluator.measure(asked, Site(audio=tmp_path)).measurements
    assert {m.source for m in found if m.name.startswith("channel.")} == {"demonstration"}
    assert len(evaluator.inputs(asked, Site(audio=tmp_path)).sounds) == len(COURSE_NAMES)
