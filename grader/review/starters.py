"""Files to start a grading day from, with this quiz's dates, questions and letters in their examples."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from basics.errors import InputError, Problem
from basics.files import read_bytes, write_whole
from basics.messages import say
from grader.marking.scoring import RULES
from grader.quiz.commands import command
from grader.quiz.spec import QuizBook

CLASS, OVERRIDE, CHANGES = "class.yaml", "override.yaml", "changes.yaml"
STARTERS: Final = (CLASS, OVERRIDE, CHANGES)
EXTENDED = timedelta(days=2)


def write_starters(folder: Path, book: QuizBook, unsettled: Collection[str]) -> list[Path]:
    """A class file, one of decisions and one of changes in `folder`; the paths.

    The examples for decisions are about the `unsettled` questions, if there are any. Raises InputError, and writes
    nothing, where one of the files is there already with anything else in it than would be written.
    """
    paths = [folder / name for name in STARTERS]
    texts = {path: _starter(path, paths[0], book, unsettled).encode() for path in paths}
    there = [path for path in paths if path.exists()]
    if any(read_bytes(path) != texts[path] for path in there):
        raise InputError(
            Problem(str(path), say("is there already"), say("name another folder with --out, or move the file"))
            for path in there
        )
    for path in paths:
        write_whole(path, texts[path], new=path not in there)
    return paths


def _starter(path: Path, class_file: Path, book: QuizBook, unsettled: Collection[str]) -> str:
    first, last = book.questions[0], book.questions[-1]
    environment = Environment(
        loader=PackageLoader("grader.review", "starters"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.finalize = lambda value: " ".join(value.split()) if isinstance(value, str) else value
    return environment.get_template(f"{path.name}.j2").render(
        quiz=book.quiz,
        name=path,
        question=first,
        other=book.questions[1 % len(book.questions)],
        last=last,
        letter=next(iter(first.options)),
        open=[q for q in book.questions if q.id in unsettled] or [first],
        rules=list(RULES),
        later=book.quiz.local(book.quiz.deadline + EXTENDED).isoformat(),
        grade=command(book.folder, "grade", "SUBMISSIONS.csv", "--class", class_file, "--out", "graded"),
        regrade=command(book.folder, "regrade", "graded", path, "--out", "regraded"),
    )
