"""The errors of the whole project. Each carries what happened, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class EarwitnessError(Exception):
    """Base of everything the project raises on purpose; its text is meant for the person at the terminal."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with one input.

    `where` names the file with line or column (`q06.yaml:14`, `class.csv row 3, column 7`), `what` says what was
    found and what was expected, `remedy` what to do.
    """

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"\n    -> {self.remedy}" if self.remedy else "")


class InputError(EarwitnessError):
    """An input (spec, submission file, audio file, argument) cannot be used. Holds every problem."""

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)  # worker processes raise it too


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turns what can go wrong while a file is opened into an InputError with one clear problem."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(Problem(str(path), "there is no such file", "check the path")) from error
    except IsADirectoryError as error:
        raise InputError(Problem(str(path), "is a directory, expected a file", "name the file inside it")) from error
    except PermissionError as error:
        raise InputError(Problem(str(path), "may not be read", "check its permissions")) from error


class Unavailable(EarwitnessError):
    """Something needed is not here (weights, clips, a tool); `remedy` says what supplies it."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}\n    -> {remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.remedy)


class MachineFault(EarwitnessError):
    """The machine failed, not what was worked on: a process could not start or was killed, memory ran out.

    Whatever it interrupts has no result, and none may be made up or kept.
    """

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}\n    -> {remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.remedy)


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
