"""`earwitness doctor`: what this environment can do, what of it is untested or missing, what would settle the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basics.messages import Message, say, spoken, together
from grader.cli.common import ABOUT_SOUND, BROKE, DONE, JsonOption, QuizOption, command, console, load_book, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from grader.doctor import Examination

STYLES = {"fine": "green", "absent": "yellow", "fault": "red"}
NAME = 15
"""Columns for what was looked at."""


def register(app: typer.Typer) -> None:
    command(app, help="Tell what this environment can do: versions, device, and what a quiz's evidence still needs.")(
        doctor
    )


def doctor(
    quiz: QuizOption = None,
    audio: Annotated[
        Path | None,
        typer.Option(
            "--audio", help="Folder with the course's clips.", rich_help_panel=ABOUT_SOUND, show_default=False
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs", help="Folder of published reconstructions.", rich_help_panel=ABOUT_SOUND, show_default=False
        ),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", help="EmoV-DB, or a manifest CSV.", rich_help_panel=ABOUT_SOUND, show_default=False),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out", help="Label or file of the corpus not to use; may be repeated.", show_default=False
        ),
    ] = None,
    responses: Annotated[
        Path | None,
        typer.Option(
            "--responses", help="Recorded answers of models A and B.", rich_help_panel=ABOUT_SOUND, show_default=False
        ),
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

    out.print(f"earwitness {found.earwitness}  ({spoken(found.source)})", soft_wrap=True)
    out.print(say("Python {version}, {platform}", version=found.python, platform=found.platform))
    for check in found.checks:
        _line(out, check.name, check.what, STYLES[check.state])
        if check.remedy and check.state == "fault":
            out.print("    -> " + check.remedy, soft_wrap=True)
    _show_packages(out, found)
    for need in found.needs:
        told = say(" is unsettled: {missing}", missing=together(need.what))
        out.print(Text.assemble((need.question, "bold"), spoken(told)), soft_wrap=True)
        out.print(f"    -> {need.command}", soft_wrap=True)
    remedies = [check.remedy for check in found.checks if check.state == "absent" and check.name == "codec"]
    for remedy in remedies:
        out.print(remedy, style="dim", soft_wrap=True)


def _line(out: Console, name: Message, what: Message, style: str = "") -> None:
    from rich.cells import set_cell_size
    from rich.text import Text

    out.print(Text.assemble((set_cell_size(spoken(name), NAME), "bold"), (spoken(what), style)), soft_wrap=True)


def _show_packages(out: Console, found: Examination) -> None:
    states = {"newer": say("newer"), "older": say("older"), "absent": say("absent")}
    to = say(" to ")
    tested = sum(package["state"] == "tested" for package in found.packages)
    told = say("{tested} of {all} are of tested versions", tested=tested, all=len(found.packages))
    _line(out, say("packages"), told)
    for package in found.packages:
        if package["state"] != "tested":
            line = say(
                "    {package} {installed}: {state} (tested: {versions})",
                package=package["name"],
                installed=package["installed"],
                state=states[package["state"]],
                versions=together(dict.fromkeys([package["tested"][0], package["tested"][-1]]), to),
            )
            out.print(line, style="yellow")
