"""An evaluator in a process of its own: whatever its author did there, it costs the request that it was asked for.

Nothing of an evaluator that is not built in is imported into the program. What it announces and what it measures is
asked of a worker process (`worker.py`), started by its path, in a folder of its own that goes with it. Calls and
replies are pickles in which nothing but the types of this project is taken; what the worker prints is kept, and shown
where something broke. A worker that gives no answer in time, crashes or is killed takes all that it started with it.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from inspect import signature
from pathlib import Path, PurePath
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX, Thread
from time import monotonic, sleep
from typing import IO, Any, ClassVar, cast, get_args

from pydantic import PrivateAttr, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from basics.errors import EarwitnessError, InputError, Unavailable
from evaluators.announcement import NotAsAnnounced, all_of, announced, as_announced, as_inputs
from evaluators.evidence import Evidence, Findings, Frozen, Inputs, Quantity, Site, quiz_files, report_nothing
from evaluators.packages import DEBUG, Elsewhere, cause_of, not_installed, printable, suspected

ROOT = Path(__file__).resolve().parent.parent
WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 60.0
"""Seconds in which an evaluator has to load, to take parameters and to say what it can measure."""
TIMEOUT = 600.0
"""Seconds in which it has to measure, where a request says nothing else."""
KEPT = 8_000
"""Bytes that are kept of what a worker prints: the last."""
METHODS = {"quantities": ("parameters",), "inputs": ("parameters", "site"), "measure": ("parameters", "site")}
RESERVED = ("evaluator", "as", "fallback", "isolate", "timeout")
"""What a request says beside the parameters."""
OURS = (
    *("basics.errors", "evaluators.evidence", "evaluators.display", "evaluators.isolation"),
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


# ---- in the worker


def serve(calls: IO[bytes], replies: IO[bytes]) -> None:
    """Answer calls until there are no more; a copy of this process that an evaluator made does not answer too."""
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

    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    while True:
        try:
            call: Call = pickle.load(calls)
        except EOFError:
            return
        try:
            answer: Gave | Raised = Gave(_perform(replace(call, site=replace(call.site, progress=tell))))
            pickle.dumps(answer)
        except BaseException as error:  # whatever anybody's code raises, SystemExit and KeyboardInterrupt included
            answer = _raised(error)
        reply(answer)


def _end_with(parent: int) -> None:
    """End this process and all that it started when the program that asks it is gone, however that ended."""
    while os.getppid() == parent:
        sleep(1.0)
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
    if isinstance(error, Unavailable):
        return Raised(Unavailable(str(error.what), str(error.remedy)))
    trace = "".join(traceback.format_exception(error))
    suspects = tuple(package.name for package in suspected(error)) if isinstance(error, Exception) else ()
    return Raised(None, cause_of(error), suspects, not_installed(error), trace)


# ---- in the program


class _Replies(pickle.Unpickler):
    """Reads replies; a type that is not this project's is refused, not imported."""

    def find_class(self, module: str, name: str) -> Any:
        if module in OURS or (module, name) in (("builtins", "set"), ("builtins", "frozenset")):
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"it returned something with a {module}.{name} in it")


