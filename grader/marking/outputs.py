"""The folder a grading run leaves behind: nothing is in it until everything has been worked out."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from basics.errors import InputError, Problem
from grader.feedback.writing import FeedbackWriter
from grader.marking.bulk import without_collection
from grader.marking.grading import Grades, Setting, grade
from grader.marking.proof import Proof, prove
from grader.marking.results import RESULT, SCORES, result_head, write_result, write_scores
from grader.marking.scoring import Ruling, correct_options
from grader.quiz.spec import CreditRule, QuizBook
from grader.review import ledger
from grader.submissions.class_file import ClassFile
from grader.submissions.model import SubmissionFile
from grader.verdicts.key import AnswerKey

FEEDBACK = "feedback"


@dataclass(frozen=True)
class Run:
    """One grading of one class, not yet written down."""

    file: SubmissionFile
    key: AnswerKey
    setting: Setting
    grades: Grades
    proof: Proof | None

    def head(self) -> dict[str, Any]:
        """What `result.json` says besides the students."""
        kept = self.setting.class_file.model_dump(mode="json", exclude={"roster", "feedback"})
        return result_head(self.file, self.key, self.grades, self.proof, class_file=kept)


def facts(head: dict[str, Any]) -> dict[str, Any]:
    """What a ledger entry says of a run: digests of everything that went in."""
    return {
        "quiz": head["quiz"],
        "submissions": head["submissions"]["sha256"],
        "key": head["key"]["digest"],
        "evidence": head["key"]["evidence"],
        "rule": head["rule"],
        "overrides": [name for name, question in head["key"]["questions"].items() if question["override"]],
        "rulings": [ruling["question"] for ruling in head["rulings"]],
        "demonstration": head["demonstration"],
    }


def grade_file(
    file: SubmissionFile,
    book: QuizBook,
    key: AnswerKey,
    rule: CreditRule | None = None,
    class_file: ClassFile | None = None,
    rulings: tuple[Ruling, ...] = (),
) -> Run:
    """Grade a class and prove its import. Raises InputError when the parts do not fit together."""
    known = class_file or ClassFile()
    setting = Setting(book, correct_options(key), rule or book.quiz.credit_rule, rulings, known)
    grades = grade(file, setting)
    canvas_key = {name: frozenset(letters) for name, letters in known.canvas_key.items()}
    proof = prove(file, book, {**setting.key, **canvas_key}, key_given=bool(canvas_key))
    return Run(file, key, setting, grades, proof)


@without_collection
def write_run(out: Path, run: Run) -> list[Path]:
    """Write scores, result and feedback into `out`; feedback of an earlier run there is replaced."""
    if out.exists() and not out.is_dir():
        raise InputError(Problem(str(out), "is a file, expected a folder", "name another folder with --out"))
    out.mkdir(parents=True, exist_ok=True)
    languages = run.setting.class_file.feedback
    with tempfile.TemporaryDirectory(dir=out, prefix=".writing-") as scratch:
        folder = Path(scratch) / FEEDBACK
        if languages:
            FeedbackWriter(run.grades, run.key, languages).write(folder)
        write_scores(Path(scratch) / SCORES, run.grades)
        write_result(Path(scratch) / RESULT, run.head(), run.grades)
        shutil.rmtree(out / FEEDBACK, ignore_errors=True)
        written = [Path(scratch) / SCORES, Path(scratch) / RESULT, *([folder] if languages else [])]
        for path in written:
            path.replace(out / path.name)
    ledger.append(out / ledger.FOLDER, "grade", facts(run.head()), {name: out / name for name in (SCORES, RESULT)})
    return [out / path.name for path in written]
