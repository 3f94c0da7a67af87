"""Carry a regrade out: read both sides, compare, write the new result, the diff and the gradebook file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from basics.errors import InputError, Problem
from basics.files import sha256_of, write_whole
from grader.exports.gradebook import read_gradebook
from grader.exports.transfer import plan_transfer
from grader.marking.outputs import facts
from grader.marking.records import grades_of, read_result, totals_of
from grader.marking.results import RESULT, SCORES, write_result, write_scores
from grader.quiz.spec import QuizBook
from grader.review import ledger
from grader.review.regrade import (
    Policy,
    changed_questions,
    compare,
    hold_harmless,
    read_changes,
    regrade,
    regraded_head,
)
from grader.review.regrade_report import changed_rows, diff_data

CHANGED, DIFF, GRADEBOOK = "changed.csv", "regrade.json", "gradebook.csv"


def regrade_run(
    book: QuizBook,
    old_path: Path,
    new_path: Path,
    policy: Policy,
    out: Path | None = None,
    gradebook: Path | None = None,
    assignment: str = "",
) -> dict[str, Any]:
    """The diff as data; with `out`, also the new result, its scores, the changed rows and a ledger entry.

    Raises InputError where the two sides are not of the same class, and if `out` is the folder of the old result.
    """
    old = read_result(old_path)
    if out is not None and out.resolve() in (old_path.resolve(), old_path.parent.resolve()):
        raise InputError(Problem(str(out), "holds the old result", "name another folder with --out"))
    if gradebook is not None and (out is None or not assignment):
        raise InputError(Problem("--gradebook", "needs --out and --assignment", "give both"))
    if new_path.suffix in (".yaml", ".yml"):
        changes = read_changes(new_path, book)
        grades = regrade(old, book, changes, policy)
        head = regraded_head(old, book, changes, grades) | {"notes": [*old["notes"], f"regrade: {changes.reason}"]}
    else:
        new = read_result(new_path)
        grades = grades_of(new, book)
        head = {name: value for name, value in new.items() if name != "students"}
        compare(totals_of(old), totals_of(new))
        if policy == "hold-harmless":
            hold_harmless(grades, totals_of(old))
    head |= {"regrade_of": {"result": _digest(old_path), "key": old["key"]["digest"], "policy": policy}}
    lines = {"students": [json.loads(line) for line in _lines(grades)]}
    changed = changed_questions(old, head | lines)
    diff = compare(totals_of(old), grades.totals(), changed)
    data = diff_data(old, head, diff, grades.totals()) | {"policy": policy}
    if out is not None:
        write_scores(out / SCORES, grades)
        write_result(out / RESULT, head, grades)
        write_whole(out / CHANGED, changed_rows(diff).encode())
        write_whole(out / DIFF, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
        written = {name: out / name for name in (SCORES, RESULT, CHANGED, DIFF)}
        if gradebook is not None:
            plan = plan_transfer(out, read_gradebook(gradebook), assignment, scale=False, partial=False)
            plan.write(out / GRADEBOOK)
            written[GRADEBOOK] = out / GRADEBOOK
        ledger.append(out / ledger.FOLDER, "regrade", facts(head) | head["regrade_of"], written)
        data["written"] = [str(path) for path in written.values()]
    return data


def _lines(grades: Any) -> list[str]:
    from grader.marking.student_lines import StudentLines

    lines = StudentLines(grades)
    return [lines.line(record) for record in grades.records]


def _digest(path: Path) -> str:
    return sha256_of(path / RESULT if path.is_dir() else path)
