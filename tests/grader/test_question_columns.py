"""Questions found though the LMS's header says more, less or something else; nothing taken for what it may not be."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from basics.errors import InputError
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook
from grader.submissions.class_file import ClassFile
from grader.submissions.model import SubmissionFile
from grader.submissions.question_columns import likeness, matching
from grader.submissions.reading import read_submissions
from tests.grader.classroom import Attempt, Q, Report, make_book

Edit = Callable[[str, random.Random], str]
TITLES = ("TWIST paper", "Moshi (arXiv 2410.00037)", "Colab notebook", "教材連結", "slides, p. 12–19")


@pytest.fixture(scope="module")
def book(repository: Path) -> QuizBook:
    return load_quiz(repository / "questions")


def answered(book: QuizBook, students: int = 12, seed: int = 1) -> list[Attempt]:
    dice = random.Random(seed)
    return [
        Attempt(
            i,
            {
                q.id: frozenset(
                    [dice.choice(list(q.options))] if q.choose == "one" else dice.sample(list(q.options), 2)
                )
                for q in book.questions
            },
        )
        for i in range(students)
    ]


def report(
    path: Path, book: QuizBook, edits: dict[str, Edit], *, extra: Sequence[tuple[str, float]] = (), seed: int = 1
) -> Path:
    """A report of the book whose headers were edited by question id; `*` edits them all."""
    everything = {q.id: frozenset(q.options) for q in book.questions}
    written = Report(canvas_key=everything, extra_columns=extra)
    rows = list(csv.reader(io.StringIO(written.text(book, answered(book)))))
    dice = random.Random(seed)
    for question in book.questions:
        edit = edits.get(question.id, edits.get("*"))
        number = f"{written.numbers[question.id]}: "
        at = next(i for i, cell in enumerate(rows[0]) if cell.startswith(number))
        if edit:
            rows[0][at] = number + edit(rows[0][at].removeprefix(number), dice)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def chosen(file: SubmissionFile) -> list[dict[str, frozenset[str]]]:
    return [submission.answers for submission in file.submissions]


def expected(book: QuizBook) -> list[dict[str, frozenset[str] | None]]:
    return [dict(attempt.answers) for attempt in reversed(answered(book))]


def problems(path: Path, book: QuizBook, class_file: ClassFile | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_submissions(path, book, class_file or ClassFile())
    return str(caught.value)


def without_words(share: float) -> Edit:
    return lambda text, dice: " ".join(word for word in text.split() if dice.random() > share) or text


def another_word(text: str, dice: random.Random) -> str:
    words = text.split()
    words[dice.randrange(len(words))] = "edited"
    return " ".join(words)


EDITS: dict[str, Edit] = {
    "a link's title at its end": lambda text, dice: f"{text} {dice.choice(TITLES)}",
    "two links' titles": lambda text, _: f"{text} {TITLES[0]}, {TITLES[1]}",
    "points at its beginning": lambda text, _: f"(0.5 pt) [multiple] {text}",
    "markup": lambda text, _: f'<p class="q">{text}</p><a href="https://example.org/x">TWIST paper</a>',
    "a word edited": another_word,
    "some words gone": without_words(0.1),
    "an ending of its own": lambda text, _: text.replace("following", "following three") + " Tick all that apply.",
    "only its first half": lambda text, _: text[: len(text) // 2],
    "another spelling": lambda text, _: text.replace("-", " – ").upper(),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_question_is_found_whatever_its_header_became(tmp_path: Path, book: QuizBook, name: str) -> None:
    for seed in range(3):
        file = read_submissions(report(tmp_path / "r.csv", book, {"*": EDITS[name]}, seed=seed), book)
        assert chosen(file) == expected(book)
        exact = {q.id for q in book.questions if [q.id] == matching(EDITS[name](q.prompt, random.Random(0)), [q])}
        told = {note.split(":")[0] for note in file.notes if "by its answers and by likeness" in note}
        if name == "a link's title at its end":
            assert told == {q.id for q in book.questions}
        if name in ("another spelling", "only its first half"):
            assert not told
            assert exact == {q.id for q in book.questions}


def test_what_was_found_by_likeness_is_noted_with_the_text(tmp_path: Path, book: QuizBook) -> None:
    path = report(tmp_path / "r.csv", book, {"q08": lambda text, _: f"{text} TWIST paper"})
    [note] = [note for note in read_submissions(path, book).notes if "likeness" in note]
    assert note.startswith("q08: question 352909 of the LMS is it by its answers and by likeness, its text there is")


def swapped(path: Path, a: str, b: str) -> Path:
    """The report with the answers of two questions (by number) exchanged, headers left as they are."""
    rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
    at = [next(i for i, cell in enumerate(rows[0]) if cell.startswith(f"{n}: ")) for n in (a, b)]
    for row in rows[1:]:
        row[at[0]], row[at[1]] = row[at[1]], row[at[0]]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_text_that_the_cells_do_not_confirm_is_refused_with_its_candidates(tmp_path: Path, book: QuizBook) -> None:
    titled: Edit = lambda text, _: f"{text} TWIST paper"  # noqa: E731
    path = swapped(report(tmp_path / "r.csv", book, {"q08": titled, "q09": titled}), "352909", "352910")
    text = problems(path, book)
    assert "question 352909 is the text of no question of this quiz" in text
    assert "most like q08 (100% alike, 0 of 12 answers name its options)" in text
    assert "most like q09 (100% alike, 0 of 12 answers name its options)" in text
    assert '"352909": q08 (its question) or ignore' in text
    assert "no column holds" not in text


def test_a_question_that_nobody_answered_is_not_confirmed(tmp_path: Path, book: QuizBook) -> None:
    path = report(tmp_path / "r.csv", book, {"q08": lambda text, _: f"{text} TWIST paper"})
    rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
    at = next(i for i, cell in enumerate(rows[0]) if cell.startswith("352909: "))
    for row in rows[1:]:
        row[at : at + 2] = ["", "0.0"]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    assert "most like q08 (100% alike, 0 of 0 answers name its options)" in problems(path, book)
    assert read_submissions(path, book, ClassFile(columns={"352909": "q08"})).submissions


def test_two_columns_that_are_like_one_question_are_both_refused(tmp_path: Path) -> None:
    book = make_book(ALIKE[:2])
    prompt = book.questions[0].prompt
    path = report(
        tmp_path / "r.csv", book, {"q01": lambda text, _: f"{text} (new)"}, extra=[(f"{prompt} (the old one)", 1.0)]
    )
    rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
    rows[1][-5], rows[1][-4] = "Alpha", "0.0"
    rows[1][8:10] = ["", ""]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    text = problems(path, book)
    assert "question 352902" in text
    assert "question 353002" in text
    both = ClassFile(columns={"352902": "q01", "353002": "q01"})
    assert read_submissions(path, book, both).submissions[0].answers["q01"] == {"A"}


ALIKE: tuple[Q, ...] = (
    ("Which hold for the first?", 1.0, "many", {"A": "Alpha", "B": "Beta", "C": "Gamma"}, "A"),
    ("Which hold for the second?", 1.0, "many", {"A": "One", "B": "Two", "C": "Three"}, "A"),
    ("Which hold for the third?", 1.0, "many", {"A": "Uno", "B": "Due", "C": "Tre"}, "A"),
)


def test_headers_of_one_template_are_told_apart_by_their_cells(tmp_path: Path) -> None:
    book = make_book(ALIKE)
    edits: dict[str, Edit] = {
        "q01": lambda *_: "Which hold for the 1st?",
        "q02": lambda *_: "Which hold for the 2nd?",
        "q03": lambda *_: "Which hold for the 3rd?",
    }
    assert chosen(read_submissions(report(tmp_path / "r.csv", book, edits), book)) == expected(book)


def test_questions_with_one_prompt_are_told_apart_by_their_cells_or_not_at_all(tmp_path: Path) -> None:
    book = make_book([("Which hold?", *question[1:]) for question in ALIKE])
    file = read_submissions(report(tmp_path / "r.csv", book, {}), book)
    assert chosen(file) == expected(book)
    same = make_book([("Which hold?", 1.0, "many", ALIKE[0][3], "A")] * 2)
    text = problems(report(tmp_path / "s.csv", same, {}), same)
    assert "question 352902 could be q01 or q02" in text
    assert "question 352903 could be q01 or q02" in text


def test_where_all_questions_have_the_same_options_the_text_must_be_nearly_the_same(tmp_path: Path) -> None:
    prompts = ("Columns of a matrix that are independent", "Masks that belong to a bipartite graph")
    book = make_book([(prompt, 1.0, "many", {x: x for x in "ABCDE"}, "A") for prompt in prompts])
    titled: Edit = lambda text, _: f"{text} notes"  # noqa: E731
    assert chosen(read_submissions(report(tmp_path / "r.csv", book, {"*": titled}), book)) == expected(book)
    half: Edit = lambda *_: "Columns of a graph that nobody asked for"  # noqa: E731
    assert "question 352902 is the text of no question" in problems(
        report(tmp_path / "s.csv", book, {"q01": half}), book
    )


def test_a_text_unlike_any_question_is_not_found_by_its_cells_alone(tmp_path: Path, book: QuizBook) -> None:
    path = report(tmp_path / "r.csv", book, {"q06": lambda *_: "Zwei Aufnahmen"})
    text = problems(path, book)
    assert "question 352907 is the text of no question of this quiz: 'Zwei Aufnahmen'" in text
    assert "no column holds q06" in text


def test_likeness_is_of_the_shorter_text(book: QuizBook) -> None:
    question = book.question("q08")
    assert likeness(question.prompt + " TWIST paper", question) == 1
    assert likeness(question.prompt[: len(question.prompt) // 2], question) == 1
    assert likeness("", question) == 0
    assert max(likeness(other.prompt, question) for other in book.questions if other.id != "q08") < 0.7
