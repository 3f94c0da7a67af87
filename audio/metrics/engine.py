"""Measure many pairs in the program's worker processes; no crash of one measure loses the value of another.

`pesq` holds the interpreter's lock, so threads do not help, and its C code may end the process: hence processes
(`basics.workers`). A pair whose worker crashed is measured again metric by metric, and PESQ then window by window; what
still crashes is Undefined. A worker that cannot start or is killed is the machine's fault: MachineFault, and no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from audio.metrics.quality import SHORTEST_WINDOW, window_mean, windows
from audio.metrics.registry import require_metrics
from audio.metrics.signals import Samples, require_comparable
from audio.metrics.worker import measure_here
from basics.errors import InputError, Problem, Undefined
from basics.workers import Crashed, Pool, side_by_side

Values = dict[str, float | Undefined]
Pair = tuple[Samples, Samples]

RETRY_WINDOW = (SHORTEST_WINDOW / 2, SHORTEST_WINDOW)  # s, shortest and longest window after a crash


def measure_pairs(
    pairs: Sequence[Pair], *, sample_rate: int, metrics: Sequence[str], jobs: int | None = None
) -> list[Values]:
    """Every metric of every (reference, estimate) pair, in order: a float, or the Undefined with its reason.

    Pairs are aligned mono signals of one rate, each two vectors of one length. `jobs` processes measure side by side
    (by default one for each processor this program may use); values do not depend on it. PESQ of more than 20 s is a
    `WindowMean`. Raises InputError, before measuring anything, for unknown metrics, a rate PESQ does not take, and
    misshapen pairs: all of them at once. Raises MachineFault where a process cannot start or is killed.
    """
    _require(pairs, sample_rate, metrics)
    tasks = [partial(measure_surely, pair=pair, sample_rate=sample_rate, metrics=metrics) for pair in pairs]
    return list(side_by_side(tasks, jobs))


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


def measure_surely(pool: Pool, *, pair: Pair, sample_rate: int, metrics: Sequence[str]) -> Values:
    """All metrics of one pair of (n,) in one go; after a crash each on its own, so that only the culprit is lost."""
    try:
        return pool.call(measure_here, *pair, sample_rate, metrics)
    except Crashed:
        return {name: _measure_alone(pool, pair, sample_rate, name) for name in metrics}


def _measure_alone(pool: Pool, pair: Pair, sample_rate: int, metric: str) -> float | Undefined:
    try:
        return pool.call(measure_here, *pair, sample_rate, [metric])[metric]
    except Crashed as crash:
        if not metric.startswith("pesq"):
            return Undefined(f"{metric} crashed ({crash})")
        return _measure_windows(pool, pair, sample_rate, metric)


def _measure_windows(pool: Pool, pair: Pair, sample_rate: int, metric: str) -> float | Undefined:
    """Mean over short windows, each measured in a process that may die."""
    reference, estimate = (np.asarray(signal, dtype=np.float64) for signal in pair)
    shortest, longest = RETRY_WINDOW
    values: list[float | Undefined] = []
    for start, end in windows(reference, sample_rate, longest, shortest):
        try:
            span = reference[start:end], estimate[start:end]
            values.append(pool.call(measure_here, *span, sample_rate, [metric])[metric])
        except Crashed as crash:
            values.append(Undefined(f"pesq crashed ({crash})"))
    try:
        return window_mean(values)
    except Undefined as undefined:
        return undefined
