"""The words of pages and verdicts by language, and a quiz's own words where they were translated.

`words.yaml` beside this file has them in English, by place; their translations are in the catalogue of the language
(`basics.messages`). What a quiz says (what comparisons find, why a threshold is where it is) is English in its YAML;
`words.zh-TW.yaml` in the quiz's folder translates it, English text by English text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from basics.errors import InputError, Problem
from basics.messages import LANGUAGES, Language, say, translations
from basics.yaml_source import read

Words = Mapping[str, str]
__all__ = ["LANGUAGES", "Language", "Phrase", "Words", "outcome", "translation", "words"]


@cache
def in_english() -> dict[str, dict[str, str]]:
    """All words by part and by key."""
    found: dict[str, dict[str, str]] = read(Path(__file__).with_name("words.yaml")).data
    return found


@cache
def words(part: str, language: Language) -> Words:
    """The words of one part in one language, by key."""
    catalogue = translations(language)
    return {key: text and catalogue.pgettext(f"{part}.{key}", text) for key, text in in_english()[part].items()}


@dataclass(frozen=True)
class Phrase:
    """A text and the language it is in: a page has to say so where it is another than the page's own."""

    text: str
    language: Language

    def __str__(self) -> str:
        return self.text


def translation(folder: Path, language: Language) -> Words:
    """The quiz's own texts in `language` by English text; empty where there is no file.

    Raises InputError for a file that is not a list of texts.
    """
    path = folder / f"words.{language}.yaml"
    if language == "en" or not path.is_file():
        return {}
    source = read(path)
    if not isinstance(source.data, dict):
        raise InputError(
            Problem(path.name, say("is no list of `English text: translation`"), say("write one text a line"))
        )
    wrong = [key for key, text in source.data.items() if not isinstance(text, str) or not text.strip()]
    if wrong:
        raise InputError(
            Problem(
                source.where((key,)),
                say("has no translation of {key!r}", key=key),
                say("write it, or leave the line out"),
            )
            for key in wrong
        )
    return source.data


CHOICE = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


def outcome(about: str, holds: bool) -> str:
    """`about` as the comparison came out: of each `{if it holds|if it does not}` the one that is so."""
    return CHOICE.sub(lambda choice: choice[1 if holds else 2], about)
