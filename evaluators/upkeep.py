"""Looking after a store: how much lies in it, whether it is what was kept, and taking away what is old.

The store is walked as it lies, an entry at a time: a million of them take no more memory than one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from evaluators.entries import Damaged, read_entry
from evaluators.store import DAMAGED, Store

AREAS = ("evidence", "records", "blobs", "latest", DAMAGED, "corpora", "libraries", "locks")
DAY = 86_400.0


@dataclass(frozen=True)
class Area:
    """One folder of the store: how many files lie in it, and how many bytes."""

    name: str
    files: int
    size: int


def areas(store: Store) -> list[Area]:
    """What lies where, of folders that are there."""
    found = []
    for name in AREAS:
        files = size = 0
        for entry in _files(store.root / name):
            files += 1
            size += entry.stat(follow_symlinks=False).st_size
        if files:
            found.append(Area(name, files, size))
    return found


def damaged(store: Store) -> Iterator[Path]:
    """Each entry that is not what was kept under its name; evidence and records are set aside and told by the store."""
    for entry in _files(store.root / "records"):
        if entry.name.endswith(".json") and store.record(entry.name.removesuffix(".json")) is None:
            yield Path(entry.path)
    for entry in _files(store.root / "evidence"):
        if entry.name.endswith(".json") and store.get(entry.name.removesuffix(".json")) is None:
            yield Path(entry.path)
    for entry in _files(store.root / "blobs"):
        path = Path(entry.path)
        if path.suffix != ".sha256" and store.find(path.name.removesuffix(path.suffix), path.suffix) is None:
            yield path


def outdated(store: Store, days: float) -> Iterator[Path]:
    """What is older than so many days and can be measured again: records, blobs that no evidence names, damage.

    Lock files that nobody holds go too: earlier versions left one for each key.
    """
    named = set(_named(store))
    latest = time.time() - days * DAY
    for area in ("records", DAMAGED, "blobs", "locks"):
        for entry in _files(store.root / area):
            if entry.stat(follow_symlinks=False).st_mtime >= latest:
                continue
            path = Path(entry.path)
            if area == "locks":
                with suppress(Timeout, OSError), FileLock(path, timeout=0):
                    yield path
            elif path.relative_to(store.root).as_posix().removesuffix(".sha256") not in named:
                yield path


def _named(store: Store) -> Iterator[str]:
    for entry in _files(store.root / "evidence"):
        try:
            evidence = read_entry(Path(entry.path).read_bytes())
        except (Damaged, OSError):
            continue
        yield from (artefact.path for artefact in evidence.artefacts)


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file below a folder, which need not be there."""
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry
