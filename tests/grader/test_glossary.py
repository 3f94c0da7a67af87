"""Words that students ask about: explained in both languages, and linked from where they occur."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from basics.errors import InputError
from evaluators.store import Store
from grader.quiz.glossary import as_markdown, glossary, mentioned
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.verdicts.sentences import Teller
from grader.verdicts.testimony import Gatherer
from tests.conftest import REPOSITORY
from tests.grader.test_sentences import reasons

MOST = 40
ASKED = yaml.safe_load((Path(__file__).parent / "asked_by_students.yaml").read_text(encoding="utf-8"))


def test_the_page_of_the_documentation_is_what_the_glossaries_say_and_short_enough_to_read() -> None:
    terms = glossary(BUILT_IN_QUIZ)
    assert len(terms) <= MOST
    page = (REPOSITORY / "docs/glossary.md").read_text(encoding="utf-8")
    assert page == as_markdown(terms), "write it anew: python -m tools.glossary"


def test_words_are_found_as_words_of_their_own_in_both_languages() -> None:
    terms = glossary(BUILT_IN_QUIZ)
    assert mentioned(terms, ["Its tokens come from a codebook."]) == ["codebook", "token"]
    assert "codebook" in mentioned(terms, ["由八個碼簿重建時"])
    assert mentioned(terms, ["Tokenization of a latticework"]) == []


def test_every_term_of_the_quiz_occurs_in_a_question() -> None:
    book = load_quiz(BUILT_IN_QUIZ)
    own = yaml.safe_load((BUILT_IN_QUIZ / "glossary.yaml").read_text(encoding="utf-8"))
    said = "\n".join((BUILT_IN_QUIZ / name).read_text(encoding="utf-8") for name in book.quiz.questions)
    assert own.keys() - set(mentioned(glossary(BUILT_IN_QUIZ), [" ".join(said.split())])) == set()


def test_a_term_without_a_meaning_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "glossary.yaml").write_text("bit:\n  name: {en: bit, zh-TW: 位元}\n  means: {en: a zero or a one}\n")
    with pytest.raises(InputError, match=r"glossary.yaml:1.*lacks zh-TW"):
        glossary(tmp_path)


@pytest.fixture(scope="module")
def gatherer(tmp_path_factory: pytest.TempPathFactory) -> Gatherer:
    book, store = load_quiz(BUILT_IN_QUIZ), Store(tmp_path_factory.mktemp("store"))
    return Gatherer(book, book.quiz.accept, book.site, store, "cached")


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked['option']}: {asked['question']}")
def test_what_a_student_asks_about_an_option_is_answered_on_its_card(asked: dict[str, str], gatherer: Gatherer) -> None:
    question, letter = asked["option"].split()
    testimony = gatherer.testimony(gatherer.book.question(question))
    option, verdict = testimony.question.options[letter], testimony.verdicts[letter]
    card = [option.text, *Teller().tell(option, verdict).lines, option.note or "", *reasons(option.claim)]
    if "term" in asked:
        terms = glossary(BUILT_IN_QUIZ)
        assert asked["term"] in mentioned(terms, card), "the card links it"
        assert asked["answer"] in terms[asked["term"]].means["en"]
    else:
        assert asked["answer"] in " ".join(" ".join(card).split())


def test_every_page_of_the_documentation_is_in_the_sites_menu() -> None:
    site = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    docs = REPOSITORY / "docs"
    assert [page for path in docs.rglob("*.md") if (page := path.relative_to(docs).as_posix()) not in site] == []
