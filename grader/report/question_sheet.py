"""The students' question sheet before the deadline: the questions' own words and how to answer them.

Only what the course has shown the students anyway goes in: prompts, options, points, references. Claims, notes,
evidence and key are not part of these types, so that no template can show them.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from grader.quiz.commands import naming, published
from grader.quiz.spec import Question, QuizBook, Reference


@dataclass(frozen=True)
class SheetQuestion:
    """A question as it was set. `options` are (letter, text)."""

    id: str
    number: int
    points: float
    choose: str
    prompt: str
    options: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Sheet:
    """All questions, the deadline in the quiz's own time zone, and what names the quiz at the end of a command."""

    questions: tuple[SheetQuestion, ...]
    deadline: str
    time_zone: str
    naming: str


def question_sheet(book: QuizBook) -> Sheet:
    """What students may see before the deadline."""
    return Sheet(
        questions=tuple(_question(i, question) for i, question in enumerate(book.questions, start=1)),
        deadline=book.quiz.local(book.quiz.deadline).strftime("%Y-%m-%d %H:%M"),
        time_zone=book.quiz.time_zone,
        naming=shlex.join(map(str, naming(published(book.folder)))),
    )


def _question(number: int, question: Question) -> SheetQuestion:
    return SheetQuestion(
        id=question.id,
        number=number,
        points=question.points,
        choose=question.choose,
        prompt=question.prompt,
        options=tuple((letter, option.text) for letter, option in question.options.items()),
        references=question.references,
    )
