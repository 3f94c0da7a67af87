"""The demonstration clips are what their manifest says, and the renderer still makes them."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from basics.errors import InputError, Unavailable
from tools.clips import music, render, texts
from tools.clips.plan import LICENCES, PIECES, all_clips
from tools.clips.render import CLIPS, Row, read_manifest
from tools.clips.voices import Prosody, speak
from tools.pocket_mimi import corpus

PROGRAMS = ("flite", "espeak-ng", "fluidsynth")
needs_programs = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)) or not music.SOUNDFONT.is_file(),
    reason=f"needs {', '.join(PROGRAMS)} and the FluidR3 soundfont (apt-get install them and fluid-soundfont-gm)",
)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read_manifest()


def test_manifest_lists_exactly_the_files_there_are(rows: list[Row]) -> None:
    on_disk = sorted(str(path.relative_to(CLIPS)) for path in CLIPS.rglob("*.flac"))
    assert sorted(row.file for row in rows) == on_disk
    assert [row.file for row in rows] == [plan.file for plan in all_clips()]


def test_every_clip_is_mono_16_bit_24_khz_with_the_manifests_samples_and_level(rows: list[Row]) -> None:
    for row in rows:
        info = soundfile.info(CLIPS / row.file)
        assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16"), row.file
        samples, _ = soundfile.read(CLIPS / row.file, dtype="int16")
        assert hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest() == row.sha256, row.file
        assert len(samples) / 24_000 == pytest.approx(row.seconds, abs=1e-3)
        level = 20 * np.log10(np.sqrt(np.mean(np.square(samples / 32768))))
        assert level == pytest.approx(row.level_dbfs, abs=0.01)
        assert np.abs(samples).max() < 32_767, f"{row.file} clips"


def test_all_clips_together_stay_under_twelve_megabytes() -> None:
    assert sum(path.stat().st_size for path in CLIPS.rglob("*.*")) < 12e6


def test_each_role_has_the_courses_file_and_enough_more_for_an_interval(rows: list[Row]) -> None:
    roles = Counter(row.role for row in rows)
    assert {role: roles[role] for role in ("english", "chinese", "laughter", "music")} == dict.fromkeys(
        ("english", "chinese", "laughter", "music"), 4
    )
    named = {
        "English_speech.flac",
        "Chinese_speech.flac",
        "laughter.flac",
        "music.flac",
        "F_1.flac",
        "F_2.flac",
        "M_1.flac",
    }
    assert named <= {row.file for row in rows}
    seconds = [row.seconds for row in rows if row.role in ("english", "chinese", "laughter", "music", "gender")]
    assert 3 <= min(seconds) <= max(seconds) <= 8


def test_parallel_set_is_the_same_sentences_by_two_women_and_two_men(rows: list[Row]) -> None:
    said = defaultdict(list)
    for row in rows:
        if row.role == "parallel":
            said[row.gender, row.speaker].append(row.text)
    assert Counter(gender for gender, _ in said) == {"female": 2, "male": 2}
    assert all(spoken == list(texts.PARALLEL) for spoken in said.values())


def test_styles_are_balanced_over_voices_and_say_the_same_sentences_in_each_style(rows: list[Row]) -> None:
    cells = defaultdict(list)
    for row in rows:
        if row.role == "style":
            assert row.file.startswith(f"styles/{row.speaker}_{row.label}/{row.label.lower()}_")
            cells[row.speaker, row.label].append(row.text)
    assert len(cells) == 4 * 5
    assert all(spoken == list(texts.STYLED) for spoken in cells.values())


def test_no_clips_sentence_and_no_unseen_voice_is_in_the_codecs_training_corpus(rows: list[Row]) -> None:
    jobs = corpus.training_jobs(400)
    trained = {text for _, text, _ in jobs}
    tested = {text for group in corpus.test_jobs().values() for _, text, _ in group}
    assert not trained & ({row.text for row in rows} | tested)
    assert not {voice.voice.split("+")[-1] for voice, _, _ in jobs} & {"rms", "f4", "m6", "Andrea"}


def test_every_clip_has_a_licence_that_names_its_maker(rows: list[Row]) -> None:
    assert all(row.licence in LICENCES.values() and "MIT" in row.licence for row in rows)


@needs_programs
def test_renderer_reproduces_one_clip_of_each_kind(rows: list[Row]) -> None:
    wanted = {
        "English_speech.flac",
        "Chinese_speech.flac",
        "laughter.flac",
        "music.flac",
        "styles/max_Sleepy/sleepy_0001.flac",
    }
    plans = [plan for plan in all_clips() if plan.file in wanted]
    assert render.check(plans, [row for row in rows if row.file in wanted]) == []


@needs_programs
def test_check_names_a_clip_that_changed_and_one_that_is_gone(rows: list[Row]) -> None:
    laugh = next(row for row in rows if row.file == "laughter.flac")
    altered = dataclasses.replace(laugh, sha256="0" * 64)
    plans = [plan for plan in all_clips() if plan.file == "laughter.flac"]
    problems = render.check(plans, [altered, dataclasses.replace(laugh, file="lost.flac")])
    assert [problem.where for problem in problems] == ["laughter.flac", "lost.flac"]
    assert "other samples, though made by the same" in problems[0].what


def test_other_versions_of_a_synthesizer_are_held_to_length_and_level(rows: list[Row]) -> None:
    shipped = rows[0]
    other = dataclasses.replace(shipped, tool="flite 3.0", sha256="0" * 64)
    assert render.difference(shipped, other) is None
    assert render.difference(shipped, dataclasses.replace(other, seconds=shipped.seconds * 1.2)) is not None
    assert render.difference(shipped, dataclasses.replace(other, level_dbfs=shipped.level_dbfs + 3)) is not None


@needs_programs
def test_written_clips_and_manifest_read_back(tmp_path: Path) -> None:
    plans = [plan for plan in all_clips() if plan.role == "laughter"]
    written = render.write_all(tmp_path, plans)
    assert read_manifest(tmp_path / "manifest.csv") == written
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*(p.file for p in plans), "manifest.csv"])


@needs_programs
@pytest.mark.parametrize("voice", [texts.SLT, texts.FAY], ids=lambda voice: voice.name)
def test_prosody_moves_what_it_names(voice: texts.Voice) -> None:
    def pitch(prosody: Prosody) -> float:
        return float(np.median(librosa.yin(speak(voice, text, prosody), fmin=70, fmax=400, sr=24_000)))

    text = texts.STYLED[0]
    assert pitch(Prosody(pitch=1.3)) > 1.1 * pitch(Prosody(pitch=0.75))
    assert len(speak(voice, text, Prosody(rate=0.7))) > 1.2 * len(speak(voice, text, Prosody()))
    quiet = speak(voice, text, Prosody(level=-30))
    assert 20 * np.log10(np.sqrt(np.mean(quiet**2))) == pytest.approx(-30, abs=0.1)


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "00"), (0x40, "40"), (0x7F, "7f"), (0x80, "8100"), (0x2000, "c000")]
)
def test_variable_length_quantity_as_in_the_midi_standards_own_table(value: int, encoded: str) -> None:
    assert music.variable_length(value).hex() == encoded


def test_midi_file_has_one_track_of_the_stated_length() -> None:
    data = music.midi_file(PIECES[0])
    assert data[:14] == b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 480 >> 8, 480 & 0xFF])
    assert data[14:18] == b"MTrk"
    assert int.from_bytes(data[18:22], "big") == len(data) - 22


def test_missing_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match=r"flite is not installed\n.*apt-get install flite"):
        speak(texts.SLT, "Hello.")


def test_manifest_without_a_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file,role\nx.flac,music\n")
    with pytest.raises(InputError, match="has no column gender, only file, role"):
        read_manifest(tmp_path / "manifest.csv")


def test_manifest_with_a_word_for_a_number_is_refused(tmp_path: Path) -> None:
    first, second = CLIPS.joinpath("manifest.csv").read_text(encoding="utf-8").splitlines()[:2]
    seconds = str(read_manifest()[0].seconds)
    (tmp_path / "manifest.csv").write_text(f"{first}\n{second.replace(seconds, 'long')}\n")
    with pytest.raises(InputError, match=r"row 2: seconds or level_dbfs is no number .*'long'"):
        read_manifest(tmp_path / "manifest.csv")
