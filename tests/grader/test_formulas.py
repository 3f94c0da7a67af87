"""Students choose their own ids in some courses: none of them runs as a formula in a file that a TA opens."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from grader.marking.grading import Setting, grade
from grader.marking.student_lines import write_scores
from grader.submissions.model import Submission, SubmissionFile
from tests.grader.classroom import Command, letters_key, make_book

IDS = ["=1+1", '=HYPERLINK("http://x";"y")', "+886912345678", "-2+3", "@SUM(A1)", "b12901001", "x=1"]
DEFUSED = [f"'{name}" for name in IDS[:5]] + IDS[5:]


def first_cells(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return [row[0] for row in csv.reader(file)][1:]


@pytest.fixture
def class_csv(tmp_path: Path) -> Path:
    """A class in which everybody ticks A throughout."""
    path = tmp_path / "class.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student_id", *(f"q{i:02d}" for i in range(1, 13))])
        writer.writerows([name, *("A" * 12)] for name in IDS)
    return path


def test_ids_in_scores_and_in_changed_rows_are_text(run: Command, class_csv: Path, tmp_path: Path) -> None:
    ended = run("grade", class_csv, "--out", tmp_path / "out")
    assert ended.exit_code == 0, ended.output
    assert sorted(first_cells(tmp_path / "out/scores.csv")) == sorted(DEFUSED)
    changes = tmp_path / "changes.yaml"
    changes.write_text(
        "reason: everybody was right\noverrides:\n  - {question: q02, correct: [A], reason: misprinted}\n"
    )
    assert run("regrade", tmp_path / "out", changes, "--out", tmp_path / "new").exit_code == 0
    for name in ("scores.csv", "changed.csv"):
        assert sorted(first_cells(tmp_path / "new" / name)) == sorted(DEFUSED), name


@pytest.mark.parametrize("name", [*IDS[:5], "\t=1+1", "\r=1+1", "＝1+1", "＋1", "－1", "＠x"])
def test_whatever_the_id_begins_with(tmp_path: Path, name: str) -> None:
    """A tab is gone from ids that come from a table, not from those of another reader."""
    book = make_book()
    ids = tuple(question.id for question in book.questions)
    sheet = Submission(name, ids, (frozenset("A"),) * len(ids))
    file = SubmissionFile(Path("x"), "0" * 64, "plain", ids, (sheet,))
    write_scores(tmp_path / "scores.csv", grade(file, Setting(book, letters_key(book), "net-correct")))
    assert first_cells(tmp_path / "scores.csv") == ["'" + name]
