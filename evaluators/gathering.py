"""Ask an evaluator, through the store: fingerprint first, measure only what is not known yet."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from pydantic import computed_field

from basics.errors import InputError, Unavailable
from evaluators.announcement import announced, as_announced
from evaluators.evidence import Evaluator, Evidence, Frozen, Inputs, Measurement, Site, digest
from evaluators.origin import hold_to_origin, require_own, standing_of
from evaluators.packages import cause_of, how_to_install, not_installed, show_traceback, whose_fault
from evaluators.provenance import RECIPE, package_versions, provenance
from evaluators.registry import owner
from evaluators.store import Store


def fingerprint(evaluator: Evaluator, parameters: Frozen, inputs: Inputs, site: Site) -> str:
    """sha256 of all that the result depends on: recipe, evaluator, parameters, inputs, weights, packages, seed.

    What may be said of the result at this site is part of it too, so that a demonstration never answers for more.

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
            "standing": standing_of(inputs, site),
            **({"allow_truncated": True} if site.allow_truncated else {}),
        }
    )


def plain(parameters: Frozen) -> dict[str, Any]:
    """Parameters as JSON data with all defaults resolved."""
    return parameters.model_dump(mode="json", by_alias=True)


_collected: ContextVar[list[Missing]] = ContextVar("faults of the command that runs")


class Missing(Frozen):
    """Why a request has no evidence, or not all of it, and what would supply it.

    `cause` is `absent` (clips, weights or a package are not here), `input` (a file cannot be used; `what` tells every
    problem with its remedy) or `fault` (the evaluator, or a package under it, broke).
    """

    evaluator: str
    what: str
    remedy: str = ""
    cause: Literal["absent", "input", "fault"] = "absent"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def broken(self) -> bool:
        """Whether something is wrong, rather than not here."""
        return self.cause != "absent"


class Gathered(NamedTuple):
    """Evidence, and the faults that cost a part of it."""

    evidence: Evidence
    faults: tuple[Exception, ...] = ()


class Answer(NamedTuple):
    """What became of one request: evidence, or what prevented it; both where a fault cost a part."""

    evidence: Evidence | None
    missing: Missing | None


def answer(
    evaluator: Evaluator,
    parameters: Frozen,
    site: Site,
    store: Store | None,
    *,
    refresh: bool = False,
    records: Iterable[Evidence] = (),
) -> Answer:
    """What `gather` finds, or why there is nothing.

    An evaluator may be anybody's code: whatever it raises costs this request alone, and is told. The one exception is
    an interrupt by the user.
    """
    name = evaluator.name
    try:
        evidence, faults = gather(evaluator, parameters, site, store, refresh=refresh, records=records)
        return Answer(evidence, fault(evaluator, parameters, *faults) if faults else None)
    except Unavailable as error:
        return Answer(None, Missing(evaluator=name, what=error.what, remedy=error.remedy))
    except InputError as error:
        return Answer(None, Missing(evaluator=name, what=str(error), cause="input"))
    except (Exception, SystemExit) as error:
        if package := not_installed(error):
            what = f"the package {package} is not installed here"
            return Answer(None, Missing(evaluator=name, what=what, remedy=how_to_install(package)))
        return Answer(None, fault(evaluator, parameters, error))


@contextmanager
def collected_faults() -> Iterator[list[Missing]]:
    """What breaks inside, each fault once, whatever became of the answer it cost."""
    faults: list[Missing] = []
    token = _collected.set(faults)
    try:
        yield faults
    finally:
        _collected.reset(token)


def faults_so_far() -> tuple[Missing, ...]:
    """What broke by now inside `collected_faults`; nothing outside of it."""
    return tuple(_collected.get([]))


def gather(
    evaluator: Evaluator,
    parameters: Frozen,
    site: Site,
    store: Store | None,
    *,
    refresh: bool = False,
    records: Iterable[Evidence] = (),
) -> Gathered:
    """Evidence for one request: from `records` or the store where the fingerprint is the same, or measured now.

    Wherever it comes from and whoever measured it, what its inputs do not allow to be `measured` is a demonstration.
    Raises Unavailable when clips or weights are missing, and whatever else the evaluator raises.
    """
    inputs = evaluator.inputs(parameters, site)
    require_own(inputs.weights if site.codec_in_use == site.codec_of_record else None, site)
    key = fingerprint(evaluator, parameters, inputs, site)
    use_store = store if evaluator.stored else None

    def held(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
        return hold_to_origin(measurements, announced(evaluator, parameters), inputs, site)

    if not refresh and evaluator.stored:
        known = next((record for record in records if record.fingerprint == key), None)
        if found := known or (use_store.get(key) if use_store else None):
            return Gathered(found.model_copy(update={"measurements": held(found.measurements)}))
    started, clock = datetime.now(UTC), time.perf_counter()
    findings = as_announced(evaluator, parameters, evaluator.measure(parameters, site))
    evidence = Evidence(
        evaluator=evaluator.name,
        version=evaluator.version,
        parameters=plain(parameters),
        fingerprint=key,
        measurements=held(findings.measurements),
        artefacts=findings.artefacts,
        warnings=findings.warnings,
        provenance=provenance(inputs, started=started, seconds=time.perf_counter() - clock),
    )
    if use_store and not findings.faults:
        use_store.put(evidence)
    return Gathered(evidence, findings.faults)


def fault(evaluator: Evaluator, parameters: Frozen, *errors: BaseException) -> Missing:
    """What is told of an evaluator that broke: the request, a line of cause for each error, whose fault it may be."""
    asked = parameters.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    request = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in asked.items())
    what = "; ".join(dict.fromkeys(map(cause_of, errors)))
    for error in errors:
        show_traceback(error)
    told = Missing(
        evaluator=evaluator.name,
        what=f"broke{f' (asked for {request})' if request else ''}: {what}",
        remedy=whose_fault(owner(evaluator.name), *errors),
        cause="fault",
    )
    if told not in (faults := _collected.get([])):
        faults.append(told)
    return told
