"""The program's side: start a worker, ask it, wait for it, keep what it prints, and end it with all that it started."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX, Thread
from time import monotonic
from typing import IO, Any, cast

from basics.visible import visible
from basics.workers import how_ended
from evaluators.calls import OURS, Call, Gave, Raised, Step
from evaluators.evidence import Site, report_nothing
from evaluators.packages import DEBUG, LIVE, Elsewhere

ROOT = Path(__file__).resolve().parent.parent
WORKER = Path(__file__).with_name("worker.py")
KEPT = 8_000
"""Bytes that are kept of what a worker prints: the last."""


class _Replies(pickle.Unpickler):
    """Reads replies; a type that is not this project's is refused, not imported."""

    def find_class(self, module: str, name: str) -> Any:
        if module in OURS or (module, name) in (("builtins", "set"), ("builtins", "frozenset")):
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
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
        if self._owner != os.getpid():  # a copy of the process whose worker it is: that one's answers are not ours
            self._process, self._owner = None, os.getpid()
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
            [sys.executable, "-I", "-u", str(WORKER), json.dumps(places), self._folder],
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
        self._reader = Thread(target=keep, args=(process.stderr, self._output), daemon=True)
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
        code = process.poll()
        how = "it was ended" if code is None else how_ended(code)
        end_whole(process)
        self._reader.join(1.0)
        return how, b"".join(self._output)[-KEPT:].decode(errors="replace")

    def close(self) -> None:
        """End the process, with all that it started, and remove its folder."""
        if self._process is None or self._owner != os.getpid():
            return
        end_whole(self._process)
        with suppress(OSError, ValueError):
            cast(IO[bytes], self._process.stdin).close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._process = None


def end_whole(process: subprocess.Popen[bytes]) -> None:
    """End a process that has a session of its own, and all that it started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


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


def keep(stream: IO[bytes], output: deque[bytes]) -> None:
    """Read what is printed, so that nobody waits for that, and keep the last of it; show it where that is wanted."""
    with suppress(OSError, ValueError), stream:
        while chunk := stream.read1(KEPT):  # type: ignore[attr-defined]
            if os.environ.get(DEBUG) or os.environ.get(LIVE):
                print(visible(chunk.decode(errors="replace")), end="", file=sys.stderr, flush=True)
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
