"""Write a graded class down: `scores.csv` and `result.json` (`grader.marking.records` reads them back).

`result.json` holds everything a regrade needs (answers of every attempt, key, rule, regulations' effects) and what an
audit asks for (digests of submissions, key and evidence). Numbers are rounded here and nowhere else; exact totals are
kept beside them as fractions.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from basics.files import writing_text
from grader.marking.grading import Grades
from grader.marking.proof import Proof
from grader.marking.spreadsheets import harmless
from grader.marking.student_lines import Points, StudentLines
from grader.quiz.spec import QuizBook
from grader.submissions.model import SubmissionFile
from grader.verdicts.key import AnswerKey

FORMAT = 1
SCORES, RESULT = "scores.csv", "result.json"
SHOWN_DIFFERENCES = 500


def write_scores(path: Path, grades: Grades) -> None:
    """`student_id, q01 … qNN, total` in percent points; a cell is empty where nothing could be graded."""
    points = Points(grades)
    with writing_text(path) as file:
        writer = csv.writer(file)
        writer.writerow(["student_id", *(q.id for q in grades.scorer.book.questions), "total"])
        writer.writerows(
            [harmless(record.student_id), *map(points.__getitem__, record.units), points.total(record)]
            for record in grades.records
        )


def write_result(path: Path, head: dict[str, Any], grades: Grades) -> None:
    """`head` and, last, one line for each student: a million of them never stand in memory as one text."""
    lines = StudentLines(grades)
    with writing_text(path) as file:
        opening = json.dumps({**head, "students": []}, indent=1, ensure_ascii=False, allow_nan=False)
        file.write(opening.removesuffix("]\n}"))
        for i, record in enumerate(grades.records):
            file.write((",\n  " if i else "\n  ") + lines.line(record))
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
