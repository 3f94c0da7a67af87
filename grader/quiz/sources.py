"""What a quiz says of its sources: audio that others published, and facts that somebody looked up for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from basics.csv_source import Record, read_records
from basics.errors import InputError, Problem
from basics.files import read_text, write_whole
from basics.messages import say
from basics.suggestions import did_you_mean
from basics.yaml_source import Source, read, validate
from evaluators.announcement import outside
from evaluators.evidence import Confirmed, PublishedPair, Quantity, Value

FACTS_FILE = "confirmed_facts.yaml"
COLUMNS = ("repo", "commit", "system", "codebooks", "kind", "language", "orig_sha256", "recon_sha256")
DIGEST = 64  # hexadecimal digits of a sha256


def read_published(path: Path) -> tuple[PublishedPair, ...]:
    """The pairs of sounds that a quiz lists as published (columns: COLUMNS; others are for people).

    Raises InputError with every row that does not say which files it means.
    """
    rows = read_records(path, [(column,) for column in COLUMNS])
    if problems := [problem for row in rows for problem in _row_problems(row)]:
        raise InputError(problems)
    return tuple(map(_pair, rows))


def _row_problems(row: Record) -> Iterator[Problem]:
    for column in ("repo", "commit", "system"):
        if not row.text(column):
            yield Problem(
                row.where,
                say("column {column} is blank", column=column),
                say("say where they were published and what made them"),
            )
    for column in ("orig_sha256", "recon_sha256"):
        text = row.text(column)
        if len(text) != DIGEST or set(text) - set("0123456789abcdef"):
            yield Problem(
                row.where,
                say("column {column} is {text!r}", column=column, text=text),
                say("give its content digest, 64 hexadecimal digits"),
            )
    codebooks = row.text("codebooks")
    if codebooks and not codebooks.isdecimal():
        yield Problem(
            row.where,
            say("codebooks is {codebooks!r}, expected a number", codebooks=codebooks),
            say("leave unstated ones blank"),
        )


def _pair(row: Record) -> PublishedPair:
    codebooks = row.text("codebooks")
    return PublishedPair(
        repository=row.text("repo"),
        commit=row.text("commit"),
        system=row.text("system"),
        codebooks=int(codebooks) if codebooks else None,
        kind=row.text("kind") or "speech",
        language=row.text("language") or "und",
        original=row.text("orig_sha256"),
        reconstruction=row.text("recon_sha256"),
    )


def read_facts(folder: Path, known: Mapping[str, Quantity]) -> dict[str, Confirmed]:
    """The facts that were looked up for a quiz, by measurement; none where it has no confirmed_facts.yaml.

    `known` are the published quantities that its questions ask for. Raises InputError with every entry that is not one
    of them, or whose value it cannot have.
    """
    path = folder / FACTS_FILE
    if not path.exists():
        return {}
    source = read(path)
    if not isinstance(source.data, dict):
        raise InputError(
            Problem(source.where(), say("is no mapping of measurements to facts"), say("see docs/quiz.md"))
        )
    facts: dict[str, Confirmed] = {}
    problems: list[Problem] = []
    for name, raw in source.data.items():
        try:
            facts[name] = validate(Confirmed, source, raw, (name,))
        except InputError as error:
            problems += error.problems
    problems += _misplaced(facts, known, source)
    if problems:
        raise InputError(problems)
    return facts


def _misplaced(facts: Mapping[str, Confirmed], known: Mapping[str, Quantity], source: Source) -> Iterator[Problem]:
    for name, fact in facts.items():
        if problem := fault_of(name, fact, known):
            yield Problem(source.where((name,)), problem.what, problem.remedy)


def fault_of(name: str, fact: Confirmed, known: Mapping[str, Quantity]) -> Problem | None:
    """Why a fact cannot be that of `name`, if it cannot."""
    if name not in known:
        return Problem(
            name, say("{name} is no published fact that a question asks for", name=name), did_you_mean(name, known)
        )
    if wrong := outside(fact.value, known[name]):
        return Problem(
            name,
            say("{name} cannot be {value!r}: it is {expectation}", name=name, value=fact.value, expectation=wrong),
            say("give the value as the source has it"),
        )
    return None


def add_fact(folder: Path, name: str, fact: Confirmed, known: Mapping[str, Quantity]) -> Path:
    """Write one looked-up fact into the quiz's confirmed_facts.yaml; what stands there stays as it is.

    Raises InputError where the fact cannot be that of `name`, or another one of that name stands there already.
    """
    if problem := fault_of(name, fact, known):
        raise InputError(problem)
    path = folder / FACTS_FILE
    if earlier := read_facts(folder, known).get(name):
        what = say(
            "{name} was looked up already: {value!r} by {person} on {date} ({locator})",
            name=name,
            value=earlier.value,
            person=earlier.by,
            date=earlier.when,
            locator=earlier.locator,
        )
        raise InputError(Problem(str(path), what, say("take that entry out of the file first if it is wrong")))
    before = read_text(path) if path.exists() else HEADER
    entry = yaml.safe_dump({name: fact.model_dump(mode="json")}, allow_unicode=True, sort_keys=False, width=120)
    write_whole(path, (before.rstrip("\n") + "\n\n" + entry).encode())
    return path


HEADER = "# Facts that were looked up in their sources for this quiz; `earwitness facts confirm` adds to them.\n"


def typed(text: str, quantity: Quantity | None) -> Value:
    """A value as it is typed on a command line, in the kind of its quantity; text where that is not known."""
    if quantity is None or quantity.kind == "text":
        return text
    if quantity.kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return text
