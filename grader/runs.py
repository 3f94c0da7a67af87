"""Carry a grading run or a regrade out, from what was read to the folder that is left behind.

Nothing is in the folder until everything has been worked out.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from basics.errors import InputError, Problem
from basics.files import sha256_of, write_whole
from grader.exports.gradebook import read_gradebook
from grader.exports.transfer import plan_transfer
from grader.feedback.writing import FeedbackWriter
from grader.marking.class_run import ClassRun
from grader.marking.grading import Grades
from grader.marking.run_record import RESULT, Policy, RegradeOf, RunHead, RunRecord, grades_of, read_run, record_path
from grader.marking.run_record import write_run as write_record
from grader.marking.student_lines import SCORES, write_scores
from grader.quiz.spec import QuizBook
from grader.review import ledger
from grader.review.regrade import (
    changed_questions,
    changed_rows,
    compare,
    diff_data,
    hold_harmless,
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
    """Write scores, record and feedback into `out`; feedback of an earlier run there is replaced."""
    head = run.head()
    written = _write_run(out, head, run.grades, run.key)
    ledger.append(out / ledger.FOLDER, "grade", _facts(head), {name: out / name for name in (SCORES, RESULT)})
    return written


def _write_run(out: Path, head: RunHead, grades: Grades, key: AnswerKey | None) -> list[Path]:
    """Scores, record and, where a key with its evidence is given, feedback in the languages of the class file."""
    if out.exists() and not out.is_dir():
        raise InputError(Problem(str(out), "is a file, expected a folder", "name another folder with --out"))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".writing-") as scratch:
        folder = Path(scratch) / FEEDBACK
        if key is not None and head.class_file.feedback:
            FeedbackWriter(grades, key, head.class_file.feedback).write(folder)
        write_scores(Path(scratch) / SCORES, grades)
        write_record(Path(scratch) / RESULT, head, grades)
        shutil.rmtree(out / FEEDBACK, ignore_errors=True)
        written = [Path(scratch) / SCORES, Path(scratch) / RESULT, *([folder] if folder.is_dir() else [])]
        for path in written:
            path.replace(out / path.name)
    return [out / path.name for path in written]


def key_of_run(run: RunHead, book: QuizBook, where: str, key: AnswerKey | None = None) -> AnswerKey:
    """The key that a run used, with its evidence; `key` is the same, where it was formed already.

    Raises InputError if the evidence now makes other options correct than the run used. Evidence that was gathered
    anew since and says the same of every option is no obstacle.
    """
    key = key or answer_key(book, accept=run.key.accepted, decisions=run.decisions)
    now = {question.id: question.correct for question in key.questions}
    if run.key.digest not in (key_digest(book, now, run.key.evidence), key_digest(book, now, None)):
        what = "was graded with another key than the evidence now gives"
        raise InputError(Problem(where, what, "grade again, and compare the two with `earwitness regrade`"))
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
    if out is not None and out.resolve() in (old_path.resolve(), old_path.parent.resolve()):
        raise InputError(Problem(str(out), "holds the old result", "name another folder with --out"))
    if gradebook is not None and (out is None or not assignment):
        raise InputError(Problem("--gradebook", "needs --out and --assignment", "give both"))
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
            what = f"does not carry what was decided: {' | '.join(data['lost_decisions'])}"
            remedy = "regrade the old run with a file of changes, or grade with all of these decisions"
            raise InputError(Problem(str(new_path), what, remedy))
        graded_in = old_path if new_path.suffix in CHANGES else new_path
        key = key_of_run(head, book, str(graded_in)) if head.class_file.feedback else None
        written = _write_run(out, head, grades, key)
        write_whole(out / CHANGED, changed_rows(diff).encode())
        write_whole(out / DIFF, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
        kept = {name: out / name for name in (SCORES, RESULT, CHANGED, DIFF)}
        if gradebook is not None:
            plan = plan_transfer(out, read_gradebook(gradebook), assignment, scale=False, partial=False)
            plan.write(out / GRADEBOOK)
            kept[GRADEBOOK] = out / GRADEBOOK
        ledger.append(out / ledger.FOLDER, "regrade", _facts(head) | came_from.model_dump(), kept)
        data["written"] = [str(path) for path in dict.fromkeys([*written, *kept.values()])]
    return data


def _new_side(book: QuizBook, old: RunRecord, new_path: Path, policy: Policy) -> tuple[RunHead, Grades]:
    """What the old run is compared with: itself under a file of changes, or another run of the same class."""
    when = datetime.now(UTC).replace(microsecond=0)
    if new_path.suffix in CHANGES:
        changes = read_changes(new_path, book)
        decisions = (*old.decisions, *changes.decisions(book, when, policy))
        grades = regrade(old, book, changes, decisions)
        return regraded_head(old, book, changes, decisions, grades), grades
    new = read_run(new_path, book)
    grades = grades_of(new, book)
    compare(old.totals, new.totals)
    if policy == "strict":
        return new, grades
    hold_harmless(grades, old.totals)
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
