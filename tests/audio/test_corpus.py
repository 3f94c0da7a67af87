"""Corpora are found under every name they come by, and what they lack is said."""

from __future__ import annotations

import csv
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from audio.corpus import find_role, read_emotions, read_pairs
from basics.errors import InputError, Unavailable

EMOTIONS = ("Amused", "Angry", "Disgusted", "Neutral", "Sleepy")
ABSENT = {("josh", "Angry"), ("josh", "Disgusted")}
DISTRIBUTED = sorted(
    {(speaker, emotion) for speaker in ("bea", "jenie", "josh", "sam") for emotion in EMOTIONS} - ABSENT
)


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def problems(error: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [f"{problem.where}: {problem.what}" for problem in error.value.problems]


# Pairs


def test_the_real_pairs_are_read(shared: Path) -> None:
    pairs = read_pairs(shared / "audio" / "pairs")
    assert len(pairs) == 43
    assert Counter(pair.codebooks for pair in pairs) == {8: 24, 4: 10, None: 9}
    assert Counter(pair.kind for pair in pairs) == {"speech": 38, "music": 3, "singing": 2}
    assert all(pair.original.is_file() and pair.reconstruction.is_file() for pair in pairs)
    assert pairs[0].source == "Stability-AI/stable-codec-demo"


def test_three_columns_are_enough(tmp_path: Path) -> None:
    touch(tmp_path / "a.wav"), touch(tmp_path / "b.wav")
    write_csv(tmp_path / "manifest.csv", [{"orig_file": "a.wav", "recon_file": "b.wav", "system": "Mimi"}])
    (pair,) = read_pairs(tmp_path)
    assert (pair.id, pair.kind, pair.language, pair.codebooks, pair.source) == ("b", "speech", "und", None, "")
    assert pair.system == "Mimi"
    assert read_pairs(tmp_path / "manifest.csv") == [pair]


def test_every_problem_of_a_manifest_is_told_with_its_line(tmp_path: Path) -> None:
    touch(tmp_path / "a.wav")
    rows = [
        {"pair_id": "x", "orig_file": "a.wav", "recon_file": "gone.wav", "codebooks": "eight", "system": "Mimi"},
        {"pair_id": "y", "orig_file": "", "recon_file": "a.wav", "codebooks": "0", "system": ""},
        {"pair_id": "z", "orig_file": "a.wav", "recon_file": "a.wav", "codebooks": "8", "system": "Mimi"},
        {"pair_id": "z", "orig_file": "a.wav", "recon_file": "a.wav", "codebooks": "", "system": "Mimi"},
    ]
    manifest = write_csv(tmp_path / "manifest.csv", rows)
    with pytest.raises(InputError) as error:
        read_pairs(tmp_path)
    assert problems(error) == [
        f"{manifest} row 2: recon_file: no such file: {tmp_path / 'gone.wav'}",
        f"{manifest} row 2: codebooks is 'eight', expected a number",
        f"{manifest} row 3: column orig_file is blank",
        f"{manifest} row 3: column system is blank",
        f"{manifest} row 3: codebooks is '0', expected a number",
        f"{manifest}: pair_id 'z' occurs more than once",
    ]


def test_a_folder_or_a_manifest_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no manifest.csv"):
        read_pairs(tmp_path)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("file,label\n")
    with pytest.raises(InputError) as error:
        read_pairs(tmp_path)
    assert problems(error) == [
        f"{manifest}: has no column orig_file, only file, label",
        f"{manifest}: has no column recon_file, only file, label",
        f"{manifest}: has no column system, only file, label",
    ]
    manifest.write_text("orig_file,recon_file,system\n")
    with pytest.raises(InputError, match="has no rows"):
        read_pairs(tmp_path)
    manifest.write_bytes("orig_file,recon_file,system\nä.wav,b.wav,Mimi\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8"):
        read_pairs(tmp_path)


# Roles


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (
            "english",
            [
                "TTS_English_speech.wav",
                "English_speech.mp3",
                "english.FLAC",
                "english/any.ogg",
                "TTS_english_speech.WAV",
            ],
        ),
        ("chinese", ["TTS_Chinese_speech.wav", "Chinese_speech.wav", "mandarin/x.flac"]),
        ("laughter", ["laughter.wav", "Laughter.ogg"]),
        ("music", ["music.wav", "music/a.flac"]),
    ],
)
def test_a_role_is_found_under_all_its_names(tmp_path: Path, role: str, names: list[str]) -> None:
    for number, name in enumerate(names):
        path = touch(tmp_path / str(number) / name)
        touch(tmp_path / str(number) / "other.wav")
        assert find_role(tmp_path / str(number), role) == (path,)


