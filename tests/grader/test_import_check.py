"""The proof of an import sees a hundredth of a point, which is what Canvas shows, and no rounding below that."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.grader.classroom import Command


def edited(report: Path, points: float, score: float) -> Path:
    """The report with the first positive points of its first attempt, and its score, moved by so much."""
    with report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    first = rows[1]
    cell = next(i for i in range(9, len(first) - 3, 2) if float(first[i]) > 0)
    first[cell] = repr(float(first[cell]) + points)
    first[-1] = repr(float(first[-1]) + score)
    with report.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return report


@pytest.mark.parametrize(
    ("points", "score", "cells", "scores"),
    [
        (-0.01, -0.01, 1, 0),
        (0.01, 0.01, 1, 0),
        (-0.4, -0.4, 1, 0),
        (0, 0.01, 0, 1),
        (0, -0.4, 0, 1),
        (0.004, 0, 0, 0),
        (0, 0.004, 0, 0),
    ],
)
def test_a_hundredth_of_a_point_is_a_difference_and_rounding_is_none(
    run: Command, report: Path, tmp_path: Path, points: float, score: float, cells: int, scores: int
) -> None:
    ended = run("grade", edited(report, points, score), "--out", tmp_path / "out")
    assert ended.exit_code == 0, ended.output
    proof = json.loads((tmp_path / "out/result.json").read_text(encoding="utf-8"))["import_check"]
    assert (proof["cells_different"], proof["scores_different"]) == (cells, scores)
    assert f"{cells} differ; {scores} scores are not" in " ".join(ended.output.split())
