"""Quizzes to start from: complete, small, decided at once, with an invented class."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined

from basics.csv_source import csv_text
from basics.errors import InputError, Problem, Unavailable
from basics.files import write_whole
from basics.folders import staging
from basics.messages import Message, say
from basics.yaml_source import Source, read, validate
from evaluators.evidence import Frozen, Standing, identifier
from evaluators.store import Store
from grader.quiz.loading import QUIZ_FILE, load_quiz
from grader.quiz.spec import Question, QuizBook
from grader.submissions.cells import encode
from grader.verdicts.key import AnswerKey
from grader.verdicts.record import write_record
from grader.verdicts.testimony import Gatherer, key_from

Kind = Literal["python", "notebook", "table", "command", "facts"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STARTERS = Path(__file__).with_name("starters")
CLASS_FILE, README = "class.csv", "README.md"
STUDENTS, SEED, RIGHT = 30, 2026, 0.8
"""The invented class: how many, and how likely each option is answered rightly."""
WEEK, WEEKS = timedelta(weeks=1), timedelta(weeks=4)


class Starter(Frozen):
    """What a quiz of one kind starts from.

    Attributes:
        about: the kind, in a sentence.
        accept: the sources that such a quiz accepts.
        edit: the file to edit first.
        files: texts by the names of the quiz's files; the questions are the YAML files with a prompt.
    """

    about: str
    accept: tuple[Standing, ...]
    edit: str
    files: dict[str, str]

    @property
    def questions(self) -> dict[str, str]:
        """The texts of the question files by name, in order."""
        return {name: text for name, text in self.files.items() if text.startswith("id:")}


@cache
def starter(kind: Kind) -> Starter:
    """What a quiz of this kind starts from."""
    return validate(Starter, read(STARTERS / f"{kind}.yaml"))


def new_quiz(folder: Path, kind: Kind, *, today: datetime | None = None) -> QuizBook:
    """Write a quiz of this kind into a folder that is not there or empty, with its evidence of record and a class.

    It is there whole or not at all. Raises InputError for a folder that holds anything, Unavailable where a package is
    not installed that its evidence needs.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(Problem(str(folder), say("is there already and is not empty"), say("name a new folder")))
    if not re.search(r"[^\W_]", folder.resolve().name):
        raise InputError(Problem(str(folder), say("is no name for a quiz"), say("use letters, digits, - and _")))
    made, today = starter(kind), today or datetime.now(UTC)
    with staging(folder) as stage:
        begun = stage.file(QUIZ_FILE).parent
        deadline = (today + WEEKS).replace(hour=23, minute=59, second=0, microsecond=0)
        files = {**made.files, QUIZ_FILE: _quiz(folder.resolve().name, made, deadline)}
        for name, text in files.items():
            write_whole(stage.file(name), text.encode())
        book = load_quiz(begun)
        key = _decide(book)
        write_whole(stage.file(CLASS_FILE), made_up_class(book, key, STUDENTS, today).encode())
        write_whole(stage.file(README), _readme(folder, made, book).encode())
        stage.commit()
    return load_quiz(folder)


def _decide(book: QuizBook) -> AnswerKey:
    """Gather the evidence, make it evidence of record, and decide by it."""
    gatherer = Gatherer(book, book.quiz.accept, book.site, Store(), "auto")
    for result in gatherer.results(book.questions, lambda *_: None):
        if result.problem is not None:
            raise Unavailable(result.problem.what, result.problem.remedy)
        if result.evidence is not None:
            write_record(book.folder, result.evidence)
    gatherer = Gatherer(book, book.quiz.accept, book.site, None, "cached")
    return key_from(book, [gatherer.testimony(question) for question in book.questions], book.quiz.accept)


def _quiz(name: str, made: Starter, deadline: datetime) -> str:
    made_id = re.sub(r"[^\w-]+", "-", name.lower()).strip("-_")
    title = re.sub(r"[-_]+", " ", name).strip().capitalize()
    return f"""\
# A quiz. What every key means: docs/quiz.md of Earwitness.
id: "{made_id}"
title: "{title}"
course: The name of your course
total: {2 * len(made.questions)}
accept: [{", ".join(made.accept)}]  # sources of evidence that count, the one that wins first
credit_rule: net-correct
time_zone: UTC
deadline: {deadline.isoformat()}
questions: [{", ".join(made.questions)}]
"""


def made_up_class(book: QuizBook, key: AnswerKey, students: int, today: datetime) -> str:
    """Submissions, as CSV, of students that do not exist: each treats most options rightly, by a seed."""
    dice = random.Random(SEED)
    end = min(today + WEEK, book.quiz.deadline)
    columns = ["student_id", "name", "submitted", "attempt", *(question.id for question in book.questions)]
    rows = [
        [
            f"u{number:03}",
            f"Student {number}",
            (end - timedelta(minutes=dice.randrange(10_000))).replace(microsecond=0).isoformat(),
            "1",
            *(encode(_answer(question, key, dice)) for question in book.questions),
        ]
        for number in range(1, students + 1)
    ]
    return csv_text([columns, *rows])


