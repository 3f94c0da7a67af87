"""Help texts in the language of the person at the terminal: what is said at an option is told when help is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from basics.messages import say, spoken

TOLD = ("help", "short_help", "epilog", "rich_help_panel")


def texts(command: Any) -> Iterator[tuple[Any, str, str]]:
    """Everything that help says of a command, its options and the commands below it: whose, under which attribute."""
    for one in (command, *command.params):
        for attribute in TOLD:
            if text := getattr(one, attribute, None):
                yield one, attribute, text
    for below in getattr(command, "commands", {}).values():
        yield from texts(below)


def translated(command: Any) -> Any:
    """The command, its help in the language that is spoken."""
    for one, attribute, text in list(texts(command)):
        setattr(one, attribute, spoken(say(text)))
    return command
