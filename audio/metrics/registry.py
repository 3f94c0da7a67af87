"""The measures by name, and several of them on one pair for the price of their shared parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Protocol

from audio.metrics import distances, intelligibility, pitch, quality
from audio.metrics.signals import Samples
from basics.errors import InputError, Problem, Undefined


class Function(Protocol):
    """A measure of an estimate (n,) against its reference (n,); raises Undefined where it has no value."""

    def __call__(self, reference: Samples, estimate: Samples, *, sample_rate: int) -> float: ...


METRICS: Mapping[str, Function] = {
    "pesq_wb": partial(quality.pesq, mode="wb"),
    "pesq_nb": partial(quality.pesq, mode="nb"),
    "stoi": intelligibility.stoi,
    "estoi": intelligibility.estoi,
    "si_sdr": distances.si_sdr,
    "log_mel_distance": distances.log_mel_distance,
    "mrstft_distance": distances.multi_resolution_stft_distance,
    "f0_correlation": pitch.f0_correlation,
    "f0_error": pitch.f0_error,
}
"""The function of each of `audio.measures.MEASURES`."""


def require_metrics(names: Collection[str], sample_rate: int) -> None:
    """Raise InputError with all names that are no metric and all metrics that do not take this rate in Hz.

    Raises ModuleNotFoundError where librosa, which F0 alone needs, is not installed.
    """
    known = ", ".join(METRICS)
    problems = [
        Problem("metrics", f"unknown metric {name!r}", f"choose from {known}") for name in names if name not in METRICS
    ]
    for name in names:
        if name in ("pesq_wb", "pesq_nb"):
            problems += quality.rate_problems(sample_rate, name.removeprefix("pesq_"))
    if problems:
        raise InputError(problems)
    if {"f0_correlation", "f0_error"} & set(names):
        pitch.require_tracker()


def measure(
    reference: Samples, estimate: Samples, *, sample_rate: int, metrics: Sequence[str]
) -> dict[str, float | Undefined]:
    """Value of each named metric for two signals (n,), or the Undefined it raised; units as in `audio.measures`.

    STOI and ESTOI share their common part, as do the two of F0. Raises InputError for shapes and rates that a metric
    does not take.
    """
    values: dict[str, float | Undefined] = {}
    if {"stoi", "estoi"} <= set(metrics):
        try:
            values.update(intelligibility.stoi_and_estoi(reference, estimate, sample_rate=sample_rate)._asdict())
        except Undefined as undefined:
            values.update(stoi=undefined, estoi=undefined)
    if {"f0_correlation", "f0_error"} <= set(metrics):
        try:
            correlation, error = pitch.f0_correlation_and_error(reference, estimate, sample_rate=sample_rate)
            values.update(f0_correlation=correlation, f0_error=error)
        except Undefined as undefined:
            values.update(f0_correlation=undefined, f0_error=undefined)
    for name in metrics:
        if name not in values:
            values[name] = _value(METRICS[name], reference, estimate, sample_rate)
    return {name: values[name] for name in metrics}


def _value(metric: Function, reference: Samples, estimate: Samples, sample_rate: int) -> float | Undefined:
    try:
        return metric(reference, estimate, sample_rate=sample_rate)
    except Undefined as undefined:
        return undefined
