"""Ask an evaluator, through the store: fingerprint first, measure only what is not known yet."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from pydantic import computed_field

from basics.errors import InputError, Unavailable
from basics.files import sha256_of
from basics.messages import NOTHING, Message, said_by, say
from evaluators.announcement import NotAsAnnounced, announced, as_announced, as_inputs
from evaluators.evidence import (
    Evaluator,
    Evidence,
    Findings,
    Frozen,
    Inputs,
    Measurement,
    Quantity,
    Site,
    Source,
    digest,
    quiz_files,
    request_key,
    store_name,
)
from evaluators.origin import hold_to_origin, require_own, standing_of
from evaluators.packages import cause_of, how_to_install, not_installed, show_traceback, shown_output, whose_fault
from evaluators.provenance import RECIPE, package_versions, provenance, sha256_in
from evaluators.registry import BUILT_IN, owner, source_digest
from evaluators.store import Store


def fingerprint(evaluator: Evaluator, parameters: Frozen, inputs: Inputs, site: Site) -> str:
    """sha256 of all that the result depends on: recipe, evaluator, parameters, inputs, weights, packages, seed.

    What may be said of the result at this site is part of it too, so that a demonstration never answers for more.

    Paths, times and machine names are not part of it: of a file of the quiz, what is in it.
    """
    placeless, files = quiz_files(parameters)
    return digest(
        {
            "recipe": RECIPE,
            "evaluator": evaluator.name,
            "version": evaluator.version,
            "parameters": placeless,
            **({"files": [sha256_of(site.file(name)) for name in files]} if files else {}),
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
    problem with its remedy) or `fault` (the evaluator, or a package under it, broke). `output` are the last lines that
    the evaluator printed before it broke, where it ran in a process of its own.
    """

    evaluator: str
    what: Message
    remedy: Message = NOTHING
    output: str = ""
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
        with _alone(evaluator, parameters, store):
            evidence, faults = gather(evaluator, parameters, site, store, refresh=refresh, records=records)
        return Answer(evidence, fault(evaluator, parameters, *faults) if faults else None)
    except Unavailable as error:
        return Answer(None, Missing(evaluator=name, what=error.what, remedy=error.remedy))
    except InputError as error:
        return Answer(None, Missing(evaluator=name, what=said_by(error), cause="input"))
    except (Exception, SystemExit) as error:
        if package := not_installed(error):
            what = say("the package {package} is not installed here", package=package)
            return Answer(None, Missing(evaluator=name, what=what, remedy=how_to_install(package)))
        return Answer(None, fault(evaluator, parameters, error))


