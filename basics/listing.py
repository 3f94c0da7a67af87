"""Names in a message: the first few, and how many there are besides."""

from __future__ import annotations

from collections.abc import Iterable


def first_few(names: Iterable[str], most: int = 3) -> str:
    """`a, b, c and 2 more`, or all of them where they are no more than `most`."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
