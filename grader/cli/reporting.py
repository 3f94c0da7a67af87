"""`earwitness report`: the evidence as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from basics.messages import say
from grader.cli.common import (
    ABOUT_SOUND,
    DONE,
    UNSETTLED,
    AcceptOption,
    OverrideOption,
    QuizOption,
    accepted_sources,
    command,
    console,
    given,
    is_run,
    load_book,
    testify,
)


def register(app: typer.Typer) -> None:
    command(app, help="Write the evidence as one HTML page; needs no network.")(report)


def report(
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("report.html"),
    edition: Annotated[
        Literal["ta", "student", "before"],
        typer.Option("--edition", help="ta; student: after the deadline; before: the questions and a form alone."),
    ] = "ta",
    language: Annotated[
        Literal["en", "zh-TW"] | None,
        typer.Option("--language", help="Of everything but the quiz; the page's is English if left out."),
    ] = None,
    audio: Annotated[
        Literal["inline", "beside"],
        typer.Option("--audio", help="Sound in the page, or in a folder beside it.", rich_help_panel=ABOUT_SOUND),
    ] = "inline",
    grades: Annotated[
        Path | None,
        typer.Option("--grades", help="What `grade --out` wrote, for the ta edition.", show_default=False),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus",
            help="The emotional speech that was measured, to play it.",
            rich_help_panel=ABOUT_SOUND,
            show_default=False,
        ),
    ] = None,
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    override: OverrideOption = None,
) -> None:
    from evaluators.store import Store
    from grader.cli.reviewing import graded, run_with_its_own_key
    from grader.quiz.commands import command as about
    from grader.report import need_staff_edition, write_report, write_sheet

    if grades is not None:
        need_staff_edition(edition)
    book = load_book(quiz, grades, override)
    if edition == "before":
        console().print(say("wrote {path}", path=write_sheet(book, out=out, language=language or "en")))
        raise typer.Exit(DONE)
    said = given(override, book)
    sources, decisions = accepted_sources(book, said.accepting(accept)), said.decisions
    if grades is not None and is_run(grades):
        run = run_with_its_own_key(book, grades, override)
        sources, decisions = run.key.accepted, run.decisions
    key, testimonies = testify(book, "cached", sources, decisions)
    if grades is None:
        said.need_same(key.questions)
    page = write_report(
        book,
        testimonies,
        key,
        out=out,
        edition=edition,
        language=language or "en",
        store=Store(),
        grades=graded(book, grades, accept, override)[0] if grades else None,
        audio=audio,
        corpus=corpus,
    )
    console().print(say("wrote {path} ({size:.1f} MB)", path=page, size=page.stat().st_size / 1e6))
    if key.unsettled:
        told = say(
            "exit code {code}: {questions} unsettled; `{command}` says why",
            code=UNSETTLED,
            questions=", ".join(question.id for question in key.unsettled),
            command=about(book.folder, "key"),
        )
        console().print(told, soft_wrap=True)
    raise typer.Exit(UNSETTLED if key.unsettled else DONE)
