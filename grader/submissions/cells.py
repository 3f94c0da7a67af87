r"""Which options a cell names: Canvas's encoding of choose-many answers, and the way back.

Canvas (Classic) writes the texts of the ticked options, each with `,` as `\,`, joined by `,`, in the order the
student saw them; backslashes are not escaped, so the encoding cannot be split, only covered: the decoder consumes
known options one after the other and accepts a cell only when exactly one *set* of options covers all of it. Newer
versions then read the joined cell as HTML (tags vanish, entities decode, white space shrinks), so every option is
known in both dresses.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

from basics.messages import NOTHING, Message, say, together
from grader.quiz.spec import Question, normalise
from grader.submissions.model import Chosen

CLOSED_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
ANY_TAG = re.compile(r"</?[a-zA-Z!][^>]*(?:>|$)")
FORMULA = re.compile(r"\\\((.+?)\\\)")
FORMULA_IMAGE = re.compile(r"\[LaTeX: (.+?)\] ?\(/equation_images/[^)]*\)")
"""What the LMS writes for the image of a formula."""
MOST_SHOWN = 5
MOST_OPTIONS_RENDERED = 6
"""Above this, answers cut off by an unclosed `<` are not guessed at: the orders of more options are too many to try."""


class CellError(ValueError):
    """A cell that names no option of the question, or that can be read in two ways."""


def encode(texts: Sequence[str]) -> str:
    r"""The cell that Canvas writes for these option texts: `,` becomes `\,`, joined with `,`."""
    return ",".join(text.replace(",", "\\,") for text in texts)


class CellDecoder:
    """Reads the cells of one question."""

    def __init__(self, question: Question) -> None:
        self.question = question
        texts = {letter: option.text for letter, option in question.options.items()}
        self.dresses = {
            letter: tuple(dict.fromkeys(dress for text in option.texts for dress in _dresses(text) if dress))
            for letter, option in question.options.items()
        }
        self.encoded = [(letter, encode([dress])) for letter, dresses in self.dresses.items() for dress in dresses]
        self.cut_off = _renderings(texts) if any(_unclosed(text) for text in texts.values()) else {}

    def decode(self, cell: str, *, by_hand: bool = False) -> Chosen:
        """The letters that `cell` names; empty for an empty cell. Raises CellError.

        A cell written `by_hand` may also hold the text of a single option with its commas as they are; Canvas escapes
        them, except where only one option can be chosen.
        """
        text = normalise(FORMULA_IMAGE.sub(r"$\1$", cell))
        if not text:
            return frozenset()
        whole = {frozenset(letter) for letter, dresses in self.dresses.items() if text in dresses}
        if self.question.choose == "one" and len(whole) == 1:
            return whole.pop()
        found = set(self._covers(text)) | self.cut_off.get(text, set()) | (whole if by_hand else set())
        if len(found) == 1:
            return found.pop()
        if not found:
            raise CellError(
                say("names no option of {question}: {cell}", question=self.question.id, cell=shortened(cell))
                + self._odd(text)
            )
        readings = together(sorted("+".join(sorted(reading)) for reading in found), say(" or "))
        raise CellError(say("can be read as {readings}: {cell}", readings=readings, cell=shortened(cell)))

    def _odd(self, text: str) -> Message:
        """Characters beyond ASCII that tell the cell from the options, by code point: they may look like others."""
        dresses = [dress for dresses in self.dresses.values() for dress in dresses]
        alike = "".join(dress for dress in dresses if letters(dress) == letters(text))
        differences = [
            whose.filled(characters=", ".join(_code_points(only)[:MOST_SHOWN]))
            for whose, only in (
                (say("the cell has {characters}", characters=""), set(text) - set("".join(dresses))),
                (say("the option has {characters}", characters=""), set(alike) - set(text)),
            )
            if _code_points(only)
        ]
        return say(" ({differences})", differences=together(differences)) if differences else NOTHING

    def _covers(self, text: str, at: int = 0, used: Chosen = frozenset()) -> Iterator[Chosen]:
        """Every set of unused options whose encodings, in some order, make up `text` from `at` on."""
        for letter, encoded in self.encoded:
            if letter in used or not text.startswith(encoded, at):
                continue
            end = _after_space(text, at + len(encoded))
            if end == len(text):
                yield used | {letter}
            elif text[end] == ",":
                yield from self._covers(text, _after_space(text, end + 1), used | {letter})


def letters_or_texts(question: Question, decoder: CellDecoder, cell: str) -> Chosen:
    """Read a hand-written cell: letters (`AC`, `A;C`, `A, C`) or option texts. Raises CellError."""
    text = normalise(cell)
    named = re.sub(r"[;,\s]+", "", text)
    if not re.fullmatch(r"[A-Z]*", named) or text in {normalise(t) for o in question.options.values() for t in o.texts}:
        return decoder.decode(cell, by_hand=True)
    unknown = sorted(set(named) - set(question.options))
    if unknown:
        told = say(
            "{question} has no option {letters}: {cell}",
            question=question.id,
            letters=", ".join(unknown),
            cell=shortened(cell),
        )
        raise CellError(told)
    if len(set(named)) < len(named):
        raise CellError(say("names an option twice: {cell}", cell=shortened(cell)))
    return frozenset(named)


def letters(text: str) -> str:
    """Letters and digits alone: markup characters, white space and punctuation differ from export to export."""
    return "".join(c for c in unicodedata.normalize("NFKC", normalise(text)).casefold() if c.isalnum())


def _code_points(characters: Iterable[str]) -> list[str]:
    """`U+2011 NON-BREAKING HYPHEN` of each that is not ASCII."""
    return [f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in sorted(characters) if not c.isascii()]


def says_nothing(cell: str) -> bool:
    """Whether the cell is empty, or holds but the commas between options whose texts are not there."""
    return not normalise(cell).replace(",", "").strip()


def shortened(text: str, length: int = 60) -> str:
    """`text` in quotes, cut to about `length` characters."""
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= length else flat[: length - 1] + "…")


def without_tags(text: str) -> str:
    """The text with closed tags dropped and entities decoded, as a browser would show it."""
    return html.unescape(CLOSED_TAG.sub("", text))


def strip_tags(text: str) -> str:
    """What Canvas leaves of a question's text in a header: `<` up to `>` or the line's end goes, entities go."""
    return re.sub(r"&#?\w+;", "", re.sub(r"<[^>\n]*(?:>|$)", "", text, flags=re.MULTILINE))


def _dresses(text: str) -> Iterator[str]:
    """The text as it stands, as HTML is shown, and as Canvas strips tags and entities from the HTML of the text."""
    yield normalise(text)
    yield normalise(without_tags(text))
    yield normalise(html.unescape(CLOSED_TAG.sub(" ", text)))
    yield normalise(strip_tags(text))
    yield normalise(strip_tags(html.escape(text, quote=False)))
    yield normalise(FORMULA.sub(r"$\1$", text))


def _unclosed(text: str) -> bool:
    return bool(re.search(r"<[a-zA-Z/!]", CLOSED_TAG.sub("", text)))


def _renderings(texts: Mapping[str, str]) -> dict[str, set[Chosen]]:
    """What every ordered choice of options becomes when an unclosed `<` swallows what follows it."""
    result: dict[str, set[Chosen]] = {}
    if len(texts) > MOST_OPTIONS_RENDERED:
        return result
    for size in range(1, len(texts) + 1):
        for letters in permutations(texts, size):
            joined = encode([texts[letter] for letter in letters])
            shown = normalise(html.unescape(ANY_TAG.sub("", joined)))
            result.setdefault(shown, set()).add(frozenset(letters))
    return result


def _after_space(text: str, at: int) -> int:
    return at + 1 if text[at : at + 1] == " " else at
