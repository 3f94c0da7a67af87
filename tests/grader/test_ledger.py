"""The record of grading runs: what it holds, and that no alteration goes unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from basics.errors import InputError
from basics.folders import staging
from grader.marking.ledger import inspect, read_entries, record
from tests.grader.classroom import Command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three entries."""
    for i in range(3):
        with staging(tmp_path) as stage:
            stage.file("scores.csv").write_text(f"run {i}\n")
            stage.commit(partial(record, stage, "grade", {"key": str(i)}, ["scores.csv"]))
    return tmp_path / "ledger"


def test_entries_are_chained_and_keep_every_output(folder: Path) -> None:
    entries = read_entries(folder)
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert entries[0].previous is None
    assert len({entry.previous for entry in entries}) == 3
    kept = [(folder / "objects" / entry.outputs["scores.csv"]).read_text() for entry in entries]
    assert kept == ["run 0\n", "run 1\n", "run 2\n"]
    assert inspect(folder).findings == ()


def edit_entry(folder: Path) -> None:
    path = folder / "000002.json"
    path.write_text(path.read_text().replace('"key":"1"', '"key":"9"'))


def remove_entry(folder: Path) -> None:
    (folder / "000002.json").unlink()


def edit_output(folder: Path) -> None:
    digest = read_entries(folder)[0].outputs["scores.csv"]
    (folder / "objects" / digest).write_text("run 7\n")


def remove_output(folder: Path) -> None:
    digest = read_entries(folder)[0].outputs["scores.csv"]
    (folder / "objects" / digest).unlink()


@pytest.mark.parametrize(
    ("tamper", "entry", "what"),
    [
        (edit_entry, "000003.json", "does not follow the entry before it"),
        (remove_entry, "000003.json", "expected 2"),
        (edit_output, "000001.json", "was changed"),
        (remove_output, "000001.json", "is gone"),
    ],
)
def test_no_alteration_goes_unseen(folder: Path, tamper: Callable[[Path], None], entry: str, what: str) -> None:
    tamper(folder)
    assert any(finding.entry == entry and what in finding.what for finding in inspect(folder).findings)


def test_what_is_no_ledger_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no ledger"):
        read_entries(tmp_path / "elsewhere")
    (folder / "000002.json").write_text("{")
    with pytest.raises(InputError, match="is not an entry"):
        read_entries(folder)


def test_every_run_leaves_an_entry_and_a_later_edit_of_the_scores_is_found(
    run: Command, report: Path, tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    from grader.cli import app

    out = tmp_path / "out"
    for rule in ("net-correct", "coverage"):
        assert run("grade", report, "--out", out, "--rule", rule).exit_code == 0
    verified = CliRunner().invoke(app, ["ledger", str(out), "--json"])
    assert verified.exit_code == 0, verified.output
    data = json.loads(verified.output)
    assert data["intact"]
    assert [entry["facts"]["rule"] for entry in data["entries"]] == ["net-correct", "coverage"]
    assert data["entries"][0]["facts"]["evidence"]
    scores = out / "scores.csv"
    scores.write_text(scores.read_text().replace("b00000001,", "b00000001,1"))
    broken = CliRunner().invoke(app, ["ledger", str(out)])
    assert broken.exit_code == 1
    assert "scores.csv: is not the file that was last recorded" in broken.output