def _answer(question: Question, key: AnswerKey, dice: random.Random) -> list[str]:
    correct = key.question(question.id).correct or ()
    if question.choose == "one":
        return [correct[0] if correct and dice.random() < RIGHT else dice.choice(list(question.options))]
    return [letter for letter in question.options if (letter in correct) == (dice.random() < RIGHT)]


def _readme(folder: Path, made: Starter, book: QuizBook) -> str:
    first = book.questions[0]
    environment = Environment(
        loader=PackageLoader("grader.authoring", "starters"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(f"{README}.j2").render(
        title=book.quiz.title,
        about=made.about,
        edit=made.edit,
        questions=list(made.questions),
        name=shlex.quote(folder.name),
        first=first.id,
        letter=next(iter(first.options)),
        students=STUDENTS,
    )


def new_question(name: str, kind: Kind, folder: Path) -> list[Path]:
    """Add a question of this kind to a quiz, with the files that its evidence reads; the paths that were written.

    Nothing is changed where a file of another content is there. Raises InputError for a name that is taken or none.
    """
    book = load_quiz(folder)
    try:
        name = identifier(name)
    except ValueError as error:
        raise InputError(
            Problem(name, say("is no id of a question"), say("use small letters, digits and _, a letter first"))
        ) from error
    if name in [question.id for question in book.questions]:
        raise InputError(Problem(name, say("is a question of the quiz already"), say("choose another id")))
    made = starter(kind)
    _, text = next(iter(made.questions.items()))
    texts = {f"{name}.yaml": re.sub(r"\Aid: .*", f"id: {name}", text)}
    texts |= {other: text for other, text in made.files.items() if other not in made.questions}
    taken = [other for other, text in texts.items() if _differs(folder / other, text)]
    if taken:
        what, remedy = (
            say("is there already, with other content"),
            say("move it away, or name the question's files yourself"),
        )
        raise InputError(Problem(str(folder / other), what, remedy) for other in taken)
    missing = [source for source in made.accept if source not in book.quiz.accept]
    quiz = _extended(read(folder / QUIZ_FILE), f"{name}.yaml", book.quiz.total + 2, missing)
    written = [folder / other for other in texts if not (folder / other).exists()]
    for path in written:
        write_whole(path, texts[path.name].encode())
    write_whole(folder / QUIZ_FILE, quiz.encode())
    return [*written, folder / QUIZ_FILE]


def _differs(path: Path, text: str) -> bool:
    return path.exists() and path.read_bytes() != text.encode()


def _extended(source: Source, name: str, total: float, accept: list[Standing]) -> str:
    """The text of quiz.yaml with one more question, its points, and the sources that it needs.

    Raises InputError where the file is written so that this has to be done by hand.
    """
    wanted = {**source.data, "questions": [*source.data["questions"], name], "total": total}
    if accept and "accept" in source.data:
        wanted["accept"] = [*source.data["accept"], *accept]
    lines = source.path.read_text(encoding="utf-8").splitlines(keepends=True)
    for key in ("questions", "accept"):
        if key in wanted and wanted[key] != source.data[key]:
            added = wanted[key][len(source.data[key]) :]
            last = source.lines[key, len(source.data[key]) - 1] - 1
            lines[last] = _with(lines[last], added)
    at = source.lines["total",] - 1
    lines[at] = re.sub(r"(total:\s*)[\d.eE+-]+", rf"\g<1>{total:g}", lines[at])
    text = "".join(lines)
    what: Message | None = None
    if accept and "accept" not in source.data:
        what = say("accept in quiz.yaml has to name {sources}", sources=", ".join(accept))
    elif _data(source.path, text) != wanted:
        what = say("could not be extended as it is written")
    if what is not None:
        remedy = say(
            "add {file} to `questions` and 2 to `total` by hand, or write `questions: [a.yaml, b.yaml]` on a line",
            file=name,
        )
        raise InputError(Problem(source.path.name, what, remedy))
    return text


def _with(line: str, added: list[str]) -> str:
    """A line that ends a list, with more items."""
    if "]" in line:
        before, _, after = line.rpartition("]")
        return f"{before}, {', '.join(added)}]{after}"
    item = re.match(r"\s*- ", line)
    end = "" if line.endswith("\n") else "\n"
    return line + end + "".join(f"{item[0] if item else ''}{one}\n" for one in added)


def _data(path: Path, text: str) -> object:
    """What a text would say in the place of a file."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        return read(beside).data
    except InputError:
        return None
    finally:
        beside.unlink(missing_ok=True)


def kinds() -> Iterator[tuple[Kind, str]]:
    """Every kind with what it is."""
    yield from ((kind, starter(kind).about) for kind in KINDS)
