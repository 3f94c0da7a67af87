"""Archives of a corpus, unpacked once into the user's cache."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from platformdirs import user_cache_path

from audio.formats import ARCHIVES
from basics.errors import InputError, Problem
from basics.messages import say

LARGEST = 64 << 30
"""Bytes that an archive may unpack to."""
UNREADABLE = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),  # of the formats
    *(EOFError, OSError, RuntimeError, ValueError),  # cut short, not readable, locked or unknown, out of bounds
)
"""What a damaged archive raises."""
BLOCK = 1 << 20  # bytes read at a time


def stem(archive: Path) -> str:
    """An archive's name without its ending."""
    ending = max((end for end in ARCHIVES if archive.name.casefold().endswith(end)), key=len, default="")
    return archive.name[: len(archive.name) - len(ending)]


def unpacked(archive: Path) -> Path:
    """Folder with an archive's files, unpacked on the first call into the user's cache (or $EARWITNESS_CACHE).

    Raises InputError naming an archive that is damaged, cut short, locked, too large, or reaches outside its folder.
    """
    status = archive.stat()
    identity = f"2|{archive.resolve()}|{status.st_size}|{status.st_mtime_ns}"
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
        if zipfile.is_zipfile(archive):
            _extract_zip(archive, folder)
        else:
            _extract_tar(archive, folder)
    except UNREADABLE as error:
        raise InputError(
            Problem(str(archive), say("cannot be unpacked ({error})", error=error), say("download it again"))
        ) from None


def _extract_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in _bounded(tar):
            if not (member.isdir() or member.isdev()):
                tar.extract(member, folder, filter="data")


def _bounded(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members; then the rest of the file is read, so that its compression's checksum is looked at."""
    total = 0
    for member in tar:
        total += member.size
        _require_room(total)
        yield member
    while tar.fileobj and (rest := tar.fileobj.read(BLOCK)):
        total += len(rest)
        _require_room(total)


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as members:
        _require_room(sum(member.file_size for member in members.infolist()))
        for member in members.infolist():
            place = PurePosixPath(member.filename)
            if place.is_absolute() or ".." in place.parts:
                raise ValueError(f"{member.filename!r} would lie outside its folder")
            members.extract(member, folder)


def _require_room(size: int) -> None:
    if size > LARGEST:
        raise ValueError(f"holds more than {LARGEST >> 30} GiB")


def _put(temporary: Path, target: Path) -> None:
    """Rename into place; another process that was first has put the same files there."""
    try:
        temporary.replace(target)
    except OSError:
        if not target.is_dir():
            raise
