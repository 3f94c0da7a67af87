"""Clips that play a role in the course's questions, under either of the names the course gives them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from audio.corpus.manifests import MANIFEST
from audio.formats import MAIN, is_sound, read_folder, regular
from basics.csv_source import read_records
from basics.errors import InputError, Problem, Unavailable
from basics.messages import say

ROLES = {  # role: (file names without TTS_ and ending, folder names)
    "english": ("english_speech", "english", "en"),
    "chinese": ("chinese_speech", "chinese", "mandarin", "zh"),
    "laughter": ("laughter", "laugh"),
    "music": ("music",),
}


def find_role(folder: str | Path, role: str) -> tuple[Path, ...]:
    """Sound files under `folder` that play a role: at least one, in order.

    `role` is a name of ROLES (a folder `english/`, or `English_speech`, `TTS_English_speech`, `English_speech_2` …), or
    a file or folder as a question names it; a file is also found under the course's other name for it, and with another
    ending where a manifest lists it with a role. Raises Unavailable, naming what was looked for, when there is none,
    and InputError where two files could be meant, or one of another ending.
    """
    folder = Path(folder)
    names, exact = ROLES.get(role.casefold()), folder / role
    if not names and exact.is_dir() and not is_sound(exact) and (found := read_folder(exact).sounds):
        return found
    found = _of_role(folder, names) if names else _same_name(folder, role)
    if not found:
        wanted = ", ".join(f"{name}{{{','.join(MAIN)}}} or {name}/" for name in names or (Path(role).stem,))
        raise Unavailable(
            say("no clip for {role!r} in {folder}", role=role, folder=folder),
            say("put one there: {names} (TTS_ may stand before it)", names=wanted),
        )
    return found


def _of_role(folder: Path, names: tuple[str, ...]) -> tuple[Path, ...]:
    """Every clip in the folders of these names, or every file of one of these names, numbered or not."""
    inside = _folders(folder, names)
    clips = [clip for path in inside for clip in read_folder(path).sounds]
    beside = [path for path in _sounds(folder) if re.sub(r"[_-]?\d+$", "", _plain(path)) in names]
    if clips and beside:
        two = say(
            "holds {names}, which could each be meant for {role}",
            names=_listed(path.name for path in (*inside, *beside)),
            role=names[0],
        )
        raise InputError(Problem(str(folder), two, say("keep the folder or the files, not both")))
    return tuple(clips or _once(folder, beside))


def folders_of(folder: Path, role: str) -> list[Path]:
    """The folders inside `folder` whose name is one of a role's and which hold a sound."""
    return [path for path in _folders(folder, ROLES.get(role.casefold(), ())) if read_folder(path).sounds]


def _folders(folder: Path, names: Iterable[str]) -> list[Path]:
    return [path for name in names for path in _named(folder, name) if path.is_dir()]


def _once(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """The files, unless two differ only in their ending or in TTS_, or one is no file."""
    paths = list(paths)
    if problems := [problem for path in paths if (problem := regular(path))]:
        raise InputError(problems)
    alike = defaultdict(list)
    for path in paths:
        alike[_plain(path)].append(path)
    twice = [same for same in alike.values() if len(same) > 1]
    if twice:
        raise InputError(_two(folder, same) for same in twice)
    return [path for same in alike.values() for path in same]


def _two(folder: Path, paths: Iterable[Path]) -> Problem:
    return Problem(
        str(folder),
        say("holds {names}, of which each could be meant", names=_listed(path.name for path in paths)),
        say("keep one"),
    )


def _same_name(folder: Path, file: str) -> tuple[Path, ...]:
    """The one file that differs from `file` at most in case and TTS_; in its ending only where a manifest lists it."""
    home, asked = (folder / file).parent, Path(file)
    found = _once(home, [path for path in _sounds(home) if _plain(path) == _plain(asked)])
    for path in found:
        if asked.suffix and path.suffix.casefold() != asked.suffix.casefold() and not _has_role(path):
            what = say(
                "the question names {expected}, and here is {found}: a sound in another format may differ",
                expected=asked.name,
                found=path.name,
            )
            remedy = say(
                "put {expected} there, or list {found} with its role in {manifest} (columns file, role)",
                expected=asked.name,
                found=path.name,
                manifest=MANIFEST,
            )
            raise InputError(Problem(str(home), what, remedy))
    return tuple(found)


def _has_role(path: Path) -> bool:
    """Whether the manifest beside a file gives it a role."""
    manifest = path.with_name(MANIFEST)
    rows = read_records(manifest, [("file",)]) if manifest.is_file() else []
    return any(row.text("file") == path.name and row.text("role", "category") for row in rows)


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _named(folder: Path, name: str) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.name.casefold() == name] if folder.is_dir() else []


def _sounds(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if is_sound(path) and not path.name.startswith(".")]


def _plain(path: Path) -> str:
    return path.stem.casefold().removeprefix("tts_")
