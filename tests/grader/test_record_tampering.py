"""The evidence of record shows what was done to it by hand: whatever reads it refuses it, and names every file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from basics.errors import InputError
from evaluators.entries import digests_of
from evaluators.evidence import Evidence, Site
from evaluators.gathering import gather
from evaluators.provenance import provenance
from evaluators.registry import get
from evaluators.store import Store
from grader.cli import app
from grader.quiz.loading import load_quiz
from grader.verdicts.record import Index, entry_name, inspect_record, read_records, write_record
from grader.verdicts.testimony import answer_key
from tests import hand_edits
from tests.hand_edits import (
    CONTENT,
    NO_EVIDENCE,
    REFORMATTED,
    TEXT,
    Content,
    Edit,
    drop,
    edit_content,
    edit_text,
    edit_with_digests,
    put,
)


def spun(throws: int, evaluator: str = "wheel", version: int = 1) -> Evidence:
    """Evidence of an evaluator that nobody installed."""
    return Evidence(
        evaluator=evaluator,
        version=version,
        parameters={"throws": throws},
        fingerprint=f"{throws:064x}",
        measurements=hand_edits.MEASUREMENTS,
        artefacts=(hand_edits.picture("blobs/bb/b.png", "2" * 64),),
        provenance=provenance(hand_edits.INPUTS, started=datetime.now(UTC), seconds=0.5),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A quiz folder with three pieces of evidence of record."""
    for throws in (2000, 3000, 4000):
        write_record(tmp_path, spun(throws))
    assert len(read_records(tmp_path)) == 3
    return tmp_path


@pytest.fixture
def entry(folder: Path) -> Path:
    """The entry that is edited."""
    return folder / "evidence" / f"{entry_name(spun(2000))}.json"


@pytest.fixture
def other(folder: Path) -> Path:
    """Another entry."""
    return folder / "evidence" / f"{entry_name(spun(3000))}.json"


def refused(folder: Path) -> dict[str, str]:
    """What is told when the record is read, by file; every problem comes with a remedy."""
    with pytest.raises(InputError) as raised:
        read_records(folder)
    assert all(problem.remedy for problem in raised.value.problems)
    told: dict[str, str] = {}
    for problem in raised.value.problems:
        told[problem.where] = f"{told.get(problem.where, '')}{problem.what}\n"
    return told


EDITS = [name for name in CONTENT if name != "demonstration to measured"]  # of record there is no demonstration


@pytest.mark.parametrize("name", EDITS)
def test_an_entry_whose_content_was_edited_is_refused_by_name(folder: Path, entry: Path, name: str) -> None:
    edit_content(entry, CONTENT[name])
    assert list(refused(folder)) == [f"evidence/{entry.name}"]


@pytest.mark.parametrize("name", TEXT)
def test_an_entry_whose_text_was_edited_is_refused_by_name(folder: Path, entry: Path, name: str) -> None:
    edit_text(entry, TEXT[name])
    assert list(refused(folder)) == [f"evidence/{entry.name}"]


@pytest.mark.parametrize("name", [name for name in EDITS if name not in NO_EVIDENCE and "digest" not in name])
def test_an_entry_whose_digests_were_worked_out_anew_is_refused_too(folder: Path, entry: Path, name: str) -> None:
    edit_with_digests(entry, CONTENT[name])
    assert list(refused(folder)) == [f"evidence/{entry.name}"]


def removed(entry: Path, _other: Path) -> None:
    entry.unlink()


def added(entry: Path, _other: Path) -> None:
    evidence = spun(9)
    (entry.parent / f"{entry_name(evidence)}.json").write_bytes(hand_edits.entry_text(evidence))


def doubled(entry: Path, _other: Path) -> None:
    shutil.copy(entry, entry.with_name("wheel-copy.json"))


def renamed(entry: Path, _other: Path) -> None:
    entry.rename(entry.with_name("wheel-00000000.json"))


def swapped(entry: Path, other: Path) -> None:
    one, two = entry.read_bytes(), other.read_bytes()
    entry.write_bytes(two)
    other.write_bytes(one)


def replaced(entry: Path, other: Path) -> None:
    shutil.copy(other, entry)


def a_folder(entry: Path, _other: Path) -> None:
    entry.unlink()
    entry.mkdir()


FOLDER: dict[str, tuple[Callable[[Path, Path], None], str, str]] = {
    "an entry removed": (removed, "index.json", "is not there"),
    "an entry added": (added, "wheel-", "is not in index.json"),
    "an entry doubled": (doubled, "wheel-copy.json", "another entry answers, too"),
    "an entry renamed": (renamed, "wheel-00000000.json", "expected wheel-"),
    "two entries swapped": (swapped, "wheel-", "expected wheel-"),
    "an entry replaced by another": (replaced, "wheel-", "another entry answers, too"),
    "a folder in place of an entry": (a_folder, "wheel-", "is a directory"),
}


