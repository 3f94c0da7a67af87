"""What a quiz must be for another system to take it: a settled key, and texts of characters that XML can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from basics.errors import InputError, Problem
from basics.messages import say
from grader.marking.scoring import correct_options
from grader.quiz.spec import QuizBook
from grader.submissions.model import Chosen
from grader.verdicts.key import AnswerKey

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, not even escaped (XML 1.0, production 2)."""


def exported_key(book: QuizBook, key: AnswerKey) -> tuple[dict[str, Chosen | None], list[str]]:
    """The key as an LMS can hold it, and what it cannot hold, in words.

    An option of a choose-one question that a ruling counts as right is one more right answer; no LMS knows any other
    ruling.
    """
    correct, notes = correct_options(key), []
    for ruling in key.rulings:
        known = correct[ruling.question]
        only_right = not ruling.disregard and not ruling.everyone
        if book.question(ruling.question).choose == "one" and only_right and known is not None:
            correct[ruling.question] = known | frozenset(ruling.always_correct)
        else:
            notes.append(f"{ruling.question}: the LMS does not know: {ruling.effect} ({ruling.reason})")
    return correct, notes


def exportable(book: QuizBook, key: Mapping[str, Chosen | None]) -> dict[str, Chosen]:
    """The key, if every question has a correct option and every text can be written.

    Raises InputError with all questions and texts that are otherwise.
    """
    problems = [
        Problem(
            q.id,
            say("is not settled") if key[q.id] is None else say("has no correct option"),
            say("settle it, or override it"),
        )
        for q in book.questions
        if not key[q.id]
    ]
    problems += [
        Problem(
            where,
            say("holds {characters}, which XML cannot hold", characters=", ".join(_names(text))),
            say("take it out of the text"),
        )
        for where, text in _texts(book)
        if NOT_IN_XML.search(text)
    ]
    if problems:
        raise InputError(problems)
    return {name: chosen for name, chosen in key.items() if chosen is not None}


def _texts(book: QuizBook) -> Iterator[tuple[str, str]]:
    """Every text that leaves with the quiz, by the place where it stands."""
    yield f"{book.quiz.id}, title", book.quiz.title
    for question in book.questions:
        yield f"{question.id}, title", question.title
        yield f"{question.id}, prompt", question.prompt
        yield from ((f"{question.id}, option {letter}", option.text) for letter, option in question.options.items())


def _names(text: str) -> list[str]:
    return [f"U+{ord(character):04X}" for character in dict.fromkeys(NOT_IN_XML.findall(text))]
