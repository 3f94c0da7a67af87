"""An evaluator in a process of its own: whatever its author did there, it costs the request that it was asked for.

Nothing of an evaluator that is not built in is imported into the program. What it announces and what it measures is
asked of a worker (`worker.py`), started by its path, in a folder of its own that goes with it. Calls and replies
(`calls.py`) are pickles in which nothing but the types of this project is taken; what the worker prints is kept, and
shown where something broke. A worker that gives no answer in time, crashes or is killed takes all that it started with
it. `serving.py` is its side of it, `process.py` the program's.
"""

from __future__ import annotations

import atexit
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, cast

from pydantic import PrivateAttr

from evaluators.calls import Call, Description, Raised, Refused, Resolved
from evaluators.evidence import Evidence, Findings, Frozen, Inputs, Quantity, Site
from evaluators.process import Worker, elsewhere

PATIENCE = 60.0
"""Seconds in which an evaluator has to load, to take parameters and to say what it can measure."""
TIMEOUT = 600.0
"""Seconds in which it has to measure, where a request says nothing else."""


_workers: dict[tuple[str, ...], Worker] = {}
_answers: dict[tuple[str, ...], Any] = {}


@atexit.register
def _close_all() -> None:
    for worker in _workers.values():
        worker.close()


def _worker(target: str, code: str) -> Worker:
    """The worker that answers whatever is asked of an evaluator besides measuring."""
    return _workers.setdefault((target, code, *sys.path), Worker())


def _asked(method: str, target: str, code: str, written: str = "{}") -> Any:
    """What an evaluator says of itself or of parameters; asked once, and what it raises is raised again."""
    key = (method, target, code, written, *sys.path)
    if key not in _answers:
        try:
            _answers[key] = _worker(target, code).ask(Call(method, target, written), PATIENCE)
        except Exception as error:
            _answers[key] = error
    if isinstance(_answers[key], Exception):
        raise _answers[key]
    return _answers[key]


def isolated(target: str, code: str) -> Isolated:
    """The evaluator at `target`, whose source has the sha256 `code`, to be run in processes of its own.

    Raises Elsewhere with whatever keeps it from being loaded, or with all that it lacks.
    """
    said: Description = _asked("describe", target, code)
    known = {"ask": staticmethod(partial(_asked, "resolve", target, code)), "schema_": said.schema}
    kind = IsolatedDisplay if said.displays else Isolated
    return kind(target, code, said.name, said.version, said.stored, type("Parameters", (Given,), known), said.about)


class Given(Frozen):
    """Parameters of an evaluator in a process of its own, which alone knows their types."""

    ask: ClassVar[Callable[[str], Resolved | Refused]]
    schema_: ClassVar[dict[str, Any]]
    _resolved: Resolved = PrivateAttr()
    _written: str = PrivateAttr()

    def __init__(self, /, **given: Any) -> None:
        super().__init__()
        self._written = json.dumps(given)
        answer = type(self).ask(self._written)
        if isinstance(answer, Refused):
            raise answer.error
        self._resolved = answer

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Given:
        """The parameters that a JSON text says. Raises ValidationError as the evaluator's own type does."""
        return cls(**json.loads(json_data))

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """That of the evaluator's own type."""
        return cls.schema_

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """The parameters as JSON data, however they are asked for; see `Resolved`."""
        if isinstance(context := options.get("context"), list):
            context += self._resolved.files
            return dict(self._resolved.placeless)
        return dict(self._resolved.asked if options.get("exclude_defaults") else self._resolved.everything)

    @property
    def written(self) -> str:
        """As they are written in the question, JSON."""
        return self._written


@dataclass(frozen=True)
class Isolated:
    """An evaluator that runs in processes of its own: one that answers questions, and one for each measurement.

    Attributes:
        target: `module:attribute` of its class.
        code: sha256 of its source: other code is asked anew.
        about: what its class says of itself.
        timeout: seconds in which it has to measure.
    """

    target: str
    code: str
    name: str
    version: int
    stored: bool
    Parameters: type[Frozen]
    about: str = ""
    timeout: float = TIMEOUT

    def quantities(self, parameters: Frozen) -> tuple[Quantity, ...]:
        """See `Evaluator`."""
        said: tuple[Quantity, ...] = _asked("quantities", self.target, self.code, _written(parameters))
        return said

    def inputs(self, parameters: Frozen, site: Site) -> Inputs:
        """See `Evaluator`."""
        call = Call("inputs", self.target, _written(parameters), site)
        return cast(Inputs, _worker(self.target, self.code).ask(call, self.timeout))

    def measure(self, parameters: Frozen, site: Site) -> Findings:
        """See `Evaluator`."""
        worker = Worker()
        try:
            call = Call("measure", self.target, _written(parameters), site)
            findings: Findings = worker.ask(call, self.timeout, site.progress)
            raised = cast(tuple[Raised, ...], findings.faults)
            return replace(findings, faults=tuple(one.error or elsewhere(one) for one in raised))
        finally:
            worker.close()


@dataclass(frozen=True)
class IsolatedDisplay(Isolated):
    """One that says itself how its evidence is shown."""

    def display(self, evidence: Evidence, site: Site) -> Any:
        """See `evaluators.display`."""
        return _worker(self.target, self.code).ask(Call("display", self.target, "{}", site, evidence), PATIENCE)


def _written(parameters: Frozen) -> str:
    return parameters.written if isinstance(parameters, Given) else parameters.model_dump_json(by_alias=True)
