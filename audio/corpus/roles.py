"""Clips that play a role in the course's questions, under either of the names the course gives them."""

from __future__ import annotations

import re
from pathlib import Path

from audio.corpus.manifests import SOUNDS, sounds_in
from basics.errors import InputError, Problem, Unavailable

ROLES = {  # role: (file names without TTS_ and ending, folder names)
    "english": ("english_speech", "english", "en"),
    "chinese": ("chinese_speech", "chinese", "mandarin", "zh"),
    "laughter": ("laughter", "laugh"),
    "music": ("music",),
}

NOT_READ = (".m4a", ".mp4", ".aac", ".wma", ".amr", ".webm")
"""Endings of sound files that libsndfile does not read."""


def find_role(folder: str | Path, role: str) -> tuple[Path, ...]:
    """Sound files under `folder` that play a role: at least one, in order.

    `role` is a name of ROLES (a folder `english/`, or `English_speech`, `TTS_English_speech`, `English_speech_2` … in
    WAV, FLAC, MP3 or OGG), or a file or folder as a question names it; a file is also found under the course's other
    name for it and with another ending. Raises Unavailable, naming what was looked for, when there is none.
    """
    folder = Path(folder)
    exact = folder / role
    if exact.is_file():
        return (exact,)
    if exact.is_dir() and (found := _all_sounds(exact)):
        return tuple(found)
    names = ROLES.get(role.casefold())
    found = _of_role(folder, names) if names else _same_name(folder, role)
    if not found:
        wanted = ", ".join(f"{name}{{{','.join(SOUNDS)}}} or {name}/" for name in names or (Path(role).stem,))
        raise Unavailable(f"no clip for {role!r} in {folder}", f"put one there: {wanted} (TTS_ may stand before it)")
    return tuple(found)


def _of_role(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """Every clip in a folder of one of these names, or else every file of one of these names, numbered or not."""
    inside = [path for name in names for path in _named(folder, name) if path.is_dir()]
    if clips := [clip for path in inside for clip in _all_sounds(path)]:
        return clips
    sounds = _sounds(folder)
    return [path for path in sounds if re.sub(r"[_-]?\d+$", "", _plain(path)) in names]


def _all_sounds(folder: Path) -> list[Path]:
    strange = sorted(path for path in folder.rglob("*") if path.suffix.lower() in NOT_READ)
    if strange:
        remedy = f"convert it to one of {', '.join(SOUNDS)} (`ffmpeg -i FILE FILE.wav`), or take it out of the folder"
        raise InputError(Problem(str(path), "is in a format that cannot be read", remedy) for path in strange)
    return sounds_in(folder)


def _same_name(folder: Path, file: str) -> list[Path]:
    """The file that differs from `file` at most in ending, case and TTS_."""
    return [path for path in _sounds((folder / file).parent) if _plain(path) == _plain(Path(file))][:1]


def _named(folder: Path, name: str) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.name.casefold() == name] if folder.is_dir() else []


def _sounds(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SOUNDS] if folder.is_dir() else []


def _plain(path: Path) -> str:
    return path.stem.casefold().removeprefix("tts_")
