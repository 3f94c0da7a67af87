"""Options by their texts, whatever copying, the LMS or a renaming did to them; and answers without a text."""

from __future__ import annotations

import csv
import html
import io
import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from basics.errors import InputError
from grader.cli import app
from grader.marking.class_run import grade_file
from grader.quiz.spec import INVISIBLE, Question, QuizBook, normalise
from grader.submissions.cells import CellDecoder, CellError, encode, strip_tags
from grader.submissions.class_file import ClassFile
from grader.submissions.model import SubmissionFile
from grader.submissions.reading import read_submissions
from tests.grader.classroom import QUESTIONS, Report, key_for, make_book, random_class, write_quiz


@pytest.fixture(scope="module")
def book() -> QuizBook:
    return make_book()


def question_of(choose: str = "many", **texts: str) -> Question:
    [question] = make_book([("?", 1, choose, texts, "A")]).questions
    return question


def with_aliases(question: Question, **aliases: list[str]) -> Question:
    data = question.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for letter, texts in aliases.items():
        data["options"][letter]["aliases"] = texts
    return Question.model_validate_json(json.dumps(data))


def sprinkled(text: str, dice: random.Random) -> str:
    """The text with invisible characters between its letters."""
    return "".join(c + chr(dice.choice(list(INVISIBLE))) * (dice.random() < 0.3) for c in text)


CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "NFD": lambda text, _: unicodedata.normalize("NFD", text),
    "NFC": lambda text, _: unicodedata.normalize("NFC", text),
    "invisible": sprinkled,
    "spaces": lambda text, dice: "".join(dice.choice(" \u00a0\u3000\u2009") if c == " " else c for c in text),
    "more spaces": lambda text, _: f"  {text} ".replace(" ", "  "),
    "quotes": lambda text, _: text.replace("'", "\u2019"),
    "NFD and invisible": lambda text, dice: sprinkled(unicodedata.normalize("NFD", text), dice),
}
NUISANCE = {
    "A": "Café, na\u00efve",
    "B": "Zero width",
    "C": "it's ﬁne",
    "D": "Ŝîĝñ co\u00adoperate",
    "E": "中文 か\u3099",
}


@pytest.mark.parametrize("name", CHANGES)
@given(st.sets(st.sampled_from("ABCDE")), st.randoms(use_true_random=False))
def test_what_nobody_sees_makes_no_difference(name: str, chosen: set[str], dice: random.Random) -> None:
    question = question_of(**NUISANCE)
    order = sorted(chosen)
    dice.shuffle(order)
    texts = [CHANGES[name](question.options[x].text, dice) for x in order]
    assert CellDecoder(question).decode(encode(texts)) == chosen


