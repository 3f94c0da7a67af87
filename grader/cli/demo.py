"""`earwitness demo`: the first command to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.common import DONE, UNUSABLE, QuizOption, command, console, load_book
from grader.cli.evidence import progress_bar
from grader.quiz.commands import naming

if TYPE_CHECKING:
    from rich.console import Console

    from grader.demo import Demonstration
    from grader.quiz.spec import QuizBook


SHOWN = "q11"
"""The question of the built-in quiz that shows most."""
HEARING = ("layer_separation", "reconstruction")
"""Evaluators that measure the course's own sound."""


def register(app: typer.Typer) -> None:
    command(app, help="See it all work with the built-in quiz: measure, form the key, grade a class, write a report.")(
        demo
    )


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for everything that is written.")] = Path(
        "earwitness-demo"
    ),
    quiz: QuizOption = None,
) -> None:
    from evaluators.store import Store
    from grader.demo import demonstrate

    book = load_book(quiz)
    with progress_bar(quiet=False) as report:
        made = demonstrate(book, out, Store(), report)
    show(console(), book, made, out)
    unusable = any(result.problem and result.problem.cause == "input" for result in made.results)
    raise typer.Exit(UNUSABLE if unusable else DONE)


def show(out: Console, book: QuizBook, made: Demonstration, folder: Path) -> None:
    """What a newcomer needs to know, in a screenful."""
    from rich.text import Text

    from grader.verdicts.terminal import print_command

    states = [verdict.state for question in made.key.questions for verdict in question.verdicts.values()]
    decided = len(states) - states.count("inconclusive")
    settled = len(book.questions) - len(made.key.unsettled)
    out.print(book.quiz.title, style="bold")
    out.print(f"  {decided} of {len(states)} options decided, {settled} of {len(book.questions)} questions settled.")
    for question in made.key.questions:
        mark = "  DEMONSTRATION" if question.demonstration else ""
        answer = ", ".join(question.correct) if question.correct is not None else "unsettled"
        out.print(f"  {question.id}  {answer}{mark}")
    out.print()
    for result in made.results:
        if result.problem and result.problem.broken:
            told = f" for {', '.join(result.questions)} {result.problem.what}"
            out.print(Text.assemble((result.evaluator, "red"), told))
    _show_codec(out, book, made)
    grades = made.run.grades
    out.print(f"A made-up class of {len(grades.records)} was graded: mean {grades.mean} of {book.quiz.total:g}.")
    for path in made.written:
        out.print(f"  wrote {path}")
    out.print("\nGo on with:")
    for words, comment in next_steps(book, folder):
        print_command(out, *words, after=comment)


def _show_codec(out: Console, book: QuizBook, made: Demonstration) -> None:
    from rich.text import Text

    said = (
        f"{book.quiz.codec} is here, but the clips are built-in ones, not the course's. What rests on them is marked."
        if made.real
        else f"no weights of {book.quiz.codec} are here, so sound was measured through the built-in pocket codec, "
        "which settles nothing about Mimi. What rests on it is marked."
    )
    out.print(Text.assemble(("DEMONSTRATION:", "magenta"), f" {said}"))


def next_steps(book: QuizBook, folder: Path) -> list[tuple[list[object], str]]:
    """Commands worth running after the demonstration, each with a comment or none."""
    accepted, quiz, last = ["--accept", "demonstration"], naming(book.folder), book.questions[-1]
    shown = next((q for q in book.questions if q.id == SHOWN), last)
    heard = [q.id for q in book.questions if any(request.evaluator in HEARING for request in q.evidence)]
    steps: list[tuple[list[object], str]] = [
        (["earwitness", "why", shown.id, next(iter(shown.options)), *quiz], ""),
        (["earwitness", "check", folder / "answers.yaml", *accepted, *quiz], ""),
        (["earwitness", "grade", folder / "class.csv", "--out", "grades", *accepted, *quiz], ""),
        (["pytest", book.folder], ""),
    ]
    if heard:
        measure: list[object] = ["earwitness", "evidence", *heard, "--audio", "DIR", "--corpus", "DIR", *quiz]
        steps.append((measure, "   # the course's clips through the real Mimi"))
    return steps
