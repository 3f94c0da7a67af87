"""A worker's side: load an evaluator, do what is asked of it, and answer whatever comes of it."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import traceback
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from inspect import signature
from pathlib import PurePath
from threading import Thread
from time import sleep
from typing import IO, Any, cast, get_args

from pydantic import ValidationError

from basics.errors import InputError, MachineFault, Unavailable
from evaluators.announcement import NotAsAnnounced, all_of, announced, as_announced, as_inputs
from evaluators.calls import Call, Description, Gave, Raised, Refused, Resolved, Step
from evaluators.evidence import Frozen, quiz_files
from evaluators.packages import cause_of, not_installed, suspected

METHODS = {"quantities": ("parameters",), "inputs": ("parameters", "site"), "measure": ("parameters", "site")}
RESERVED = ("evaluator", "as", "fallback", "isolate", "timeout")
"""What a request says beside the parameters."""


def serve(calls: IO[bytes], replies: IO[bytes], folder: str) -> None:
    """Answer calls until there are no more; a copy of this process that an evaluator made does not answer too.

    Who asks removes the worker's folder; where that was killed, it is removed here.
    """
    process = os.getpid()

    def reply(message: Step | Gave | Raised) -> None:
        if os.getpid() != process:
            os._exit(0)
        try:
            replies.write(pickle.dumps(message))
            replies.flush()
        except OSError:  # an evaluator closed what was not its own, or nobody waits for an answer any more
            os._exit(1)

    def tell(step: str, done: float) -> None:
        reply(Step(str(step), float(done)))

    Thread(target=_end_with, args=(os.getppid(), folder), daemon=True).start()
    while True:
        try:
            call: Call = pickle.load(calls)
        except EOFError:
            shutil.rmtree(folder, ignore_errors=True)
            return
        try:
            answer: Gave | Raised = Gave(_perform(replace(call, site=replace(call.site, progress=tell))))
            pickle.dumps(answer)
        except BaseException as error:  # whatever anybody's code raises, SystemExit and KeyboardInterrupt included
            answer = _raised(error)
        reply(answer)


def _end_with(parent: int, folder: str) -> None:
    """End this process and all that it started when the program that asks it is gone, however that ended."""
    while os.getppid() == parent:
        sleep(1.0)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL) if hasattr(os, "killpg") else os._exit(1)


def _perform(call: Call) -> Any:
    evaluator = _load(call.target)
    if call.method == "describe":
        return _described(evaluator)
    if call.method == "resolve":
        return _resolved(evaluator.Parameters, call.written)
    if call.method == "display":
        return all_of("display", evaluator.display(call.evidence, call.site), object)
    parameters = evaluator.Parameters.model_validate_json(call.written)
    if call.method == "quantities":
        return announced(evaluator, parameters)
    if call.method == "inputs":
        return as_inputs(evaluator.inputs(parameters, call.site))
    findings = as_announced(evaluator, parameters, evaluator.measure(parameters, call.site))
    return replace(findings, faults=tuple(map(_raised, findings.faults)))  # type: ignore[arg-type]


_loaded: dict[str, Any] = {}


def _load(target: str) -> Any:
    if target not in _loaded:
        module, _, attribute = target.partition(":")
        _loaded[target] = getattr(import_module(module), attribute)()
    return _loaded[target]


def _described(evaluator: Any) -> Description:
    """Raises NotAsAnnounced with everything that the evaluator lacks."""
    wrong = [
        f"`{name}` is {getattr(evaluator, name, 'missing')!r}, expected {what}"
        for name, kind, what in (
            ("name", str, "a text"),
            ("version", int, "a whole number"),
            ("stored", bool, "a bool"),
        )
        if type(getattr(evaluator, name, None)) is not kind
    ]
    parameters = getattr(evaluator, "Parameters", None)
    if isinstance(parameters, type) and issubclass(parameters, Frozen):
        wrong += _unusable(parameters)
    else:
        wrong.append("`Parameters` has to be a class derived from evaluators.evidence.Frozen")
    for method, arguments in METHODS.items():
        function = getattr(evaluator, method, None)
        if not callable(function):
            wrong.append(f"it has no method {method}({', '.join(arguments)})")
            continue
        try:
            signature(function).bind(*arguments)
        except TypeError:
            wrong.append(f"{method}{signature(function)} does not take ({', '.join(arguments)})")
    if wrong:
        raise NotAsAnnounced("; ".join(wrong))
    displays = callable(getattr(evaluator, "display", None))
    about = str(type(evaluator).__doc__ or "")
    return Description(
        evaluator.name, evaluator.version, evaluator.stored, displays, about, _schema(evaluator.Parameters)
    )


def _schema(model: type[Frozen]) -> dict[str, Any]:
    """What is said of parameters in JSON Schema; no more than their names where it cannot be said so."""
    try:
        return cast(dict[str, Any], json.loads(json.dumps(model.model_json_schema())))
    except Exception:  # types of pydantic's, and anybody's, of which there is none
        return {"properties": {field_.alias or name: {} for name, field_ in model.model_fields.items()}}


def _unusable(model: type[Frozen]) -> Iterator[str]:
    """What questions cannot say in the parameters of an evaluator."""
    for name, field_ in model.model_fields.items():
        if (field_.alias or name) in RESERVED:
            yield f"the parameter `{name}` is a word of every request; call it otherwise"
        if any(isinstance(kind, type) and issubclass(kind, PurePath) for kind in _kinds(field_.annotation)):
            yield f"the parameter `{name}` is a path: make it a QuizFile, and open it by `site.file(...)`"


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)


def _resolved(model: type[Frozen], written: str) -> Resolved | Refused:
    try:
        parameters = model.model_validate_json(written)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        return Refused(tuple((f["type"], tuple(f["loc"]), f["msg"], _plainly(f["input"])) for f in faults))
    placeless, files = quiz_files(parameters)
    return Resolved(
        everything=parameters.model_dump(mode="json", by_alias=True),
        asked=parameters.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        placeless=placeless,
        files=files,
    )


def _plainly(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def _raised(error: BaseException) -> Raised:
    if isinstance(error, InputError):
        return Raised(InputError(error.problems))
    if isinstance(error, MachineFault):
        return Raised(MachineFault(error.what, error.remedy))
    if isinstance(error, Unavailable):
        return Raised(Unavailable(error.what, error.remedy))
    trace = "".join(traceback.format_exception(error))
    suspects = tuple(package.name for package in suspected(error)) if isinstance(error, Exception) else ()
    return Raised(None, cause_of(error), suspects, not_installed(error), trace)
