"""One grading of one class: from a file to grades and its import check, and what `earwitness grade` prints of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basics.errors import InputError, Problem
from basics.messages import Message, say, together
from grader.marking.grading import Grades, Setting, grade, grade_students, hold_harmless
from grader.marking.import_check import ImportCheck, check_import
from grader.marking.regulations import NO_TIME
from grader.marking.run_record import (
    FORMAT,
    AbsentLine,
    DifferenceRecord,
    ImportCheckRecord,
    KeyRecord,
    QuestionRecord,
    RunHead,
    SubmissionsRecord,
)
from grader.marking.scoring import RULES, correct_options, mean_of, median_of, printed_points, rounded
from grader.quiz.spec import CreditRule, QuizBook
from grader.submissions.class_file import ClassFile
from grader.submissions.model import SubmissionFile, without_collection
from grader.verdicts.decisions import in_force
from grader.verdicts.key import AnswerKey, QuestionKey

if TYPE_CHECKING:
    from rich.console import Console

NO_FLOORS: Mapping[str, Fraction] = {}
SHOWN = 20
SHOWN_DIFFERENCES = 500


@dataclass(frozen=True)
class ClassRun:
    """One grading of one class, not yet written down."""

    file: SubmissionFile
    key: AnswerKey
    setting: Setting
    grades: Grades
    import_check: ImportCheckRecord | None

    def head(self) -> RunHead:
        """What the record says besides the students."""
        quiz, grades = self.setting.book.quiz, self.grades
        return RunHead(
            format=FORMAT,
            quiz=quiz.id,
            title=quiz.title,
            time_zone=quiz.time_zone,
            graded=datetime.now(UTC).replace(microsecond=0),
            submissions=SubmissionsRecord(
                file=self.file.path.name,
                sha256=self.file.digest,
                form=self.file.form,
                rows=len(self.file.submissions),
                students=len(grades.records),
                all_attempts=self.file.all_attempts,
            ),
            rule=grades.scorer.rule,
            mean=grades.mean,
            decisions=self.key.decisions,
            key=_key_record(self.setting.book, self.key),
            demonstration=self.key.demonstration,
            unsettled=grades.unsettled,
            ungraded=grades.ungraded,
            missing=tuple(
                AbsentLine(id=entry.student_id, name=entry.name, section=entry.section, lms_id=entry.lms_id)
                for entry in grades.missing
            ),
            skipped=grades.skipped,
            notes=grades.notes,
            import_check=self.import_check,
            class_file=self.setting.class_file,
            late_grace_seconds=grades.regulator.late_grace,
        )


@without_collection
def grade_file(
    file: SubmissionFile,
    book: QuizBook,
    key: AnswerKey,
    rule: CreditRule | None = None,
    class_file: ClassFile | None = None,
    floors: Mapping[str, Fraction] = NO_FLOORS,
) -> ClassRun:
    """Grade a class and check its import. Raises InputError when the parts do not fit together.

    `floors` are totals by student that hold-harmless keeps.
    """
    known = class_file or ClassFile()
    setting = Setting(book, correct_options(key), rule_in_force(book, key, rule), key.rulings, known)
    grades = grade(file, setting)
    hold_harmless(grades, floors)
    canvas_key = {name: frozenset(letters) for name, letters in known.canvas_key.items()}
    checked = check_import(file, book, {**setting.key, **canvas_key}, key_given=bool(canvas_key))
    return ClassRun(file, key, setting, grades, _import_check_record(checked) if checked else None)


def rule_in_force(book: QuizBook, key: AnswerKey, asked: CreditRule | None) -> CreditRule:
    """The credit rule: that of the decisions behind the key, else the one asked for, else the quiz's own.

    Raises InputError where one was decided and another is asked for.
    """
    decided = in_force(key.decisions).rule
    if asked and decided and asked != decided:
        told = next(d.told(n) for n, d in reversed(list(enumerate(key.decisions, 1))) if d.rule)
        remedy = say("leave it out, or change the rule with `earwitness regrade`")
        raise InputError(
            Problem(f"--rule {asked}", say("is another rule than was decided: {decision}", decision=told), remedy)
        )
    return decided or asked or book.quiz.credit_rule


def _key_record(book: QuizBook, key: AnswerKey) -> KeyRecord:
    questions = {q.id: question_record(book, q) for q in key.questions}
    return KeyRecord(digest=key.digest, accepted=key.accepted, evidence=key.evidence, questions=questions)


def question_record(book: QuizBook, key: QuestionKey) -> QuestionRecord:
    """What the record says of a question's key."""
    question = book.question(key.id)
    return QuestionRecord(
        correct=key.correct,
        choose=question.choose,
        points=question.points,
        obstacles=key.obstacles,
        demonstration=key.demonstration,
        recalled=key.recalled,
        digest=question.digest,
    )


