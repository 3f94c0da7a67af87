"""Write the report: collect what an edition may show, render it, put it in place whole.

Editions: `ta` shows everything; `student` (after the deadline) everything but the class; `before` the questions and a
form for the answers. The last is rendered from the questions' words alone: claims, evidence and key never reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from basics.errors import InputError, Problem
from basics.files import write_whole
from basics.messages import say
from evaluators.evidence import SOURCES
from evaluators.store import Store
from grader.feedback.writing import stylesheet
from grader.marking.grading import Grades
from grader.quiz.glossary import Glossary, glossary
from grader.quiz.spec import Quiz, QuizBook
from grader.quiz.words import Language
from grader.report.cards import all_evidence, question_views
from grader.report.classroom import classroom
from grader.report.panels import Page, sections
from grader.report.question_sheet import question_sheet
from grader.report.rendering import POLICY, environment, interface_words, static
from grader.report.sounds import SoundBank
from grader.verdicts.key import AnswerKey
from grader.verdicts.sentences import Teller
from grader.verdicts.testimony import Testimony

Edition = Literal["ta", "student", "before"]
AudioPlace = Literal["inline", "beside"]
EDITIONS: tuple[Edition, ...] = get_args(Edition)


def write_report(
    book: QuizBook,
    testimonies: Sequence[Testimony],
    key: AnswerKey,
    *,
    out: Path,
    edition: Edition,
    language: Language,
    store: Store,
    grades: Grades | None = None,
    audio: AudioPlace = "inline",
    corpus: Path | None = None,
) -> Path:
    """Write one HTML file to `out` and return its path.

    `store` holds the sounds that the evidence names. `grades` is the graded class, for the TA's edition alone. With
    `audio` "beside", sounds lie in a folder beside the page. `corpus` is the folder of emotional speech whose clips the
    maps play; the built-in one is found by itself. Raises InputError where `grades` are given for another edition.
    """
    if grades is not None:
        need_staff_edition(edition)
    if edition == "before":
        return write_sheet(book, out=out, language=language)
    if edition == "student":
        testimonies = [testimony.as_published() for testimony in testimonies]
    words = interface_words(language)
    bank = SoundBank(out.with_name(f"{out.stem}_audio") if audio == "beside" else None)
    site = replace(book.site, corpus=corpus, cache=store.root)
    teller = Teller.of(book.folder, language)
    content = {
        **_decided(testimonies, key, teller, glossary(book.folder)),
        "sections": sections(testimonies, site, Page(store, bank, language)),
        "classroom": classroom(grades, key, words) if grades and grades.records else None,
        "data": {"words": {"copied": words["copied"]}, "sounds": dict(bank.places)},
    }
    return write_page(out, book.quiz, edition, language, content, teller)


def _decided(testimonies: Sequence[Testimony], key: AnswerKey, teller: Teller, terms: Glossary) -> dict[str, Any]:
    """The key, the cards and the origins of the evidence, as the template names them."""
    evidence = all_evidence(testimonies)
    seen = {m.source for used in evidence for m in used.exhibit.evidence.measurements}
    return {
        "key": key,
        "questions": question_views(testimonies, key, teller, terms),
        "glossary": terms,
        "evidence": evidence,
        "sources": [source for source in SOURCES if source in seen],
        "demonstration": any(used.demonstration for used in evidence),
    }


def need_staff_edition(edition: Edition) -> None:
    """Raises InputError unless grades may be shown in this edition."""
    if edition != "ta":
        raise InputError(
            Problem(
                "grades", say("cannot be shown in the edition {edition}", edition=edition), say("use the edition ta")
            )
        )


def write_sheet(book: QuizBook, *, out: Path, language: Language) -> Path:
    """Write the edition `before`, which needs no evidence, to `out` and return its path."""
    return write_page(out, book.quiz, "before", language, {"sheet": question_sheet(book)})


def write_page(
    out: Path, quiz: Quiz, edition: Edition, language: Language, content: dict[str, Any], teller: Teller | None = None
) -> Path:
    """Render the edition's template with `content` and put the page in place; `teller` says the quiz's own texts."""
    name = "before" if edition == "before" else "report"
    words = interface_words(language)
    made = environment(language)
    made.globals["phrase"] = (teller or Teller(language)).phrase
    page = made.get_template(f"{name}.html.j2").render(
        quiz=quiz,
        edition=edition,
        heading="sheet" if edition == "before" else "report",
        title=f"{quiz.title}: {words['edition_' + edition]}",
        css=stylesheet("style.css", *(["line.css"] if name == "report" else [])) + static(f"{name}.css"),
        script=static(f"{name}.js"),
        policy=POLICY,
        made=datetime.now(ZoneInfo(quiz.time_zone)).date().isoformat(),
        version=version("earwitness"),
        **content,
    )
    write_whole(out, page.encode())
    return out
