"""Read choice questions of a QTI 1.2 package back: Canvas's own exports, other tools' items, and ours."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from basics.errors import InputError, Problem

CHOICES = {"multiple_answers_question": "many", "multiple_choice_question": "one", "true_false_question": "one"}


@dataclass(frozen=True)
class Item:
    """One choice question. Options and key by the file's own ids; `points` is None where the file gives none."""

    ident: str
    title: str
    prompt: str
    choose: str
    points: float | None
    options: dict[str, str]
    correct: frozenset[str]

    @property
    def correct_texts(self) -> frozenset[str]:
        return frozenset(self.options[x] for x in self.correct)


def read_qti(path: Path) -> tuple[Item, ...]:
    """Choice questions of a package (zip or folder) or of one XML file. Raises InputError for anything unreadable."""
    items = tuple(item for name, content in _assessments(path) for item in _items(name, content))
    if not items:
        raise InputError(Problem(path.name, "holds no choice question in QTI 1.2", "export the quiz as QTI 1.2"))
    return items


def _assessments(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*.xml")):
            yield file.name, file.read_bytes()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            for name in sorted(package.namelist()):
                if name.endswith(".xml"):
                    yield name, package.read(name)
    elif path.is_file():
        yield path.name, path.read_bytes()
    else:
        raise InputError(Problem(str(path), "there is no such file", "check the path"))


def _items(name: str, content: bytes) -> Iterator[Item]:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise InputError(Problem(name, "declares a document type, which QTI packages do not need", "remove it"))
    try:
        root = ET.fromstring(content)
    except ET.ParseError as error:
        raise InputError(Problem(name, f"is not XML: {error}", "export the package again")) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    for item in root.iter("item"):
        response = item.find(".//response_lid")
        if response is not None and response.find("render_choice") is not None:
            yield _item(item, response)


def _item(item: ET.Element, response: ET.Element) -> Item:
    fields = {
        (field.findtext("fieldlabel") or ""): (field.findtext("fieldentry") or "")
        for field in item.iter("qtimetadatafield")
    }
    cardinality = "many" if response.get("rcardinality") == "Multiple" else "one"
    points = fields.get("points_possible")
    options = {label.get("ident", ""): _text(label) for label in response.iter("response_label")}
    return Item(
        ident=item.get("ident", ""),
        title=item.get("title", ""),
        prompt=_text(item.find("presentation/material")),
        choose=CHOICES.get(fields.get("question_type", ""), cardinality),
        points=float(points) if points else None,
        options=options,
        correct=frozenset(_correct(item)) & options.keys(),
    )


def _correct(item: ET.Element) -> Iterator[str]:
    """Ids whose choice raises the score: outside `not`, in a condition that sets or adds something positive."""
    for condition in item.iter("respcondition"):
        scores = [float(s.text or 0) for s in condition.iter("setvar") if re.fullmatch(r"\s*-?[\d.]+\s*", s.text or "")]
        if any(score > 0 for score in scores):
            refused = {id(equal) for negation in condition.iter("not") for equal in negation.iter("varequal")}
            yield from (e.text or "" for e in condition.iter("varequal") if id(e) not in refused)


def _text(parent: ET.Element | None) -> str:
    """Plain text of a material: markup of HTML is dropped, line breaks stay."""
    element = parent.find(".//mattext") if parent is not None else None
    if element is None or element.text is None:
        return ""
    if element.get("texttype") != "text/html":
        return element.text
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br\s*/?>", "\n", element.text))).strip()
