"""Answers pasted from a notebook's printed output: headings say which model and which clip, labels what follows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

from basics.errors import Problem

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
            lacking = "model" if self.clip else "clip" if self.model else "model and no clip"
            return self.line, Problem(
                "", f"this answer stands under no {lacking}", "add a heading such as `Model A - F_1.wav`"
            )
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
