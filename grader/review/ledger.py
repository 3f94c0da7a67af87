"""An append-only record of grading runs: who got what under which key can be shown later, and shown to be unaltered.

A ledger is a folder of numbered entries. Each holds the digest of the entry before it, the digests of what went in
(submissions, key, evidence, rule) and of what came out, and the result itself is kept under its digest. Changing or
removing anything breaks the chain, which `audit` reports; it cannot be repaired without rewriting every later entry.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from basics.errors import InputError, Problem
from basics.files import sha256_of, write_whole
from evaluators.evidence import canonical_json

FOLDER, OBJECTS = "ledger", "objects"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was recorded."""

    entry: str
    what: str


def append(folder: Path, action: str, facts: Mapping[str, Any], outputs: Mapping[str, Path]) -> Path:
    """Add an entry about `action`; `outputs` (by name) are kept under their digests. Returns the entry's path."""
    objects = folder / OBJECTS
    objects.mkdir(parents=True, exist_ok=True)
    kept = {}
    for name, path in outputs.items():
        digest = sha256_of(path)
        kept[name] = digest
        if not (objects / digest).exists():
            temporary = objects / f".{digest}"
            shutil.copyfile(path, temporary)
            temporary.replace(objects / digest)
    with FileLock(folder / ".lock"):
        before = entries(folder)
        entry = {
            "number": len(before) + 1,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "action": action,
            "previous": sha256_of(before[-1]) if before else None,
            "facts": dict(facts),
            "outputs": kept,
        }
        path = folder / f"{len(before) + 1:06d}.json"
        if path.exists():
            raise InputError(Problem(str(path), "is there already, but not where it belongs", "audit the ledger"))
        write_whole(path, (canonical_json(entry) + "\n").encode())
    return path


def entries(folder: Path) -> list[Path]:
    """The entries' files, oldest first."""
    return sorted(folder.glob("[0-9]" * 6 + ".json"))


def read_entries(folder: Path) -> list[dict[str, Any]]:
    """All entries, oldest first. Raises InputError where there is no ledger or an entry is no JSON."""
    found = entries(folder)
    if not found:
        raise InputError(Problem(str(folder), "holds no ledger", "name the --out folder of a grading run"))
    result = []
    problems = []
    for path in found:
        try:
            result.append(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            problems.append(Problem(str(path), f"is not an entry: {error}", "restore it from a backup"))
    if problems:
        raise InputError(problems)
    return result


def audit(folder: Path) -> list[Finding]:
    """Everything that is not as it was recorded; empty for a ledger nobody touched."""
    return [*_chain(folder), *_objects(folder)]


def _chain(folder: Path) -> Iterator[Finding]:
    previous: str | None = None
    for number, (path, entry) in enumerate(zip(entries(folder), read_entries(folder), strict=True), start=1):
        if entry.get("number") != number:
            yield Finding(
                path.name, f"is number {entry.get('number')}, expected {number}: an entry was removed or added"
            )
        if entry.get("previous") != previous:
            yield Finding(path.name, "does not follow the entry before it: that one was changed, removed or added")
        previous = sha256_of(path)


def _objects(folder: Path) -> Iterator[Finding]:
    for path, entry in zip(entries(folder), read_entries(folder), strict=True):
        for name, digest in entry.get("outputs", {}).items():
            kept = folder / OBJECTS / digest
            if not kept.is_file():
                yield Finding(path.name, f"{name} ({digest[:12]}) is gone")
            elif sha256_of(kept) != digest:
                yield Finding(path.name, f"{name} ({digest[:12]}) was changed")


def current_outputs(folder: Path, out: Path) -> list[Finding]:
    """Files beside the ledger that differ from what the last entry to write them recorded."""
    last: dict[str, str] = {}
    for entry in read_entries(folder):
        last.update(entry.get("outputs", {}))
    return [
        Finding(name, "is not the file that was last recorded")
        for name, digest in last.items()
        if (out / name).is_file() and sha256_of(out / name) != digest
    ]
