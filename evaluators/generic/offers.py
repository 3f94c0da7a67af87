"""What a question says beforehand of the values that it takes, and how a value becomes a measurement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from basics.errors import InputError, Problem, Unavailable
from basics.messages import said_by, say, together
from basics.model_faults import raised
from basics.suggestions import did_you_mean
from evaluators.announcement import outside
from evaluators.evidence import Frozen, Interval, Measurement, Name, Quantity, Source
from evaluators.generic import EXTRA


class Offer(Frozen):
    """What can be known of a value before it is there.

    Attributes:
        unit: as it is shown beside the value.
        meaning: what the value says, in words.
        at_least, at_most: bounds that theory sets; a value outside of them is a fault.
        kind: `number`, or `bool` for a truth value.
    """

    unit: str = ""
    meaning: str = ""
    at_least: float | None = None
    at_most: float | None = None
    kind: Literal["number", "bool"] = "number"

    @model_validator(mode="after")
    def _sensible(self) -> Offer:
        low, high = self.at_least, self.at_most
        if self.kind == "bool" and (low, high) != (None, None):
            raise ValueError("a truth value has no bounds; leave out at_least and at_most")
        if low is not None and high is not None and low >= high:
            raise ValueError(f"at_least {low:g} leaves no room below at_most {high:g}")
        return self

    def quantity(self, name: str) -> Quantity:
        """What claims over the value are checked against."""
        about: dict[str, Any] = {"unit": self.unit, "low": self.at_least, "high": self.at_most, "about": self.meaning}
        return Quantity(name=name, kind=self.kind, rests_on=(), **about)


def _named(given: Any) -> Any:
    """A list of names stands for the names with nothing said of them."""
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        if twice := sorted({name for name in given if given.count(name) > 1}):
            raise ValueError(f"names {', '.join(twice)} twice")
        return {name: {} for name in given}
    return {name: said or {} for name, said in given.items()} if isinstance(given, dict) else given


@dataclass(frozen=True)
class AlsoWritten:
    """Tells the JSON Schema of another form in which a value may be written."""

    form: Mapping[str, Any]

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [handler(core), dict(self.form)]}


Item = TypeVar("Item", bound=Offer)
NAMES = AlsoWritten({"type": "array", "items": {"type": "string"}, "minItems": 1})
Named = Annotated[dict[Name, Item], BeforeValidator(_named), Field(min_length=1), NAMES]
"""Offers by the names that claims use; a list of names where nothing is said of them."""


def quantities(offers: Mapping[str, Offer]) -> Iterator[Quantity]:
    """What is announced."""
    yield from (offer.quantity(name) for name, offer in offers.items())


@dataclass
class Taking:
    """Turns values into measurements, and keeps all that is wrong with them.

    Attributes:
        source: what the values may be called.
        note: said beside each.
    """

    source: Source
    note: str = ""
    problems: list[Problem] = field(default_factory=list)

    def take(self, name: str, said: Mapping[str, Any], offer: Offer, where: str) -> Iterator[Measurement]:
        """The measurement of `said`, as `launch.said` describes a value found at `where`; none where it is faulty."""
        if "unusable" in said:
            what = say("{name} is {value}, expected a number or a truth value", name=name, value=said["unusable"])
            self.problems.append(
                Problem(where, what, say("give one number, or true or false; None where there is none"))
            )
            return
        about: dict[str, Any] = {"name": name, "unit": offer.unit, "source": self.source}
        about |= {"locator": where, "note": self.note}
        if said.get("value") is None:
            yield Measurement(undefined=said.get("undefined") or f"{where} gave no value for it", **about)
            return
        value = said["value"]
        try:
            if wrong := outside(value, offer.quantity(name)):
                raise ValueError(say("{name} is {value!r}, {expectation}", name=name, value=value, expectation=wrong))
            yield Measurement(value=value, interval=_interval(said), n=said.get("n"), **about)
        except ValidationError as error:
            told = together(raised(fault) for fault in error.errors())
            self.problems.append(Problem(where, told, say("correct the value")))
        except ValueError as error:
            remedy = say("correct the value, or what the question says of it (kind, at_least, at_most)")
            self.problems.append(Problem(where, said_by(error), remedy))

    def missing(self, name: str, where: str, known: Iterable[str]) -> None:
        """Tell of a value that is not there."""
        self.problems.append(Problem(where, say("gave nothing called {name}", name=name), did_you_mean(name, known)))

    def checked(self, measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
        """All of them. Raises InputError with all that was wrong."""
        taken = tuple(measurements)
        if self.problems:
            raise InputError(self.problems)
        return taken


def _interval(said: Mapping[str, Any]) -> Interval | None:
    if "low" not in said and "high" not in said:
        return None
    if "low" not in said or "high" not in said:
        raise ValueError("an interval has both a low and a high end")
    return Interval(low=said["low"], high=said["high"], over=said.get("over", ""))


def needed(module: str, what: str) -> Any:
    """The module of an optional package. Raises Unavailable with the extra that brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        package = (error.name or module).partition(".")[0]
        install = say("pip install 'earwitness[{extra}]' (or {package} alone)", extra=EXTRA, package=package)
        raise Unavailable(
            say("{task} needs the package {package}, which is not installed here", task=what, package=package),
            install,
        ) from error
