"""Item analysis of a graded class: questions, every option as a true/false item, distractors, reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grader.marking.grading import Grades, StudentRecord
from grader.marking.scoring import printed_points
from grader.review.items import (
    SMALL_CLASS,
    correlation,
    extreme_groups,
    item_statistics,
    reliability,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

Row = dict[str, Any]


def analyse(grades: Grades) -> dict[str, Any]:
    """All statistics of the kept attempts, as JSON data.

    Students are counted who answered every graded question of the quiz in the attempt that counts; late and ungraded
    ones are left out, and how many is said.
    """
    graded = [i for i, is_graded in enumerate(grades.scorer.graded) if is_graded and _has_key(grades, i)]
    records = [r for r in grades.records if r.decision.kept and all(r.units[i] is not None for i in graded)]
    questions = [grades.scorer.book.questions[i] for i in graded]
    scores = _question_scores(grades, records, graded)
    possible = np.array([float(printed_points(question)) for question in questions])
    rightly, ticked, names = _option_items(grades, records, graded)
    total = scores.sum(axis=1)
    return {
        "quiz": grades.scorer.book.quiz.id,
        "rule": grades.scorer.rule,
        "n": len(records),
        "left_out": len(grades.records) - len(records),
        "small_class": len(records) < SMALL_CLASS,
        "questions": [s.model_dump() for s in item_statistics(scores, possible, [q.id for q in questions])],
        "options": _options(rightly, ticked, names, total, scores, graded, grades),
        "reliability": {
            "questions": reliability(scores).model_dump(),
            "options": reliability(rightly).model_dump(),
        },
    }


def _has_key(grades: Grades, index: int) -> bool:
    return grades.scorer.key[grades.scorer.book.questions[index].id] is not None


def _question_scores(grades: Grades, records: list[StudentRecord], graded: list[int]) -> NDArray[np.float64]:
    units = [[float(record.units[i] or 0) for i in graded] for record in records]
    return np.array(units, dtype=float).reshape(len(records), len(graded)) / grades.scorer.denominator


def _option_items(
    grades: Grades, records: list[StudentRecord], graded: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[int, str]]]:
    """Whether each option was treated rightly, and whether it was ticked: both (students, options)."""
    names = [(i, letter) for i in graded for letter in grades.scorer.book.questions[i].options]
    correct = [letter in (grades.scorer.key[grades.scorer.book.questions[i].id] or ()) for i, letter in names]
    rows = []
    for record in records:
        kept = record.decision.kept
        assert kept is not None
        rows.append([letter in (kept.chosen[i] or ()) for i, letter in names])
    ticked = np.array(rows, dtype=float).reshape(len(records), len(names))
    return (ticked == np.array(correct, dtype=float)).astype(float), ticked, names


def _options(
    rightly: NDArray[np.float64],
    ticked: NDArray[np.float64],
    names: list[tuple[int, str]],
    total: NDArray[np.float64],
    scores: NDArray[np.float64],
    graded: list[int],
    grades: Grades,
) -> list[Row]:
    """Each option as an item of its own; as a distractor it is compared with the score on the other questions."""
    labels = [f"{grades.scorer.book.questions[i].id} {letter}" for i, letter in names]
    statistics = item_statistics(rightly, np.ones(len(names)), labels)
    best, weakest = extreme_groups(total)
    rows = []
    for j, ((i, letter), item) in enumerate(zip(names, statistics, strict=True)):
        question = grades.scorer.book.questions[i]
        rest = total - scores[:, graded.index(i)]
        rows.append(
            item.model_dump()
            | {
                "question": question.id,
                "letter": letter,
                "correct": letter in (grades.scorer.key[question.id] or ()),
                "ticked": _share(ticked[:, j]),
                "ticked_by_best": _share(ticked[best, j]),
                "ticked_by_weakest": _share(ticked[weakest, j]),
                "tick_and_rest": correlation(ticked[:, j], rest),
            }
        )
    return rows


def _share(column: NDArray[np.float64]) -> float | None:
    return float(column.mean()) if len(column) else None


def show_items(out: Console, data: dict[str, Any]) -> None:
    """The statistics for people; n stands at the top and small classes are told so."""
    from rich.table import Table

    out.print(f"n = {data['n']} students, rule {data['rule']}; {data['left_out']} left out (late or not graded)")
    if data["small_class"]:
        out.print(
            f"Fewer than {SMALL_CLASS} students: correlations and alpha are mostly noise, read them as hints.",
            style="yellow",
        )
    table = Table("question", "difficulty", "discrimination", "upper-lower", "alpha without")
    for row in data["questions"]:
        cells = [row[name] for name in ("difficulty", "discrimination", "upper_lower", "without")]
        table.add_row(row["name"], *map(number, cells))
    out.print(table)
    options = Table("option", "key", "ticked", "best 27%", "weakest 27%", "treated rightly", "discrimination")
    for row in data["options"]:
        cells = [row[n] for n in ("ticked", "ticked_by_best", "ticked_by_weakest", "difficulty", "discrimination")]
        options.add_row(row["name"], "yes" if row["correct"] else "no", *map(number, cells))
    out.print(options)
    for name, label in (("questions", "questions"), ("options", "options as true/false items")):
        out.print(_reliability(label, data["reliability"][name]))


def _reliability(label: str, row: Row) -> str:
    if row["alpha"] is None:
        return f"alpha over {label}: none ({row['reason']})"
    low, high = row["interval"]["low"], row["interval"]["high"]
    return f"alpha over {row['items']} {label}: {row['alpha']:.2f} [{low:.2f}, {high:.2f}], n = {row['n']}"


def number(value: float | None) -> str:
    """Two decimals, or a dash where there is no value."""
    return "-" if value is None else f"{value:.2f}"
