"""The models' recorded answers: read from JSONL, CSV, or text pasted from the notebook's output.

Every reader yields the same `Response`. A JSONL object or CSV row has `model`, `clip`, `response` and may have
`transcript`, `gender` (of the speaker) and `models` (ids of what produced it, as `earwitness run-models` writes).
Pasted text is read by its headings: a line that names the model, one that names the clip, then `Transcript:` and
`Response:`, or the dictionary that the notebook's functions return.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from basics.csv_source import read_records
from basics.errors import InputError, Problem
from basics.yaml_source import read_text
from evaluators.speaker_gender.pasted import Row, read_pasted

Gender = Literal["female", "male"]

MODELS = ("model_a", "model_b")
COLUMNS = "model, clip, response (and optionally transcript, gender, models)"

_GENDERS: dict[str, Gender] = dict.fromkeys(("f", "female", "woman", "女", "女性"), "female")
_GENDERS.update(dict.fromkeys(("m", "male", "man", "男", "男性"), "male"))
_READERS: Mapping[Gender, frozenset[str]] = {
    "male": frozenset({"307", "374", "1743", "2514", "3240"}),
    "female": frozenset({"226", "587", "1088", "1246", "1263"}),
}
"""LibriSpeech readers of the homework's candidate clips, by LibriSpeech's SPEAKERS.TXT."""


@dataclass(frozen=True)
class Response:
    """One model's answer about one clip.

    `model` is `model_a` or `model_b`, `clip` the file's name without ending, `gender` the speaker's own,
    None where unknown. `models` are the ids of the checkpoints that answered, () where the record does not say;
    `synthetic` says that no person spoke.
    """

    model: str
    clip: str
    text: str
    transcript: str | None = None
    gender: Gender | None = None
    models: tuple[str, ...] = ()
    synthetic: bool = False


def read_responses(path: Path) -> tuple[Response, ...]:
    """All answers of one file; the same answer given twice counts once.

    Raises InputError with every problem: a row without model, clip or response, two different answers of one model to
    one clip, a file without any answer.
    """
    if not path.is_file():
        raise InputError(Problem(str(path), "no such file", f"JSONL or CSV with {COLUMNS}, or pasted text"))
    found: dict[tuple[str, str], Response] = {}
    problems = []
    for where, row in _rows(path):
        response = row if isinstance(row, Problem) else _response(row, where)
        if isinstance(response, Problem):
            problems.append(Problem(where, response.what, response.remedy))
        elif found.setdefault((response.model, response.clip), response) != response:
            what = f"a second, different answer of {response.model} to clip {response.clip}"
            problems.append(Problem(where, what, "keep the one that counts"))
    if not found and not problems:
        problems.append(Problem(str(path), "holds no answer", f"expected {COLUMNS}"))
    if problems:
        raise InputError(problems)
    return tuple(found.values())


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | Problem]]:
    """Where each answer of a file begins, and the answer or what is wrong with it."""
    if path.suffix.lower() == ".csv":
        yield from ((record.where, record.cells) for record in read_records(path))
        return
    read = _jsonl if path.suffix.lower() == ".jsonl" else read_pasted
    yield from ((f"{path.name} line {line}", row) for line, row in read(read_text(path)))


def _jsonl(content: str) -> Iterator[Row]:
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, Problem("", f"is not JSON: {error.msg}", "one JSON object a line")
            continue
        yield number, row if isinstance(row, dict) else Problem("", "is not a JSON object", f"give {COLUMNS}")


def _response(row: Mapping[str, Any], where: str) -> Response | Problem:
    missing = [name for name in ("model", "clip") if not str(row.get(name) or "").strip()]
    missing += ["response"] * (row.get("response") is None)  # an empty answer is an answer
    if missing:
        return Problem(where, f"has no {' and no '.join(missing)}", f"give {COLUMNS}")
    model = model_named(str(row["model"]))
    if model is None:
        return Problem(where, f"unknown model {row['model']!r}", f"expected {' or '.join(MODELS)}")
    stated = str(row.get("gender") or "").strip().lower()
    if stated and stated not in _GENDERS:
        return Problem(where, f"unknown gender {stated!r}", "expected female or male, or leave it empty")
    clip = clip_named(str(row["clip"]))
    models = row.get("models") or ()
    return Response(
        model=model,
        clip=clip,
        text=str(row["response"]).strip(),
        transcript=str(row["transcript"]).strip() if row.get("transcript") else None,
        gender=_GENDERS[stated] if stated else gender_in_name(clip),
        models=(models,) if isinstance(models, str) else tuple(map(str, models)),
        synthetic=row.get("synthetic") is True,
    )


def model_named(text: str) -> str | None:
    """`Model A`, `model_a`, `A` -> `model_a`; None for anything else."""
    found = re.fullmatch(r"(?:model)?[\s_-]*([ab])", text.strip().lower())
    return f"model_{found[1]}" if found else None


def clip_named(text: str) -> str:
    """A clip's name without audio ending, and without the folders of an absolute path."""
    path = PurePosixPath(text.strip().replace("\\", "/"))
    return re.sub(r"\.(wav|flac|mp3|ogg)$", "", path.name if path.is_absolute() else str(path), flags=re.IGNORECASE)


def gender_in_name(clip: str) -> Gender | None:
    """The gender that the homework's file names state: `F_1`, `M_1`, or a LibriSpeech reader of its candidates."""
    name = PurePosixPath(clip).name
    if prefix := re.match(r"([FM])_", name):
        return "female" if prefix[1] == "F" else "male"
    reader = name.partition("-")[0]
    return next((gender for gender, readers in _READERS.items() if reader in readers), None)


def gender_named(text: str) -> Gender | None:
    """`F`, `female`, `M`, `male`, 女, 男 -> the gender; None for anything else."""
    return _GENDERS.get(text.strip().lower())