class Worker:
    """A worker process, started when it is first asked something and again after it ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._owner = os.getpid()

    def ask(self, call: Call, seconds: float, progress: Callable[[str, float], None] = report_nothing) -> Any:
        """What the method returned. Raises what it raised, Elsewhere for all that is no error of this project."""
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            with suppress(OSError):  # it has ended: there will be no reply
                pickle.dump(replace(call, site=_absolute(call.site)), process.stdin)
                process.stdin.flush()
            reply = self._reply(seconds, progress)
            if isinstance(reply, Gave):
                return reply.value
            if reply.error is None:
                raise elsewhere(reply, self._ended()[1])
        except BaseException:
            self.close()
            raise
        raise reply.error

    def _start(self) -> subprocess.Popen[bytes]:
        self._folder = tempfile.mkdtemp(prefix="earwitness-")
        places = [str(ROOT), *(path for path in sys.path if Path(path).is_absolute())]
        process = subprocess.Popen(
            [sys.executable, "-I", "-u", str(WORKER), json.dumps(places)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._folder,
            env={**os.environ, "TMPDIR": self._folder},
            start_new_session=True,  # so that all that it starts can be ended with it
        )
        self._process = process
        self._arrived: SimpleQueue[Any] = SimpleQueue()
        self._output: deque[bytes] = deque()
        Thread(target=_receive, args=(process.stdout, self._arrived), daemon=True).start()
        self._reader = Thread(target=_keep, args=(process.stderr, self._output), daemon=True)
        self._reader.start()
        return process

    def _reply(self, seconds: float, progress: Callable[[str, float], None]) -> Gave | Raised:
        end = monotonic() + min(seconds, TIMEOUT_MAX)
        while True:
            try:
                message = self._arrived.get(timeout=max(0.0, end - monotonic()))
            except Empty:
                raise Elsewhere(f"it gave no answer within {seconds:g} s", output=self._ended()[1]) from None
            if isinstance(message, Gave | Raised):
                return message
            if not isinstance(message, Step):
                how, output = self._ended()
                raise Elsewhere(message or f"its process ended without an answer ({how})", output=output)
            progress(message.what, min(1.0, max(0.0, message.done)))

    def _ended(self) -> tuple[str, str]:
        """End the process and all that it started: how it had ended by itself, in words, and what it printed last."""
        process = self._process
        assert process is not None
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
        how = _how(process.poll())
        _kill(process)
        self._reader.join(1.0)
        return how, b"".join(self._output)[-KEPT:].decode(errors="replace")

    def close(self) -> None:
        """End the process, with all that it started, and remove its folder."""
        if self._process is None or self._owner != os.getpid():
            return
        _kill(self._process)
        with suppress(OSError, ValueError):
            cast(IO[bytes], self._process.stdin).close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._process = None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _how(code: int | None) -> str:
    if code is None:
        return "it was ended"
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _receive(stream: IO[bytes], arrived: SimpleQueue[Any]) -> None:
    """Hand on every reply; at the end, a text that says what is wrong with the last, empty where nothing is."""
    try:
        with stream:
            while True:
                arrived.put(_Replies(stream).load())
    except pickle.UnpicklingError as error:
        arrived.put(str(error))
    except Exception:  # the end of the process, in the middle of a reply perhaps
        arrived.put("")


def _keep(stream: IO[bytes], output: deque[bytes]) -> None:
    """Read what is printed, so that nobody waits for it to be read, and keep the last of it."""
    with suppress(OSError, ValueError), stream:
        while chunk := stream.read1(KEPT):  # type: ignore[attr-defined]
            if os.environ.get(DEBUG):
                print(printable(chunk.decode(errors="replace")), end="", file=sys.stderr, flush=True)
            output.append(chunk)
            while sum(map(len, output)) - len(output[0]) >= KEPT:
                output.popleft()


def _absolute(site: Site) -> Site:
    """The site for a process that works in another folder, and tells of progress by other means."""
    places = {name: value.absolute() for name, value in vars(site).items() if isinstance(value, Path)}
    codec = str(Path(site.codec).absolute()) if site.codec and Path(site.codec).exists() else site.codec
    return replace(site, **places, codec=codec, progress=report_nothing)  # type: ignore[arg-type]


def elsewhere(raised: Raised, output: str = "") -> Elsewhere:
    """What broke in a worker, as an error of this process."""
    return Elsewhere(raised.cause, suspects=raised.suspects, absent=raised.absent, trace=raised.trace, output=output)


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

    Raises whatever keeps it from being loaded, and NotAsAnnounced in words of Elsewhere where it lacks something.
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
            raise ValidationError.from_exception_data("Parameters", [_detail(*fault) for fault in answer.faults])
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


def _detail(kind: str, where: tuple[str | int, ...], what: str, value: Any) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(kind, what), loc=where, input=value)


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
            return replace(findings, faults=tuple(map(elsewhere, cast(tuple[Raised, ...], findings.faults))))
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
