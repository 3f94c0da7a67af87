"""`python: evidence.py:power`: a function in a file of the quiz, which returns a dict of values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, JsonValue, PlainSerializer, SerializationInfo

from basics.errors import InputError, Problem
from basics.messages import say
from basics.suggestions import did_you_mean
from evaluators.evidence import Findings, Frozen, Inputs, Measurement, Quantity, Site, in_quiz
from evaluators.generic.offers import Named, Offer, Taking, quantities
from evaluators.generic.running import TIMEOUT, Run, packages_of, run, texts_of


def _function(text: str) -> str:
    file, _, name = text.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise ValueError(f"{text!r} has to name a file and a function of it, such as evidence.py:power")
    return f"{in_quiz(file)}:{name}"


def _said(text: str, info: SerializationInfo) -> str:
    file, _, name = text.rpartition(":")
    if not isinstance(info.context, list):
        return text
    info.context.append(file)
    return name


Function = Annotated[str, AfterValidator(_function), PlainSerializer(_said)]
"""A function in a file of the quiz: what is in the file is part of the fingerprint, where it lies is not."""


class PythonParameters(Run):
    """What a question asks of a function.

    Attributes:
        python: the file and the function, `evidence.py:power`.
        arguments: what it is called with, `with` in the YAML.
        gives: the values of its dict that are taken, with what is known of them beforehand.
    """

    python: Function
    arguments: dict[str, JsonValue] = Field(default={}, alias="with")
    gives: Named[Offer]

    @property
    def file(self) -> str:
        """The file of the function."""
        return self.python.rpartition(":")[0]


@dataclass(frozen=True)
class Python:
    """Calls a function of the quiz in a process of its own."""

    name: ClassVar[str] = "python"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = PythonParameters
    timeout: float = TIMEOUT

    def quantities(self, parameters: PythonParameters) -> Iterable[Quantity]:
        """What is taken of the dict."""
        return quantities(parameters.gives)

    def inputs(self, parameters: PythonParameters, site: Site) -> Inputs:
        """The packages that the files import, and the seed; the files themselves are parameters."""
        packages = packages_of(texts_of((parameters.file, *parameters.reads), site))
        return Inputs(packages=packages, seed=parameters.seed)

    def measure(self, parameters: PythonParameters, site: Site) -> Findings:
        """Call it. Raises InputError with all that is wrong with what it gave."""
        where = parameters.python
        job: dict[str, Any] = {"do": "call", "file": parameters.file, "function": where.rpartition(":")[2]}
        job["with"] = parameters.arguments
        files = (parameters.file, *parameters.reads)
        reply = run(job, files, parameters, site, timeout=self.timeout, where=where)
        if "unknown" in reply:
            remedy = did_you_mean(job["function"], reply["unknown"])
            raise InputError(
                Problem(where, say("the file has no function {function}", function=job["function"]), remedy)
            )
        taking = Taking(parameters.source)
        return Findings(taking.checked(_taken(parameters, reply["values"], taking, where)))


def _taken(parameters: PythonParameters, values: dict[str, Any], taking: Taking, where: str) -> Iterator[Measurement]:
    for name, offer in parameters.gives.items():
        if name not in values:
            taking.missing(name, where, values)
        else:
            yield from taking.take(name, values[name], offer, where)
