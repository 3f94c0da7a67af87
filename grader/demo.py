"""The whole framework on sound that comes with it: clips, codec, evidence, key, a sample class, its grades.

With Mimi's weights on this machine the codec is Mimi, without, it is the pocket codec. What is measured on the built-in
clips is a demonstration either way, and says so wherever it is shown.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from fractions import Fraction
from pathlib import Path

import audio
from basics.csv_source import csv_text
from basics.errors import InputError, Problem, Unavailable
from basics.files import write_whole
from basics.messages import say
from evaluators.evidence import Standing
from evaluators.store import Store
from grader.marking.class_run import ClassRun, grade_file
from grader.marking.scoring import share
from grader.quiz.spec import Question, QuizBook
from grader.report import write_report
from grader.runs import write_class_run
from grader.submissions.cells import encode
from grader.submissions.reading import read_submissions
from grader.verdicts.key import AnswerKey
from grader.verdicts.testimony import Gatherer, Result, Testimony, key_from

GROUND = Path(audio.__file__).parent
CLIPS, POCKET = GROUND / "clips", GROUND / "pocket_mimi"
STYLES = CLIPS / "styles"
CLASS_FILE, ANSWERS_FILE, GRADES_FOLDER, REPORT_FILE = "class.csv", "answers.yaml", "grades", "report.html"

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration made."""

    codec: str
    real: bool
    results: list[Result]
    testimonies: list[Testimony]
    key: AnswerKey
    run: ClassRun
    written: list[Path]


def codec_at_hand(codec_of_record: str) -> tuple[str, bool]:
    """The codec to use and whether it is the one of record; nothing is downloaded."""
    from audio.codec.weights import find_weights

    try:
        find_weights(codec_of_record, download=False)
    except Unavailable:
        return str(POCKET), False
    return codec_of_record, True


def demonstrate(book: QuizBook, out: Path, store: Store, report: Report) -> Demonstration:
    """Run everything and write the results into `out`. Raises InputError if `out` cannot be a folder."""
    if out.exists() and not out.is_dir():
        raise InputError(Problem(str(out), say("is a file, expected a folder"), say("name another folder with --out")))
    store.require_writable()
    out.mkdir(parents=True, exist_ok=True)
    codec, real = codec_at_hand(book.quiz.codec)
    site = replace(book.site, audio=CLIPS, corpus=STYLES, codec=codec, cache=store.root)
    accept: tuple[Standing, ...] = tuple(dict.fromkeys((*book.quiz.accept, "demonstration")))
    gatherer = Gatherer(book, accept, site, store, "auto")
    results = gatherer.results(book.questions, report)
    found = replace(gatherer, mode="cached")
    testimonies = [found.testimony(question) for question in book.questions]
    key = key_from(book, testimonies, accept)
    report(say("grading the sample class"), 1.0)
    class_csv = write_sample_class(book, key, out / CLASS_FILE)
    run = grade_file(read_submissions(class_csv, book), book, key)
    answers = write_answers(book, key, out / ANSWERS_FILE)
    written = [class_csv, answers, *write_class_run(out / GRADES_FOLDER, run)]
    report(say("writing the report"), 1.0)
    page = write_report(
        book,
        testimonies,
        key,
        out=out / REPORT_FILE,
        edition="ta",
        language="en",
        store=store,
        grades=run.grades,
        corpus=STYLES,
    )
    written.append(page)
    return Demonstration(codec, real, results, testimonies, key, run, written)


def write_answers(book: QuizBook, key: AnswerKey, path: Path) -> Path:
    """A student's answers with one slip, to try `earwitness check` on: the first option of every question is turned."""
    lines = ["# Answers of an invented student: letters as in the question files.", "answers:"]
    for question in book.questions:
        correct = key.question(question.id).correct or ()
        first = next(iter(question.options))
        ticked = (
            sorted({*correct} ^ {first}) if question.choose == "many" and question == book.questions[0] else correct
        )
        lines.append(f"  {question.id}: [{', '.join(ticked)}]")
    write_whole(path, ("\n".join(lines) + "\n").encode())
    return path


SURNAMES = ("Chen", "Lin", "Huang", "Chang", "Li", "Wang", "Wu", "Liu", "Tsai", "Yang", "Hsu", "Cheng")
NAMES = ("Yi-Chun", "Po-Wei", "Ting-Yu", "Jia-Hao", "Hsin-Yi", "Wei-Ting", "Yu-Xuan", "Pin-Yu", "Chih-Hao", "Mei-Ling")
HEAD = ("name", "id", "sis_id", "section", "section_id", "section_sis_id", "submitted", "attempt")
TAIL = ("n correct", "n incorrect", "score")
FIRST_COLUMN = 352901
"""The number that the LMS would give to the first question."""


def write_sample_class(book: QuizBook, key: AnswerKey, path: Path, *, students: int = 40, seed: int = 2026) -> Path:
    """Write the class as a Student Analysis report (UTF-8 with a byte order mark, newest first)."""
    dice = random.Random(seed)
    rows = [row for student in range(students) for row in _attempts(book, key, student, dice)]
    columns = [
        cell for i, q in enumerate(book.questions) for cell in (f"{FIRST_COLUMN + i}: {q.prompt}", f"{q.points:g}")
    ]
    newest_first = sorted(rows, key=lambda row: row[HEAD.index("submitted")], reverse=True)
    write_whole(path, csv_text([[*HEAD, *columns, *TAIL], *newest_first], bom=True).encode())
    return path


def _attempts(book: QuizBook, key: AnswerKey, student: int, dice: random.Random) -> Iterator[list[str]]:
    ability = dice.betavariate(7, 2)
    name = f"{dice.choice(SURNAMES)}, {dice.choice(NAMES)}"
    deadline = book.quiz.deadline.astimezone(UTC)
    submitted = deadline - timedelta(minutes=dice.randint(5, 9 * 24 * 60))
    late = student == 3
    for attempt in range(1, dice.choice((1, 1, 1, 2)) + 1):
        moment = deadline + timedelta(hours=2) if late else min(submitted + timedelta(hours=attempt), deadline)
        yield [
            name,
            str(98000 + student),
            f"b129{student:05d}",
            f"Class {'AB'[student % 2]}",
            "45510",
            "",
            f"{moment:%Y-%m-%d %H:%M:%S} UTC",
            str(attempt),
            *_cells(book, key, min(1.0, ability + 0.1 * (attempt - 1)), dice),
        ]


def _cells(book: QuizBook, key: AnswerKey, ability: float, dice: random.Random) -> list[str]:
    """Answer and the LMS's points for each question, then the report's own totals."""
    cells: list[str] = []
    points: list[Fraction] = []
    for question in book.questions:
        correct = frozenset(key.question(question.id).correct or ())
        chosen = _chosen(question, correct, ability, dice)
        points.append(share(question, correct, frozenset(chosen), "net-correct").points(question))
        cells += [_cell(question, chosen), str(float(points[-1]))]
    right = sum(earned > 0 for earned in points)
    return [*cells, str(right), str(len(points) - right), str(float(sum(points)))]


def _chosen(question: Question, correct: frozenset[str], ability: float, dice: random.Random) -> list[str]:
    letters = list(question.options)
    if question.choose == "one":
        return [*correct][:1] if dice.random() < ability and correct else [dice.choice(letters)]
    chosen = [x for x in letters if (x in correct) == (dice.random() < ability)]
    return dice.sample(chosen, len(chosen))


def _cell(question: Question, chosen: list[str]) -> str:
    texts = [question.options[letter].text for letter in chosen]
    return texts[0] if question.choose == "one" else encode(texts)
