"""The command line. Each module of this package registers a group of commands; heavy work is imported when it runs."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from basics.messages import LANGUAGES, Language, language_of_locale, language_spoken, speak
from basics.visible import visible
from evaluators.packages import DEBUG
from grader.cli import (
    authoring,
    canvas,
    comparing,
    demo,
    doctor,
    evidence,
    exporting,
    facts,
    grading,
    key,
    record,
    reporting,
    reviewing,
    starting,
    storing,
)
from grader.cli.common import INTERRUPTED, LanguageOption, tell
from grader.cli.help import Seamless, retold, translated

USAGE: type[Exception] = typer.BadParameter.__mro__[1]
"""click's UsageError; newer versions of typer bring a click of their own."""


class Shown(TyperGroup):
    """A group of commands whose usage errors show what was given, and do not hand it to the terminal as it is."""

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        with _shown():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: Any) -> Any:
        with _shown():
            return super().invoke(ctx)


@contextmanager
def _shown() -> Iterator[None]:
    try:
        yield
    except USAGE as error:
        said: Any = error
        said.message = visible(str(said.message))
        text = said.format_message()
        if language_spoken() != "en" and (told := retold(text)) != text:
            raise USAGE(told, said.ctx) from None
        raise


app = typer.Typer(
    cls=Shown,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Quizzes whose answer key has to testify: evidence decides every option.",
    epilog="Exit codes: 0 done, 1 what was checked does not hold, 2 unusable input, 3 done but something is unsettled, "
    "4 the program or an evaluator broke.",
)
GROUPS = (
    *(demo, key, evidence, facts, record, starting, grading, reviewing, reporting, exporting, canvas, authoring),
    *(comparing, storing, doctor),
)
for group in GROUPS:
    group.register(app)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from evaluators.packages import PROJECT, installed_version

        print(f"{PROJECT} {installed_version(PROJECT)}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - told by its callback
        bool, typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of what breaks.")] = False,
    language: LanguageOption = None,
) -> None:
    if language:
        context.call_on_close(partial(speak, language_spoken()))
        speak(language)
    if debug:
        os.environ[DEBUG] = "1"


def main() -> None:
    """Entry point of the command `earwitness`; `--debug`, and for help `--language`, may stand anywhere."""
    given, language = sys.argv[1:], _language_named(sys.argv[1:])
    if "--debug" in given:
        given = ["--debug", *(argument for argument in given if argument != "--debug")]
    if language and "--help" in given:
        given = [argument for argument in given if argument not in ("--language", language, f"--language={language}")]
    sys.argv[1:] = given
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # whatever the terminal's encoding cannot show
    speak(language or language_of_locale())
    try:
        if language_spoken() == "en":
            app(prog_name="earwitness")
        else:
            sys.stdout = Seamless(sys.stdout)
            translated(typer.main.get_command(app))(prog_name="earwitness")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _leave_at_once(INTERRUPTED)
        raise
    except Exception as error:
        sys.exit(tell(error))


def _language_named(arguments: list[str]) -> Language | None:
    """What `--language` says, before anything else is read: help and usage errors are told in it too."""
    for before, argument in zip(["", *arguments], arguments, strict=False):
        for language in LANGUAGES:
            if argument == f"--language={language}" or (before, argument) == ("--language", language):
                return language
    return None


def _leave_at_once(code: int) -> NoReturn:
    """End the process beneath threads of native code that still work: torn down by the interpreter they abort it.

    What was to be done at its end, as ending workers and removing their folders, is done.
    """
    with suppress(Exception):
        atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
