"""From a result to a gradebook file: planned, tried on an imitation of the importer, and only then written."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basics.errors import InputError, Problem
from basics.files import read_bytes, write_whole
from basics.messages import say, together
from grader.exports.gradebook import Gradebook, Transfer, column_of, defused, doubtful, gradebook_file, transfer
from grader.exports.importer import Outcome, imitate
from grader.marking.run_record import RunRecord, read_run

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20


@dataclass(frozen=True)
class Plan:
    """A gradebook file that was tried: `outcome` is what the importer makes of `content`, `notes` are for people."""

    gradebook: Gradebook
    transfer: Transfer
    content: bytes
    outcome: Outcome
    run: RunRecord
    notes: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write the file. Raises InputError if the importer would do anything but the planned changes."""
        if not self.outcome.safe or not self.as_planned:
            problem = (
                self.outcome.refused or together(self.outcome.lints) or say("the importer would do something else")
            )
            raise InputError(
                Problem(
                    str(path), say("was not written: {problem}", problem=problem), say("run without --out to see what")
                )
            )
        write_whole(path, self.content)

    @property
    def as_planned(self) -> bool:
        """Whether the import would change exactly the planned scores."""
        planned = {(c.student.login or c.student.lms_id, c.old, c.new) for c in self.transfer.changes}
        return planned == {(e.student, e.old, e.new) for e in self.outcome.effects}

    def as_data(self, out: Path | None) -> dict[str, Any]:
        """The plan as JSON data."""
        return {
            "assignment": self.gradebook.table.header[self.transfer.column],
            "key": self.run.key.digest,
            "mean": self.run.mean,
            "decisions": [decision.told(number) for number, decision in enumerate(self.run.decisions, 1)],
            "changes": [
                {"student": c.student.login or c.student.lms_id, "id": c.student.lms_id, "old": c.old, "new": c.new}
                for c in self.transfer.changes
            ],
            "unchanged": self.transfer.unchanged,
            "left_alone": list(self.transfer.left_alone),
            "notes": list(self.notes),
            "dry_run": outcome_data(self.outcome) | {"as_planned": self.as_planned},
            "written": str(out) if out else None,
        }


def plan_transfer(result_path: Path, gradebook: Gradebook, assignment: str, *, scale: bool, partial: bool) -> Plan:
    """Plan the transfer of a result into a gradebook column. Raises InputError where the two do not fit together."""
    result = read_run(result_path)
    column = gradebook.column(assignment)
    factor = _factor(result, gradebook, column, scale=scale)
    if problems := obstacles(result, partial=partial):
        raise InputError(problems)
    absent = result.missing if result.class_file.no_submission == "zero" else ()
    lms_ids = {s.id: s.lms_id for s in result.students} | {s.id: s.lms_id for s in absent}
    totals = {**result.totals, **{student.id: Fraction(0) for student in absent}}
    plan = transfer(gradebook, column, totals, lms_ids, factor)
    content = gradebook_file(gradebook, plan)
    notes = [f"{student.id}: no submission, 0.00 as the class file has it (no_submission: zero)" for student in absent]
    notes += defused(gradebook, plan)
    return Plan(gradebook, plan, content, imitate(content, gradebook), result, tuple(notes))


