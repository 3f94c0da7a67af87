"""Read a result back: its key, its rule and every attempt, to regrade or audit it."""

from __future__ import annotations

import json
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from basics.errors import InputError, Problem
from grader.marking.grading import Grades, Setting, grade_students
from grader.marking.results import FORMAT, RESULT
from grader.marking.scoring import Ruling
from grader.quiz.spec import CreditRule, QuizBook
from grader.submissions.class_file import ClassFile
from grader.submissions.model import Chosen, Submission
from grader.verdicts.key import Override


def read_result(path: Path) -> dict[str, Any]:
    """A `result.json`, or the one in a folder. Raises InputError if it is not there or not one."""
    file = path / RESULT if path.is_dir() else path
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(Problem(str(file), "there is no result here", "grade with --out DIR first")) from error
    except ValueError as error:
        raise InputError(Problem(str(file), f"is not a result: {error}", "grade with --out DIR again")) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT or "students" not in data:
        raise InputError(Problem(str(file), f"is not a result of format {FORMAT}", "grade with --out DIR again"))
    return data


def attempts_of(result: dict[str, Any], book: QuizBook) -> dict[str, list[Submission]]:
    """The attempts in a result, by student id, as they were read from the file."""
    ids = tuple(question.id for question in book.questions)
    recorded = tuple(result["key"]["questions"])
    if recorded != ids:
        what = f"was graded with the questions {', '.join(recorded)}, this quiz has {', '.join(ids)}"
        raise InputError(Problem("result", what, "name the quiz with --quiz"))
    return {
        student["id"]: [_attempt(student, attempt, ids) for attempt in student["attempts"]]
        for student in result["students"]
    }


def _attempt(student: dict[str, Any], attempt: dict[str, Any], ids: tuple[str, ...]) -> Submission:
    submitted = attempt.get("submitted")
    return Submission(
        student_id=student["id"],
        questions=ids,
        chosen=tuple(None if answer is None else frozenset(answer) for answer in attempt["answers"]),
        name=student.get("name", ""),
        section=student.get("section", ""),
        submitted=datetime.fromisoformat(submitted) if submitted else None,
        attempt=attempt.get("attempt"),
        lms_id=student.get("lms_id", ""),
    )


def key_of(result: dict[str, Any]) -> dict[str, Chosen | None]:
    """Correct letters by question id, as the result used them."""
    questions = result["key"]["questions"].items()
    return {name: None if q["correct"] is None else frozenset(q["correct"]) for name, q in questions}


def rule_of(result: dict[str, Any]) -> CreditRule:
    """The credit rule the result used."""
    rule: CreditRule = result["rule"]
    return rule


def rulings_of(result: dict[str, Any]) -> tuple[Ruling, ...]:
    """The rulings the result used."""
    return tuple(Ruling.model_validate_json(json.dumps(ruling)) for ruling in result["rulings"])


def totals_of(result: dict[str, Any]) -> dict[str, Fraction]:
    """Exact totals by student id."""
    return {student["id"]: Fraction(student.get("exact", "0")) for student in result["students"]}


def class_file_of(result: dict[str, Any]) -> ClassFile:
    """The extensions, violations and skipped cells that the result used."""
    return ClassFile.model_validate_json(json.dumps(result["class_file"]))


def overrides_of(result: dict[str, Any]) -> tuple[Override, ...]:
    """The TA's decisions that the result used."""
    questions = result["key"]["questions"].values()
    return tuple(Override.model_validate_json(json.dumps(q["override"])) for q in questions if q["override"])


def grades_of(result: dict[str, Any], book: QuizBook) -> Grades:
    """The graded class as the result has it, worked out again; totals that a regrade held stay held."""
    setting = Setting(book, key_of(result), rule_of(result), rulings_of(result), class_file_of(result))
    grades = grade_students(attempts_of(result, book), setting, skipped=tuple(result["skipped"]))
    recorded = totals_of(result)
    for record in grades.records:
        if grades.total(record) != recorded[record.student_id]:
            record.held = recorded[record.student_id]
    return grades
