"""A terminal on which text from files and names stands as it is: no markup of it is taken, no command of it is run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from basics.visible import visible


class PlainConsole(Console):
    """A console without markup, emoji codes and highlighting; what would steer a terminal is shown as its code.

    Styles are given as `style=` or with `Text.assemble`, never inside a text.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich renders it; its own commands are segments by themselves and stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Leave it to whoever runs the command what it means that nobody reads: rich would end with code 1."""
        raise BrokenPipeError
