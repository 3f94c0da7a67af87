"""`earwitness facts`: what the key takes from papers and released files, and looking it up."""

from __future__ import annotations

from typing import Annotated

import typer

from basics.messages import quoted, say
from grader.cli.common import DONE, JsonOption, QuizOption, command, console, load_book, print_json


def register(app: typer.Typer) -> None:
    facts = typer.Typer(no_args_is_help=True, help="List the cited facts that claims compare; look them up.")
    command(facts, "list", help="Cited facts that claims compare: value, standing, where to look, which options.")(show)
    command(facts, help="Keep a fact that you looked up in its source: value, place, words, who and when.")(confirm)
    app.add_typer(facts, name="facts")


def show(
    quiz: QuizOption = None,
    unread: Annotated[bool, typer.Option("--unread", help="Only what nobody has looked up yet.")] = False,
    as_json: JsonOption = False,
) -> None:
    from grader.verdicts.citations import citations
    from grader.verdicts.terminal import show_citations

    book = load_book(quiz)
    found = [one for one in citations(book) if not unread or one.measurement.standing == "recalled"]
    print_json([one.as_data() for one in found]) if as_json else show_citations(console(), book, found)
    raise typer.Exit(DONE)


def confirm(
    name: Annotated[str, typer.Argument(help="The measurement, as `earwitness facts list` names it.")],
    value: Annotated[str, typer.Option("--value", help="The value that stands in the source.")],
    locator: Annotated[str, typer.Option("--locator", help="Source with section, table or line.")],
    quote: Annotated[str, typer.Option("--quote", help="The words of the source that say so, at most 25.")],
    by: Annotated[str, typer.Option("--by", help="Who looked it up.")],
    when: Annotated[str | None, typer.Option("--when", help="Date, YYYY-MM-DD; today if left out.")] = None,
    quiz: QuizOption = None,
) -> None:
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from basics.errors import InputError, Problem
    from evaluators.evidence import Confirmed
    from grader.quiz.loading import cited
    from grader.quiz.sources import add_fact, typed

    book = load_book(quiz)
    known = cited(book.questions, book.bench)
    told = {"locator": locator, "quote": quote, "by": by, "when": when or f"{datetime.now(UTC):%Y-%m-%d}"}
    try:
        fact = Confirmed(value=typed(value, known.get(name)), **told)
    except ValidationError as error:
        raise InputError(
            Problem(f"--{'.'.join(map(str, e['loc'])) or 'quote'}", quoted(e["msg"].lower())) for e in error.errors()
        ) from error
    path = add_fact(book.folder, name, fact, known)
    console().print(
        say("{name} = {value} is kept in {path}; it counts as read from now on", name=name, value=fact.value, path=path)
    )