def test_several_clips_may_play_a_role(repository: Path, tmp_path: Path) -> None:
    built_in = find_role(repository / "audio" / "clips", "english")
    assert [path.stem for path in built_in] == [f"English_speech{end}" for end in ("", "_2", "_3", "_4")]
    clips = [touch(tmp_path / "music" / name) for name in ("a.wav", "b/c.flac")]
    touch(tmp_path / "music" / ".hidden.wav"), touch(tmp_path / "music" / "notes.txt")
    assert find_role(tmp_path, "music") == tuple(clips)


def test_a_file_of_a_question_is_found_under_the_courses_other_name(tmp_path: Path) -> None:
    path = touch(tmp_path / "English_speech.flac")
    touch(tmp_path / "English_speech_2.flac")
    assert find_role(tmp_path, "TTS_English_speech.wav") == (path,)
    wav = touch(tmp_path / "TTS_English_speech.wav")
    assert find_role(tmp_path, "TTS_English_speech.wav") == (wav,)


def test_a_role_nobody_plays_says_what_to_put_where(tmp_path: Path) -> None:
    touch(tmp_path / "speech.wav")
    with pytest.raises(Unavailable, match=r"no clip for 'english' in .*\n.*english_speech\{\.wav"):
        find_role(tmp_path, "english")
    with pytest.raises(Unavailable, match=r"no clip for 'x\.wav'"):
        find_role(tmp_path / "absent", "x.wav")


# Emotional speech


def test_a_manifest_gives_label_speaker_and_gender(shared: Path) -> None:
    corpus = read_emotions(shared / "audio" / "emotion")
    assert len(corpus.clips) == 234
    clip = next(clip for clip in corpus.clips if "angry_a01" in clip.name)
    assert (clip.label, clip.speaker, clip.gender) == ("angry", "ravdess_01", "M")
    assert {clip.label for clip in corpus.clips if "/disgust" in clip.name} == {
        "disgusted"
    }  # homework_label comes first
    assert "ravdess_01 has no clips of amused, sleepy" in corpus.missing
    assert all(clip.path.is_file() for clip in corpus.clips)


def test_a_manifest_with_gaps_names_their_lines(tmp_path: Path) -> None:
    touch(tmp_path / "a.wav")
    rows = [{"file": "a.wav", "emotion": "", "speaker": "x"}, {"file": "b.wav", "emotion": "Angry", "speaker": ""}]
    manifest = write_csv(tmp_path / "emotions.csv", rows)
    with pytest.raises(InputError) as error:
        read_emotions(manifest)
    assert problems(error) == [
        f"{manifest} row 3: file: no such file: {tmp_path / 'b.wav'}",
        f"{manifest} row 2: the label is blank",
        f"{manifest} row 3: the speaker is blank",
    ]
    write_csv(manifest, [{"path": "a.wav", "emotion": "Angry"}])
    with pytest.raises(InputError, match=r"no column file.*\n.*\n.*no column speaker"):
        read_emotions(manifest)


def emov(folder: Path, layout: str) -> Path:
    """EmoV-DB with two clips a cell, in one of the layouts it is found in."""
    old = {"Angry": "anger", "Disgusted": "disgust", "Sleepy": "sleepiness"}
    unsorted = {"bea": "Spk-Bea", "jenie": "Spk-Je", "josh": "Spk-Jsh", "sam": "Spk-Sa"}
    for speaker, emotion in DISTRIBUTED:
        place = {
            "folders": f"{speaker}_{emotion}/{emotion.lower()}",
            "lower case": f"{speaker}_{emotion.lower()}/{emotion.lower()}",
            "sorted": f"EmoV-DB_sorted/{speaker}/{emotion}/{emotion.lower()}",
            "16 bits": f"{speaker}_{emotion}_16bits/audio/{old.get(emotion, emotion.lower())}",
            "unsorted": f"{unsorted[speaker]}/{old.get(emotion, emotion.lower())}",
        }[layout]
        for number in (1, 2):
            touch(folder / f"{place}_1-28_{number:04d}.wav")
    return folder


