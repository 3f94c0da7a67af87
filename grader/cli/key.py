"""`earwitness key` and `earwitness why`: the key at a glance, and the evidence card of one option."""

from __future__ import annotations

from typing import Annotated

import typer

from basics.messages import language_spoken, say
from grader.cli.common import (
    DONE,
    UNSETTLED,
    AcceptOption,
    JsonOption,
    ModeOption,
    OverrideOption,
    QuizOption,
    accepted_sources,
    command,
    console,
    given,
    load_book,
    print_json,
    testify,
)


def register(app: typer.Typer) -> None:
    command(app, help="Print the answer key: what is right, how firm that is, and a sentence for each option.")(key)
    command(app, help="Show why an option holds or not: claim, numbers, sources, how to compute them again.")(why)


def key(
    quiz: QuizOption = None,
    evidence: ModeOption = "auto",
    accept: AcceptOption = None,
    override: OverrideOption = None,
    brief: Annotated[bool, typer.Option("--brief", help="One line for each question.")] = False,
    as_json: JsonOption = False,
) -> None:
    book = load_book(quiz, override=override)
    said = given(override, book)
    sources = accepted_sources(book, said.accepting(accept))
    answer, testimonies = testify(book, evidence, sources, said.decisions)
    said.need_same(answer.questions)
    from grader.verdicts import key_json, terminal

    if as_json:
        print_json(key_json.key_as_data(book, answer, testimonies))
    else:
        terminal.show_key(console(), book, answer, testimonies, brief=brief, language=language_spoken())
    raise typer.Exit(UNSETTLED if answer.unsettled else DONE)


def why(
    question: Annotated[str, typer.Argument(help="The question's id.")],
    option: Annotated[str | None, typer.Argument(help="Letter in the question file; all options if left out.")] = None,
    quiz: QuizOption = None,
    evidence: ModeOption = "auto",
    accept: AcceptOption = None,
    override: OverrideOption = None,
    cache: Annotated[bool, typer.Option("--cache", help="Explain what the store holds and why it was missed.")] = False,
    brief: Annotated[bool, typer.Option("--brief", help="Sentences alone, without claim and numbers.")] = False,
    as_json: JsonOption = False,
) -> None:
    from basics.errors import InputError, Problem
    from basics.suggestions import did_you_mean
    from evaluators.store import Store
    from grader.verdicts import key_json, terminal
    from grader.verdicts.testimony import Gatherer, question_key

    book = load_book(quiz, override=override)
    wanted = book.question(question)
    letters = [option.upper()] if option else list(wanted.options)
    if letters[0] not in wanted.options:
        raise InputError(
            Problem(
                say("option {letter}", letter=option),
                say("is not in {question}", question=question),
                did_you_mean(letters[0], wanted.options),
            )
        )
    said = given(override, book)
    sources = accepted_sources(book, said.accepting(accept))
    gatherer = Gatherer(book, sources, book.site, Store(), evidence)
    testimony = gatherer.testimony(wanted)
    entry = question_key(testimony, said.decisions)
    said.need_same([entry])
    if as_json:
        print_json(key_json.cards_as_data(testimony, letters, entry.decided))
    else:
        out = console()
        terminal.show_decisions(out, entry.decided)
        for letter in letters:
            terminal.show_card(out, testimony, letter, language=language_spoken(), brief=brief)
        if cache:
            terminal.show_cache(out, gatherer, testimony)
