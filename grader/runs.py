"""Carry a grading run or a regrade out, from what was read to the folder that is left behind.

Everything is worked out and written beside first, and then there at once (`basics/folders.py`): whoever is refused or
killed leaves the folder as it was, or as it was to become.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from basics.errors import InputError, Problem
from basics.files import real_path, sha256_of, write_whole
from basics.folders import Stage, staging
from basics.messages import say, together
from grader.exports.gradebook import read_gradebook
from grader.exports.transfer import plan_transfer
from grader.feedback.writing import FeedbackWriter
from grader.marking import ledger
from grader.marking.class_run import ClassRun
from grader.marking.grading import Grades, hold_harmless
from grader.marking.ledger import RESULT
from grader.marking.quiz_of_run import hint
from grader.marking.run_record import Policy, RegradeOf, RunHead, RunRecord, grades_of, read_run, record_path
from grader.marking.run_record import write_run as write_record
from grader.marking.student_lines import SCORES, write_scores
from grader.quiz.commands import about_run
from grader.quiz.spec import QuizBook
from grader.review.regrade import (
    changed_questions,
    changed_rows,
    compare,
    diff_data,
    questions_under,
    read_changes,
    regrade,
    regraded_head,
)
from grader.submissions.model import without_collection
from grader.verdicts.decisions import StaffDecision, in_force
from grader.verdicts.key import AnswerKey, key_digest
from grader.verdicts.testimony import answer_key

FEEDBACK = "feedback"
CHANGES = (".yaml", ".yml")
"""What a file of changes ends in; anything else is another run."""
CHANGED, DIFF, GRADEBOOK = "changed.csv", "regrade.json", "gradebook.csv"


@without_collection
def write_class_run(out: Path, run: ClassRun) -> list[Path]:
    """Put scores, record and feedback into `out` at once, in the place of an earlier run there."""
    head = run.head()
    with staging(out) as stage:
        folders = _stage_run(stage, head, run.grades, run.key)
        _commit(stage, "grade", _facts(head), (SCORES, RESULT), folders)
    return [out / name for name in (SCORES, RESULT, *folders)]


def _stage_run(stage: Stage, head: RunHead, grades: Grades, key: AnswerKey | None) -> tuple[str, ...]:
    """Scores, record and, where a key with its evidence is given, feedback in the languages of the class file.

    Returns the folders among them.
    """
    head = head.model_copy(update={"quiz_folder": hint(grades.scorer.book.folder, stage.out)})
    languages = head.class_file.feedback if key is not None else ()
    if key is not None and languages:
        FeedbackWriter(grades, key, languages).write(stage.folder(FEEDBACK))
    write_scores(stage.file(SCORES), grades)
    write_record(stage.file(RESULT), head, grades)
    return (FEEDBACK,) if languages else ()


def _commit(
    stage: Stage, action: str, facts: dict[str, Any], files: tuple[str, ...], folders: tuple[str, ...] = ()
) -> None:
    """Make what is staged the run in its folder, with its entry in the ledger; nothing of an earlier run stays."""

    def prepare() -> None:
        for name in _of_an_earlier_run(stage.out):
            if name not in (*files, *folders):
                stage.drop(name)
        ledger.record(stage, action, facts, files, folders)

    stage.commit(prepare)


def _of_an_earlier_run(out: Path) -> list[str]:
    """What the ledger knows to be an earlier run's: a file of somebody's own under such a name is not."""
    known = ledger.last_outputs(out).files
    mine = [name for name in (CHANGED, DIFF, GRADEBOOK) if name in known and (out / name).is_file()]
    return [*(name for name in mine if sha256_of(out / name) == known[name]), *([FEEDBACK] if known else [])]


def key_of_run(run: RunHead, book: QuizBook, where: str, key: AnswerKey | None = None) -> AnswerKey:
    """The key that a run used, with its evidence; `key` is the same, where it was formed already.

    Raises InputError if the evidence now makes other options correct than the run used. Evidence that was gathered
    anew since and says the same of every option is no obstacle.
    """
    key = key or answer_key(book, accept=run.key.accepted, decisions=run.decisions)
    now = {question.id: question.correct for question in key.questions}
    if run.key.digest not in (key_digest(book, now, run.key.evidence), key_digest(book, now, None)):
        what = say("was graded with another key than the evidence now gives")
        compare = about_run("regrade", where, "NEW")
        remedy = say(
            "grade the file again with `--override {path}`, and compare the two: `{command}`",
            path=where,
            command=compare,
        )
        raise InputError(Problem(where, what, remedy))
    return key


def regrade_run(
    book: QuizBook,
    old_path: Path,
    new_path: Path,
    policy: Policy,
    out: Path | None = None,
    gradebook: Path | None = None,
    assignment: str = "",
) -> dict[str, Any]:
    """The diff as data; with `out`, also the new record, its scores, feedback, the changed rows and a ledger entry.

    Raises InputError where the two sides are not of the same class, where decisions cannot both hold or would be lost,
    and if `out` is the folder of the old record.
    """
    if out is not None and real_path(out) in (real_path(old_path), real_path(old_path.parent)):
        raise InputError(Problem(str(out), say("holds the old result"), say("name another folder with --out")))
    if gradebook is not None and (out is None or not assignment):
        raise InputError(Problem("--gradebook", say("needs --out and --assignment"), say("give both")))
    old = read_run(old_path, book)
    head, grades = _new_side(book, old, new_path, policy)
    effective: Policy = "hold-harmless" if in_force(head.decisions).hold_harmless else "strict"
    came_from = RegradeOf(result=sha256_of(record_path(old_path)), key=old.key.digest, policy=effective)
    head = head.model_copy(update={"regrade_of": came_from})
    totals = grades.totals()
    diff = compare(old.totals, totals, changed_questions(old, grades))
    data = diff_data(old, head, diff, totals) | {"policy": effective}
    if out is not None:
        if data["lost_decisions"]:
            what = say(
                "does not carry what was decided: {decisions}", decisions=together(data["lost_decisions"], " | ")
            )
            remedy = say("regrade the old run with a file of changes, or grade with all of these decisions")
            raise InputError(Problem(str(new_path), what, remedy))
        graded_in = old_path if new_path.suffix in CHANGES else new_path
        key = key_of_run(head, book, str(graded_in)) if head.class_file.feedback else None
        files = [SCORES, RESULT, CHANGED, DIFF]
        with staging(out) as stage:
            folders = _stage_run(stage, head, grades, key)
            write_whole(stage.file(CHANGED), changed_rows(diff).encode())
            write_whole(stage.file(DIFF), (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
            if gradebook is not None:
                course = read_gradebook(gradebook)
                plan = plan_transfer(stage.file(RESULT), course, assignment, scale=False, partial=False)
                plan.write(stage.file(GRADEBOOK))
                files.append(GRADEBOOK)
            _commit(stage, "regrade", _facts(head) | {"regrade_of": came_from.model_dump()}, tuple(files), folders)
        data["written"] = [str(out / name) for name in (*files, *folders)]
    return data


def _new_side(book: QuizBook, old: RunRecord, new_path: Path, policy: Policy) -> tuple[RunHead, Grades]:
    """What the old run is compared with: itself under a file of changes, or another run of the same class."""
    when = datetime.now(UTC).replace(microsecond=0)
    if new_path.suffix in CHANGES:
        changes = read_changes(new_path, book)
        decisions = (*old.decisions, *changes.decisions(book, when, policy))
        questions = questions_under(old, book, decisions)
        grades = regrade(old, book, changes, decisions, questions)
        return regraded_head(old, book, changes, decisions, questions, grades), grades
    new = read_run(new_path, book)
    grades = grades_of(new, book)
    compare(old.totals, new.totals)
    holds = in_force(new.decisions).hold_harmless
    if policy == "strict" and not holds:
        return new, grades
    hold_harmless(grades, old.totals)
    if holds:
        return new.model_copy(update={"mean": grades.mean}), grades
    reason = f"compared with {new_path.name} under hold-harmless"
    decisions = (*new.decisions, StaffDecision(what="hold-harmless", reason=reason, when=when))
    return new.model_copy(update={"mean": grades.mean, "decisions": decisions}), grades


def _facts(head: RunHead) -> dict[str, Any]:
    """What a ledger entry says of a run: digests of everything that went in."""
    return {
        "quiz": head.quiz,
        "submissions": head.submissions.sha256,
        "key": head.key.digest,
        "evidence": head.key.evidence,
        "rule": head.rule,
        "overrides": list(in_force(head.decisions).overrides),
        "rulings": [ruling.question for ruling in head.rulings],
        "decisions": len(head.decisions),
        "demonstration": head.demonstration,
    }
