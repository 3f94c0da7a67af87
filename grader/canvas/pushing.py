"""Push scores and feedback of a run: plan, write, read back, record.

The plan is that of `export canvas`, held against what the LMS has now. Only scores that change are written, in small
batches; before each one the LMS is read once more, after each one every score is read back, and the journal beside what
was pulled is written before and after. Canvas offers no way to write a score on condition that it is still another one:
between reading and writing lie the milliseconds of one request.

A score is left alone, and named, where somebody changed it since it was pulled, and where the student is not there any
more. Nothing is ever emptied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from basics.errors import InputError, Problem
from basics.files import read_bytes, sha256_of
from basics.folders import staging
from basics.messages import Message, say
from grader.canvas.connection import Refused
from grader.canvas.journal import Journal, read_journal, write_journal
from grader.canvas.lms import EXCUSED, NOT_ASSIGNED, Lms, LmsAssignment, LmsSubmission
from grader.canvas.pulling import GRADEBOOK, ORIGIN, Pulled
from grader.exports.gradebook import GradebookStudent, read_gradebook, same_score
from grader.exports.transfer import Plan, plan_transfer
from grader.feedback.writing import file_names
from grader.marking import ledger
from grader.marking.run_record import RunRecord, record_path

FEEDBACK, PAGE = "feedback", "html"
LOCK = ".push.lock"
BATCH, ROUNDS = 100, 3
"""Scores in one job of the LMS, and how often a batch is tried of which the LMS took only a part."""
NONE = say("none")
"""No score, for people."""


@dataclass(frozen=True)
class Step:
    """One student's score: in the LMS by the pull or the last push (`base`), there now (`live`), and of the run."""

    student: GradebookStudent
    base: str
    live: str
    new: str

    @property
    def who(self) -> str:
        return self.student.login or self.student.lms_id


@dataclass(frozen=True)
class Steps:
    """What is to be done: scores to write, scores that are right already, and whom to leave alone, with the reason."""

    write: tuple[Step, ...]
    there: tuple[Step, ...]
    refused: tuple[tuple[Step, Message], ...]

    @property
    def left_alone(self) -> list[Message]:
        """Who is, and why."""
        return [say("{who} {what}", who=step.who, what=what) for step, what in self.refused]


@dataclass
class Pushed:
    """What a push came to. `unlike` names what was not found as it was written."""

    refused: list[Message] = field(default_factory=list)
    unlike: list[Message] = field(default_factory=list)
    comments: int = 0
    comments_before: int = 0
    written: dict[str, dict[str, str]] = field(default_factory=dict)
    read_back: int = 0

    @property
    def whole(self) -> bool:
        return not self.refused and not self.unlike


@dataclass(frozen=True)
class Wanted:
    """A run that is to be pushed to where its class was pulled from."""

    path: Path
    folder: Path
    pulled: Pulled
    plan: Plan
    targets: Mapping[str, tuple[GradebookStudent, str, str]]
    """By the LMS's number: the student, the score that was pulled, the score of the run."""

    @property
    def run(self) -> RunRecord:
        return self.plan.run

    @property
    def scores(self) -> dict[str, str]:
        """The scores that were pulled, by the LMS's number."""
        return {number: old for number, (_, old, _) in self.targets.items()}


def wanted(path: Path, folder: Path, pulled: Pulled, *, scale: bool, partial: bool) -> Wanted:
    """The plan for a run. Raises InputError where it is not to leave, or is not one of the quiz that was pulled."""
    gradebook = read_gradebook(folder / GRADEBOOK)
    plan = plan_transfer(path, gradebook, str(pulled.assignment), scale=scale, partial=partial)
    if plan.run.quiz != pulled.quiz:
        what = say(
            "is a run of the quiz {quiz}; {folder} was pulled for {other}",
            quiz=plan.run.quiz,
            folder=folder,
            other=pulled.quiz,
        )
        raise InputError(Problem(str(path), what, say("name the folder that was pulled for it: --from DIR")))
    column = plan.transfer.column
    return Wanted(
        path,
        folder,
        pulled,
        plan,
        {
            row.lms_id: (row, gradebook.score(row, column), plan.transfer.scores[student])
            for student, row in plan.transfer.rows.items()
            if student in plan.transfer.scores
        },
    )


