"""Words that people ask about, explained: those of the program, and those of a quiz in its `glossary.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from basics.errors import InputError, Problem
from basics.messages import say
from basics.yaml_source import Source, read
from evaluators.evidence import Frozen
from grader.quiz.words import LANGUAGES, Language

GLOSSARY_FILE = "glossary.yaml"


class Term(Frozen):
    """One word, what it means in each language, and the forms beside its name by which it is known in a text."""

    name: Mapping[Language, str]
    means: Mapping[Language, str]
    also: tuple[str, ...] = ()

    def occurs_in(self, text: str) -> bool:
        """Whether a text uses the word, as a word of its own; Chinese has no spaces between words."""
        return any(_form(form).search(text) for form in (*self.name.values(), *self.also))


Glossary = Mapping[str, Term]


def glossary(folder: Path) -> Glossary:
    """All terms by id: of the quiz in `folder`, then of the program. Raises InputError for a broken file."""
    own = folder / GLOSSARY_FILE
    return (_terms(read(own)) if own.is_file() else {}) | _terms(read(Path(__file__).with_name(GLOSSARY_FILE)))


def mentioned(terms: Glossary, texts: Iterable[str]) -> list[str]:
    """The ids of the terms that occur in some texts."""
    text = "\n".join(texts)
    return [name for name, term in terms.items() if term.occurs_in(text)]


def _terms(source: Source) -> dict[str, Term]:
    found, problems = {}, []
    for name, entry in source.data.items() if isinstance(source.data, dict) else ():
        try:
            term = Term.model_validate(entry, strict=False)
        except ValidationError as error:
            told = error.errors()[0]
            what = say("is no term: {place} {error}", place=".".join(map(str, told["loc"])), error=told["msg"])
            problems.append(Problem(source.where((name,)), what, say("give `name` and `means` in each language")))
            continue
        found[name] = term
        if lacking := [one for one in LANGUAGES if not (term.name.get(one) and term.means.get(one))]:
            problems.append(
                Problem(source.where((name,)), say("lacks {languages}", languages=", ".join(lacking)), say("write it"))
            )
    if problems:
        raise InputError(problems)
    return found


@cache
def _form(form: str) -> re.Pattern[str]:
    around = (r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])") if form[0].isascii() else ("", "")
    return re.compile(around[0] + re.escape(form) + around[1], re.IGNORECASE if form.islower() else 0)


def as_markdown(terms: Glossary) -> str:
    """The glossary as a page of the documentation, in both languages."""
    head = "# Glossary\n\nMade by `python -m tools.glossary` from `glossary.yaml` of the quiz and of the program.\n"
    shown = (
        f"## {term.name['en']}\n\n{term.means['en']}\n\n{term.name['zh-TW']}：{term.means['zh-TW']}\n"
        for term in sorted(terms.values(), key=lambda term: term.name["en"].casefold())
    )
    return "\n".join([head, *shown])
