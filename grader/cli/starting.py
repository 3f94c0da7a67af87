"""`earwitness new`: files to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import QuizOption, accepted_sources, command, console, load_book, testify


def register(app: typer.Typer) -> None:
    new = typer.Typer(no_args_is_help=True, help="Write files to start from, commented, with this quiz's questions.")
    command(new, "class", help="class.yaml, override.yaml and changes.yaml for a grading day.")(class_)
    app.add_typer(new, name="new")


def class_(
    out: Annotated[Path, typer.Option("--out", help="Folder to write them into.")] = Path(),
    quiz: QuizOption = None,
) -> None:
    from grader.quiz.commands import command as command_of
    from grader.review.starters import CHANGES, CLASS, OVERRIDE, write_starters

    book = load_book(quiz)
    key, _ = testify(book, "cached", accepted_sources(book, None), ())
    paths = {path.name: path for path in write_starters(out, book, [question.id for question in key.unsettled])}
    told = console()
    told.print(f"{paths[CLASS]}: roster, extensions, violations; works as it is", soft_wrap=True)
    told.print(f"{paths[OVERRIDE]}: decide in it what is open before grading", soft_wrap=True)
    told.print(f"{paths[CHANGES]}: write into it what is decided afterwards", soft_wrap=True)
    following = command_of(book.folder, "grade", "SUBMISSIONS.csv", "--class", paths[CLASS])
    told.print(f"then: {following}", soft_wrap=True)
