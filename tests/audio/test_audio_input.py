"""Every row of docs/audio_input.md is built as a file or folder and read, and what is told is what the row says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.clip import load
from audio.copies import hear, once
from audio.corpus import find_role, read_emotions
from audio.corpus.manifests import MOST_ROWS
from audio.reading import read_sound
from basics.errors import InputError, Unavailable
from tests.conftest import REPOSITORY, need_program

RATE = 16_000
TABLE = REPOSITORY / "docs" / "audio_input.md"


def voice(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    time = np.arange(len(noise)) / RATE
    return (0.2 * np.sin(2 * np.pi * 220 * time) * (1 + np.sin(9 * time)) / 2 + 0.02 * noise).astype(np.float32)


def wav(path: Path, **how: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, voice(), RATE, **how)
    return path


def ffmpeg(path: Path, *options: str) -> Path:
    """What ffmpeg makes of two seconds; `-` as the last option: by way of a pipe, so that no length is known."""
    source = wav(path.with_name("source.wav"))
    command = [need_program("ffmpeg"), "-v", "error", "-y", "-i", str(source)]
    if options[-1:] == ("-",):
        path.write_bytes(subprocess.run([*command, *options], capture_output=True, check=True).stdout)
    else:
        subprocess.run([*command, *options, str(path)], check=True, capture_output=True)
    source.unlink()
    return path


def sox(path: Path) -> Path:
    source = wav(path.with_name("source.wav"))
    subprocess.run([need_program("sox"), str(source), str(path)], check=True, capture_output=True)
    source.unlink()
    return path


def cut(path: Path, share: float = 0.25) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])
    return path


def joined(path: Path) -> Path:
    path.write_bytes(path.read_bytes() * 2)
    return path


def holed(path: Path, size: int = 500) -> Path:
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + np.random.default_rng(1).bytes(size) + content[middle + size :])
    return path


def header(path: Path, place: int, value: int) -> Path:
    """A WAV with four bytes of its header changed."""
    content = bytearray(path.read_bytes())
    content[place : place + 4] = value.to_bytes(4, "little")
    path.write_bytes(content)
    return path


def hours(path: Path) -> Path:
    """A WAV of three hours that takes no room on the disk."""
    size = 3 * 3600 * RATE * 2
    header(header(wav(path), 40, size), 4, size + 36)
    os.truncate(path, 44 + size)
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def linked(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def not_a_number(path: Path) -> Path:
    soundfile.write(path, np.array([0.1, np.nan, 0.1], np.float32), RATE, subtype="FLOAT")
    return path


def two_tracks(path: Path) -> Path:
    return ffmpeg(path, "-map", "0:a", "-map", "0:a", "-c:a", "aac")


def playlist(path: Path) -> Path:
    wav(path.with_name("other.wav"))
    return written(path, b"ffconcat version 1.0\nfile other.wav\n")


MP3 = ("-c:a", "libmp3lame", "-b:a", "64k")
FILES: dict[str, Callable[[Path], Path]] = {
    "WAV: 16, 24, 32 bits, float, µ-law, ADPCM": lambda d: wav(d / "a.wav", subtype="IMA_ADPCM"),
    "six channels": lambda d: written(d / "a.wav", _six(d)),
    "FLAC, ALAC in CAF": lambda d: wav(d / "a.caf", subtype="ALAC_16"),
    "MP3 with a Xing header": lambda d: ffmpeg(d / "a.mp3", *MP3, "-metadata", "title=" + "x" * 300),
    "Ogg Vorbis": lambda d: ffmpeg(d / "a.ogg", "-c:a", "libvorbis"),
    "Opus": lambda d: ffmpeg(d / "a.opus", "-c:a", "libopus"),
    "AIFF, AU, CAF, W64, RF64, NIST Sphere": lambda d: wav(d / "a.aiff"),
    "NIST Sphere": lambda d: sox(d / "a.sph"),
    "M4A, 3GP, MOV, WebM, Matroska, WMA, WavPack": lambda d: ffmpeg(d / "a.webm", "-c:a", "libopus"),
    "a film with one sound track": lambda d: ffmpeg(
        d / "a.mp4", "-f", "lavfi", "-i", "color=s=64x64:d=2", "-c:a", "alac", "-strict", "-2"
    ),
    "two sound tracks": lambda d: two_tracks(d / "a.m4a"),
    "WAV written to a pipe, no length in its header": lambda d: ffmpeg(d / "a.wav", "-f", "wav", "-"),
    "MP3 without a Xing header, constant bit rate": lambda d: ffmpeg(d / "a.mp3", *MP3, "-write_xing", "0"),
    "MP3 without a Xing header, variable bit rate": lambda d: ffmpeg(
        d / "a.mp3", "-c:a", "libmp3lame", "-q:a", "4", "-write_xing", "0"
    ),
    "WAV cut to a quarter": lambda d: cut(wav(d / "a.wav")),
    "AIFF, AU, CAF, W64, RF64 cut": lambda d: cut(wav(d / "a.w64"), 0.5),
    "NIST Sphere cut": lambda d: cut(sox(d / "a.sph"), 0.5),
    "FLAC cut": lambda d: cut(wav(d / "a.flac"), 0.9),
    "MP3 cut": lambda d: cut(ffmpeg(d / "a.mp3", *MP3), 0.5),
    "MP3 without a Xing header cut": lambda d: cut(ffmpeg(d / "a.mp3", *MP3, "-write_xing", "0"), 0.505),
    "Ogg cut": lambda d: cut(ffmpeg(d / "a.ogg", "-c:a", "libvorbis"), 0.98),
    "M4A cut": lambda d: cut(ffmpeg(d / "a.m4a", "-c:a", "aac"), 0.5),
    "WebM, Matroska cut": lambda d: cut(ffmpeg(d / "a.webm", "-c:a", "libopus"), 0.5),
    "two WAVs in one": lambda d: joined(wav(d / "a.wav")),
    "two FLACs in one": lambda d: joined(wav(d / "a.flac")),
    "two MP3s in one": lambda d: joined(ffmpeg(d / "a.mp3", *MP3, "-write_id3v1", "1")),
    "two Oggs in one": lambda d: joined(ffmpeg(d / "a.ogg", "-c:a", "libvorbis")),
    "two M4As in one": lambda d: joined(ffmpeg(d / "a.m4a", "-c:a", "aac")),
    "MP3 with a damaged middle": lambda d: holed(ffmpeg(d / "a.mp3", *MP3)),
    "Ogg with a damaged page": lambda d: holed(ffmpeg(d / "a.ogg", "-c:a", "libvorbis")),
    "FLAC with a damaged middle": lambda d: holed(wav(d / "a.flac")),
    "WAV whose header says 0 bytes": lambda d: header(wav(d / "a.wav"), 40, 0),
    "WAV of 1 Hz": lambda d: header(wav(d / "a.wav"), 24, 1),
    "WAV of 1 MHz": lambda d: header(wav(d / "a.wav"), 24, 1_000_000),
    "three hours": lambda d: hours(d / "a.wav"),
    "no samples": lambda d: header(header(cut(wav(d / "a.wav"), 44 / 64_044), 40, 0), 4, 36),
    "NaN or infinite samples": lambda d: not_a_number(d / "a.wav"),
    "an empty file": lambda d: written(d / "a.wav", b""),
    "a text called .wav": lambda d: written(d / "a.wav", b"not sound"),
    "a playlist called .m4a": lambda d: playlist(d / "a.m4a"),
    "VOC and others that do not say whether they are whole": lambda d: sox(d / "a.voc"),
    "a named pipe": lambda d: pipe(d / "a.wav"),
    "a device": lambda d: linked(d / "a.wav", "/dev/zero"),
    "a folder": lambda d: d,
    "a link that leads nowhere": lambda d: linked(d / "a.wav", "gone.wav"),
}


def _six(folder: Path) -> bytes:
    path = folder / "six.wav"
    soundfile.write(path, np.stack([voice()] * 6, axis=1), RATE, format="WAVEX")
    return path.read_bytes()


def emov(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, voice(0.6, number), RATE)
    return folder


def manifest(folder: Path, *labels: str) -> Path:
    emov(folder, *(f"{number}.wav" for number in range(len(labels))))
    rows = "".join(f"{number}.wav,{label},me\n" for number, label in enumerate(labels))
    (folder / "manifest.csv").write_text(f"file,emotion,speaker\n{rows}", encoding="utf-8")
    return folder


def corpus(folder: Path, **how: list[str]) -> str:
    """What is read of a corpus, in words."""
    found = read_emotions(folder, **how)
    clips = ", ".join(sorted({f"{clip.speaker} {clip.label}" for clip in found.clips}))
    heard = hear(clip.path for clip in found.clips)
    single = once(
        found.clips,
        sound=lambda clip: heard[clip.path].sound,
        said=lambda clip: (clip.speaker, clip.label),
        named=lambda clip: clip.name,
    )
    return f"{len(single)} clip{'s' * (len(single) != 1)} ({clips}) " + "; ".join(found.missing)


def archived(folder: Path) -> Path:
    emov(folder, "sorted/bea/Amused/a.wav", "sorted/bea/Amused/b.wav")
    with tarfile.open(folder / "bea_Amused.tar.gz", "w:gz") as tar:
        for clip in sorted((folder / "sorted" / "bea" / "Amused").iterdir()):
            tar.add(clip, clip.name)
    return folder


def doubled(folder: Path, copy: str) -> Path:
    emov(folder, "bea_Amused/a.wav")
    (folder / copy).parent.mkdir(exist_ok=True)
    (folder / copy).write_bytes((folder / "bea_Amused" / "a.wav").read_bytes())
    return folder


def long_list(folder: Path) -> Path:
    (folder / "manifest.csv").write_text("file,emotion,speaker\n" + "a.wav,Angry,me\n" * (MOST_ROWS + 1))
    return folder


FOLDERS: dict[str, Callable[[Path], str]] = {
    "labels in another case or language: `ANGER`, `colère`, `愛睏`": lambda d: corpus(
        manifest(d, "ANGER", "colère", "愛睏")
    ),
    "labels that are nobody's": lambda d: corpus(manifest(d, "angry", "happy", "happy")),
    "the same with `--leave-out happy`": lambda d: corpus(manifest(d, "angry", "happy"), leave_out=["happy"]),
    "EmoV-DB's own script's folders `EMOV-DB/1` to `4`": lambda d: corpus(
        emov(d, "EMOV-DB/1/anger_1-28_0001.wav", "EMOV-DB/4/anger_1-28_0001.wav")
    ),
    "a folder `sam/` around it all": lambda d: corpus(emov(d / "sam", "bea_Amused/a.wav", "josh_Sleepy/b.wav")),
    "a file that no name explains": lambda d: corpus(emov(d, "bea_Amused/a.wav", "noise.wav")),
    "a folder that says another emotion than the file": lambda d: corpus(emov(d, "bea_Amused/anger_1-28_0001.wav")),
    "an archive beside its extraction": lambda d: corpus(archived(d)),
    "a backup copy": lambda d: corpus(doubled(d, "bea_Amused/a (copy).wav")),
    "one sound under two labels": lambda d: corpus(doubled(d, "bea_Angry/a.wav")),
    "two files for one role": lambda d: str(find_role(emov(d, "music.wav", "music.flac"), "music")),
    "a file of another ending than the question names": lambda d: str(
        find_role(emov(d, "laughter.flac"), "laughter.wav")
    ),
    "a role that nobody plays": lambda d: str(find_role(emov(d, "x.wav"), "music")),
    "sound under the ending of something else": lambda d: corpus(
        emov(d, "bea_Amused/a.wav") if wav(d / "b.wav").rename(d / "b.dat") else d
    ),
    "a manifest of more than 100,000 rows": lambda d: corpus(long_list(d)),
}


def rows_of(heading: str) -> dict[str, str]:
    """The rows of the table under a heading, by their first cell."""
    section = TABLE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {first: second for first, second in cells[1:] if not first.startswith("---")}


def outcome(act: Callable[[], str]) -> str:
    try:
        return act()
    except (InputError, Unavailable) as error:
        return f"refused: {error}"


def fits(row: str, told: str) -> bool:
    """Whether what happened begins as a row says; `…` stands for anything, brackets at the end for a remark."""
    parts = re.sub(r" \((without it|the file).*\)$", "", row).split("…")
    return re.match(".*".join(re.escape(part.strip()) for part in parts), told, re.DOTALL) is not None


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_whole_or_refused_as_the_table_says(name: str, tmp_path: Path) -> None:
    if "ffmpeg" in rows_of("One file")[name]:
        need_program("ffprobe")
    path = FILES[name](tmp_path)

    def read() -> str:
        clip = load(path)
        return f"read: {clip.seconds:.1f} s" + "".join(f"; {remark}" for remark in clip.read_as)

    told = outcome(read)
    assert fits(rows_of("One file")[name], told), told
    assert "Traceback" not in told


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_goes_in_whole_or_is_refused_as_the_table_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "in").mkdir()
    told = outcome(lambda: FOLDERS[name](tmp_path / "in"))
    assert fits(rows_of("Folders, corpora, manifests")[name], told), told


def test_the_tables_have_a_row_for_each_case_and_no_other() -> None:
    assert list(rows_of("One file")) == list(FILES)
    assert list(rows_of("Folders, corpora, manifests")) == list(FOLDERS)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "w64", "caf", "au"])
def test_a_whole_file_is_what_soundfile_reads_in_one_call(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, np.stack([voice(20), voice(20, 1)], axis=1), RATE)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    # mpg123 itself rounds the last bit one way or the other from one call to the next
    np.testing.assert_allclose(read_sound(path).samples, expected.mean(axis=1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "opus", "m4a", "webm"])
def test_what_is_there_is_used_only_when_allowed_and_is_the_same_each_time(ending: str, tmp_path: Path) -> None:
    codec = {"ogg": ("-c:a", "libvorbis"), "mp3": MP3, "opus": ("-c:a", "libopus"), "webm": ("-c:a", "libopus")}
    # an index before the sound, as for streaming, so that a part of an M4A can be read
    extra = ("-movflags", "+faststart") if ending == "m4a" else ()
    path = tmp_path / f"a.{ending}"
    source = tmp_path / "long.wav"
    soundfile.write(source, voice(30), RATE)
    command = [need_program("ffmpeg"), "-v", "error", "-i", str(source), *codec.get(ending, ()), *extra, str(path)]
    subprocess.run(command, check=True)
    cut(path, 0.7)
    with pytest.raises(InputError, match="cut short"):
        read_sound(path)
    first, second = (read_sound(path, allow_truncated=True) for _ in range(2))
    assert 10 < len(first.samples) / first.sample_rate < 25
    np.testing.assert_allclose(first.samples, second.samples, atol=1e-6, rtol=0)
    assert "cut short" in first.remarks[0]
    whole = np.abs(voice(30)).max()
    assert np.abs(first.samples).max() < 2 * whole, "nothing that was left in memory"


def test_damage_anywhere_never_ends_in_a_traceback_or_in_more_sound(tmp_path: Path) -> None:
    sources = [wav(tmp_path / f"s.{ending}") for ending in ("wav", "flac", "ogg", "mp3", "aiff", "caf", "w64", "au")]
    draw = np.random.default_rng(7)
    for source in sources:
        content = source.read_bytes()
        for _ in range(25):
            changed = bytearray(content[: draw.integers(0, len(content) + 1)])
            for place in draw.integers(0, len(changed) + 1, 4):
                changed[place : place + 2] = draw.bytes(draw.integers(0, 4))
            path = written(tmp_path / f"x{source.suffix}", bytes(changed))
            told = outcome(lambda path=path: f"read: {read_sound(path, allow_truncated=True).sample_rate}")
            assert told.startswith(("read: ", "refused: ")), told


def test_without_ffmpeg_what_it_would_read_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.m4a", "-c:a", "aac")
    code = "import sys; from audio.clip import load; load(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PATH": "/nowhere", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "a.m4a: cannot be read as audio" in done.stderr
    assert "install ffmpeg" in done.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's account of a process")
def test_bounds_are_looked_at_before_memory_is_used(tmp_path: Path) -> None:
    code = (
        "import sys, json, re; from pathlib import Path; from audio.reading import read_sound\n"
        "from basics.errors import InputError\n"
        "told = []\n"
        "for name in sys.argv[1:]:\n"
        "    try: read_sound(Path(name))\n"
        "    except InputError as error: told.append(str(error))\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())\n"
        "print(json.dumps([told, int(peak[1]) // 1024]))"
    )
    paths = [hours(tmp_path / "long.wav"), header(hours(tmp_path / "slow.wav"), 24, 1)]
    command = [sys.executable, "-c", code, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    told, megabytes = json.loads(done.stdout)
    assert "is 3.0 h long" in told[0]
    assert "sample rate of 1 Hz" in told[1]
    assert megabytes < 250  # the files hold 330 MB each
