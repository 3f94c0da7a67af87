"""The words of the report by language, and the file they are kept in."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import yaml

Language = Literal["en", "zh-TW"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All words: by key, then by language."""
    text = (files("grader.report") / "strings.yaml").read_text(encoding="utf-8")
    words: dict[str, dict[str, str]] = yaml.load(text, Loader=yaml.BaseLoader)  # keys such as `true` stay texts
    return words


def texts(language: Language) -> dict[str, str]:
    """All words in one language, by key."""
    return {key: words[language] for key, words in catalogue().items()}
