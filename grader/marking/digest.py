"""A graded class in a few lines: how many, how well, what is open, what to decide, and why the exit code is so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from basics.listing import first_few
from basics.messages import Message, plural, say, together
from grader.marking.class_run import ClassRun
from grader.quiz.commands import command
from grader.submissions.class_file import NoSubmission

if TYPE_CHECKING:
    from rich.console import Console

NAMED = 6
"""So many questions or students are named; the rest are counted."""
NO_ROW: dict[NoSubmission, Message] = {
    "listed": say("no row in scores.csv"),
    "row": say("a row without points"),
    "zero": say("a row with a total of 0"),
}


def digest(run: ClassRun, code: int, broken: Sequence[str] = ()) -> dict[str, Any]:
    """What is read first of a run that ends with this exit code; `broken` are evaluators that broke in its course.

    `open` is what nobody was given points for, `to_decide` what waits for the teaching staff, each in one line with
    what to do.
    """
    opened = [*_open(run)]
    reasons = [say("{evaluator} broke", evaluator=name) for name in dict.fromkeys(broken)]
    reasons += [what for what, _ in opened]
    return {
        "open": [say("{what}: {rest}", what=what, rest=rest) for what, rest in opened],
        "to_decide": [*_to_decide(run)],
        "exit": {"code": code, "reason": together(reasons) if reasons else say("everything is graded")},
    }


def handed_in(run: ClassRun) -> Message:
    """How many students, how many attempts, and who of the roster is not among them."""
    students, attempts = len(run.grades.records), len(run.file.submissions)
    told = say("{students} students, {attempts} submissions", students=students, attempts=attempts)
    if not run.setting.class_file.roster:
        return say("{summary}; no roster, so nobody knows who handed nothing in", summary=told)
    absent = say("{summary}; {n} of the roster handed nothing in", summary=told, n=len(run.grades.missing))
    if not run.grades.missing:
        return absent
    return say("{absent} ({row})", absent=absent, row=NO_ROW[run.grades.no_submission])


def _open(run: ClassRun) -> Iterator[tuple[Message, Message]]:
    """What is open, and of whom or what, with what to do."""
    grades, folder = run.grades, run.setting.book.folder
    if names := grades.unsettled:
        what = plural("{n} question not settled", "{n} questions not settled", len(names))
        yield (
            what,
            say(
                "{questions} (see `{command}`; gather what is missing, or decide with --override)",
                questions=first_few(names, NAMED),
                command=command(folder, "key"),
            ),
        )
    if grades.ungraded:
        cells = [f"{student} {question}" for student, question in grades.ungraded]
        what = plural("{n} answer not graded", "{n} answers not graded", len(cells))
        yield (
            what,
            say(
                "{cells} (look at them in the LMS; they have no points until they are graded there or here)",
                cells=first_few(cells, NAMED),
            ),
        )


def _to_decide(run: ClassRun) -> Iterator[Message]:
    grades, known, check = run.grades, run.setting.class_file, run.import_check
    flagged = [r.student_id for r in grades.records if any(a.rule == "attempts per day" for a in r.adjustments)]
    if flagged:
        yield plural(
            "{n} student made more attempts on a day than allowed, which costs nothing by itself: {students}",
            "{n} students made more attempts on a day than allowed, which costs nothing by itself: {students}",
            len(flagged),
            students=first_few(flagged, NAMED),
        )
    if grades.missing and "no_submission" not in known.model_fields_set:
        how = say("blank or zero? `no_submission: row` or `zero` in the class file; `listed` leaves it as it is")
        yield plural(
            "{n} student handed nothing in: {students} ({choice})",
            "{n} students handed nothing in: {students} ({choice})",
            len(grades.missing),
            students=first_few([entry.student_id for entry in grades.missing], NAMED),
            choice=how,
        )
    if check and check.suspect_questions:
        yield say(
            "the LMS graded {questions} with another key or other points (say which under `canvas_key` in the class "
            "file, or correct the quiz)",
            questions=first_few(check.suspect_questions, NAMED),
        )
    elif check and (check.cells_different or check.scores_different):
        cells = plural(
            "{n} cell with other points in the LMS", "{n} cells with other points in the LMS", check.cells_different
        )
        sums = plural(
            "{n} score of the LMS not the sum of their points",
            "{n} scores of the LMS not the sum of their points",
            check.scores_different,
        )
        yield say("{cells}, {sums}: see the differences below", cells=cells, sums=sums)
    if late := [record.student_id for record in grades.records if record.decision.kept is None]:
        yield plural(
            "{n} student handed in late only, and nothing counts unless the class file has an extension: {students}",
            "{n} students handed in late only, and nothing counts unless the class file has an extension: {students}",
            len(late),
            students=first_few(late, NAMED),
        )


def show_digest(out: Console, run: ClassRun, data: dict[str, Any]) -> None:
    """The digest for people; `data` is what `summary` and `digest` say of the run."""
    title = run.grades.scorer.book.quiz.title
    lines = [
        say("{title}   key {key}   rule {rule}", title=title, key=data["key"][:12], rule=data["rule"]),
        handed_in(run),
        say("mean {mean}, median {median} of {total}", mean=data["mean"], median=data["median"], total=data["of"]),
        *(say("open: {item}", item=line) for line in data["open"]),
        *(say("to decide: {item}", item=line) for line in data["to_decide"]),
        say("exit code {code}: {reason}", **data["exit"]),
    ]
    for line in lines:
        out.print(line, soft_wrap=True, style="bold" if line == lines[0] else None)
