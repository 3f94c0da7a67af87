"""The record of grading runs: what it holds, and that no alteration goes unseen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from basics.errors import InputError
from basics.files import sha256_of
from basics.folders import staging
from evaluators.evidence import canonical_json
from grader.cli import app
from grader.marking.ledger import inspect, read_entries, record
from grader.quiz.loading import load_quiz
from tests.grader.classroom import Command, Report, random_class


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


def everything_gone(out: Path) -> None:
    shutil.rmtree(out / "ledger")


def tail_cut(out: Path) -> None:
    (out / "ledger/000002.json").unlink()
    shutil.rmtree(out / "appeals")


def tail_written_anew(out: Path) -> None:
    path = out / "ledger/000002.json"
    path.write_text(path.read_text().replace('"action":"appeal"', '"action":"appeals"'))


def chain_written_anew(out: Path) -> None:
    """As somebody who knows how would: the result, its object, and an entry that says so."""
    result = out / "result.json"
    result.write_text(result.read_text().replace('"Class A"', '"Class B"'))
    digest, first = sha256_of(result), out / "ledger/000001.json"
    shutil.copy(result, out / "ledger/objects" / digest)
    entry = json.loads(first.read_text())
    entry["outputs"]["result.json"] = digest
    first.write_text(canonical_json(entry) + "\n")
    second = out / "ledger/000002.json"
    later = json.loads(second.read_text()) | {"previous": sha256_of(first)}
    second.write_text(canonical_json(later) + "\n")


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "the tail is cut off": (tail_cut, "000002.json: is gone"),
    "the last entry is written anew": (tail_written_anew, "000002.json: was changed"),
    "the whole chain is written anew": (chain_written_anew, "000002.json: was changed"),
    "an entry is no entry": (lambda out: (out / "ledger/000001.json").write_text("{}"), "is not an entry"),
    "scores are gone": (lambda out: (out / "scores.csv").unlink(), "scores.csv: is gone"),
    "feedback is changed": (
        lambda out: next((out / "feedback/en").iterdir()).write_text("10.00"),
        "feedback: does not",
    ),
    "feedback is gone": (lambda out: shutil.rmtree(out / "feedback"), "feedback: is gone"),
    "feedback is added": (lambda out: (out / "feedback/en/x.html").write_text("x"), "feedback: does not hold"),
    "an appeal is changed": (lambda out: next((out / "appeals").glob("*.json")).write_text("{}"), "is not the file"),
    "an appeal is added": (lambda out: (out / "appeals/q01-A-x.yaml").write_text("reason: x"), "was never recorded"),
}


@pytest.fixture(scope="module")
def appealed(quiz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with one appeal, to be copied over itself."""
    out = tmp_path_factory.mktemp("appealed") / "out"
    report = Report().write(out.parent / "report.csv", load_quiz(quiz), random_class(load_quiz(quiz), 4))
    for arguments in (
        ("grade", report, "--out", out),
        ("appeal", "q01", "C", "--student", "b00000001", "--result", out),
    ):
        done = CliRunner().invoke(app, [*map(str, arguments), "--quiz", str(quiz)])
        assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize("name", TAMPERED)
def test_whatever_was_done_to_a_run_is_found(name: str, appealed: Path, tmp_path: Path) -> None:
    tamper, told = TAMPERED[name]
    shutil.copytree(appealed, tmp_path / "kept")
    try:
        assert CliRunner().invoke(app, ["ledger", str(appealed)]).exit_code == 0
        tamper(appealed)
        done = CliRunner().invoke(app, ["ledger", str(appealed)])
        assert done.exit_code == 1, done.output
        assert told in done.output
        assert "NOT intact" in done.output
    finally:
        shutil.rmtree(appealed)
        shutil.copytree(tmp_path / "kept", appealed)


def test_a_run_whose_ledger_is_gone_is_not_used_and_not_added_to(run: Command, appealed: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out", appealed.parent / "report.csv"
    assert run("grade", report, "--out", out).exit_code == 0
    everything_gone(out)
    assert "is gone" in run("items", out).output
    assert run("grade", report, "--out", out).exit_code == 2
    shutil.rmtree(out)
    assert run("grade", report, "--out", out).exit_code == 0, "begun anew"


def test_a_result_that_was_changed_is_used_by_no_command(run: Command, appealed: Path, tmp_path: Path) -> None:
    """Also where it is sound in itself."""
    out = Path(shutil.copytree(appealed, tmp_path / "out"))
    result = out / "result.json"
    result.write_text(result.read_text().replace('"section":"Class A"', '"section":"Class C"'))
    gradescope = ("export", "gradescope", out, "--out", tmp_path / "scope")
    anew = ("grade", appealed.parent / "report.csv", "--override", out)
    for arguments in (("items", out), ("regrade", out, out), gradescope, anew):
        done = run(*arguments)
        assert done.exit_code == 2, arguments
        assert "is not the file that was last recorded" in done.output
    result.rename(out / "other.json")
    assert "ever recorded" in run("items", out / "other.json").output


def test_where_a_ledger_ends_is_told(appealed: Path) -> None:
    last = sha256_of(appealed / "ledger/000002.json")
    assert f"last entry: sha256 {last}" in CliRunner().invoke(app, ["ledger", str(appealed)]).output
    data = json.loads(CliRunner().invoke(app, ["ledger", str(appealed), "--json"]).output)
    assert data["last"] == last
    assert data["anchored"] == 2


def test_entries_that_somebody_else_wrote_are_told(
    run: Command, appealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are no finding: a class may be graded by several people. But who forges one is seen by the others."""
    shutil.copytree(appealed, tmp_path / "kept")
    try:
        with monkeypatch.context() as patch:
            patch.setenv("EARWITNESS_STATE", str(tmp_path / "state of another user"))
            wanted = ("appeal", "q02", "A", "--student", "b00000002", "--result", appealed)
            assert run(*wanted).exit_code == 0
        done = CliRunner().invoke(app, ["ledger", str(appealed)])
        assert done.exit_code == 0
        assert "written elsewhere, or by somebody else: 3" in done.output
    finally:
        shutil.rmtree(appealed)
        shutil.copytree(tmp_path / "kept", appealed)
