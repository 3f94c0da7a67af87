"""What a quiz is: `quiz.yaml` and a YAML file per question, as typed values; `grader.quiz.loading` reads them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from basics.errors import InputError, Problem
from basics.json_source import read_object
from basics.messages import NOTHING, Message, say
from basics.moments import Moment
from basics.suggestions import close_to, did_you_mean
from evaluators.evidence import Confirmed, Evaluator, Frozen, Identifier, PublishedPair, Site, Standing, digest
from evaluators.generic import KINDS
from evaluators.isolation import TIMEOUT
from evaluators.recorded import Bench
from evaluators.registry import BUILT_IN, LISTENING, get
from grader.quiz.claims import Claim, Form
from grader.quiz.schemas import of_built_in, with_parameters

CreditRule = Literal["all-or-nothing", "net-correct", "each-answer", "coverage"]
AttemptPolicy = Literal["highest", "latest", "first"]
Letter = Annotated[str, Field(pattern=r"^[A-Z]$")]
Text = Annotated[str, Field(min_length=1)]
MOST_POINTS = 1_000_000.0
YEAR = 366 * 24 * 3600
"""Seconds, more than any grace."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def quiz_id(text: str) -> str:
    """The id of a quiz: letters of any script, digits, - and _, no capitals; composed. Raises ValueError for others."""
    composed = unicodedata.normalize("NFC", text)
    if not re.fullmatch(r"[^\W_][\w-]*", composed) or composed != composed.lower():
        raise ValueError(f"{text!r} has to be small letters, digits, - and _, a letter or digit first")
    return composed


class Reference(Frozen):
    """A paper or a piece of released code that a question refers to."""

    title: Text
    arxiv: Annotated[str, Field(pattern=r"^\d{4}\.\d{4,5}(v\d+)?$")] | None = None
    url: str | None = None


def _named_either_way(schema: dict[str, Any]) -> None:
    """Evidence is asked of an evaluator, or of a file of the quiz by its kind."""
    schema.pop("required", None)
    schema["anyOf"] = [{"required": [key]} for key in ("evaluator", *KINDS)]


class EvidenceRequest(BaseModel):
    """One evaluator and what is asked of it; the other keys are the evaluator's own parameters.

    What the quiz's own folder brings is named by its kind: `{table: bench.csv, take: …}` asks the evaluator `table`.
    `as: small` puts `small.` before the names of its measurements, so that claims can tell two requests apart.
    `fallback: true` lets its values stand in where the same evaluator, asked otherwise, gives none.
    `isolate` says whether it runs in a process of its own, as everything does by default that is not built in, and
    `timeout` for how many seconds it may measure there.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, json_schema_extra=_named_either_way)
    evaluator: Text
    prefix: Annotated[Identifier | Literal[""], Field(alias="as")] = ""
    fallback: bool = False
    isolate: bool | None = None
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = TIMEOUT

    @model_validator(mode="before")
    @classmethod
    def _named_by_kind(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "evaluator" in given:
            return given
        kinds = [kind for kind in KINDS if kind in given]
        if len(kinds) > 1:
            raise ValueError(f"names {' and '.join(kinds)} at once; make them items of their own")
        if not kinds:
            meant = {key: close for key in given if (close := close_to(key, ("evaluator", *KINDS)))}
            told = "; ".join(f"{key}: did you mean {close[0]}?" for key, close in meant.items())
            kinds_are = f"`evaluator: NAME`, or a file of the quiz by its kind: {', '.join(KINDS)}"
            raise ValueError(f"names nothing to ask; {told or f'write {kinds_are}'}")
        return {**given, "evaluator": kinds[0]}

    def named(self, measurement: str) -> str:
        """What claims call a measurement of this request."""
        return f"{self.prefix}.{measurement}" if self.prefix else measurement

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Aside(Frozen):
    """Evidence at hand that an option's claim does not ask, put as a claim, and what it means for the option."""

    evidence: Claim
    answer: Text


class Contrary(Aside):
    """Evidence against what the claim comes to, with the answer to it.

    `defeats: true`: where it is shown, the option does not hold whatever the claim says; while it is unknown it is no
    obstacle. Recorded results of an experiment defeat what published ones made likely.
    """

    defeats: bool = False


