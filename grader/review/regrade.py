"""Regrade as a reviewable diff: the same submissions under another key, rule or ruling, and who changes by how much.

`strict` lets totals rise and fall; `hold-harmless` lets nobody's total fall below what it was, in this regrade and in
every later one, until a decision of its own lifts it. Which attempt counts is decided anew where the regulations keep
the highest one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basics.csv_source import csv_text
from basics.errors import InputError, Problem
from basics.messages import say
from basics.yaml_source import read, validate
from evaluators.evidence import Frozen
from grader.marking.class_run import question_record
from grader.marking.grading import Grades, grade_students, hold_harmless
from grader.marking.run_record import Policy, QuestionRecord, RunHead, RunRecord, setting_of
from grader.marking.scoring import lint_key, mean_of, rounded
from grader.marking.student_lines import Points, harmless
from grader.quiz.spec import CreditRule, QuizBook
from grader.verdicts.decisions import (
    DecisionFile,
    Decisions,
    Reason,
    StaffDecision,
    as_decisions,
    faults,
    in_force,
    standing,
)
from grader.verdicts.key import in_letters, key_digest
from grader.verdicts.testimony import answer_key

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20


class Lift(Frozen):
    """Hold-harmless ends: totals may fall again."""

    reason: Reason
    by: str = ""


Questions = Mapping[str, QuestionRecord]
"""The record of each question's key, by question."""


class Changes(DecisionFile):
    """A change file: another rule, overrides and rulings, the end of hold-harmless; each with its reason."""

    rule: CreditRule | None = None
    lift_hold_harmless: Lift | None = None
    reason: Reason

    def decisions(self, book: QuizBook, when: datetime, policy: Policy) -> Decisions:
        """What enters the list of a run that is regraded at `when`."""
        made = as_decisions(book, [*self.overrides, *self.rulings], when, self.by)
        if self.rule:
            made += (StaffDecision(what="credit-rule", rule=self.rule, reason=self.reason, by=self.by, when=when),)
        if self.lift_hold_harmless:
            lift = self.lift_hold_harmless
            made += (StaffDecision(what="lift-hold-harmless", reason=lift.reason, by=lift.by or self.by, when=when),)
        if policy == "hold-harmless":
            made += (StaffDecision(what="hold-harmless", reason=self.reason, by=self.by, when=when),)
        return made


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
    problems = faults(changes, source, book)
    if not (changes.rule or changes.overrides or changes.rulings or changes.lift_hold_harmless):
        problems.append(
            Problem(path.name, say("changes nothing"), say("give rule, overrides, rulings or lift_hold_harmless"))
        )
    if problems:
        raise InputError(problems)
    return changes


def regrade(old: RunRecord, book: QuizBook, changes: Changes, decisions: Decisions, questions: Questions) -> Grades:
    """The run's submissions graded anew by the key of `questions_under` the decisions.

    `decisions` is the run's list with that of `changes` at its end. While hold-harmless is in force, no total is below
    the old one. Raises InputError for decisions that cannot both hold.
    """
    decided = in_force(decisions)
    key = {name: None if q.correct is None else frozenset(q.correct) for name, q in questions.items()}
    rulings = tuple(decided.rulings.values())
    setting = replace(setting_of(old, book), key=key, rule=changes.rule or old.rule, rulings=rulings)
    grades = grade_students(old.attempts(), setting, old.absent, skipped=old.skipped)
    if decided.hold_harmless:
        hold_harmless(grades, old.totals)
    return grades


def questions_under(old: RunRecord, book: QuizBook, decisions: Decisions) -> Questions:
    """The key of the run by question under these decisions: overridden, as it was, or the evidence's once more.

    Raises InputError where an override was taken back and the evidence is not what the run rests on.
    """
    overrides = in_force(decisions).overrides
    questions = dict(old.key.questions)
    for name, override in overrides.items():
        decided = {"correct": override.correct, "obstacles": (), "demonstration": False}
        questions[name] = questions[name].model_copy(update=decided)
    if freed := [name for name in in_force(old.decisions).overrides if name not in overrides]:
        key = answer_key(book, accept=old.key.accepted, decisions=decisions)
        if key.evidence != old.key.evidence:
            what = say("is to be decided by the evidence, which is other than it was in the run")
            remedy = say("grade again with `earwitness grade FILE --override RUN`, and take the override back there")
            raise InputError(Problem(name, what, remedy) for name in freed)
        questions |= {name: question_record(book, key.question(name)) for name in freed}
    return questions


def compare(
    old: Mapping[str, Fraction], new: Mapping[str, Fraction], questions: Mapping[str, Sequence[str]] | None = None
) -> list[StudentChange]:
    """Students whose total changes, the largest loss first. Raises InputError if the two name other students."""
    if old.keys() != new.keys():
        only = sorted(old.keys() ^ new.keys())
        named = ", ".join(only[:5]) + (" …" if len(only) > 5 else "")
        what = say("the two results are of different students: {students}", students=named)
        raise InputError(Problem("regrade", what, say("compare results of the same submissions")))
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


