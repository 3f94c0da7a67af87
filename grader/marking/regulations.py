"""Apply the course's regulations to a student's attempts: which one counts, what is late, what a violation costs.

Every adjustment is a record that names the rule. Times are compared in UTC; days are those of the quiz's time zone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from basics.messages import Message, say
from grader.marking.scoring import Scorer
from grader.quiz.spec import Quiz
from grader.submissions.class_file import ClassFile, Extension, Violation
from grader.submissions.model import Submission

UNCHANGED = Fraction(1)
NO_TIME = "no time"
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One rule that had an effect (or could have had one) on a student's grade."""

    rule: str
    detail: Message


@dataclass(slots=True, eq=False)
class Decision:
    """What the regulations make of a student's attempts. Treated as immutable, like a submission.

    `kept` is None when no attempt was handed in in time. `factor` multiplies the homework's points; `final_factor` and
    `final_grade` are for the course's final grade, which is computed elsewhere.
    """

    kept: Submission | None
    adjustments: tuple[Adjustment, ...] = ()
    factor: Fraction = UNCHANGED
    final_factor: Fraction = UNCHANGED
    final_grade: str = ""


class Regulator:
    """Applies a quiz's regulations and a class file's extensions and violations."""

    def __init__(self, quiz: Quiz, class_file: ClassFile, late_grace: int | None = None) -> None:
        """`late_grace` is in seconds; the quiz's own unless given."""
        self.quiz = quiz
        self.late_grace = quiz.regulations.late_grace_seconds if late_grace is None else late_grace
        self.extensions: Mapping[str, Extension] = {e.student: e for e in class_file.extensions}
        self.violations: Mapping[str, Violation] = {v.student: v for v in class_file.violations}
        self._deadline = quiz.deadline.astimezone(UTC)
        self._grace = timedelta(seconds=self.late_grace)
        self._special = self.extensions.keys() | self.violations.keys()
        self._daily = quiz.regulations.attempts_per_day
        self._no_times = class_file.no_times

    def decide(self, attempts: Sequence[Submission], scorer: Scorer) -> Decision:
        """The attempt that counts and all adjustments; `scorer` says which of several attempts is worth most."""
        student = attempts[0].student_id
        untimed = [attempt for attempt in attempts if attempt.submitted is None] if self._no_times else []
        if len(attempts) == 1 and student not in self._special and not untimed and not self.is_late(attempts[0]):
            return Decision(attempts[0])
        adjustments = [
            Adjustment(
                NO_TIME,
                say(
                    "{attempt} has no time and is taken to be in time: {reason}",
                    attempt=_named(attempt),
                    reason=self._no_times,
                ),
            )
            for attempt in untimed
        ]
        in_time = [attempt for attempt in attempts if not self.is_late(attempt)]
        accepted = in_time if self.quiz.regulations.late == "refused" else list(attempts)
        if student in self.extensions:
            adjustments.append(self._extended(self.extensions[student]))
        if len(in_time) < len(attempts):
            adjustments += [self._late(a) for a in attempts if self.is_late(a)]
        if self._daily is not None and len(attempts) > self._daily:
            adjustments += self._too_many(attempts)
        kept = keep(accepted, self.quiz.regulations.attempts, scorer)
        if len(accepted) > 1 and kept:
            policy = self.quiz.regulations.attempts
            detail = say(
                "{policy} of {n} attempts counts: {attempt}", policy=policy, n=len(accepted), attempt=_named(kept)
            )
            adjustments.append(Adjustment("attempts", detail))
        if student in self.violations:
            return self._punished(self.violations[student], kept, adjustments)
        return Decision(kept, tuple(adjustments))

    def deadline(self, student: str) -> datetime:
        """The student's deadline in UTC; an extension never shortens."""
        extension = self.extensions.get(student)
        return max(self._deadline, extension.until.astimezone(UTC)) if extension else self._deadline

    def is_late(self, attempt: Submission) -> bool:
        """Whether the attempt came after the student's deadline and its grace; their last second is in time."""
        if attempt.submitted is None:
            return False
        deadline = self.deadline(attempt.student_id) if self.extensions else self._deadline
        return attempt.submitted - self._grace > deadline

    def shown(self, moment: datetime) -> str:
        """A time in the quiz's own zone, with its offset."""
        text = self.quiz.local(moment).strftime("%Y-%m-%d %H:%M:%S %z")
        return f"{text[:-2]}:{text[-2:]}"

    def _extended(self, extension: Extension) -> Adjustment:
        until, deadline = self.shown(extension.until), self.shown(self._deadline)
        done = say("deadline extended to {until}", until=until)
        if extension.until <= self._deadline:
            done = say(
                "until {until}, which is not after the deadline of all, {deadline}: no change",
                until=until,
                deadline=deadline,
            )
        return Adjustment("extension", say("{done}: {reason}", done=done, reason=extension.reason))

    def _late(self, attempt: Submission) -> Adjustment:
        assert attempt.submitted is not None
        deadline = self.shown(self.deadline(attempt.student_id))
        refused = self.quiz.regulations.late == "refused"
        until = say("{deadline}", deadline=deadline)
        if self.late_grace:
            until = say("{deadline} and its {grace} s of grace", deadline=deadline, grace=self.late_grace)
        detail = say(
            "{attempt} of {submitted} is after {until}: {consequence}",
            attempt=_named(attempt),
            submitted=self.shown(attempt.submitted),
            until=until,
            consequence=say("not accepted") if refused else say("accepted nevertheless"),
        )
        return Adjustment("late", detail)

    def _too_many(self, attempts: Sequence[Submission]) -> list[Adjustment]:
        days = Counter(self.quiz.local(a.submitted).date() for a in attempts if a.submitted)
        return [
            Adjustment(
                "attempts per day",
                say("{n} attempts on {day}, allowed are {daily}: flagged for the TA", n=n, day=day, daily=self._daily),
            )
            for day, n in sorted(days.items())
            if self._daily is not None and n > self._daily
        ]

    def _punished(self, violation: Violation, kept: Submission | None, before: Sequence[Adjustment]) -> Decision:
        rules = self.quiz.regulations.violations
        factor = Fraction(str(rules.first_homework_factor))
        if violation.earlier:
            detail = say(
                "{violation} (violation number {number} of the semester): this homework times {factor:g}, final grade "
                "{grade}",
                violation=violation.what,
                number=violation.earlier + 1,
                factor=rules.first_homework_factor,
                grade=rules.repeated_final_grade,
            )
            adjustments = (*before, Adjustment("violation", detail))
            return Decision(kept, adjustments, factor, final_grade=rules.repeated_final_grade)
        detail = say(
            "{violation} (first of the semester): this homework times {factor:g}, final grade times {final:g}",
            violation=violation.what,
            factor=rules.first_homework_factor,
            final=rules.first_final_factor,
        )
        adjustments = (*before, Adjustment("violation", detail))
        return Decision(kept, adjustments, factor, Fraction(str(rules.first_final_factor)))


def keep(attempts: Sequence[Submission], policy: str, scorer: Scorer) -> Submission | None:
    """The attempt that counts under `highest`, `latest` or `first`; of equally good ones the latest. None if empty."""
    if not attempts:
        return None
    if len(attempts) == 1:
        return attempts[0]
    if policy == "first":
        return min(attempts, key=_order)
    if policy == "latest":
        return latest(attempts)
    return max(attempts, key=lambda attempt: (sum(filter(None, scorer.sheet(attempt.chosen))), _order(attempt)))


def latest(attempts: Sequence[Submission]) -> Submission:
    """The last attempt, whether it counts or not."""
    return max(attempts, key=_order)


def _order(attempt: Submission) -> tuple[int, datetime]:
    return attempt.attempt or 0, attempt.submitted or EARLIEST


def _named(attempt: Submission) -> Message:
    return say("the submission") if attempt.attempt is None else say("attempt {number}", number=attempt.attempt)
