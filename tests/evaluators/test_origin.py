"""What may call itself measured: the codec of record on sound that people brought, whoever says so."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.clip import content_digest, resample
from audio.codec.weights import KYUTAI_DIGESTS, MIMI, find_weights
from basics.errors import InputError
from evaluators.evidence import Evidence, Findings, Inputs, Measurement, PublishedPair, Quantity, Site
from evaluators.gathering import gather
from evaluators.origin import CLIPS, built_in_clip, is_of_record, source_of, weights_of
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
    assert source_of(Site(codec_of_record=codec_of_record), weights=weights).source == expected


def test_a_quizs_own_codec_is_known_by_the_digest_that_the_quiz_states(checkpoint: Path, tmp_path: Path) -> None:
    other = random_checkpoint(tmp_path / "small", seed=1)
    copy = shutil.copytree(checkpoint, tmp_path / "copy")
    site = Site(codec_of_record="our/codec", codec_sha256=(find_weights(checkpoint).digest,))
    assert is_of_record(find_weights(copy).digest, site)
    assert not is_of_record(find_weights(other).digest, site)


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "not-stated"])
def test_other_weights_under_the_codecs_name_are_an_error_with_both_digests(
    checkpoint: Path, tmp_path: Path, stated: bool
) -> None:
    other = random_checkpoint(tmp_path / "other", seed=1)
    known = (find_weights(checkpoint).digest,) if stated else ()
    with pytest.raises(InputError) as error:
        weights_of(Site(codec_of_record=str(other), codec_sha256=known))
    assert find_weights(other).digest in str(error.value)
    assert (known[0][:12] if stated else "codec_sha256: [") in str(error.value)
    named_otherwise = weights_of(Site(codec=str(other), codec_of_record="our/codec", codec_sha256=known))
    assert named_otherwise.digest == find_weights(other).digest


def test_the_gatherer_refuses_other_weights_under_the_codecs_name() -> None:
    with pytest.raises(InputError, match="the weights found under this name"):
        listen(Inputs(weights="0" * 64))


def test_the_reason_names_weights_and_clips(own: Path) -> None:
    found = source_of(Site(), weights="0" * 64, sounds=[own, LAUGHTER], synthetic=["M_1.wav"])
    assert "sha256 00000000…) are not those of kyutai/mimi" in found.reason
    assert "laughter.flac has the sound of laughter.flac" in found.reason
    assert "synthetic voices, as the manifest says: M_1.wav" in found.reason
    assert source_of(Site(), weights=KYUTAI, sounds=[own]) == ("measured", "")


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


def _levelled(samples: Any, rate: int) -> Any:
    return samples * 0.25, rate


def _resampled(samples: Any, rate: int) -> Any:
    return resample(samples, rate, 11_025), 11_025


def _trimmed(samples: Any, rate: int) -> Any:
    return samples[len(samples) // 5 : -len(samples) // 10], rate


def _padded(samples: Any, rate: int) -> Any:
    return np.concatenate([np.zeros(rate // 3, np.float32), samples, np.zeros(rate, np.float32)]), rate


def _inverted(samples: Any, rate: int) -> Any:
    return -samples, rate


def _noisy(samples: Any, rate: int) -> Any:
    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    return samples + 0.1 * samples.std() * noise, rate


CHANGES = (_levelled, _resampled, _trimmed, _padded, _inverted, _noisy)
HEARD = ("laughter.flac", "music.flac", "Chinese_speech.flac", "parallel/F_slt/02.flac")


@pytest.mark.parametrize("clip", HEARD)
@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_that_was_worked_on_is_still_heard_to_be_the_clip(change: Any, clip: str, tmp_path: Path) -> None:
    samples, rate = soundfile.read(CLIPS / clip, dtype="float32")
    changed, at = change(samples, rate)
    soundfile.write(tmp_path / "own.wav", changed, at)
    assert built_in_clip(tmp_path / "own.wav") == clip


@pytest.mark.parametrize(("codec", "suffix"), [("libmp3lame", "mp3"), ("libvorbis", "ogg")])
def test_a_copy_in_a_lossy_format_is_still_heard_to_be_the_clip(codec: str, suffix: str, tmp_path: Path) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    for number, clip in enumerate(HEARD):
        copy = tmp_path / f"{number}.{suffix}"
        command = ["ffmpeg", "-loglevel", "error", "-i", str(CLIPS / clip), "-c:a", codec, "-b:a", "32k", str(copy)]
        subprocess.run(command, check=True)
        assert built_in_clip(copy) == clip


def test_no_real_recording_is_taken_for_a_built_in_clip(shared: Path) -> None:
    recordings = sorted((shared / "audio").rglob("*.flac"))
    assert len(recordings) > 100
    assert [path.name for path in recordings if built_in_clip(path)] == []


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
    says: Any = "measured"

    def quantities(self, parameters: DiceParameters) -> Iterable[Quantity]:  # noqa: ARG002
        yield Quantity(name="listener.all")
        yield Quantity(name="listener.heard", rests_on=("sounds",))
        yield Quantity(name="listener.counted", rests_on=())

    def inputs(self, parameters: DiceParameters, site: Site) -> Inputs:  # noqa: ARG002
        return self.declared

    def measure(self, parameters: DiceParameters, site: Site) -> Findings:  # noqa: ARG002
        names = ("listener.all", "listener.heard", "listener.counted")
        said = {"source": self.says, "locator": "somewhere", "note": "mine"}
        return Findings(tuple(Measurement(name=name, value=1.0, **said) for name in names))


def sources(evidence: Evidence) -> dict[str, str]:
    return {m.name.removeprefix("listener."): m.source[:4] for m in evidence.measurements}


def listen(declared: Inputs, store: Store | None = None, source: str = "measured", **site: Any) -> Evidence:
    listener = Listener()
    listener.declared, listener.says = declared, source
    return gather(listener, DiceParameters(), Site(**site), store).evidence


PAIR = PublishedPair("owner/demo", "0" * 40, "Mimi", 8, "speech", "en", "a" * 64, "b" * 64)


def test_what_rests_on_published_pairs_is_published_audio_at_most() -> None:
    listed = Inputs(published=(PAIR,))
    assert sources(listen(listed, published=(PAIR,)))["heard"] == "publ"
    assert sources(listen(listed, published=(PAIR,), source="published_audio"))["heard"] == "publ"
    assert sources(listen(Inputs(), source="published_audio"))["heard"] == "demo"


@pytest.mark.parametrize(
    "said",
    [
        {"repository": "owner/other"},
        {"commit": "1" * 40},
        {"system": "EnCodec"},
        {"codebooks": 32},
        {"codebooks": None},
        {"kind": "music"},
        {"language": "zh"},
        {"original": "c" * 64},
        {"reconstruction": "a" * 64},
    ],
)
def test_a_pair_that_is_not_listed_as_it_is_said_to_be_is_a_demonstration(said: dict[str, Any]) -> None:
    found = listen(Inputs(published=(PAIR, replace(PAIR, **said))), published=(PAIR,))
    assert sources(found)["heard"] == "demo"
    assert "does not list as published" in found.measurements[0].note


def test_standing_is_part_of_the_fingerprint() -> None:
    """A demonstration in the store never answers where the same files are of record, nor the other way round."""
    pair = Inputs(published=(PAIR,))
    assert listen(pair).fingerprint != listen(pair, published=(PAIR,)).fingerprint
    assert (
        listen(Inputs(weights=KYUTAI)).fingerprint
        != listen(Inputs(weights=KYUTAI), codec=MIMI, codec_of_record="our/codec").fingerprint
    )


def test_nobody_claims_measured_for_built_in_sound_or_other_weights(own: Path) -> None:
    by_sound = {"all": "demo", "heard": "demo", "counted": "meas"}
    assert sources(listen(Inputs(sounds=(LAUGHTER,)))) == by_sound
    assert sources(listen(Inputs(sounds=(content_digest(LAUGHTER),)))) == by_sound
    assert sources(listen(Inputs(weights="0" * 64), codec="another")) == {**by_sound, "heard": "meas"}
    assert set(sources(listen(Inputs(sounds=(own,), weights=KYUTAI))).values()) == {"meas"}


def test_the_note_says_why_it_was_turned_into_a_demonstration() -> None:
    note = listen(Inputs(sounds=(LAUGHTER,))).measurements[0].note
    assert note == "mine; demonstration: clips that come with the project: laughter.flac has the sound of laughter.flac"


def test_what_the_store_holds_is_held_to_it_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    declared = Inputs(files={"clip": "0" * 64})
    assert set(sources(listen(declared, store)).values()) == {"meas"}
    assert sources(listen(replace(declared, sounds=(LAUGHTER,)), store))["heard"] == "demo"
    assert set(sources(listen(declared, store)).values()) == {"meas"}


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


def test_pairs_that_are_made_up_never_become_evidence_of_record(
    earwitness: Any, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest that names a real repository, commit and system, beside sounds that are no codec's output."""
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "store"))
    quiz = shutil.copytree(repository / "questions", tmp_path / "quiz")
    before = {path.name: path.read_bytes() for path in (quiz / "evidence").iterdir()}
    with (quiz / "published_audio.csv").open(encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file) if row["repo"] == "tadicodec/tadicodec.github.io"]
    made_up = tmp_path / "pairs"
    made_up.mkdir()
    noise = np.random.default_rng(0).standard_normal((len(listed), 16_000)) * 0.1
    rows = []
    for row, sound in zip(listed, noise, strict=True):
        soundfile.write(made_up / f"{row['pair_id']}.wav", sound, 16_000)
        file_name = f"{row['pair_id']}.wav"
        said = {key: row[key] for key in ("pair_id", "repo", "commit", "system", "codebooks", "kind", "language")}
        rows.append({**said, "orig_file": file_name, "recon_file": file_name})
    with (made_up / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    done = earwitness("evidence", "q06", "--quiz", quiz, "--pairs", made_up, "--record")
    assert "is demonstration evidence, never of record" in done.stderr
    assert {path.name: path.read_bytes() for path in (quiz / "evidence").iterdir()} == before


def test_other_weights_in_the_hub_cache_under_the_codecs_name_are_refused(
    earwitness: Any, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audio.codec.weights import PINNED

    snapshot = tmp_path / "hub" / "models--kyutai--mimi" / "snapshots" / PINNED
    shutil.copytree(checkpoint, snapshot)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "store"))
    done = earwitness("evidence", "q07", "--audio", CLIPS)
    assert done.returncode == 2
    assert "the weights found under this name have sha256" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
