"""Manifests: CSV files that say what the sound files beside them are."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from basics.errors import InputError, Problem

MANIFEST = "manifest.csv"
SOUNDS = (".wav", ".flac", ".mp3", ".ogg")


@dataclass(frozen=True)
class Row:
    """One row of a manifest; `where` names it for messages."""

    where: str
    cells: dict[str, str]
    folder: Path

    def text(self, *columns: str) -> str:
        """The first of these columns that is there and not blank, or an empty text."""
        return next((value for column in columns if (value := self.cells.get(column, "").strip())), "")

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
    """Rows of a CSV. Of each group in `required`, one column must be there.

    Raises InputError naming the file when it cannot be read, has no rows, or lacks columns (all of them at once).
    """
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            columns = list(reader.fieldnames or ())
            rows = [Row(f"{manifest} line {reader.line_num}", _cells(cells), manifest.parent) for cells in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(Problem(str(manifest), f"not a CSV in UTF-8 ({error})", "save it as CSV UTF-8")) from None
    problems = [
        Problem(str(manifest), f"has no column {' or '.join(group)}, only {', '.join(columns) or 'none'}", "add it")
        for group in required
        if not set(group) & set(columns)
    ]
    if not problems and not rows:
        problems = [Problem(str(manifest), "has no rows", "list at least one sound file")]
    if problems:
        raise InputError(problems)
    return rows


def _cells(cells: dict[str | None, str | list[str]]) -> dict[str, str]:
    return {column: value for column, value in cells.items() if column is not None and isinstance(value, str)}


def find_manifest(source: Path) -> Path | None:
    """The manifest that `source` is or holds."""
    manifest = source / MANIFEST if source.is_dir() else source
    return manifest if manifest.suffix == ".csv" and manifest.is_file() else None


def sounds_in(folder: Path) -> list[Path]:
    """All sound files under `folder`, in order; hidden ones left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS and path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
