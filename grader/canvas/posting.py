"""Post the quiz of the specs to the LMS, unpublished, and compare what is there then with the specs.

It travels as the QTI package of `export qti`, through a content migration, which makes a whole quiz or none. Nothing
that is there already is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from basics.errors import InputError, Problem
from basics.messages import Message, say
from grader.canvas.connection import Refused
from grader.canvas.differences import differences
from grader.canvas.lms import Lms
from grader.exports.qti import qti_package
from grader.quiz.spec import QuizBook
from grader.submissions.model import Chosen


@dataclass(frozen=True)
class Posted:
    """The new quiz of the LMS, what it said while it was imported, and where it is not the specs'."""

    quiz: int
    published: bool
    issues: tuple[str, ...]
    differences: tuple[Message, ...]


def post(lms: Lms, book: QuizBook, key: Mapping[str, Chosen | None]) -> Posted:
    """Raises InputError where a quiz of this title is there already, and for a key that is not settled."""
    package = qti_package(book, key)
    before = {quiz.id: quiz.title for quiz in lms.quizzes()}
    if same := [number for number, title in before.items() if title.strip() == book.quiz.title.strip()]:
        what = say("has a quiz {title!r} already (number {number})", title=book.quiz.title, number=same[0])
        raise InputError(
            Problem(
                say("course {number}", number=lms.course),
                what,
                say("rename or delete it in the LMS; nothing was changed"),
            )
        )
    issues = lms.import_package(f"{book.quiz.id}.zip", package)
    made = [quiz for quiz in lms.quizzes() if quiz.id not in before]
    if len(made) != 1:
        what = say("has {n} new quizzes after the import, expected one", n=len(made))
        raise Refused(
            Problem(say("course {number}", number=lms.course), what, say("look at the course's quizzes in the LMS"))
        )
    quiz = lms.quiz(made[0].id)
    found = differences(book, key, quiz, lms.questions(quiz.id), None)
    return Posted(quiz.id, bool(quiz.published), tuple(issue.description for issue in issues), tuple(found))
