"""The class page of the TA's edition: scores, items, what would change if a verdict flipped. No student is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from grader.marking.grading import Grades
from grader.marking.scoring import median_of, printed_points
from grader.report.plots import Drawing, histogram
from grader.review.sensitivity import Flip, Witness, sensitivity, two_witnesses
from grader.verdicts.key import AnswerKey

MOST_BINS = 20
SHOWN_FLIPS = 12


@dataclass(frozen=True)
class Classroom:
    """A graded class in numbers. `items` is what `grader.review.items.analyse` returns."""

    students: int
    rule: str
    mean: str
    median: str
    possible: float
    scores: Drawing
    items: dict[str, Any]
    texts: Mapping[tuple[str, str], str]
    flips: tuple[Flip, ...]
    witnesses: tuple[Witness, ...]
    demonstration: bool


def classroom(grades: Grades, key: AnswerKey, words: Mapping[str, str]) -> Classroom:
    """The class page of a graded class."""
    from grader.review.items import analyse

    totals = [float(grades.total(record)) for record in grades.records]
    possible = float(sum(map(printed_points, grades.scorer.book.questions), Fraction(0)))
    told = words["scores_spoken"].format(n=len(totals), low=f"{min(totals):.3g}", high=f"{max(totals):.3g}")
    return Classroom(
        students=len(totals),
        rule=grades.scorer.rule,
        mean=grades.mean or "",
        median=median_of(grades.totals().values()) or "",
        possible=possible,
        scores=Drawing(words["scores"], histogram(totals, edges(possible), told)),
        items=analyse(grades, key),
        texts={(q.id, x): option.text for q in grades.scorer.book.questions for x, option in q.options.items()},
        flips=tuple(flip for flip in sensitivity(grades, key) if flip.changed)[:SHOWN_FLIPS],
        witnesses=tuple(w for w in two_witnesses(grades, key) if w.standing != "agrees"),
        demonstration=key.demonstration,
    )


NEARLY_ALL, HALF = 0.95, 0.5


def flags(option: Mapping[str, Any]) -> list[str]:
    """What deserves a look in an option as an item: `backwards`, where the weaker students treat it rightly; `easy`,
    where nearly everybody does; `hard`, where fewer than half do."""
    rightly, discrimination = option["difficulty"], option["discrimination"]
    found = ["backwards"] if discrimination is not None and discrimination < 0 else []
    if rightly is None:
        return found
    return found + ["easy"] * (rightly >= NEARLY_ALL) + ["hard"] * (rightly < HALF)


def edges(possible: float) -> list[float]:
    """Borders of at most 20 equal bins of half points, whole points, … from 0 to what can be reached."""
    width = next(w for w in (0.5, 1, 2, 5, 10, 20, 50, ceil(possible / MOST_BINS)) if possible / w <= MOST_BINS)
    return [i * width for i in range(ceil(possible / width) + 1)]
