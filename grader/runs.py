"""Carry a grading run or a regrade out, from what was read to the folder that is left behind.

Everything is worked out and written beside first, and then there at once (`basics/folders.py`): whoever is refused or
killed leaves the folder as it was, or as it was to become.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from basics.errors import InputError, Problem
from basics.files import sha256_of, write_whole
from basics.folders import Stage, staging
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

FEEDBACK = "feedback"
CHANGED, DIFF, GRADEBOOK = "changed.csv", "regrade.json", "gradebook.csv"


@without_collection
def write_class_run(out: Path, run: ClassRun) -> list[Path]:
    """Put scores, record and feedback into `out` at once, in the place of an earlier run there."""
    head, languages = run.head(), run.setting.class_file.feedback
    with staging(out) as stage:
        if languages:
            FeedbackWriter(run.grades, run.key, languages).write(stage.folder(FEEDBACK))
        write_scores(stage.file(SCORES), run.grades)
        write_record(stage.file(RESULT), head, run.grades)
        _commit(stage, "grade", _facts(head), (SCORES, RESULT), (FEEDBACK,) if languages else ())
    return [out / name for name in (SCORES, RESULT, *([FEEDBACK] if languages else []))]


def _commit(
    stage: Stage, action: str, facts: dict[str, Any], files: tuple[str, ...], folders: tuple[str, ...] = ()
) -> None:
    """Make what is staged the run in its folder, with its entry in the ledger; nothing of an earlier run stays."""

    def prepare() -> None:
        for name in _of_an_earlier_run(stage.out):
            if name not in (*files, *folders):
                stage.drop(name)
        ledger.record(stage, action, facts, files)

    stage.commit(prepare)


def _of_an_earlier_run(out: Path) -> list[str]:
    """What the ledger knows to be an earlier run's: a file of somebody's own under such a name is not."""
    known = ledger.last_outputs(out / ledger.FOLDER)
    mine = [name for name in (CHANGED, DIFF, GRADEBOOK) if name in known and (out / name).is_file()]
    return [*(name for name in mine if sha256_of(out / name) == known[name]), *([FEEDBACK] if known else [])]


def regrade_run(
    book: QuizBook,
    old_path: Path,
    new_path: Path,
    policy: Policy,
    out: Path | None = None,
    gradebook: Path | None = None,
    assignment: str = "",
) -> dict[str, Any]:
    """The diff as data; with `out`, also the new record, its scores, the changed rows and a ledger entry.

    Raises InputError where the two sides are not of the same class, and if `out` is the folder of the old record.
    """
    if out is not None and out.resolve() in (old_path.resolve(), old_path.parent.resolve()):
        raise InputError(Problem(str(out), "holds the old result", "name another folder with --out"))
    if gradebook is not None and (out is None or not assignment):
        raise InputError(Problem("--gradebook", "needs --out and --assignment", "give both"))
    old = read_run(old_path, book)
    head, grades = _new_side(book, old, new_path, policy)
    came_from = RegradeOf(result=sha256_of(record_path(old_path)), key=old.key.digest, policy=policy)
    head = head.model_copy(update={"regrade_of": came_from})
    totals = grades.totals()
    diff = compare(old.totals, totals, changed_questions(old, grades))
    data = diff_data(old, head, diff, totals) | {"policy": policy}
    if out is not None:
        files = [SCORES, RESULT, CHANGED, DIFF]
        with staging(out) as stage:
            write_scores(stage.file(SCORES), grades)
            write_record(stage.file(RESULT), head, grades)
            write_whole(stage.file(CHANGED), changed_rows(diff).encode())
            write_whole(stage.file(DIFF), (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
            if gradebook is not None:
                course = read_gradebook(gradebook)
                plan = plan_transfer(stage.file(RESULT), course, assignment, scale=False, partial=False)
                plan.write(stage.file(GRADEBOOK))
                files.append(GRADEBOOK)
            _commit(stage, "regrade", _facts(head) | came_from.model_dump(), tuple(files))
        data["written"] = [str(out / name) for name in files]
    return data


def _new_side(book: QuizBook, old: RunRecord, new_path: Path, policy: Policy) -> tuple[RunHead, Grades]:
    """What the old run is compared with: itself under a file of changes, or another run of the same class."""
    if new_path.suffix in (".yaml", ".yml"):
        changes = read_changes(new_path, book)
        grades = regrade(old, book, changes, policy)
        return regraded_head(old, book, changes, grades), grades
    new = read_run(new_path, book)
    grades = grades_of(new, book)
    compare(old.totals, new.totals)
    if policy == "hold-harmless":
        hold_harmless(grades, old.totals)
    return new, grades


def _facts(head: RunHead) -> dict[str, Any]:
    """What a ledger entry says of a run: digests of everything that went in."""
    return {
        "quiz": head.quiz,
        "submissions": head.submissions.sha256,
        "key": head.key.digest,
        "evidence": head.key.evidence,
        "rule": head.rule,
        "overrides": [name for name, question in head.key.questions.items() if question.override],
        "rulings": [ruling.question for ruling in head.rulings],
        "demonstration": head.demonstration,
    }
