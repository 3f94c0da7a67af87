"""Grading a very large class: this project's way beside a loop that decodes and scores every row for itself.

    python benchmarks/grading.py --rows 1000000 --loop-rows 20000 --form plain
    python benchmarks/grading.py --rows 250000 --form canvas       # of which a GiB is read at most

Each side runs in a process of its own and writes `scores.csv`; the loop's is compared with this project's byte by
byte. The loop does what a script for one class would do (decode each cell, score it with fractions, sum, round),
without memory of what it has seen, and only that; this project's side also applies the regulations and writes
`result.json` and the ledger. The class is made of `--patterns` different answer sheets, each option treated rightly
with a chance of the student's own.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from grader.marking.class_run import grade_file
from grader.marking.scoring import correct_options, rounded, share
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.quiz.spec import Question, QuizBook
from grader.runs import write_class_run
from grader.submissions.cells import CellDecoder, encode, letters_or_texts
from grader.submissions.class_file import ClassFile
from grader.submissions.reading import read_submissions
from grader.verdicts.decisions import Override, as_decisions
from grader.verdicts.key import AnswerKey
from grader.verdicts.testimony import answer_key

SEED = 0


def settled_key(book: QuizBook) -> AnswerKey:
    """A key that does not depend on what evidence is at hand: what is right makes no difference to the time."""
    overrides = tuple(
        Override(question=q.id, correct=("C",) if q.choose == "one" else ("A", "C"), reason="for the benchmark")
        for q in book.questions
    )
    return answer_key(book, decisions=as_decisions(book, overrides, datetime.now(UTC)))


def answer_sheets(book: QuizBook, patterns: int, form: str) -> Iterator[list[str]]:
    """Cells of `patterns` students, as letters or as Canvas writes them."""
    dice = random.Random(SEED)
    for _ in range(patterns):
        ability = dice.betavariate(6, 2)
        yield [_cell(question, dice, ability, form) for question in book.questions]


def _cell(question: Question, dice: random.Random, ability: float, form: str) -> str:
    letters = list(question.options)
    right = {"C"} if question.choose == "one" else {"A", "C"}
    if question.choose == "one":
        chosen = ["C" if dice.random() < ability else dice.choice(letters)]
    else:
        chosen = [x for x in letters if (x in right) == (dice.random() < ability)]
    if form == "plain":
        return "".join(chosen)
    dice.shuffle(chosen)
    texts = [question.options[x].text for x in chosen]
    return texts[0] if question.choose == "one" else encode(texts)


def write_class(path: Path, book: QuizBook, rows: int, patterns: int, form: str) -> None:
    """A plain CSV or a Student Analysis report of `rows` students."""
    sheets = list(answer_sheets(book, min(rows, patterns), form))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if form == "plain":
            writer.writerow(["student_id", *(q.id for q in book.questions)])
            writer.writerows([f"b{i:08d}", *sheets[i % len(sheets)]] for i in range(rows))
            return
        questions = [x for i, q in enumerate(book.questions) for x in (f"{352902 + i}: {q.prompt}", str(q.points))]
        writer.writerow(
            ["name", "id", "sis_id", "section", "submitted", *questions, "n correct", "n incorrect", "score"]
        )
        sheets = [reported(book, sheet) for sheet in sheets]
        for i in range(rows):
            sheet = sheets[i % len(sheets)]
            writer.writerow([f"Student {i}", i, f"b{i:08d}", "A", "2026-06-18 12:00:00 UTC", *sheet])


def reported(book: QuizBook, sheet: list[str]) -> list[str]:
    """Cells with the points that Canvas gives them, and its three last columns."""
    cells, total = [], 0.0
    for question, cell in zip(book.questions, sheet, strict=True):
        right = frozenset("C" if question.choose == "one" else "AC")
        chosen = CellDecoder(question).decode(cell)
        points = float(share(question, right, chosen, "net-correct").points(question))
        cells += [cell, repr(points)]
        total += points
    return [*cells, "12", "0", repr(total)]


def grade_fast(path: Path, out: Path, book: QuizBook, key: AnswerKey) -> None:
    """This project's way."""
    class_file = ClassFile(feedback=())
    write_class_run(out, grade_file(read_submissions(path, book, class_file), book, key, class_file=class_file))


def grade_loop(path: Path, out: Path, book: QuizBook, key: AnswerKey) -> None:
    """Row after row, cell after cell."""
    decoders = [CellDecoder(question) for question in book.questions]
    correct = [correct_options(key)[q.id] or frozenset() for q in book.questions]
    out.mkdir()
    with path.open(newline="", encoding="utf-8") as source, (out / "scores.csv").open("w", newline="") as target:
        reader, writer = csv.reader(source), csv.writer(target)
        header = next(reader)
        plain = header[0] == "student_id"
        student, first, step = (0, 1, 1) if plain else (2, 5, 2)
        writer.writerow(["student_id", "name", "section", *(q.id for q in book.questions), "total", "status"])
        for row in reader:
            points = []
            for i, question in enumerate(book.questions):
                cell = row[first + step * i]
                chosen = letters_or_texts(question, decoders[i], cell) if plain else decoders[i].decode(cell)
                points.append(share(question, correct[i], chosen, book.quiz.credit_rule).points(question))
            known = ("", "") if plain else (row[0], row[3])
            total = rounded(sum(points, start=points[0] * 0))
            writer.writerow([row[student], *known, *map(rounded, points), total, "graded"])


def measured(work: Callable[..., None], *arguments: object) -> dict[str, float]:
    """Seconds, processor seconds and peak memory of `work` in a fresh process. Raises what it raises."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_measure, work, *arguments).result()


def _measure(work: Callable[..., None], *arguments: object) -> dict[str, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": time.perf_counter() - wall,
        "processor_seconds": time.process_time() - processor,
        "peak_mb": peak / (1024**2 if sys.platform == "darwin" else 1024),
    }


def side_by_side(rows: int, patterns: int, form: str) -> dict[str, Any]:
    """Both sides on one class, and whether they wrote the same scores."""
    book = load_quiz(BUILT_IN_QUIZ)
    key = settled_key(book)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_class(folder / "class.csv", book, rows, patterns, form)
        figures: dict[str, Any] = {"form": form, "patterns": patterns, "loop_rows": rows}
        figures["loop"] = measured(grade_loop, folder / "class.csv", folder / "loop", book, key)
        figures["own"] = measured(grade_fast, folder / "class.csv", folder / "own", book, key)
        figures["same_scores"] = _scores(folder / "loop") == _scores(folder / "own")
        figures["times_faster"] = figures["loop"]["processor_seconds"] / figures["own"]["processor_seconds"]
    return figures


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--loop-rows", type=int, default=20_000, help="rows of the file that both sides grade")
    parser.add_argument("--patterns", type=int, default=20_000)
    parser.add_argument("--form", choices=("plain", "canvas"), default="plain")
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    options = parser.parse_args()
    book = load_quiz(BUILT_IN_QUIZ)
    key = settled_key(book)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        large = folder / "large.csv"
        figures = side_by_side(options.loop_rows, options.patterns, options.form)
        write_class(large, book, options.rows, options.patterns, options.form)
        figures["large_rows"], figures["large_bytes"] = options.rows, large.stat().st_size
        figures["large"] = measured(grade_fast, large, folder / "large", book, key)
    text = json.dumps(figures, indent=1)
    print(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n", encoding="utf-8")


def _scores(folder: Path) -> bytes:
    return (folder / "scores.csv").read_bytes()


if __name__ == "__main__":
    main()
