"""The store: evidence and intermediate results by fingerprint, so that nothing is measured twice.

Layout under the root (by default the user's cache directory), in folders by the first digits of the names:
`evidence/<name>.json`, one file for each result (its name is the fingerprint, or, where files of a quiz are asked for,
a digest of it and the request), `latest/<request>.<source>`, which name the last of it, `blobs/<key><suffix>` for
codes, vectors, reconstructions and plots, and `records/<key>.json` for small results of which there are many. Stores in
which evidence lay in one folder are read as well. Writes are atomic (a temporary file, then `os.replace`) under a lock
of that key, whose file goes with it; an entry that cannot be read, or that is not what its digests say, is moved to
`damaged/`, told, and computed again.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from basics.errors import InputError, Problem
from basics.files import LARGEST, read_bytes, real_path, replacing, sha256_of, write_whole
from basics.messages import NOTHING, Message, said_by, say, say_error, together
from evaluators.entries import Damaged, departures, entry_text, read_entry
from evaluators.evidence import SOURCES, Artefact, Evidence, Source, digest

VARIABLES = {"NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib"}


def keep_caches_in(folder: Path) -> None:
    """Send the libraries to `folder` where their own places are closed to them; before they are imported.

    Where `folder` is closed too, to one that goes when the process ends.
    """
    if not may_write(user_cache_path()):
        if not may_write(folder):
            folder = Path(mkdtemp(prefix="earwitness-libraries-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        closed = [*VARIABLES] if not may_write(Path(sysconfig.get_path("purelib"))) else ["MPLCONFIGDIR"]
        for variable in closed:
            os.environ.setdefault(variable, str(folder / VARIABLES[variable]))


def may_write(path: Path) -> bool:
    """Whether this user may write into a folder, or make it."""
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    return os.access(there, os.W_OK)


ENVIRONMENT_VARIABLE = "EARWITNESS_CACHE"
DAMAGED = "damaged"
PATIENCE = 5.0
"""Seconds to wait for another process before that is told."""
FINGERPRINT = re.compile("[0-9a-f]{64}")
MOST_OF_A_RECORD = 1 << 20
MOST_OF_A_NAME = 1 << 12
"""Bytes of a pointer or a checksum, which are 64."""


def default_root() -> Path:
    """`$EARWITNESS_CACHE`, or the user's cache directory for Earwitness."""
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(chosen) if chosen else user_cache_path("earwitness")


