"""Which clips are compared: of a folder or a manifest (CSV or Parquet, column `file`), each a file or an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audio.corpus.manifests import read_rows
from audio.formats import read_folder, regular
from basics.errors import InputError, Problem, Unavailable
from basics.messages import say
from basics.parquet_source import parquet_faults

REMOTE = "://"
COLUMN = "file"


@dataclass(frozen=True)
class Source:
    """One clip: its name in the results, and its path or address (`https://…`, `s3://…`)."""

    name: str
    place: str

    @property
    def remote(self) -> bool:
        """Whether workers read it where it lies."""
        return REMOTE in self.place


def read_sources(audio: Path) -> list[Source]:
    """The clips of a folder, or those that a manifest lists, in order of their names.

    Raises InputError with everything that is no sound file or is listed twice, and where there is none.
    """
    if audio.is_dir():
        found = [Source(path.relative_to(audio).as_posix(), str(path)) for path in read_folder(audio).sounds]
        if not found:
            raise InputError(
                Problem(str(audio), say("holds no sound files"), say("name a folder of clips, or a manifest"))
            )
        return found
    if not audio.exists():
        raise InputError(
            Problem(str(audio), say("no such folder or file"), say("name a folder of clips, or a manifest of them"))
        )
    found = _listed(audio)
    problems = [problem for source in found if not source.remote and (problem := regular(Path(source.place)))]
    twice = [name for name, count in Counter(source.name for source in found).items() if count > 1]
    problems += [
        Problem(str(audio), say("lists {name} more than once", name=name), say("keep one row of it")) for name in twice
    ]
    if problems:
        raise InputError(problems)
    return sorted(found, key=lambda source: source.name)


def _listed(manifest: Path) -> list[Source]:
    if manifest.suffix == ".parquet":
        return list(_sources(_column(manifest), manifest))
    if manifest.suffix != ".csv":
        what = say("is neither a folder nor a manifest")
        raise InputError(
            Problem(
                str(manifest), what, say("name a folder, or a .csv or .parquet with a column {column}", column=COLUMN)
            )
        )
    rows = read_rows(manifest, [(COLUMN,)])
    blank = [
        Problem(row.where, say("column {column} is blank", column=COLUMN), say("name a sound file"))
        for row in rows
        if not row.text(COLUMN)
    ]
    if blank:
        raise InputError(blank)
    return list(_sources((row.text(COLUMN) for row in rows), manifest))


def _sources(names: Iterable[str], manifest: Path) -> Iterable[Source]:
    for name in names:
        yield Source(name, name if REMOTE in name else str(manifest.parent / name))


def _column(manifest: Path) -> list[str]:
    """The column `file` of a Parquet file."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise Unavailable(
            say("reading Parquet needs pyarrow, which is not installed"), say("`pip install pyarrow`")
        ) from error
    with parquet_faults(str(manifest)):
        table: Any = parquet.ParquetFile(manifest)
        if COLUMN not in table.schema_arrow.names:
            known = ", ".join(table.schema_arrow.names)
            raise InputError(
                Problem(
                    str(manifest),
                    say("has no column {column}, only {known}", column=COLUMN, known=known),
                    say("add it"),
                )
            )
        names = table.read([COLUMN]).column(COLUMN).to_pylist()
    problems = [
        Problem(
            f"{manifest} row {number}", say("column {column} holds no name", column=COLUMN), say("name a sound file")
        )
        for number, name in enumerate(names, 1)
        if not isinstance(name, str) or not name
    ]
    if problems or not names:
        raise InputError(problems or Problem(str(manifest), say("has no rows"), say("list at least one sound file")))
    return names  # type: ignore[no-any-return]
