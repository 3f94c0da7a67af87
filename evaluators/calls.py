"""What the program and a worker, the process that an evaluator runs in, say to each other; all of it can be pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from basics.errors import EarwitnessError
from evaluators.evidence import Evidence, Site

OURS = (
    *("basics.errors", "evaluators.evidence", "evaluators.display", "evaluators.calls"),
    *("pathlib", "pathlib._local", "datetime"),
)
"""Modules whose types may come back from a worker."""


@dataclass(frozen=True)
class Call:
    """What a worker is asked: a method of the evaluator at `target`, with parameters as they are written (JSON)."""

    method: str
    target: str
    written: str = "{}"
    site: Site = field(default_factory=Site)
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Description:
    """What an evaluator says of itself."""

    name: str
    version: int
    stored: bool
    displays: bool
    about: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class Resolved:
    """Parameters of a request in all their forms.

    `everything` has the defaults, `asked` what differs from them; `placeless` is `everything` without the paths of
    files of the quiz, which are in `files`.
    """

    everything: dict[str, Any]
    asked: dict[str, Any]
    placeless: dict[str, Any]
    files: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """Parameters that an evaluator does not take: pydantic's faults."""

    faults: tuple[tuple[str, tuple[str | int, ...], str, Any], ...]

    @property
    def error(self) -> ValidationError:
        """The same as pydantic raises it, in its own words."""
        return ValidationError.from_exception_data("Parameters", [_detail(*fault) for fault in self.faults])


def _detail(kind: str, where: tuple[str | int, ...], what: str, value: Any) -> Any:
    if kind in ("missing", "extra_forbidden"):  # whose words need nothing else
        return {"type": kind, "loc": where, "input": value}
    told = what.removeprefix("Value error, ")
    told = told if kind == "value_error" else f"{told[:1].lower()}{told[1:]}, got {str(value)[:60]!r}"
    return {"type": "value_error", "loc": where, "input": value, "ctx": {"error": told}}


@dataclass(frozen=True)
class Step:
    """How far a worker is."""

    what: str
    done: float


@dataclass(frozen=True)
class Gave:
    """What a method returned."""

    value: Any


@dataclass(frozen=True)
class Raised:
    """What a method raised: an error of this project as it is, or what there is to know of any other."""

    error: EarwitnessError | None
    cause: str = ""
    suspects: tuple[str, ...] = ()
    absent: str | None = None
    trace: str = ""
