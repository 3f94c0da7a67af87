"""Keep appeals beside the result that holds the key: one packet each, decided once, every step in the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basics.errors import InputError, Problem
from basics.files import write_whole
from basics.suggestions import did_you_mean
from grader.feedback.writing import file_names
from grader.marking.grading import Grades
from grader.review import ledger
from grader.review.appeal import Appeal, packet, record_of
from grader.verdicts.key import AnswerKey

if TYPE_CHECKING:
    from rich.console import Console

FOLDER = "appeals"
SHORTEST_REASON = 8


def handle_appeal(grades: Grades, key: AnswerKey, appeal: Appeal, result: Path) -> dict[str, Any]:
    """Write the packet of an appeal, with its decision if there is one.

    Raises InputError for an unknown student or option, an unsettled question, a decision without a reason, and for an
    appeal that has been decided.
    """
    if problems := _problems(grades, appeal):
        raise InputError(problems)
    out = result if result.is_dir() else result.parent
    name = file_names([appeal.student])[appeal.student]
    path = out / FOLDER / f"{appeal.question}-{appeal.letter}-{name}.json"
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    if earlier and earlier["decision"]:
        what = f"was {earlier['decision']['outcome']} on {earlier['decision']['time']}"
        raise InputError(Problem(str(path), what, "a decided appeal is not changed; regrade, or appeal anew elsewhere"))
    data = packet(grades, key, appeal)
    if earlier:
        data["opened"] = earlier["opened"]
    write_whole(path, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
    written = {f"{FOLDER}/{path.name}": path}
    if data["change_file"]:
        changes = path.with_suffix(".yaml")
        write_whole(changes, data["change_file"].encode())
        written[f"{FOLDER}/{changes.name}"] = changes
    outcome = appeal.decision or "opened"
    known = {"key": key.digest, "question": appeal.question, "option": appeal.letter, "outcome": outcome}
    ledger.append(out / ledger.FOLDER, "appeal", known, written)
    return data | {"written": [str(p) for p in written.values()]}


def _problems(grades: Grades, appeal: Appeal) -> list[Problem]:
    book = grades.scorer.book
    question = book.question(appeal.question)
    problems = []
    if appeal.letter not in question.options:
        what = f"is not in {question.id}"
        problems.append(Problem(f"option {appeal.letter}", what, did_you_mean(appeal.letter, question.options)))
    if grades.scorer.key[question.id] is None:
        problems.append(Problem(question.id, "is not settled, there is no verdict to appeal against", "settle it"))
    if record_of(grades, appeal.student) is None:
        known = [record.student_id for record in grades.records]
        problems.append(
            Problem(f"student {appeal.student}", "is not in the result", did_you_mean(appeal.student, known))
        )
    if appeal.decision and len(appeal.reason) < SHORTEST_REASON:
        problems.append(Problem("--decision", "needs a reason that can be read later", "give it with --reason"))
    return problems


def show_appeal(out: Console, data: dict[str, Any]) -> None:
    """The packet for people."""
    from rich.markup import escape

    out.print(f"{data['question']} {data['option']}: {escape(data['text'])}", style="bold")
    out.print(f"verdict: {data['evidence']['verdict']}; key {data['key']['correct'] or 'none'}")
    for ground in data["evidence"]["grounds"]:
        out.print(f"  {escape(ground)}")
    out.print("It would come out otherwise if")
    for change in data["what_would_change_it"]:
        out.print(f"  {escape(change)}")
    effect, student = data["if_accepted"], data["if_accepted"]["this_student"]
    out.print(
        f"if accepted, the key is {effect['correct'] or 'none'}: {effect['students_changed']} of {effect['n']} "
        f"students change, mean change {effect['mean_change']}"
    )
    if student["points"] is not None:
        out.print(
            f"{escape(data['student'])} ticked {student['ticked'] or 'nothing'}: {student['points']} -> "
            f"{student['points_then']} points, total {student['total']} -> {student['total_then']}"
        )
    if data["within_revision_window"] is False:
        out.print("the revision window is over", style="yellow")
    if data["decision"]:
        out.print(f"{data['decision']['outcome']}: {escape(data['decision']['reason'])}", style="bold")
    for path in data["written"]:
        out.print(f"written: {escape(path)}")