@pytest.mark.parametrize("layout", ["folders", "lower case", "sorted", "16 bits", "unsorted"])
def test_emov_db_is_read_in_every_layout(tmp_path: Path, layout: str) -> None:
    corpus = read_emotions(emov(tmp_path / "corpus", layout))
    assert Counter((clip.speaker, clip.label) for clip in corpus.clips) == dict.fromkeys(DISTRIBUTED, 2)
    assert {clip.speaker: clip.gender for clip in corpus.clips} == {"bea": "F", "jenie": "F", "josh": "M", "sam": "M"}
    assert corpus.missing == ("josh has no clips of Angry, Disgusted",)
    assert [clip.name for clip in corpus.clips] == sorted(clip.name for clip in corpus.clips)


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """EmoV-DB's 18 archives as OpenSLR names them, two clips in each."""
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    loose = emov(tmp_path / "loose", "folders")
    folder = tmp_path / "SLR115"
    folder.mkdir()
    for cell in loose.iterdir():
        with tarfile.open(folder / f"{cell.name}.tar.gz", "w:gz") as tar:
            for clip in cell.iterdir():
                tar.add(clip, f"./{clip.name}")
    return folder


def test_archives_are_unpacked_once_and_the_corpus_folder_is_left_alone(archives: Path, tmp_path: Path) -> None:
    before = sorted(archives.iterdir())
    corpus = read_emotions(archives)
    assert Counter((clip.speaker, clip.label) for clip in corpus.clips) == dict.fromkeys(DISTRIBUTED, 2)
    assert corpus.clips[0].name == "bea_Amused/amused_1-28_0001.wav"
    assert sorted(archives.iterdir()) == before
    times = {path: path.stat().st_ctime_ns for path in (tmp_path / "cache").rglob("*")}
    assert read_emotions(archives) == corpus
    assert {path: path.stat().st_ctime_ns for path in (tmp_path / "cache").rglob("*")} == times


def test_an_archive_beside_its_own_folder_is_not_read_twice(archives: Path) -> None:
    touch(archives / "bea_Amused" / "amused_1-28_0001.wav")
    clips = [clip for clip in read_emotions(archives).clips if (clip.speaker, clip.label) == ("bea", "Amused")]
    assert [clip.path for clip in clips] == [archives / "bea_Amused" / "amused_1-28_0001.wav"]


def test_one_archive_alone_is_a_corpus(archives: Path) -> None:
    corpus = read_emotions(archives / "josh_Sleepy.tar.gz")
    assert {(clip.speaker, clip.label) for clip in corpus.clips} == {("josh", "Sleepy")}
    assert "no clips of speaker bea" in corpus.missing
    assert "no clips of Angry" in corpus.missing


def test_a_download_cut_short_is_named_and_leaves_nothing(archives: Path, tmp_path: Path) -> None:
    broken = archives / "bea_Amused.tar.gz"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(InputError, match=r"bea_Amused.tar.gz: cannot be unpacked .*\n.*download it again"):
        read_emotions(archives)
    assert not list((tmp_path / "cache").rglob("*.wav"))


def test_an_archive_cannot_write_outside_its_folder(archives: Path, tmp_path: Path) -> None:
    evil = archives / "bea_Amused.tar.gz"
    with tarfile.open(evil, "w:gz") as tar:
        tar.add(touch(tmp_path / "x.wav"), "../../../outside.wav")
    with pytest.raises(InputError, match="cannot be unpacked"):
        read_emotions(archives)
    assert not list(tmp_path.rglob("outside.wav"))


def test_clips_that_say_nothing_are_counted(tmp_path: Path) -> None:
    folder = emov(tmp_path / "corpus", "sorted")
    touch(folder / "noise.wav"), touch(folder / "bea" / "test.wav")
    assert (
        read_emotions(folder)
        .missing[-1]
        .startswith("2 files left out, whose names say no speaker or no emotion: bea/test")
    )


def test_no_corpus_says_what_is_expected(tmp_path: Path) -> None:
    touch(tmp_path / "music.wav")
    with pytest.raises(InputError, match=r"no clips or archives named after speaker and emotion\n.*bea_Amused.tar.gz"):
        read_emotions(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        read_emotions(tmp_path / "absent")


def test_reading_a_corpus_imports_nothing_heavy() -> None:
    code = "import sys, audio.corpus, basics.errors; print({'numpy', 'torch', 'soundfile'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_folders_named_like_emov_dbs_hold_anybodys_speech(repository: Path) -> None:
    corpus = read_emotions(repository / "audio/clips/styles")
    assert {clip.speaker for clip in corpus.clips} == {"awb", "fay", "max", "slt"}
    assert {clip.label for clip in corpus.clips} == {"Amused", "Angry", "Disgusted", "Neutral", "Sleepy"}
    assert corpus.missing == ()
