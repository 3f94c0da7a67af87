"""Strict YAML with line numbers: what a spec file says, and where it says it.

PyYAML reads `1e-3` as text, `012` as 10, `1:30` as 90, `no` as False and keeps the last of two equal keys. This reader
takes YAML 1.2's core scalars (true/false, decimal integers, floats, null), leaves everything else text, and refuses
duplicate keys. `validate` turns the errors of a pydantic model into problems that name file and line, all at once.

A document is bounded in size, depth and number of values, aliases written out: ten lines of aliases to aliases would
otherwise stand for more than any memory holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from basics.errors import InputError, Problem
from basics.files import read_text
from basics.messages import Message, say
from basics.model_faults import Path_ as Path_
from basics.model_faults import faults_of
from basics.visible import NOT_TEXT, code

Model = TypeVar("Model", bound=BaseModel)
QUOTED = ("'", '"', "|", ">")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
AROUND = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)

MOST_BYTES = 1 << 24
MOST_VALUES = 250_000
"""Keys, items and scalars of a document: the answers of a class of ten thousand."""
MOST_EVENTS = 2 * MOST_VALUES
"""What the parser tells: one event for each scalar and alias, two for a list or mapping."""
DEEPEST = 64
LONGEST_TEXT = 1 << 20
LONGEST_NUMBER = 40
TOO_MANY = (
    say("holds more than {limit:,} values, aliases written out", limit=MOST_VALUES),
    say("split it, or write fewer aliases"),
)
TOO_DEEP = (say("is nested deeper than {levels} levels", levels=DEEPEST), say("write it flatter"))

SCALARS: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"(null|~|)"), lambda _: None),
    (re.compile(r"(true|false)"), lambda text: text == "true"),
    (re.compile(rf"[-+]?(0|[1-9][0-9]{{0,{LONGEST_NUMBER}}})"), int),
    (re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)


@dataclass(frozen=True)
class Source:
    """Parsed YAML: `data`, and the line (from 1) of every key and item by its path."""

    path: Path
    data: Any
    lines: Mapping[Path_, int]

    def where(self, path: Path_ = ()) -> str:
        """`file:line` of the deepest part of `path` that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.path.name}:{self.lines.get(path, 1)}"


def read(path: Path, repeated: list[Problem] | None = None) -> Source:
    """Parse one YAML document. Raises InputError on broken YAML, what is beyond the bounds, duplicate keys, no content.

    Duplicate keys and impossible scalars go to `repeated` instead, where it is given, to be told together with what
    else is found.
    """
    text = read_text(path, most=MOST_BYTES)
    try:
        events = list(islice(yaml.parse(text, Loader=LOADER), MOST_EVENTS + 1))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = say("is not valid YAML: {error}", error=error.problem or error.context)
        raise InputError(
            Problem(f"{path.name}:{line}", what, say("mend the indentation or the quotes there"))
        ) from error
    except yaml.YAMLError as error:
        raise InputError(
            Problem(path.name, say("is not valid YAML: {error}", error=error), say("save it as plain UTF-8 text"))
        ) from error
    except RecursionError as error:
        raise InputError(Problem(path.name, *TOO_DEEP)) from error
    if len(events) > MOST_EVENTS:
        raise InputError(Problem(path.name, *TOO_MANY))
    content = [event for event in events if not isinstance(event, AROUND)]
    if not content:
        raise InputError(Problem(path.name, say("is empty"), say("write the spec, or remove the file")))
    builder = _Builder(path, content)
    data = builder.document()
    if repeated is not None:
        repeated += builder.problems
    elif builder.problems:
        raise InputError(builder.problems)
    return Source(path, data, builder.lines)


