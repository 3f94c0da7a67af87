"""The quiz for other systems: read back, it is the same quiz; the sealed key opens with its own opening only."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from basics.errors import InputError
from grader.exports.exportable import exported_key
from grader.exports.gift import gift
from grader.exports.moodle import moodle_xml
from grader.exports.moodle_weights import inexact, unsupported
from grader.exports.qti import answer_ids, qti_package
from grader.exports.student import (
    OpenedQuestion,
    Opening,
    Sealed,
    publish,
    read_opening,
    read_seal,
    seal,
    verify,
)
from grader.marking.scoring import correct_options
from grader.quiz.spec import QuizBook
from grader.verdicts.decisions import Override, Ruling, as_decisions
from tests.grader.classroom import Q, key_for, letters_key, make_book
from tests.grader.gift_reading import read_gift
from tests.grader.qti_reading import read_qti

MOODLE_FRACTIONS = {100, 90, 83.33333, 80, 75, 70, 66.66667, 60, 50, 40, 33.33333, 30, 25, 20, 16.66667, 14.28571, 12.5, 11.11111, 10, 5}  # fmt: skip  # noqa: E501


@pytest.fixture(scope="module")
def book() -> QuizBook:
    return make_book()


@pytest.fixture
def package(tmp_path: Path, book: QuizBook) -> Path:
    path = tmp_path / "quiz.zip"
    path.write_bytes(qti_package(book, letters_key(book)))
    return path


def test_a_qti_package_read_back_gives_the_same_quiz(package: Path, book: QuizBook) -> None:
    items = read_qti(package)
    assert len(items) == 12
    for item, question in zip(items, book.questions, strict=True):
        assert (item.title, item.prompt, item.points) == (question.title, question.prompt, question.points)
        assert item.choose == question.choose
        assert list(item.options.values()) == [option.text for option in question.options.values()]
        assert item.correct_texts == {question.options[x].text for x in letters_key(book)[question.id]}


def test_a_package_has_the_layout_of_canvas_itself(package: Path, shared: Path) -> None:
    with zipfile.ZipFile(package) as ours:
        names = ours.namelist()
        manifest = ET.fromstring(ours.read("imsmanifest.xml"))
        [quiz] = [name for name in names if name.endswith("/assessment_meta.xml")]
        meta = ET.fromstring(ours.read(quiz))
    real = ET.parse(shared / "canvas/qti12_canvas/imsmanifest.xml").getroot()
    resources = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}resources"
    kinds = [[(r.get("type"), len(r)) for r in root.find(resources) or ()] for root in (manifest, real)]
    assert kinds[0] == kinds[1]
    hrefs = {element.get("href") for element in manifest.iter() if element.get("href")}
    assert hrefs == set(names) - {"imsmanifest.xml"}
    canvas = "{http://canvas.instructure.com/xsd/cccv1p0}"
    assert meta.findtext(f"{canvas}points_possible") == "10.0"
    assert meta.findtext(f"{canvas}due_at") == "2026-06-18T15:59:59"
    assert meta.findtext(f"{canvas}scoring_policy") == "keep_latest"


def test_equal_quizzes_give_equal_packages(package: Path, book: QuizBook) -> None:
    assert qti_package(book, letters_key(book)) == package.read_bytes()


def test_answer_ids_are_unique_decimal_numbers(book: QuizBook) -> None:
    for question in book.questions:
        ids = answer_ids(book, question).values()
        assert len(set(ids)) == len(question.options)
        assert all(number.isdecimal() for number in ids)


def test_real_packages_and_items_are_read(shared: Path) -> None:
    items = read_qti(shared / "canvas/qti12_canvas")
    assert [(item.choose, len(item.options)) for item in items] == [("one", 2), ("one", 3), ("many", 3)]
    assert items[2].prompt == "sdfsdfgs"
    assert items[2].correct_texts == {"ssdsd", "asdsad"}
    [canvas] = read_qti(shared / "canvas/qti12_items/multiple_answer_canvas.xml")
    assert canvas.correct_texts == {"A", "C", "D"}
    assert canvas.prompt == "Multiple Answer pick A C and D"
    [weighted] = read_qti(shared / "canvas/qti12_items/multiple_answer.xml")
    assert {x[-2:] for x in weighted.correct} == {"A1", "A3", "A4", "A7"}
    [single] = read_qti(shared / "canvas/qti12_items/multiple_choice.xml")
    assert single.correct_texts == {"At least 3 hours"}


def test_what_is_not_qti_is_refused(tmp_path: Path, shared: Path) -> None:
    bomb = tmp_path / "bomb.xml"
    bomb.write_text('<!DOCTYPE x [<!ENTITY a "aa">]><questestinterop/>')
    with pytest.raises(InputError, match="declares a document type"):
        read_qti(bomb)
    broken = tmp_path / "broken.xml"
    broken.write_text("<questestinterop>")
    with pytest.raises(InputError, match="is not XML"):
        read_qti(broken)
    with pytest.raises(InputError, match="holds no choice question"):
        read_qti(shared / "canvas/qti22_package")
    with pytest.raises(InputError, match="there is no such file"):
        read_qti(tmp_path / "gone.zip")


def test_questions_without_a_key_are_not_exported(book: QuizBook) -> None:
    key = {**letters_key(book), "q01": None, "q03": frozenset()}
    for export in (qti_package, moodle_xml, gift):
        with pytest.raises(InputError) as caught:
            export(book, key)
        assert "q01: is not settled" in str(caught.value)
        assert "q03: has no correct option" in str(caught.value)


def test_moodle_weights_are_allowed_and_add_up_to_the_rule_net_correct(book: QuizBook) -> None:
    root = ET.fromstring(moodle_xml(book, letters_key(book)))
    questions = [element for element in root if element.get("type") == "multichoice"]
    assert len(questions) == 12
    for element, question in zip(questions, book.questions, strict=True):
        correct = letters_key(book)[question.id]
        fractions = [float(answer.get("fraction", "")) for answer in element.findall("answer")]
        assert {abs(fraction) for fraction in fractions} - {0} <= MOODLE_FRACTIONS
        for letter, fraction in zip(question.options, fractions, strict=True):
            wrong = 0 if question.choose == "one" else -100 / len(correct)
            assert fraction == pytest.approx(100 / len(correct) if letter in correct else wrong, abs=1e-4)
        assert element.findtext("single") == ("true" if question.choose == "one" else "false")
        assert float(element.findtext("defaultgrade") or 0) == question.points
    texts = [answer.findtext("text") for answer in questions[11].findall("answer")]
    assert texts[2] == "A token (&lt;TT&gt;), inserted"
    assert unsupported("net-correct") is None
    assert "not each-answer" in str(unsupported("each-answer"))


def test_the_students_edition_holds_no_claim_no_evidence_and_no_key(tmp_path: Path, book: QuizBook) -> None:
    sealed, opening = seal(book, letters_key(book))
    publish(tmp_path / "edition", book, sealed, tmp_path / "opening.json", opening)
    texts = {path.name: path.read_text() for path in (tmp_path / "edition").glob("[!.]*")}
    assert set(texts) == {"quiz.yaml", "commitment.json", *(f"q{i:02d}.yaml" for i in range(1, 13))}
    everything = "".join(texts.values())
    for secret in ("claim", "dice", "evidence", "accept", *(q.salt for q in opening.questions.values())):
        assert secret not in everything
    question = yaml.safe_load(texts["q01.yaml"])
    assert question["options"]["B"] == {"text": book.questions[0].options["B"].text}
    assert question["points"] == 1.0


def test_a_seal_opens_with_its_own_opening_and_no_other(tmp_path: Path, book: QuizBook) -> None:
    sealed, opening = seal(book, {**letters_key(book), "q07": None})
    publish(tmp_path / "edition", book, sealed, tmp_path / "opening.json", opening)
    published, opened = read_seal(tmp_path / "edition"), read_opening(tmp_path / "opening.json")
    assert verify(published, opened) == []
    assert opened.questions["q07"].correct is None
    changed = opened.questions["q01"].model_copy(update={"correct": ("End to end, with ASR and TTS",)})
    forged = Opening(quiz=opened.quiz, questions={**opened.questions, "q01": changed})
    assert verify(published, forged) == ["q01"]
    assert verify(published, Opening(quiz="x", questions={})) == sorted(published.questions)


def test_a_seal_does_not_give_away_equal_keys(book: QuizBook) -> None:
    """The same key twice gives other digests: nobody can try the thirty-two possible keys of a question."""
    first, second = seal(book, letters_key(book))[0], seal(book, letters_key(book))[0]
    assert not set(first.questions.values()) & set(second.questions.values())


def _swapped(path: Path, sealed: Sealed, opening: Opening) -> tuple[Sealed, Path, Opening]:
    return sealed, path, opening


def test_an_opening_is_never_overwritten_and_must_be_one(tmp_path: Path, book: QuizBook) -> None:
    path = tmp_path / "opening.json"
    sealed, opening = seal(book, letters_key(book))
    publish(tmp_path / "edition", book, sealed, path, opening)
    for out in ("edition", "another"):
        with pytest.raises(InputError, match="is there already"):
            publish(tmp_path / out, book, *_swapped(path, *seal(book, letters_key(book))))
    assert verify(read_seal(tmp_path / "edition"), read_opening(path)) == []
    assert not (tmp_path / "another").exists()
    path.write_text(json.dumps({"quiz": "x", "questions": {"q01": {"salt": "00", "correct": []}}}))
    with pytest.raises(InputError, match="is not an opening key"):
        read_opening(path)
    with pytest.raises(InputError, match="no such file"):
        read_opening(tmp_path / "gone.json")
    assert OpenedQuestion(salt="0" * 64, correct=None).correct is None


def test_several_right_options_of_a_choose_one_question_reach_the_lms() -> None:
    book = make_book()
    said = [
        Override(question="q02", correct=("A", "B"), reason="A can be argued"),
        Ruling(question="q06", always_correct=("A",), reason="A can be argued"),
        Ruling(question="q01", disregard=("E",), reason="E was misprinted"),
    ]
    key = key_for(book, as_decisions(book, said, datetime(2026, 6, 20, tzinfo=UTC)))
    correct, notes = exported_key(book, key)
    assert (correct["q02"], correct["q06"]) == ({"A", "B"}, {"A"} | correct_options(key)["q06"])  # type: ignore[operator]
    assert notes == ["q01: the LMS does not know: E taken out (E was misprinted)"]
    root = ET.fromstring(moodle_xml(book, correct))
    shares = [[a.get("fraction") for a in q.findall("answer")] for q in root.findall("question")[1:]]
    assert shares[1] == ["100", "100", "0", "0"]
    with zipfile.ZipFile(io.BytesIO(qti_package(book, correct))) as package:
        [name] = [n for n in package.namelist() if n.endswith(".xml") and "meta" not in n and "manifest" not in n]
        quiz = package.read(name).decode()
    items = quiz.split("</resprocessing>")[:-1]
    conditions = [item.count("<respcondition ") for item in items]
    assert conditions == [2 if question.id in ("q02", "q06") else 1 for question in book.questions]


def with_options(count: int, correct: int) -> tuple[QuizBook, dict[str, frozenset[str]]]:
    """A quiz of one choose-many question, and its key."""
    letters = [chr(ord("A") + i) for i in range(count)]
    right = "".join(letters[-correct:])
    question: Q = ("Which?", 1, "many", {x: f"Option {x}" for x in letters}, right)
    return make_book((question,)), {"q01": frozenset(right)}


def moodle_fractions(content: bytes) -> list[str]:
    return [answer.get("fraction", "") for answer in ET.fromstring(content).iter("answer")]


@pytest.mark.parametrize("correct", range(1, 21))
def test_moodle_has_shares_for_any_number_of_correct_options(correct: int) -> None:
    book, key = with_options(22, correct)
    shares = moodle_fractions(moodle_xml(book, key))
    assert shares == [share for _, share in read_gift(gift(book, key))[0].options]
    assert {abs(float(share)) for share in shares} <= MOODLE_FRACTIONS
    wrong, right = [float(x) for x in shares[:-correct]], [float(x) for x in shares[-correct:]]
    assert all(share > 0 for share in right)
    assert round(sum(right) / 100, 2) == 1, "or Moodle says that they do not add up"
    assert len(set(wrong)) == 1
    assert wrong[0] < 0
    told = inexact(book, key)
    if correct <= 10:
        assert told == []
        assert wrong[0] == -right[0] == pytest.approx(-100 / correct, abs=1e-5)
        assert len(set(right)) == 1
    else:
        assert f"q01: {correct} correct options" in told[0]
        assert set(right) <= {5.0, 10.0}
        assert min((5, 10), key=lambda share: abs(share - 100 / correct)) == -wrong[0]


def test_more_correct_options_than_moodle_has_shares_for_are_refused() -> None:
    book, key = with_options(26, 21)
    for export in (moodle_xml, gift):
        with pytest.raises(InputError, match="q01: has 21 correct options, Moodle has shares for 20 at most"):
            export(book, key)
    assert qti_package(book, key)


def test_a_choose_one_question_may_have_several_correct_options(tmp_path: Path, book: QuizBook) -> None:
    key = {**letters_key(book), "q02": frozenset("BD"), "q06": frozenset("ABCD")}
    (tmp_path / "quiz.zip").write_bytes(qti_package(book, key))
    in_gift = read_gift(gift(book, key))
    root = ET.fromstring(moodle_xml(book, key))
    in_xml = [element for element in root if element.get("type") == "multichoice"]
    for name, at in (("q02", 1), ("q06", 5)):
        options = book.question(name).options
        expected = {options[x].text for x in key[name]}
        assert read_qti(tmp_path / "quiz.zip")[at].correct_texts == expected
        assert in_gift[at].single
        assert {text for text, share in in_gift[at].options if share == "100"} == expected
        assert in_xml[at].findtext("single") == "true"
        weights = {a.findtext("text"): a.get("fraction") for a in in_xml[at].findall("answer")}
        assert set(weights.values()) <= {"100", "0"}
        assert sum(weight == "100" for weight in weights.values()) == len(expected)


NASTY: tuple[Q, ...] = (
    (
        "A {brace} = 50% of ~1: #1\nC:\\new // no comment\n\n::two:: -> [plain]",
        1,
        "many",
        {
            "A": "%50%half",
            "B": "[html]x",
            "C": "a=b",
            "D": "~c",
            "E": "#f\\n {T}",
            "F": "// x",
            "G": "&amp; <b> -> &&058;",
        },
        "ABCG",
    ),
    ("q -> r", 1, "one", {"A": "a -> b", "B": "=c", "C": "%100%", "D": "\\", "E": "TRUE"}, "B"),
    ("all of them", 1, "many", {"A": "中文：選項", "B": "😀 100 %"}, "AB"),
    ("one of several in a choose-many", 1, "many", {"A": "x", "B": "y"}, "A"),
)


@pytest.mark.parametrize("questions", [None, NASTY], ids=["classroom", "nasty"])
def test_gift_read_back_gives_the_same_quiz(questions: tuple[Q, ...] | None) -> None:
    book = make_book(questions) if questions else make_book()
    key = letters_key(book)
    read = read_gift(gift(book, key))
    assert len(read) == len(book.questions)
    for found, question in zip(read, book.questions, strict=True):
        assert found.name == f"{question.id} {question.title}"
        assert found.prompt == question.prompt
        assert found.single == (question.choose == "one")
        assert [text for text, _ in found.options] == [option.text for option in question.options.values()]
        positive = [float(share) for _, share in found.options if float(share) > 0]
        right = {text for text, share in found.options if float(share) > 0}
        assert right == {question.options[x].text for x in key[question.id]}
        assert sum(positive) == pytest.approx(100, abs=1e-4)
        assert {float(share) for _, share in found.options} <= {0.0, positive[0], -positive[0]}


FORBIDDEN = [*map(chr, (0x00, 0x01, 0x08, 0x0B, 0x0C, 0x0E, 0x1B, 0x1F, 0xFFFE, 0xFFFF)), "\ud800", "\udfff"]
ALLOWED = "\t\n\r ~\x7f\x85\xa0\u200b\ud7ff\ue000\ufffd\U00010000\U0010fffd😀"


def marred(book: QuizBook, mark: str) -> QuizBook:
    """The quiz with `mark` in its title, and in a question's title, prompt and second option."""
    first = book.questions[0]
    option = first.options["B"].model_copy(update={"text": f"b{mark}b"})
    question = first.model_copy(
        update={"title": f"t{mark}", "prompt": f"{mark}p", "options": {**first.options, "B": option}}
    )
    return QuizBook(book.folder, book.quiz.model_copy(update={"title": f"q{mark}"}), (question, *book.questions[1:]))


@pytest.mark.parametrize("mark", FORBIDDEN, ids=[f"{ord(mark):04X}" for mark in FORBIDDEN])
def test_characters_that_xml_cannot_hold_are_named_with_their_places(book: QuizBook, mark: str) -> None:
    for export in (qti_package, moodle_xml, gift):
        with pytest.raises(InputError) as caught:
            export(marred(book, mark), letters_key(book))
        places = [problem.where for problem in caught.value.problems]
        assert places == ["nuisance, title", "q01, title", "q01, prompt", "q01, option B"]
        assert all(f"holds U+{ord(mark):04X}, which XML cannot hold" in p.what for p in caught.value.problems)


def test_all_other_characters_come_out_as_xml(tmp_path: Path, book: QuizBook) -> None:
    allowed = marred(book, ALLOWED)
    ET.fromstring(moodle_xml(allowed, letters_key(book)))
    path = tmp_path / "quiz.zip"
    path.write_bytes(qti_package(allowed, letters_key(book)))
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            ET.fromstring(package.read(name))
