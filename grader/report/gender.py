"""The gender experiment: what words and sound tell about the speaker, and what the two models answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evaluators.evidence import Evidence, Measurement
from evaluators.registry import get
from grader.report.cards import all_evidence, questions_using
from grader.verdicts.testimony import Testimony

CHANCE = "channel.chance_level"
CHANNELS = ("channel.transcript_", "channel.sound_gender", "channel.f0_gender", "channel.codec_gender")
MODELS = ("model_a.", "model_b.")


@dataclass(frozen=True)
class Row:
    """A share in [0, 1] and what it is of."""

    measurement: Measurement
    about: str


@dataclass(frozen=True)
class Group:
    """Shares that are read together; `mark` is the level of guessing, where there is one."""

    title: str
    rows: tuple[Row, ...]
    mark: float | None = None


@dataclass(frozen=True)
class Experiment:
    """One piece of evidence about gender. `undefined` are the reasons for what could not be had, each once."""

    groups: tuple[Group, ...]
    undefined: tuple[str, ...]
    demonstration: bool
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Gender:
    """All such evidence of the quiz."""

    experiments: tuple[Experiment, ...]
    anchor: str = "gender"
    title: str = "gender"
    template: str = "gender.html.j2"


def gender(testimonies: Sequence[Testimony]) -> Gender | None:
    """The gender experiments among the evidence; None where there are none."""
    found = [
        _experiment(exhibit.evidence, questions_using(exhibit.evidence, testimonies))
        for exhibit in all_evidence(testimonies)
        if exhibit.evidence.evaluator == "speaker_gender"
    ]
    return Gender(tuple(found)) if found else None


def _experiment(evidence: Evidence, questions: tuple[str, ...]) -> Experiment:
    about = _about(evidence)
    chance = next((m.value for m in evidence.measurements if m.name == CHANCE), None)
    channels = _rows(evidence.measurements, CHANNELS, about)
    groups = [Group("gender_channel", channels, chance if isinstance(chance, float) else None)]
    groups += [Group(f"gender_{model.strip('.')}", _rows(evidence.measurements, (model,), about)) for model in MODELS]
    reasons = dict.fromkeys(m.undefined for m in evidence.measurements if m.undefined)
    return Experiment(
        groups=tuple(group for group in groups if group.rows),
        undefined=tuple(reason for reason in reasons if reason),
        demonstration=any(m.source == "demonstration" for m in evidence.measurements),
        questions=questions,
    )


def _about(evidence: Evidence) -> Mapping[str, str]:
    """What the evaluator says of its quantities, in its own words."""
    evaluator = get(evidence.evaluator)
    parameters = evaluator.Parameters.model_validate(evidence.parameters, strict=False)
    return {quantity.name: quantity.about for quantity in evaluator.quantities(parameters)}


def _rows(measurements: Iterable[Measurement], prefixes: tuple[str, ...], about: Mapping[str, str]) -> tuple[Row, ...]:
    """The defined shares whose names begin so."""
    return tuple(
        Row(m, about.get(m.name, ""))
        for m in measurements
        if m.name.startswith(prefixes) and isinstance(m.value, float) and m.unit == "share" and 0 <= m.value <= 1
    )
