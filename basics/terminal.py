"""A terminal on which text from files and names stands as it is: no markup of it is taken, no command of it is run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from basics.messages import spoken
from basics.visible import visible

TIE, SEAM = "\ue000", "\x1f\x1f"
"""Stand for a space at which no line may end, and for a place without one at which a line may, while text is laid out:
rich ends lines at spaces alone, and at no-break spaces too. The second has no width, and rich takes it for a space and,
other than its neighbours, for no line's end; it is a pair, so that a control character in a text is still shown as its
code."""
WIDE = "[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uff60]"
OPENS, CLOSES = "[（「『]", "[，。；：、？！）」』]"
BETWEEN = re.compile(rf"(?:(?<={WIDE})(?=\S)|(?<=\S)(?={WIDE}))(?<!{OPENS})(?!{CLOSES})")


def styled(text: str, style: str = "") -> Text:
    """A text as it is; a message in the language that is spoken."""
    return Text(spoken(text), style)


def prose(text: str, style: str = "") -> Text:
    """Text whose lines end where its language lets them: never between a number and its unit, and between the
    characters of Chinese, which has no spaces. A message is told in the language that is spoken."""
    return Text(laid_out(spoken(text)), style)


def laid_out(text: str) -> str:
    """The text with `TIE` and `SEAM` where lines may not and may end, for rich."""
    return BETWEEN.sub(SEAM, text.replace("\N{NO-BREAK SPACE}", TIE))


class PlainConsole(Console):
    """A console without markup, emoji codes and highlighting; what would steer a terminal is shown as its code.

    Styles are given as `style=` or with `Text.assemble`, never inside a text.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich renders it; its own commands are segments by themselves and stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(self._plain(segment.text), segment.style)

    @staticmethod
    def _plain(text: str) -> str:
        return visible(text.replace(SEAM, "")).replace(TIE, " ")

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as a text in the language that is spoken, to be broken where that lets it."""
        return super().render_str(laid_out(spoken(text)), **options)

    def on_broken_pipe(self) -> None:
        """Leave it to whoever runs the command what it means that nobody reads: rich would end with code 1."""
        raise BrokenPipeError
