"""Regrade as a reviewable diff: the same submissions under another key, rule or ruling, and who changes by how much.

`strict` lets totals rise and fall; `hold-harmless` lets nobody's total fall below what it was. Which attempt counts is
decided anew where the regulations keep the highest one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from basics.errors import InputError, Problem
from basics.suggestions import did_you_mean
from basics.yaml_source import Source, read, validate
from evaluators.evidence import Frozen
from grader.marking.grading import Grades, Setting, grade_students
from grader.marking.records import attempts_of, class_file_of, key_of, rule_of, rulings_of, totals_of
from grader.marking.regulations import Adjustment
from grader.marking.scoring import Ruling, rounded
from grader.quiz.spec import CreditRule, QuizBook
from grader.submissions.model import Chosen
from grader.verdicts.key import Override, key_digest

Policy = Literal["strict", "hold-harmless"]


class Changes(Frozen):
    """A change file: another rule, other keys (overrides), rulings; each with its reason."""

    rule: CreditRule | None = None
    overrides: tuple[Override, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    reason: Annotated[str, Field(min_length=8)]


@dataclass(frozen=True)
class StudentChange:
    """One student before and after; ranks from 1, equal totals share the better rank."""

    student_id: str
    old: Fraction
    new: Fraction
    old_rank: int
    new_rank: int
    questions: tuple[str, ...] = ()

    @property
    def change(self) -> Fraction:
        return self.new - self.old


def read_changes(path: Path, book: QuizBook) -> Changes:
    """A change file. Raises InputError for unknown questions or letters, and for a file that changes nothing."""
    source = read(path)
    changes = validate(Changes, source)
    problems = []
    for key in ("overrides", "rulings"):
        for i, entry in enumerate(getattr(changes, key)):
            problems += _unknown(entry, source, (key, i), book)
    if not (changes.rule or changes.overrides or changes.rulings):
        problems.append(Problem(path.name, "changes nothing", "give rule, overrides or rulings"))
    if problems:
        raise InputError(problems)
    return changes


def _unknown(entry: Override | Ruling, source: Source, at: tuple[str | int, ...], book: QuizBook) -> list[Problem]:
    ids = [question.id for question in book.questions]
    if entry.question not in ids:
        return [Problem(source.where(at), f"{entry.question} is not in the quiz", did_you_mean(entry.question, ids))]
    question = book.question(entry.question)
    named = entry.correct if isinstance(entry, Override) else (*entry.disregard, *entry.always_correct)
    unknown = sorted(set(named) - set(question.options))
    problems = []
    if unknown:
        what = f"{question.id} has no option {', '.join(unknown)}"
        problems.append(Problem(source.where(at), what, f"its options are {', '.join(question.options)}"))
    if isinstance(entry, Override) and question.choose == "one" and len(entry.correct) != 1:
        problems.append(Problem(source.where(at), f"{question.id} is choose-one", "give one letter"))
    if isinstance(entry, Ruling) and not (named or entry.everyone):
        problems.append(Problem(source.where(at), "decides nothing", "give disregard, always_correct or everyone"))
    return problems


def changed_key(old: Mapping[str, Chosen | None], changes: Changes) -> dict[str, Chosen | None]:
    """The key with the overrides of a change file."""
    return {**old, **{override.question: frozenset(override.correct) for override in changes.overrides}}


def regrade(result: dict[str, Any], book: QuizBook, changes: Changes, policy: Policy) -> Grades:
    """The result's submissions graded under `changes`; under `hold-harmless` no total is below the old one."""
    rulings = {ruling.question: ruling for ruling in (*rulings_of(result), *changes.rulings)}
    setting = Setting(
        book,
        changed_key(key_of(result), changes),
        changes.rule or rule_of(result),
        tuple(rulings.values()),
        class_file_of(result),
    )
    grades = grade_students(attempts_of(result, book), setting, skipped=tuple(result["skipped"]))
    if policy == "hold-harmless":
        hold_harmless(grades, totals_of(result))
    return grades


def hold_harmless(grades: Grades, old: Mapping[str, Fraction]) -> None:
    """Raise every total that fell back to what it was, with a line in the student's record."""
    for record in grades.records:
        before, now = old[record.student_id], grades.total(record)
        if now < before:
            detail = f"the regrade gives {rounded(now)}, the earlier total {rounded(before)} is kept"
            record.held = before
            record.decision.adjustments = (*record.decision.adjustments, Adjustment("hold-harmless", detail))


def compare(
    old: Mapping[str, Fraction], new: Mapping[str, Fraction], questions: Mapping[str, Sequence[str]] | None = None
) -> list[StudentChange]:
    """Students whose total changes, the largest loss first. Raises InputError if the two name other students."""
    if old.keys() != new.keys():
        only = sorted(old.keys() ^ new.keys())
        what = f"the two results are of different students: {', '.join(only[:5])}{' …' if len(only) > 5 else ''}"
        raise InputError(Problem("regrade", what, "compare results of the same submissions"))
    before, after = ranks(old), ranks(new)
    changes = [
        StudentChange(s, old[s], new[s], before[s], after[s], tuple((questions or {}).get(s, ())))
        for s in old
        if old[s] != new[s]
    ]
    return sorted(changes, key=lambda change: (change.change, change.student_id))


def ranks(totals: Mapping[str, Fraction]) -> dict[str, int]:
    """Rank of each student, 1 for the best; equal totals share the better rank."""
    first: dict[Fraction, int] = {}
    for place, total in enumerate(sorted(totals.values(), reverse=True), start=1):
        first.setdefault(total, place)
    return {student: first[total] for student, total in totals.items()}


def changed_questions(old: dict[str, Any], new: dict[str, Any]) -> dict[str, list[str]]:
    """For each student the questions whose (rounded) points differ between two results."""
    ids = list(new["key"]["questions"])
    before = {student["id"]: student["points"] for student in old["students"]}
    return {
        student["id"]: [q for q, a, b in zip(ids, before[student["id"]], student["points"], strict=True) if a != b]
        for student in new["students"]
        if student["id"] in before
    }


def regraded_head(result: dict[str, Any], book: QuizBook, changes: Changes, grades: Grades) -> dict[str, Any]:
    """The head of the new result: the old one with the new key, rule and rulings, and where it comes from."""
    questions = {name: dict(question) for name, question in result["key"]["questions"].items()}
    for override in changes.overrides:
        new = {"correct": list(override.correct), "override": override.model_dump(mode="json"), "obstacles": []}
        questions[override.question].update(new)
    correct = {name: None if chosen is None else tuple(sorted(chosen)) for name, chosen in grades.scorer.key.items()}
    head = {name: value for name, value in result.items() if name != "students"}
    return head | {
        "rule": grades.scorer.rule,
        "rulings": [ruling.model_dump(mode="json") for ruling in grades.scorer.rulings.values()],
        "key": {**result["key"], "questions": questions, "digest": key_digest(book, correct)},
        "unsettled": list(grades.unsettled),
        "ungraded": [list(pair) for pair in grades.ungraded],
    }