def _alone(evaluator: Evaluator, parameters: Frozen, store: Store | None) -> AbstractContextManager[None]:
    """What one process measures, another one that asks for the same waits for: it finds it in the store then."""
    if store is None or not evaluator.stored:
        return nullcontext()
    return store.alone_with(digest([evaluator.name, evaluator.version, plain(parameters)]))


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
    inputs = as_inputs(evaluator.inputs(parameters, site))
    require_own(inputs.weights if site.codec_in_use == site.codec_of_record else None, site)
    key, asked = fingerprint(evaluator, parameters, inputs, site), asked_by(evaluator, parameters)
    files = _files(parameters, inputs, site)

    def held(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
        return hold_to_origin(measurements, announced(evaluator, parameters), inputs, site)

    if not refresh and evaluator.stored:
        known = next((one for one in records if (one.fingerprint, one.request) == (key, asked)), None)
        if found := known or (store.get(store_name(key, asked, files)) if store else None):
            return Gathered(found.model_copy(update={"measurements": held(found.measurements)}))
    started, clock = datetime.now(UTC), time.perf_counter()
    findings = _blaming(as_announced(evaluator, parameters, evaluator.measure(parameters, site)))
    place = store or Store(site.cache)
    if lost := [one.path for one in findings.artefacts if not place.holds(one.path, one.sha256)]:
        raise NotAsAnnounced(f"it names {lost[0]}, which the store does not hold (see Store.artefact)")
    name, quantities = evaluator.name, announced(evaluator, parameters)
    foreign = name not in BUILT_IN
    absent = _absent(name, findings, quantities) if foreign else ()
    by = {"evaluator": owner(name), "code": source_digest(name), "files": files}
    evidence = Evidence(
        evaluator=name,
        version=evaluator.version,
        parameters=plain(parameters),
        asked=asked_of(parameters) if foreign else {},
        announced=quantities if foreign else (),
        fingerprint=key,
        measurements=held((*findings.measurements, *absent)),
        artefacts=findings.artefacts,
        warnings=findings.warnings,
        provenance=provenance(inputs, started=started, seconds=time.perf_counter() - clock, **by),
    )
    if store and not findings.faults and kept(evaluator):
        store.put(evidence)
    return Gathered(evidence, findings.faults)


def asked_by(evaluator: Evaluator, parameters: Frozen) -> str:
    """What `Evidence.request` of an answer will be."""
    return request_key(evaluator.name, evaluator.version, plain(parameters))


def kept(evaluator: Evaluator) -> bool:
    """Whether answers are kept, so that what only looks at what is there need not ask again.

    All are but those of what is built in and faster asked than looked up: it is at hand wherever this program is.
    """
    return evaluator.stored or evaluator.name not in BUILT_IN


def _blaming(findings: Findings) -> Findings:
    """Where faults cost a part, what has no value may owe that to them: it counts as not measured."""
    if not findings.faults:
        return findings
    held = (m if m.undefined is None else m.model_copy(update={"unmeasured": True}) for m in findings.measurements)
    return replace(findings, measurements=tuple(held))


def asked_of(parameters: Frozen) -> dict[str, Any]:
    """What is asked for besides the defaults, as JSON data."""
    return parameters.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _files(parameters: Frozen, inputs: Inputs, site: Site) -> dict[str, str]:
    """Files of the quiz that were read, with their sha256: those that parameters name, and declared inputs that are."""
    if site.quiz is None:
        return {}
    named = {name: sha256_of(site.file(name)) for name in quiz_files(parameters)[1]}
    declared = {name: sha256 for name, sha256 in inputs.files.items() if sha256_in(site.quiz, name) == sha256}
    return named | declared


def _absent(name: str, findings: Findings, quantities: Iterable[Quantity]) -> Iterator[Measurement]:
    """What was announced and is not there: undefined, of the source of what is there."""
    given = {measurement.name: measurement.source for measurement in findings.measurements}
    source: Source = next(iter(given.values()), "measured")
    for quantity in quantities:
        if quantity.name not in given:
            reason = f"the evaluator {name} announced it, and gave nothing for it"
            yield Measurement(name=quantity.name, undefined=reason, unmeasured=True, source=source)


def fault(evaluator: Evaluator, parameters: Frozen, *errors: BaseException) -> Missing:
    """What is told of an evaluator that broke: the request, a line of cause for each error, whose fault it may be."""
    asked = asked_of(parameters)
    request = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in asked.items())
    what = "; ".join(dict.fromkeys(map(cause_of, errors)))
    told = say("broke: {cause}", cause=what)
    if request:
        told = say("broke (asked for {request}): {cause}", request=request, cause=what)
    return broke(evaluator.name, told, *errors)


def broke(name: str, what: Message, *errors: BaseException) -> Missing:
    """What is told of an evaluator that broke, and by what."""
    for error in errors:
        show_traceback(error)
    remedy = whose_fault(owner(name), *errors)
    return told(Missing(evaluator=name, what=what, remedy=remedy, output=shown_output(*errors), cause="fault"))


def told(missing: Missing) -> Missing:
    """A fault, told once by the command that runs however often it is met."""
    if missing not in (faults := _collected.get([])):
        faults.append(missing)
    return missing
