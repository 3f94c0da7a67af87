"""The quiz that ships: sound, current, and settled as far as evidence reaches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evaluators.store import Store
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook, stale
from grader.verdicts.judge import every_comparison, measured_by
from grader.verdicts.key import AnswerKey
from grader.verdicts.record import read_records
from grader.verdicts.testimony import Gatherer, key_from
from tools.claims_review import review

SETTLED = ["q01", "q03", "q04", "q09", "q10", "q11", "q12"]
"""What papers, released code and published audio settle; the others need clips, answers, listeners or TWIST's paper."""


@pytest.fixture(scope="module")
def book(repository: Path) -> QuizBook:
    return load_quiz(repository / "questions")


@pytest.fixture(scope="module")
def key(book: QuizBook, tmp_path_factory: pytest.TempPathFactory) -> AnswerKey:
    """The key from evidence of record and papers alone: nothing in the store, nothing measured."""
    gatherer = Gatherer(book, book.quiz.accept, book.site, Store(tmp_path_factory.mktemp("empty")), "cached")
    return key_from(book, [gatherer.testimony(question) for question in book.questions], book.quiz.accept)


def test_twelve_questions_with_58_options_and_10_points(book: QuizBook) -> None:
    assert [question.id for question in book.questions] == [f"q{i:02d}" for i in range(1, 13)]
    assert sum(len(question.options) for question in book.questions) == 58
    assert sum(question.points for question in book.questions) == 10


def test_the_schemas_are_current_and_named_on_line_1(repository: Path) -> None:
    folder = repository / "questions"
    assert stale(folder / "schema") == []
    for path in folder.glob("q*.yaml"):
        kind = "quiz" if path.name == "quiz.yaml" else "question"
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema=schema/{kind}.schema.json", path.name


@pytest.mark.parametrize("name", SETTLED)
def test_what_can_be_settled_offline_is(key: AnswerKey, name: str) -> None:
    question = key.question(name)
    assert question.settled, question.obstacles
    assert not question.demonstration
    sources = {source for verdict in question.verdicts.values() for source in verdict.sources}
    assert sources <= {"executed", "published", "published_audio"}


def test_what_is_unsettled_says_what_is_missing(key: AnswerKey) -> None:
    for question in key.unsettled:
        assert question.obstacles
        assert all(len(obstacle) > 20 for obstacle in question.obstacles)


def test_no_more_than_that_is_settled(key: AnswerKey) -> None:
    assert [question.id for question in key.questions if question.settled] == SETTLED


def test_recalled_facts_count_only_where_they_are_accepted_and_are_marked_then(
    book: QuizBook, key: AnswerKey, tmp_path: Path
) -> None:
    """TWIST's body could not be looked up; nothing else in the quiz rests on memory."""
    assert [question.id for question in key.questions if question.recalled] == []
    assert not key.question("q08").settled
    accept = (*book.quiz.accept, "recalled")
    gatherer = Gatherer(book, accept, book.site, Store(tmp_path), "cached")
    q08 = key_from(book, [gatherer.testimony(question) for question in book.questions], accept).question("q08")
    assert set(q08.recalled) == {"A", "B", "E"}


def test_every_option_is_asked_about_contrary_evidence_or_none_is_known(key: AnswerKey) -> None:
    """What stands against a verdict is answered in words, and names where it is from."""
    beside = [one for verdict in key.verdicts for one in verdict.beside]
    assert sum(one.stands and one.side != "for" for one in beside) >= 10
    assert all(len(one.answer) > 40 for one in beside)


def test_the_review_of_claims_says_what_the_evidence_says(repository: Path) -> None:
    page = (repository / "docs" / "claims_review.md").read_text(encoding="utf-8")
    assert page == review()
    assert len(re.findall(r"^\| [A-E] \|", page, flags=re.MULTILINE)) == 58


def test_every_number_behind_a_verdict_says_where_it_is_from(key: AnswerKey) -> None:
    for question in key.questions:
        for verdict in question.verdicts.values():
            for measurement in measured_by(every_comparison(verdict.step)):
                assert measurement.locator or measurement.undefined, f"{question.id}: {measurement.name}"


def test_evidence_of_record_is_real_and_complete(book: QuizBook) -> None:
    records = read_records(book.folder)
    assert records
    for record in records:
        assert all(m.source != "demonstration" for m in record.measurements)
        assert record.provenance.packages or record.provenance.inputs
