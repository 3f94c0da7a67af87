"""Names in a message: the first few, and how many there are besides."""

from __future__ import annotations

from collections.abc import Iterable

from basics.messages import Message, quoted, say


def first_few(names: Iterable[str], most: int = 3) -> Message:
    """`a, b, c and 2 more`, or all of them where they are no more than `most`."""
    listed = list(names)
    shown = ", ".join(listed[:most])
    if len(listed) <= most:
        return quoted(shown)
    return say("{names} and {n} more", names=shown, n=len(listed) - most)
