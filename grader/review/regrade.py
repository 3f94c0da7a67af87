"""Regrade as a reviewable diff: the same submissions under another key, rule or ruling, and who changes by how much.

`strict` lets totals rise and fall; `hold-harmless` lets nobody's total fall below what it was. Which attempt counts is
decided anew where the regulations keep the highest one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from basics.csv_source import csv_text
from basics.errors import InputError, Problem
from basics.suggestions import did_you_mean
from basics.yaml_source import Source, read, validate
from evaluators.evidence import Frozen
from grader.marking.grading import Grades, Setting, grade_students
from grader.marking.regulations import Adjustment
from grader.marking.run_record import Policy, RunHead, RunRecord
from grader.marking.scoring import Ruling, rounded
from grader.marking.student_lines import Points, harmless
from grader.quiz.spec import CreditRule, QuizBook
from grader.submissions.model import Chosen
from grader.verdicts.key import Override, key_digest

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20


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


def regrade(old: RunRecord, book: QuizBook, changes: Changes, policy: Policy) -> Grades:
    """The run's submissions graded under `changes`; under `hold-harmless` no total is below the old one."""
    rulings = {ruling.question: ruling for ruling in (*old.rulings, *changes.rulings)}
    key = changed_key(old.correct, changes)
    setting = Setting(book, key, changes.rule or old.rule, tuple(rulings.values()), old.class_file)
    grades = grade_students(old.attempts(), setting, skipped=old.skipped)
    if policy == "hold-harmless":
        hold_harmless(grades, old.totals)
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


def changed_questions(old: RunRecord, grades: Grades) -> dict[str, list[str]]:
    """For each student the questions whose (rounded) points are other ones than in the old run."""
    shown, before = Points(grades), {student.id: student.points for student in old.students}
    return {
        record.student_id: [
            name
            for name, points, units in zip(old.key.questions, before[record.student_id], record.units, strict=True)
            if (points or "") != shown[units]
        ]
        for record in grades.records
        if record.student_id in before
    }


def regraded_head(old: RunRecord, book: QuizBook, changes: Changes, grades: Grades) -> RunHead:
    """The head of the new record: the old one with the new key, rule and rulings."""
    questions = dict(old.key.questions)
    for override in changes.overrides:
        new = {"correct": override.correct, "override": override, "obstacles": ()}
        questions[override.question] = questions[override.question].model_copy(update=new)
    correct = {name: None if chosen is None else tuple(sorted(chosen)) for name, chosen in grades.scorer.key.items()}
    key = old.key.model_copy(update={"questions": questions, "digest": key_digest(book, correct, old.key.evidence)})
    return old.model_copy(
        update={
            "rule": grades.scorer.rule,
            "rulings": tuple(grades.scorer.rulings.values()),
            "key": key,
            "unsettled": grades.unsettled,
            "ungraded": grades.ungraded,
            "notes": (*old.notes, f"regrade: {changes.reason}"),
        }
    )


def diff_data(
    old: RunHead, new: RunHead, changes: Sequence[StudentChange], totals: Mapping[str, Fraction]
) -> dict[str, Any]:
    """The diff as JSON data: what differs in key, rule and rulings, and what that does to whom."""
    n = len(totals)
    moved = sum((change.change for change in changes), Fraction(0))
    return {
        "old": side(old),
        "new": side(new),
        "key_changes": key_changes(old, new),
        "rulings": [ruling.model_dump(mode="json") for ruling in new.rulings],
        "students": n,
        "changed": len(changes),
        "up": sum(1 for change in changes if change.change > 0),
        "down": sum(1 for change in changes if change.change < 0),
        "rank_changed": sum(1 for change in changes if change.old_rank != change.new_rank),
        "mean_change": rounded(moved / n) if n else None,
        "changes": [
            {
                "student": change.student_id,
                "old": rounded(change.old),
                "new": rounded(change.new),
                "change": rounded(change.change),
                "old_rank": change.old_rank,
                "new_rank": change.new_rank,
                "questions": list(change.questions),
            }
            for change in changes
        ],
    }


def side(run: RunHead) -> dict[str, Any]:
    """What identifies one side: key, evidence, rule, submissions."""
    return {
        "key": run.key.digest,
        "evidence": run.key.evidence,
        "rule": run.rule,
        "submissions": run.submissions.sha256,
        "graded": run.graded.isoformat(),
    }


def key_changes(old: RunHead, new: RunHead) -> dict[str, dict[str, Any]]:
    """Questions whose key differs."""
    before, after = old.key.questions, new.key.questions
    return {
        name: {"old": before[name].correct, "new": after[name].correct}
        for name in after
        if name in before and sorted(before[name].correct or ["?"]) != sorted(after[name].correct or ["?"])
    }


def changed_rows(changes: Sequence[StudentChange]) -> str:
    """CSV of the students who change."""
    header = ["student_id", "old", "new", "change", "old_rank", "new_rank", "questions"]
    rows = [
        [
            harmless(c.student_id),
            rounded(c.old),
            rounded(c.new),
            rounded(c.change),
            str(c.old_rank),
            str(c.new_rank),
            " ".join(c.questions),
        ]
        for c in changes
    ]
    return csv_text([header, *rows])


def show_diff(out: Console, data: dict[str, Any]) -> None:
    """The diff for people."""
    from rich.markup import escape
    from rich.table import Table

    old, new = data["old"], data["new"]
    out.print(f"key   {old['key'][:12]} -> {new['key'][:12]}   rule {old['rule']} -> {new['rule']}")
    if old["evidence"] != new["evidence"]:
        out.print("the two keys rest on different evidence")
    for name, change in data["key_changes"].items():
        out.print(f"  {name}: {_letters(change['old'])} -> {_letters(change['new'])}")
    for ruling in data["rulings"]:
        out.print(f"  {ruling['question']}: {escape(ruling['reason'])}")
    out.print(
        f"{data['changed']} of {data['students']} students change: {data['up']} up, {data['down']} down, "
        f"{data['rank_changed']} change rank; mean change {data['mean_change']}"
    )
    table = Table("student", "old", "new", "change", "rank", "questions")
    shown = data["changes"] if len(data["changes"]) <= 2 * SHOWN else data["changes"][:SHOWN] + data["changes"][-SHOWN:]
    for row in shown:
        rank = f"{row['old_rank']} -> {row['new_rank']}"
        table.add_row(escape(row["student"]), row["old"], row["new"], row["change"], rank, " ".join(row["questions"]))
    if shown:
        out.print(table)
    if len(shown) < len(data["changes"]):
        out.print(
            f"the {SHOWN} largest losses and gains of {len(data['changes'])}; all stand in changed.csv and --json"
        )


def _letters(correct: Sequence[str] | None) -> str:
    return "not settled" if correct is None else "".join(correct) or "none"