@given(st.text(max_size=30))
def test_comparing_changes_nothing_that_was_made_comparable(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


def test_two_options_that_only_differ_in_what_nobody_sees_are_refused() -> None:
    with pytest.raises(ValidationError, match="has the same text as another option"):
        question_of(A="co\u00adop", B="coop")


@pytest.mark.parametrize(
    "text",
    [
        "PESQ < 2 & STOI > 0.9",
        "a &amp; b",
        "<b>bold</b> & plain",
        "R&D",
        "List<int> and x",
        "1 &lt; 2 &gt; 0",
        "no markup",
        "Q&A; both",
    ],
)
def test_options_are_read_as_the_lms_strips_them(text: str) -> None:
    """As HTML that was stripped of tags and entities, decoded, or as it stands: all of them are the option."""
    question = question_of(A=text, B="something else")
    decoder = CellDecoder(question)
    for cell in (text, strip_tags(text), strip_tags(html.escape(text, quote=False)), html.unescape(text)):
        if normalise(cell):
            assert decoder.decode(encode([cell])) == {"A"}
            assert decoder.decode(encode(["something else", cell])) == {"A", "B"}


def test_texts_that_stripping_makes_equal_are_not_guessed_at() -> None:
    with pytest.raises(CellError, match="can be read as A or B"):
        CellDecoder(question_of(A="a &amp; b", B="a b")).decode("a b")


@pytest.mark.parametrize(
    ("cell", "points"),
    [
        ("B\u0435ta", "the cell has U+0435 CYRILLIC SMALL LETTER IE"),
        ("co\u2011operate", "the cell has U+2011 NON-BREAKING HYPHEN"),
        ("Beta,co\u2011operate", "the cell has U+2011 NON-BREAKING HYPHEN"),
        ("5 \u2126", None),
        ("5 \u03c9", "the cell has U+03C9 GREEK SMALL LETTER OMEGA; the option has U+03A9"),
        ("half -- time", "the option has U+2014 EM DASH"),
    ],
)
def test_a_cell_that_looks_like_an_option_shows_its_code_points(cell: str, points: str | None) -> None:
    decoder = CellDecoder(question_of(A="Beta", B="co-operate", C="5 \u03a9", D="half \u2014 time"))
    if points is None:
        assert decoder.decode(cell) == {"C"}  # OHM SIGN is composed to OMEGA
        return
    with pytest.raises(CellError) as caught:
        decoder.decode(cell)
    assert f"({points}" in str(caught.value)


@pytest.mark.parametrize("text", ["nonsense", "Beta2"])
def test_plain_nonsense_shows_no_code_points(text: str) -> None:
    with pytest.raises(CellError) as caught:
        CellDecoder(question_of(A="Beta", B="Gamma")).decode(text)
    assert "U+" not in str(caught.value)


def test_an_option_is_read_under_its_older_texts(tmp_path: Path, book: QuizBook) -> None:
    old = {"A": ["Finishing, with ASR"], "C": ["The model", "Old, older"]}
    first = with_aliases(book.questions[0], **old)
    renamed = QuizBook(book.folder, book.quiz, (first, *book.questions[1:]))
    decoder = CellDecoder(first)
    assert decoder.decode("Finishing\\, with ASR,Old\\, older") == {"A", "C"}
    assert decoder.decode("End to end\\, with ASR and TTS,The model") == {"A", "C"}
    with pytest.raises(CellError):
        decoder.decode("The model,Old\\, older")  # one option, twice
    path = tmp_path / "class.csv"
    ids = ",".join(question.id for question in book.questions)
    path.write_text(f'student_id,{ids}\ns1,"Old, older",{"," * 10}\n', encoding="utf-8")
    assert read_submissions(path, renamed).submissions[0].answers["q01"] == {"C"}


@pytest.mark.parametrize(
    ("aliases", "fault"),
    [
        ({"A": ["Gamma"]}, "option C has the same text as another option"),
        ({"A": ["old"], "B": ["old "]}, "option B has the same text as another option"),
        ({"A": ["Al\u200bpha"]}, "option A names a text twice"),
        ({"B": ["x", "x"]}, "option B names a text twice"),
    ],
)
def test_aliases_that_name_two_options_are_refused(aliases: dict[str, list[str]], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        with_aliases(question_of(A="Alpha", B="Beta", C="Gamma"), **aliases)


FORMULAS = (
    ("Which powers?", 1.0, "many", {"A": "$x^2$", "B": "$x^3$", "C": "\\(x^4, y\\)", "D": "none of these"}, "AB"),
    *QUESTIONS[1:],
)


def stripped_report(tmp_path: Path, *cells: tuple[str, str]) -> tuple[QuizBook, Path]:
    """A report in which the first question's cells and points are these."""
    book = make_book(FORMULAS)
    rows = list(csv.reader(io.StringIO(Report(all_versions=False).text(book, random_class(book, len(cells))))))
    at = rows[0].index("352902: Which powers?")
    for row, pair in zip(rows[1:], cells, strict=True):
        row[at : at + 2] = pair
    path = tmp_path / "r.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return book, path


def first_answers(file: SubmissionFile) -> list[set[str] | None]:
    return [None if s.chosen[0] is None else set(s.chosen[0]) for s in file.submissions]


def test_an_empty_cell_with_points_is_not_graded_and_named(tmp_path: Path) -> None:
    book, path = stripped_report(tmp_path, ("", "1.0"), ("", "0.0"), ("none of these", "0.0"), (",", "0.0"))
    file = read_submissions(path, book)
    assert first_answers(file) == [None, set(), {"D"}, None]
    [note] = [note for note in file.notes if note.startswith("q01: in rows 2, 5 the cell names no option")]
    assert note.endswith("an empty cell without points there may hide such an option, too")
    grades = grade_file(file, book, key_for(book)).grades
    assert {name for _, name in grades.ungraded} == {"q01"}
    assert not grades.complete


def test_that_an_empty_cell_is_an_empty_answer_can_be_confirmed(tmp_path: Path) -> None:
    confirmed = ClassFile(empty_cells="points were given to everybody by hand")
    book, path = stripped_report(tmp_path, ("", "1.0"), (",", "0.0"))
    file = read_submissions(path, book, confirmed)
    assert first_answers(file) == [set(), None]
    assert any("confirmed: points were given to everybody by hand" in note for note in file.notes)
    book, path = stripped_report(tmp_path, ("", "0.0"), ("none of these", "0.0"))
    with pytest.raises(InputError, match="class file, empty_cells: fits nothing"):
        read_submissions(path, book, confirmed)


def test_a_formula_is_read_in_each_of_its_spellings(tmp_path: Path) -> None:
    shown = "[LaTeX: x^2] (/equation_images/x%5E2),[LaTeX: x^4\\, y] (/equation_images/x%5E4%2C%20y)"
    book, path = stripped_report(tmp_path, (shown, "0.0"), ("$x^2$,\\(x^4\\, y\\)", "0.0"), ("$x^4\\, y$", "0.0"))
    assert first_answers(read_submissions(path, book)) == [{"A", "C"}, {"A", "C"}, {"C"}]


def test_an_aliased_quiz_is_valid_on_disk(tmp_path: Path) -> None:
    folder = write_quiz(tmp_path / "quiz")
    data = json.loads((folder / "q01.yaml").read_text(encoding="utf-8"))
    data["options"]["A"]["aliases"] = ["Older"]
    assert Question.model_validate_json(json.dumps(data)).options["A"].texts == (QUESTIONS[0][3]["A"], "Older")


@pytest.mark.parametrize(
    ("name", "ungraded"),
    [
        ("latex_blank", {("b12901001", "q01"), ("b12901002", "q01")}),
        ("latex_only", {(f"b1290100{i}", "q01") for i in (1, 2, 3)} | {("b12901001", "q02")}),
        ("latex_shown", set()),
    ],
)
def test_the_case_of_the_formulas(shared: Path, tmp_path: Path, name: str, ungraded: set[tuple[str, str]]) -> None:
    cases, out = shared / "cases/grading", tmp_path / "out"
    quiz = cases / "quiz16"
    arguments = ["grade", cases / f"c16/{name}.csv", "--quiz", quiz, "--override", quiz / "key.yaml", "--out", out]
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exit_code == (3 if ungraded else 0), done.output
    said = json.loads(done.output)
    assert {tuple(pair) for pair in said["ungraded"]} == ungraded
