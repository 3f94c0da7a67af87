"""Grade a class: regulations choose the attempt, the credit rule scores it, and a record per student says how.

Everything here is in memory and exact; `grader.marking.run_record` writes it down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from basics.errors import InputError, Problem
from basics.messages import say
from grader.marking.regulations import UNCHANGED, Adjustment, Decision, Regulator
from grader.marking.scoring import Scorer, lint_key, mean_of, rounded
from grader.quiz.spec import CreditRule, QuizBook
from grader.submissions.class_file import ClassFile, NoSubmission
from grader.submissions.model import Chosen, RosterEntry, Submission, SubmissionFile, without_collection
from grader.submissions.roster import read_roster, reconcile, unknown_students
from grader.verdicts.decisions import Ruling

HELD = "hold-harmless"
"""The rule that an adjustment of a held total names."""


@dataclass(slots=True)
class StudentRecord:
    """One student's grade.

    `units` are points per question in the scorer's unit, None where nothing could be graded; `earned` is their sum
    before violations. `held` is the total that a hold-harmless regrade leaves the student with, where its own
    arithmetic gives less.
    """

    attempts: Sequence[Submission]
    decision: Decision
    units: tuple[int | None, ...]
    held: Fraction | None = None
    earned: int = field(init=False)

    def __post_init__(self) -> None:
        self.earned = sum(filter(None, self.units))

    @property
    def student_id(self) -> str:
        return self.attempts[0].student_id

    @property
    def name(self) -> str:
        return self.attempts[0].name

    @property
    def section(self) -> str:
        return self.attempts[0].section

    @property
    def adjustments(self) -> tuple[Adjustment, ...]:
        return self.decision.adjustments


@dataclass(frozen=True)
class Grades:
    """A graded class.

    Attributes:
        records: one per student who submitted, in the order of their first row.
        missing: students on the roster without a submission; `no_submission` is what becomes of them.
        unsettled: ids of questions that nobody is graded on.
        ungraded: (student, question) pairs that a student was not given or that the TA skipped.
    """

    scorer: Scorer
    regulator: Regulator
    records: tuple[StudentRecord, ...]
    missing: tuple[RosterEntry, ...] = ()
    unsettled: tuple[str, ...] = ()
    ungraded: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    no_submission: NoSubmission = "listed"

    def total(self, record: StudentRecord) -> Fraction:
        """The student's points after all adjustments, exact."""
        return self.scorer.fraction(self.total_units(record))

    def total_units(self, record: StudentRecord) -> int | Fraction:
        """The same in the scorer's unit: whole numbers except where a violation took a part."""
        if record.held is not None:
            return record.held * self.scorer.denominator
        factor = record.decision.factor
        return record.earned if factor is UNCHANGED else record.earned * factor

    def totals(self) -> dict[str, Fraction]:
        """Exact totals by student id."""
        return {record.student_id: self.total(record) for record in self.records}

    @property
    def mean(self) -> str | None:
        """The mean total of all who submitted, in points."""
        return mean_of([self.total_units(record) for record in self.records], self.scorer.denominator)

    @property
    def complete(self) -> bool:
        """Whether every question could be graded for everybody."""
        return not self.unsettled and not self.ungraded


@dataclass(frozen=True)
class Setting:
    """All that decides grades besides the submissions; `late_grace` (seconds) is the quiz's own unless given."""

    book: QuizBook
    key: Mapping[str, Chosen | None]
    rule: CreditRule
    rulings: tuple[Ruling, ...] = ()
    class_file: ClassFile = field(default_factory=ClassFile)
    late_grace: int | None = None


def grade(file: SubmissionFile, setting: Setting) -> Grades:
    """Grade every student of `file`. Raises InputError if roster, class file and submissions do not fit together."""
    roster = roster_of(setting.class_file)
    missing = check_students(file, setting.class_file, roster)
    notes = [*file.notes, *lint_key(Scorer(setting.book, setting.key, setting.rule, setting.rulings))]
    if setting.class_file.extensions and all(s.submitted is None for s in file.submissions):
        notes.append(say("the file has no times: nothing can be late, extensions have no effect"))
    known = (named(submission, roster) for submission in file.submissions) if roster else file.submissions
    students = by_student(known)
    return grade_students(students, setting, missing, tuple(notes), file.skipped)


