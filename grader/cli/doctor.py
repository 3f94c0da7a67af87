"""`earwitness doctor`: what this environment can do, what of it is untested or missing, what would settle the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.common import BROKE, DONE, JsonOption, QuizOption, command, console, load_book, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from grader.doctor import Examination

STYLES = {"fine": "green", "absent": "yellow", "fault": "red"}


def register(app: typer.Typer) -> None:
    command(app, help="Tell what this environment can do: versions, device, weights, clips, and what is still needed.")(
        doctor
    )


def doctor(
    quiz: QuizOption = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="Folder with the course's clips.", show_default=False)
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="Folder of published reconstructions.", show_default=False)
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="EmoV-DB, or a manifest CSV.", show_default=False)
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out", help="Label or file of the corpus not to use; may be repeated.", show_default=False
        ),
    ] = None,
    responses: Annotated[
        Path | None, typer.Option("--responses", help="Recorded answers of models A and B.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    from grader.doctor import examine

    book = load_book(quiz)
    left_out = tuple(leave_out or ())
    site = replace(book.site, audio=audio, pairs=pairs, corpus=corpus, leave_out=left_out, responses=responses)
    found = examine(book, site)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        show(console(), found)
    raise typer.Exit(BROKE if found.faults else DONE)


def show(out: Console, found: Examination) -> None:
    """A screenful: what is untested, missing or broken stands out, the rest is counted."""
    from rich.text import Text

    out.print(Text(f"earwitness {found.earwitness}  ({found.source})"), soft_wrap=True)
    out.print(Text(f"Python {found.python}, {found.platform}"))
    for check in found.checks:
        out.print(Text.assemble((f"{check.name:<15}", "bold"), (check.what, STYLES[check.state])), soft_wrap=True)
        if check.remedy and check.state == "fault":
            out.print(Text(f"    -> {check.remedy}"), soft_wrap=True)
    _show_packages(out, found)
    for need in found.needs:
        out.print(Text.assemble((need.question, "bold"), " is unsettled: ", "; ".join(need.what)), soft_wrap=True)
        out.print(Text(f"    -> {need.command}"), soft_wrap=True)
    remedies = [check.remedy for check in found.checks if check.state == "absent" and check.name == "codec"]
    for remedy in remedies:
        out.print(Text(remedy, style="dim"), soft_wrap=True)


def _show_packages(out: Console, found: Examination) -> None:
    from rich.text import Text

    tested = sum(package["state"] == "tested" for package in found.packages)
    out.print(Text.assemble((f"{'packages':<15}", "bold"), f"{tested} of {len(found.packages)} are of tested versions"))
    for package in found.packages:
        if package["state"] != "tested":
            spans = " to ".join(dict.fromkeys([package["tested"][0], package["tested"][-1]]))
            line = f"    {package['name']} {package['installed']}: {package['state']} (tested: {spans})"
            out.print(Text(line, style="yellow"))
