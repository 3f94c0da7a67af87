"""What somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from basics.messages import Message, say, together


def did_you_mean(word: str, known: Iterable[str]) -> Message:
    """A remedy that names the closest known words, or all of them where none is close."""
    words = sorted(known)
    if close := close_to(word, words):
        return say("did you mean {suggestion}?", suggestion=together(close, say(" or ")))
    if not words:
        return say("remove it")
    return say("known: {words}{ellipsis}", words=", ".join(words[:12]), ellipsis=" …" if len(words) > 12 else "")


def close_to(word: str, known: Iterable[str]) -> list[str]:
    """The known words, at most three, that somebody may have meant; the likeliest first."""
    return difflib.get_close_matches(word, sorted(known), n=3, cutoff=0.7)