def regraded_head(
    old: RunRecord, book: QuizBook, changes: Changes, decisions: Decisions, questions: Questions, grades: Grades
) -> RunHead:
    """The head of the new record: the old one with the new key, rule and decisions."""
    correct = {name: None if chosen is None else tuple(sorted(chosen)) for name, chosen in grades.scorer.key.items()}
    key = old.key.model_copy(update={"questions": questions, "digest": key_digest(book, correct, old.key.evidence)})
    return old.model_copy(
        update={
            "rule": grades.scorer.rule,
            "mean": grades.mean,
            "decisions": decisions,
            "key": key,
            "demonstration": any(question.demonstration for question in questions.values()),
            "unsettled": grades.unsettled,
            "ungraded": grades.ungraded,
            "notes": tuple(dict.fromkeys((*old.notes, f"regrade: {changes.reason}", *lint_key(grades.scorer)))),
        }
    )


def lost_decisions(old: RunHead, new: RunHead) -> list[str]:
    """Decisions of the old run that the new one does not carry, in words."""
    carried = {decision.substance for decision in new.decisions}
    return [d.told(number) for number, d in standing(old.decisions) if d.substance not in carried]


def diff_data(
    old: RunHead, new: RunHead, changes: Sequence[StudentChange], totals: Mapping[str, Fraction]
) -> dict[str, Any]:
    """The diff as JSON data: what differs in key, rule and rulings, and what that does to whom."""
    moved = {change.student_id: change.change for change in changes}
    return {
        "old": side(old),
        "new": side(new),
        "key_changes": key_changes(old, new),
        "rulings": [ruling.model_dump(mode="json") for ruling in new.rulings],
        "decisions": decision_lines(new.decisions),
        "lost_decisions": lost_decisions(old, new),
        "notes": [note for note in new.notes if note not in old.notes],
        "students": len(totals),
        "changed": len(changes),
        "up": sum(1 for change in changes if change.change > 0),
        "down": sum(1 for change in changes if change.change < 0),
        "rank_changed": sum(1 for change in changes if change.old_rank != change.new_rank),
        "mean": {"old": old.mean, "new": new.mean},
        "mean_change": mean_of([moved.get(student, Fraction(0)) for student in totals]),
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


def decision_lines(decisions: Decisions) -> list[str]:
    """The list in words; a decision that was taken back says by which one."""
    by = {number: at for at, decision in enumerate(decisions, 1) for number in decision.replaces}
    return [
        say("{decision} (replaced by {number})", decision=decision.told(number), number=by[number])
        if number in by
        else decision.told(number)
        for number, decision in enumerate(decisions, 1)
    ]


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
    from rich.table import Table

    old, new = data["old"], data["new"]
    head = say(
        "key   {old_key} -> {new_key}   rule {old_rule} -> {new_rule}",
        old_key=old["key"][:12],
        new_key=new["key"][:12],
        old_rule=old["rule"],
        new_rule=new["rule"],
    )
    out.print(head)
    if old["evidence"] != new["evidence"]:
        out.print(say("the two keys rest on different evidence"))
    for name, change in data["key_changes"].items():
        was, now = in_letters(change["old"]), in_letters(change["new"])
        out.print(say("  {question}: {was} -> {now}", question=name, was=was, now=now))
    for line in data["decisions"]:
        out.print(say("decided: {decision}", decision=line))
    for line in data["lost_decisions"]:
        out.print(say("the new run does not carry: {decision}", decision=line), style="yellow")
    counts = say(
        "{changed} of {students} students change: {up} up, {down} down, {rank_changed} change rank; "
        "mean {old_mean} -> {new_mean}, change {mean_change}",
        changed=data["changed"],
        students=data["students"],
        up=data["up"],
        down=data["down"],
        rank_changed=data["rank_changed"],
        mean_change=data["mean_change"],
        old_mean=data["mean"]["old"],
        new_mean=data["mean"]["new"],
    )
    out.print(counts)
    for note in data["notes"]:
        out.print(say("note: {note}", note=note), style="yellow")
    table = Table(say("student"), say("old"), say("new"), say("change"), say("rank"), say("questions"))
    shown = data["changes"] if len(data["changes"]) <= 2 * SHOWN else data["changes"][:SHOWN] + data["changes"][-SHOWN:]
    for row in shown:
        rank = f"{row['old_rank']} -> {row['new_rank']}"
        table.add_row(row["student"], row["old"], row["new"], row["change"], rank, " ".join(row["questions"]))
    if shown:
        out.print(table)
    if len(shown) < len(data["changes"]):
        told = say(
            "the {shown} largest losses and gains of {n}; all stand in changed.csv and --json",
            shown=SHOWN,
            n=len(data["changes"]),
        )
        out.print(told)
