"""Evaluators for the requests of one quiz, those included that are not here but whose evidence is of record.

Evidence of an evaluator that is not built in carries what was asked and what was announced. So whoever has a quiz with
its evidence of record can check and judge all of it, and grade, without the packages that it was measured with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from pydantic import PrivateAttr

from basics.errors import InputError, Unavailable
from basics.messages import say, together
from evaluators.calls import Refused
from evaluators.entries import Damaged, read_entry
from evaluators.evidence import Evaluator, Evidence, Frozen, Quantity, Site
from evaluators.generic import KINDS
from evaluators.isolation import TIMEOUT, Isolated
from evaluators.registry import BUILT_IN, NotHere, Unloadable, get, get_apart, get_here

RECORD_FOLDER = "evidence"
"""Where the evidence of record of a quiz lies, in its folder."""


class Answered(Frozen):
    """Parameters of a request that evidence of record answers."""

    known: ClassVar[tuple[Evidence, ...]]
    _evidence: Evidence = PrivateAttr()

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Answered:
        """The parameters that a JSON text says. Raises ValidationError where nothing of record answers them."""
        written = json.loads(json_data)
        found = [evidence for evidence in cls.known if _answers(evidence, written)]
        if not found:
            told = "its package is not installed here, and nothing of record was asked for with these parameters"
            raise Refused((("value_error", (), told, written),)).error
        answered = cls.model_construct()
        answered._evidence = found[0]
        return answered

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As they are of record."""
        if isinstance(context := options.get("context"), list):
            context += self._evidence.provenance.files
        return dict(self._evidence.asked if options.get("exclude_defaults") else self._evidence.parameters)

    @property
    def announced(self) -> tuple[Quantity, ...]:
        """What the evaluator announced for them."""
        return self._evidence.announced


def _answers(evidence: Evidence, written: Mapping[str, Any]) -> bool:
    """Whether evidence is what a request that is written so asks for: all that is written, the rest by default."""
    asked_too = evidence.asked.keys() <= written.keys()
    return asked_too and all(
        name in evidence.parameters and evidence.parameters[name] == value for name, value in written.items()
    )


@dataclass(frozen=True)
class Recorded:
    """Stands in for an evaluator that cannot be asked here: it announces what is of record, and measures nothing."""

    name: str
    version: int
    Parameters: type[Frozen]
    reason: InputError
    stored: bool = True

    def quantities(self, parameters: Answered) -> tuple[Quantity, ...]:
        """What was announced when the evidence was recorded."""
        return parameters.announced

    def inputs(self, parameters: Answered, site: Site) -> NoReturn:  # noqa: ARG002 - the protocol's
        """Raises Unavailable."""
        what = together(say("{where} {what}", where=p.where, what=p.what) for p in self.reason.problems)
        raise Unavailable(
            what,
            say("install the package that brings {evaluator}; what is of record holds without it", evaluator=self.name),
        )

    measure = inputs


@dataclass(frozen=True)
class Bench:
    """The evaluators at hand for the quiz in `folder`; none of them of record where it is None."""

    folder: Path | None = None

    def evaluator(self, name: str, *, isolate: bool | None = None, timeout: float = TIMEOUT) -> Evaluator:
        """The evaluator for a request.

        Raises InputError where there is none and nothing of it is of record, Unloadable where it broke.
        """
        if name in KINDS:
            return self._here(get(name), timeout)
        try:
            if isolate is False:
                return get_here(name)
            evaluator = get_apart(name) if isolate and name in BUILT_IN else get(name)
        except (NotHere, Unloadable) as error:
            known = [one for one in self.recorded if one.evaluator == name and one.announced]
            if not known:
                raise
            version = max(one.version for one in known)
            latest = tuple(one for one in known if one.version == version)
            return Recorded(name, version, type("Parameters", (Answered,), {"known": latest}), error)
        return replace(evaluator, timeout=timeout) if isinstance(evaluator, Isolated) else evaluator

    def _here(self, evaluator: Evaluator, timeout: float) -> Evaluator:
        """One that reads the quiz's own files: what it needs to know of the quiz and of the request."""
        known = {"timeout": timeout, "folder": self.folder}
        own = {field.name for field in fields(evaluator)}  # type: ignore[arg-type]
        return replace(evaluator, **{name: value for name, value in known.items() if name in own})  # type: ignore[type-var]

    @cached_property
    def recorded(self) -> tuple[Evidence, ...]:
        """What is of record and can be read; what cannot, whoever judges by it tells."""
        found = []
        for path in sorted((self.folder / RECORD_FOLDER).glob("*.json")) if self.folder else ():
            with suppress(Damaged, OSError):
                found.append(read_entry(path.read_bytes()))
        return tuple(found)
