"""Gathered evidence as people read it in a terminal: the values of each request, what it drew, what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from evaluators.evidence import Measurement, Source
from evaluators.wording import wording
from grader.quiz.claims import comparisons, names_of
from grader.verdicts.key_text import DEMONSTRATION

if TYPE_CHECKING:
    from evaluators.evidence import Evidence
    from grader.quiz.spec import Question
    from grader.verdicts.testimony import Result

MEASURED: tuple[Source, ...] = ("measured", "demonstration")
INDENT = "    "
WIDEST = 60
"""Cells that are longer do not move the columns."""
FEW = 24
"""Up to as many measurements of a request are all shown."""


def show_results(out: Console, results: Sequence[Result], questions: Sequence[Question], store: Path) -> None:
    """All that was measured, what else a claim compares, and where plots and sounds lie in `store`.

    A table of the literature or of released code holds many more figures than claims compare: of more than FEW, the
    others are counted only.
    """
    claimed = {question.id: set(_claimed(question)) for question in questions}
    for result in results:
        out.print(Text.assemble((result.evaluator, "bold"), f" for {', '.join(result.questions)}"))
        if result.problem:
            remedy = f"\n-> {result.problem.remedy}" if result.problem.remedy else ""
            for line in (result.problem.what + remedy).splitlines():
                out.print(Text(INDENT + line, style="yellow"), soft_wrap=True)
        if result.evidence:
            names = set[str]().union(*(claimed[name] for name in result.questions))
            _show_evidence(out, result.evidence, names, store)
        out.print()


def _claimed(question: Question) -> Iterator[str]:
    """The measurements that a claim of this question compares."""
    for option in question.options.values():
        for comparison in comparisons(option.claim):
            yield from names_of(comparison)


def _show_evidence(out: Console, evidence: Evidence, claimed: Collection[str], store: Path) -> None:
    few = len(evidence.measurements) <= FEW
    shown = [m for m in evidence.measurements if few or m.source in MEASURED or m.name in claimed]
    for (source, shows_how), measurements in groupby(shown, lambda m: (m.source, m.is_demonstration)):
        heading = f"{source}: {DEMONSTRATION}" if shows_how else source
        out.print(Text(INDENT + heading, style="magenta" if shows_how else "dim"))
        for line in _lines(list(measurements)):
            out.print(line, soft_wrap=True)
    if others := len(evidence.measurements) - len(shown):
        out.print(Text(f"{INDENT}and {others} more that no claim compares (--json lists them)", style="dim"))
    sounds = [artefact for artefact in evidence.artefacts if artefact.media_type.startswith("audio/")]
    if sounds:
        out.print(Text(f"{INDENT}{len(sounds)} sounds (`earwitness report` plays them)"))
    for artefact in evidence.artefacts:
        if artefact not in sounds:
            path = str(store / artefact.path)
            out.print(Text.assemble(f"{INDENT}{artefact.title}: ", (path, "dim")), soft_wrap=True)


def _lines(measurements: Sequence[Measurement]) -> Iterator[Text]:
    """A line for each value, columns aligned, never folded: what reads it may be `grep`. Then what is undefined."""
    columns = [_columns(m) for m in measurements if m.undefined is None]
    widths = [
        max((len(cell) for cell in column if len(cell) <= WIDEST), default=0) for column in zip(*columns, strict=True)
    ]
    for cells in columns:
        yield Text(INDENT + "  ".join(cell.ljust(n) for cell, n in zip(cells, widths, strict=True)).rstrip())
    reasons: dict[str, list[str]] = {}
    for m in measurements:
        if m.undefined is not None:
            reasons.setdefault(m.undefined, []).append(m.name)
    for reason, names in reasons.items():
        verb = "are" if len(names) > 1 else "is"
        yield Text(f"{INDENT}{', '.join(names)} {verb} undefined: {reason}", style="yellow")


def _columns(m: Measurement) -> tuple[str, str, str, str]:
    words = wording(m)
    basis = ", ".join(filter(None, (words.n, words.over and f"over {words.over}")))
    return m.name, f"{words.value} {words.unit}".rstrip(), words.interval, basis
