"""What each option comes to, as the comment that an LMS shows beside it: the sentences of the feedback."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from basics.visible import visible
from grader.quiz.spec import QuizBook
from grader.quiz.words import Language
from grader.verdicts.key import AnswerKey
from grader.verdicts.sentences import Teller

Comments = Mapping[tuple[str, str], str]
"""By question and letter; plain text, of characters that XML can hold."""


def comments(book: QuizBook, key: AnswerKey, language: Language = "en") -> Comments:
    """The sentences of every option that the evidence decides. They tell the key: for after the deadline."""
    teller = Teller.of(book.folder, language)
    return {
        (question.id, letter): visible(teller.tell(option, verdict).text)
        for question in book.questions
        for letter, option in question.options.items()
        if (verdict := key.question(question.id).verdicts.get(letter)) and verdict.state != "inconclusive"
    }


def add_comments(item: ET.Element, processing: ET.Element, said: Mapping[str, str]) -> None:
    """Comments on the answers of a QTI 1.2 item by answer id, as Canvas writes them: each shown with its answer."""
    for number, text in said.items():
        condition = ET.SubElement(processing, "respcondition", {"continue": "Yes"})
        chosen = ET.SubElement(ET.SubElement(condition, "conditionvar"), "varequal", respident="response1")
        chosen.text = number
        ET.SubElement(condition, "displayfeedback", feedbacktype="Response", linkrefid=f"{number}_fb")
        material = ET.SubElement(ET.SubElement(item, "itemfeedback", ident=f"{number}_fb"), "flow_mat")
        shown = ET.SubElement(ET.SubElement(material, "material"), "mattext", texttype="text/plain")
        shown.text = text
