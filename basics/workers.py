"""Worker processes beside this one: warm, started by path, and what ends them told apart from what they work on.

A worker is a fresh process (no fork: forking after torch or numba have started threads is unsafe) that stays for the
next call, as long as the program lives. It is started by the path of `worker_process.py`, with `-P`, and searches for
modules where this process does, the working directory left out: that may hold anybody's files, and a `numpy.py` among a
class's submissions is not to be executed.

What ends a worker is either the code it ran (`Crashed`), or the machine: it could not start, ran out of memory, or was
killed (`MachineFault`). The second says nothing of the task and is never to be taken for a result.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from basics.errors import EarwitnessError, MachineFault
from basics.messages import say

Result = TypeVar("Result")
Key = TypeVar("Key")

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = Path(__file__).with_name("worker_process.py")
REMEDY = say(
    "this is the machine's fault and says nothing of what was measured: see that memory is free and that nothing ends "
    "processes, then give the same command again, with fewer --jobs if need be"
)
THREADS = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR", "NUMBA")
SETTINGS = {
    **{f"{library}_NUM_THREADS": "1" for library in THREADS},
    # glibc keeps the arrays of one call for the next one instead of asking the system for them again: a tenth faster
    "MALLOC_MMAP_THRESHOLD_": str(1 << 28),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 29),
}
"""Environment of a worker, besides this process' own."""
AHEAD = 2
"""Tasks for each worker that are in hand at once."""
OF_CODE = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}
"""Signals by which code ends its own process; any other one was sent from outside."""


def how_ended(code: int) -> str:
    """How a process ended, by its return code: `exit status 1`, or the signal's name."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


class Crashed(EarwitnessError):
    """The code that a worker ran ended its process; the text says how: `SIGSEGV`, `exit status 1`."""


class GivenUp(EarwitnessError):
    """The worker was ended by `Pool.interrupt`: nobody waits for what it was at."""


def search_path() -> list[str]:
    """Folders in which this process finds modules, without the working directory, unless the program lies there."""
    here = Path.cwd()
    return [
        folder for folder in sys.path if Path(folder).is_absolute() and (folder == str(ROOT) or here != Path(folder))
    ]


def environment() -> dict[str, str]:
    """The environment of a worker, without relative entries of PYTHONPATH: they are of the working directory."""
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = os.pathsep.join(folder for folder in named if Path(folder).is_absolute())
    return {**os.environ, **SETTINGS, "PYTHONPATH": kept, "PYTHONSAFEPATH": "1"}


class Worker:
    """One process, started at once and started again after it ended."""

    def __init__(self) -> None:
        self._given_up = False
        self._process = self._start()

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", str(SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
                start_new_session=True,  # an interrupt at the terminal is the caller's to handle
            )
        except OSError as error:
            raise MachineFault(
                say("no worker process can be started ({reason})", reason=error.strerror or error), REMEDY
            ) from None
        with suppress(OSError):  # who has ended by now is told of by the first call
            pickle.dump(search_path(), _of(process.stdin))
            _of(process.stdin).flush()
        return process

    @property
    def pid(self) -> int:
        """The process' id, which is another one after it ended."""
        return self._process.pid

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """`function(*arguments)`, all of them picklable, run in the process.

        Raises what it raises; Crashed where it ended the process, GivenUp where `give_up` did, and MachineFault where
        anything else did: a new process is started by the next call.
        """
        self._given_up = False
        if self._process.poll() is not None:  # it ended while nobody waited for it
            self._process = self._start()
        begun = False
        try:
            pickle.dump((function, arguments), _of(self._process.stdin), protocol=5)
            _of(self._process.stdin).flush()
            begun, problem = pickle.load(_of(self._process.stdout))
            if begun:
                worked, result = pickle.load(_of(self._process.stdout))
        except (EOFError, OSError, pickle.UnpicklingError):
            raise self._ending(begun) from None
        if not begun:
            raise MachineFault(say("a worker process cannot work here ({problem})", problem=problem), REMEDY)
        if worked:
            return result  # type: ignore[no-any-return]
        error, where = result
        if isinstance(error, MemoryError):
            raise MachineFault(say("a worker process ran out of memory"), REMEDY)
        error.add_note(where)
        raise error

    def _ending(self, begun: bool) -> EarwitnessError:
        self.close()
        if self._given_up:
            return GivenUp("nobody waits for it any more")
        code = self._process.returncode
        how = how_ended(code)
        if not begun:
            return MachineFault(say("a worker process cannot start here ({cause})", cause=how), REMEDY)
        if code >= 0 or -code in OF_CODE:
            return Crashed(how)
        return MachineFault(say("a worker process was ended from outside ({cause})", cause=how), REMEDY)

    def give_up(self) -> None:
        """End the process whatever it is doing."""
        self._given_up = True
        self._process.kill()

    def close(self) -> None:
        """End the process, which leaves on its own at the end of its input."""
        with suppress(OSError):
            self._process.communicate()


def _of(stream: Any) -> Any:
    assert stream is not None
    return stream


