"""Manifests: CSV files that say what the sound files beside them are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audio.formats import regular
from basics.csv_source import Record, read_records
from basics.errors import InputError, Problem
from basics.messages import say

MANIFEST = "manifest.csv"
MOST_ROWS = 100_000
"""Rows that a manifest may have."""


@dataclass(frozen=True)
class Row(Record):
    """One row of a manifest that lies in `folder`."""

    folder: Path

    def file(self, column: str) -> Path:
        """The file that a cell names, relative to the manifest."""
        return self.folder / self.text(column)

    def file_problems(self, column: str) -> list[Problem]:
        """What is wrong with the file that a cell names."""
        if not self.text(column):
            return [
                Problem(
                    self.where,
                    say("column {column} is blank", column=column),
                    say("name a sound file, relative to the manifest"),
                )
            ]
        problem = regular(self.file(column))
        if problem is None:
            return []
        what = (
            say("no such file: {path}", path=problem.where)
            if "no such" in problem.what
            else say("{where} {what}", where=problem.where, what=problem.what)
        )
        return [
            Problem(
                self.where, say("{column}: {what}", column=column, what=what), say("correct the name or the folder")
            )
        ]


def read_rows(manifest: Path, required: Sequence[Sequence[str]]) -> list[Row]:
    """Rows of a CSV, as `read_records` reads it. Raises InputError also when it has none, or more than `MOST_ROWS`."""
    records = read_records(manifest, required, most=MOST_ROWS)
    rows = [Row(record.where, record.cells, manifest.parent) for record in records]
    if not rows:
        raise InputError(Problem(str(manifest), say("has no rows"), say("list at least one sound file")))
    return rows


def find_manifest(source: Path) -> Path | None:
    """The manifest that `source` (a CSV or a folder) is or holds; None where there is none."""
    manifest = source / MANIFEST if source.is_dir() else source
    return manifest if manifest.suffix == ".csv" and manifest.is_file() else None


FILES = ("orig_file", "recon_file")
REQUIRED = ((FILES[0],), (FILES[1],), ("system",))


@dataclass(frozen=True)
class Pair:
    """An original and what a codec made of it. `codebooks` is None where the source does not state it."""

    id: str
    original: Path
    reconstruction: Path
    system: str  # the codec that made the reconstruction
    kind: str  # speech, singing, music, laughter
    language: str  # ISO 639-1, or und
    codebooks: int | None
    source: str  # the repository or page that published it
    revision: str = ""  # its commit, where the manifest says
    copies: tuple[str, ...] = ()  # other rows of the same two sounds, counted with this one


def read_pairs(folder: str | Path) -> list[Pair]:
    """Pairs that a folder's manifest.csv (or a CSV given itself) lists.

    Needs the columns orig_file and recon_file (paths relative to the manifest) and system (the codec); pair_id, kind,
    language, codebooks, repo or source_set and commit are used where they are there. Raises InputError with every
    problem of the manifest.
    """
    manifest = find_manifest(Path(folder))
    if manifest is None:
        raise InputError(
            Problem(
                str(folder),
                say("has no {manifest}", manifest=MANIFEST),
                say("list orig_file, recon_file and system of every pair in it"),
            )
        )
    rows = read_rows(manifest, REQUIRED)
    problems = [problem for row in rows for problem in _problems(row)]
    pairs = [_pair(row) for row in rows if not _problems(row)]
    repeated = [name for name, count in Counter(pair.id for pair in pairs).items() if count > 1]
    problems += [
        Problem(
            str(manifest), say("pair_id {pair_id!r} occurs more than once", pair_id=name), say("name each pair once")
        )
        for name in repeated
    ]
    if problems:
        raise InputError(problems)
    return pairs


def _problems(row: Row) -> list[Problem]:
    problems = [problem for column in FILES for problem in row.file_problems(column)]
    if not row.text("system"):
        problems.append(
            Problem(row.where, say("column system is blank"), say("name the codec that made the reconstruction"))
        )
    codebooks = row.text("codebooks")
    if codebooks and not (codebooks.isdecimal() and int(codebooks) > 0):
        problems.append(
            Problem(
                row.where,
                say("codebooks is {codebooks!r}, expected a number", codebooks=codebooks),
                say("leave unstated ones blank"),
            )
        )
    return problems


def _pair(row: Row) -> Pair:
    codebooks = row.text("codebooks")
    return Pair(
        id=row.text("pair_id") or row.file("recon_file").stem,
        original=row.file("orig_file"),
        reconstruction=row.file("recon_file"),
        system=row.text("system"),
        kind=row.text("kind") or "speech",
        language=row.text("language") or "und",
        codebooks=int(codebooks) if codebooks else None,
        source=row.text("repo", "source_set"),
        revision=row.text("commit"),
    )
