"""What somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy that names the closest known words, or all of them where none is close."""
    words = sorted(known)
    if close := close_to(word, words):
        return f"did you mean {' or '.join(close)}?"
    return f"known: {', '.join(words[:12])}{' …' if len(words) > 12 else ''}" if words else "remove it"


def close_to(word: str, known: Iterable[str]) -> list[str]:
    """The known words, at most three, that somebody may have meant; the likeliest first."""
    return difflib.get_close_matches(word, sorted(known), n=3, cutoff=0.7)
