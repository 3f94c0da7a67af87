"""Facts and probes: what is looked for, and the one place where a changed package becomes an undefined measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from basics.errors import Undefined
from evaluators.evidence import Findings, Measurement, Quantity
from evaluators.moshi_model.bench import Bench, isolated
from evaluators.packages import not_installed

# How a package that has moved on shows itself to code written against an earlier release.
MOVED = (AttributeError, ImportError, KeyError, TypeError)

# How moshi turns down an input of the wrong shape: by assertion or by an explicit check.
REFUSALS = (AssertionError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Fact:
    """One quantity, and the symbol or procedure that yields it."""

    quantity: Quantity
    locator: str


class Observed(NamedTuple):
    """A value with the number of observations behind it and what a reader should know about it."""

    value: float | int
    n: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Probe:
    """Facts that are found together: `run` returns a value for each of `facts`, by name."""

    title: str
    facts: tuple[Fact, ...]
    run: Callable[[Bench], Mapping[str, Observed | float | int]]


def fact(name: str, unit: str, about: str, locator: str, *, low: float | None = 0, high: float | None = None) -> Fact:
    """A numeric fact; counts and durations start at 0 unless said otherwise."""
    return Fact(Quantity(name=name, unit=unit, about=about, low=low, high=high), locator)


def share(name: str, about: str, locator: str) -> Fact:
    """A fact that is a share of observations, in 0..1."""
    return fact(name, "share", about, locator, high=1)


def observe(probe: Probe, bench: Bench) -> Findings:
    """One measurement per fact of the probe; all undefined where it finds none, or where the package moved on.

    The latter is a fault, and nothing that was found out about Moshi.
    """
    try:
        with isolated():
            found = probe.run(bench)
        return Findings(tuple(_measurement(fact, found[fact.quantity.name]) for fact in probe.facts))
    except Undefined as error:
        return Findings(tuple(_undefined(fact, error.reason) for fact in probe.facts))
    except MOVED as error:
        if not_installed(error):
            raise
        reason = f"the probe of {probe.title} broke ({type(error).__name__}: {error})"
        return Findings(tuple(_undefined(fact, reason) for fact in probe.facts), faults=(error,))


def _measurement(fact: Fact, found: Observed | float | int) -> Measurement:
    value, n, note = found if isinstance(found, Observed) else (found, None, "")
    quantity = fact.quantity
    return Measurement(
        name=quantity.name, value=value, unit=quantity.unit, n=n, source="executed", locator=fact.locator, note=note
    )


def _undefined(fact: Fact, reason: str) -> Measurement:
    quantity = fact.quantity
    return Measurement(
        name=quantity.name, undefined=reason, unit=quantity.unit, source="executed", locator=fact.locator
    )