def _import_check_record(check: ImportCheck) -> ImportCheckRecord:
    spelt = [*check.differences, *check.score_differences][:SHOWN_DIFFERENCES]
    return ImportCheckRecord(
        cells_compared=check.compared,
        cells_different=len(check.differences),
        scores_different=len(check.score_differences),
        suspect_questions=check.suspects,
        canvas_key_given=check.key_given,
        differences=tuple(
            DifferenceRecord(row=d.row, student=d.student_id, question=d.question, canvas=d.canvas, expected=d.expected)
            for d in spelt
        ),
    )


def summary(run: ClassRun, written: Sequence[Path]) -> dict[str, Any]:
    """The class in numbers; points are rounded."""
    grades = run.grades
    units: list[Any] = [grades.total_units(record) for record in grades.records]
    adjusted = [
        {"student": record.student_id, "rule": adjustment.rule, "detail": adjustment.detail}
        for record in grades.records
        for adjustment in record.adjustments
        if adjustment.rule not in ("attempts", NO_TIME)  # the notes say once what concerns a whole file
    ]
    return {
        "quiz": grades.scorer.book.quiz.id,
        "rule": grades.scorer.rule,
        "key": run.key.digest,
        "demonstration": run.key.demonstration,
        "submissions": len(run.file.submissions),
        "students": len(units),
        "mean": grades.mean,
        "median": median_of(units, grades.scorer.denominator),
        "of": rounded(sum(map(printed_points, grades.scorer.book.questions), Fraction(0))),
        "unsettled": [
            {"id": q.id, "obstacles": list(q.obstacles)} for q in run.key.questions if q.id in grades.unsettled
        ],
        "ungraded": [list(pair) for pair in grades.ungraded],
        "missing": [entry.student_id for entry in grades.missing],
        "no_submission": grades.no_submission,
        "adjustments": adjusted,
        "windows": windows(run),
        "skipped": list(grades.skipped),
        "notes": list(grades.notes),
        "overrides": [q.override.model_dump(mode="json") for q in run.key.questions if q.override],
        "decisions": [decision.told(number) for number, decision in enumerate(run.key.decisions, 1)],
        "proof": run.import_check.model_dump(mode="json") if run.import_check else None,
        "written": [str(path) for path in written],
    }


def windows(run: ClassRun) -> dict[str, str]:
    """The quiz's dates in its own zone, those that it has."""
    quiz = run.setting.book.quiz
    dates = {
        "deadline": quiz.deadline,
        "release": quiz.release,
        "revision_until": quiz.revision_until,
        "final_release": quiz.final_release,
    }
    return {name: run.grades.regulator.shown(moment) for name, moment in dates.items() if moment}


WINDOWS = {
    "deadline": say("deadline"),
    "release": say("release"),
    "revision_until": say("revision until"),
    "final_release": say("final release"),
}


