"""`earwitness evaluators` and `earwitness try`: what can be asked, and what asking it comes to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from basics.messages import language_spoken, say, say_error, spoken
from grader.cli.common import (
    DONE,
    UNSETTLED,
    JsonOption,
    QuizOption,
    command,
    console,
    load_book,
    print_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from evaluators.catalogue import Described, Listed
    from grader.verdicts.testimony import Result


SOON = 20.0
"""Seconds: what a question asks for is tried twice, to see whether it gives the same, if it takes less."""


def register(app: typer.Typer) -> None:
    command(app, help="List the evaluators that are installed; of one, what it takes and what it measures.")(evaluators)
    command(app, "try", help="Ask a question's evaluators anew, show what they print and give; nothing is kept.")(tried)


def evaluators(
    name: Annotated[str | None, typer.Argument(help="Evaluator; all if left out.", show_default=False)] = None,
    asked: Annotated[
        list[str] | None,
        typer.Argument(help="What is asked of it, such as sides=8.", metavar="[KEY=VALUE]...", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    from evaluators.catalogue import catalogue, described

    if name is None:
        known = catalogue()
        print_json([one.model_dump(mode="json") for one in known]) if as_json else _list(console(), known)
    else:
        found = described(name, dict(map(_pair, asked or ())))
        print_json(found.model_dump(mode="json")) if as_json else _show(console(), found)
    raise typer.Exit(DONE)


def _pair(text: str) -> tuple[str, Any]:
    """`sides=8`: what stands right of the sign is JSON, or else a text. Raises InputError where there is no sign."""
    import json

    from basics.errors import InputError, Problem

    key, sign, value = text.partition("=")
    if not sign:
        raise InputError(Problem(text, say("names no value"), say("write {name}=VALUE", name=text)))
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _list(out: Console, known: Iterable[Listed]) -> None:
    from rich.text import Text

    for one in known:
        what = (
            Text(spoken(say("cannot be used: {problem}", problem=one.problem)), style="red")
            if one.problem
            else Text(spoken(one.about))
        )
        version = "" if one.version is None else f" {one.version}"
        out.print(Text.assemble((f"{one.name}{version}", "bold"), f"  ({one.package})  ", what), soft_wrap=True)


def _show(out: Console, found: Described) -> None:
    from rich.text import Text

    _list(out, [found.evaluator])
    out.print(say("takes"), style="dim")
    for one in found.parameters:
        default = f" = {one.default}" if one.default else spoken("  " + say("(needed)"))
        told = Text.assemble("  ", (one.name, "bold"), f": {one.kind}{default}  ", (spoken(one.about), "dim"))
        out.print(told, soft_wrap=True)
    if found.refused:
        what = say("and measures nothing when asked so: {reason}", reason=found.refused)
        out.print(what, style="yellow", soft_wrap=True)
        return
    out.print(say("measures"), style="dim")
    for quantity in found.quantities:
        words = [quantity.kind, quantity.unit, _range(quantity.low, quantity.high), " | ".join(quantity.one_of)]
        said = "  ".join(filter(None, words))
        out.print(
            Text.assemble("  ", (quantity.name, "bold"), f": {said}  ", (spoken(quantity.about), "dim")), soft_wrap=True
        )


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"[{'-inf' if low is None else f'{low:g}'}, {'inf' if high is None else f'{high:g}'}]"


def tried(
    question: Annotated[str, typer.Argument(help="The question's id.")],
    quiz: QuizOption = None,
    as_json: JsonOption = False,
) -> None:
    from dataclasses import replace

    from evaluators.packages import LIVE
    from evaluators.store import Store
    from grader.cli.evidence import progress_bar
    from grader.verdicts import key_json, terminal
    from grader.verdicts.testimony import Gatherer, key_from

    os.environ[LIVE] = "1"
    book = load_book(quiz)
    wanted = book.question(question)
    alone, store = replace(book, questions=(wanted,)), Store()
    with progress_bar(quiet=as_json) as report:
        site = replace(book.site, cache=store.root)
        gatherer = Gatherer(alone, book.quiz.accept, site, None, "refresh")
        results = gatherer.results([wanted], report)
    if sum(result.evidence.provenance.seconds for result in results if result.evidence) < SOON:
        del os.environ[LIVE]
        again = Gatherer(alone, book.quiz.accept, site, None, "refresh").results([wanted], lambda *_: None)
        results = [_beside(one, other) for one, other in zip(results, again, strict=True)]
    testimony = gatherer.testimony(wanted)
    answer = key_from(alone, [testimony], book.quiz.accept)
    if as_json:
        print_json(key_json.key_as_data(alone, answer, [testimony]))
        for told in dict.fromkeys(told for result in results for told in result.differences):
            say_error(say("note: {note}", note=told))
    else:
        terminal.show_results(console(), results, alone, [wanted], store.root)
        terminal.show_key(console(), alone, answer, [testimony], language=language_spoken())
    raise typer.Exit(UNSETTLED if answer.unsettled else DONE)


def _beside(result: Result, again: Result) -> Result:
    """A result, with what came out otherwise when it was asked again."""
    from dataclasses import replace

    from evaluators.provenance import another_run

    if result.evidence is None or again.evidence is None:
        return result
    return replace(result, differences=(*result.differences, *another_run(again.evidence, [result.evidence])))
