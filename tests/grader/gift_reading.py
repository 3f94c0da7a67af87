"""Read multiple-choice questions in GIFT the way Moodle's `question/format/gift/format.php` goes about it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

ESCAPES = {":": "\ue001", "#": "\ue002", "=": "\ue003", "{": "\ue004", "}": "\ue005", "~": "\ue006", "n": "\ue007"}
WEIGHT = re.compile(r"%(-*[0-9]{1,2}\.?[0-9]*)%")


@dataclass(frozen=True)
class GiftQuestion:
    """A question as Moodle would have it; an option is its text and its percentage."""

    name: str
    prompt: str
    single: bool
    options: tuple[tuple[str, str], ...]


def read_gift(text: str) -> list[GiftQuestion]:
    """The questions of a file; blank lines divide them, lines that begin with `//` are comments."""
    lines = ["" if line.strip().startswith("//") else line for line in text.split("\n")]
    blocks = [block.strip() for block in re.split(r"\n\s*\n", "\n".join(lines)) if block.strip()]
    return [_question(block) for block in blocks if not block.startswith("$CATEGORY:")]


def _question(block: str) -> GiftQuestion:
    text = _hidden(block)
    assert text.startswith("::")
    name, _, text = text[2:].partition("::")
    begin, end = text.index("{"), text.index("}")
    answers = text[begin + 1 : end].strip()
    assert text[end + 1 :] == "", "else it is a missing word"
    assert answers[0] != "#", "else it is numerical"
    assert "~" in answers, "else it is matching, true or false, or a short answer"
    parts = answers.replace("=", "~=").split("~")
    options = [_option(part.strip()) for part in (parts if parts[0].strip() else parts[1:])]
    return GiftQuestion(_shown(name), _formatted(text[:begin]), "=" in answers, tuple(options))


def _option(part: str) -> tuple[str, str]:
    weight = "0"
    if part.startswith("="):
        weight, part = "100", part[1:]
    elif match := WEIGHT.match(part):
        weight, part = match[1], part[match.end() :]
    text, _, feedback = part.partition("#")
    assert not feedback
    return _formatted(text), weight


def _formatted(text: str) -> str:
    """The plain text of a text in HTML, which says that it is."""
    kind, _, rest = text.strip().removeprefix("[").partition("]")
    assert kind == "html"
    return html.unescape(re.sub(r"<br>", "\n", _shown(rest)).strip())


def _hidden(text: str) -> str:
    """Escaped characters as others that mean nothing; a doubled backslash is one that escapes nothing."""
    parts = text.split("\\\\")
    for character, place in ESCAPES.items():
        parts = [part.replace("\\" + character, place) for part in parts]
    return "\\".join(parts)


def _shown(text: str) -> str:
    for character, place in ESCAPES.items():
        text = text.replace(place, "\n" if character == "n" else character)
    return text
