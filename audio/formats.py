"""Which files are sound: by their endings, and where these say nothing, by how they begin. Nothing is decoded here.

Every file of a folder is one of these: sound; no sound; or a problem that is named.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from audio.containers import begins_mp3
from basics.errors import InputError, Problem
from basics.listing import first_few
from basics.messages import say

READ = (
    ".wav",
    ".wave",
    ".bwf",
    ".rf64",
    ".w64",
    ".flac",
    ".mp3",
    ".mp2",
    ".ogg",
    ".oga",
    ".opus",
    ".aif",
    ".aiff",
    ".aifc",
    ".caf",
    ".au",
    ".snd",
    ".sph",
    ".nist",
)
"""Endings of what libsndfile reads."""
FOREIGN = (
    ".m4a",
    ".mp4",
    ".m4b",
    ".m4v",
    ".mov",
    ".3gp",
    ".3g2",
    ".aac",
    ".amr",
    ".awb",
    ".wv",
    ".wma",
    ".wmv",
    ".asf",
    ".webm",
    ".mka",
    ".mkv",
    ".weba",
)
"""Endings of what ffmpeg reads, where it is installed."""
UNREAD = (
    ".ac3",
    ".eac3",
    ".ape",
    ".tta",
    ".dsf",
    ".dff",
    ".mpc",
    ".voc",
    ".spx",
    ".ra",
    ".rm",
    ".gsm",
    ".avi",
    ".mpg",
    ".mpeg",
    ".ts",
    ".flv",
    ".raw",
    ".pcm",
)
"""Endings of sound that nobody here reads, because a part of it looks like the whole, or it says nothing of itself."""
SOUNDS = (*READ, *FOREIGN, *UNREAD)
MAIN = (".wav", ".flac", ".mp3", ".ogg")
"""Those that messages name."""
REMEDY = say("convert it (`ffmpeg -i FILE FILE.wav`), or take it out of the folder")


@dataclass(frozen=True)
class Folder:
    """The sound files under a folder, in order, and by name (with forward slashes) what else lies there."""

    sounds: tuple[Path, ...]
    others: tuple[str, ...]

    @property
    def remark(self) -> str:
        """`no sound: README.md and 2 more`, or nothing."""
        return f"no sound: {first_few(self.others)}" if self.others else ""


ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")
LOCKED = (".7z", ".rar", ".tar.zst")
"""Archives that are not unpacked here."""


def read_folder(folder: Path, *, archives: bool = False) -> Folder:
    """Every file under `folder`, links followed, hidden ones among `others`.

    Raises InputError naming every entry that may be sound and cannot be used as one: a broken link, a pipe, a folder
    that is called like a sound, a sound under the ending of something else. `archives`: whether somebody else reads
    those.
    """
    sounds, others, problems = [], [], []
    for path, name in _walk(folder):
        if archives and is_archive(path):
            continue
        if archives and name.casefold().endswith(LOCKED):
            problems.append(
                Problem(str(path), say("is an archive that is not unpacked here"), say("unpack it, or take it away"))
            )
        elif path.name.startswith("."):
            others.append(name)
        elif problem := _problem(path):
            problems.append(problem)
        elif is_sound(path):
            sounds.append(path)
        else:
            others.append(name)
    if problems:
        raise InputError(problems)
    return Folder(tuple(sorted(sounds)), tuple(sorted(others)))


def unlisted(folder: Path, listed: Collection[Path]) -> str:
    """`sounds not listed, 3: a.wav, …`, of the sound files under `folder`; or nothing."""
    known = {path.resolve() for path in listed}
    names = sorted(name for path, name in _walk(folder) if is_sound(path) and path.resolve() not in known)
    return f"sounds not listed, {len(names)}: {first_few(names)}" if names else ""


def is_archive(path: Path) -> bool:
    """Whether a file's ending is that of an archive that can be unpacked."""
    return path.name.casefold().endswith(ARCHIVES) and not path.name.startswith(".")


def is_sound(path: Path) -> bool:
    """Whether a file's ending is that of a sound."""
    return path.suffix.casefold() in SOUNDS


def regular(path: Path) -> Problem | None:
    """Why what lies at `path` is no file to read; None where it is one. Nothing is opened."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        what = say("is a link that leads nowhere") if path.is_symlink() else say("no such audio file")
        return Problem(str(path), what, say("expected a file ending in {suffixes}", suffixes=", ".join(MAIN)))
    except OSError as error:
        return Problem(
            str(path),
            say("cannot be looked at ({reason})", reason=error.strerror),
            say("check the path and its permissions"),
        )
    if stat.S_ISREG(mode):
        return None
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return Problem(
        str(path),
        say("is {kind}, expected a sound file", kind=kinds.get(stat.S_IFMT(mode), "no file")),
        say("name a file"),
    )


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every entry but plain folders, by its path and its name within `folder`; each folder once."""
    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        here = Path(place)
        status = here.stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        odd = [name for name in folders if Path(name).suffix.casefold() in SOUNDS]
        folders[:] = sorted(
            name for name in folders if name not in odd and not name.startswith(".") and name != "__MACOSX"
        )
        for name in sorted([*files, *odd]):
            yield here / name, (here / name).relative_to(folder).as_posix()


def _problem(path: Path) -> Problem | None:
    """What keeps a file from being used, or from being passed over."""
    if problem := regular(path):
        return problem
    if is_sound(path):
        return None
    try:
        with path.open("rb") as file:
            found = sniffed(file.read(HEAD))
    except OSError as error:
        return Problem(str(path), say("cannot be read ({reason})", reason=error.strerror), say("check its permissions"))
    if not found:
        return None
    return Problem(
        str(path),
        say("holds sound ({format}), which its name does not say", format=found),
        say("give it the ending of its format"),
    )


MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", "WAV"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    (8, b"AIFF", "AIFF"),
    (8, b"AIFC", "AIFF"),
    (0, b"caff", "CAF"),
    (0, b".snd", "AU"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1aE\xdf\xa3", "Matroska"),
    (0, b"#!AMR", "AMR"),
    (0, b"NIST_1A", "NIST Sphere"),
)


HEAD = 1 << 13
"""Bytes that tell a format: more than two frames of MP3."""
PICTURES = (b"heic", b"heix", b"mif1", b"msf1", b"avif")
"""Brands of MP4 boxes that hold pictures."""


def sniffed(head: bytes) -> str:
    """The format of sound that begins with these bytes, or an empty text."""
    found = next((name for place, magic, name in MAGIC if head[place : place + len(magic)] == magic), "")
    if found == "MP4" and head[8:12] in PICTURES:
        return ""
    return found or ("MP3" if begins_mp3(head) else "")
