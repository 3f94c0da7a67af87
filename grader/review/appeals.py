"""Appeals about one option: the evidence, what would have to change, the effect on the class, and the decision.

Packets are kept beside the result that holds the key, one for each appeal, decided once, every step in the ledger; an
accepted one comes with the change file for `regrade`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from basics.errors import InputError, Problem
from basics.files import write_whole
from basics.folders import staging
from basics.suggestions import did_you_mean
from grader.feedback.wording import grounds_in_words, work_out
from grader.feedback.writing import file_names
from grader.marking.grading import Grades, StudentRecord
from grader.marking.scoring import rounded, share
from grader.marking.student_lines import letters
from grader.review import ledger
from grader.review.sensitivity import flipped, sensitivity
from grader.verdicts.judge import Comparison
from grader.verdicts.key import AnswerKey

if TYPE_CHECKING:
    from rich.console import Console


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


FOLDER = "appeals"
SHORTEST_REASON = 8


def handle_appeal(grades: Grades, key: AnswerKey, appeal: Appeal, result: Path) -> dict[str, Any]:
    """Write the packet of an appeal, with its decision if there is one.

    Raises InputError for an unknown student or option, an unsettled question, a decision without a reason, and for an
    appeal that has been decided.
    """
    if problems := _problems(grades, appeal):
        raise InputError(problems)
    out = result if result.is_dir() else result.parent
    data = packet(grades, key, appeal)
    name = f"{FOLDER}/{appeal.question}-{appeal.letter}-{file_names([appeal.student])[appeal.student]}"
    files = [f"{name}.json", *([f"{name}.yaml"] if data["change_file"] else [])]
    outcome = appeal.decision or "opened"
    known = {"key": key.digest, "question": appeal.question, "option": appeal.letter, "outcome": outcome}
    with staging(out) as stage:

        def write() -> None:
            data["opened"] = _opened(out / files[0]) or data["opened"]
            packed = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
            for file, text in zip(files, (packed, data["change_file"]), strict=False):
                write_whole(stage.file(file), text.encode())
            ledger.record(stage, "appeal", known, files)

        stage.commit(write)
    return data | {"written": [str(out / file) for file in files]}


def _opened(path: Path) -> str | None:
    """When the appeal at `path` was opened, or None. Raises InputError if it has been decided."""
    if not path.exists():
        return None
    earlier = json.loads(path.read_text(encoding="utf-8"))
    if earlier["decision"]:
        what = f"was {earlier['decision']['outcome']} on {earlier['decision']['time']}"
        raise InputError(Problem(str(path), what, "a decided appeal is not changed; regrade, or appeal anew elsewhere"))
    return str(earlier["opened"])


def _problems(grades: Grades, appeal: Appeal) -> list[Problem]:
    book = grades.scorer.book
    question = book.question(appeal.question)
    problems = []
    if appeal.letter not in question.options:
        what = f"is not in {question.id}"
        problems.append(Problem(f"option {appeal.letter}", what, did_you_mean(appeal.letter, question.options)))
    if grades.scorer.key[question.id] is None:
        problems.append(Problem(question.id, "is not settled, there is no verdict to appeal against", "settle it"))
    if record_of(grades, appeal.student) is None:
        known = [record.student_id for record in grades.records]
        problems.append(
            Problem(f"student {appeal.student}", "is not in the result", did_you_mean(appeal.student, known))
        )
    if appeal.decision and len(appeal.reason) < SHORTEST_REASON:
        problems.append(Problem("--decision", "needs a reason that can be read later", "give it with --reason"))
    return problems


def show_appeal(out: Console, data: dict[str, Any]) -> None:
    """The packet for people."""
    from rich.markup import escape

    out.print(f"{data['question']} {data['option']}: {escape(data['text'])}", style="bold")
    out.print(f"verdict: {data['evidence']['verdict']}; key {data['key']['correct'] or 'none'}")
    for ground in data["evidence"]["grounds"]:
        out.print(f"  {escape(ground)}")
    out.print("It would come out otherwise if")
    for change in data["what_would_change_it"]:
        out.print(f"  {escape(change)}")
    effect, student = data["if_accepted"], data["if_accepted"]["this_student"]
    out.print(
        f"if accepted, the key is {effect['correct'] or 'none'}: {effect['students_changed']} of {effect['n']} "
        f"students change, mean change {effect['mean_change']}"
    )
    if student["points"] is not None:
        out.print(
            f"{escape(data['student'])} ticked {student['ticked'] or 'nothing'}: {student['points']} -> "
            f"{student['points_then']} points, total {student['total']} -> {student['total_then']}"
        )
    if data["within_revision_window"] is False:
        out.print("the revision window is over", style="yellow")
    if data["decision"]:
        out.print(f"{data['decision']['outcome']}: {escape(data['decision']['reason'])}", style="bold")
    for path in data["written"]:
        out.print(f"written: {escape(path)}")
