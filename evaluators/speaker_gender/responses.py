"""The models' recorded answers: read from JSONL, CSV, or text pasted from the notebook's output.

Every reader yields the same `Response`. A JSONL object or CSV row has `model`, `clip`, `response` and may have
`transcript`, `gender` (of the speaker) and `models` (ids of what produced it, as `earwitness run-models` writes).
Pasted text is read by its headings: a line that names the model, one that names the clip, then `Transcript:` and
`Response:`, or the dictionary that the notebook's functions return.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from basics.csv_source import read_records
from basics.errors import InputError, Problem
from basics.files import read_text
from basics.messages import say, together

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
        raise InputError(
            Problem(str(path), say("no such file"), say("JSONL or CSV with {columns}, or pasted text", columns=COLUMNS))
        )
    found: dict[tuple[str, str], Response] = {}
    problems = []
    for where, row in _rows(path):
        response = row if isinstance(row, Problem) else _response(row, where)
        if isinstance(response, Problem):
            problems.append(Problem(where, response.what, response.remedy))
        elif found.setdefault((response.model, response.clip), response) != response:
            what = say("a second, different answer of {model} to clip {clip}", model=response.model, clip=response.clip)
            problems.append(Problem(where, what, say("keep the one that counts")))
    if not found and not problems:
        problems.append(Problem(str(path), say("holds no answer"), say("expected {columns}", columns=COLUMNS)))
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
            yield number, Problem("", say("is not JSON: {error}", error=error.msg), say("one JSON object a line"))
            continue
        yield (
            number,
            row
            if isinstance(row, dict)
            else Problem("", say("is not a JSON object"), say("give {columns}", columns=COLUMNS)),
        )


def _response(row: Mapping[str, Any], where: str) -> Response | Problem:
    missing = [name for name in ("model", "clip") if not str(row.get(name) or "").strip()]
    missing += ["response"] * (row.get("response") is None)  # an empty answer is an answer
    if missing:
        return Problem(
            where,
            say("has no {missing}", missing=together(missing, say(" and no "))),
            say("give {columns}", columns=COLUMNS),
        )
    model = model_named(str(row["model"]))
    if model is None:
        return Problem(
            where,
            say("unknown model {model!r}", model=row["model"]),
            say("expected {models}", models=" or ".join(MODELS)),
        )
    stated = str(row.get("gender") or "").strip().lower()
    if stated and stated not in _GENDERS:
        return Problem(
            where, say("unknown gender {gender!r}", gender=stated), say("expected female or male, or leave it empty")
        )
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


Row = tuple[int, Mapping[str, Any] | Problem]
"""Number of a line, and the answer that begins there or what is wrong with it."""

_CLIP = r"(?P<clip>[\w./\\-]+\.(?:wav|flac|mp3|ogg)|[FM]_\d+)"
_MODEL = re.compile(
    r"^[\W_]*(?:(?:running|output of|results? (?:of|for))\s+)?model[\s_]*(?P<model>[ab])\b(?P<rest>.*)$", re.I
)
_CLIP_HEADING = re.compile(rf"^[^\w/]*(?:clip|file|audio|sample|音檔|音频)?[\s:：#]*{_CLIP}(?P<rest>.*)$", re.I)
_LABEL = re.compile(
    r"^[\W_]*(?:(?P<transcript>transcript(?:ion)?|asr|逐字稿|轉錄|转录)|(?:response|answer|output|回應|回答|答案))"
    r"[\s*]*[:：](?P<rest>.*)$",
    re.I,
)
_EDGE = " \t:：|-–—=#*>[](),"


@dataclass
class _State:
    """What the lines so far have said, and the answer being collected."""

    line: int = 0
    model: str | None = None
    clip: str | None = None
    field: str | None = None
    texts: dict[str, list[str]] = default(default_factory=dict)

    def take(self) -> Row | None:
        """The answer collected so far, if any; the next one starts empty."""
        texts = {name: "\n".join(lines).strip(" \n\t-=*#") for name, lines in self.texts.items()}
        self.texts, self.field = {}, None
        if not texts.get("response"):
            return None
        if not (self.model and self.clip):
            lacking = say("this answer stands under no model and no clip")
            if self.clip or self.model:
                lacking = say("this answer stands under no {column}", column="model" if self.clip else "clip")
            return self.line, Problem("", lacking, say("add a heading such as `Model A - F_1.wav`"))
        return self.line, {"model": self.model, "clip": self.clip, **texts}

    def add(self, text: str) -> None:
        if self.field and (text.strip() or self.texts.get(self.field)):
            self.texts.setdefault(self.field, []).append(text)


def read_pasted(content: str) -> Iterator[Row]:
    """(line, row) of every answer in the text, in order."""
    state = _State()
    for number, line in enumerate(content.splitlines(), start=1):
        yield from _read(line, number, state)
    if row := state.take():
        yield row


def _read(line: str, number: int, state: _State) -> Iterator[Row]:
    if (label := _LABEL.match(line)) is not None:
        name = "transcript" if label["transcript"] else "response"
        if name in state.texts and (row := state.take()):
            yield row
        state.field, state.line = name, number
        state.add(label["rest"].strip())
    elif (heading := _MODEL.match(line)) is not None:
        if row := state.take():
            yield row
        state.model = heading["model"]
        yield from _after_heading(heading["rest"], number, state)
    elif (heading := _CLIP_HEADING.match(line)) is not None:
        if row := state.take():
            yield row
        state.clip = heading["clip"]
        yield from _after_heading(heading["rest"], number, state)
    elif (returned := _dictionary(line)) is not None:
        state.texts, state.line = {name: [text] for name, text in returned.items()}, number
    else:
        state.add(line)


def _after_heading(rest: str, number: int, state: _State) -> Iterator[Row]:
    """What stands behind a heading on the same line: the other heading, a label, a dictionary or the answer itself."""
    rest = rest.strip(_EDGE)
    if not rest:
        return
    structured = any(pattern.match(rest) for pattern in (_LABEL, _CLIP_HEADING, _MODEL))
    if structured or _dictionary(rest) is not None:
        yield from _read(rest, number, state)
    else:
        state.field, state.line = "response", number
        state.add(rest)


def _dictionary(line: str) -> dict[str, str] | None:
    """The `{'transcript': …, 'response': …}` that the notebook's functions return, if the line is one."""
    text = line.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("response"), str):
        return None
    return {name: value[name] for name in ("transcript", "response") if isinstance(value.get(name), str)}
