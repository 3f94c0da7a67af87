"""`facts: facts.yaml`: what sources say, each fact with its value, its place, and how it was checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from basics.errors import InputError, Problem
from basics.messages import say
from basics.yaml_source import read, validate
from evaluators.announcement import outside
from evaluators.evidence import (
    Checked,
    Confirmed,
    Findings,
    Frozen,
    Inputs,
    Measurement,
    Name,
    Quantity,
    QuizFile,
    Site,
    Value,
    digest,
)

NAME: TypeAdapter[str] = TypeAdapter(Name)


class Fact(Frozen):
    """What a source says.

    Attributes:
        value: a number, a text or a truth value.
        locator: the source and the place in it, so that anybody finds it.
        checked: `read` there, `secondary` through somebody who quotes it, or `recalled`, which does not count yet.
        unit, meaning: as they are shown.
        at_least, at_most: bounds that theory sets to a number.
        one_of: the words that a text can be.
        quote: the words of the source.
    """

    value: Value
    locator: Annotated[str, Field(min_length=8)]
    checked: Checked
    unit: str = ""
    meaning: str = ""
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[str, ...] = ()
    quote: str = ""

    @model_validator(mode="after")
    def _within(self) -> Fact:
        if wrong := outside(self.value, self.quantity("value")):
            raise ValueError(f"value is {self.value!r}, {wrong}")
        return self

    def quantity(self, name: str) -> Quantity:
        """What claims over the fact are checked against."""
        return Quantity(
            name=name,
            kind="bool" if isinstance(self.value, bool) else "text" if isinstance(self.value, str) else "number",
            unit=self.unit,
            low=self.at_least,
            high=self.at_most,
            one_of=self.one_of,
            about=self.meaning,
            rests_on=(),
        )

    def measurement(self, name: str, confirmed: Confirmed | None) -> Measurement:
        """The fact, with the value and the place of whoever looked it up since."""
        about: dict[str, Any] = {"name": name, "unit": self.unit, "source": "published"}
        if confirmed is not None:
            note = f"looked up by {confirmed.by} on {confirmed.when}: “{confirmed.quote}”"
            return Measurement(value=confirmed.value, locator=confirmed.locator, checked="read", note=note, **about)
        note = f"“{self.quote}”" if self.quote else ""
        return Measurement(value=self.value, locator=self.locator, checked=self.checked, note=note, **about)


class FactsParameters(Frozen):
    """Which file of the quiz holds the facts."""

    facts: QuizFile


@dataclass(frozen=True)
class Facts:
    """Hands out the facts of a file. `folder` is the quiz's."""

    name: ClassVar[str] = "facts"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = False
    Parameters: ClassVar[type[Frozen]] = FactsParameters
    folder: Path | None = None

    def quantities(self, parameters: FactsParameters) -> Iterable[Quantity]:
        """One for each fact of the file. Raises InputError with all that is wrong there."""
        return [fact.quantity(name) for name, fact in self._facts(parameters, Site(quiz=self.folder)).items()]

    def inputs(self, parameters: FactsParameters, site: Site) -> Inputs:
        """The facts that were looked up for the quiz; the file itself is a parameter."""
        known = self._facts(parameters, site)
        looked_up = {name: fact for name, fact in site.confirmed.items() if name in known}
        return Inputs({f"confirmed {name}": digest(fact.model_dump(mode="json")) for name, fact in looked_up.items()})

    def measure(self, parameters: FactsParameters, site: Site) -> Findings:
        """Every fact of the file."""
        known = self._facts(parameters, site)
        return Findings(tuple(fact.measurement(name, site.confirmed.get(name)) for name, fact in known.items()))

    def _facts(self, parameters: FactsParameters, site: Site) -> Mapping[str, Fact]:
        return read_facts(site.file(parameters.facts))


def read_facts(path: Path) -> dict[str, Fact]:
    """The facts of a file by name. Raises InputError with every fault of it, by line."""
    source = read(path)
    if not isinstance(source.data, dict):
        what = say("is no mapping of names to facts")
        raise InputError(Problem(source.where(), what, say("write `name: {value: …, locator: …, checked: read}`")))
    facts: dict[str, Fact] = {}
    problems: list[Problem] = []
    for name, raw in source.data.items():
        try:
            NAME.validate_python(name)
            facts[name] = validate(Fact, source, raw, (name,))
        except ValidationError:
            what = say("{name!r} is no name of a measurement", name=name)
            problems.append(
                Problem(source.where((name,)), what, say("use small letters, digits, _ and dots: sort.worst_case"))
            )
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return facts
