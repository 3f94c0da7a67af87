"""Ask an evaluator, through the store: fingerprint first, measure only what is not known yet."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from evaluators.evidence import Evaluator, Evidence, Frozen, Inputs, Site, digest
from evaluators.provenance import RECIPE, package_versions, provenance
from evaluators.store import Store


def fingerprint(evaluator: Evaluator, parameters: Frozen, inputs: Inputs) -> str:
    """sha256 of all that the result depends on: recipe, evaluator, parameters, inputs, weights, packages, seed.

    Paths, times and machine names are not part of it.
    """
    return digest(
        {
            "recipe": RECIPE,
            "evaluator": evaluator.name,
            "version": evaluator.version,
            "parameters": plain(parameters),
            "inputs": list(inputs.files.items()),
            "weights": inputs.weights,
            "packages": package_versions(inputs.packages),
            "seed": inputs.seed,
        }
    )


def plain(parameters: Frozen) -> dict[str, Any]:
    """Parameters as JSON data with all defaults resolved."""
    return parameters.model_dump(mode="json", by_alias=True)


def gather(
    evaluator: Evaluator,
    parameters: Frozen,
    site: Site,
    store: Store | None,
    *,
    refresh: bool = False,
    records: Iterable[Evidence] = (),
) -> Evidence:
    """Evidence for one request: from `records` or the store where the fingerprint is the same, or measured now.

    Raises Unavailable when clips or weights are missing.
    """
    inputs = evaluator.inputs(parameters, site)
    key = fingerprint(evaluator, parameters, inputs)
    use_store = store if evaluator.stored else None
    if not refresh and evaluator.stored:
        known = next((record for record in records if record.fingerprint == key), None)
        if found := known or (use_store.get(key) if use_store else None):
            return found
    started, clock = datetime.now(UTC), time.perf_counter()
    findings = evaluator.measure(parameters, site)
    evidence = Evidence(
        evaluator=evaluator.name,
        version=evaluator.version,
        parameters=plain(parameters),
        fingerprint=key,
        measurements=findings.measurements,
        artefacts=findings.artefacts,
        provenance=provenance(inputs, started=started, seconds=time.perf_counter() - clock),
    )
    if use_store:
        use_store.put(evidence)
    return evidence
