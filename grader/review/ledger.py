"""An append-only record of grading runs: who got what under which key can be shown later, and shown to be unaltered.

A ledger is a folder of numbered entries. Each holds the digest of the entry before it, the digests of what went in
(submissions, key, evidence, rule) and of what came out, and the result itself is kept under its digest. Changing or
removing anything breaks the chain, which `audit` reports; it cannot be repaired without rewriting every later entry.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from basics.errors import InputError, Problem
from basics.files import sha256_of, write_whole
from basics.folders import Stage, settle, steady
from evaluators.evidence import canonical_json

FOLDER, OBJECTS = "ledger", "objects"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was recorded."""

    entry: str
    what: str


def record(stage: Stage, action: str, facts: Mapping[str, Any], outputs: Sequence[str]) -> None:
    """Add an entry about `action` to what is staged; `outputs` (staged files) are kept under their digests.

    To be called while the stage is committed: an entry follows the last one there, and comes with what it is about.
    """
    kept = {}
    for name in outputs:
        digest = sha256_of(stage.file(name))
        kept[name] = digest
        if not (stage.out / FOLDER / OBJECTS / digest).exists():
            shutil.copyfile(stage.file(name), stage.file(f"{FOLDER}/{OBJECTS}/{digest}"))
    before = entries(stage.out / FOLDER)
    number = len(before) + 1
    entry = {
        "number": number,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "action": action,
        "previous": sha256_of(before[-1]) if before else None,
        "facts": dict(facts),
        "outputs": kept,
    }
    path = f"{FOLDER}/{number:06d}.json"
    if (stage.out / path).exists():
        where = str(stage.out / path)
        raise InputError(Problem(where, "is there already, but not where it belongs", "audit the ledger"))
    write_whole(stage.file(path), (canonical_json(entry) + "\n").encode())


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


@dataclass(frozen=True)
class Inspection:
    """A ledger as it was found: its entries, and everything that is not as it was recorded."""

    entries: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]


def inspect(folder: Path) -> Inspection:
    """The ledger in or at `folder`, and the files beside it, verified while nobody writes there.

    What a killed run had decided to write is put in place first. Raises InputError where there is no ledger.
    """
    settle(folder.parent if folder.name == FOLDER else folder)
    place = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    read_entries(place)
    with steady(place.parent):
        found = [*audit(place), *current_outputs(place, place.parent)]
        return Inspection(tuple(read_entries(place)), tuple(found))


def last_outputs(folder: Path) -> dict[str, str]:
    """Digests by name of every output, as the last entry about it recorded it; none where there is no ledger yet."""
    last: dict[str, str] = {}
    for entry in read_entries(folder) if entries(folder) else ():
        last.update(entry.get("outputs", {}))
    return last


def current_outputs(folder: Path, out: Path) -> list[Finding]:
    """Files beside the ledger that differ from what the last entry to write them recorded."""
    return [
        Finding(name, "is not the file that was last recorded")
        for name, digest in last_outputs(folder).items()
        if (out / name).is_file() and sha256_of(out / name) != digest
    ]
