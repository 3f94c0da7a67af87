"""What somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy that names the closest known words, or all of them where none is close."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=3, cutoff=0.7)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(words[:12])}{' …' if len(words) > 12 else ''}"
