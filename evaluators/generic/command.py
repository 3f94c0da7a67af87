"""`command: [du, --json]`: a program that prints JSON. It is started as it is written, without a shell."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from basics.errors import InputError, Problem, Unavailable
from basics.files import sha256_of
from basics.messages import Message, say
from evaluators.evidence import Findings, Frozen, Inputs, Measurement, Quantity, Site, in_quiz
from evaluators.generic.launch import said
from evaluators.generic.offers import AlsoWritten, Named, Offer, Taking, needed, quantities
from evaluators.generic.running import TIMEOUT, Run, packages_of, run, texts_of

PYTHON = ("python", "python3")
"""Stand for the Python that this program runs with."""


def by_path(given: Any) -> Any:
    """Where a value is found, or that with what is known of it."""
    return {"path": given} if isinstance(given, str) else given


def words(given: Any) -> Any:
    """The words of a command: numbers are words, too."""
    if isinstance(given, str):
        raise ValueError(f"write it as a list: [{', '.join(given.split())}]; there is no shell")
    return tuple(str(w) if type(w) in (int, float) else w for w in given) if isinstance(given, list) else given


class Place(Offer):
    """A value and where it stands in JSON: `path` is a JMESPath expression."""

    path: Annotated[str, Field(min_length=1)]


WORDS = AlsoWritten({"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1})


class CommandParameters(Run):
    """What a question asks of a program.

    Attributes:
        command: the program and its arguments. Files of the quiz among them are copied for it.
        take: the values that are taken of the JSON that it prints, by JMESPath.
    """

    command: Annotated[tuple[str, ...], BeforeValidator(words), Field(min_length=1), WORDS]
    take: Named[Annotated[Place, BeforeValidator(by_path), AlsoWritten({"type": "string"})]]


@dataclass(frozen=True)
class Command:
    """Starts a program in a process of its own and reads the JSON that it prints."""

    name: ClassVar[str] = "command"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = CommandParameters
    timeout: float = TIMEOUT

    def quantities(self, parameters: CommandParameters) -> Iterable[Quantity]:
        """What is taken of the JSON."""
        return quantities(parameters.take)

    def inputs(self, parameters: CommandParameters, site: Site) -> Inputs:
        """The program and the files of the quiz that its arguments name. Raises Unavailable where it is not here."""
        program, *_ = parameters.command
        named = {name: sha256_of(site.file(name)) for name in _named(parameters, site)}
        if program not in PYTHON and program not in named:
            named[f"program {Path(program).name}"] = sha256_of(_found(program))
        packages = packages_of(texts_of((*named.keys() & set(parameters.command), *parameters.reads), site))
        return Inputs(files=named, packages=packages, seed=parameters.seed)

    def measure(self, parameters: CommandParameters, site: Site) -> Findings:
        """Start it. Raises InputError with all that is wrong with what it printed."""
        needed("jmespath", "taking values out of JSON")
        program, *arguments = parameters.command
        own = _named(parameters, site)
        started = sys.executable if program in PYTHON else f"./{in_quiz(program)}" if program in own else program
        where = shlex.join(parameters.command)
        job = {"do": "command", "command": [started, *arguments]}
        reply = run(job, (*own, *parameters.reads), parameters, site, timeout=self.timeout, where=where)
        content = _json(reply, where)
        taking = Taking(parameters.source)
        return Findings(taking.checked(_taken(parameters, content, taking, where)))


def _named(parameters: CommandParameters, site: Site) -> tuple[str, ...]:
    """The files of the quiz that a command names."""
    if site.quiz is None:
        return ()
    return tuple(word for word in dict.fromkeys(parameters.command) if _is_file(word, site.quiz))


def _is_file(word: str, quiz: Path) -> bool:
    try:
        return (quiz / in_quiz(word)).is_file()
    except (OSError, ValueError):
        return False


def _found(program: str) -> Path:
    found = shutil.which(program)
    if found is None:
        raise Unavailable(
            say("the program {program} is not here", program=program),
            say("install it, or correct the command's first word"),
        )
    return Path(found)


def _json(reply: dict[str, Any], where: str) -> Any:
    try:
        return json.loads(reply["printed"])
    except (ValueError, RecursionError) as error:
        begin = " ".join(reply["printed"][:60].decode(errors="replace").split())
        what = (
            say("printed what is not JSON ({error}): {output!r}", error=error, output=begin)
            if begin
            else say("printed nothing, expected JSON")
        )
        raise InputError(
            Problem(where, what, say("have it print one JSON document{output}", output=reply["said"]))
        ) from error


def _taken(parameters: CommandParameters, content: Any, taking: Taking, where: str) -> Iterator[Measurement]:
    for name, place in parameters.take.items():
        value = found_at(place.path, content, taking, where)
        if value is not NOTHING:
            yield from taking.take(name, said(value), place, f"{where}, {place.path}")


NOTHING = object()


def found_at(path: str, content: Any, taking: Taking, where: str) -> Any:
    """What a JMESPath finds in data, NOTHING where that is told as a problem instead.

    JMESPath gives null for what is not there as for what is null: only a path that ends in a key that is there, and
    null, is a value that is undefined.
    """
    jmespath = needed("jmespath", "taking values out of JSON")
    try:
        value = jmespath.search(path, content)
        if value is None and not _is_null(path, content, jmespath):
            taking.problems.append(Problem(where, say("there is nothing at {path}", path=path), _keys(content)))
            return NOTHING
    except jmespath.exceptions.JMESPathError as error:
        what = say(
            "{path!r} is not a path that can be followed: {error}", path=path, error=" ".join(str(error).split())
        )
        taking.problems.append(Problem(where, what, say("write it in JMESPath, such as result.total")))
        return NOTHING
    return value


def _is_null(path: str, content: Any, jmespath: Any) -> bool:
    parent, _, key = path.rpartition(".")
    holder = jmespath.search(parent, content) if parent else content
    return isinstance(holder, dict) and key.strip('"') in holder


def _keys(content: Any) -> Message:
    if isinstance(content, dict):
        return say("at the top there are: {keys}", keys=", ".join(map(str, list(content)[:12])))
    return say("it is a {type}", type=type(content).__name__)