class _Builder:
    """Turns YAML events into plain data, remembering lines and collecting problems.

    An alias is built anew from where its anchor stands: it costs as much as if it were written out, and is counted so.
    """

    def __init__(self, path: Path, events: Sequence[Any]) -> None:
        self.path = path
        self.events = events
        self.lines: dict[Path_, int] = {}
        self.problems: list[Problem] = []
        self._anchors: dict[str, int] = {}
        self._within: list[str] = []
        self._values = 0

    def document(self) -> Any:
        """The one document."""
        data, end = self.build(0, ())
        if end < len(self.events):
            line = self.events[end].start_mark.line + 1
            self._refuse(
                line, say("a second document begins here"), say("keep one document, without `---` after the first line")
            )
        return data

    def build(self, at: int, path: Path_) -> tuple[Any, int]:
        """The value whose first event is `events[at]`, and where the next one begins."""
        event = self.events[at]
        line = event.start_mark.line + 1
        self.lines.setdefault(path, line)
        self._values += 1
        if self._values > MOST_VALUES:
            self._refuse(line, *TOO_MANY)
        if len(path) > DEEPEST:
            self._refuse(line, *TOO_DEEP)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line, path), at + 1
        if event.anchor:
            self._anchors[event.anchor] = at
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, line, path), at + 1
        self._within.append(event.anchor)
        mapping = isinstance(event, yaml.MappingStartEvent)
        built = self._mapping(at + 1, path) if mapping else self._sequence(at + 1, path)
        self._within.pop()
        return built

    def _alias(self, event: Any, line: int, path: Path_) -> Any:
        name = event.anchor
        if name not in self._anchors:
            self._refuse(
                line,
                say("is not valid YAML: no anchor &{name} stands before *{name}", name=name),
                say("correct the name"),
            )
        if name in self._within:
            self._refuse(
                line,
                say("*{name} stands inside &{name}: it would hold itself", name=name),
                say("write out what is meant"),
            )
        return self.build(self._anchors[name], path)[0]

    def _sequence(self, at: int, path: Path_) -> tuple[list[Any], int]:
        items: list[Any] = []
        while not isinstance(self.events[at], yaml.SequenceEndEvent):
            item, at = self.build(at, (*path, len(items)))
            items.append(item)
        return items, at + 1

    def _mapping(self, at: int, path: Path_) -> tuple[dict[str, Any], int]:
        result: dict[str, Any] = {}
        while not isinstance(self.events[at], yaml.MappingEndEvent):
            event = self.events[at]
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(line, say("a key is no text"), say("write the key as one word"))
            key = self._text(event, line, "a key")
            if key in result:
                first = self.lines[(*path, key)]
                what = say("key {key!r} is given twice, first in line {line}", key=key[:60], line=first)
                self.problems.append(Problem(f"{self.path.name}:{line}", what, say("keep one of them")))
                at = self._after(at + 1)
                continue
            self.lines[(*path, key)] = line
            result[key], at = self.build(at + 1, (*path, key))
        return result, at + 1

    def _after(self, at: int) -> int:
        """Where the value ends that begins at `at`, without reading it."""
        open_ = 0
        while True:
            event = self.events[at]
            open_ += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            at += 1
            if not open_:
                return at

    def _scalar(self, event: Any, line: int, path: Path_) -> Any:
        text = self._text(event, line, ".".join(map(str, path)) or "the document")
        value = text if event.style in QUOTED else plain_value(text)
        if isinstance(value, int | float) and (len(text) > LONGEST_NUMBER or value in (inf, -inf)):
            self._tell(
                line,
                say("{digits}… is no number that can be meant", digits=text[:LONGEST_NUMBER]),
                say("write a smaller one, or quote it"),
            )
            return 0
        return value

    def _text(self, event: Any, line: int, where: str) -> str:
        """A scalar's text; one that cannot be shown or is too long is told."""
        text: str = event.value
        if len(text) > LONGEST_TEXT:
            self._refuse(
                line,
                say("a text is longer than {limit:,} characters", limit=LONGEST_TEXT),
                say("close its quote, or shorten it"),
            )
        if steering := NOT_TEXT.search(text):
            what = say("{where} holds the control character {code}", where=where, code=code(steering[0]))
            self._tell(line, what, say("remove it: no page and no terminal shows it"))
        return text

    def _tell(self, line: int, what: Message, remedy: Message) -> None:
        self.problems.append(Problem(f"{self.path.name}:{line}", what, remedy))

    def _refuse(self, line: int, what: Message, remedy: Message) -> NoReturn:
        raise InputError(Problem(f"{self.path.name}:{line}", what, remedy))


def plain_value(text: str) -> Any:
    """The value of a text without quotes under YAML 1.2's core schema."""
    for pattern, convert in SCALARS:
        if pattern.fullmatch(text):
            return convert(text)
    return text


def validate(model: type[Model], source: Source, data: Any = ..., at: Path_ = (), beside: Iterable[str] = ()) -> Model:
    """`data`, which stands at `at` (default: all of `source`), as a `model`.

    `beside` are keys there that are known and no part of the model. Raises InputError with every problem by file and
    line.
    """
    given = source.data if data is ... else data
    text = json.dumps(given)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        faults = faults_of(error, model, given, source.lines, at=at, beside=beside)
        raise InputError(Problem(source.where(fault.path), fault.what, fault.remedy) for fault in faults) from error
