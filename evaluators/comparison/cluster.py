"""Clips of a comparison on many machines, by `dask.distributed`, the extra `cluster`.

A task carries the clip's file (or its address) and the names of codecs; what runs it is `work.attempt_here`, which is
the same that runs here, in a process below the worker's. Values are therefore equal bit for bit on processors of one
kind. Versions and codecs of all workers are compared before any work. A worker that dies is replaced by its nanny.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from basics.errors import InputError, Problem, Unavailable
from basics.files import sha256_of
from basics.messages import say
from basics.workers import ROOT, shared_pool
from evaluators.comparison.running import MOVES_VALUES, Codecs, Run
from evaluators.comparison.work import Outcome, Task, attempt_here, facts_of, nothing
from evaluators.evidence import digest
from evaluators.packages import PROJECT, installed_version

ADDRESS = re.compile(r"(?:tcp|tls)://[^/\s]+:\d+")
HOST = "127.0.0.1"
"""Where a cluster of this machine is open: to this machine alone."""
PATIENCE = 30.0
"""s to wait for a scheduler, and for a first worker."""
COMPARED = (PROJECT, "torch", "transformers", "moshi", "safetensors", *MOVES_VALUES)
REMEDY = say("install the same versions on all machines, with `pip install -c constraints.txt`")


@contextmanager
def on_cluster(address: str, codecs: Codecs, device: str) -> Iterator[tuple[Run, int]]:
    """What runs a task on the cluster at `address` (`tcp://…`, `tls://…`, or `local:N` for N workers here).

    Raises Unavailable without dask.distributed, InputError where nobody answers, or where a worker has other versions
    or other codecs than this program.
    """
    try:
        import distributed
    except ImportError as error:
        what = say("a cluster needs the package distributed, which is not installed")
        raise Unavailable(what, say("`pip install 'earwitness[cluster]'`, or leave out --cluster")) from error
    library: Any = distributed
    workers = _local(address)
    with ExitStack() as stack:
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
                "no scheduler with workers answers there ({value})",
                value=" ".join(str(error).split())[:200] or say("timed out"),
            )
            remedy = say("start `dask scheduler` and `dask worker`, or use --cluster local:N")
            raise InputError(Problem(f"--cluster {address}", what, remedy)) from error
        require_equal(client, codecs, device)
        threads = sum(client.nthreads().values())
        executor = stack.enter_context(client.get_executor(pure=False))
        yield partial(_submit, executor, library.KilledWorker), threads


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


def _submit(executor: Any, killed: type[Exception], task: Task) -> Future[Outcome]:
    """A task's outcome; one whose workers were killed has none."""
    made: Future[Outcome] = Future()

    def take(future: Future[Outcome]) -> None:
        try:
            made.set_result(future.result())
        except killed:
            told = "its worker was ended from outside each time that it was tried"
            made.set_result(replace(nothing(task, told), kept=False))
        except BaseException as error:
            made.set_exception(error)

    executor.submit(attempt_here, task).add_done_callback(take)
    return made


def versions_here() -> dict[str, str]:
    """What values depend on, besides codecs and sound: Python, packages, and the source of this program."""
    sources = sorted(path for floor in ("audio", "basics") for path in (ROOT / floor).rglob("*.py"))
    sources += sorted((ROOT / "evaluators/comparison").glob("*.py"))
    code = digest({path.relative_to(ROOT).as_posix(): sha256_of(path) for path in map(Path, sources)})
    packages = {name: installed_version(name) for name in COMPARED}
    return {"python": platform.python_version(), **packages, "source": code[:12]}


def facts_here(sources: tuple[str, ...], device: str) -> Mapping[str, tuple[str, ...]]:
    """`facts_of` by a process below this one: a codec that cannot be loaded is told, whatever it does."""
    return shared_pool(1).call(facts_of, sources, device)


def require_equal(client: Any, codecs: Codecs, device: str) -> None:
    """Raises InputError naming each worker that differs, in what."""
    mine = versions_here()
    problems: list[Problem] = []
    for worker, theirs in _asked(client, versions_here).items():
        if other := [
            f"{name} {theirs.get(name)} (here {mine[name]})" for name in mine if theirs.get(name) != mine[name]
        ]:
            problems.append(Problem(f"worker {worker}", say("has {other}", other=", ".join(other)), REMEDY))
    if problems:
        raise InputError(problems)
    for worker, theirs in _asked(client, facts_here, tuple(codecs.facts), device).items():
        for source, facts in codecs.facts.items():
            if tuple(theirs[source]) != tuple(facts):
                other = [f"{a} (here {b})" for a, b in zip(theirs[source], facts, strict=False) if a != b]
                problems.append(
                    Problem(
                        f"worker {worker}",
                        say("has another {source}: {other}", source=source, other=", ".join(other)),
                        REMEDY,
                    )
                )
    if problems:
        raise InputError(problems)


def _asked(client: Any, function: Any, *arguments: Any) -> dict[str, Any]:
    """What each worker answers. Raises InputError with the answers that are errors."""
    answers: dict[str, Any] = client.run(function, *arguments, on_error="return")
    if broken := {worker: answer for worker, answer in answers.items() if isinstance(answer, BaseException)}:
        raise InputError(
            Problem(
                f"worker {worker}",
                say("cannot do it: {name}: {split}", name=type(error).__name__, split=" ".join(str(error).split())),
                REMEDY,
            )
            for worker, error in broken.items()
        )
    return answers
