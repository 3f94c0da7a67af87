"""Gather the evidence of several questions in one go: shared requests once, each result kept, no failure fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluators.evidence import Evidence, Frozen, Site, request_key
from evaluators.gathering import Missing, answer, plain
from evaluators.registry import get
from evaluators.store import Store
from grader.quiz.loading import parameters_of
from grader.quiz.spec import EvidenceRequest, Question
from grader.verdicts.gather import Mode


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
    result.evidence, result.problem = answer(
        evaluator, parameters_of(result.request), site, store, refresh=mode == "refresh", records=records
    )
