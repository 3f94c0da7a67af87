"""What a student reads: the arithmetic, the evidence, both languages, and nothing that a name could smuggle in."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from grader.feedback.wording import work_out
from grader.feedback.writing import FeedbackWriter, file_names
from grader.marking.grading import Setting, grade
from grader.marking.scoring import Ruling, correct_options
from grader.quiz.spec import CreditRule
from grader.quiz.words import Language, words
from grader.submissions.class_file import ClassFile
from grader.submissions.model import Submission, SubmissionFile
from tests.grader.classroom import key_for, make_book

BOOK = make_book()
KEY = key_for(BOOK)
IDS = tuple(q.id for q in BOOK.questions)


def sheet(**answers: str) -> Submission:
    chosen = tuple(frozenset(answers.get(name, "")) for name in IDS)
    return Submission(
        "b12901001", IDS, chosen, name="王小明", section="ML-01", submitted=datetime(2026, 6, 18, tzinfo=UTC)
    )


def writer(
    submission: Submission, rule: CreditRule = "net-correct", class_file: ClassFile | None = None
) -> FeedbackWriter:
    file = SubmissionFile(Path("x"), "0" * 64, "plain", IDS, (submission,))
    known = class_file or ClassFile()
    grades = grade(file, Setting(BOOK, correct_options(KEY), rule, class_file=known))
    return FeedbackWriter(grades, KEY)


def page(submission: Submission, language: Language = "en", form: str = "md", **options: ClassFile) -> str:
    maker = writer(submission, **options)  # type: ignore[arg-type]
    return maker.page(maker.grades.records[0], language, form)


def test_both_languages_have_the_same_words() -> None:
    english, chinese = words("feedback", "en"), words("feedback", "zh-TW")
    assert english.keys() == chinese.keys()
    assert all(english[name] != chinese[name] for name in english)


def test_a_page_says_what_was_ticked_what_holds_why_and_what_it_earned() -> None:
    text = page(sheet(q01="BC", q02="B", q03="ACE"))
    assert "王小明 (b12901001) · ML-01" in text
    assert "**Total: 2.00 of 10.00** · Credit rule: net-correct" in text
    assert "Submitted: 2026-06-18 08:00:00 +08:00" in text
    assert "Ask for a revision before 2026-06-21 23:59:59 +08:00" in text
    assert "| B | Unlike cascades, where ASR relies on VAD, streams run at once | ticked | yes | +0.50 |" in text
    assert "| C | The LLM, not the ASR, is to blame | ticked | no | -0.50 |" in text
    assert "Points: `max(0, (1 - 1)/2) x 1 = 0.00`" in text
    assert "dice.sides = 6 sides \\[executed\\]" in text


@pytest.mark.parametrize(
    ("rule", "formula"),
    [
        ("net-correct", "max(0, (2 - 1)/3) x 1 = 0.33"),
        ("each-answer", "(5 - 1 - 1)/5 x 1 = 0.60"),
        ("coverage", "2/3 x 2/3 x 1 = 0.44"),
        ("all-or-nothing", "0 x 1 = 0.00"),
    ],
)
def test_the_formula_of_every_rule(rule: CreditRule, formula: str) -> None:
    question = BOOK.question("q03")
    result = work_out(question, frozenset("ACE"), frozenset("ABC"), rule)
    assert result.formula == formula
    assert result.points == formula.rpartition(" = ")[2]


@pytest.mark.parametrize("rule", ["net-correct", "each-answer"])
def test_the_effects_of_the_options_add_up_to_the_points(rule: CreditRule) -> None:
    question = BOOK.question("q03")
    result = work_out(question, frozenset("AB"), frozenset("A"), rule)
    assert sum(float(line.effect or 0) for line in result.options) == pytest.approx(float(result.points))


def test_a_ruling_is_shown_where_it_applies() -> None:
    ruling = Ruling(question="q01", disregard=("C",), reason="C was misprinted")
    result = work_out(BOOK.question("q01"), frozenset("BD"), frozenset("BC"), "net-correct", ruling)
    assert [line.ruling for line in result.options] == ["", "", "disregarded", "", ""]
    assert result.formula == "max(0, (1 - 0)/2) x 1 = 0.50"


def test_the_regulations_speak_for_themselves() -> None:
    late = replace_time(sheet(q01="BD"), datetime(2026, 6, 19, tzinfo=UTC))
    text = page(late)
    assert "Nothing was handed in in time." in text
    assert "**Total: 0.00" in text
    assert "late: the submission of 2026-06-19 08:00:00 +08:00 is after" in text
    guilty = ClassFile.model_validate({"violations": ({"student": "b12901001", "what": "shared answers"},)})
    assert "final grade times 0.9" in page(sheet(q01="BD"), class_file=guilty)


def replace_time(submission: Submission, moment: datetime) -> Submission:
    return replace(submission, submitted=moment)


def test_a_name_cannot_smuggle_markup_into_either_form() -> None:
    evil = replace(sheet(q12="C"), name='<script>alert("x")</script> [x](http://x) `|`')
    web = page(evil, form="html")
    assert "<script>" not in web
    assert "&lt;script&gt;" in web
    assert "A token (&lt;TT&gt;), inserted" in web
    text = page(evil)
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "\\[x\\]" in text


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_html_is_well_formed_and_says_its_language(language: Language) -> None:
    text = page(sheet(q01="BC"), language, "html")
    root = ET.fromstring(re.sub(r"<(meta[^>]*|br)>", "", text.removeprefix("<!DOCTYPE html>\n")))
    assert root.get("lang") == language
    assert len(root.findall(".//section")) == 12 + 1, "a section for each question, and the words"
    assert words("feedback", language)["title"] in ("".join(root.find(".//h1").itertext()))


def test_file_names_are_safe_and_never_alike() -> None:
    names = file_names(["../../etc/passwd", "a@b.c", "A@B.C", "a@b_c", "..", "王小明", ""])
    assert len({name.casefold() for name in names.values()}) == len(names)
    assert not any("/" in name or name.startswith(".") for name in names.values())
    assert names["王小明"] == "王小明"


def test_a_file_name_depends_on_its_own_id_alone() -> None:
    hostile = ["a/b", "a_b", "a:b", "con", "CON.txt", "x" * 300, "x" * 301, "é" * 200, "ﬁ", "fi", "=1", "-rf", "a\x1bb"]
    names = file_names(hostile)
    assert names == {name: file_names([name, *hostile[::-1]])[name] for name in hostile}
    assert len({name.casefold() for name in names.values()}) == len(hostile)
    assert all(len(name.encode()) < 200 and name.isprintable() for name in names.values())
    assert names["a_b"] == "a_b"
    assert not {name.casefold().partition(".")[0] for name in names.values()} & {"con", "nul"}


def test_grading_starts_without_numpy_and_torch() -> None:
    code = (
        "import sys, grader.runs, grader.submissions.reading;"
        "import grader.marking.class_run, grader.marking.ledger;"
        "print(sorted({'numpy', 'torch', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# What does not count, and what is still open.


def late(submission: Submission, *earlier: Submission) -> FeedbackWriter:
    """The feedback of a student whose last attempt came a day late."""
    attempts = (*earlier, replace_time(submission, datetime(2026, 6, 19, 16, tzinfo=UTC)))
    file = SubmissionFile(Path("x"), "0" * 64, "plain", IDS, attempts)
    return FeedbackWriter(grade(file, Setting(BOOK, correct_options(KEY), "net-correct")), KEY)


@pytest.mark.parametrize(("language", "said"), [("en", "late, not counted"), ("zh-TW", "逾期，不計分")])
@pytest.mark.parametrize("form", ["md", "html"])
def test_a_late_attempt_is_shown_as_it_was_given_and_said_not_to_count(
    language: Language, said: str, form: str
) -> None:
    maker = late(sheet(q01="BD", q02="B"))
    text = maker.page(maker.grades.records[0], language, form)
    assert said in text
    assert (
        words("feedback", language)["total"]
        + words("feedback", language)["colon"]
        + "0.00 "
        + words("feedback", language)["of"]
        + " 10.00"
        in text
    )
    assert text.count(words("feedback", language)["nothing"]) == 10, "two of the twelve questions were answered"
    ticked = words("feedback", language)["tick"]
    assert text.count(f"| {ticked} |" if form == "md" else f'given">{ticked}</li>') == 3
    assert "= 1.00" not in text, "no points are worked out"


def test_an_attempt_in_time_is_shown_and_the_late_one_named() -> None:
    maker = late(replace(sheet(q01="A"), attempt=2), replace(sheet(q01="BD"), attempt=1))
    text = maker.page(maker.grades.records[0], "en", "md")
    assert "late, not counted" not in text
    assert "attempt 2 of 2026-06-20 00:00:00 +08:00 is after" in text
    assert "**Total: 1.00 of 10.00**" in text


OPEN = {name: (None if name in ("q03", "q06") else chosen) for name, chosen in correct_options(KEY).items()}


@pytest.mark.parametrize(
    ("answers", "total"), [({}, "0.00 of 8.50, 1.50 open"), ({"q01": "BD", "q03": "ACE"}, "1.00 of 8.50, 1.50 open")]
)
def test_points_of_unsettled_questions_leave_what_a_total_is_out_of(answers: dict[str, str], total: str) -> None:
    file = SubmissionFile(Path("x"), "0" * 64, "plain", IDS, (sheet(**answers),))
    maker = FeedbackWriter(grade(file, Setting(BOOK, OPEN, "net-correct")), KEY)
    assert f"**Total: {total}**" in maker.page(maker.grades.records[0], "en", "md")
    assert f"{total.replace(' of ', ' / ').replace('open', '未定')}" in maker.page(
        maker.grades.records[0], "zh-TW", "md"
    )


def test_a_ruling_for_everyone_settles_what_a_total_is_out_of() -> None:
    file = SubmissionFile(Path("x"), "0" * 64, "plain", IDS, (sheet(q01="BD"),))
    given = Ruling(question="q03", everyone=True, reason="could not be heard")
    maker = FeedbackWriter(grade(file, Setting(BOOK, OPEN, "net-correct", (given,))), KEY)
    text = maker.page(maker.grades.records[0], "en", "md")
    points = sum(q.points for q in BOOK.questions if q.id != "q06")
    assert f"**Total: 2.00 of {points:.2f}, {10 - points:.2f} open**" in text
    assert "Decided by the teaching staff: could not be heard" in text
    assert text.count("not settled yet") == 1


def test_a_question_that_was_not_graded_for_a_student_is_open_for_that_student() -> None:
    given = replace(sheet(q01="BD"), chosen=(frozenset("BD"), None, *[frozenset()] * (len(IDS) - 2)))
    maker = writer(given)
    assert "**Total: 1.00 of 9.00, 1.00 open**" in maker.page(maker.grades.records[0], "en", "md")


def test_of_several_right_options_the_one_that_was_not_ticked_is_no_mistake() -> None:
    result = work_out(BOOK.question("q02"), frozenset("AB"), frozenset("A"), "net-correct")
    assert {line.letter: line.treated_rightly for line in result.options} == {
        "A": True,
        "B": None,
        "C": True,
        "D": True,
    }
    assert result.points == "1.00"


@pytest.mark.parametrize("form", ["md", "html"])
def test_pages_run_nothing_and_steer_no_terminal(form: str) -> None:
    name = "\x1b[2J\u202e<script>alert(1)</script>"
    made = writer(replace(sheet(q01="A"), name=name))
    page = made.page(made.grades.records[0], "en", form)
    assert "\\x1b" in page
    assert "\\u202e" in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert "<script" not in page.replace("\\<script", "")
    if form == "html":
        assert """<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;""" in page
