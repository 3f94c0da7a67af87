"""Files are read within bounds, written whole or not at all, and known by the sha256 of their bytes.

The one reader: regular files only, told by what the system says of them before they are opened (a pipe or a device may
never answer, or never end), and no larger than their kind needs.

The one writer: a temporary file beside the target, so that the last step is a rename within one file system; synced to
disk before that step; with the permissions that the user's umask gives, or narrower ones for secrets; gone without a
trace when anything goes wrong. Its writer holds a lock on it, so that the next one to write there can tell what a
killed process left, and removes it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import TextIO

from basics.errors import InputError, Problem, opening, require_name
from basics.messages import say

KINDS = {
    stat.S_IFDIR: say("a directory"),
    stat.S_IFIFO: say("a pipe"),
    stat.S_IFCHR: say("a device"),
    stat.S_IFBLK: say("a device"),
    stat.S_IFSOCK: say("a socket"),
}
LARGEST = 1 << 28
"""Bytes of a file that is read as a whole, unless its kind has a bound of its own."""
PART = 1 << 20
DIGITS = 8
"""Random digits in the name of a temporary file."""
PUBLIC, SECRET = 0o666, 0o600
"""Permissions before the umask: of what anybody may read, and of what only its owner may."""


@contextmanager
def reading(path: Path, *, most: int | None = LARGEST) -> Iterator[BufferedReader]:
    """The bytes of a file, open for reading.

    Raises InputError where there is none, for what is no regular file (before it is opened), for one of more than
    `most` bytes, and for whatever else the system says while it is opened and read.
    """
    with opening(path):
        status = path.stat()
        if problem := _irregular(path, status):
            raise InputError(problem)
        if most is not None and status.st_size > most:
            raise InputError(_too_large(path, most))
        with path.open("rb") as file:
            yield file


def read_bytes(path: Path, *, most: int = LARGEST) -> bytes:
    """All bytes of a file. Raises InputError like `reading`."""
    content = bytearray()
    with reading(path, most=most) as file:
        while part := file.read(PART):
            content += part
            if len(content) > most:  # it grew, or its size is not known to the system
                raise InputError(_too_large(path, most))
    return bytes(content)


def read_text(path: Path, *, most: int = LARGEST) -> str:
    """The text of a UTF-8 file without its byte order mark. Raises InputError like `reading`, and for other bytes."""
    content = read_bytes(path, most=most)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        what = say("is not UTF-8 (byte {position} cannot be read)", position=error.start)
        raise InputError(Problem(str(path), what, say("save the file as UTF-8"))) from error


def _irregular(path: Path, status: os.stat_result) -> Problem | None:
    """What is wrong with something that is no regular file."""
    if stat.S_ISREG(status.st_mode):
        return None
    kind = KINDS.get(stat.S_IFMT(status.st_mode), say("something else"))
    remedy = say("name the file inside it") if stat.S_ISDIR(status.st_mode) else say("name a file")
    return Problem(str(path), say("is {kind}, expected a file", kind=kind), remedy)


def _too_large(path: Path, most: int) -> Problem:
    what = say("is larger than {limit:,} bytes, the most that is read of its kind", limit=most)
    return Problem(str(path), what, say("name the file that is meant, or split it"))


@contextmanager
def replacing(path: Path, *, mode: int = PUBLIC, new: bool = False) -> Iterator[Path]:
    """The path of an empty file that becomes `path` when the block ends, and goes when it raises.

    Raises InputError naming `path` where it cannot be written (no permission, a folder, pipe or device in its place, a
    full disk); with `new` also where something is there already, even if it came a moment ago.
    """
    with told(path):
        _require_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        temporary, handle = _temporary(path, mode)
    try:
        yield temporary
        with told(path):
            _sync(temporary, os.O_RDWR)
            if new:
                _link(temporary, path)
            temporary.unlink() if new else temporary.replace(path)
            sync_names(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        if handle is not None:
            os.close(handle)


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise InputError(Problem(str(path), say("is there already"), say("keep it, and name another file"))) from error


def _require_replaceable(path: Path) -> None:
    """A rename would put a file in the place of a device, and of a link such as /dev/stdout."""
    require_name(path)
    if not path.name:
        raise InputError(Problem(str(path), say("is a directory, expected a file"), say("name a file in it")))
    if path.parent == Path("/dev"):
        raise InputError(Problem(str(path), say("is a place of the system, expected a file"), say("name a file")))
    with suppress(FileNotFoundError, NotADirectoryError):
        status = path.stat()
        if not stat.S_ISDIR(status.st_mode) and (problem := _irregular(path, status)):
            raise InputError(problem)


def _temporary(path: Path, mode: int) -> tuple[Path, int | None]:
    """A new file beside `path`, and a handle by which it is held as one that is being written.

    None where the system has no such locks, and renames no file that is open.
    """
    while True:
        temporary = path.with_name(secrets.token_hex(DIGITS // 2).join(_around(path)))
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        held = _hold(handle)
        if held and os.fstat(handle).st_nlink:
            return temporary, handle
        os.close(handle)
        if held is None:
            return temporary, None
        # it was taken for abandoned in between, and is gone or going


def _remove_abandoned(path: Path) -> None:
    """Remove what processes that are gone left of earlier attempts to write `path`."""
    start, end = _around(path)
    pattern = re.compile(f"{re.escape(start)}[0-9a-f]{{{DIGITS}}}{re.escape(end)}")
    with os.scandir(path.parent) as entries:  # a folder may hold very many
        names = [entry.name for entry in entries if entry.name.startswith(start) and pattern.fullmatch(entry.name)]
    for other in map(path.with_name, names):
        with suppress(OSError):
            handle = os.open(other, os.O_WRONLY)
            try:
                if _hold(handle):
                    other.unlink()
            finally:
                os.close(handle)


def _around(path: Path) -> tuple[str, str]:
    """Beginning and end of the names of temporary files for `path`, short enough for any file system."""
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= 20 else ""
    return f".{os.fsdecode(os.fsencode(path.name)[:100])}.", suffix


def _hold(handle: int) -> bool | None:
    """Take the lock of an open file, which goes with its process; whether it was free, None without locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def writing_text(path: Path, *, mode: int = PUBLIC) -> Iterator[TextIO]:
    """A UTF-8 text file that replaces `path` when the block ends; line ends as written."""
    with (
        replacing(path, mode=mode) as temporary,
        told(path),
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        yield file


def write_whole(path: Path, content: bytes, *, mode: int = PUBLIC, new: bool = False) -> None:
    """Replace the file at `path` by one that holds `content`. Raises InputError like `replacing`."""
    with replacing(path, mode=mode, new=new) as temporary, told(path):
        temporary.write_bytes(content)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns what can go wrong while something is written into one clear problem that names `path`."""
    try:
        yield
    except OSError as error:
        what = say("cannot be written ({reason})", reason=error.strerror or error)
        raise InputError(
            Problem(str(path), what, say("check the folder, its permissions and the space left"))
        ) from error


def real_path(path: Path) -> Path:
    """Where a path leads, links followed as far as they lead anywhere: one that leads to itself is no error."""
    return Path(os.path.realpath(path))


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes, in hex, however large it is. Raises InputError like `reading`."""
    with reading(path, most=None) as file:
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
