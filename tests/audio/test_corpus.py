"""Corpora are found under every name they come by, and what they lack is said."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from audio.corpus import find_role, read_emotions, read_pairs
from audio.corpus.manifests import MOST_ROWS
from audio.formats import read_folder
from basics.errors import InputError, Unavailable

EMOTIONS = ("Amused", "Angry", "Disgusted", "Neutral", "Sleepy")
ABSENT = {("josh", "Angry"), ("josh", "Disgusted")}
SPEAKERS = ("bea", "jenie", "josh", "sam")
DISTRIBUTED = sorted({(speaker, emotion) for speaker in SPEAKERS for emotion in EMOTIONS} - ABSENT)


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
    path = touch(tmp_path / "english_speech.wav")
    touch(tmp_path / "English_speech_2.flac")
    assert find_role(tmp_path, "TTS_English_speech.wav") == (path,)


def test_a_file_of_another_ending_is_used_only_where_a_manifest_says_what_it_is(tmp_path: Path) -> None:
    path = touch(tmp_path / "English_speech.mp3")
    with pytest.raises(InputError, match=r"names TTS_English_speech\.wav, and here is English_speech\.mp3"):
        find_role(tmp_path, "TTS_English_speech.wav")
    write_csv(tmp_path / "manifest.csv", [{"file": "English_speech.mp3", "role": "english"}])
    assert find_role(tmp_path, "TTS_English_speech.wav") == (path,)


@pytest.mark.parametrize(
    ("files", "asked"),
    [
        (("English_speech.wav", "TTS_English_speech.wav"), "English_speech.wav"),
        (("English_speech.wav", "English_speech.flac"), "english"),
        (("English_speech.wav", "english_speech.WAV"), "English_speech.wav"),
        (("English_speech.wav", "english/a.wav"), "english"),
    ],
)
def test_two_files_for_one_role_are_an_error(tmp_path: Path, files: tuple[str, ...], asked: str) -> None:
    for file in files:
        touch(tmp_path / file)
    with pytest.raises(InputError, match=r"each could be meant|could each be meant"):
        find_role(tmp_path, asked)


def test_every_file_of_a_folder_is_sound_or_named_as_none(tmp_path: Path) -> None:
    sounds = ["a.opus", "b.aiff", "c.3gp", "d.m4a", "e.WAV", "f.voc", "readme.wav", "sub/g.caf"]
    others = ["README", "notes.docx", "b.lab", "manifest.csv", "cover.jpg", ".DS_Store"]
    for name in (*sounds, *others):
        touch(tmp_path / name)
    folder = read_folder(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in folder.sounds] == sorted(sounds)
    assert sorted(folder.others) == sorted(others)
    assert folder.remark.startswith("no sound: .DS_Store, README, b.lab and 3 more")


def test_what_hides_sound_is_named_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "take").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    (tmp_path / "memo.txt").write_bytes(b"fLaC\x00\x00\x00\x22")
    (tmp_path / "notes.txt").write_text("no sound, though it begins like MP3", encoding="utf-16")
    (tmp_path / "gone.wav").symlink_to("nowhere.wav")
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    touch(tmp_path / "fine.wav")
    with pytest.raises(InputError) as error:
        read_folder(tmp_path)
    assert [problem.partition(": ")[2] for problem in problems(error)] == [
        "is a folder, expected a sound file",
        "is a link that leads nowhere",
        "holds sound (FLAC), which its name does not say",
        "is a named pipe, expected a sound file",
        "holds sound (WAV), which its name does not say",
    ]


def test_a_role_nobody_plays_says_what_to_put_where(tmp_path: Path) -> None:
    touch(tmp_path / "speech.wav")
    with pytest.raises(Unavailable, match=r"no clip for 'english' in .*\n.*english_speech\{\.wav"):
        find_role(tmp_path, "english")
    with pytest.raises(Unavailable, match=r"no clip for 'x\.wav'"):
        find_role(tmp_path / "absent", "x.wav")


# Emotional speech


def test_a_manifest_gives_label_speaker_and_gender(shared: Path) -> None:
    corpus = read_emotions(shared / "audio" / "emotion", leave_out=["calm", "happy"])
    assert len(corpus.clips) == 138
    clip = next(clip for clip in corpus.clips if "angry_a01" in clip.name)
    assert (clip.label, clip.speaker, clip.gender) == ("Angry", "ravdess_01", "M")
    assert {clip.label for clip in corpus.clips if "/disgust" in clip.name} == {"Disgusted"}
    assert "ravdess_01 has no clips of Amused, Sleepy" in corpus.missing
    assert {"48 clips left out as asked: calm", "48 clips left out as asked: happy"} <= set(corpus.missing)
    assert all(clip.path.is_file() for clip in corpus.clips)


def test_labels_that_are_nobodys_are_counted_before_anything_is_used(shared: Path) -> None:
    with pytest.raises(InputError) as error:
        read_emotions(shared / "audio" / "emotion")
    (problem,) = error.value.problems
    assert problem.what.startswith("234 clips: 96 carry labels that are not among the five")
    assert problem.what.endswith("calm (48), happy (48)")
    assert "--leave-out calm --leave-out happy" in problem.remedy


@pytest.mark.parametrize(
    ("written", "emotion"),
    [
        ("amused", "Amused"),
        ("Amusement", "Amused"),
        ("ANGER", "Angry"),
        ("angry ", "Angry"),
        ("Disgust", "Disgusted"),
        ("disgusted_16bit", "Disgusted"),
        ("sleepiness", "Sleepy"),
        ("Sleepy", "Sleepy"),
        ("neutral", "Neutral"),
        ("Neutre", "Neutral"),
        ("Colère", "Angry"),
        ("cole\u0300re", "Angry"),
        ("dégoût", "Disgusted"),
        ("endormi", "Sleepy"),
        ("amusé", "Amused"),
        ("wütend", "Angry"),
        ("生氣", "Angry"),
        ("愛睏", "Sleepy"),
        ("怒り", "Angry"),
        ("졸림", "Sleepy"),
    ],
)
def test_a_label_means_the_same_in_a_manifest_and_in_a_name(tmp_path: Path, written: str, emotion: str) -> None:
    clip = touch(tmp_path / "stated" / "x.wav")
    manifest = write_csv(
        tmp_path / "stated" / "manifest.csv", [{"file": clip.name, "emotion": written, "speaker": "me"}]
    )
    touch(tmp_path / "named" / f"me_{written.strip()}" / "x.wav")
    for source in (manifest, tmp_path / "named"):
        assert [(clip.speaker, clip.label) for clip in read_emotions(source).clips] == [("me", emotion)]


def test_a_question_may_ask_for_other_emotions(tmp_path: Path) -> None:
    touch(tmp_path / "x.wav")
    manifest = write_csv(tmp_path / "m.csv", [{"file": "x.wav", "emotion": "HAPPY", "speaker": "me"}])
    assert read_emotions(manifest, emotions=["happy", "Angry"]).clips[0].label == "happy"
    with pytest.raises(InputError, match=r"1 clip: 1 carry labels .*HAPPY \(1\)"):
        read_emotions(manifest)


def test_what_is_to_be_left_out_has_to_be_there(tmp_path: Path) -> None:
    touch(tmp_path / "bea_Amused" / "x.wav")
    with pytest.raises(InputError, match=r"--leave-out Amuzed: is no label and no file .*\n.*Amused"):
        read_emotions(tmp_path, leave_out=["Amuzed"])


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
            "script": f"EMOV-DB/{1 + SPEAKERS.index(speaker)}/{old.get(emotion, emotion.lower())}",
        }[layout]
        for number in (1, 2):
            touch(folder / f"{place}_1-28_{number:04d}.wav")
    return folder


@pytest.mark.parametrize("layout", ["folders", "lower case", "sorted", "16 bits", "unsorted", "script"])
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


def test_an_archive_beside_its_own_folder_fills_what_is_not_unpacked(archives: Path) -> None:
    unpacked = touch(archives / "bea_Amused" / "amused_1-28_0001.wav")
    clips = [clip for clip in read_emotions(archives).clips if (clip.speaker, clip.label) == ("bea", "Amused")]
    assert [clip.name for clip in clips] == [f"bea_Amused/amused_1-28_{number:04d}.wav" for number in (1, 2)]
    assert clips[0].path == unpacked
    unpacked.write_bytes(b"another sound")
    with pytest.raises(InputError, match=r"amused_1-28_0001\.wav: differs from what bea_Amused\.tar\.gz holds"):
        read_emotions(archives)


def test_a_zip_is_an_archive_like_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    loose = emov(tmp_path / "loose", "sorted")
    packed = Path(shutil.make_archive(str(tmp_path / "EmoV-DB_sorted"), "zip", loose))
    corpus = read_emotions(packed)
    assert Counter((clip.speaker, clip.label) for clip in corpus.clips) == dict.fromkeys(DISTRIBUTED, 2)
    with zipfile.ZipFile(tmp_path / "bea_Angry.zip", "w") as evil:
        evil.writestr("../../outside.wav", b"")
    with pytest.raises(InputError, match=r"bea_Angry\.zip: cannot be unpacked \(.*outside its folder"):
        read_emotions(tmp_path / "bea_Angry.zip")


@pytest.mark.parametrize("home", ["sam", "josh/data", "EmoV-DB_sorted/sam", "1"])
def test_a_folder_that_is_called_like_a_speaker_renames_nobody(tmp_path: Path, home: str) -> None:
    for layout in ("folders", "sorted"):
        folder = tmp_path / layout / home
        corpus = read_emotions(emov(folder, layout))
        assert Counter((clip.speaker, clip.label) for clip in corpus.clips) == dict.fromkeys(DISTRIBUTED, 2)
        above = read_emotions(tmp_path / layout)
        assert Counter((clip.speaker, clip.label) for clip in above.clips) == dict.fromkeys(DISTRIBUTED, 2)


def test_a_file_whose_folder_says_another_emotion_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "bea_Amused" / "anger_1-28_0001.wav")
    with pytest.raises(InputError, match=r"its folder says Amused, its name Angry\n.*--leave-out bea_Amused/anger"):
        read_emotions(tmp_path)
    touch(tmp_path / "bea_Angry" / "anger_1-28_0001.wav")
    assert len(read_emotions(tmp_path, leave_out=["bea_Amused/anger_1-28_0001.wav"]).clips) == 1


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


def test_clips_that_say_nothing_are_counted_and_left_out_only_when_listed(tmp_path: Path) -> None:
    folder = emov(tmp_path / "corpus", "sorted")
    touch(folder / "noise.wav"), touch(folder / "bea" / "test.wav")
    with pytest.raises(
        InputError, match=r"38 clips: the names of 2 say no speaker or no emotion: bea/test\.wav, noise"
    ):
        read_emotions(folder)
    corpus = read_emotions(folder, leave_out=["noise.wav", "bea/t*"])
    assert len(corpus.clips) == 36
    assert corpus.missing[-2:] == ("1 clip left out as asked: noise.wav", "1 clip left out as asked: bea/t*")


def test_a_manifest_of_too_many_rows_is_refused_before_it_is_read(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("file,emotion,speaker\n" + "x.wav,Angry,me\n" * (MOST_ROWS + 1))
    with pytest.raises(InputError, match="has more than 100,000 rows"):
        read_emotions(tmp_path)


def test_sounds_that_a_manifest_does_not_list_are_told(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav", "old/c.opus"):
        touch(tmp_path / name)
    write_csv(tmp_path / "manifest.csv", [{"file": "a.wav", "emotion": "Angry", "speaker": "me"}])
    assert read_emotions(tmp_path).missing[-1] == "sounds not listed, 2: b.wav, old/c.opus"


def test_archives_that_hold_archives_or_cannot_be_unpacked_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    inner = tmp_path / "bea_Amused.tar.xz"
    with tarfile.open(inner, "w:xz") as tar:
        tar.add(touch(tmp_path / "x.wav"), "amused_1-28_0001.wav")
    for depth in range(5):
        outer = tmp_path / f"{depth}.zip"
        with zipfile.ZipFile(outer, "w") as packed:
            packed.write(inner, inner.name)
        inner = outer
    assert [clip.speaker for clip in read_emotions(tmp_path / "1.zip").clips] == ["bea"]
    with pytest.raises(InputError, match="archives lie more than 3 deep"):
        read_emotions(tmp_path / "4.zip")
    touch(tmp_path / "more" / "bea_Angry.7z"), touch(tmp_path / "more" / "bea_Amused" / "x.wav")
    with pytest.raises(InputError, match=r"bea_Angry\.7z: is an archive that is not unpacked here"):
        read_emotions(tmp_path / "more")


def test_a_manifest_names_pipes_and_devices_as_such(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    rows = [{"file": file, "emotion": "Angry", "speaker": "me"} for file in ("pipe.wav", "/dev/zero", ".")]
    with pytest.raises(InputError, match=r"(?s)pipe\.wav is a named pipe.*/dev/zero is a device.* is a folder"):
        read_emotions(write_csv(tmp_path / "m.csv", rows))


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
