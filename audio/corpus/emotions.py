"""Labelled emotional speech: EmoV-DB as distributed, or any folder with a manifest.

EmoV-DB (Adigwe et al., arXiv:1806.09514) comes as OpenSLR 115, one archive for each speaker and emotion
(`bea_Amused.tar.gz` …, 18 of them: josh has no Angry and no Disgusted), or sorted as `bea/Amused/*.wav`, or unsorted as
`Spk-Bea/…/anger_1-28_0011.wav`. Speaker and emotion are read from the names of folders and archives, then of files.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from audio.corpus.manifests import MANIFEST, SOUNDS, find_manifest, read_rows, sounds_in
from basics.errors import InputError, Problem

SPEAKERS = {"bea": "F", "jenie": "F", "josh": "M", "sam": "M"}
SPEAKER_WORDS = {**{name: name for name in SPEAKERS}, "je": "jenie", "jsh": "josh", "sa": "sam"}
EMOTIONS = ("Amused", "Angry", "Disgusted", "Neutral", "Sleepy")
EMOTION_WORDS = {
    **{emotion.casefold(): emotion for emotion in EMOTIONS},
    "anger": "Angry",
    "disgust": "Disgusted",
    "sleepiness": "Sleepy",
}
ARCHIVES = (".tar.gz", ".tgz", ".tar")


@dataclass(frozen=True)
class EmotionClip:
    """One labelled clip. `name` is its file within the corpus, with forward slashes."""

    path: Path
    name: str
    label: str
    speaker: str
    gender: str  # F, M, or empty where the corpus does not say


@dataclass(frozen=True)
class EmotionCorpus:
    """Clips in order of their names; `missing` says in words what the corpus does not have."""

    clips: tuple[EmotionClip, ...]
    missing: tuple[str, ...]


def read_emotions(source: str | Path) -> EmotionCorpus:
    """Clips of a manifest CSV, of a folder that holds one, or of EmoV-DB in any of its layouts, archives included.

    A manifest needs the columns file, speaker and one of homework_label, label or emotion; gender is used where it is
    there. Archives are unpacked once, into the user's cache. Raises InputError with every problem.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(Problem(str(source), "no such folder or file", "name EmoV-DB's folder or a manifest CSV"))
    manifest = find_manifest(source)
    if manifest is not None:
        clips = _from_manifest(manifest)
        return EmotionCorpus(clips, tuple(_gaps(clips)))
    clips, unnamed = _from_names(source)
    if not clips:
        raise InputError(
            Problem(
                str(source),
                f"has no {MANIFEST} and no clips or archives named after speaker and emotion",
                "expected EmoV-DB (bea_Amused.tar.gz, bea_Amused/, bea/Amused/) or a manifest of file, label, speaker",
            )
        )
    return EmotionCorpus(clips, (*_gaps(clips), *_absent(clips), *_unnamed(unnamed)))


def _from_manifest(manifest: Path) -> tuple[EmotionClip, ...]:
    labels = ("homework_label", "label", "emotion")
    rows = read_rows(manifest, [("file",), labels, ("speaker",)])
    problems = [problem for row in rows for problem in row.file_problems("file")]
    problems += [
        Problem(row.where, f"{what} is blank", "fill it in or remove the row")
        for row in rows
        for what, columns in (("the label", labels), ("the speaker", ("speaker",)))
        if not row.text(*columns)
    ]
    if problems:
        raise InputError(problems)
    clips = (
        EmotionClip(row.file("file"), row.text("file"), row.text(*labels), row.text("speaker"), row.text("gender"))
        for row in rows
    )
    return tuple(sorted(clips, key=lambda clip: clip.name))


def _from_names(source: Path) -> tuple[tuple[EmotionClip, ...], list[str]]:
    """Clips of a folder or an archive by name, and the names of those that say no speaker or no emotion."""
    found = dict(_named_sounds(source))
    clips, unnamed = [], []
    for name, path in sorted(found.items()):
        speaker, emotion = _speaker(f"{source.name}/{name}"), _emotion(f"{source.name}/{name}")
        if speaker and emotion:
            clips.append(EmotionClip(path, name, emotion, speaker, SPEAKERS.get(speaker, "")))
        else:
            unnamed.append(name)
    return tuple(clips), unnamed


