"""Tasks on many machines, by `dask.distributed`, the extra `cluster`.

A task carries all that it needs and is run by the same code as here, with the pool of its worker's machine: in a
process below the worker's. Values are therefore equal bit for bit on processors of one kind. Versions of all workers
are compared before any work, and what else has to be alike by `require_alike`. A worker that dies is replaced by its
nanny.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from basics.errors import InputError, MachineFault, Problem, Unavailable
from basics.files import sha256_of
from basics.messages import say, together
from basics.workers import ROOT, Pool, shared_pool, working_with
from evaluators.evidence import digest
from evaluators.packages import PROJECT
from evaluators.provenance import package_versions

Result = TypeVar("Result")
Facts = Mapping[str, Sequence[str]]

ADDRESS = re.compile(r"(?:tcp|tls)://[^/\s]+:\d+")
HOST = "127.0.0.1"
"""Where a cluster of this machine is open: to this machine alone."""
PATIENCE = 30.0
"""s to wait for a scheduler, and for a first worker."""
COMPARED = (
    *(PROJECT, "torch", "transformers", "moshi", "safetensors", "soxr", "soundfile", "librosa"),
    *("numpy", "scipy", "pesq", "pystoi", "numba", "umap-learn", "scikit-learn"),
)
"""Packages that move numbers, whose versions are compared whatever is done."""
REMEDY = say("install the same versions on all machines, with `pip install -c constraints.txt`")
SEE = say("see what ends workers, then give the same command again")
SETTINGS = {
    # a connection keeps its last thousand messages of less than 1 MB, and with them the sound of a thousand clips
    "distributed.admin.low-level-log-length": 0,
    "distributed.admin.large-graph-warning-threshold": "1 GB",
}


@contextmanager
def on_cluster(address: str, packages: Collection[str] = ()) -> Iterator[Cluster]:
    """The cluster at `address` (`tcp://…`, `tls://…`, or `local:N` for N workers here) as a crew.

    Raises Unavailable without dask.distributed, InputError where nobody answers, or where a worker has other versions
    (of `packages` too) than this program.
    """
    try:
        import distributed
    except ImportError as error:
        what = say("a cluster needs the package distributed, which is not installed")
        raise Unavailable(what, say("`pip install 'earwitness[cluster]'`, or leave out --cluster")) from error
    library: Any = distributed
    configured: Any = import_module("dask.config")  # which distributed brings
    workers = _local(address)
    with ExitStack() as stack:
        stack.enter_context(configured.set(SETTINGS))
        place: Any = address
        if workers:
            folder = stack.enter_context(TemporaryDirectory(prefix="earwitness-", ignore_cleanup_errors=True))
            place = stack.enter_context(
                library.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    host=HOST,
                    dashboard_address=None,
                    local_directory=folder,
                    silence_logs="CRITICAL",
                    scheduler_kwargs={"allowed_failures": 1, "dashboard": False},
                )
            )
        try:
            client = stack.enter_context(library.Client(place, timeout=PATIENCE, set_as_default=False))
            client.wait_for_workers(workers or 1, timeout=PATIENCE)
        except (OSError, TimeoutError) as error:
            what = say(
                "no scheduler with workers answers there ({reason})",
                reason=" ".join(str(error).split())[:200] or say("timed out"),
            )
            remedy = say("start `dask scheduler` and `dask worker`, or use --cluster local:N")
            raise InputError(Problem(f"--cluster {address}", what, remedy)) from error
        names = tuple(sorted({*COMPARED, *packages}))
        require_equal(client, names)
        yield Cluster(client, library.KilledWorker, sum(client.nthreads().values()), names, versions_here(names))


def _local(address: str) -> int:
    """How many workers of this machine are asked for; 0 for a scheduler elsewhere. Raises InputError for neither."""
    kind, _, number = address.partition(":")
    if kind == "local" and number.isdecimal() and 0 < int(number) <= 1024:
        return int(number)
    if not ADDRESS.fullmatch(address):
        what = say("is no address of a scheduler")
        raise InputError(
            Problem(f"--cluster {address}", what, say("write tcp://HOST:PORT, tls://HOST:PORT or local:N"))
        )
    return 0


@contextmanager
def working_on(address: str | None) -> Iterator[None]:
    """Tasks that may be run anywhere are run on the cluster at `address` inside; without one, here."""
    if address is None:
        yield
        return
    with on_cluster(address) as crew, working_with(crew):
        yield


@dataclass(frozen=True)
class Cluster:
    """A crew of workers; `size` is how many threads they have together, `killed` what a task raises that ended some.

    `versions` of `names` are those that each has to have, also one that joins later.
    """

    client: Any
    killed: type[Exception]
    size: int
    names: tuple[str, ...]
    versions: dict[str, str]

    def ask(self, function: Callable[..., Result], *arguments: Any) -> dict[str, Result]:
        """What the function (picklable, as its arguments) returns on each machine, by its name.

        Raises InputError with what it raises there.
        """
        return _asked(self.client, function, *arguments)

    def submit(self, task: Callable[[Pool], Result]) -> Future[Result]:
        """The task's result; MachineFault where its workers were killed."""
        made: Future[Result] = Future()

        def take(future: Any) -> None:
            try:
                made.set_result(future.result())
            except self.killed:
                what = say("its worker was ended from outside each time that it was tried")
                made.set_exception(MachineFault(what, SEE))
            except Exception as error:  # whatever the task raised, or that the client was closed before it ended
                made.set_exception(error)
            finally:
                future.release()  # and with it what the task carries

        self.client.submit(run_here, task, self.names, self.versions, pure=False).add_done_callback(take)
        return made