class Option(Frozen):
    """One statement to tick, in the words the students see, and the claim that decides it.

    `contrary` and `corroborating` list what else is known and is not asked; it is judged and shown beside the verdict.
    `aliases` are older texts of the option, under which answers may name it: it was renamed while the quiz ran.
    """

    text: Text
    aliases: tuple[Text, ...] = ()
    claim: Claim
    contrary: tuple[Contrary, ...] = ()
    corroborating: tuple[Aside, ...] = ()
    note: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that names the option in an answer."""
        return (self.text, *self.aliases)

    @property
    def claims(self) -> tuple[Form, ...]:
        """Everything that is compared for this option: the claim first, then what stands beside it."""
        return (self.claim, *(aside.evidence for aside in self.asides))

    @property
    def asides(self) -> tuple[Aside, ...]:
        """What stands beside the claim, the contrary first."""
        return (*self.contrary, *self.corroborating)


class Question(Frozen):
    """One question. Letters are positions in the file: an LMS may shuffle, so answers are matched by text."""

    id: Identifier
    title: Text
    points: Annotated[float, Field(gt=0, le=MOST_POINTS)]
    points_note: str = ""
    choose: Literal["one", "many"]
    choose_note: str = ""
    prompt: Text
    references: tuple[Reference, ...] = ()
    evidence: Annotated[tuple[EvidenceRequest, ...], Field(min_length=1)]
    options: Annotated[dict[Letter, Option], Field(min_length=2)]
    note: str = ""

    @property
    def digest(self) -> str:
        """sha256 of what an answer was given to: points, `choose`, and the text behind each letter."""
        texts = {letter: normalise(option.text) for letter, option in self.options.items()}
        return digest({"id": self.id, "points": self.points, "choose": self.choose, "options": texts})

    @model_validator(mode="after")
    def _texts_differ(self) -> Question:
        named: dict[str, str] = {}
        for letter, option in self.options.items():
            for text in option.texts:
                other = named.setdefault(normalise(text), letter)
                if other != letter:
                    raise ValueError(
                        f"option {letter} has the same text as another option ({other}: {text!r}), "
                        "answers could not be told apart"
                    )
            if len({normalise(text) for text in option.texts}) < len(option.texts):
                raise ValueError(f"option {letter} names a text twice, keep each of `text` and `aliases` once")
        return self


class Violations(Frozen):
    """What a breach of the rules costs: factors on the homework and on the final grade, then a grade outright."""

    first_homework_factor: Annotated[float, Field(ge=0, le=1)] = 0.0
    first_final_factor: Annotated[float, Field(ge=0, le=1)] = 0.9
    repeated_final_grade: str = "F"


class Regulations(Frozen):
    """The course's rules about when and how often.

    `late_grace_seconds`: so much later than the deadline is in time. Canvas takes 60 seconds off the time of every
    online quiz before it calls one late, and so does a quiz that says nothing here.
    """

    late: Literal["refused", "accepted"] = "refused"
    attempts: AttemptPolicy = "latest"
    late_grace_seconds: Annotated[int, Field(ge=0, le=YEAR)] = 60
    attempts_per_day: Annotated[int, Field(ge=1)] | None = None
    violations: Violations = Violations()


class Quiz(Frozen):
    """`quiz.yaml`: everything that the questions share.

    `codec_sha256` lists what the tensors of `codec` may be (those of kyutai/mimi are known); `published_audio` names a
    CSV in the quiz's folder that lists pairs of sounds which others published (see docs/quiz.md).
    """

    id: Annotated[str, AfterValidator(quiz_id)]
    title: Text
    course: str = ""
    total: Annotated[float, Field(gt=0, le=MOST_POINTS)]
    codec: str = "kyutai/mimi"
    codec_sha256: tuple[Sha256, ...] = ()
    published_audio: Text | None = None
    accept: Annotated[tuple[Standing, ...], Field(min_length=1)] = (
        "measured",
        "executed",
        "published_audio",
        "published",
    )
    credit_rule: CreditRule = "net-correct"
    time_zone: str = "UTC"
    deadline: Moment
    release: Moment | None = None
    revision_until: Moment | None = None
    final_release: Moment | None = None
    regulations: Regulations = Regulations()
    questions: Annotated[tuple[Text, ...], Field(min_length=1)]
    defects: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _sensible(self) -> Quiz:
        if self.time_zone not in available_timezones():
            raise ValueError(f"time_zone {self.time_zone!r} is not an IANA zone such as Asia/Taipei")
        if wrong := self.other_offset(self.deadline):
            raise ValueError(say("deadline {problem}", problem=wrong))
        if len(set(self.accept)) < len(self.accept):
            raise ValueError("accept names a source twice")
        dates = [d for d in (self.deadline, self.release, self.revision_until, self.final_release) if d]
        if dates != sorted(dates):
            raise ValueError("deadline, release, revision_until and final_release must follow one another")
        return self

    def other_offset(self, deadline: datetime) -> Message:
        """What is wrong with a deadline whose offset is not that of the quiz's time zone then; empty if nothing is.

        Whoever writes the wrong offset means a time on the clock and gets another one, by hours. A quiz that names no
        zone has none to contradict.
        """
        there = self.local(deadline)
        if "time_zone" not in self.model_fields_set or deadline.utcoffset() == there.utcoffset():
            return NOTHING
        meant = deadline.replace(tzinfo=ZoneInfo(self.time_zone)).isoformat()
        return say(
            "{deadline} has another offset than {zone} has then: on the clock there it is {local_time}; write that, or "
            "{suggestion} if the offset is wrong",
            deadline=deadline.isoformat(),
            zone=self.time_zone,
            local_time=there.isoformat(),
            suggestion=meant,
        )

    def local(self, moment: datetime) -> datetime:
        """`moment` in the quiz's own time zone, for people to read."""
        return moment.astimezone(ZoneInfo(self.time_zone))


