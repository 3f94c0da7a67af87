"""Unpack archives of sound once, where nothing else is disturbed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from audio.corpus.tables import SOUNDS
from basics.errors import InputError, Problem


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
