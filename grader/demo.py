"""The whole framework on sound that comes with it: clips, codec, evidence, key, a sample class, its grades.

With Mimi's weights on this machine the codec is Mimi, without, it is the pocket codec. What is measured on the built-in
clips is a demonstration either way, and says so wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import audio
from basics.errors import InputError, Problem, Unavailable
from basics.files import write_whole
from evaluators.evidence import Site, Source
from evaluators.store import Store
from grader.marking.class_run import ClassRun, grade_file
from grader.marking.sample_class import write_sample_class
from grader.quiz.spec import QuizBook
from grader.report import write_report
from grader.runs import write_class_run
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
        raise InputError(Problem(str(out), "is a file, expected a folder", "name another folder with --out"))
    store.require_writable()
    out.mkdir(parents=True, exist_ok=True)
    codec, real = codec_at_hand(book.quiz.codec)
    site = Site(audio=CLIPS, corpus=STYLES, codec=codec, codec_of_record=book.quiz.codec, cache=store.root)
    accept: tuple[Source, ...] = tuple(dict.fromkeys((*book.quiz.accept, "demonstration")))
    gatherer = Gatherer(book, accept, site, store, "auto")
    results = gatherer.results(book.questions, report)
    found = replace(gatherer, mode="cached")
    testimonies = [found.testimony(question) for question in book.questions]
    key = key_from(book, testimonies, accept)
    report("grading the sample class", 1.0)
    class_csv = write_sample_class(book, key, out / CLASS_FILE)
    run = grade_file(read_submissions(class_csv, book), book, key)
    answers = write_answers(book, key, out / ANSWERS_FILE)
    written = [class_csv, answers, *write_class_run(out / GRADES_FOLDER, run)]
    report("writing the report", 1.0)
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
