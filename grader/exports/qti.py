"""Canvas QTI 1.2: the quiz as a package that Canvas (Classic and New Quizzes) and NTU COOL import.

Layout and element names follow what Canvas itself exports. How credit is given does not travel in QTI 1.2: Canvas
scores "multiple answers" net of wrong ticks whatever the file says.
"""

from __future__ import annotations

import hashlib
import html
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from grader.exports.comments import Comments, add_comments
from grader.exports.exportable import exportable
from grader.marking.scoring import printed_points
from grader.quiz.spec import Question, QuizBook
from grader.submissions.model import Chosen

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
CP = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
MD = "http://www.imsglobal.org/xsd/imsmd_v1p2"
ZIP_DATE = (2026, 1, 1, 0, 0, 0)
"""One date for all members, so that equal quizzes give equal packages."""

SCORING_POLICY = {"highest": "keep_highest", "latest": "keep_latest", "first": "keep_latest"}


def identifier(*parts: str) -> str:
    """A Canvas-like identifier that depends on `parts` alone: `i` and 32 hexadecimal digits."""
    return "i" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def answer_ids(book: QuizBook, question: Question) -> dict[str, str]:
    """A decimal id for each letter, as Canvas has them, unique in the question."""
    ids: dict[str, str] = {}
    for letter in question.options:
        number = 1000 + int(identifier(book.quiz.id, question.id, letter)[1:9], 16) % 9000
        while str(number) in ids.values():
            number = 1000 + (number - 999) % 9000
        ids[letter] = str(number)
    return ids


def qti_package(book: QuizBook, key: Mapping[str, Chosen | None], said: Comments | None = None) -> bytes:
    """The package as a zip file, with comments on the options where `said` has them.

    Raises InputError for questions without a settled key and texts XML cannot hold.
    """
    correct = exportable(book, key)
    quiz = identifier(book.quiz.id)
    members = {
        "imsmanifest.xml": _manifest(book, quiz),
        f"{quiz}/{quiz}.xml": _assessment(book, correct, quiz, said or {}),
        f"{quiz}/assessment_meta.xml": _meta(book, quiz),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, root in members.items():
            ET.indent(root)
            content = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
            package.writestr(zipfile.ZipInfo(name, ZIP_DATE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _child(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _manifest(book: QuizBook, quiz: str) -> ET.Element:
    root = ET.Element("manifest", {"identifier": identifier(book.quiz.id, "manifest"), "xmlns": CP, "xmlns:imsmd": MD})
    metadata = _child(root, "metadata")
    _child(metadata, "schema", "IMS Content")
    _child(metadata, "schemaversion", "1.1.3")
    title = _child(_child(_child(metadata, "imsmd:lom"), "imsmd:general"), "imsmd:title")
    _child(title, "imsmd:string", book.quiz.title)
    _child(root, "organizations")
    resources = _child(root, "resources")
    meta = identifier(book.quiz.id, "meta")
    assessment = _child(resources, "resource", identifier=quiz, type="imsqti_xmlv1p2")
    _child(assessment, "file", href=f"{quiz}/{quiz}.xml")
    _child(assessment, "dependency", identifierref=meta)
    kind = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
    described = _child(resources, "resource", identifier=meta, type=kind, href=f"{quiz}/assessment_meta.xml")
    _child(described, "file", href=f"{quiz}/assessment_meta.xml")
    return root


def _meta(book: QuizBook, quiz: str) -> ET.Element:
    root = ET.Element("quiz", {"xmlns": CANVAS, "identifier": quiz})
    points = sum(question.points for question in book.questions)
    due = _utc(book.quiz.deadline)
    for tag, text in (
        ("title", book.quiz.title),
        ("description", html.escape(book.quiz.course)),
        ("shuffle_answers", "true"),
        ("scoring_policy", SCORING_POLICY[book.quiz.regulations.attempts]),
        ("quiz_type", "assignment"),
        ("points_possible", str(points)),
        ("show_correct_answers", "false"),
        ("allowed_attempts", "-1"),
        ("one_question_at_a_time", "false"),
        ("cant_go_back", "false"),
        ("available", "false"),
        ("due_at", due),
        ("lock_at", due if book.quiz.regulations.late == "refused" else ""),
    ):
        _child(root, tag, text)
    return root


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _assessment(book: QuizBook, key: Mapping[str, Chosen], quiz: str, said: Comments) -> ET.Element:
    root = ET.Element("questestinterop", {"xmlns": QTI})
    assessment = _child(root, "assessment", ident=quiz, title=book.quiz.title)
    _fields(_child(assessment, "qtimetadata"), {"cc_maxattempts": "unlimited"})
    section = _child(assessment, "section", ident="root_section")
    for question in book.questions:
        _item(section, book, question, key[question.id], said)
    return root


def _item(section: ET.Element, book: QuizBook, question: Question, correct: Chosen, said: Comments) -> None:
    many = question.choose == "many"
    ids = answer_ids(book, question)
    item = _child(section, "item", ident=identifier(book.quiz.id, question.id), title=question.title)
    _fields(
        _child(_child(item, "itemmetadata"), "qtimetadata"),
        {
            "question_type": "multiple_answers_question" if many else "multiple_choice_question",
            "points_possible": str(float(printed_points(question))),
            "original_answer_ids": ",".join(ids.values()),
            "assessment_question_identifierref": identifier(book.quiz.id, question.id, "bank"),
        },
    )
    presentation = _child(item, "presentation")
    prompt = "<div><p>" + html.escape(question.prompt, quote=False).replace("\n", "<br>") + "</p></div>"
    _child(_child(presentation, "material"), "mattext", prompt, texttype="text/html")
    response = _child(presentation, "response_lid", ident="response1", rcardinality="Multiple" if many else "Single")
    choices = _child(response, "render_choice")
    for letter, option in question.options.items():
        label = _child(choices, "response_label", ident=ids[letter])
        _child(_child(label, "material"), "mattext", option.text, texttype="text/plain")
    processing = _child(item, "resprocessing")
    outcomes = _child(processing, "outcomes")
    _child(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    add_comments(item, processing, {ids[x]: said[question.id, x] for x in ids if (question.id, x) in said})
    for right in [correct] if many else [frozenset(letter) for letter in sorted(correct)]:
        condition = _child(processing, "respcondition", **{"continue": "No"})
        _condition(_child(condition, "conditionvar"), ids, right, many)
        _child(condition, "setvar", "100", action="Set", varname="SCORE")


def _condition(variables: ET.Element, ids: Mapping[str, str], correct: Chosen, many: bool) -> None:
    """What earns the points: exactly the correct options of a choose-many question, else the one."""
    if not many:
        [letter] = correct
        _child(variables, "varequal", ids[letter], respident="response1")
        return
    every = _child(variables, "and")
    for letter, number in ids.items():
        parent = every if letter in correct else _child(every, "not")
        _child(parent, "varequal", number, respident="response1")


def _fields(metadata: ET.Element, fields: Mapping[str, str]) -> None:
    for label, entry in fields.items():
        field = _child(metadata, "qtimetadatafield")
        _child(field, "fieldlabel", label)
        _child(field, "fieldentry", entry)
