"""Text from files and names as it is shown: what would steer a terminal, or is no character, stands as its code."""

from __future__ import annotations

import re

STEERING = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""Control characters but tab and line ends, as a range of a regular expression: ESC opens a terminal's commands."""
UNWRITABLE = "\ud800-\udfff\ufffe\uffff"
"""What no encoding and no XML has: halves of surrogate pairs and the two non-characters."""
DIRECTION = "\u202a-\u202e\u2066-\u2069"
"""Overrides of the writing direction: what follows is shown in another order than it has."""

NOT_TEXT = re.compile(f"[{STEERING}{UNWRITABLE}]")
HIDDEN = re.compile(f"[{STEERING}{UNWRITABLE}{DIRECTION}\r]")


def visible(text: str) -> str:
    r"""`text` with `\x1b` for ESC, `\u202e` for a direction override, and the like; tab and newline stay."""
    return HIDDEN.sub(lambda found: code(found[0]), text)


def code(character: str) -> str:
    r"""A character as an escape: `\x1b`, `\udce9`."""
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
