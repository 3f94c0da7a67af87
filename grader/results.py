"""Write a graded class down: `scores.csv` and `result.json` (`grader.records` reads them back).

`result.json` holds everything a regrade needs (answers of every attempt, key, rule, regulations' effects) and what an
audit asks for (digests of submissions, key and evidence). Numbers are rounded here and nowhere else; exact totals are
kept beside them as fractions.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from grader.grading import Grades, StudentRecord
from grader.key import AnswerKey
from grader.proof import Proof
from grader.scoring import rounded
from grader.spec import QuizBook
from grader.spreadsheets import harmless
from grader.submissions.model import Chosen, Submission, SubmissionFile

FORMAT = 1
SCORES, RESULT = "scores.csv", "result.json"
SHOWN_DIFFERENCES = 500


def write_scores(path: Path, grades: Grades) -> None:
    """`student_id, q01 … qNN, total` in percent points; a cell is empty where nothing could be graded."""
    shown = shower(grades)
    with written(path) as file:
        writer = csv.writer(file)
        writer.writerow(["student_id", *(q.id for q in grades.scorer.book.questions), "total"])
        writer.writerows(
            [harmless(record.student_id), *map(shown, record.units), total_shown(grades, record, shown)]
            for record in grades.records
        )


def write_result(path: Path, head: dict[str, Any], grades: Grades) -> None:
    """`head` and, last, one line for each student: a million of them never stand in memory as one text."""
    shown = shower(grades)
    with written(path) as file:
        opening = json.dumps({**head, "students": []}, indent=1, ensure_ascii=False, allow_nan=False)
        file.write(opening.removesuffix("]\n}"))
        for i, record in enumerate(grades.records):
            line = json.dumps(student_data(grades, record, shown), ensure_ascii=False, separators=(",", ":"))
            file.write(("," if i else "") + "\n  " + line)
        file.write("\n ]\n}\n")


def result_head(
    file: SubmissionFile, key: AnswerKey, grades: Grades, proof: Proof | None = None, **more: Any
) -> dict[str, Any]:
    """Everything in `result.json` but the students."""
    book = grades.scorer.book
    return {
        "format": FORMAT,
        "quiz": book.quiz.id,
        "title": book.quiz.title,
        "time_zone": book.quiz.time_zone,
        "graded": datetime.now(UTC).isoformat(timespec="seconds"),
        "submissions": {
            "file": file.path.name,
            "sha256": file.digest,
            "form": file.form,
            "rows": len(file.submissions),
            "students": len(grades.records),
            "all_attempts": file.all_attempts,
        },
        "rule": grades.scorer.rule,
        "rulings": [ruling.model_dump(mode="json") for ruling in grades.scorer.rulings.values()],
        "key": key_data(book, key),
        "demonstration": key.demonstration,
        "unsettled": list(grades.unsettled),
        "ungraded": [list(pair) for pair in grades.ungraded],
        "missing": [entry.student_id for entry in grades.missing],
        "skipped": list(grades.skipped),
        "notes": list(grades.notes),
        "proof": proof_data(proof),
        **more,
    }


def key_data(book: QuizBook, key: AnswerKey) -> dict[str, Any]:
    """The key as it went into the grades, with its digests."""
    return {
        "digest": key.digest,
        "accepted": list(key.accepted),
        "evidence": key.evidence,
        "questions": {
            q.id: {
                "correct": None if q.correct is None else list(q.correct),
                "choose": q.choose,
                "points": book.question(q.id).points,
                "obstacles": list(q.obstacles),
                "demonstration": q.demonstration,
                "recalled": list(q.recalled),
                "override": q.override.model_dump(mode="json") if q.override else None,
            }
            for q in key.questions
        },
    }


def student_data(grades: Grades, record: StudentRecord, shown: Callable[[int | None], str]) -> dict[str, Any]:
    """One student's line of `result.json`. Empty and default entries are left out."""
    kept, decision = record.decision.kept, record.decision
    exact = grades.scorer.fraction(record.earned) * decision.factor
    entries = {
        "id": record.student_id,
        "name": record.name,
        "section": record.section,
        "lms_id": record.attempts[0].lms_id,
        "attempts": [attempt_data(attempt) for attempt in record.attempts],
        "kept": None if kept is None else record.attempts.index(kept),
        "points": [shown(units) or None for units in record.units],
        "total": total_shown(grades, record, shown),
        "exact": str(exact),
        "final_factor": None if decision.final_factor == 1 else str(decision.final_factor),
        "final_grade": decision.final_grade,
        "adjustments": [{"rule": a.rule, "detail": a.detail} for a in decision.adjustments],
    }
    return {name: value for name, value in entries.items() if value or name == "kept"}


def attempt_data(attempt: Submission) -> dict[str, Any]:
    """An attempt's answers by question, letters together (`BD`), and when it was handed in."""
    answers = [None if chosen is None else letters(chosen) for chosen in attempt.chosen]
    data: dict[str, Any] = {"answers": answers}
    if attempt.attempt is not None:
        data["attempt"] = attempt.attempt
    if attempt.submitted is not None:
        data["submitted"] = attempt.submitted.isoformat()
    return data


@cache
def letters(chosen: Chosen) -> str:
    """The ticked letters in order, `BD`."""
    return "".join(sorted(chosen))


def proof_data(proof: Proof | None) -> dict[str, Any] | None:
    """The proof of the import, with at most `SHOWN_DIFFERENCES` cells spelt out."""
    if proof is None:
        return None
    spelt = [*proof.differences, *proof.score_differences][:SHOWN_DIFFERENCES]
    return {
        "cells_compared": proof.compared,
        "cells_different": len(proof.differences),
        "scores_different": len(proof.score_differences),
        "suspect_questions": list(proof.suspects),
        "canvas_key_given": proof.key_given,
        "differences": [
            {"row": d.row, "student": d.student_id, "question": d.question, "canvas": d.canvas, "expected": d.expected}
            for d in spelt
        ],
    }


def total_shown(grades: Grades, record: StudentRecord, shown: Callable[[int | None], str]) -> str:
    """The rounded total; rounded once, from the exact sum."""
    return shown(record.earned) if record.decision.factor == 1 else rounded(grades.total(record))


def shower(grades: Grades) -> Callable[[int | None], str]:
    """Rounded points for units, worked out once for each distinct number; empty for None."""
    known: dict[int | None, str] = {None: ""}

    def shown(units: int | None) -> str:
        if units not in known:
            known[units] = rounded(Fraction(units or 0, grades.scorer.denominator))
        return known[units]

    return shown


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that appears whole or not at all; line ends as written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
