"""The errors of the whole project. Each carries what happened, where, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from basics.messages import NOTHING, Message, said_by, say, spoken, together
from basics.visible import visible


class EarwitnessError(Exception):
    """Base of everything the project raises on purpose; its text is meant for the person at the terminal."""

    @property
    def told(self) -> str:
        """The text in the language of that person; `str(error)` is English."""
        return visible(spoken(said_by(self)))


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with one input.

    `where` names the file with line or column (`q06.yaml:14`, `class.csv row 3, column 7`), `what` says what was
    found and what was expected, `remedy` what to do.
    """

    where: str
    what: Message
    remedy: Message = NOTHING

    def __str__(self) -> str:
        return visible(str(self.message))

    @property
    def message(self) -> Message:
        """All of it as one message."""
        what = say("{where}: {what}", where=self.where, what=self.what)
        return with_remedy(what, self.remedy) if self.remedy else what


def with_remedy(what: Message, remedy: Message) -> Message:
    """What is so, and on the next line what to do about it."""
    return together((what, remedy), "\n    -> ")


class InputError(EarwitnessError):
    """An input (spec, submission file, audio file, argument) cannot be used. Holds every problem."""

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(together((problem.message for problem in self.problems), "\n"))

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)  # worker processes raise it too


SHOWN = 200
"""Characters of a name that are shown."""
NO_FILE: dict[type[OSError], tuple[Message, Message]] = {
    FileNotFoundError: (say("there is no such file"), say("check the path")),
    IsADirectoryError: (say("is a directory, expected a file"), say("name the file inside it")),
    PermissionError: (say("may not be read"), say("check its permissions")),
}


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turns what the system says while a file is opened or read into an InputError with one clear problem."""
    require_name(path)
    try:
        yield
    except OSError as error:
        what = say("cannot be read ({reason})", reason=error.strerror or error)
        unknown = (what, say("check the path, and the disk it is on"))
        raise InputError(Problem(str(path), *NO_FILE.get(type(error), unknown))) from error


def unusable(error: OSError) -> Problem:
    """What the system says of a file, wherever it came up; it does not always say of which."""
    if error.filename is None:
        return Problem(
            say("the system"),
            say("refused ({reason})", reason=error.strerror or error),
            say("look at the space left, and at limits"),
        )
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else str(error.filename)
    shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}…"
    return Problem(
        shown,
        say("cannot be used ({reason})", reason=error.strerror or error),
        say("check the path, and the disk it is on"),
    )


def require_name(path: Path) -> None:
    """Raises InputError for what no file can be called: a NUL character, or one that has no bytes."""
    try:
        if "\0" not in str(path):
            os.fsencode(path)
            return
    except UnicodeEncodeError:
        pass
    raise InputError(Problem(str(path), say("cannot be the name of a file"), say("correct the name")))


class _WithRemedy(EarwitnessError):
    """Says what is so, and what to do about it."""

    def __init__(self, what: Message, remedy: Message) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(with_remedy(what, remedy))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.remedy)


class Unavailable(_WithRemedy):
    """Something needed is not here (weights, clips, a tool); `remedy` says what supplies it."""


class MachineFault(_WithRemedy):
    """The machine failed, not what was worked on: a process could not start or was killed, memory ran out.

    Whatever it interrupts has no result, and none may be made up or kept.
    """


class Incompatible(EarwitnessError):
    """A library behaves otherwise than this program relies on: `package` is its name, `what` the difference."""

    def __init__(self, package: str, what: str) -> None:
        self.package, self.what = package, what
        super().__init__(f"{package}: {what}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.package, self.what)


class Undefined(EarwitnessError):
    """A quantity has no value for this input (PESQ finds no utterance in music). `reason` goes into the evidence."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
