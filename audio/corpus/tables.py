"""Manifests: CSV files that say what the sound files beside them are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from basics.csv_source import Record, read_records
from basics.errors import InputError, Problem

MANIFEST = "manifest.csv"
SOUNDS = (".wav", ".flac", ".mp3", ".ogg")


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
            return [Problem(self.where, f"column {column} is blank", "name a sound file, relative to the manifest")]
        if not self.file(column).is_file():
            return [
                Problem(self.where, f"{column}: no such file: {self.file(column)}", "correct the name or the folder")
            ]
        return []


def read_rows(manifest: Path, required: Sequence[Sequence[str]]) -> list[Row]:
    """Rows of a CSV, as `read_records` reads it. Raises InputError also when it has no rows."""
    rows = [Row(record.where, record.cells, manifest.parent) for record in read_records(manifest, required)]
    if not rows:
        raise InputError(Problem(str(manifest), "has no rows", "list at least one sound file"))
    return rows


def find_manifest(source: Path) -> Path | None:
    """The manifest that `source` (a CSV or a folder) is or holds; None where there is none."""
    manifest = source / MANIFEST if source.is_dir() else source
    return manifest if manifest.suffix == ".csv" and manifest.is_file() else None


def sounds_in(folder: Path) -> list[Path]:
    """All sound files under `folder`, in order; hidden ones left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
