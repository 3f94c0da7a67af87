"""Evidence: what an evaluator found out, where it comes from, and how to find it out again.

A `Measurement` is one named value, or a statement that the value is undefined and why. `Evidence` is what one evaluator
produced for one request: measurements, artefacts and provenance under a fingerprint. The `Evaluator` protocol is all
that another course has to implement to bring evidence of its own (see docs/evaluators.md).

Importing this module is light: evaluator modules must be too, and import torch and its like inside `measure`.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Protocol, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializationInfo,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WrapValidator,
    model_validator,
)

from basics.errors import InputError, Problem
from basics.messages import Message, say

Source = Literal["measured", "executed", "published_audio", "published", "simulated", "saved", "demonstration"]
Standing = Literal[
    "measured", "executed", "published_audio", "published", "simulated", "saved", "recalled", "demonstration"
]
"""What a quiz may accept: a source, or published facts that were recalled and not yet looked up."""
Checked = Literal["read", "secondary", "recalled"]
Kind = Literal["number", "bool", "text"]
Value = StrictBool | StrictInt | StrictFloat | StrictStr


def identifier(text: str) -> str:
    """A word of letters of any script, digits and _, a letter first, none of them a capital.

    It comes back composed (NFC). Raises ValueError for anything else.
    """
    composed = unicodedata.normalize("NFC", text)
    if not composed.isidentifier() or composed.startswith("_") or composed != composed.lower():
        raise ValueError(f"{text!r} has to be small letters, digits and _, a letter first")
    return composed


def _name(text: str) -> str:
    first, *parts = text.split(".")
    try:
        return ".".join(
            [identifier(first), *(identifier(f"x{part}")[1:] for part in parts if part or identifier(part))]
        )
    except ValueError:
        told = "small letters, digits and _, with dots between them, a letter first: sort.worst_case"
        raise ValueError(f"{text!r} has to be {told}") from None


Identifier = Annotated[str, AfterValidator(identifier)]
Name = Annotated[str, AfterValidator(_name)]
"""What a measurement is called."""

Sound = Path | str
"""A file, or the digest of its content (`audio.clip.content_digest`)."""

SOURCES: tuple[Source, ...] = get_args(Source)
STANDINGS: tuple[Standing, ...] = get_args(Standing)


class Frozen(BaseModel):
    """Immutable, closed (unknown keys refused), strictly typed, without NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True)


Told = Annotated[str, WrapValidator(lambda value, read: value if isinstance(value, Message) else read(value))]
"""A text; a message stays one as long as it is at hand, so that it can be told in another language."""


def as_scalar(value: Any) -> Any:
    """The plain Python number, text or truth in a scalar of numpy or torch; anything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def as_value(value: Any) -> Any:
    """A number, text or truth value, plain. Raises ValueError for anything else, and for a number beyond all floats."""
    plain = as_scalar(value)
    if not isinstance(plain, bool | int | float | str | None):
        shown = " ".join(repr(plain).split())[:60]
        raise ValueError(f"a {type(plain).__name__} ({shown}) is no number, text or truth value; convert it")
    if isinstance(plain, int) and abs(plain) > sys.float_info.max:
        raise ValueError("the whole number is too large (beyond 1.8e308)")
    return plain


def inside(name: str, folder: str) -> str:
    """A relative path inside `folder`, as messages call it. Raises ValueError for one that leads out of it."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        raise ValueError(f"{name!r} has to be a path inside {folder}, such as data/lab.csv")
    return str(path)


def in_quiz(name: str) -> str:
    """A path inside the quiz's folder, as a question writes it. Raises ValueError like `inside`."""
    return inside(name, "the quiz's folder")


def _said(name: str, info: SerializationInfo) -> str:
    if not isinstance(info.context, list):
        return name
    info.context.append(name)
    return ""


QuizFile = Annotated[str, AfterValidator(in_quiz), PlainSerializer(_said)]
"""A parameter that names a file of the quiz: what is in it is part of the fingerprint, where it lies is not."""


