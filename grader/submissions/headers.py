"""What a column of the LMS's report means, by its header in any language of the LMS (`canvas_headers.yaml`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from basics.csv_source import header_name
from basics.yaml_source import read

COLUMNS = (
    "name",
    "id",
    "sis_id",
    "root_account",
    "section",
    "section_id",
    "section_sis_id",
    "submitted",
    "attempt",
    "n correct",
    "n incorrect",
    "score",
)
"""The report's columns beside the questions, by their English headers, in its order."""
TRANSLATIONS = Path(__file__).with_name("canvas_headers.yaml")


def meaning_of(header: str) -> str | None:
    """The English header of this column, or None if no language of the LMS has such a header."""
    return _meanings().get(header_name(header))


def languages() -> dict[str, dict[str, list[str]]]:
    """The LMS's header words by language and meaning; a meaning that is not listed is English there."""
    data: dict[str, dict[str, list[str]]] = read(TRANSLATIONS).data
    return data


@cache
def _meanings() -> dict[str, str]:
    english = {name: name for name in COLUMNS}
    translated = {
        header_name(word): meaning
        for meanings in languages().values()
        for meaning, words in meanings.items()
        for word in words
    }
    return translated | english
