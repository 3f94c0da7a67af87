"""The command line. Each module of this package registers a group of commands; heavy work is imported when it runs."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from audio.errors import EarwitnessError
from grader.cli import demo, evidence, exporting, grading, key, models, reporting, reviewing
from grader.cli.common import INTERRUPTED, UNUSABLE, report_error


class Commands(TyperGroup):
    """Turns the project's own errors into a message and exit code 2; anything else is a bug and shows its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except EarwitnessError as error:
            report_error(error)
            raise typer.Exit(UNUSABLE) from error
        except KeyboardInterrupt as interrupt:
            print("earwitness: interrupted; the same command goes on from what is stored", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from interrupt


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="A quiz on spoken language models whose answer key has to testify.",
    epilog="Exit codes: 0 done, 1 a --fail-on condition was met, 2 unusable input, 3 done but something is unsettled.",
)
for group in (demo, key, evidence, grading, reviewing, reporting, exporting, models):
    group.register(app)


def main() -> None:
    """Entry point of the command `earwitness`."""
    app()
