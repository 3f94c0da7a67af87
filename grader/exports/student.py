"""An edition of the quiz for students, and a sealed key: published now, opened after the deadline, checked by anybody.

For each question the edition holds sha256 of a salt and the texts of the correct options. The salt (256 random bits,
another for each question) keeps the few possible keys from being tried out; the opening holds salts and keys.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError

from basics.errors import InputError, Problem
from basics.files import SECRET, read_bytes, real_path, write_whole
from basics.folders import Stage, staging
from basics.messages import say
from evaluators.evidence import Frozen, digest
from grader.quiz.edition import ANNOUNCED, PRINTED, SEAL
from grader.quiz.spec import QuizBook, Text, normalise
from grader.submissions.model import Chosen

M = TypeVar("M", bound=Frozen)
MOST_BYTES = 1 << 24
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Sealed(Frozen):
    """What everybody gets: a digest for each question."""

    format: Literal[1] = 1
    quiz: Text
    algorithm: str = "sha256 of canonical JSON {question, salt, correct: sorted texts}"
    questions: dict[str, Hex]


class OpenedQuestion(Frozen):
    """A question's salt and the texts of its correct options; None where it was not settled."""

    salt: Hex
    correct: tuple[str, ...] | None


class Opening(Frozen):
    """What the teaching staff keeps until the deadline."""

    format: Literal[1] = 1
    quiz: Text
    questions: dict[str, OpenedQuestion]


def seal(book: QuizBook, key: Mapping[str, Chosen | None]) -> tuple[Sealed, Opening]:
    """A commitment to the key, and what opens it."""
    opened = {}
    for question in book.questions:
        correct = key[question.id]
        texts = None if correct is None else tuple(sorted(normalise(question.options[x].text) for x in correct))
        opened[question.id] = OpenedQuestion(salt=secrets.token_hex(32), correct=texts)
    sealed = {name: commitment(name, question) for name, question in opened.items()}
    return Sealed(quiz=book.quiz.id, questions=sealed), Opening(quiz=book.quiz.id, questions=opened)


def commitment(name: str, question: OpenedQuestion) -> str:
    """The digest that seals one question."""
    correct = None if question.correct is None else list(question.correct)
    return digest({"question": name, "salt": question.salt, "correct": correct})


def verify(sealed: Sealed, opening: Opening) -> list[str]:
    """Ids of the questions whose opening does not fit the seal, missing ones included."""
    names = sorted(sealed.questions.keys() | opening.questions.keys())
    return [
        name
        for name in names
        if name not in sealed.questions
        or name not in opening.questions
        or commitment(name, opening.questions[name]) != sealed.questions[name]
    ]


def check_places(book: QuizBook, out: Path, opening: Path) -> None:
    """Raises InputError if the edition would replace the quiz itself, or be published with the opening in it."""
    problems = []
    if real_path(out) == real_path(book.folder):
        problems.append(
            Problem(str(out), say("is the quiz itself, which the edition would replace"), say("name another folder"))
        )
    if real_path(opening).is_relative_to(real_path(out)):
        what = say("would be published with the edition in {folder}", folder=out)
        problems.append(Problem(str(opening), what, say("name a file outside it with --opening")))
    if problems:
        raise InputError(problems)


def publish(out: Path, book: QuizBook, sealed: Sealed, opening: Path, secret: Opening) -> None:
    """Write the edition and the opening of its seal, both or neither.

    Raises InputError if the opening's file is there: an opening that is lost opens nothing any more.
    """
    with staging(out) as stage:
        _write_edition(stage, book, sealed)
        stage.commit(lambda: write_whole(opening, _json(secret), mode=SECRET, new=True))


def _write_edition(stage: Stage, book: QuizBook, sealed: Sealed) -> None:
    """Specs without claims, evidence and notes, and the seal."""
    quiz = book.quiz.model_dump(mode="json", exclude_defaults=True, include=set(ANNOUNCED))
    _write_yaml(stage.file("quiz.yaml"), quiz)
    for name, question in zip(book.quiz.questions, book.questions, strict=True):
        data = question.model_dump(mode="json", exclude_defaults=True, include=set(PRINTED))
        data["options"] = {letter: {"text": option.text} for letter, option in question.options.items()}
        _write_yaml(stage.file(name), data)
    write_whole(stage.file(SEAL), _json(sealed))


def read_seal(folder: Path) -> Sealed:
    """The seal of a student edition."""
    path = folder / SEAL if folder.is_dir() else folder
    return _read(path, Sealed)


def read_opening(path: Path) -> Opening:
    """The opening that the staff published."""
    return _read(path, Opening)


def _read(path: Path, model: type[M]) -> M:
    try:
        return model.model_validate_json(read_bytes(path, most=MOST_BYTES))
    except ValidationError as error:
        what = say(
            "is not a{n_if_vowel} {kind} key: {error}",
            n_if_vowel="n" if model is Opening else "",
            kind=model.__name__.lower(),
            error=error.errors()[0]["msg"],
        )
        raise InputError(Problem(path.name, what, say("use the file as it was published"))) from error


def _write_yaml(path: Path, data: object) -> None:
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    write_whole(path, text.encode())


def _json(model: Frozen) -> bytes:
    return (json.dumps(model.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n").encode()
