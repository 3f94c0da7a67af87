"""Looking after a store: how much lies in it, whether it is what was kept, and taking away what is old.

The store is walked as it lies, an entry at a time: a million of them take no more memory than one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
        sizes = [entry.stat(follow_symlinks=False).st_size for entry in _files(store.root / name)]
        if sizes:
            found.append(Area(name, len(sizes), sum(sizes)))
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
    """What is older than so many days and can be measured again: records, blobs that no evidence names, damage."""
    named = set(_named(store))
    latest = time.time() - days * DAY
    for area in ("records", DAMAGED, "blobs"):
        for entry in _files(store.root / area):
            path = Path(entry.path)
            whole = path.with_suffix("") if path.suffix == ".sha256" else path
            if (
                entry.stat(follow_symlinks=False).st_mtime < latest
                and whole.relative_to(store.root).as_posix() not in named
            ):
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