class Pool:
    """Workers that wait for calls, from any number of threads. They live as long as the program; `close` ends them."""

    def __init__(self) -> None:
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self._busy: set[Worker] = set()
        self.workers: list[Worker] = []
        self._owner = os.getpid()

    def grow(self, jobs: int) -> None:
        """Have at least `jobs` workers. Raises MachineFault where none can be started."""
        while len(self.workers) < jobs:
            worker = Worker()
            self.workers.append(worker)
            self._idle.put(worker)

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """What `Worker.call` gives, by whichever worker is idle."""
        worker = self._idle.get()
        self._busy.add(worker)
        try:
            return worker.call(function, *arguments)
        finally:
            self._busy.discard(worker)
            self._idle.put(worker)

    def call_surely(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """What `call` gives, tried once more where the process ended. Raises what the second try raises."""
        try:
            return self.call(function, *arguments)
        except (Crashed, MachineFault):
            return self.call(function, *arguments)

    def interrupt(self) -> None:
        """End what is being worked on; the workers start anew when they are called."""
        for worker in tuple(self._busy):
            worker.give_up()

    def close(self) -> None:
        """End all workers, unless this is a fork of the process that owns them."""
        if self._owner == os.getpid():
            for worker in self.workers:
                worker.close()


_pool: Pool | None = None
_growing = threading.Lock()


def shared_pool(jobs: int) -> Pool:
    """The program's pool with at least `jobs` workers; a forked child gets its own."""
    global _pool
    with _growing:
        if _pool is None or _pool._owner != os.getpid():
            _pool = Pool()
            atexit.register(_pool.close)
        _pool.grow(jobs)
        return _pool


def available_processors() -> int:
    """Processors this program may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew(Protocol):
    """Who runs tasks: worker processes here, or other machines.

    A task is called with the pool of the machine that runs it. One that may be run anywhere is picklable and carries
    all that it needs.
    """

    @property
    def size(self) -> int:
        """How many tasks are run at a time."""

    def submit(self, task: Callable[[Pool], Result]) -> Future[Result]:
        """The task's result, once it stands. MachineFault in it says nothing of the task."""


class Here:
    """Up to `size` worker processes of this program, each called from a thread of its own."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.threads = ThreadPoolExecutor(size)
        self._tasks = 0

    def submit(self, task: Callable[[Pool], Result]) -> Future[Result]:
        """The task's result, once it stands. Raises MachineFault where no process can be started."""
        self._tasks += 1
        return self.threads.submit(task, shared_pool(min(self.size, self._tasks)))


@contextmanager
def here(jobs: int | None = None) -> Iterator[Crew]:
    """`jobs` worker processes, by default one for each processor; what they are at is given up where anything fails."""
    crew = Here(jobs or available_processors())
    with crew.threads as threads:
        try:
            yield crew
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            shared_pool(0).interrupt()
            raise


_elsewhere: ContextVar[Crew | None] = ContextVar("who runs tasks that may be run anywhere", default=None)


@contextmanager
def working_with(crew: Crew) -> Iterator[None]:
    """Tasks that may be run anywhere are run by `crew` inside."""
    token = _elsewhere.set(crew)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def elsewhere() -> Crew | None:
    """The crew of `working_with`, where there is one."""
    return _elsewhere.get()


def anyone(jobs: int | None = None) -> AbstractContextManager[Crew]:
    """The crew of `working_with`, or `jobs` worker processes here."""
    crew = elsewhere()
    return nullcontext(crew) if crew else here(jobs)


def as_completed(
    tasks: Iterable[tuple[Key, Callable[[Pool], Result]]], crew: Crew
) -> Iterator[tuple[Key, Future[Result]]]:
    """Each task's key and its future as soon as that is done. Tasks are taken a few at a time, when there is room."""
    waiting, more = iter(tasks), True
    in_hand: dict[Future[Result], Key] = {}
    while more or in_hand:
        while more and len(in_hand) < AHEAD * crew.size:
            task = next(waiting, None)
            if more := task is not None:
                in_hand[crew.submit(task[1])] = task[0]
        if in_hand:
            done, _ = wait(in_hand, return_when=FIRST_COMPLETED)
            for future in done:
                yield in_hand.pop(future), future


def side_by_side(tasks: Iterable[Callable[[Pool], Result]], jobs: int | None = None) -> Iterator[Result]:
    """The result of every task that may be run anywhere, in their order, by `anyone`.

    Where a task raises, the others are given up and it is raised here.
    """
    with anyone(jobs) as crew:
        yield from in_order(tasks, crew)


def by_workers(tasks: Iterable[Callable[[], Result]], jobs: int | None = None) -> Iterator[Result]:
    """The result of every picklable task, in their order, each run by one of `jobs` workers here."""
    with here(jobs) as crew:
        yield from in_order((partial(Pool.call, function=task) for task in tasks), crew)


def in_order(tasks: Iterable[Callable[[Pool], Result]], crew: Crew) -> Iterator[Result]:
    """The result of every task, in their order. Where one raises, it is raised here."""
    early: dict[int, Result] = {}
    following = 0
    for number, future in as_completed(enumerate(tasks), crew):
        early[number] = future.result()
        while following in early:
            yield early.pop(following)
            following += 1