def show_run(out: Console, data: dict[str, Any]) -> None:
    """All that `summary` says of a run and its digest leaves out, line by line."""
    out.print()
    windows = (say("{what} {moment}", what=WINDOWS[name], moment=moment) for name, moment in data["windows"].items())
    out.print(together(windows))
    if data["demonstration"]:
        out.print(say("DEMONSTRATION: this key rests on evidence that is not of record."), style="bold yellow")
    for question in data["unsettled"]:
        out.print(
            say(
                "not graded: {question} is not settled ({obstacles})",
                question=question["id"],
                obstacles=together(question["obstacles"]),
            ),
            style="yellow",
        )
    _listed(out, say("decided"), data["decisions"])
    _listed(out, say("not graded"), [f"{student}, {question}" for student, question in data["ungraded"]])
    _listed(out, say("skipped"), data["skipped"])
    _listed(out, say("no submission"), data["missing"])
    adjusted = [say("{student}, {rule}: {detail}", **adjustment) for adjustment in data["adjustments"]]
    _listed(out, say("regulations"), adjusted)
    _listed(out, say("note"), data["notes"])
    _show_import_check(out, data["proof"])
    _listed(out, say("written"), data["written"])


def _show_import_check(out: Console, check: dict[str, Any] | None) -> None:
    if check is None:
        return
    against = say("the key Canvas used") if check["canvas_key_given"] else say("this quiz's key")
    out.print(
        say(
            "import: {cells} cells recomputed with Canvas's rule and {key}, {different} differ; {scores} scores "
            "are not the sum of their points",
            cells=check["cells_compared"],
            key=against,
            different=check["cells_different"],
            scores=check["scores_different"],
        )
    )
    if check["suspect_questions"]:
        names = ", ".join(check["suspect_questions"])
        out.print(
            say("    most cells differ in {questions}: Canvas had another key, or other points", questions=names),
            style="yellow",
        )
    cells = [
        say("row {row}, {student}, {question}: Canvas {canvas:g}, expected {expected:g}", **d)
        for d in check["differences"]
    ]
    _listed(out, say("    differs"), cells)


def _listed(out: Console, label: Message, lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        out.print(say("{label}: {line}", label=label, line=line))
    if len(lines) > SHOWN:
        out.print(say("{label}: and {n} more (see --json or result.json)", label=label, n=len(lines) - SHOWN))


def compare_rules(run: ClassRun) -> dict[str, Any]:
    """Mean, median and, against the rule in force, who gains and loses under each credit rule."""
    students = {record.student_id: record.attempts for record in run.grades.records}
    base = run.grades.totals()
    result: dict[str, Any] = {}
    for rule in RULES:
        setting = Setting(run.setting.book, run.setting.key, rule, run.setting.rulings, run.setting.class_file)
        totals = grade_students(students, setting).totals()
        changes = {student: totals[student] - base[student] for student in base if totals[student] != base[student]}
        result[rule] = {
            "in_force": rule == run.setting.rule,
            "mean": mean_of(totals.values()),
            "median": median_of(totals.values()),
            "gain": sum(1 for change in changes.values() if change > 0),
            "lose": sum(1 for change in changes.values() if change < 0),
            "mean_change": mean_of([totals[student] - base[student] for student in base]),
            "changes": {student: rounded(change) for student, change in changes.items()},
        }
    return result


def show_comparison(out: Console, compared: dict[str, Any]) -> None:
    """The credit rules side by side, then the students who lose and gain most."""
    from rich.table import Table

    heads = (say("rule"), say("mean"), say("median"), say("gain"), say("lose"), say("mean change"))
    table = Table(*heads)
    extremes = []
    for rule, row in compared.items():
        name = say("{rule} (in force)", rule=rule) if row["in_force"] else rule
        table.add_row(name, row["mean"], row["median"], str(row["gain"]), str(row["lose"]), row["mean_change"])
        changes = sorted(row["changes"].items(), key=lambda item: Fraction(item[1]))
        for student, change in changes[:1]:
            if Fraction(change) < 0:
                extremes.append(
                    say("{rule}, largest loss: {student} {change}", rule=rule, student=student, change=change)
                )
        for student, change in changes[-1:]:
            if Fraction(change) > 0:
                extremes.append(
                    say("{rule}, largest gain: {student} +{change}", rule=rule, student=student, change=change)
                )
    out.print(table)
    for line in extremes:
        out.print(line)
