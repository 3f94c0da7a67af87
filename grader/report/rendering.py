"""Jinja2 with autoescape, the filters of the templates, and the files that are written into the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from evaluators.evidence import SOURCES, Source
from evaluators.wording import number, value_of
from grader.report.cards import QuestionView
from grader.report.texts import Language, texts
from grader.verdicts.judge import Comparison

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; media-src 'self' file: data: blob:; base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy of the page: the browser itself refuses any request to anywhere."""


def environment(language: Language) -> Environment:
    """Templates of the report with the words of `language`."""
    made = Environment(
        loader=PackageLoader("grader.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = texts(language)
    filters: dict[str, Callable[..., Any]] = {
        "figure": figure,
        "breakable": breakable,
        "spoken": lambda comparison: spoken(comparison, words),
        "cleared": lambda comparison: cleared(comparison, words),
        "sources": sources_of,
        "weakest": weakest,
    }
    made.filters |= filters
    # Questions stay in the words they were set in: a screen reader has to be told which language that is.
    made.globals |= {"t": words, "language": language, "en": Markup("" if language == "en" else ' lang="en"')}
    return made


def static(name: str) -> Markup:
    """The text of a file beside the templates, to stand in the page as it is."""
    return Markup((files("grader.report") / "templates" / name).read_text(encoding="utf-8"))


def figure(value: float | Any) -> str:
    """A number with at most four significant digits and a real minus sign."""
    return number(float(value)).replace("-", "−")


def breakable(text: str) -> Markup:
    """Text that may be broken after dots, slashes and underscores."""
    return Markup(re.sub(r"([._/])(?=\w)", r"\1<wbr>", str(escape(text))))


def spoken(comparison: Comparison, words: dict[str, str]) -> str:
    """A drawing in one sentence, for people who do not see it."""
    values = "; ".join(f"{m.name} = {value_of(m)}" for m in comparison.measurements)
    return "; ".join(filter(None, (comparison.claim, words[comparison.state], values, cleared(comparison, words))))


def cleared(comparison: Comparison, words: dict[str, str]) -> str:
    """By how much the threshold is cleared or missed; nothing for facts."""
    if comparison.gap is None:
        return ""
    return words[f"gap_{comparison.state}"].format(gap=figure(abs(comparison.gap)))


def sources_of(view: QuestionView) -> list[Source]:
    """The sources that a question's verdicts rest on."""
    found = {source for option in view.options for source in option.verdict.sources}
    return [source for source in SOURCES if source in found]


def weakest(view: QuestionView) -> str:
    """The smallest gap of a question's decided comparisons, relative to their thresholds, in its own unit."""
    deciding = [o.verdict.deciding for o in view.options if o.verdict.state != "inconclusive"]
    measured = [comparison for comparison in deciding if comparison.gap is not None]
    if not measured:
        return "—"
    closest = min(measured, key=lambda comparison: comparison.clearance)
    letter = next(option.letter for option in view.options if option.verdict.deciding is closest)
    return f"{letter}: {figure(closest.gap)} {closest.measurements[0].unit}".rstrip()