@dataclass(frozen=True)
class QuizBook:
    """A quiz with its questions, and the folder it was read from.

    `bench` has the evaluators that its questions ask; `faults` tells of those that broke when asked what they measure:
    the claims of such a question are not checked, and it is not decided.
    """

    folder: Path
    quiz: Quiz
    questions: tuple[Question, ...]
    published: tuple[PublishedPair, ...] = ()
    confirmed: Mapping[str, Confirmed] = field(default_factory=dict)
    bench: Bench = field(default_factory=Bench)
    faults: tuple[Problem, ...] = ()

    @property
    def site(self) -> Site:
        """The site that the quiz implies: its codec of record, its published audio and facts; nothing supplied."""
        return Site(
            codec_of_record=self.quiz.codec,
            codec_sha256=self.quiz.codec_sha256,
            published=self.published,
            confirmed=self.confirmed,
            quiz=self.folder,
        )

    @property
    def listens(self) -> bool:
        """Whether any question asks for evidence that is measured on sound, or through a codec."""
        return any(request.evaluator in LISTENING for question in self.questions for request in question.evidence)

    def question(self, name: str) -> Question:
        """The question with this id. Raises InputError with suggestions if there is none."""
        for question in self.questions:
            if question.id == name:
                return question
        raise InputError(
            Problem(f"question {name!r}", say("is not in the quiz"), did_you_mean(name, [q.id for q in self.questions]))
        )


INVISIBLE = dict.fromkeys(
    [0x00AD, 0x034F, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)
"""Soft hyphen, zero-width characters and direction marks: nobody sees them, and copying adds and loses them."""
PLAIN = str.maketrans({"\u00a0": " ", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}) | INVISIBLE


def normalise(text: str) -> str:
    """Text as answers are compared.

    One space between words, none around, typographic quotes and NBSP made plain, accents composed (NFC), and what is
    invisible left out.
    """
    return " ".join(unicodedata.normalize("NFC", text.translate(PLAIN)).split())


SCHEMAS: dict[str, type[Frozen]] = {"quiz.schema.json": Quiz, "question.schema.json": Question}


def schema_texts(evaluators: Iterable[Evaluator] = ()) -> dict[str, str]:
    """File name -> JSON text of each schema; in requests what is built in takes, and what `evaluators` take."""
    made = {name: model.model_json_schema(by_alias=True) for name, model in SCHEMAS.items()}
    known = [*map(get, sorted(BUILT_IN)), *(one for one in evaluators if one.name not in BUILT_IN)]
    made["question.schema.json"] = with_parameters(made["question.schema.json"], known)
    return {name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in made.items()}


def stale(folder: Path) -> list[str]:
    """The schema files in `folder` that are missing or say other things than the types; `0` says the same as `0.0`.

    What they say of evaluators that are not built in is left aside: it hangs on what is installed.
    """
    return [name for name, text in schema_texts().items() if of_built_in(_content(folder / name)) != json.loads(text)]


def _content(schema: Path) -> Any:
    try:
        return read_object(schema)
    except InputError:
        return None
