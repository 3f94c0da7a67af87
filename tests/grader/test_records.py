"""A result read back is the class as it was written down: totals that a regrade held stay held."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.grader.classroom import Command

CHANGES = (
    "reason: decided at the staff meeting\noverrides:\n  - {question: q03, correct: [A, C], reason: E was wrong}\n"
)


def students(folder: Path) -> dict[str, dict[str, Any]]:
    data = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return {student["id"]: student for student in data["students"]}


@pytest.fixture
def strict(run: Command, report: Path, tmp_path: Path) -> Path:
    """The class graded, and regraded so that some fall."""
    (tmp_path / "changes.yaml").write_text(CHANGES)
    assert run("grade", report, "--out", tmp_path / "old").exit_code == 0
    assert run("regrade", tmp_path / "old", tmp_path / "changes.yaml", "--out", tmp_path / "strict").exit_code == 0
    return tmp_path / "strict"


@pytest.fixture
def held(run: Command, strict: Path) -> Path:
    """The same regrade, in which no total falls."""
    folder = strict.with_name("held")
    change = [strict.with_name("old"), strict.with_name("changes.yaml")]
    assert run("regrade", *change, "--policy", "hold-harmless", "--out", folder).exit_code == 0
    return folder


def losers(strict: Path) -> set[str]:
    """Whoever would fall without the policy."""
    data = json.loads((strict / "regrade.json").read_text(encoding="utf-8"))
    found = {row["student"] for row in data["changes"] if row["change"].startswith("-")}
    assert found
    return found


def test_held_totals_are_still_held_in_a_result_read_back(run: Command, strict: Path, held: Path) -> None:
    old = held.with_name("old")
    again = run("regrade", old, held, "--json", "--out", held.with_name("again"))
    assert again.exit_code == 0, again.output
    assert json.loads(again.output)["down"] == 0
    assert (held.with_name("again") / "scores.csv").read_bytes() == (held / "scores.csv").read_bytes()
    before, after = students(old), students(held.with_name("again"))
    for name in losers(strict):
        assert after[name]["exact"] == before[name]["exact"] != students(strict)[name]["exact"], name


def test_an_appeal_names_the_total_that_the_student_has(run: Command, strict: Path, held: Path) -> None:
    name = min(losers(strict))
    ended = run("appeal", "q03", "E", "--student", name, "--result", held, "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.output)["if_accepted"]["instead"]["this_student"]["total"] == students(held)[name]["total"]
