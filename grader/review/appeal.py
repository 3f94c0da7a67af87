"""An appeal about one option: the evidence, what would have to change, the effect on the class, and the decision.

The packet is written beside the result that holds the key; the decision, once made, goes into the packet, and an
accepted one comes with the change file for `regrade`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Literal

import yaml

from grader.feedback.arithmetic import work_out
from grader.feedback.evidence import grounds_in_words
from grader.marking.grading import Grades, StudentRecord
from grader.marking.scoring import rounded, share
from grader.marking.student_lines import letters
from grader.review.sensitivity import flipped, sensitivity
from grader.verdicts.judge import Comparison
from grader.verdicts.key import AnswerKey

Decision = Literal["accepted", "rejected"]
RECALLED = "rests on a fact quoted from memory"


@dataclass(frozen=True)
class Appeal:
    """Who appeals about what; `decision` and `reason` are empty while the appeal is open."""

    question: str
    letter: str
    student: str
    decision: Decision | None = None
    reason: str = ""
    by: str = ""


def packet(grades: Grades, key: AnswerKey, appeal: Appeal) -> dict[str, Any]:
    """Everything about the appeal as JSON data. The question must be settled and the student in the result."""
    book = grades.scorer.book
    question = book.question(appeal.question)
    index = [q.id for q in book.questions].index(question.id)
    entry = key.question(question.id)
    verdict = entry.verdicts[appeal.letter]
    correct = grades.scorer.key[question.id] or frozenset()
    other = flipped(question, correct, appeal.letter)
    [flip] = [f for f in sensitivity(grades, key) if (f.question, f.letter) == (question.id, appeal.letter)]
    now = datetime.now(UTC)
    return {
        "question": question.id,
        "option": appeal.letter,
        "text": question.options[appeal.letter].text,
        "student": appeal.student,
        "opened": now.isoformat(timespec="seconds"),
        "within_revision_window": _within(now, book.quiz.revision_until),
        "key": {"digest": key.digest, "correct": letters(correct)},
        "evidence": {
            "verdict": verdict.state,
            "sources": list(verdict.sources),
            "grounds": grounds_in_words(verdict, RECALLED),
            "override": entry.override.model_dump(mode="json") if entry.override else None,
        },
        "what_would_change_it": [change for ground in verdict.grounds for change in would_change(ground)],
        "if_accepted": {
            "correct": letters(other),
            "students_changed": flip.changed,
            "n": flip.n,
            "mean_change": rounded(flip.mean_change, 3),
            "this_student": _for_student(grades, appeal.student, index, other),
        },
        "decision": _decision(appeal, now),
        "change_file": change_file(appeal, letters(other)) if appeal.decision == "accepted" else None,
    }


def would_change(comparison: Comparison) -> list[str]:
    """What a measurement would have to be for the comparison to come out otherwise."""
    dissent = [f"{m.name} = {m.value} ({m.source}: {m.locator})" for m in comparison.dissent]
    found = [f"the other source were right: {', '.join(dissent)}"] if dissent else []
    names = " and ".join(m.name for m in comparison.measurements)
    if comparison.state == "inconclusive":
        return [*found, f"{names} were known well enough: {comparison.reason}"]
    if comparison.gap is None:
        return [*found, f"{names} were another fact than {', '.join(str(m.value) for m in comparison.measurements)}"]
    needed = comparison.gap + comparison.margin
    return [*found, f"{names} moved by more than {needed:.4g} ({comparison.gap:.4g} to the threshold, and the margin)"]


def change_file(appeal: Appeal, correct: str) -> str:
    """The change file that carries the decision into a regrade."""
    reason = appeal.reason or f"appeal by {appeal.student} about {appeal.letter}"
    override = {"question": appeal.question, "correct": list(correct), "reason": reason, "by": appeal.by}
    return yaml.safe_dump({"reason": reason, "overrides": [override]}, sort_keys=False, allow_unicode=True)


def record_of(grades: Grades, student: str) -> StudentRecord | None:
    """The student's record, or None."""
    return next((record for record in grades.records if record.student_id == student), None)


def _for_student(grades: Grades, student: str, index: int, other: frozenset[str]) -> dict[str, Any]:
    record = record_of(grades, student)
    kept = record.decision.kept if record else None
    chosen = kept.chosen[index] if kept else None
    if record is None or chosen is None:
        return {"ticked": None, "points": None, "points_then": None}
    question, scorer = grades.scorer.book.questions[index], grades.scorer
    ruling = scorer.rulings.get(question.id)
    now = work_out(question, scorer.key[question.id], chosen, scorer.rule, ruling)
    then = share(question, other, chosen, scorer.rule, ruling).points(question)
    total = grades.total(record) + (then - Fraction(scorer.points(index, chosen) or 0)) * record.decision.factor
    return {
        "ticked": letters(chosen),
        "points": now.points,
        "arithmetic": now.formula,
        "points_then": rounded(then),
        "total": rounded(grades.total(record)),
        "total_then": rounded(total),
    }


def _within(now: datetime, until: datetime | None) -> bool | None:
    return None if until is None else now <= until


def _decision(appeal: Appeal, now: datetime) -> dict[str, Any] | None:
    if appeal.decision is None:
        return None
    return {
        "outcome": appeal.decision,
        "reason": appeal.reason,
        "by": appeal.by,
        "time": now.isoformat(timespec="seconds"),
    }