@pytest.mark.parametrize("name", FOLDER)
def test_what_was_moved_about_in_the_folder_is_told(folder: Path, entry: Path, other: Path, name: str) -> None:
    act, file, what = FOLDER[name]
    act(entry, other)
    assert any(where.startswith(f"evidence/{file}") and what in told for where, told in refused(folder).items())


def entries(edit: Callable[[dict[str, Any], str, str], Any]) -> Callable[[Path, str, str], None]:
    """An edit of the index's lines, given the names of two of them."""
    return lambda path, one, two: edit_content(path, lambda content: edit(content["entries"], one, two))


def swap(lines: dict[str, Any], one: str, two: str) -> None:
    lines[one], lines[two] = lines[two], lines[one]


INDEX: dict[str, Callable[[Path, str, str], None]] = {
    "removed": lambda path, _one, _two: path.unlink(),
    "emptied": lambda path, _one, _two: path.write_text(""),
    "cut short": lambda path, _one, _two: edit_text(path, TEXT["cut short"]),
    "a line removed": entries(lambda lines, one, _two: lines.pop(one)),
    "every line removed": entries(lambda lines, _one, _two: lines.clear()),
    "a line added": entries(lambda lines, one, _two: lines.update({"wheel-00000000.json": lines[one]})),
    "a line renamed": entries(lambda lines, one, _two: lines.update({"wheel-00000000.json": lines.pop(one)})),
    "two lines swapped": entries(swap),
    "a content's digest": entries(lambda lines, one, _two: lines[one].update(content=hand_edits.SHA)),
    "a provenance's digest": entries(lambda lines, one, _two: lines[one].update(provenance=hand_edits.SHA)),
    "a digest that is none": entries(lambda lines, one, _two: lines[one].update(content="unknown")),
    "no digest": entries(lambda lines, one, _two: lines[one].clear()),
    "a line given twice": lambda path, one, _two: edit_text(path, lambda text: text.replace("{", f'{{"{one}": 1,', 2)),
    "no entries": lambda path, _one, _two: edit_content(path, drop("entries")),
    "another format": lambda path, _one, _two: edit_content(path, put("format", value=2)),
    "no format": lambda path, _one, _two: edit_content(path, drop("format")),
    "an unknown key": lambda path, _one, _two: edit_content(path, put("checked", value=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", INDEX)
def test_an_index_that_was_edited_is_refused(folder: Path, entry: Path, other: Path, name: str) -> None:
    INDEX[name](folder / "evidence" / "index.json", entry.name, other.name)
    assert {"evidence/index.json", f"evidence/{entry.name}"} & set(refused(folder))


@pytest.mark.parametrize("name", REFORMATTED)
@pytest.mark.parametrize("which", ["the entry", "the index", "everything"])
def test_a_reformatted_file_is_the_same_file(folder: Path, entry: Path, which: str, name: str) -> None:
    before = read_records(folder)
    index = entry.with_name("index.json")
    files = {"the entry": [entry], "the index": [index], "everything": [*entry.parent.iterdir()]}[which]
    for file in files:
        file.write_bytes(REFORMATTED[name](file.read_text(encoding="utf-8")))
    assert read_records(folder) == before


def test_everything_that_is_wrong_is_told_at_once(folder: Path, entry: Path, other: Path) -> None:
    edit_content(entry, CONTENT["a value"])
    edit_text(other, TEXT["cut short"])
    added(entry, other)
    (folder / "evidence" / f"{entry_name(spun(4000))}.json").unlink()
    assert len(refused(folder)) == 4


def test_a_record_that_was_edited_is_not_written_over(folder: Path, entry: Path) -> None:
    edit_content(entry, CONTENT["a value"])
    before = {path.name: path.read_bytes() for path in entry.parent.iterdir()}
    with pytest.raises(InputError, match=entry.name):
        write_record(folder, spun(5000))
    assert {path.name: path.read_bytes() for path in entry.parent.iterdir()} == before


def test_taking_an_entry_and_its_line_out_leaves_a_sound_record(folder: Path, entry: Path) -> None:
    """What the remedy says is a way out."""
    edit_content(entry, CONTENT["a value"])
    edit_content(entry.with_name("index.json"), drop("entries", entry.name))
    entry.unlink()
    assert len(read_records(folder)) == 2
    write_record(folder, spun(2000))
    assert len(read_records(folder)) == 3


def test_a_quiz_without_evidence_of_record_has_a_sound_record(tmp_path: Path) -> None:
    assert read_records(tmp_path) == []
    (tmp_path / "evidence").mkdir()
    assert inspect_record(tmp_path).problems == ()


# What an evaluator cannot have given, whatever the digests say


@pytest.fixture
def dice(foreign_quiz: Path) -> Path:
    """The entry of dice in the foreign quiz, whose evaluator is installed."""
    return write_record(foreign_quiz, gather(get("dice"), get("dice").Parameters(), Site(), None).evidence)


def edit_record(entry: Path, edit: Edit) -> Path:
    """Edit an entry with its digests, its name and the index, so that all of them fit."""
    evidence = edit_with_digests(entry, edit)
    named = entry.rename(entry.with_name(f"{entry_name(evidence)}.json"))
    index = Index(format=1, entries={named.name: digests_of(evidence)})
    named.with_name("index.json").write_bytes(index.text())
    return named


def mean(**values: Any) -> Edit:
    def edit(content: Content) -> None:
        one = hand_edits.measurement(content, "dice.mean")
        one.pop("interval")
        one.update(values)

    return edit


IMPOSSIBLE: dict[str, tuple[Edit, str]] = {
    "above its bounds": (mean(value=6.5), r"dice\.mean is 6\.5, announced within \[1, 6\]"),
    "below its bounds": (mean(value=0.5), r"dice\.mean is 0\.5, announced within \[1, 6\]"),
    "a text for a number": (mean(value="3.5"), r"announced as a number"),
    "a truth value for a number": (mean(value=True), r"announced as a number"),
    "a number for a text": (hand_edits.of("dice.colour", value=3, undefined=None), r"announced as a text"),
    "an unknown name": (mean(name="dice.median"), r"dice\.median was not announced"),
    "a name of another request": (hand_edits.grown(hand_edits.NEW), r"dice\.weight was not announced"),
    "an impossible parameter": (put("parameters", "sides", value="six"), r"parameters are none that dice takes"),
    "an unknown parameter": (put("parameters", "weight", value=3), r"parameters are none that dice takes"),
    "a demonstration": (mean(source="demonstration"), r"is demonstration evidence, never of record"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_its_evaluator_cannot_have_given_is_refused(dice: Path, name: str) -> None:
    edit, what = IMPOSSIBLE[name]
    edited = edit_record(dice, edit)
    with pytest.raises(InputError, match=rf"evidence/{edited.name}: .*{what}"):
        read_records(dice.parents[1])


def test_a_value_outside_its_own_interval_is_refused(dice: Path) -> None:
    edit_content(dice, hand_edits.of("dice.mean", value=5.9))
    with pytest.raises(InputError, match=r"is not evidence: .*5\.9 lies outside its own interval"):
        read_records(dice.parents[1])


@pytest.mark.parametrize("key", ["version", "evaluator"])
def test_of_other_versions_and_of_evaluators_that_are_not_here_what_was_announced_holds(dice: Path, key: str) -> None:
    other = put(key, value={"version": 2, "evaluator": "roulette"}[key])
    edited = edit_record(dice, hand_edits.each(mean(name="ball.mean", value=36.5), other))
    with pytest.raises(InputError, match=rf"{edited.name}: ball.mean was not announced"):
        read_records(dice.parents[1])


@pytest.mark.parametrize("key", ["version", "evaluator"])
def test_of_what_is_not_here_and_says_nothing_of_it_only_the_digests_are_checked(dice: Path, key: str) -> None:
    """An entry from before announcements were kept."""
    other = put(key, value={"version": 2, "evaluator": "roulette"}[key])
    edit_record(dice, hand_edits.each(mean(name="ball.mean", value=36.5), other, hand_edits.drop("announced")))
    assert read_records(dice.parents[1])[0].measurements[0].value == 36.5


def test_keys_of_parameters_may_stand_in_any_order(repository: Path, tmp_path: Path) -> None:
    """Some evaluators name what they measure in the order in which they were asked."""
    shutil.copytree(repository / "questions" / "evidence", tmp_path / "evidence")
    for path in (tmp_path / "evidence").iterdir():
        path.write_bytes(REFORMATTED["keys in order"](path.read_text(encoding="utf-8")))
    assert len(read_records(tmp_path)) == len(list((tmp_path / "evidence").glob("*-*.json"))) > 0


# Whoever reads the record


def test_the_key_changes_with_the_evidence_even_where_its_digests_fit(dice: Path) -> None:
    book = load_quiz(dice.parents[1])
    before = answer_key(book)
    edited = edit_record(dice, hand_edits.of("dice.mean", n=2001))
    after = answer_key(book)
    assert [q.correct for q in after.questions] == [q.correct for q in before.questions]
    assert after.digest != before.digest
    assert after.evidence == {edited.stem: digests_of(read_records(book.folder)[0]).content} != before.evidence


def test_the_key_is_the_same_whoever_measured_and_when(foreign_quiz: Path) -> None:
    book = load_quiz(foreign_quiz)
    measured = answer_key(book, mode="refresh")
    assert answer_key(book, mode="refresh") == measured
    write_record(foreign_quiz, gather(get("dice"), get("dice").Parameters(), Site(), None).evidence)
    assert answer_key(book) == measured


def test_evidence_that_only_corroborates_is_no_part_of_the_key(dice: Path) -> None:
    """What else lies in somebody's store does not change the key that the record gives."""
    book = load_quiz(dice.parents[1])
    of_record = answer_key(book)
    edit_record(dice, put("fingerprint", value="a" * 64))
    alone = answer_key(book)
    gather(get("dice"), get("dice").Parameters(), Site(), Store())
    assert answer_key(book) == alone
    assert alone.digest != of_record.digest


CLASS = "student_id,fair,sides\ns1,A C,B\n"
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("key",),
    ("key", "--evidence=cached"),
    ("key", "--evidence=refresh"),
    ("why", "fair", "A"),
    ("evidence",),
    ("evidence", "--record"),
    ("check", "answers.yaml"),
    ("grade", "class.csv", "--out", "out"),
    ("items", "class.csv"),
    ("sensitivity", "class.csv"),
    ("report", "--out", "report.html"),
    ("export", "qti", "--out", "quiz.zip"),
    ("export", "moodle", "--out", "quiz.xml"),
    ("export", "student", "--out", "edition", "--opening", "secret.json"),
    ("doctor",),
)


@pytest.mark.parametrize("command", [*COMMANDS, ("validate",), ("record", "verify"), ("record", "sign")], ids=" ".join)
def test_every_command_refuses_a_record_that_was_edited(
    dice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("answers.yaml").write_text("answers:\n  fair: [A, C]\n  sides: [B]\n")
    Path("class.csv").write_text(CLASS)
    Path("key").write_text("")
    edit_content(dice, hand_edits.of("dice.sides", value=5))
    quiz = str(dice.parents[1])
    where = [quiz] if command[0] in ("validate", "record") else ["--quiz", quiz]
    more = ["--key", "key"] if command == ("record", "sign") else []
    done = CliRunner().invoke(app, [*command, *where, *more])
    assert done.exit_code == 2, done.output
    assert f"evidence/{dice.name}: was changed" in done.stderr
    assert "-> restore it from version control" in done.stderr
    written = {path.name for path in tmp_path.iterdir()} - {"quiz", "store", "answers.yaml", "class.csv", "key"}
    assert written == set()


@pytest.mark.parametrize(
    ("edit", "code", "told"),
    [
        (hand_edits.of("dice.mean", n=2001), 0, "the evidence is other than it was; what is correct is not"),
        (hand_edits.of("dice.sides", value=4), 2, "was graded with another key than the evidence now gives"),
    ],
    ids=["the same answers", "other answers"],
)
def test_a_graded_class_is_looked_at_again_beside_evidence_that_says_the_same(
    dice: Path, tmp_path: Path, edit: Edit, code: int, told: str
) -> None:
    quiz, out = dice.parents[1], tmp_path / "graded"
    (tmp_path / "class.csv").write_text(CLASS)
    for arguments in (["grade", str(tmp_path / "class.csv"), "--out", str(out)], ["items", str(out)]):
        done = CliRunner().invoke(app, [*arguments, "--quiz", str(quiz)])
        assert (done.exit_code, done.stderr) == (0, ""), done.output
    edit_record(dice, edit)
    done = CliRunner().invoke(app, ["items", str(out), "--quiz", str(quiz)])
    assert done.exit_code == code, done.output
    assert told in done.stderr


def test_validate_tells_of_questions_and_evidence_at_once(earwitness: Any, dice: Path) -> None:
    edit_content(dice, hand_edits.of("dice.sides", value=5))
    (dice.parents[1] / "fair.yaml").write_text("id: fair\npoints: two\n")
    done = earwitness("validate", dice.parents[1])
    assert done.returncode == 2
    assert "fair.yaml:2: points" in done.stderr
    assert f"evidence/{dice.name}: was changed" in done.stderr


def test_key_lists_the_digests_of_the_evidence(earwitness: Any, dice: Path) -> None:
    done = earwitness("key", "--json", "--quiz", dice.parents[1])
    assert done.returncode == 0, done.stderr
    index = json.loads(dice.with_name("index.json").read_text())
    assert json.loads(done.stdout)["evidence"] == {dice.stem: index["entries"][dice.name]["content"]}
