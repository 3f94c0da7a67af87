"""Files are written whole or not at all, and known by the sha256 of their bytes.

The one writer of the project: a temporary file beside the target, so that the last step is a rename within one file
system; synced to disk before that step; with the permissions that the user's umask gives, or narrower ones for secrets;
gone without a trace when anything goes wrong.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from basics.errors import InputError, Problem

PUBLIC, SECRET = 0o666, 0o600
"""Permissions before the umask: of what anybody may read, and of what only its owner may."""


@contextmanager
def replacing(path: Path, *, mode: int = PUBLIC) -> Iterator[Path]:
    """The path of an empty file that becomes `path` when the block ends, and goes when it raises.

    Raises InputError naming `path` where it cannot be written (no permission, a folder in its place, a full disk).
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}{path.suffix}")
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield temporary
        with told(path):
            _sync(temporary, os.O_RDWR)
            temporary.replace(path)
            sync_names(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def writing_text(path: Path, *, mode: int = PUBLIC) -> Iterator[TextIO]:
    """A UTF-8 text file that replaces `path` when the block ends; line ends as written."""
    with (
        replacing(path, mode=mode) as temporary,
        told(path),
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        yield file


def write_whole(path: Path, content: bytes, *, mode: int = PUBLIC) -> None:
    """Replace the file at `path` by one that holds `content`. Raises InputError like `replacing`."""
    with replacing(path, mode=mode) as temporary, told(path):
        temporary.write_bytes(content)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns what can go wrong while something is written into one clear problem that names `path`."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written ({error.strerror or error})"
        raise InputError(Problem(str(path), what, "check the folder, its permissions and the space left")) from error


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_names(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    _sync(folder, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    """Wait until a file, or the names in a folder, are on the disk, where the system offers it."""
    with suppress(OSError):
        handle = os.open(path, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
