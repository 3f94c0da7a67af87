"""Help and usage errors in the language of the person at the terminal.

What is said at a command or an option is told when help is shown. Of what the command-line library says by itself, some
goes through gettext, where `speak` has it find our catalogue (`tools.words.LIBRARY`); the rest is done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from basics.messages import Message, say, spoken
from basics.terminal import SEAM, laid_out

TOLD = ("help", "short_help", "epilog", "rich_help_panel")
ERRORS = (
    say("{what}. Did you mean {names}?"),
    say("{what} (Possible options: {names})"),
    say("Missing argument {name}. {more}"),
    say("Missing option {name}. {more}"),
    say("Missing argument {name}."),
    say("Missing option {name}."),
    say("Choose from:{choices}"),
    say("Invalid value for {name}: {what}"),
    say("Value error, {what}"),
    say("{value} is not one of {choices}."),
    say("Input should be greater than or equal to {bound}"),
    say("Input should be less than or equal to {bound}"),
    say("Input should be a valid integer, unable to parse string as an integer"),
    say("Input should be a valid number, unable to parse string as a number"),
    say("No such option: {name}"),
    say("Option {name} requires an argument."),
    say("Option {name} does not take a value."),
    say("Got unexpected extra argument(s) ({arguments})"),
)
"""Usage errors that come in English, and what they are made of."""
FIELD = re.compile(r"\\?\{(\w+)\\?\}")


def texts(command: Any) -> Iterator[tuple[Any, str, str]]:
    """Everything that help says of a command, its options and the commands below it: whose, under which attribute."""
    for one in commands(command):
        for whose in (one, *one.params):
            for attribute in TOLD:
                if text := getattr(whose, attribute, None):
                    yield whose, attribute, text


def commands(command: Any) -> Iterator[Any]:
    """The command and those below it."""
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from commands(below)


def translated(command: Any) -> Any:
    """The command, its help in the language that is spoken."""
    for one, attribute, text in list(texts(command)):
        setattr(one, attribute, _told(say(text)))
    for one in commands(command):
        one.format_usage = partial(_format_usage, one)
        one.get_help_option = partial(_help_option, one.get_help_option)
    return command


def _told(message: Message) -> str:
    """The message with seams, which rich takes for places where a line may end and `Seamless` takes out again."""
    return laid_out(spoken(message))


def _format_usage(command: Any, context: Any, formatter: Any) -> None:
    pieces = " ".join(command.collect_usage_pieces(context))
    formatter.write_usage(context.command_path, pieces, spoken(say("Usage: ")))


def _help_option(make: Any, context: Any) -> Any:
    option = make(context)
    if option is not None:
        option.help = _told(say("Show this message and exit."))
    return option


class Seamless:
    """A stream that leaves out what stands for a place where a line may end."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """As the stream has it."""
        return int(self._stream.write(text.replace(SEAM, "")))


def retold(text: str) -> str:
    """A usage error in the language that is spoken; what is not known of it stays as it is."""
    for message in ERRORS:
        pattern = FIELD.sub(r"(?P<\1>.+)", re.escape(message))
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return spoken(message).format(**{name: retold(said) for name, said in found.groupdict().items()})
    return text
