"""The measures by name, and several of them on one pair for the price of their shared parts.

Other packages bring measures through the entry-point group `earwitness.metrics`: a `Function` with an attribute
`measure`, an `audio.measures.Measure`. It may have further methods: `require()` raises InputError without what else it
needs, `identity()` says what moves its values besides the package's version (a digest of weights), and `variant(what)`
is the measure that is called NAME:WHAT. They are measured at the rate of all others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from math import isfinite
from typing import Protocol

from audio.measures import MEASURES, Measure
from audio.metrics import distances, intelligibility, pitch, quality
from audio.metrics.signals import Samples
from basics.errors import InputError, Problem, Undefined
from basics.messages import say, together
from basics.suggestions import did_you_mean

GROUP = "earwitness.metrics"


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


@cache
def brought() -> Mapping[str, EntryPoint]:
    """Measures of other packages by name; a built-in one keeps its name."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in METRICS}


@cache
def function_of(name: str) -> Function:
    """The function of a measure. Raises InputError for one of another package that cannot be loaded or is none."""
    if name in METRICS:
        return METRICS[name]
    base, colon, what = name.partition(":")
    try:
        function: Function = brought()[base].load()
        if colon and hasattr(function, "variant"):
            function, colon = function.variant(what), ""
    except InputError:
        raise
    except Exception as error:  # it may be anybody's code
        what = say(
            "cannot be loaded from {target}: {error_type}: {error}",
            target=brought()[base].value,
            error_type=type(error).__name__,
            error=error,
        )
        raise InputError(
            Problem(f"metric {name!r}", what, say("check the entry point in group {group}", group=GROUP))
        ) from error
    if colon:
        raise InputError(Problem(f"metric {name!r}", say("has no variants"), say("name it {metric}", metric=base)))
    if not callable(function) or not isinstance(getattr(function, "measure", None), Measure):
        what = say("is no function with an attribute `measure`, an audio.measures.Measure")
        raise InputError(Problem(f"metric {name!r}", what, say("check the entry point in group {group}", group=GROUP)))
    return function


def facts_of(name: str) -> Measure:
    """What is to know of a measure's values: unit, range, direction, source."""
    known = {str(own): measure for own, measure in MEASURES.items()}
    return known[name] if name in known else function_of(name).measure  # type: ignore[attr-defined]


def identity_of(name: str) -> str:
    """What moves the measure's values besides versions of packages; empty where nothing does."""
    return str(getattr(function_of(name), "identity", str)())


def require_metrics(names: Collection[str], sample_rate: int) -> None:
    """Raise InputError with all names that are no metric and all metrics that do not take this rate in Hz.

    Raises ModuleNotFoundError where librosa, which F0 alone needs, is not installed.
    """
    known = ", ".join([*METRICS, *filter(_is_at_hand, brought())])
    problems: list[Problem] = []
    for name in names:
        if name not in METRICS and name.partition(":")[0] not in brought():
            meant = did_you_mean(name, METRICS) if len(name) > 2 else ""
            remedy = say("choose from {known}", known=known)
            if meant.startswith("did you mean"):
                remedy = together((remedy, meant))
            problems.append(Problem("metrics", say("unknown metric {name!r}", name=name), remedy))
        elif name not in METRICS:
            try:
                _require(name)
            except InputError as error:
                problems += error.problems
        if name in ("pesq_wb", "pesq_nb"):
            problems += quality.rate_problems(sample_rate, name.removeprefix("pesq_"))
    if problems:
        raise InputError(problems)
    if {"f0_correlation", "f0_error"} & set(names):
        pitch.require_tracker()


def _require(name: str) -> None:
    """Raises InputError where a measure of another package, or what it needs, is not here."""
    getattr(function_of(name), "require", lambda: None)()


def _is_at_hand(name: str) -> bool:
    try:
        _require(name)
    except InputError:
        return False
    return True


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
            values[name] = (_value if name in METRICS else _foreign)(
                function_of(name), reference, estimate, sample_rate
            )
    return {name: values[name] for name in metrics}


def _value(metric: Function, reference: Samples, estimate: Samples, sample_rate: int) -> float | Undefined:
    try:
        return metric(reference, estimate, sample_rate=sample_rate)
    except Undefined as undefined:
        return undefined


def _foreign(metric: Function, reference: Samples, estimate: Samples, sample_rate: int) -> float | Undefined:
    """The value of another package's measure, which may raise anything."""
    try:
        value = float(metric(reference, estimate, sample_rate=sample_rate))
    except Undefined as undefined:
        return undefined
    except MemoryError:
        raise
    except Exception as error:
        return Undefined(f"it broke: {type(error).__name__}: {error}")
    return value if isfinite(value) else Undefined(f"it returned {value}")
