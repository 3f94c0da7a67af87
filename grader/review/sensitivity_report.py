"""Sensitivity and the two witnesses as data and for people."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from grader.marking.scoring import rounded
from grader.review.items import SMALL_CLASS
from grader.review.sensitivity import Flip, Witness

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 25


def as_data(flips: Sequence[Flip], witnesses: Sequence[Witness], line: Fraction | None) -> dict[str, Any]:
    """Both tables as JSON data."""
    return {
        "line": None if line is None else rounded(line),
        "flips": [
            {
                "question": f.question,
                "option": f.letter,
                "correct": f.correct,
                "evidence": f.doubt,
                "gap": f.gap,
                "margin": f.margin,
                "n": f.n,
                "changed": f.changed,
                "mean_change": rounded(f.mean_change, 3),
                "crossing": list(f.crossing),
            }
            for f in flips
        ],
        "witnesses": [
            {
                "question": w.question,
                "option": w.letter,
                "evidence": "supported" if w.supported else "refuted",
                "n": w.n,
                "strong_half_ticked": round(w.strong, 3),
                "interval": [round(bound, 3) for bound in w.interval],
                "weak_half_ticked": round(w.weak, 3),
                "standing": w.standing,
            }
            for w in witnesses
        ],
    }


def show_sensitivity(out: Console, data: dict[str, Any]) -> None:
    """What deserves a TA's time, from the top."""
    from rich.table import Table

    flips = data["flips"]
    n = max((row["n"] for row in flips), default=0)
    out.print(f"If an option's verdict were the other way round (n = {n} students):")
    if n < SMALL_CLASS:
        out.print(f"Fewer than {SMALL_CLASS} students: read the numbers as hints.", style="yellow")
    table = Table("option", "key", "evidence", "gap", "changed", "mean change", "cross the line")
    for row in flips[:SHOWN]:
        gap = "-" if row["gap"] is None else f"{row['gap']:.3g}"
        crossing = "-" if data["line"] is None else str(len(row["crossing"]))
        name, key = f"{row['question']} {row['option']}", "yes" if row["correct"] else "no"
        table.add_row(name, key, row["evidence"], gap, str(row["changed"]), row["mean_change"], crossing)
    out.print(table)
    against = [row for row in data["witnesses"] if row["standing"] != "agrees"]
    if not against:
        out.print("On every option the strong half of the class agrees with the evidence.")
        return
    out.print("Evidence and the strong half of the class differ on:")
    for row in against:
        low, high = row["interval"]
        out.print(
            f"  {row['question']} {row['option']}: evidence {row['evidence']}, ticked by "
            f"{row['strong_half_ticked']:.0%} [{low:.0%}, {high:.0%}] of the strong half (n = {row['n']}), "
            f"{row['weak_half_ticked']:.0%} of the weak: {row['standing']}"
        )
