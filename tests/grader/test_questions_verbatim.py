"""The built-in quiz says what the slides say, and compares words that its facts can take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from basics.yaml_source import read, validate
from evaluators.literature.tables import FOLDER, SYSTEMS
from grader.quiz.claims import Equals, comparisons
from grader.quiz.spec import Question, Quiz

POINTS = {"q06": 0.5, "q07": 0.5, "q08": 0.5, "q09": 0.5}
OPTIONS = {"q06": 4, "q07": 4}


@pytest.fixture(scope="module")
def questions(repository: Path) -> dict[str, Question]:
    folder = repository / "questions"
    quiz = validate(Quiz, read(folder / "quiz.yaml"))
    return {q.id: q for name in quiz.questions for q in [validate(Question, read(folder / name))]}


@pytest.fixture(scope="module")
def slides(shared: Path) -> dict[str, str]:
    """The appendix's part about each question, with the damage of extraction repaired."""
    (seed,) = sorted((shared / "seeds").glob("*.txt"))
    text = seed.read_text(encoding="utf-8").replace("\\_", "_")
    appendix = text[text.index("# Appendix. (Task questions with its options)") :]
    parts = re.split(r"^\((\d+)\)$", appendix, flags=re.MULTILINE)[1:]
    return {f"q{int(number):02}": part for number, part in zip(parts[::2], parts[1::2], strict=True)}


def words(text: str) -> str:
    """Text without the slides' links, its white space evened out."""
    return " ".join(re.sub(r",?\s*\[[^\]]*\]\(#\)", "", text).split())


def test_twelve_questions_with_58_options_in_order(questions: dict[str, Question]) -> None:
    assert list(questions) == [f"q{number:02}" for number in range(1, 13)]
    assert {name: len(q.options) for name, q in questions.items()} == {name: OPTIONS.get(name, 5) for name in questions}
    assert {name: q.points for name, q in questions.items()} == {name: POINTS.get(name, 1.0) for name in questions}
    assert [name for name, q in questions.items() if q.choose == "one"] == ["q06", "q07"]
    assert all(q.choose_note for q in questions.values())
    assert "inferred" in questions["q09"].points_note


def test_prompts_and_options_are_the_slides_own_words(questions: dict[str, Question], slides: dict[str, str]) -> None:
    for name, question in questions.items():
        stem, *bullets = re.split(r"^- ", slides[name].split("\n#")[0], flags=re.MULTILINE)
        assert words(question.prompt) == words(stem), name
        assert [words(option.text) for option in question.options.values()] == [words(b) for b in bullets], name


def test_claims_compare_words_that_the_facts_can_take(questions: dict[str, Question]) -> None:
    """A misspelt word would quietly refute an option."""
    vocabulary = {name: entry.get("one_of") for name, entry in read(FOLDER / SYSTEMS).data.items()}
    compared = [c for q in questions.values() for o in q.options.values() for c in comparisons(o.claim)]
    texts = [c.equals for c in compared if isinstance(c, Equals) and isinstance(c.equals[1], str)]
    assert len(texts) > 40
    assert [(name, word) for name, word in texts if word not in vocabulary[name.partition(".")[2]]] == []
