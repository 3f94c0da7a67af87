"""A student's feedback in a real browser: on a phone, in the dark, on paper, for people who do not see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.feedback.writing import FeedbackWriter
from grader.quiz.words import LANGUAGES, Language
from tests.browser.conftest import Open, Showcase


@pytest.fixture(scope="session")
def letters(showcase: Showcase, tmp_path_factory: pytest.TempPathFactory) -> dict[Language, Path]:
    folder = tmp_path_factory.mktemp("letters")
    writer = FeedbackWriter(showcase.grades, showcase.key)
    for language in LANGUAGES:
        page = writer.page(showcase.grades.records[0], language, "html")
        (folder / f"{language}.html").write_text(page, encoding="utf-8")
    return {language: folder / f"{language}.html" for language in LANGUAGES}


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_feedback_fits_and_a_checker_finds_no_barrier_at_all(
    language: Language, width: int, scheme: str, letters: dict[Language, Path], visit: Open, axe: str
) -> None:
    driver = visit(letters[language], width, scheme)
    driver.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    driver.execute_script(axe)
    found = driver.execute_async_script("axe.run(document).then(arguments[0])")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []


def test_the_scores_come_first_and_lead_to_the_questions(letters: dict[Language, Path], visit: Open) -> None:
    driver = visit(letters["en"], 390)
    places = driver.execute_script(
        "return [...document.querySelectorAll('.strip a')].map((a) => [a.innerText.split('\\n')[0],"
        " a.getBoundingClientRect().bottom, !!document.querySelector(a.getAttribute('href'))])"
    )
    assert [name for name, _, _ in places] == driver.execute_script(
        "return [...document.querySelectorAll('section .qid')].map((one) => one.innerText)"
    )
    assert all(below < 900 and leads for _, below, leads in places), "on the first screen of a phone"
