"""Measure many pairs in a pool of warm processes; no crash of one measure loses the value of another.

`pesq` holds the interpreter's lock, so threads do not help, and its C code may end the process. Each worker is a
process of its own (not a fork: forking after torch or numba have started threads is unsafe) that imports numpy and pesq
(and librosa where F0 is wanted), starts in a third of a second and stays for the next call. A pair whose worker died is
measured again metric by metric, and PESQ then window by window; what still crashes is Undefined.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import cast

import numpy as np

from audio.metrics.quality import SHORTEST_WINDOW, window_mean, windows
from audio.metrics.registry import require_metrics
from audio.metrics.signals import Samples, require_comparable
from basics.errors import InputError, Problem, Undefined

Values = dict[str, float | Undefined]
Pair = tuple[Samples, Samples]

RETRY_WINDOW = (SHORTEST_WINDOW / 2, SHORTEST_WINDOW)  # s, shortest and longest window after a crash


SETTINGS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    # glibc keeps the arrays of one pair for the next one instead of asking the system for them again: a tenth faster
    "MALLOC_MMAP_THRESHOLD_": str(1 << 28),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 29),
}
"""Environment of a worker."""


class WorkerDied(Exception):
    """A measuring process ended without a reply; the text says how."""


class Worker:
    """One measuring process, started at once and started again after it died."""

    def __init__(self) -> None:
        self._process = self._start()

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        return subprocess.Popen(
            [sys.executable, "-m", "audio.metrics.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **SETTINGS, "PYTHONPATH": path},
            start_new_session=True,  # an interrupt at the terminal is the caller's to handle
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def measure(self, pair: Pair, sample_rate: int, metrics: Sequence[str]) -> Values:
        """Values of `metrics` for one pair of (n,). Raises WorkerDied, a new process being ready, when it ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            pickle.dump((*pair, sample_rate, tuple(metrics)), stdin, protocol=5)
            stdin.flush()
            return cast(Values, pickle.load(stdout))
        except (EOFError, OSError, pickle.UnpicklingError):
            how = self._ending()
        raise WorkerDied(how)

    def _ending(self) -> str:
        self.close()
        code = self._process.returncode
        self._process = self._start()
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"

    def close(self) -> None:
        """End the process, which leaves on its own at the end of its input."""
        with suppress(OSError):
            self._process.communicate()


class Pool:
    """Workers that wait for pairs. They live as long as the program; `close` ends them."""

    def __init__(self) -> None:
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self.workers: list[Worker] = []
        self._owner = os.getpid()

    def grow(self, jobs: int) -> None:
        """Have at least `jobs` workers."""
        while len(self.workers) < jobs:
            worker = Worker()
            self.workers.append(worker)
            self._idle.put(worker)

    def measure(self, pair: Pair, sample_rate: int, metrics: Sequence[str]) -> Values:
        """Values of one pair of (n,), from whichever worker is idle. Raises WorkerDied."""
        worker = self._idle.get()
        try:
            return worker.measure(pair, sample_rate, metrics)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        if self._owner == os.getpid():
            for worker in self.workers:
                worker.close()


_pool: Pool | None = None


def shared_pool(jobs: int) -> Pool:
    """The program's pool with at least `jobs` workers; a forked child gets its own."""
    global _pool
    if _pool is None or _pool._owner != os.getpid():
        _pool = Pool()
        atexit.register(_pool.close)
    _pool.grow(jobs)
    return _pool


def measure_pairs(
    pairs: Sequence[Pair], *, sample_rate: int, metrics: Sequence[str], jobs: int | None = None
) -> list[Values]:
    """Every metric of every (reference, estimate) pair, in order: a float, or the Undefined with its reason.

    Pairs are aligned mono signals of one rate, each two vectors of one length. `jobs` processes measure side by side
    (by default one for each processor this program may use); values do not depend on it. PESQ of more than 20 s is a
    `WindowMean`. Raises InputError, before measuring anything, for unknown metrics, a rate PESQ does not take, and
    misshapen pairs: all of them at once.
    """
    _require(pairs, sample_rate, metrics)
    jobs = max(1, min(jobs or available_processors(), len(pairs)))
    pool = shared_pool(jobs)
    task = partial(measure_surely, pool, sample_rate=sample_rate, metrics=metrics)
    with ThreadPoolExecutor(jobs) as threads:
        return list(threads.map(task, pairs))


def available_processors() -> int:
    """Processors this program may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _require(pairs: Sequence[Pair], sample_rate: int, metrics: Sequence[str]) -> None:
    require_metrics(metrics, sample_rate)
    problems: list[Problem] = []
    for number, (reference, estimate) in enumerate(pairs):
        try:
            require_comparable(reference, estimate, sample_rate, where=f"pair {number}")
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)


def measure_surely(pool: Pool, pair: Pair, sample_rate: int, metrics: Sequence[str]) -> Values:
    """All metrics of one pair of (n,) in one go; after a crash each on its own, so that only the culprit is lost."""
    try:
        return pool.measure(pair, sample_rate, metrics)
    except WorkerDied:
        return {name: _measure_alone(pool, pair, sample_rate, name) for name in metrics}


def _measure_alone(pool: Pool, pair: Pair, sample_rate: int, metric: str) -> float | Undefined:
    try:
        return pool.measure(pair, sample_rate, [metric])[metric]
    except WorkerDied as death:
        if not metric.startswith("pesq"):
            return Undefined(f"{metric} crashed ({death})")
        return _measure_windows(pool, pair, sample_rate, metric)


def _measure_windows(pool: Pool, pair: Pair, sample_rate: int, metric: str) -> float | Undefined:
    """Mean over short windows, each measured in a process that may die."""
    reference, estimate = (np.asarray(signal, dtype=np.float64) for signal in pair)
    shortest, longest = RETRY_WINDOW
    values: list[float | Undefined] = []
    for start, end in windows(reference, sample_rate, longest, shortest):
        try:
            values.append(pool.measure((reference[start:end], estimate[start:end]), sample_rate, [metric])[metric])
        except WorkerDied as death:
            values.append(Undefined(f"pesq crashed ({death})"))
    try:
        return window_mean(values)
    except Undefined as undefined:
        return undefined
