"""Cited facts: what papers and released files say about the systems of the quiz, and published figures of Mimi.

The facts are data (systems.yaml, mimi_figures.yaml), reviewed like code; each names its place in the source and whether
it was read there, reported by others, or recalled. This evaluator only hands out those that a question asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from pydantic import model_validator

from basics.suggestions import did_you_mean
from evaluators.evidence import Findings, Frozen, Inputs, Quantity, Site, digest
from evaluators.literature.tables import FIGURES, FOLDER, SYSTEMS, Entry, Library, load

__all__ = ["Literature", "LiteratureParameters", "load"]


class LiteratureParameters(Frozen):
    """Which facts a question asks for: all of a system's, all of a table's."""

    systems: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> LiteratureParameters:
        library = load()
        faults = [*_unknown("system", self.systems, library.systems), *_unknown("table", self.tables, library.tables)]
        if not self.systems and not self.tables:
            faults.append("name at least one of systems and tables")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Literature:
    """Published facts and figures as measurements of source `published`."""

    name = "literature"
    version = 1
    stored = False
    Parameters = LiteratureParameters

    def quantities(self, parameters: LiteratureParameters) -> Iterable[Quantity]:
        """The quantity of every fact about the systems and of every figure in the tables asked for."""
        return [entry.quantity for entry in _chosen(load(), parameters)]

    def inputs(self, parameters: LiteratureParameters, site: Site) -> Inputs:
        """The digests of the two data files, and of the facts that were looked up for the quiz."""
        files = {name: sha256((FOLDER / name).read_bytes()).hexdigest() for name in (SYSTEMS, FIGURES)}
        names = {entry.quantity.name for entry in _chosen(load(), parameters)}
        looked_up = {f"confirmed {name}": digest(fact.model_dump(mode="json")) for name, fact in site.confirmed.items()}
        return Inputs(files | {name: sha for name, sha in looked_up.items() if name.split(" ")[1] in names})

    def measure(self, parameters: LiteratureParameters, site: Site) -> Findings:
        """Every fact and figure asked for, each with locator and standing; what was looked up since takes its place."""
        entries = _chosen(load(), parameters)
        return Findings(tuple(entry.looked_up(site.confirmed.get(entry.quantity.name)) for entry in entries))


def _chosen(library: Library, parameters: LiteratureParameters) -> Iterator[Entry]:
    for system in dict.fromkeys(parameters.systems):
        yield from library.systems[system]
    for table in dict.fromkeys(parameters.tables):
        yield from library.tables[table]


def _unknown(kind: str, asked: Iterable[str], known: Mapping[str, object]) -> Iterator[str]:
    for name in asked:
        if name not in known:
            yield f"{kind} {name!r} is not in the literature, {did_you_mean(name, known)}"