def run_here(task: Callable[[Pool], Result], names: tuple[str, ...], versions: Mapping[str, str]) -> Result:
    """What a worker does with a task: it has a process for each of its threads.

    Raises InputError where it has other versions.
    """
    from distributed import get_worker

    worker = get_worker()
    if problem := _departure(f"worker {worker.address}", versions_here(names), versions):
        raise InputError(problem)
    return task(shared_pool(worker.state.nthreads))


@cache
def versions_here(names: tuple[str, ...]) -> dict[str, str]:
    """What values depend on, besides what a task carries: Python, packages, and the source of this program."""
    sources = sorted(path for floor in ("audio", "basics", "evaluators") for path in (ROOT / floor).rglob("*.py"))
    code = digest({path.relative_to(ROOT).as_posix(): sha256_of(path) for path in map(Path, sources)})
    return {"python": platform.python_version(), **package_versions(names), "source": code[:12]}


def _departure(place: str, theirs: Mapping[str, str], mine: Mapping[str, str]) -> Problem | None:
    """What the machine called `place` has of other versions."""
    other = [f"{name} {theirs.get(name)} (here {mine[name]})" for name in mine if theirs.get(name) != mine[name]]
    return Problem(place, say("has {versions}", versions=", ".join(other)), REMEDY) if other else None


def require_equal(client: Any, names: tuple[str, ...]) -> None:
    """Raises InputError naming each worker whose versions differ from those here, in what."""
    mine = versions_here(names)
    found = [_departure(place, theirs, mine) for place, theirs in _asked(client, versions_here, names).items()]
    if problems := [problem for problem in found if problem]:
        raise InputError(problems)


def require_alike(found: Mapping[str, Facts]) -> None:
    """Raises InputError naming each machine whose facts are not those of the first, in what."""
    first, mine = next(iter(found.items()))
    problems = []
    for place, theirs in found.items():
        for name, facts in mine.items():
            pairs = zip_longest(theirs[name], facts, fillvalue="-")
            if other := [f"{a} ({first}: {b})" for a, b in pairs if a != b]:
                what = say("has another {fact}: {difference}", fact=name, difference=", ".join(other))
                problems.append(Problem(place, what, say("give all machines the same weights and packages")))
    if problems:
        raise InputError(problems)


def _asked(client: Any, function: Any, *arguments: Any) -> dict[str, Any]:
    """What each worker answers, by its name, unless it ends meanwhile (`run_here` holds who follows to versions).

    Raises InputError with the answers that are errors (what all say alike, once), MachineFault where all end.
    """
    for _ in range(2):
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=PATIENCE)
        told: dict[str, Any] = client.run(_told, function, *arguments, on_error="return")
        if heard := {worker: answer for worker, answer in told.items() if not isinstance(answer, OSError)}:
            break
    else:
        raise MachineFault(say("all its workers were ended from outside, twice"), SEE)
    answers = {f"worker {name}": answer[0] if isinstance(answer, tuple) else answer for name, answer in heard.items()}
    errors = {place: answer for place, answer in answers.items() if isinstance(answer, BaseException)}
    if errors:
        first = next(iter(errors.values()))
        if isinstance(first, InputError) and len({str(answer) for answer in answers.values()}) == 1:
            raise first
        raise InputError(problem for place, error in errors.items() for problem in _problems(place, error))
    return answers


def _problems(place: str, error: BaseException) -> Iterator[Problem]:
    """What an error says that a machine answered with, and whose it is."""
    if isinstance(error, InputError):
        for problem in error.problems:
            yield replace(problem, where=together((place, problem.where), ": "))
    elif isinstance(error, Unavailable | MachineFault):
        yield Problem(place, error.what, error.remedy)
    else:
        kind, text = type(error).__name__, " ".join(str(error).split())
        what = say("cannot do it: {error_type}: {error}", error_type=kind, error=text)
        yield Problem(place, what, REMEDY)


def _told(function: Callable[..., Any], *arguments: Any) -> tuple[Any]:
    """What it returns, or raises; in a tuple, since an OSError without one says that there is no answer."""
    try:
        return (function(*arguments),)
    except Exception as error:  # whatever it is, the one who asked is told
        return (error,)
