"""The codebook sweep: every measure of reconstruction against the number of codebooks that are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluators.evidence import Measurement
from grader.report.cards import all_evidence, questions_using
from grader.report.plots import Line, Plot, by_codebooks, spoken
from grader.verdicts.testimony import Testimony

NAME = re.compile(r"(?P<metric>\w+)\.(?P<role>\w+)\.q(?P<count>\d+)")


@dataclass(frozen=True)
class Sweep:
    """The panels of one piece of evidence; `undefined` says why points are left out."""

    plots: tuple[Plot, ...]
    roles: tuple[str, ...]
    undefined: tuple[str, ...]
    demonstration: bool
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Sweeps:
    """All sweeps of the quiz."""

    sweeps: tuple[Sweep, ...]
    anchor: str = "sweep"
    title: str = "sweep"
    template: str = "sweep.html.j2"


def sweeps(testimonies: Sequence[Testimony], words: Mapping[str, str]) -> Sweeps | None:
    """The sweeps among the evidence; None where there is none."""
    found = []
    for exhibit in all_evidence(testimonies):
        named = [(m, parts) for m in exhibit.evidence.measurements if (parts := NAME.fullmatch(m.name))]
        if exhibit.evidence.evaluator == "reconstruction" and named:
            used = questions_using(exhibit.evidence, testimonies)
            found.append(_sweep(named, used, words))
    return Sweeps(tuple(found)) if found else None


def _sweep(
    named: Sequence[tuple[Measurement, re.Match[str]]],
    questions: tuple[str, ...],
    words: Mapping[str, str],
) -> Sweep:
    roles = tuple(dict.fromkeys(parts["role"] for _, parts in named))
    plots = []
    for metric in dict.fromkeys(parts["metric"] for _, parts in named):
        own = [(m, parts["role"], int(parts["count"])) for m, parts in named if parts["metric"] == metric]
        title = words.get(f"metric_{metric}", metric)
        lines = [_line(role, [(m, count) for m, of, count in own if of == role], words) for role in roles]
        ticks = sorted({count for _, _, count in own})
        svg = by_codebooks(lines, f"{title}, {words['by_codebooks']}: {'; '.join(map(spoken, lines))}", ticks)
        plots.append(Plot(title, svg, tuple(line.label for line in lines)))
    reasons = [f"{m.name}: {m.undefined}" for m, _ in named if m.undefined]
    return Sweep(tuple(plots), roles, tuple(reasons), any(m.source == "demonstration" for m, _ in named), questions)


def _line(role: str, points: Sequence[tuple[Measurement, int]], words: Mapping[str, str]) -> Line:
    known = [(m, count) for m, count in points if isinstance(m.value, int | float)]
    return Line(
        label=words.get(f"role_{role}", role),
        x=[count for _, count in known],
        y=[float(m.value or 0) for m, _ in known],
        intervals=[(m.interval.low, m.interval.high) if m.interval else None for m, _ in known],
    )