def _named_sounds(source: Path) -> Iterable[tuple[str, Path]]:
    """(name within the corpus, path) of every sound file, loose or in an archive that is not unpacked beside itself."""
    archives = [source] if source.is_file() else [path for path in source.rglob("*") if _stem(path)]
    for archive in sorted(archives):
        beside = archive.with_name(_stem(archive))
        if not beside.is_dir():
            folder = unpacked(archive)
            prefix = beside.relative_to(source).as_posix() if source.is_dir() else beside.name
            yield from ((f"{prefix}/{path.relative_to(folder).as_posix()}", path) for path in sounds_in(folder))
    if source.is_dir():
        yield from ((path.relative_to(source).as_posix(), path) for path in sounds_in(source))


def _stem(path: Path) -> str:
    """An archive's name without its ending; empty for anything else."""
    return next((path.name.removesuffix(ending) for ending in ARCHIVES if path.name.endswith(ending)), "")


def _words(name: str) -> list[str]:
    """Words of a path, those of the innermost folder first and those of the file itself last."""
    *folders, file = name.casefold().split("/")
    return [word for part in (*reversed(folders), file) for word in re.findall("[a-z]+", part)]


def _speaker(name: str) -> str | None:
    known = next((SPEAKER_WORDS[word] for word in _words(name) if word in SPEAKER_WORDS), None)
    return known or _folders_speaker(name)


def _folders_speaker(name: str) -> str | None:
    """Anybody's name in a folder called `<speaker>_<Emotion>`, as EmoV-DB calls its own."""
    folders = name.casefold().split("/")[:-1]
    matches = (re.fullmatch("([a-z]+)_([a-z]+)", folder) for folder in reversed(folders))
    return next((match[1] for match in matches if match and match[2] in EMOTION_WORDS), None)


def _emotion(name: str) -> str | None:
    return next((EMOTION_WORDS[word] for word in _words(name) if word in EMOTION_WORDS), None)


def _gaps(clips: Iterable[EmotionClip]) -> list[str]:
    """`josh has no clips of Angry, Disgusted`, for every speaker who lacks an emotion that another has."""
    have: dict[str, set[str]] = {}
    for clip in clips:
        have.setdefault(clip.speaker, set()).add(clip.label)
    everything = set().union(*have.values())
    return [
        f"{speaker} has no clips of {', '.join(sorted(everything - labels))}"
        for speaker, labels in sorted(have.items())
        if everything - labels
    ]


def _absent(clips: Iterable[EmotionClip]) -> list[str]:
    """Which emotions are not there at all, and which of EmoV-DB's speakers, if any of them is."""
    present = {clip.speaker for clip in clips}
    speakers = sorted(set(SPEAKERS) - present) if present & set(SPEAKERS) else []
    emotions = sorted(set(EMOTIONS) - {clip.label for clip in clips})
    return [f"no clips of speaker {name}" for name in speakers] + [f"no clips of {name}" for name in emotions]


def _unnamed(names: list[str]) -> list[str]:
    if not names:
        return []
    return [f"{len(names)} files left out, whose names say no speaker or no emotion: {', '.join(names[:3])} …"]


def unpacked(archive: Path) -> Path:
    """Folder with the archive's sound files, unpacked on the first call into the user's cache (or $EARWITNESS_CACHE).

    Raises InputError naming the archive when it is damaged, cut short, or reaches outside its folder.
    """
    status = archive.stat()
    identity = f"{archive.resolve()}|{status.st_size}|{status.st_mtime_ns}"
    target = _root() / f"{archive.name.split('.')[0]}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpacking-"))
        try:
            _extract(archive, temporary)
            _put(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def _root() -> Path:
    chosen = os.environ.get("EARWITNESS_CACHE")
    return (Path(chosen) if chosen else user_cache_path("earwitness")) / "corpora"


def _extract(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile() and Path(member.name).suffix.lower() in SOUNDS:
                    tar.extract(member, folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(Problem(str(archive), f"cannot be unpacked ({error})", "download it again")) from None


def _put(temporary: Path, target: Path) -> None:
    """Rename into place; another process that was first has put the same files there."""
    try:
        temporary.replace(target)
    except OSError:
        if not target.is_dir():
            raise