def need_writable(assignment: LmsAssignment) -> None:
    """Raises InputError for a column that takes no points by number."""
    problems = []
    where = say("assignment {number}, {name}", number=assignment.id, name=assignment.name)
    if assignment.grading_type != "points":
        what = say(
            "shows grades as {kind}, where a number may mean something else than points",
            kind=assignment.grading_type,
        )
        problems.append(Problem(where, what, say("set `Display Grade as: Points` in the LMS")))
    for wrong, what, remedy in (
        (not assignment.published, say("is not published"), say("publish it")),
        (assignment.moderated_grading, say("is graded with moderation"), say("publish its grades in the LMS first")),
        (
            assignment.anonymous_grading,
            say("is graded anonymously: nobody is told apart"),
            say("switch that off in the LMS"),
        ),
    ):
        if wrong:
            problems.append(Problem(where, what, remedy))
    if problems:
        raise InputError(problems)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Nobody else pushes from this folder meanwhile. Raises InputError where somebody does."""
    try:
        with FileLock(folder / LOCK, timeout=0):
            yield
    except Timeout:
        what = say("is being pushed from by another process")
        raise InputError(Problem(str(folder), what, say("wait until that is done"))) from None


def steps(job: Wanted, journal: Journal, live: Mapping[str, LmsSubmission]) -> Steps:
    """The plan held against what the LMS has now."""
    write: list[Step] = []
    there: list[Step] = []
    refused: list[tuple[Step, Message]] = []
    for number, (student, pulled, new) in job.targets.items():
        found = live.get(number)
        step = Step(student, journal.base(number, pulled), found.cell if found else "", new)
        if found is None or step.live == NOT_ASSIGNED:
            what = say("is not in the course any more, or the quiz is not theirs: nothing was written")
            refused.append((step, what))
        elif step.live == EXCUSED:
            refused.append((step, say("was excused since the pull: left as it is")))
        elif same_score(step.live, new):
            there.append(step)
        elif any(same_score(step.live, ours) for ours in journal.ours(number, pulled)):
            write.append(step)
        else:
            what = say(
                "was changed by somebody else: {pulled_score} when pulled, {lms_score} now, {run_score} by the run; "
                "left as it is",
                pulled_score=step.base or NONE,
                lms_score=step.live or NONE,
                run_score=new,
            )
            refused.append((step, what))
    return Steps(tuple(write), tuple(there), tuple(refused))


def begin(lms: Lms, job: Wanted) -> tuple[Journal, Steps]:
    """Where things stand: a job that an earlier push began is waited for, what it wrote is taken note of."""
    journal = read_journal(job.folder)
    if journal.job is not None:
        try:
            lms.wait(journal.job, say("the scores of the push before this one"))
        except Refused as error:
            if error.status != 404:  # the LMS forgets jobs in time
                raise
        journal = journal.model_copy(update={"job": None})
    live = lms.submissions(job.pulled.assignment)
    found = {n: live[n].cell for n in job.targets if n in live and live[n].cell in journal.pending.get(n, ())}
    journal = journal.read_back(found, job.scores)
    return journal, steps(job, journal, live)


def push(lms: Lms, job: Wanted, *, feedback: bool, tell: Callable[[Message], None]) -> Pushed:
    """Write, read back and record. What was begun and killed before is finished first."""
    pages = _pages(job) if feedback else {}
    journal, found = begin(lms, job)
    result = Pushed()
    before = lms.submissions(job.pulled.assignment)
    done = 0
    now = before
    for at in range(0, len(found.write), BATCH):
        numbers = [step.student.lms_id for step in found.write[at : at + BATCH]]
        journal, now = _write(lms, job, journal, numbers, now)
        done += len(numbers)
        tell(say("{done} of {all} scores sent and read back", done=done, all=len(found.write)))
    after = lms.submissions(job.pulled.assignment)
    last = steps(job, journal, after)
    result.refused = last.left_alone
    result.unlike = [_unlike(step, after[step.student.lms_id].points_deducted) for step in last.write]
    result.unlike += _emptied(before, after)
    result.read_back = len(last.there)
    result.written = {number: write.model_dump() for number, write in journal.written.items()}
    if result.written:
        _record(job, result, result.written)
    write_journal(job.folder, journal.model_copy(update={"written": {}}))
    if pages:
        _attach(lms, job, pages, {step.student.lms_id for step in last.there}, result, tell)
    if result.comments:
        _record(job, result, {})
    return result


def _write(
    lms: Lms, job: Wanted, journal: Journal, numbers: Sequence[str], live: Mapping[str, LmsSubmission]
) -> tuple[Journal, dict[str, LmsSubmission]]:
    """One batch, again and again as long as the LMS takes a part of it; the journal and what the LMS has then."""
    now = dict(live)
    for _ in range(ROUNDS):
        scores = {s.student.lms_id: s.new for s in steps(job, journal, now).write if s.student.lms_id in numbers}
        if not scores:
            break
        journal = journal.about_to_write(scores)
        write_journal(job.folder, journal)
        begun = lms.set_scores(job.pulled.assignment, scores)
        journal = journal.model_copy(update={"job": begun.id})
        write_journal(job.folder, journal)
        lms.wait(begun.id, say("{n} scores", n=len(scores)))  # a job that failed may have set some: they are read back
        now = lms.submissions(job.pulled.assignment)
        found = {number: new for number, new in scores.items() if number in now and now[number].cell == new}
        journal = journal.model_copy(update={"job": None}).read_back(found, job.scores)
        write_journal(job.folder, journal)
    return journal, now


def _unlike(step: Step, taken: float | None) -> Message:
    told = say(
        "{who}: {score} was sent, the LMS has {lms_score}", who=step.who, score=step.new, lms_score=step.live or NONE
    )
    return (
        say("{difference} (its late policy takes {points:g} points off)", difference=told, points=taken)
        if taken
        else told
    )


def _emptied(before: Mapping[str, LmsSubmission], after: Mapping[str, LmsSubmission]) -> Iterator[Message]:
    """Whoever had a score, is still there and has none now: not by this program, and nothing to be silent about."""
    for number, submission in before.items():
        if number in after and submission.cell and not after[number].cell:
            yield say(
                "the LMS's number {number}: had {score}, and has no score any more",
                number=number,
                score=submission.cell,
            )


def _pages(job: Wanted) -> dict[str, list[tuple[str, bytes]]]:
    """By the LMS's number, the student's feedback pages under the names that they are attached by.

    A name holds the content's digest: what is attached already is known by it. Raises InputError where the run has no
    feedback, or another one than was recorded.
    """
    out = record_path(job.path).parent
    ledger.need_recorded_folder(out, FEEDBACK)
    names = file_names([student.id for student in job.run.students])
    numbers = {student: row.lms_id for student, row in job.plan.transfer.rows.items()}
    pages: dict[str, list[tuple[str, bytes]]] = {}
    for student in job.run.students:
        for language in job.run.class_file.feedback:
            content = read_bytes(out / FEEDBACK / language / f"{names[student.id]}.{PAGE}")
            name = f"feedback-{language}-{sha256(content).hexdigest()[:12]}.{PAGE}"
            pages.setdefault(numbers[student.id], []).append((name, content))
    return pages


def _attach(
    lms: Lms,
    job: Wanted,
    pages: Mapping[str, Sequence[tuple[str, bytes]]],
    right: set[str],
    result: Pushed,
    tell: Callable[[Message], None],
) -> None:
    """Give everybody whose score is right their pages, once; what is attached is read back."""
    assignment = job.pulled.assignment
    there = lms.submissions(assignment, comments=True)
    for number, files in pages.items():
        if number not in right or number not in there:
            continue
        missing = [(name, content) for name, content in files if not _has(there[number], name)]
        if not missing:
            result.comments_before += 1
            continue
        given = lms.comment(assignment, number, job.run.title, missing)
        result.comments += 1
        result.unlike += [
            say(
                "the LMS's number {number}: {file} was attached, and is not among the comments",
                number=number,
                file=name,
            )
            for name, _ in missing
            if not _has(given, name)
        ]
        if result.comments % BATCH == 0:
            tell(say("{n} students have their feedback", n=result.comments))


def _has(submission: LmsSubmission, name: str) -> bool:
    """Whether a file of this name is attached; the LMS may number it."""
    return any(name.removesuffix(f".{PAGE}") in attached for attached in submission.attached)


def _record(job: Wanted, result: Pushed, written: Mapping[str, Mapping[str, str]]) -> None:
    """An entry in the ledger of the run: who, from, to, and everything that was left alone."""
    facts = {
        "key": job.run.key.digest,
        "lms": job.pulled.origin,
        "course": job.pulled.course,
        "assignment": job.pulled.assignment,
        "pulled": sha256_of(job.folder / ORIGIN),
        "scores": {
            job.targets[number][0].login or number: {"id": number, **write} for number, write in written.items()
        },
        "read_back": result.read_back,
        "refused": result.refused,
        "unlike": result.unlike,
        "comments": result.comments,
    }
    with staging(record_path(job.path).parent) as stage:
        stage.commit(lambda: ledger.record(stage, ledger.PUSH, facts, ()))


def as_data(job: Wanted, found: Steps, result: Pushed | None) -> dict[str, Any]:
    """The plan, and what became of it, as JSON data."""
    data: dict[str, Any] = {
        "assignment": job.plan.gradebook.table.header[job.plan.transfer.column],
        "key": job.run.key.digest,
        "mean": job.run.mean,
        "changes": [
            {"student": step.who, "id": step.student.lms_id, "old": step.live, "new": step.new} for step in found.write
        ],
        "there": len(found.there),
        "refused": found.left_alone,
        "left_alone": list(job.plan.transfer.left_alone),
        "pushed": None,
    }
    if result is not None:
        data["refused"] = result.refused
        data["pushed"] = {
            "written": result.written,
            "read_back": result.read_back,
            "unlike": result.unlike,
            "comments": result.comments,
            "comments_before": result.comments_before,
        }
    return data
