"""`earwitness new`: a quiz to start from, further questions for it, and the files of a grading day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from basics.messages import say
from grader.cli.common import QuizOption, accepted_sources, command, console, load_book, testify

WithOption = Annotated[
    Literal["python", "notebook", "table", "command", "facts"],
    typer.Option("--with", help="What decides its options: a function, a notebook, a table, a program, or facts."),
]


class New(TyperGroup):
    """What is none of its commands is the name of a new quiz: `new NAME` is `new quiz NAME`."""

    unnamed = "quiz"

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names, or the one for a new quiz."""
        known = args and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known else [self.unnamed, *args])


def register(app: typer.Typer) -> None:
    about = "Files to start from: `new NAME` writes a quiz, the others add to one."
    new = typer.Typer(cls=New, no_args_is_help=True, help=about)
    command(new, "quiz", help="A complete small quiz, decided at once; `new NAME` for short.")(quiz_)
    command(new, "question", help="One more question, with the files that its evidence reads.")(question)
    command(new, "class", help="class.yaml, override.yaml and changes.yaml for a grading day.")(class_)
    app.add_typer(new, name="new")


def quiz_(
    folder: Annotated[Path, typer.Argument(metavar="NAME", help="The folder to write.")], with_: WithOption
) -> None:
    from grader.authoring import CLASS_FILE, new_quiz, starter
    from grader.quiz.commands import command as command_of

    book = new_quiz(folder, with_)
    told = console()
    options = sum(len(question.options) for question in book.questions)
    text = say(
        "{folder}: {questions} questions, {options} options, all decided from evidence of record",
        folder=folder,
        questions=len(book.questions),
        options=options,
    )
    told.print(text, soft_wrap=True)
    edited = folder / starter(with_).edit
    told.print(say("edit {file} and the questions; README.md has the commands", file=edited))
    told.print(say("then:"))
    for words in (("key",), ("grade", folder / CLASS_FILE)):
        told.print(f"    {command_of(folder, *words)}", soft_wrap=True)


def question(
    name: Annotated[str, typer.Argument(metavar="ID", help="The new question's id.")],
    with_: WithOption,
    quiz: QuizOption = None,
) -> None:
    from grader.authoring import new_question
    from grader.quiz.commands import command as command_of
    from grader.quiz.loading import find_quiz

    folder = find_quiz(quiz)
    told = console()
    for path in new_question(name, with_, folder):
        told.print(say("wrote {path}", path=path), soft_wrap=True)
    told.print(say("then: {command}", command=command_of(folder, "evidence", name, "--record")), soft_wrap=True)


def class_(
    out: Annotated[Path, typer.Option("--out", help="Folder to write them into.")] = Path(),
    students: Annotated[
        int,
        typer.Option("--students", min=0, max=10_000, help="Also class.csv, with answers of so many invented ones."),
    ] = 0,
    quiz: QuizOption = None,
) -> None:
    from datetime import UTC, datetime

    from basics.errors import InputError, Problem
    from basics.files import write_whole
    from grader.authoring import CLASS_FILE, made_up_class
    from grader.quiz.commands import command as command_of
    from grader.review.starters import CHANGES, CLASS, OVERRIDE, write_starters

    book = load_book(quiz)
    submissions = out / CLASS_FILE
    if students and submissions.exists():
        raise InputError(
            Problem(str(submissions), say("is there already"), say("name another folder with --out, or move the file"))
        )
    key, _ = testify(book, "cached", accepted_sources(book, None), ())
    paths = {path.name: path for path in write_starters(out, book, [question.id for question in key.unsettled])}
    told = console()
    told.print(say("{file}: roster, extensions, violations; works as it is", file=paths[CLASS]), soft_wrap=True)
    told.print(say("{file}: decide in it what is open before grading", file=paths[OVERRIDE]), soft_wrap=True)
    told.print(say("{file}: write into it what is decided afterwards", file=paths[CHANGES]), soft_wrap=True)
    if students:
        write_whole(submissions, made_up_class(book, key, students, datetime.now(UTC)).encode())
        told.print(say("{file}: an invented class of {students}", file=submissions, students=students), soft_wrap=True)
    named = submissions if students else "SUBMISSIONS.csv"
    following = command_of(book.folder, "grade", named, "--class", paths[CLASS])
    told.print(say("then: {command}", command=following), soft_wrap=True)
