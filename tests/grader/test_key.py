"""The key: when a question is settled, what an override does, what the digest depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from basics.errors import InputError
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook
from grader.verdicts.decisions import read_decisions
from grader.verdicts.testimony import answer_key


@pytest.fixture
def book(foreign_quiz: Path) -> QuizBook:
    return load_quiz(foreign_quiz)


def test_the_digest_ignores_the_order_of_options_and_notices_another_key(book: QuizBook) -> None:
    before = answer_key(book, mode="auto").digest
    sides = book.folder / "sides.yaml"
    text = sides.read_text()
    first, second = text.index("  A:"), text.index("  B:")
    third = text.index("  C:")
    swapped = (
        text[:first] + text[second:third].replace("B:", "A:") + text[first:second].replace("A:", "B:") + text[third:]
    )
    sides.write_text(swapped)
    again = answer_key(load_quiz(book.folder), mode="auto")
    assert again.question("sides").correct == ("A",)
    assert again.digest == before
    sides.write_text(
        text.replace("equals: [dice.sides, 6]", "equals: [dice.sides, 5.5]").replace("sides, 7", "sides, 5.9")
    )
    assert answer_key(load_quiz(book.folder), mode="auto").digest != before


def test_an_override_settles_a_question_and_keeps_its_reason(book: QuizBook, tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    path.write_text("overrides:\n  - {question: fair, correct: [A], reason: The lecture rounded}\n")
    key = answer_key(book, decisions=read_decisions(path, book))
    assert key.question("fair").correct == ("A",)
    assert key.question("fair").override
    assert key.question("fair").override.reason == "The lecture rounded"  # type: ignore[union-attr]
    assert not key.question("sides").settled


def test_all_faults_of_an_override_file_at_once(book: QuizBook, tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    path.write_text(
        "overrides:\n"
        "  - {question: fare, correct: [A], reason: long enough}\n"
        "  - {question: fair, correct: [Z], reason: long enough}\n"
        "  - {question: sides, correct: [], reason: long enough}\n"
    )
    with pytest.raises(InputError) as caught:
        read_decisions(path, book)
    text = str(caught.value)
    assert "overrides.yaml:2: fare is not in the quiz" in text
    assert "did you mean fair?" in text
    assert "overrides.yaml:3: fair has no option Z" in text
    assert "overrides.yaml:4: sides is choose-one" in text


def test_an_undecided_option_of_choose_many_unsettles_the_question(book: QuizBook) -> None:
    fair = book.folder / "fair.yaml"
    fair.write_text(fair.read_text().replace("{at_least: [dice.mean, 4.0]}", "{equals: [dice.colour, red]}"))
    key = answer_key(load_quiz(book.folder), mode="auto").question("fair")
    assert key.correct is None
    assert key.obstacles == ("B: dice.colour is undefined: nobody looked",)


def test_choose_one_with_nothing_supported_is_not_settled(book: QuizBook) -> None:
    sides = book.folder / "sides.yaml"
    more = sides.read_text().replace("evaluator: dice", "evaluator: dice\n    sides: 8")
    sides.write_text(more.replace("sides, 7", "sides, 9"))
    key = answer_key(load_quiz(book.folder), mode="auto").question("sides")
    assert key.obstacles == ("choose is one, but 0 options are supported",)
