"""The quiz that a run was graded with, found from the run: where it was, or where commands look anyway.

The record says where the quiz was, seen from the run's folder. That is a hint: the quiz may have moved, and another may
lie there by now. Whether it is the one, the digests of its questions decide.
"""

from __future__ import annotations

import os
from pathlib import Path

from basics.errors import InputError, Problem
from basics.files import real_path
from basics.messages import NOTHING, Message, say, together
from grader.marking.run_record import RunRecord, other_quiz, parse_run, record_path
from grader.quiz.loading import BUILT_IN_QUIZ, QUIZ_FILE, load_quiz
from grader.quiz.spec import QuizBook

NAME_IT = say("name its folder with --quiz")


def hint(quiz: Path, run: Path) -> str:
    """Where the quiz is, seen from the folder of the run; empty where no path leads there (another drive)."""
    try:
        return Path(os.path.relpath(real_path(quiz), real_path(run))).as_posix()
    except ValueError:
        return ""


def quiz_of_run(path: Path) -> QuizBook:
    """The quiz of the run at `path` (its folder or its record).

    Raises InputError where it is not found, with every place that was looked at and what is there.
    """
    record, folder = parse_run(path), record_path(path).parent
    told = [_shown(folder / record.quiz_folder)] if record.quiz_folder else []
    seen = {real_path(place): place for place in (BUILT_IN_QUIZ, Path(), Path("questions"), *told)}
    reasons = []
    for place in (*told, *(place for place in reversed(seen.values()) if place not in told)):
        if (place / QUIZ_FILE).is_file():
            book, reason = _tried(place, record)
            if book:
                return book
            reasons.append(say("{place} {reason}", place=place, reason=reason))
        elif place in told:
            reasons.append(say("{place}, where it was, holds no {file}", place=place, file=QUIZ_FILE))
    what = say(
        "was graded with the quiz {quiz}, which is not found: {reasons}", quiz=record.quiz, reasons=together(reasons)
    )
    raise InputError(Problem(str(path), what, NAME_IT))


def _tried(place: Path, record: RunRecord) -> tuple[QuizBook | None, Message]:
    """The quiz in a folder if it is that of the record; otherwise why it is not."""
    try:
        book = load_quiz(place)
    except InputError as error:
        return None, say(
            "cannot be read ({where}: {problem})", where=error.problems[0].where, problem=error.problems[0].what
        )
    if book.quiz.id != record.quiz:
        return None, say("is the quiz {quiz}", quiz=book.quiz.id)
    if found := list(other_quiz(record, book)):
        where, what = found[0]
        if len(found) > 1:
            return None, say("has changed since ({where} {change}, and more)", where=where, change=what)
        return None, say("has changed since ({where} {change})", where=where, change=what)
    return book, NOTHING


def _shown(place: Path) -> Path:
    """The folder without detours, as somebody would type it here."""
    there, here = real_path(place), Path.cwd()
    return there.relative_to(here) if there.is_relative_to(here) else there
