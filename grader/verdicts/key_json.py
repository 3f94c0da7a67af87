"""The key, its verdicts and the evidence cards as JSON data, for programs (documented in docs/json.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evaluators.entries import digests_of

if TYPE_CHECKING:
    from grader.quiz.spec import Option, QuizBook
    from grader.verdicts.decisions import Override, Ruling
    from grader.verdicts.judge import Verdict
    from grader.verdicts.key import AnswerKey
    from grader.verdicts.testimony import Testimony


def key_as_data(book: QuizBook, answer: AnswerKey, testimonies: Sequence[Testimony]) -> dict[str, Any]:
    """The key as JSON data."""
    questions = []
    for testimony in testimonies:
        entry = answer.question(testimony.question.id)
        questions.append(
            {
                "id": entry.id,
                "title": testimony.question.title,
                "points": testimony.question.points,
                "choose": entry.choose,
                "settled": entry.settled,
                "correct": list(entry.correct) if entry.correct is not None else None,
                "demonstration": entry.demonstration,
                "override": entry.override.model_dump(mode="json") if entry.override else None,
                "ruling": entry.ruling.model_dump(mode="json") if entry.ruling else None,
                "obstacles": list(entry.obstacles),
                "missing": [gap.model_dump(mode="json") for gap in testimony.missing],
                "differences": list(testimony.differences),
                "options": [
                    option_as_data(letter, option, testimony.verdicts[letter])
                    for letter, option in testimony.question.options.items()
                ],
            }
        )
    return {
        "quiz": book.quiz.id,
        "digest": answer.digest,
        "accepted": list(answer.accepted),
        "demonstration": answer.demonstration,
        "evidence": answer.evidence,
        "decisions": [decision.told(number) for number, decision in enumerate(answer.decisions, 1)],
        "questions": questions,
    }


def option_as_data(letter: str, option: Option, verdict: Verdict) -> dict[str, Any]:
    """An option with its verdict, in the one form that every command prints."""
    return {
        "letter": letter,
        "text": option.text,
        "verdict": verdict.state,
        "sources": list(verdict.sources),
        "checked": verdict.checked,
        "recalled": verdict.recalled,
        "demonstration": verdict.demonstration,
        "claim": verdict.step.claim,
        "gap": verdict.deciding.gap,
        "margin": verdict.deciding.margin,
        "deciding": verdict.deciding.model_dump(mode="json", exclude_none=True),
        "beside": [
            {"side": one.side, "evidence": one.step.claim, "stands": one.stands, "answer": one.answer}
            for one in verdict.beside
        ],
    }


def cards_as_data(
    testimony: Testimony, letters: Sequence[str], said: Sequence[Override | Ruling] = ()
) -> dict[str, Any]:
    """Evidence cards as JSON data, with what the teaching staff `said` about the question."""
    return {
        "question": testimony.question.id,
        "decided": [decision.model_dump(mode="json") for decision in said],
        "options": [
            option_as_data(letter, testimony.question.options[letter], testimony.verdicts[letter])
            | {
                "tree": testimony.verdicts[letter].step.model_dump(mode="json", exclude_none=True),
                "measurements": [
                    number.measurement.model_dump(mode="json", exclude_none=True)
                    for number in testimony.numbers(letter)
                ],
            }
            for letter in letters
        ],
        "evidence": [
            {"origin": e.origin, "digest": digests_of(e.evidence).content, "differences": list(e.differences)}
            | e.evidence.model_dump(mode="json", exclude={"measurements"})
            for e in testimony.exhibits
        ],
        "missing": [gap.model_dump(mode="json") for gap in testimony.missing],
    }