class Store:
    """Evidence and blobs under one folder; safe for several processes at once.

    Raises InputError naming the folder where it is there and may not be read, and where it may not be written when
    something is to be written.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()
        try:
            next(self.root.iterdir(), None)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._closed("read", error) from error
        keep_caches_in(self.root / "libraries")

    def get(self, name: str) -> Evidence | None:
        """The evidence stored by that name (`evidence.store_name`), or None.

        An entry that is damaged or was changed is set aside, told, and missing.
        """
        path = self._evidence(name)
        if not os.path.lexists(path):
            return None
        try:
            return self._checked(read_entry(_content(path)), name)
        except Damaged as damage:
            self._tell(path, damage)
            return None

    def _tell(self, path: Path, damage: Damaged) -> None:
        say_error(say("{path}: {damage}; {done}", path=path, damage=said_by(damage), done=self._put_away(path)))

    def _put_away(self, path: Path) -> Message:
        """Set an entry aside where that can be done; what became of it, in words."""
        try:
            self._set_aside(path)
        except OSError as error:
            return say("not used, and it cannot be set aside ({reason})", reason=error.strerror)
        return say("set aside in {folder}, to be computed anew", folder=self.root / DAMAGED)

    def _checked(self, evidence: Evidence, name: str) -> Evidence:
        """The evidence, where it is that of the name, with all its artefacts, as announced. Raises Damaged."""
        if evidence.stored_as != name:
            raise Damaged(say("is the entry of {fingerprint}…", fingerprint=evidence.fingerprint[:12]))
        if lost := [a.path for a in evidence.artefacts if not self.holds(a.path, a.sha256)]:
            raise Damaged(say("names {file}, which is gone or was changed", file=lost[0]))
        if wrong := departures(evidence):
            raise Damaged(together(wrong))
        return evidence

    def put(self, evidence: Evidence) -> Path:
        """Store evidence under its name; an equal one is replaced. It becomes the latest of its request."""
        path = self._evidence(evidence.stored_as)
        with self.lock(evidence.stored_as):
            write_whole(path, entry_text(evidence))
            for source in {m.source for m in evidence.measurements}:
                write_whole(self._latest(evidence.request, source), evidence.stored_as.encode())
        return path

    def latest(self, request: str) -> list[Evidence]:
        """What was stored last for a request (see `Evidence.request`), at most one for each kind of source."""
        found = [self._latest(request, source) for source in SOURCES]
        names = dict.fromkeys(filter(None, map(self._pointer, found)))
        evidence = filter(None, map(self.get, names))
        return [one for one in evidence if one.request == request]

    def _pointer(self, path: Path) -> str | None:
        """The fingerprint that a pointer names. One that names none is set aside, told, and missing."""
        if not os.path.lexists(path):
            return None
        try:
            if FINGERPRINT.fullmatch(name := _content(path, most=MOST_OF_A_NAME).decode("ascii", "replace")):
                return name
            raise Damaged(say("names no entry"))
        except Damaged as damage:
            self._tell(path, damage)
            return None

    def blob(self, key: str, suffix: str, produce: Callable[[Path], None]) -> Path:
        """The file of `key` (a hex digest of all that it depends on), made by `produce(path)` unless it is here.

        `produce` writes to a temporary path with the same suffix; only a finished file takes the key's name, together
        with its sha256, against which it is checked when it is used again.
        """
        path = self._blob(key, suffix)
        with self.lock(key):
            if path.exists() and not self._intact(path):
                self._set_aside(path)
            if not path.exists():
                with replacing(path) as made:
                    produce(made)
                    write_whole(_checksum(path), sha256_of(made).encode())
        return path

    def find(self, key: str, suffix: str) -> Path | None:
        """The file of `key`, or None unless it is here and intact; for those who make several files in one go."""
        path = self._blob(key, suffix)
        return path if path.is_file() and self._intact(path) else None

    def record(self, key: str) -> dict[str, Any] | None:
        """What was kept by `keep_record`, or None. One that is damaged is set aside, told, and missing."""
        path = self._record(key)
        if not os.path.lexists(path):
            return None
        try:
            return _checked_record(_content(path, most=MOST_OF_A_RECORD), key)
        except Damaged as damage:
            self._tell(path, damage)
            return None

    def keep_record(self, key: str, told: dict[str, Any]) -> None:
        """Keep a small result by the digest of all that it depends on: whole or not at all, with a digest of itself.

        Nobody is waited for: two who measure the same write the same.
        """
        content = json.dumps({"key": key, "digest": digest([key, told]), "record": told}, ensure_ascii=False)
        write_whole(self._record(key), content.encode())

    def artefact(self, title: str, path: Path, media_type: str, **labels: str) -> Artefact:
        """A file of this store, to be named in evidence; `labels` are for its display."""
        return Artefact(
            title=title,
            path=path.relative_to(self.root).as_posix(),
            media_type=media_type,
            sha256=sha256_of(path),
            labels=labels,
        )

    def holds(self, relative: str, sha256: str) -> bool:
        """Whether the artefact at `relative` is here and unchanged, by its sha256."""
        path = self.root / relative
        within = real_path(path).is_relative_to(real_path(self.root))
        return within and path.is_file() and sha256_of(path) == sha256

    @contextmanager
    def lock(self, key: str, waiting: Message = NOTHING) -> Iterator[None]:
        """Hold the lock of one key, across processes; after `PATIENCE` it says that it is `waiting`.

        Its file is removed while it is held, so that none piles up: who waits for it sees that, and makes a new one.
        Raises InputError where the store cannot be written.
        """
        self.require_writable()
        lock = FileLock(self.root / "locks" / f"{key}.lock")
        try:
            lock.acquire(timeout=PATIENCE if waiting else -1)
        except Timeout:
            say_error(waiting)
            lock.acquire()
        try:
            yield
        finally:
            with suppress(OSError):  # a system that removes no open file keeps it
                Path(lock.lock_file).unlink()
            lock.release()

    @contextmanager
    def alone_with(self, request: str) -> Iterator[None]:
        """No other process is about this request meanwhile. Where the store cannot be written, nobody waits."""
        with ExitStack() as stack:
            with suppress(InputError):
                waiting = say("another process measures the same; waiting until it is done")
                stack.enter_context(self.lock(f"{request}.asked", waiting))
            yield

    def require_writable(self) -> None:
        """Raises InputError naming the folder where results cannot be kept in it."""
        folder = self.root / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=folder).close()
        except OSError as error:
            raise self._closed("written", error) from error

    def _closed(self, to_be: str, error: OSError) -> InputError:
        what = say("the store of results cannot be {action} ({reason})", action=to_be, reason=error.strerror)
        return InputError(
            Problem(
                str(self.root),
                what,
                say("name a folder of your own in {variable}", variable=ENVIRONMENT_VARIABLE),
            )
        )

    def _evidence(self, name: str) -> Path:
        return self._at("evidence", f"{name}.json")

    def _latest(self, request: str, source: Source) -> Path:
        return self._at("latest", f"{request}.{source}")

    def _at(self, area: str, name: str) -> Path:
        """The place of an entry: where it lay before there were folders, or the one by its first digits."""
        before = self.root / area / name
        return before if os.path.lexists(before) else self.root / area / name[:2] / name

    def _record(self, key: str) -> Path:
        return self.root / "records" / key[:2] / key[2:4] / f"{key}.json"

    def _blob(self, key: str, suffix: str) -> Path:
        return self.root / "blobs" / key[:2] / f"{key}{suffix}"

    def _intact(self, path: Path) -> bool:
        checksum = _checksum(path)
        try:
            return path.is_file() and read_bytes(checksum, most=MOST_OF_A_NAME) == sha256_of(path).encode()
        except InputError:
            return False

    def _set_aside(self, path: Path) -> None:
        folder = self.root / DAMAGED
        folder.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            path.replace(folder / path.name)


def _content(path: Path, *, most: int = LARGEST) -> bytes:
    """The bytes of a file of the store. Raises Damaged for whatever else lies there."""
    try:
        return read_bytes(path, most=most)
    except InputError as error:
        raise Damaged(error.problems[0].what) from error


def _checked_record(content: bytes, key: str) -> dict[str, Any]:
    """The record in these bytes. Raises Damaged unless it is that of the key, as it was kept."""
    try:
        kept = json.loads(content)
        told: dict[str, Any] = kept["record"]
        sound = kept["key"] == key and kept["digest"] == digest([key, told])
    except (ValueError, LookupError, TypeError) as error:
        raise Damaged(say("is no record")) from error
    if not sound:
        raise Damaged(say("is not what was kept by its name"))
    return told


def _checksum(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
