"""Moodle XML: every question as `multichoice`, weighted so that Moodle scores it net of wrong ticks.

A correct option is worth 100/C percent and a wrong tick minus as much (C correct options); Moodle does not let a
question fall below 0, which is the rule `net-correct`. Moodle's own question type knows no other rule for
choose-many questions.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from grader.exports.qti import settled
from grader.marking.scoring import printed_points
from grader.quiz.spec import CreditRule, Question, QuizBook
from grader.submissions.model import Chosen

FRACTIONS = dict(
    enumerate(["100", "50", "33.33333", "25", "20", "16.66667", "14.28571", "12.5", "11.11111", "10"], start=1),
)
"""The percentages that Moodle accepts for a share of 1/C; other texts are refused on import."""


def moodle_xml(book: QuizBook, key: Mapping[str, Chosen | None]) -> bytes:
    """The quiz as a Moodle question bank. Raises InputError for questions without a settled key."""
    correct = settled(book, key)
    root = ET.Element("quiz")
    category = ET.SubElement(root, "question", type="category")
    _text(ET.SubElement(category, "category"), f"$course$/{book.quiz.title.replace('/', '//')}")
    for question in book.questions:
        _question(root, book, question, correct[question.id])
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content


def unsupported(rule: CreditRule) -> str | None:
    """What to tell a TA whose credit rule Moodle cannot express, or None."""
    return None if rule == "net-correct" else f"Moodle's multichoice scores net of wrong ticks, not {rule}"


def _question(root: ET.Element, book: QuizBook, question: Question, correct: Chosen) -> None:
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
    share = FRACTIONS[1 if question.choose == "one" else len(correct)]
    penalty = "0" if question.choose == "one" else f"-{share}"
    for letter, option in question.options.items():
        answer = ET.SubElement(element, "answer", fraction=share if letter in correct else penalty, format="html")
        ET.SubElement(answer, "text").text = html.escape(option.text, quote=False)
        _text(ET.SubElement(answer, "feedback", format="html"), "")


def _text(parent: ET.Element, text: str) -> None:
    ET.SubElement(parent, "text").text = text
