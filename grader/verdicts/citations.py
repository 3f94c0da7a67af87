"""The cited facts that a quiz's claims compare, each with the options that it bears on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evaluators.evidence import Measurement
from grader.quiz.claims import comparisons, names_of
from grader.quiz.loading import CITING, evaluator_of, parameters_of
from grader.quiz.spec import Question, QuizBook


@dataclass(frozen=True)
class Citation:
    """A fact that somebody published, and the options (`q08 B`) whose claims compare it."""

    measurement: Measurement
    about: str
    options: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """JSON data."""
        told = self.measurement.model_dump(mode="json", exclude_none=True)
        return told | {"about": self.about, "options": list(self.options), "standing": self.measurement.standing}


def citations(book: QuizBook) -> list[Citation]:
    """Every cited fact that a claim compares or answers, in order of its first question."""
    used: dict[str, list[str]] = {}
    for question in book.questions:
        for name, letter in _compared(question):
            used.setdefault(name, []).append(f"{question.id} {letter}")
    found: dict[str, Citation] = {}
    for question in book.questions:
        for measurement, about in _cited(question, book):
            if options := used.get(measurement.name):
                found.setdefault(measurement.name, Citation(measurement, about, tuple(dict.fromkeys(options))))
    return list(found.values())


def _compared(question: Question) -> Iterator[tuple[str, str]]:
    for letter, option in question.options.items():
        for claim in option.claims:
            for comparison in comparisons(claim):
                yield from ((name, letter) for name in names_of(comparison))


def _cited(question: Question, book: QuizBook) -> Iterator[tuple[Measurement, str]]:
    for request in question.evidence:
        if request.evaluator in CITING:
            evaluator, parameters = evaluator_of(request, book.bench), parameters_of(request, book.bench)
            about = {quantity.name: quantity.about for quantity in evaluator.quantities(parameters)}
            for m in evaluator.measure(parameters, book.site).measurements:
                named = m.model_copy(update={"name": request.named(m.name)})
                yield named, about[m.name]
