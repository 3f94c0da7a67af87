"""Gradescope: a `results.json` for each student, as an autograder there leaves it in `/autograder/results`.

The fields are those of https://gradescope-autograders.readthedocs.io/en/latest/specs/. Nothing is shown to students
before the grades are published there: `visibility` is `after_published`.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from basics.errors import InputError
from basics.files import write_whole
from basics.folders import Stage, staging
from grader.exports.transfer import obstacles
from grader.feedback.wording import work_out
from grader.feedback.writing import file_names
from grader.marking.run_record import RunRecord, StudentLine, read_run
from grader.marking.scoring import printed_points, rounded
from grader.quiz.spec import Question, QuizBook
from grader.verdicts.decisions import standing

RESULTS = "results.json"


def write_results(result: Path, book: QuizBook, out: Path, *, partial: bool) -> int:
    """`out/<student>/results.json` for every student of a run, all at once; their number.

    Students of an earlier export there who are in the run no more are gone. Raises InputError for a result that is not
    complete, unless `partial`.
    """
    record = read_run(result, book)
    if problems := obstacles(record, partial=partial):
        raise InputError(problems)
    names = file_names([student.id for student in record.students])
    with staging(out) as stage:
        for student in record.students:
            text = json.dumps(student_results(record, book, student), indent=1, ensure_ascii=False, allow_nan=False)
            write_whole(stage.folder(names[student.id]) / RESULTS, (text + "\n").encode())
        _drop_others(stage, set(names.values()))
        stage.commit()
    return len(names)


def _drop_others(stage: Stage, names: set[str]) -> None:
    for path in stage.out.glob(f"*/{RESULTS}"):
        if path.parent.name not in names and [*path.parent.iterdir()] == [path]:
            stage.drop(path.parent.name)


def student_results(record: RunRecord, book: QuizBook, student: StudentLine) -> dict[str, Any]:
    """One student's results: the recorded total, which is after all rules, and each question as a test."""
    return {
        "score": float(student.total),
        "output": "\n".join(_summary(record, book, student)),
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "after_published",
        "stdout_visibility": "hidden",
        "tests": [_test(record, student, question, number) for number, question in enumerate(book.questions, start=1)],
        "extra_data": {
            "student_id": student.id,
            "quiz": record.quiz,
            "key": record.key.digest,
            "rule": record.rule,
            "exact": student.exact,
        },
    }


def _summary(record: RunRecord, book: QuizBook, student: StudentLine) -> list[str]:
    """The total, and every rule that had an effect. What is not graded is not in the denominator."""
    graded = zip(book.questions, student.points, strict=True)
    possible = sum((printed_points(q) for q, points in graded if points is not None), start=Fraction(0))
    lines = [f"{record.title}: {student.total} of {rounded(possible)} points"]
    if record.demonstration:
        lines.append("This key rests on demonstration evidence.")
    return lines + [f"{adjustment.rule}: {adjustment.detail}" for adjustment in student.adjustments]


def _test(record: RunRecord, student: StudentLine, question: Question, number: int) -> dict[str, Any]:
    points = student.points[number - 1]
    full = rounded(printed_points(question))
    return {
        "name": f"{question.id} {question.title}",
        "name_format": "text",
        "number": str(number),
        "score": float(points or 0),
        "max_score": 0.0 if points is None else float(full),
        "status": "passed" if points == full else "failed",
        "output": "\n".join(_sentences(record, student, question, number)),
    }


def _sentences(record: RunRecord, student: StudentLine, question: Question, number: int) -> list[str]:
    """What was ticked, what it earns and why, and what the teaching staff decided about the question."""
    kept = None if student.kept is None else student.attempts[student.kept].answers[number - 1]
    if student.points[number - 1] is None:
        lines = ["Not graded."]
    elif student.kept is None:
        lines = ["No attempt counts."]
    else:
        ruling = next((ruling for ruling in record.rulings if ruling.question == question.id), None)
        chosen = None if kept is None else frozenset(kept)
        formula = work_out(question, record.correct[question.id], chosen, record.rule, ruling).formula
        lines = [f"Ticked: {', '.join(kept or '') or 'nothing'}. {formula}"]
    decided = [decision.reason for _, decision in standing(record.decisions) if decision.question == question.id]
    return lines + [f"Decided by the teaching staff: {reason}" for reason in decided]
