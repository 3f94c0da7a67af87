"""A regrade for review: the diff in words and data, the changed rows as CSV, the digests of both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from grader.marking.scoring import rounded
from grader.marking.spreadsheets import csv_text, harmless
from grader.review.regrade import StudentChange

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20


def diff_data(
    old: dict[str, Any], new: dict[str, Any], changes: Sequence[StudentChange], totals: Mapping[str, Fraction]
) -> dict[str, Any]:
    """The diff as JSON data: what differs in key, rule and rulings, and what that does to whom."""
    n = len(totals)
    moved = sum((change.change for change in changes), Fraction(0))
    return {
        "old": side(old),
        "new": side(new),
        "key_changes": key_changes(old, new),
        "rulings": new["rulings"],
        "students": n,
        "changed": len(changes),
        "up": sum(1 for change in changes if change.change > 0),
        "down": sum(1 for change in changes if change.change < 0),
        "rank_changed": sum(1 for change in changes if change.old_rank != change.new_rank),
        "mean_change": rounded(moved / n) if n else None,
        "changes": [
            {
                "student": change.student_id,
                "old": rounded(change.old),
                "new": rounded(change.new),
                "change": rounded(change.change),
                "old_rank": change.old_rank,
                "new_rank": change.new_rank,
                "questions": list(change.questions),
            }
            for change in changes
        ],
    }


def side(result: dict[str, Any]) -> dict[str, Any]:
    """What identifies one side: key, evidence, rule, submissions."""
    return {
        "key": result["key"]["digest"],
        "evidence": result["key"]["evidence"],
        "rule": result["rule"],
        "submissions": result["submissions"]["sha256"],
        "graded": result["graded"],
    }


def key_changes(old: dict[str, Any], new: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Questions whose key differs."""
    before, after = old["key"]["questions"], new["key"]["questions"]
    return {
        name: {"old": before[name]["correct"], "new": after[name]["correct"]}
        for name in after
        if name in before and sorted(before[name]["correct"] or ["?"]) != sorted(after[name]["correct"] or ["?"])
    }


def changed_rows(changes: Sequence[StudentChange]) -> str:
    """CSV of the students who change."""
    header = ["student_id", "old", "new", "change", "old_rank", "new_rank", "questions"]
    rows = [
        [
            harmless(c.student_id),
            rounded(c.old),
            rounded(c.new),
            rounded(c.change),
            str(c.old_rank),
            str(c.new_rank),
            " ".join(c.questions),
        ]
        for c in changes
    ]
    return csv_text([header, *rows])


def show_diff(out: Console, data: dict[str, Any]) -> None:
    """The diff for people."""
    from rich.markup import escape
    from rich.table import Table

    old, new = data["old"], data["new"]
    out.print(f"key   {old['key'][:12]} -> {new['key'][:12]}   rule {old['rule']} -> {new['rule']}")
    if old["evidence"] != new["evidence"]:
        out.print("the two keys rest on different evidence")
    for name, change in data["key_changes"].items():
        out.print(f"  {name}: {_letters(change['old'])} -> {_letters(change['new'])}")
    for ruling in data["rulings"]:
        out.print(f"  {ruling['question']}: {escape(ruling['reason'])}")
    out.print(
        f"{data['changed']} of {data['students']} students change: {data['up']} up, {data['down']} down, "
        f"{data['rank_changed']} change rank; mean change {data['mean_change']}"
    )
    table = Table("student", "old", "new", "change", "rank", "questions")
    shown = data["changes"] if len(data["changes"]) <= 2 * SHOWN else data["changes"][:SHOWN] + data["changes"][-SHOWN:]
    for row in shown:
        rank = f"{row['old_rank']} -> {row['new_rank']}"
        table.add_row(escape(row["student"]), row["old"], row["new"], row["change"], rank, " ".join(row["questions"]))
    if shown:
        out.print(table)
    if len(shown) < len(data["changes"]):
        out.print(
            f"the {SHOWN} largest losses and gains of {len(data['changes'])}; all stand in changed.csv and --json"
        )


def _letters(correct: list[str] | None) -> str:
    return "not settled" if correct is None else "".join(correct) or "none"
