"""Moodle XML: every question as `multichoice`, weighted so that Moodle scores it net of wrong ticks."""

from __future__ import annotations

import html
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from grader.exports.comments import Comments
from grader.exports.exportable import exportable
from grader.exports.moodle_weights import too_many, weights
from grader.marking.scoring import printed_points
from grader.quiz.spec import Question, QuizBook
from grader.submissions.model import Chosen


def moodle_xml(book: QuizBook, key: Mapping[str, Chosen | None], said: Comments | None = None) -> bytes:
    """The quiz as a Moodle question bank, with comments on the options where `said` has them.

    Raises InputError for questions without a settled key, texts that XML cannot hold, and what Moodle cannot weigh.
    """
    correct = exportable(book, key)
    too_many(book, correct)
    root = ET.Element("quiz")
    category = ET.SubElement(root, "question", type="category")
    _text(ET.SubElement(category, "category"), f"$course$/{book.quiz.title.replace('/', '//')}")
    for question in book.questions:
        _question(root, book, question, correct[question.id], said or {})
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content


def _question(root: ET.Element, book: QuizBook, question: Question, correct: Chosen, said: Comments) -> None:
    element = ET.SubElement(root, "question", type="multichoice")
    _text(ET.SubElement(element, "name"), f"{question.id} {question.title}")
    prompt = html.escape(question.prompt, quote=False).replace("\n", "<br>")
    _text(ET.SubElement(element, "questiontext", format="html"), f"<p>{prompt}</p>")
    for tag, text in (
        ("defaultgrade", f"{float(printed_points(question)):g}"),
        ("penalty", "0"),
        ("hidden", "0"),
        ("idnumber", f"{book.quiz.id}-{question.id}"),
        ("single", "true" if question.choose == "one" else "false"),
        ("shuffleanswers", "true"),
        ("answernumbering", "ABCD"),
    ):
        ET.SubElement(element, tag).text = text
    weighed = weights(question, correct)
    for letter, option in question.options.items():
        answer = ET.SubElement(element, "answer", fraction=weighed[letter], format="html")
        ET.SubElement(answer, "text").text = html.escape(option.text, quote=False)
        _text(ET.SubElement(answer, "feedback", format="html"), html.escape(said.get((question.id, letter), ""), False))


def _text(parent: ET.Element, text: str) -> None:
    ET.SubElement(parent, "text").text = text