def checked(path: Path, gradebook: Gradebook) -> dict[str, Any]:
    """What importing the file at `path` would do. Raises InputError for doubtful scores in the gradebook."""
    if problems := doubtful(gradebook, gradebook.assignments, gradebook.students):
        raise InputError(problems)
    return outcome_data(imitate(read_bytes(path), gradebook))


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON data."""
    return {
        "safe": outcome.safe,
        "encoding": outcome.encoding,
        "refused": outcome.refused,
        "changes": [
            {"student": e.student, "assignment": e.assignment, "old": e.old, "new": e.new} for e in outcome.effects
        ],
        "erased": [e.student for e in outcome.effects if e.new == ""],
        "created_assignments": outcome.created_assignments,
        "created_students": outcome.created_students,
        "dropped_columns": outcome.dropped,
        "lost_assignments": outcome.lost,
        "changed_columns": outcome.custom_changed,
        "points_changed": outcome.points_changed,
        "lints": outcome.lints,
    }


def _factor(result: RunRecord, gradebook: Gradebook, column: int, *, scale: bool) -> Fraction:
    """What totals are multiplied by; 1 where the assignment's points are the quiz's."""
    quiz = sum(Fraction(str(question.points)) for question in result.key.questions.values())
    possible = gradebook.possible(column)
    if possible == quiz:
        return Fraction(1)
    if scale:
        return possible / quiz
    what = say("is worth {possible:g} points in the LMS, the quiz {quiz:g}", possible=float(possible), quiz=float(quiz))
    raise InputError(Problem(column_of(gradebook, column), what, say("correct it in the LMS, or say --scale")))


def obstacles(result: RunRecord, *, partial: bool) -> list[Problem]:
    """Why a result is not to leave for another system as if it were whole; none with `partial`."""
    where = "result"
    if partial:
        return []
    problems = [
        Problem(
            where,
            say("{question} is not settled and not in the totals", question=name),
            say("settle it, or say --partial"),
        )
        for name in result.unsettled
    ]
    problems += [
        Problem(
            where,
            say("{question} of {student} is not graded", question=question, student=student),
            say("see to it, or say --partial"),
        )
        for student, question in result.ungraded
    ]
    if result.demonstration:
        problems.append(Problem(where, say("rests on demonstration evidence"), say("measure it, or say --partial")))
    return problems


def show_plan(out: Console, plan: Plan, written: Path | None) -> None:
    """The plan for people."""
    out.print(column_of(plan.gradebook, plan.transfer.column), style="bold")
    out.print(say("key {digest}   mean {mean}", digest=plan.run.key.digest[:12], mean=plan.run.mean))
    for line in plan.as_data(None)["decisions"]:
        out.print(say("decided: {decision}", decision=line))
    for change in plan.transfer.changes[:SHOWN]:
        student = change.student
        old = change.old or say("none")
        out.print(say("  {who}: {old} -> {new}", who=student.login or student.lms_id, old=old, new=change.new))
    if len(plan.transfer.changes) > SHOWN:
        out.print(say("  and {n} more", n=len(plan.transfer.changes) - SHOWN))
    out.print(
        say("{n} scores change, {unchanged} stay", n=len(plan.transfer.changes), unchanged=plan.transfer.unchanged)
    )
    for line in plan.transfer.left_alone:
        out.print(say("  {line}", line=line))
    for note in plan.notes:
        out.print(say("  {note}", note=note), style="yellow", soft_wrap=True)
    show_outcome(out, outcome_data(plan.outcome))
    out.print(say("written: {path}", path=written) if written else say("dry run: nothing was written"))


def show_outcome(out: Console, outcome: dict[str, Any]) -> None:
    """What the importer would do, for people."""
    if outcome["refused"]:
        out.print(say("the importer refuses the file: {reason}", reason=outcome["refused"]), style="red")
    else:
        out.print(
            say(
                "the importer reads it as {encoding} and changes {n} scores",
                encoding=outcome["encoding"],
                n=len(outcome["changes"]),
            )
        )
    for label, lines in (
        (say("would erase the score of {entry}", entry=""), outcome["erased"]),
        (say("would create the assignment {entry}", entry=""), outcome["created_assignments"]),
        (say("would create the student {entry}", entry=""), outcome["created_students"]),
        (say("would drop the column {entry}", entry=""), outcome["dropped_columns"]),
        (say("would lose the scores of {entry}", entry=""), outcome["lost_assignments"]),
        (say("would change {entry}", entry=""), outcome["changed_columns"]),
        (say("would change points possible: {entry}", entry=""), outcome["points_changed"]),
        (say("{entry}", entry=""), outcome["lints"]),
    ):
        for line in lines[:SHOWN]:
            out.print(say("  {what}", what=label.filled(entry=line)), style="yellow")