def quiz_files(parameters: Frozen) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Parameters as JSON data without the paths of files of the quiz, and these paths."""
    files: list[str] = []
    placeless = parameters.model_dump(mode="json", by_alias=True, context=files)
    return placeless, tuple(files)


class Interval(Frozen):
    """A confidence interval [low, high]; `over` says what was resampled: clips, windows of one clip, seeds, pairs."""

    low: Annotated[float, BeforeValidator(as_scalar)]
    high: Annotated[float, BeforeValidator(as_scalar)]
    level: float = Field(default=0.95, gt=0, lt=1)
    over: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        if self.low > self.high:
            raise ValueError(f"interval is upside down: low {self.low} > high {self.high}")
        return self


class Measurement(Frozen):
    """One named value from one source, or the reason why it is undefined.

    `locator` says where to look it up again: section and table of a paper, symbol of a released file, name of a clip.
    `checked` is for published values alone: `read` in the source itself, `secondary` through somebody who quotes it,
    or `recalled` from memory and not yet looked up. `unmeasured` tells what nobody found out from what has no value.
    """

    name: Name
    value: Value | None = None
    undefined: Told | None = None
    unmeasured: bool = False
    unit: str = ""
    n: Annotated[int | None, BeforeValidator(as_scalar)] = Field(default=None, ge=0)
    interval: Interval | None = None
    source: Source
    locator: str = ""
    checked: Checked | None = None
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _plain_value(cls, content: Any) -> Any:
        """A scalar of a library is what it stands for; NaN and infinity are no value: undefined, and it says so."""
        if not isinstance(content, Mapping) or "value" not in content:
            return content
        try:
            value = as_value(content["value"])
        except ValueError as error:
            raise ValueError(f"{content.get('name')}: {error}") from error
        if isinstance(value, float) and not math.isfinite(value):
            return {**content, "value": None, "interval": None, "undefined": f"the evaluator gave {value}"}
        return {**content, "value": value}

    @model_validator(mode="after")
    def _consistent(self) -> Measurement:
        if (self.value is None) == (self.undefined is None):
            raise ValueError(f"{self.name}: give a value or the reason why it is undefined, and not both")
        if self.unmeasured and self.undefined is None:
            raise ValueError(f"{self.name}: what was not measured has no value")
        if (self.source == "published") != (self.checked is not None):
            raise ValueError(f"{self.name}: `checked` goes with source `published`, and only with it")
        if self.source in ("published", "published_audio") and not self.locator:
            raise ValueError(f"{self.name}: a published value needs a locator")
        if self.interval and (isinstance(self.value, bool | str) or self.value is None):
            raise ValueError(f"{self.name}: only a number has an interval")
        if self.interval and isinstance(self.value, int | float):
            low, high = self.interval.low, self.interval.high
            if not (low <= self.value <= high or math.isclose(self.value, low) or math.isclose(self.value, high)):
                raise ValueError(f"{self.name}: {self.value} lies outside its own interval [{low}, {high}]")
        return self

    @property
    def is_demonstration(self) -> bool:
        """Whether the value shows how it is done, and can never decide an option of record."""
        return self.source == "demonstration"

    @property
    def standing(self) -> Standing:
        """What has to be accepted for the value to count: its source, or `recalled` for what nobody has looked up."""
        return "recalled" if self.checked == "recalled" else self.source


class Quantity(Frozen):
    """What an evaluator can measure: the vocabulary claims are checked against before anything is measured.

    `low` and `high` bound the value where theory bounds it (STOI lies in [-1, 1]); a claim whose margin leaves no
    room inside the bounds is reported as one that can never be decided. `one_of` lists the words that a text can be.
    `rests_on` says on which of the declared inputs the value rests; these alone decide whether it is `measured`.
    """

    name: Name
    kind: Kind = "number"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    one_of: tuple[str, ...] = ()
    about: str = ""
    rests_on: tuple[Literal["sounds", "weights"], ...] = ("sounds", "weights")


class Artefact(Frozen):
    """A file that shows the evidence: a plot or a reconstruction, by path inside the store and sha256.

    `labels` say in words of the evaluator's own what the file is, for its display to find it by.
    """

    title: str
    path: Annotated[str, AfterValidator(lambda path: inside(path, "the store"))]
    media_type: str
    sha256: str
    labels: dict[str, str] = {}


class Provenance(Frozen):
    """How the evidence came about; enough to repeat it.

    `evaluator` is the package, with its version, that brought the evaluator, `code` the sha256 of its source; empty in
    evidence from before they were noted. `files` are the files of the quiz that were read, with their sha256.
    """

    earwitness: str
    git_commit: str | None = None
    git_dirty: bool | None = None
    python: str
    platform: str = ""
    packages: dict[str, str] = {}
    inputs: dict[str, str] = {}
    files: dict[str, str] = {}
    evaluator: str = ""
    code: str = ""
    weights: str | None = None
    seed: int | None = None
    started: datetime
    seconds: float = Field(ge=0)


class Evidence(Frozen):
    """What one evaluator found for one request; `warnings` are what its reader must know of the inputs.

    Of an evaluator that is not built in, it also keeps what was `asked` beside the defaults and what was `announced`:
    whoever has the evidence can check and judge claims without having the evaluator.
    """

    evaluator: str
    version: int
    parameters: dict[str, Any]
    asked: dict[str, Any] = {}
    announced: tuple[Quantity, ...] = ()
    fingerprint: str
    measurements: tuple[Measurement, ...]
    artefacts: tuple[Artefact, ...] = ()
    warnings: tuple[str, ...] = ()
    provenance: Provenance

    @model_validator(mode="after")
    def _unique(self) -> Evidence:
        names = [(m.name, m.source) for m in self.measurements]
        if repeated := {f"{name} ({source})" for name, source in names if names.count((name, source)) > 1}:
            raise ValueError(f"measured twice from one source: {', '.join(sorted(repeated))}")
        return self

    @property
    def is_demonstration(self) -> bool:
        """Whether any of it is a demonstration."""
        return any(measurement.is_demonstration for measurement in self.measurements)

    @property
    def stored_as(self) -> str:
        """The name under which a store keeps it."""
        return store_name(self.fingerprint, self.request, self.provenance.files)

    @property
    def request(self) -> str:
        """What was asked, whatever the inputs were: the key under which evidence of record is found."""
        return request_key(self.evaluator, self.version, self.parameters)


def report_nothing(_step: str, _done: float) -> None:
    """The progress callback of somebody who does not want to know."""


@dataclass(frozen=True)
class PublishedPair:
    """An original and a reconstruction that somebody published, known by what they are and not by their names.

    `original` and `reconstruction` are content digests (`audio.clip.content_digest`): a lossless copy in another
    container counts as the file. `codebooks` is None where whoever published them states none.
    """

    repository: str
    commit: str
    system: str
    codebooks: int | None
    kind: str
    language: str
    original: str
    reconstruction: str


LONGEST_QUOTE = 25
"""Words of a source that are quoted at most."""


class Confirmed(Frozen):
    """A fact that somebody looked up in its source for a quiz: its value, where and in which words, by whom, when."""

    value: Value
    locator: Annotated[str, Field(min_length=8)]
    quote: Annotated[str, Field(min_length=1)]
    by: Annotated[str, Field(min_length=1)]
    when: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]

    @model_validator(mode="after")
    def _short(self) -> Confirmed:
        if (words := len(self.quote.split())) > LONGEST_QUOTE:
            raise ValueError(f"the quote has {words} words, at most {LONGEST_QUOTE} are kept")
        date.fromisoformat(self.when)
        return self


@dataclass(frozen=True)
class Site:
    """Where evidence is gathered: the folders, codec and devices at hand. Never part of a fingerprint by itself.

    Attributes:
        audio: folder with the course's clips, or None.
        pairs: folder with original/reconstruction pairs and a manifest, or None.
        corpus: emotional speech (EmoV-DB folders, or a manifest CSV), or None.
        leave_out: labels and files of the corpus that are not to be used.
        allow_truncated: whether what is there of a sound file that is cut or damaged is used; the evidence says so.
        responses: recorded answers of the models of Q2 (JSONL, CSV or text), or None.
        quiz: the quiz's folder, to which paths in its questions are relative, or None.
        codec: hub id or folder of the codec's weights; None takes the quiz's codec of record.
        codec_of_record: the codec the quiz asks about; anything else yields `demonstration` evidence.
        codec_sha256: what the tensors of the codec of record may be, besides the published ones of kyutai/mimi.
        published: pairs of sounds that the quiz lists as published audio.
        confirmed: facts that were looked up for the quiz, by measurement.
        device: `auto`, `cpu` or `cuda`.
        jobs: worker processes; None takes the number of cores.
        cache: folder for intermediate results (codes, reconstructions, plots), or None to keep nothing.
        progress: called with (what is being done, share done in 0..1).
    """

    audio: Path | None = None
    pairs: Path | None = None
    corpus: Path | None = None
    leave_out: tuple[str, ...] = ()
    allow_truncated: bool = False
    responses: Path | None = None
    quiz: Path | None = None
    codec: str | None = None
    codec_of_record: str = "kyutai/mimi"
    codec_sha256: tuple[str, ...] = ()
    published: tuple[PublishedPair, ...] = ()
    confirmed: Mapping[str, Confirmed] = field(default_factory=dict)
    device: str = "auto"
    jobs: int | None = None
    cache: Path | None = None
    progress: Callable[[str, float], None] = report_nothing

    @property
    def codec_in_use(self) -> str:
        """Hub id or folder of the codec that evidence is gathered with, for `find_weights` and `load_codec`."""
        return self.codec or self.codec_of_record

    def file(self, name: str) -> Path:
        """A file of the quiz by its path there. Raises InputError where it is not there or lies outside the quiz."""
        if self.quiz is None:
            raise InputError(
                Problem(name, say("is a file of a quiz, and no quiz is at hand"), say("name its folder: --quiz"))
            )
        path = self.quiz / name
        if not path.resolve().is_relative_to(self.quiz.resolve()):
            raise InputError(Problem(name, say("lies outside the quiz's folder"), say("copy it into the quiz")))
        if not path.is_file():
            raise InputError(Problem(str(path), say("there is no such file in the quiz"), say("check the path")))
        return path


@dataclass(frozen=True)
class Inputs:
    """What a result depends on besides the parameters.

    Attributes:
        files: sha256 by name of what is read.
        weights: sha256 of the codec's tensors.
        packages: those whose version moves numbers.
        seed: of whatever is drawn.
        sounds: what is listened to, so that the gatherer can tell measurements from demonstrations
            (`evaluators/origin.py`); no part of the fingerprint, where `files` stands for it.
        synthetic: names of those sounds in which, as their manifest says, no person speaks.
        published: pairs of sounds that were reconstructed elsewhere; what rests on them is `published_audio` at most.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    weights: str | None = None
    packages: tuple[str, ...] = ()
    seed: int | None = None
    sounds: tuple[Sound, ...] = ()
    synthetic: tuple[str, ...] = ()
    published: tuple[PublishedPair, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What `Evaluator.measure` returns.

    `warnings` are what a reader must know of the inputs (a clip that is silent, one that is clipped): they are shown in
    the terminal and in the report. `faults` are errors that cost a part of the measurements, which are undefined then:
    the evidence is used and told of, and never stored or of record.
    """

    measurements: tuple[Measurement, ...]
    artefacts: tuple[Artefact, ...] = ()
    faults: tuple[Exception, ...] = ()
    warnings: tuple[str, ...] = ()


class Evaluator(Protocol):
    """Turns sound, code or papers into evidence; knows nothing of options and grades.

    Attributes, of the class:
        name: as written in a question's `evidence` list.
        version: raised whenever the same input may give other numbers.
        stored: False for an evaluator that is faster than a look into the store: it is asked every time that something
            may be run.
        Parameters: pydantic model of what a question may ask of it; its errors are reported with the YAML's line.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def stored(self) -> bool: ...
    @property
    def Parameters(self) -> type[Frozen]: ...

    def quantities(self, parameters: Any) -> Iterable[Quantity]:
        """Every measurement that `measure` may return for these parameters, without measuring anything."""
        ...

    def inputs(self, parameters: Any, site: Site) -> Inputs:
        """What the result depends on. Raises Unavailable when clips or weights are not here."""
        ...

    def measure(self, parameters: Any, site: Site) -> Findings:
        """Gather the evidence. Raises Unavailable like `inputs`; an undefined value is a Measurement, not an error."""
        ...


def canonical_json(data: object) -> str:
    """The one JSON text of `data`: sorted keys, no spaces, no NaN; what digests are taken of."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(data: object) -> str:
    """sha256 of the canonical JSON of `data`, in hex."""
    return hashlib.sha256(canonical_json(data).encode()).hexdigest()


def store_name(fingerprint: str, request: str, files: Mapping[str, str]) -> str:
    """Under which name a store keeps evidence: its fingerprint, and what was asked where that names files of a quiz.

    Where these lie is not in the fingerprint, and yet two requests for equal files have an answer each.
    """
    return digest([fingerprint, request]) if files else fingerprint


def request_key(evaluator: str, version: int, parameters: Mapping[str, Any]) -> str:
    """The digest of one request to one version of an evaluator, all parameters resolved."""
    return digest({"evaluator": evaluator, "version": version, "parameters": dict(parameters)})
