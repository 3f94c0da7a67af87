"""Clips of known speakers: who speaks, which gender, what is said, and whether a person or a synthesizer says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audio.corpus.manifests import MANIFEST, MOST_ROWS
from audio.formats import is_sound, regular
from basics.csv_source import Record, read_records
from basics.errors import InputError, Problem, Unavailable
from basics.files import sha256_of
from basics.messages import say
from evaluators.evidence import digest
from evaluators.speaker_gender.responses import Gender, clip_named, gender_in_name, gender_named

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARALLEL_FIRST = ("parallel", "gender")
"""Roles of clips in a manifest that are meant for this question, the better first; without roles, every clip counts."""
SYNTHETIC = ("synthetic", "espeak", "flite", "festival", "text-to-speech")
REMEDY = say(
    "give a folder with {manifest} (columns file, gender; also speaker, text, language), or with "
    "clips named F_1.wav, M_1.wav",
    manifest=MANIFEST,
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
    allow_truncated: bool = False
    remarks: tuple[str, ...] = ()

    def sound(self, sample_rate: int) -> NDArray[np.float32]:
        """Samples (n,) at `sample_rate` in Hz."""
        from audio.clip import load

        return load(self.path, sample_rate, allow_truncated=self.allow_truncated).samples


def read_voices(
    folder: Path | None, language: str, roles: Sequence[str] = PARALLEL_FIRST, *, allow_truncated: bool = False
) -> tuple[Utterance, ...]:
    """The clips that `list_voices` lists, each heard: copies of one sound are one clip.

    Raises as `list_voices` does, and InputError for one sound for two speakers and for files that cannot be read whole.
    """
    return _once(list_voices(folder, language, roles), allow_truncated)


def list_voices(folder: Path | None, language: str, roles: Sequence[str] = PARALLEL_FIRST) -> tuple[Utterance, ...]:
    """The clips in `folder` whose speaker's gender is known, in manifest order; of `language` where these are given.

    A folder without a manifest is looked through for the homework's file names. No clip is decoded.
    Raises Unavailable when there are no such clips, InputError when the manifest names files that are missing or
    genders that cannot be read.
    """
    if folder is None:
        raise Unavailable(say("no folder with labelled voices was given"), REMEDY)
    if not folder.is_dir():
        raise InputError(Problem(str(folder), say("no such folder"), REMEDY))
    home = next((place for place in (folder, folder / "gender") if (place / MANIFEST).is_file()), folder)
    rows = _meant(read_records(home / MANIFEST, most=MOST_ROWS), roles) if (home / MANIFEST).is_file() else []
    if rows and not {"file", "gender"} & set(rows[0].cells):
        raise InputError(Problem(str(home / MANIFEST), say("has no columns file and gender"), REMEDY))
    found = tuple(_from_manifest(home, rows, language)) or tuple(_from_names(home))
    if not found:
        raise Unavailable(say("no clip in {folder} has a speaker of known gender", folder=folder.name), REMEDY)
    return found


def _once(voices: Sequence[Utterance], allow_truncated: bool) -> tuple[Utterance, ...]:
    from audio.copies import hear, once

    heard = hear((voice.path for voice in voices), allow_truncated=allow_truncated)
    single = once(
        voices,
        sound=lambda voice: heard[voice.path].sound,
        said=lambda voice: (voice.speaker, voice.gender, voice.text),
        named=lambda voice: voice.path.name,
    )
    return tuple(
        replace(
            voice,
            allow_truncated=allow_truncated,
            remarks=(*heard[voice.path].remarks, *(f"counted once: {name} is a copy" for name in copies)),
        )
        for voice, copies in single
    )


def _meant(rows: list[Record], roles: Sequence[str]) -> list[Record]:
    """The rows of the best role that the manifest has, or all of them."""
    for role in roles:
        if chosen := [row for row in rows if row.text("role").lower() == role]:
            return chosen
    return rows


def _from_manifest(home: Path, rows: list[Record], language: str) -> Iterator[Utterance]:
    problems = []
    for row in rows:
        stated = row.text("gender")
        if not stated or not (row.text("language") or language).startswith(language):
            continue
        gender, path = gender_named(stated), home / row.text("file")
        if gender is None:
            problems.append(
                Problem(
                    row.where,
                    say("unknown gender {gender!r}", gender=stated),
                    say("expected F, M, female or male, or leave it empty"),
                )
            )
        elif problem := regular(path):
            missing = not path.exists()
            what = (
                say("file {file!r} is not in {folder}", file=row.text("file"), folder=home.name)
                if missing
                else say("{path} {what}", path=path, what=problem.what)
            )
            problems.append(Problem(row.where, what, say("restore it or drop the line")))
        else:
            yield Utterance(
                path=path,
                gender=gender,
                speaker=row.text("speaker", "speaker_id", "voice") or path.stem,
                text=row.text("text") or None,
                synthetic=is_synthetic(row.cells),
                digest=sha256_of(path),
            )
    if problems:
        raise InputError(problems)


def _from_names(home: Path) -> Iterator[Utterance]:
    for path in sorted(home.iterdir()):
        gender = gender_in_name(clip_named(path.name))
        if gender and is_sound(path) and not path.name.startswith("."):
            if problem := regular(path):
                raise InputError(problem)
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
