"""A graded class in a few lines: how many, how well, what is open, what to decide, and why the exit code is so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from basics.listing import first_few
from basics.messages import say
from grader.marking.class_run import ClassRun
from grader.quiz.commands import command
from grader.submissions.class_file import NoSubmission

if TYPE_CHECKING:
    from rich.console import Console

NAMED = 6
"""So many questions or students are named; the rest are counted."""
NO_ROW: dict[NoSubmission, str] = {
    "listed": "no row in scores.csv",
    "row": "a row without points",
    "zero": "a row with a total of 0",
}


def digest(run: ClassRun, code: int, broken: Sequence[str] = ()) -> dict[str, Any]:
    """What is read first of a run that ends with this exit code; `broken` are evaluators that broke in its course.

    `open` is what nobody was given points for, `to_decide` what waits for the teaching staff, each in one line with
    what to do.
    """
    opened = [*_open(run)]
    reasons = [f"{name} broke" for name in dict.fromkeys(broken)]
    reasons += [line.split(":")[0] for line in opened]
    return {
        "open": opened,
        "to_decide": [*_to_decide(run)],
        "exit": {"code": code, "reason": "; ".join(reasons) or "everything is graded"},
    }


def handed_in(run: ClassRun) -> str:
    """How many students, how many attempts, and who of the roster is not among them."""
    students, attempts = len(run.grades.records), len(run.file.submissions)
    told = f"{students} students, {attempts} submissions"
    if not run.setting.class_file.roster:
        return f"{told}; no roster, so nobody knows who handed nothing in"
    absent = len(run.grades.missing)
    return f"{told}; {absent} of the roster handed nothing in" + (
        f" ({NO_ROW[run.grades.no_submission]})" if absent else ""
    )


def _open(run: ClassRun) -> Iterator[str]:
    grades, folder = run.grades, run.setting.book.folder
    if names := grades.unsettled:
        remedy = say(
            "see `{command}`; gather what is missing, or decide with --override", command=command(folder, "key")
        )
        yield f"{_count(len(names), 'question')} not settled: {first_few(names, NAMED)} ({remedy})"
    if grades.ungraded:
        cells = [f"{student} {question}" for student, question in grades.ungraded]
        remedy = say("look at them in the LMS; they have no points until they are graded there or here")
        yield f"{_count(len(cells), 'answer')} not graded: {first_few(cells, NAMED)} ({remedy})"


def _to_decide(run: ClassRun) -> Iterator[str]:
    grades, known, check = run.grades, run.setting.class_file, run.import_check
    flagged = [r.student_id for r in grades.records if any(a.rule == "attempts per day" for a in r.adjustments)]
    if flagged:
        what = say("made more attempts on a day than allowed, which costs nothing by itself")
        yield f"{_count(len(flagged), 'student')} {what}: {first_few(flagged, NAMED)}"
    if grades.missing and "no_submission" not in known.model_fields_set:
        who = first_few([entry.student_id for entry in grades.missing], NAMED)
        yield (
            f"{_count(len(grades.missing), 'student')} handed nothing in: {who} "
            "(blank or zero? `no_submission: row` or `zero` in the class file; `listed` leaves it as it is)"
        )
    if check and check.suspect_questions:
        remedy = say("say which under `canvas_key` in the class file, or correct the quiz")
        yield f"the LMS graded {first_few(check.suspect_questions, NAMED)} with another key or other points ({remedy})"
    elif check and (check.cells_different or check.scores_different):
        sums = f"{_count(check.scores_different, 'score')} of the LMS not the sum of their points"
        yield f"{_count(check.cells_different, 'cell')} with other points in the LMS, {sums}: see the differences below"
    if late := [record.student_id for record in grades.records if record.decision.kept is None]:
        what = say("handed in late only, and nothing counts unless the class file has an extension")
        yield f"{_count(len(late), 'student')} {what}: {first_few(late, NAMED)}"


def show_digest(out: Console, run: ClassRun, data: dict[str, Any]) -> None:
    """The digest for people; `data` is what `summary` and `digest` say of the run."""
    title = run.grades.scorer.book.quiz.title
    lines = [
        f"{title}   key {data['key'][:12]}   rule {data['rule']}",
        handed_in(run),
        f"mean {data['mean']}, median {data['median']} of {data['of']}",
        *(f"open: {line}" for line in data["open"]),
        *(f"to decide: {line}" for line in data["to_decide"]),
        f"exit code {data['exit']['code']}: {data['exit']['reason']}",
    ]
    for line in lines:
        out.print(line, soft_wrap=True, style="bold" if line == lines[0] else None)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"
