"""`earwitness new class`: starters that are valid as they are, or once the TA has written the course's values in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.quiz.spec import QuizBook
from grader.review.regrade import read_changes
from grader.submissions.class_file import read_class_file
from grader.verdicts.decisions import read_decisions
from tests.grader.classroom import Command

EXAMPLE = re.compile(r"^#(?=\S|  )", flags=re.M)


@pytest.fixture
def starters(run: Command, tmp_path: Path) -> Path:
    folder = tmp_path / "the day"
    ended = run("new", "class", "--out", folder)
    assert ended.exit_code == 0, ended.output
    assert {path.name for path in folder.iterdir()} == {"class.yaml", "override.yaml", "changes.yaml"}
    return folder


def fill_in(path: Path) -> Path:
    """Take the # from every example."""
    path.write_text(EXAMPLE.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def test_the_class_file_works_as_it_is(run: Command, starters: Path, report: Path) -> None:
    ended = run("grade", report, "--class", starters / "class.yaml", "--out", starters / "out")
    assert ended.exit_code == 0, ended.output


@pytest.mark.parametrize(("name", "what"), [("override.yaml", "decides nothing"), ("changes.yaml", "changes nothing")])
def test_the_other_two_say_that_they_are_empty(
    run: Command, starters: Path, report: Path, name: str, what: str
) -> None:
    assert run("grade", report, "--out", starters / "out").exit_code == 0
    file = starters / name
    ended = run("key", "--override", file) if name == "override.yaml" else run("regrade", starters / "out", file)
    assert ended.exit_code == 2
    assert what in ended.stderr
    assert ended.stderr.count("earwitness: ") == 1


def test_every_example_is_valid_once_it_is_taken_out_of_its_comment(starters: Path, class_book: QuizBook) -> None:
    class_file = read_class_file(fill_in(starters / "class.yaml"), class_book)
    assert class_file.roster == str(starters / "roster.csv")
    assert class_file.extensions[0].until > class_book.quiz.deadline
    assert class_file.no_submission == "zero"
    assert class_file.model_fields_set == type(class_file).model_fields.keys(), "there is an example for every key"
    decisions = read_decisions(fill_in(starters / "override.yaml"), class_book)
    assert {decision.by for decision in decisions} == {"the teaching staff"}
    changes = read_changes(fill_in(starters / "changes.yaml"), class_book)
    assert changes.overrides
    assert changes.rulings
    assert changes.lift_hold_harmless
    assert changes.rule == class_book.quiz.credit_rule


def test_a_starter_says_which_command_it_is_for(starters: Path, class_book: QuizBook) -> None:
    named = re.findall(r"^# For: (earwitness .*)$", (starters / "class.yaml").read_text(encoding="utf-8"), flags=re.M)
    assert named == [
        f"earwitness grade SUBMISSIONS.csv --class '{starters}/class.yaml' --out graded --quiz {class_book.folder}"
    ]


def test_nothing_is_written_over(run: Command, starters: Path) -> None:
    (starters / "override.yaml").write_text("mine", encoding="utf-8")
    (starters / "changes.yaml").unlink()
    ended = run("new", "class", "--out", starters)
    assert ended.exit_code == 2
    assert ended.stderr.count("is there already") == 2
    assert (starters / "override.yaml").read_text(encoding="utf-8") == "mine"
    assert not (starters / "changes.yaml").exists(), "all or nothing"
