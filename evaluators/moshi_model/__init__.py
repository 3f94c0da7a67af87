"""Runs and inspects the released `moshi` package, without weights: what Moshi and Mimi do by construction.

Frame sizes, delays, streams and layer counts are read off the objects that the package's own loaders build; causality,
latency and full-duplex behaviour are observed by running them on random weights, which cannot change what depends on
what. Everything found is `executed` evidence. Nothing here is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from evaluators.evidence import Findings, Frozen, Inputs, Quantity, Site
from evaluators.moshi_model import dialogue, language_model, mimi, mimi_behaviour, reach, sources, step, text
from evaluators.moshi_model.bench import SEED, Bench, Probe, observe

PROBES: tuple[Probe, ...] = (
    *mimi.PROBES,
    *mimi_behaviour.PROBES,
    *reach.PROBES,
    *language_model.PROBES,
    *step.PROBES,
    *text.PROBES,
    *dialogue.PROBES,
    *sources.PROBES,
)


class NoParameters(Frozen):
    """A question cannot ask for less: all questions then share one stored result."""


class MoshiModel:
    """Facts about Moshi and Mimi from their released code; see docs/evaluators/moshi_model.md for every name."""

    name: ClassVar[str] = "moshi_model"
    version: ClassVar[int] = 2
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = NoParameters

    def quantities(self, parameters: Frozen) -> Iterable[Quantity]:  # noqa: ARG002
        """Every name `measure` returns, whether defined or not."""
        return [fact.quantity for probe in PROBES for fact in probe.facts]

    def inputs(self, parameters: Frozen, site: Site) -> Inputs:  # noqa: ARG002
        """The released packages and the seed of the random weights and signals."""
        return Inputs(packages=("moshi", "torch", "transformers"), seed=SEED)

    def measure(self, parameters: Frozen, site: Site) -> Findings:  # noqa: ARG002
        """Run every probe on one set of instances. Always on the CPU, on one thread."""
        bench = Bench()
        found: list[Findings] = []
        for done, probe in enumerate(PROBES):
            site.progress(f"moshi_model: {probe.title}", done / len(PROBES))
            found.append(observe(probe, bench))
        site.progress("moshi_model", 1.0)
        return Findings(
            tuple(measurement for one in found for measurement in one.measurements),
            faults=tuple(error for one in found for error in one.faults),
        )
