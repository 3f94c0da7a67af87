"""GIFT, Moodle's plain text for questions: every question as multiple choice, with the weights of Moodle XML.

Texts are HTML, as in Moodle XML, and say so: a `<` could begin a tag else, and a text that begins with `%50%` or `[x]`
would be read as a weight or a format. GIFT knows no points: every question counts 1 until it is put into a quiz.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from grader.exports.exportable import exportable
from grader.exports.moodle_weights import too_many, weights
from grader.quiz.spec import Question, QuizBook
from grader.submissions.model import Chosen

RESERVED = re.compile(r"([\\~=#{}:])")
LINE_END = re.compile(r"\r\n|\r|\n")


def gift(book: QuizBook, key: Mapping[str, Chosen | None]) -> str:
    """The quiz in GIFT. Raises InputError for questions without a settled key, and for what Moodle cannot weigh."""
    correct = exportable(book, key)
    too_many(book, correct)
    category = f"$CATEGORY: $course$/{_one_line(book.quiz.title).replace('/', '//')}"
    return "\n\n".join([category, *(_question(q, correct[q.id]) for q in book.questions)]) + "\n"


def _question(question: Question, correct: Chosen) -> str:
    name = _escaped(_one_line(f"{question.id} {question.title}"))
    marks = _marks(question, correct)
    options = [f"\t{marks[letter]}{_text(option.text)}" for letter, option in question.options.items()]
    return "\n".join([f"::{name}::{_text(question.prompt)}{{", *options, "}"])


def _marks(question: Question, correct: Chosen) -> dict[str, str]:
    """What stands before an option. One `=` makes a question choose-one, and one `~` keeps it multiple choice."""
    marks = {letter: "~" if weight == "0" else f"~%{weight}%" for letter, weight in weights(question, correct).items()}
    if question.choose == "one":
        marks[min(correct)] = "="
    return marks


def _text(text: str) -> str:
    return "[html]" + _escaped(LINE_END.sub("<br>", html.escape(text, quote=False)))


def _escaped(text: str) -> str:
    return RESERVED.sub(r"\\\1", text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
