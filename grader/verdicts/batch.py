"""Gather the evidence of several questions in one go: shared requests once, each result kept, no failure fatal."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audio.errors import InputError, Unavailable
from evaluators.evidence import Evidence, Frozen, Measurement, Site, request_key
from evaluators.gathering import gather, plain
from evaluators.registry import get
from evaluators.store import Store
from grader.quiz.loading import parameters_of
from grader.quiz.spec import EvidenceRequest, Question
from grader.verdicts.gather import Missing, Mode, read_records


@dataclass
class Result:
    """What became of one request: evidence, or the problem that prevented it."""

    evaluator: str
    questions: list[str]
    request: EvidenceRequest
    origin: str = ""
    evidence: Evidence | None = None
    problem: Missing | None = None

    def as_data(self) -> dict[str, Any]:
        """JSON data."""
        return {
            "evaluator": self.evaluator,
            "questions": self.questions,
            "origin": self.origin,
            "evidence": self.evidence.model_dump(mode="json") if self.evidence else None,
            "problem": self.problem.model_dump(mode="json") if self.problem else None,
        }


def gather_all(
    questions: Iterable[Question],
    site: Site,
    store: Store,
    mode: Mode,
    report: Callable[[str, float], None],
    records: Sequence[Evidence] = (),
) -> list[Result]:
    """The results of all requests of these questions, in order of first appearance.

    `records` is evidence of record: what depends on the same inputs, versions and seed is not measured again.
    """
    results: dict[str, Result] = {}
    for question in questions:
        for request in question.evidence:
            key = _key(request, parameters_of(request))
            results.setdefault(key, Result(request.evaluator, [], request)).questions.append(question.id)
    for i, (key, result) in enumerate(results.items()):
        start, share = i / len(results), 1 / len(results)
        report(result.evaluator, start)

        def inside(step: str, done: float, start: float = start, share: float = share) -> None:
            report(step, start + share * done)

        _fill(result, key, replace(site, progress=inside), store, mode, records)
    return list(results.values())


def _key(request: EvidenceRequest, parameters: Frozen) -> str:
    evaluator = get(request.evaluator)
    return request_key(evaluator.name, evaluator.version, plain(parameters))


def _fill(result: Result, key: str, site: Site, store: Store, mode: Mode, records: Sequence[Evidence]) -> None:
    evaluator = get(result.evaluator)
    if mode == "cached" and evaluator.stored:
        known = store.latest(key)
        result.evidence, result.origin = (known[0], "from the store") if known else (None, "")
        result.problem = None if known else Missing(evaluator=evaluator.name, what="nothing is stored yet")
        return
    try:
        refresh = mode == "refresh"
        result.evidence = gather(
            evaluator, parameters_of(result.request), site, store, refresh=refresh, records=records
        )
    except Unavailable as error:
        result.problem = Missing(evaluator=evaluator.name, what=error.what, remedy=error.remedy)
    except InputError as error:
        result.problem = Missing(evaluator=evaluator.name, what=str(error), broken=True)
    except Exception as error:  # an evaluator may be anybody's code: its failure must not lose the others' results
        trace = "".join(traceback.format_exception(error)[-3:])
        result.problem = Missing(evaluator=evaluator.name, what=f"broke: {error!r}", remedy=trace, broken=True)


def changes(folder: Path, evidence: Evidence) -> list[str]:
    """What would change if `evidence` became that of record: a line for each that differs as shown, appears or goes."""
    known = [record for record in read_records(folder) if record.request == evidence.request]
    old = {(m.name, m.source): m for m in known[0].measurements} if known else {}
    new = {(m.name, m.source): m for m in evidence.measurements}
    lines = [f"  new      {name} = {_shown(m)}" for (name, source), m in new.items() if (name, source) not in old]
    lines += [f"  gone     {name} = {_shown(m)}" for (name, source), m in old.items() if (name, source) not in new]
    for key in [key for key in new if key in old]:
        if _shown(old[key]) != _shown(new[key]):
            lines.append(f"  changed  {key[0]}: {_shown(old[key])} -> {_shown(new[key])}")
    return lines or ["  nothing changes"]


def _shown(m: Measurement) -> str:
    from grader.verdicts.showing import value_of

    return value_of(m) + (f", n = {m.n}" if m.n is not None else "")
