"""An evaluator of another course, as somebody outside the project would write it: statistics by throwing dice."""

# ruff: noqa: ARG002 - the protocol has arguments that dice do not need

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import ClassVar

from basics.errors import Unavailable
from evaluators.evidence import Findings, Frozen, Inputs, Interval, Measurement, Quantity, QuizFile, Site


class DiceParameters(Frozen):
    sides: int = 6
    throws: int = 2000
    needs: str = ""


class Dice:
    """Mean of thrown dice with a normal-approximation interval."""

    name: ClassVar[str] = "dice"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = DiceParameters

    def quantities(self, parameters: DiceParameters) -> Iterable[Quantity]:
        yield Quantity(name="dice.mean", low=1, high=parameters.sides)
        yield Quantity(name="dice.sides", unit="sides", low=2)
        yield Quantity(name="dice.colour", kind="text")

    def inputs(self, parameters: DiceParameters, site: Site) -> Inputs:
        if parameters.needs == "a table":
            raise Unavailable("there is no table to throw dice on", "buy a table")
        return Inputs(packages=("pydantic",), seed=7)

    def measure(self, parameters: DiceParameters, site: Site) -> Findings:
        if parameters.needs == "luck":
            raise RuntimeError("the dice fell off the table")
        generator = random.Random(7)
        throws = [generator.randint(1, parameters.sides) for _ in range(parameters.throws)]
        mean = sum(throws) / len(throws)
        half = 1.96 * (sum((x - mean) ** 2 for x in throws) / len(throws) / len(throws)) ** 0.5
        interval = Interval(low=mean - half, high=mean + half, over="throws")
        return Findings(
            measurements=(
                Measurement(name="dice.mean", value=mean, interval=interval, n=len(throws), source="measured"),
                Measurement(name="dice.sides", value=parameters.sides, unit="sides", source="executed"),
                Measurement(name="dice.colour", undefined="nobody looked", source="measured"),
            )
        )


class QuickDice(Dice):
    """The same, thrown anew each time somebody asks."""

    name: ClassVar[str] = "quick_dice"
    stored: ClassVar[bool] = False


class TallyParameters(Frozen):
    table: QuizFile


class Tally:
    """Mean of throws that somebody wrote down, one a line, in a file of the quiz."""

    name: ClassVar[str] = "tally"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = TallyParameters

    def quantities(self, parameters: TallyParameters) -> Iterable[Quantity]:
        yield Quantity(name="tally.mean", low=1, high=6, about="mean of the throws in the table")

    def inputs(self, parameters: TallyParameters, site: Site) -> Inputs:
        return Inputs()  # the table is an input by being a QuizFile

    def measure(self, parameters: TallyParameters, site: Site) -> Findings:
        throws = [int(line) for line in site.file(parameters.table).read_text().split()]
        mean = Measurement(name="tally.mean", value=sum(throws) / len(throws), n=len(throws), source="measured")
        return Findings(measurements=(mean,))
