"""Originals and their reconstructions, as published on codec papers' demonstration pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from audio.corpus.tables import MANIFEST, Row, find_manifest, read_rows
from basics.errors import InputError, Problem

REQUIRED = (("orig_file",), ("recon_file",))


@dataclass(frozen=True)
class Pair:
    """An original and what a codec made of it. `codebooks` is None where the source does not state it."""

    id: str
    original: Path
    reconstruction: Path
    kind: str  # speech, singing, music, laughter
    language: str  # ISO 639-1, or und
    codebooks: int | None
    source: str  # the repository or page that published it
    revision: str = ""  # its commit, where the manifest says


def read_pairs(folder: str | Path) -> list[Pair]:
    """Pairs that a folder's manifest.csv (or a CSV given itself) lists.

    Needs the columns orig_file and recon_file (paths relative to the manifest); pair_id, kind, language, codebooks,
    repo or source_set and commit are used where they are there. Raises InputError with every problem of the manifest.
    """
    manifest = find_manifest(Path(folder))
    if manifest is None:
        raise InputError(
            Problem(str(folder), f"has no {MANIFEST}", "list orig_file and recon_file of every pair in it")
        )
    rows = read_rows(manifest, REQUIRED)
    problems = [problem for row in rows for problem in _problems(row)]
    pairs = [_pair(row) for row in rows if not _problems(row)]
    repeated = [name for name, count in Counter(pair.id for pair in pairs).items() if count > 1]
    problems += [
        Problem(str(manifest), f"pair_id {name!r} occurs more than once", "name each pair once") for name in repeated
    ]
    if problems:
        raise InputError(problems)
    return pairs


def _problems(row: Row) -> list[Problem]:
    problems = [problem for (column,) in REQUIRED for problem in row.file_problems(column)]
    codebooks = row.text("codebooks")
    if codebooks and not (codebooks.isdecimal() and int(codebooks) > 0):
        problems.append(
            Problem(row.where, f"codebooks is {codebooks!r}, expected a number", "leave unstated ones blank")
        )
    return problems


def _pair(row: Row) -> Pair:
    codebooks = row.text("codebooks")
    return Pair(
        id=row.text("pair_id") or row.file("recon_file").stem,
        original=row.file("orig_file"),
        reconstruction=row.file("recon_file"),
        kind=row.text("kind") or "speech",
        language=row.text("language") or "und",
        codebooks=int(codebooks) if codebooks else None,
        source=row.text("repo", "source_set"),
        revision=row.text("commit"),
    )