def named(submission: Submission, roster: Mapping[str, RosterEntry]) -> Submission:
    """The submission, with name and section from the roster where the file has none."""
    entry = roster.get(submission.student_id)
    if entry is None or (submission.name and submission.section):
        return submission
    return replace(submission, name=submission.name or entry.name, section=submission.section or entry.section)


@without_collection
def grade_students(
    students: Mapping[str, Sequence[Submission]],
    setting: Setting,
    missing: tuple[RosterEntry, ...] = (),
    notes: tuple[str, ...] = (),
    skipped: tuple[str, ...] = (),
) -> Grades:
    """Grade attempts that are grouped by student already."""
    scorer = Scorer(setting.book, setting.key, setting.rule, setting.rulings)
    regulator = Regulator(setting.book.quiz, setting.class_file, setting.late_grace)
    records = tuple(_record(attempts, scorer, regulator) for attempts in students.values())
    ids = [question.id for question in setting.book.questions]
    unsettled = tuple(name for name, graded in zip(ids, scorer.graded, strict=True) if not graded)
    ungraded = tuple(_ungraded(records, ids, scorer))
    wanted = setting.class_file.no_submission
    return Grades(scorer, regulator, records, missing, unsettled, ungraded, notes, skipped, wanted)


def hold_harmless(grades: Grades, floors: Mapping[str, Fraction]) -> None:
    """Raise every total below the student's floor to it, with a line in the record; who has none is left alone."""
    for record in grades.records:
        before = floors.get(record.student_id)
        if before is not None and (now := grades.total(record)) < before:
            detail = say(
                "the regrade gives {new_total}, the earlier total {old_total} is kept",
                new_total=rounded(now),
                old_total=rounded(before),
            )
            record.held = before
            record.decision.adjustments = (*record.decision.adjustments, Adjustment(HELD, detail))


def by_student(submissions: Iterable[Submission]) -> dict[str, list[Submission]]:
    """Attempts by student id, in the order of the file."""
    result: dict[str, list[Submission]] = {}
    for submission in submissions:
        result.setdefault(submission.student_id, []).append(submission)
    return result


def roster_of(class_file: ClassFile) -> Mapping[str, RosterEntry]:
    """The class list by student id; empty where there is none."""
    return read_roster(Path(class_file.roster)) if class_file.roster else {}


def check_students(
    file: SubmissionFile, class_file: ClassFile, roster: Mapping[str, RosterEntry] | None = None
) -> tuple[RosterEntry, ...]:
    """Students on the roster who did not submit; `roster` is the class file's, where it was read already.

    Raises InputError for students whom nobody knows.
    """
    roster = roster_of(class_file) if roster is None else roster
    missing: tuple[RosterEntry, ...] = ()
    problems: list[Problem] = []
    if roster:
        missing, problems = reconcile(roster, file.submissions, file.path.name)
    if class_file.extensions or class_file.violations:
        known = {s.student_id: RosterEntry(s.student_id, s.name) for s in file.submissions} | dict(roster)
        problems += unknown_students([e.student for e in class_file.extensions], known, "extensions")
        problems += unknown_students([v.student for v in class_file.violations], known, "violations")
    if problems:
        raise InputError(problems)
    return missing


def _record(attempts: Sequence[Submission], scorer: Scorer, regulator: Regulator) -> StudentRecord:
    decision = regulator.decide(attempts, scorer)
    if decision.kept is None:
        return StudentRecord(attempts, decision, tuple(0 if graded else None for graded in scorer.graded))
    return StudentRecord(attempts, decision, scorer.sheet(decision.kept.chosen))


def _ungraded(records: Sequence[StudentRecord], ids: Sequence[str], scorer: Scorer) -> Iterator[tuple[str, str]]:
    for record in records:
        if None in record.units:
            for name, units, graded in zip(ids, record.units, scorer.graded, strict=True):
                if units is None and graded:
                    yield record.student_id, name
