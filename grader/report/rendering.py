"""The words of the page by language, Jinja2 with autoescape, its filters, and the files that stand in the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from evaluators.display import Wording, in_language, number, value_of, wording
from evaluators.evidence import SOURCES, Measurement, Source
from grader.feedback.writing import said_in, sentence
from grader.quiz.words import Language, Words, words
from grader.report.cards import QuestionView
from grader.report.classroom import flags
from grader.verdicts.judge import Comparison

MINUS = "−"
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; media-src 'self' file: data: blob:; base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy of the page: the browser itself refuses any request to anywhere."""


def interface_words(language: Language) -> Words:
    """All words of the interface in one language, by key."""
    return words("report", language)


def environment(language: Language) -> Environment:
    """Templates of the report with the words of `language`."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader("grader.report"), PackageLoader("grader.feedback")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    said = interface_words(language)
    filters: dict[str, Callable[..., Any]] = {
        "figure": figure,
        "breakable": breakable,
        "said": lambda text: in_language(text, language),
        "worded": worded,
        "in_a_line": in_a_line,
        "spoken": lambda comparison: spoken(comparison, said),
        "cleared": lambda comparison: cleared(comparison, said),
        "sources": sources_of,
        "sentence": sentence,
        "quoted": lambda phrase: said_in(phrase.language, language),
    }
    made.filters |= filters
    # Questions stay in the words they were set in: a screen reader has to be told which language that is.
    made.globals |= {
        "t": said,
        "flags": flags,
        "language": language,
        "en": said_in("en", language),
    }
    return made


def static(name: str) -> Markup:
    """The text of a file beside the templates, to stand in the page as it is."""
    return Markup((files("grader.report") / "templates" / name).read_text(encoding="utf-8"))


def figure(value: float | Any) -> str:
    """A number with at most four significant digits and a real minus sign."""
    return number(float(value)).replace("-", MINUS)


def worded(measurement: Measurement) -> Wording:
    """A measurement in words, its numbers with a real minus sign."""
    words = wording(measurement)
    value = words.value if isinstance(measurement.value, str) else words.value.replace("-", MINUS)
    return replace(words, value=value, interval=words.interval.replace("-", MINUS))


def in_a_line(measurement: Measurement) -> str:
    """A measurement for people who do not see its drawing."""
    return f"{measurement.name} = {value_of(measurement)}"


def breakable(text: str) -> Markup:
    """Text that may be broken after dots, slashes and underscores."""
    return Markup(re.sub(r"([._/])(?=\w)", r"\1<wbr>", str(escape(text))))


def spoken(comparison: Comparison, words: Words) -> str:
    """A drawing in one sentence, for people who do not see it."""
    values = "; ".join(map(in_a_line, comparison.measurements))
    return "; ".join(filter(None, (comparison.claim, words[comparison.state], values, cleared(comparison, words))))


def cleared(comparison: Comparison, words: Words) -> str:
    """By how much the threshold is cleared or missed; nothing for facts."""
    if comparison.gap is None:
        return ""
    return words[f"gap_{comparison.state}"].format(gap=figure(abs(comparison.gap)))


def sources_of(view: QuestionView) -> list[Source]:
    """The sources that a question's verdicts rest on."""
    found = {source for option in view.options for source in option.verdict.sources}
    return [source for source in SOURCES if source in found]
