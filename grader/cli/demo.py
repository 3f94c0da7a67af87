"""`earwitness demo`: the first command to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basics.messages import NOTHING, Message, say, spoken
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

    from basics.terminal import prose
    from grader.verdicts.terminal import print_command

    states = [verdict.state for question in made.key.questions for verdict in question.verdicts.values()]
    decided = len(states) - states.count("inconclusive")
    settled = len(book.questions) - len(made.key.unsettled)
    out.print(book.quiz.title, style="bold")
    out.print(
        say(
            "  {decided} of {options} options decided, {settled} of {questions} questions settled.",
            decided=decided,
            options=len(states),
            settled=settled,
            questions=len(book.questions),
        )
    )
    for question in made.key.questions:
        mark = "  " + say("DEMONSTRATION") if question.demonstration else NOTHING
        answer = ", ".join(question.correct) if question.correct is not None else say("unsettled")
        out.print(say("  {question}  {answer}{mark}", question=question.id, answer=answer, mark=mark))
    out.print()
    for result in made.results:
        if result.problem and result.problem.broken:
            told = say(" for {questions} {problem}", questions=", ".join(result.questions), problem=result.problem.what)
            out.print(Text.assemble((result.evaluator, "red"), prose(told)))
    _show_codec(out, book, made)
    grades = made.run.grades
    out.print(
        say(
            "A made-up class of {students} was graded: mean {mean} of {total:g}.",
            students=len(grades.records),
            mean=grades.mean,
            total=book.quiz.total,
        )
    )
    for path in made.written:
        out.print("  " + say("wrote {path}", path=path))
    out.print()
    out.print(say("Go on with:"))
    for words, comment in next_steps(book, folder):
        print_command(out, *words, after=spoken(comment))


def _show_codec(out: Console, book: QuizBook, made: Demonstration) -> None:
    from rich.text import Text

    from basics.terminal import prose

    said = (
        say(
            " {codec} is here, but the clips are built-in ones, not the course's. What rests on them is marked.",
            codec=book.quiz.codec,
        )
        if made.real
        else say(
            " no weights of {codec} are here, so sound was measured through the built-in pocket codec, which settles "
            "nothing about Mimi. What rests on it is marked.",
            codec=book.quiz.codec,
        )
    )
    out.print(Text.assemble((spoken(say("DEMONSTRATION:")), "magenta"), prose(said)))


def next_steps(book: QuizBook, folder: Path) -> list[tuple[list[object], Message]]:
    """Commands worth running after the demonstration, each with a comment or none."""
    accepted, quiz, last = ["--accept", "demonstration"], naming(book.folder), book.questions[-1]
    shown = next((q for q in book.questions if q.id == SHOWN), last)
    heard = [q.id for q in book.questions if any(request.evaluator in HEARING for request in q.evidence)]
    steps: list[tuple[list[object], Message]] = [
        (["earwitness", "why", shown.id, next(iter(shown.options)), *quiz], NOTHING),
        (["earwitness", "check", folder / "answers.yaml", *accepted, *quiz], NOTHING),
        (["earwitness", "grade", folder / "class.csv", "--out", "grades", *accepted, *quiz], NOTHING),
        (["pytest", book.folder], NOTHING),
    ]
    if heard:
        measure: list[object] = ["earwitness", "evidence", *heard, "--audio", "DIR", "--corpus", "DIR", *quiz]
        steps.append((measure, say("   # the course's clips through the real Mimi")))
    return steps
