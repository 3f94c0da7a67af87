"""Clips of known speakers: who speaks, which gender, what is said, and whether a person or a synthesizer says it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from basics.errors import InputError, Problem, Unavailable
from basics.files import sha256_of
from evaluators.evidence import digest
from evaluators.speaker_gender.responses import Gender, clip_named, gender_in_name, gender_named

MANIFEST = "manifest.csv"
PARALLEL_FIRST = ("parallel", "gender")
"""Roles of clips in a manifest that are meant for this question, the better first; without roles, every clip counts."""
FORMATS = (".wav", ".flac", ".mp3", ".ogg")
SYNTHETIC = ("synthetic", "espeak", "flite", "festival", "text-to-speech")
REMEDY = (
    f"give a folder with {MANIFEST} (columns file, gender; also speaker, text, language), or with clips named F_1.wav, "
    "M_1.wav"
)


@dataclass(frozen=True)
class Utterance:
    """One clip of one speaker. `text` is what was said, None where the manifest does not tell; `digest` is sha256."""

    path: Path
    gender: Gender
    speaker: str
    text: str | None
    synthetic: bool
    digest: str


def read_voices(folder: Path | None, language: str, roles: Sequence[str] = PARALLEL_FIRST) -> tuple[Utterance, ...]:
    """The clips in `folder` whose speaker's gender is known, in manifest order; of `language` where these are given.

    A folder without a manifest is looked through for the homework's file names. Raises Unavailable when there are no
    such clips, InputError when the manifest names files that are missing or genders that cannot be read.
    """
    if folder is None:
        raise Unavailable("no folder with labelled voices was given", REMEDY)
    if not folder.is_dir():
        raise InputError(Problem(str(folder), "no such folder", REMEDY))
    home = next((place for place in (folder, folder / "gender") if (place / MANIFEST).is_file()), folder)
    rows = _meant(list(_manifest_rows(home)), roles) if (home / MANIFEST).is_file() else []
    if rows and "gender" not in rows[0][1] and "file" not in rows[0][1]:
        raise InputError(Problem(str(home / MANIFEST), "has no columns file and gender", REMEDY))
    found = tuple(_from_manifest(home, rows, language)) or tuple(_from_names(home))
    if not found:
        raise Unavailable(f"no clip in {folder.name} has a speaker of known gender", REMEDY)
    return found


def _manifest_rows(home: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with (home / MANIFEST).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            yield reader.line_num, {key.strip().lower(): (value or "").strip() for key, value in row.items() if key}


def _meant(rows: list[tuple[int, dict[str, str]]], roles: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of the best role that the manifest has, or all of them."""
    for role in roles:
        if chosen := [(line, row) for line, row in rows if row.get("role", "").lower() == role]:
            return chosen
    return rows


def _from_manifest(home: Path, rows: list[tuple[int, dict[str, str]]], language: str) -> Iterator[Utterance]:
    problems = []
    for line, row in rows:
        stated = row.get("gender", "")
        if not stated or not (row.get("language") or language).startswith(language):
            continue
        gender, path = gender_named(stated), home / row.get("file", "")
        where = f"{MANIFEST} line {line}"
        if gender is None:
            problems.append(
                Problem(where, f"unknown gender {stated!r}", "expected F, M, female or male, or leave it empty")
            )
        elif not path.is_file():
            problems.append(
                Problem(where, f"file {row.get('file', '')!r} is not in {home.name}", "restore it or drop the line")
            )
        else:
            yield Utterance(
                path=path,
                gender=gender,
                speaker=row.get("speaker") or row.get("speaker_id") or row.get("voice") or path.stem,
                text=row.get("text") or None,
                synthetic=is_synthetic(row),
                digest=sha256_of(path),
            )
    if problems:
        raise InputError(problems)


def _from_names(home: Path) -> Iterator[Utterance]:
    for path in sorted(home.iterdir()):
        gender = gender_in_name(clip_named(path.name))
        if gender and path.suffix.lower() in FORMATS:
            speaker = path.stem.partition("-")[0]
            yield Utterance(path, gender, speaker, None, synthetic=False, digest=sha256_of(path))


def is_synthetic(row: Mapping[str, str]) -> bool:
    """Whether the manifest says that no person spoke: in `real_or_synthetic`, else in licence, tool, voice or note.

    Synthetic voices are evidence of source `demonstration`: they show the method, not people.
    """
    stated = row.get("real_or_synthetic", "").lower()
    if stated:
        return stated.startswith("synth")
    described = " ".join(
        row.get(column, "") for column in ("licence", "tool", "voice", "made_by", "source", "note")
    ).lower()
    return any(word in described for word in SYNTHETIC)


def synthetic_among(voices: Sequence[Utterance]) -> tuple[str, ...]:
    """Names of the clips in which a synthesizer speaks."""
    return tuple(voice.path.name for voice in voices if voice.synthetic)


def digest_of(voices: Sequence[Utterance]) -> str:
    """sha256 of what is known about the clips, the sound included; paths are not part of it."""
    return digest([[v.path.name, v.digest, v.gender, v.speaker, v.text, v.synthetic] for v in voices])
