"""Reading a quiz: another course's quiz loads, and whatever is wrong with it is said at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from basics.errors import InputError
from grader.quiz.loading import load_quiz

CLAIM = "claim: {at_least: [dice.mean, 3.0]}"


def spoil(quiz: Path, file: str, *changes: tuple[str, str]) -> str:
    """Replace text in a file of the quiz and return what loading it says."""
    path = quiz / file
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_quiz(quiz)
    return str(caught.value)


def test_another_courses_quiz_with_its_own_evaluator_loads(foreign_quiz: Path) -> None:
    book = load_quiz(foreign_quiz)
    assert [question.id for question in book.questions] == ["fair", "sides"]
    assert str(book.quiz.local(book.quiz.deadline)) == "2026-03-01 12:00:00+01:00"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "fair.yaml",
            "dice.mean, 3.0",
            "dice.maen, 3.0",
            r"fair.yaml:11: .*'dice.maen'.*\n.*did you mean dice.mean",
        ),
        (
            "fair.yaml",
            "evaluator: dice",
            "evaluator: dices",
            r"fair.yaml:7: .*'dices' is not known\n.*did you mean dice",
        ),
        (
            "fair.yaml",
            "evaluator: dice",
            "evaluator: dice\n    side: 6",
            r"fair.yaml:8: .*side is not .*\n.*mean sides",
        ),
        (
            "fair.yaml",
            "evaluator: dice",
            "evaluator: dice\n    colour: red",
            r"colour is not .*\n.*known: as, evaluator, fallback, isolate, needs, sides, throws, timeout",
        ),
        ("fair.yaml", "evaluator: dice", "evaluator: dice\n    timout: 9", r"timout is not .*\n.*mean timeout"),
        ("fair.yaml", "evaluator: dice", "pyton: a.py:f", r"fair.yaml:7: evidence.0: .*pyton: did you mean python"),
        ("fair.yaml", "text: It is above four", "txt: It is above four", r"^fair.yaml:\d+: .*txt is.*\n.*mean text\?$"),
        ("fair.yaml", "text: It is above four", "text: 42", r'text: .*got \'42\'\n.*quote it, .*: "42"$'),
        ("fair.yaml", "text: It is above four", "text: true", r'quote it, .*: "true"$'),
        ("fair.yaml", "points: 2", 'points: "2"', r"fair.yaml:\d+: points: .*\n.*leave out the quotes"),
        ("fair.yaml", CLAIM, f"{CLAIM[:-1]}, marjin: 1}}", r"marjin is not .*\n.*did you mean margin"),
        (
            "fair.yaml",
            CLAIM,
            "claim: {not: {at_leest: [dice.mean, 3]}}",
            r"claim.not: .*\n.*at_leest: did you mean at_least",
        ),
        ("fair.yaml", CLAIM, "claim: {greater: [dice.mean, 3]}", r"`above: \[dice.mean, 3\]`, or `at_least`"),
        ("fair.yaml", CLAIM, "claim: {lowest_of: [dice.mean, 3]}", r"`below: \[dice.mean, 3\]`, or `at_most`"),
        ("fair.yaml", CLAIM, "claim: {at_most: [dice.mean, dice.sides]}", r"`less: \[dice.mean, dice.sides\]`"),
        ("fair.yaml", CLAIM, "claim: {above: [3, dice.mean]}", r"measurement first: `above: \[dice.mean, 3\]`"),
        ("quiz.yaml", "deadline:", "dead_line:", r"^quiz.yaml:\d+: dead_line is.*\n.*did you mean deadline\?$"),
        ("fair.yaml", "evaluator: dice", "evaluator: dice\n    sides: six", r"fair.yaml:8: .*sides: .*valid integer"),
        ("fair.yaml", "dice.mean, 3.0", "dice.colour, 3.0", "dice.colour is a text, and is compared as a number"),
        ("fair.yaml", "dice.mean, 3.0", "dice.mean, 0.5", "supported whatever the evidence says"),
        ("fair.yaml", "dice.mean, 3.0", "dice.mean, 7", "refuted whatever the evidence says"),
        ("fair.yaml", "[dice.mean, 3.0]", "[dice.mean, 3.0], margin: 4", "can never be decided"),
        ("fair.yaml", "It is above four", "It is above three,  and “more” than two", "same text as another option"),
        ("fair.yaml", "points: 2", "points: 1.5", "questions' points sum to 2.5"),
        ("fair.yaml", "id: fair", "id: sides", "two questions are called sides"),
        (
            "fair.yaml",
            "claim: {at_least: [dice.mean, 3.0]}",
            "claim: {at_leest: [dice.mean, 3.0]}",
            "exactly one operator",
        ),
        ("fair.yaml", "choose: many", "choose: some", r"fair.yaml:4: choose: .*'one' or 'many'"),
        (
            "sides.yaml",
            "equals: [dice.sides, 6]",
            "at_least: [dice.sides, 6]",
            "the claims of B and C can both be supported",
        ),
        ("quiz.yaml", "sides.yaml", "slides.yaml", r"quiz.yaml:7: names slides.yaml, which is not there"),
        ("quiz.yaml", "Europe/Berlin", "Europe/Berlyn", "not an IANA zone"),
        ("quiz.yaml", "T12:00:00+01:00", "T12:00:00", "timezone"),
    ],
)
def test_one_fault_gets_one_message(foreign_quiz: Path, file: str, old: str, new: str, message: str) -> None:
    assert re.search(message, spoil(foreign_quiz, file, (old, new)))


def test_faults_of_all_files_are_told_together(foreign_quiz: Path) -> None:
    fair = foreign_quiz / "fair.yaml"
    text = fair.read_text().replace("dice.mean, 3.0", "dice.maen, 3.0").replace("dice.mean, 4.0", "dice.mean, 99")
    fair.write_text(text)
    text = spoil(foreign_quiz, "sides.yaml", ("evaluator: dice", "evaluator: dyce"))
    assert "dice.maen" in text
    assert "99" in text
    assert "dyce" in text


def test_a_folder_without_a_quiz(tmp_path: Path) -> None:
    from grader.quiz.loading import find_quiz

    with pytest.raises(InputError, match=r"holds no quiz\.yaml"):
        find_quiz(tmp_path)
