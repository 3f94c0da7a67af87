"""A quiz with every nuisance of the LMS in its texts, a class that answers it, and the reports Canvas would write.

The reports follow Canvas's own rules (encoding of answers, header, points), written here independently of the readers.
"""

from __future__ import annotations

import csv
import html
import io
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import Result

from evaluators.evidence import Measurement
from grader.quiz.claims import AtLeast, Equals, Form
from grader.quiz.spec import EvidenceRequest, Option, Question, Quiz, QuizBook
from grader.verdicts.decisions import Decisions
from grader.verdicts.judge import judge
from grader.verdicts.key import AnswerKey, make_key

SIDES = Measurement(name="dice.sides", value=6, unit="sides", source="executed")
OFFER = EvidenceRequest(evaluator="dice")

Command = Callable[..., Result]

Q = tuple[str, float, str, dict[str, str], str]
"""Prompt, points, choose, option texts, correct letters."""

QUESTIONS: tuple[Q, ...] = (
    (
        "Which holds, of cascade and end-to-end models?",
        1,
        "many",
        {
            "A": "End to end, with ASR and TTS",
            "B": "Unlike cascades, where ASR relies on VAD, streams run at once",
            "C": "The LLM, not the ASR, is to blame",
            "D": "In cascades, text comes first",
            "E": "One stage, for both",
        },
        "BD",
    ),
    (
        "PESQ < 2 and STOI: what follows?\nThink of both.",
        1,
        "one",
        {"A": "Nothing", "B": "Nothing, or so", "C": "Everything", "D": "A,B"},
        "B",
    ),
    (
        "Options that begin alike",
        1,
        "many",
        {"A": "A", "B": "A, which is long", "C": "B \\", "D": "B", "E": "中文，選項，很長"},
        "ACE",
    ),
    (
        "Thinker\u2013Talker & Moshi: which are \u201cright\u201d?",
        1,
        "many",
        {
            "A": "\u201cReasoning\u201d and speech, apart",
            "B": "Talker is TTS-like",
            "C": "Streams, two of them",
            "D": "Text first, then speech",
            "E": "Full-duplex, more naturally",
        },
        "ABCE",
    ),
    (
        "UMAP of layers 0, 6, 16, and 31",
        1,
        "many",
        {
            "A": "Non-linear",
            "B": "Colours are labels",
            "C": "31 > 0",
            "D": "0 > 31",
            "E": "\"Sleepy\" and 'Angry', apart",
        },
        "ABE",
    ),
    (
        "English and Chinese speech",
        0.5,
        "one",
        {"A": "Chinese, by far", "B": "Neither, suggesting failure", "C": "Both, at once", "D": "English, by far"},
        "C",
    ),
    (
        "laughter.wav and music.wav",
        0.5,
        "one",
        {
            "A": "laughter.wav, indicating X",
            "B": "laughter.wav, suggesting Y",
            "C": "music.wav, indicating Z",
            "D": "music.wav, showing W",
        },
        "C",
    ),
    (
        "TWIST, and its results",
        0.5,
        "many",
        {
            "A": "Freezing, inferior",
            "B": "Only 10%, of data",
            "C": "ImageGPT, too",
            "D": "50Hz, best",
            "E": "A quarter, of steps",
        },
        "ABE",
    ),
    (
        "Tokens <b>and</b> roles &amp; more",
        0.5,
        "many",
        {
            "A": "Semantic, long-term",
            "B": "Acoustic, details",
            "C": "Text, only",
            "D": "Hierarchical, both",
            "E": "Rules, by hand",
        },
        "ABD",
    ),
    (
        "Interleaving in GLM-4-Voice",
        1,
        "many",
        {
            "A": "13 text, 26 speech",
            "B": "Shorter, mostly",
            "C": "Synthetic, (replacing spans)",
            "D": "Summary, at the end",
            "E": "PAD tokens, aligned",
        },
        "ACE",
    ),
    (
        "Low latency: what is responsible?",
        1,
        "many",
        {
            "A": "12.5 Hz, 80 ms",
            "B": "A small Depth Transformer",
            "C": "No cascade, one model",
            "D": '10-second "chunks"',
            "E": "44.1 kHz, raw",
        },
        "ABC",
    ),
    (
        "Full-duplex, in Moshi",
        1,
        "many",
        {
            "A": "VAD, with reset",
            "B": "Three streams: user, assistant, text",
            "C": "A token (<TT>), inserted",
            "D": "Volume, sensed",
            "E": "Frame-by-frame, always",
        },
        "BE",
    ),
)


def claim_for(question: Q, letter: str) -> Form:
    """Supported for the correct letters when a die has six sides; of a choose-one question never two at once."""
    if question[2] == "one":
        return Equals(equals=("dice.sides", 6.0 if letter in question[4] else 10.0 + ord(letter)))
    return AtLeast(at_least=("dice.sides", 5.0 if letter in question[4] else 7.0))


def make_book(questions: Sequence[Q] = QUESTIONS, folder: Path = Path("quiz"), **settings: object) -> QuizBook:
    """The quiz as loaded; `settings` go into quiz.yaml's fields."""
    built = tuple(
        Question(
            id=f"q{i:02d}",
            title=f"Question {i}",
            points=float(points),
            choose="one" if choose == "one" else "many",
            prompt=prompt,
            evidence=(OFFER,),
            options={x: Option(text=text, claim=claim_for(question, x)) for x, text in question[3].items()},
        )
        for i, question in enumerate(questions, 1)
        for prompt, points, choose, _, _ in [question]
    )
    fields = {
        **QUIZ,
        "total": sum(float(q[1]) for q in questions),
        "questions": [f"{q.id}.yaml" for q in built],
        **settings,
    }
    return QuizBook(folder, Quiz.model_validate_json(json.dumps(fields)), built)


QUIZ: dict[str, object] = {
    "id": "nuisance",
    "title": "HW10",
    "deadline": "2026-06-18T23:59:59+08:00",
    "release": "2026-06-19T23:59:59+08:00",
    "revision_until": "2026-06-21T23:59:59+08:00",
    "time_zone": "Asia/Taipei",
    "regulations": {"attempts": "latest", "attempts_per_day": 5, "late_grace_seconds": 0},
}


def write_quiz(folder: Path, questions: Sequence[Q] = QUESTIONS, **settings: object) -> Path:
    """The same quiz as YAML files (JSON is YAML), for the command line."""
    folder.mkdir(parents=True, exist_ok=True)
    book = make_book(questions, folder, **settings)
    quiz = book.quiz.model_dump(mode="json", exclude_defaults=True)
    (folder / "quiz.yaml").write_text(json.dumps(quiz, ensure_ascii=False), encoding="utf-8")
    for question in book.questions:
        data = question.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        (folder / f"{question.id}.yaml").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return folder


def key_for(book: QuizBook, decisions: Decisions = (), measured: Measurement = SIDES) -> AnswerKey:
    """The key that the evidence "a die has six sides" gives."""
    candidates = {"dice.sides": (measured,)}
    verdicts = {q.id: {x: judge(o.claim, candidates) for x, o in q.options.items()} for q in book.questions}
    return make_key(book, verdicts, accepted=book.quiz.accept, decisions=decisions)


def letters_key(book: QuizBook) -> dict[str, frozenset[str]]:
    """Correct letters by question id."""
    return {q.id: frozenset(q.correct or ()) for q in key_for(book).questions}


@dataclass
class Attempt:
    """One attempt as Canvas knows it."""

    student: int
    answers: Mapping[str, frozenset[str] | None]
    number: int = 1
    submitted: datetime = datetime(2026, 6, 18, 12, 0, tzinfo=UTC)
    name: str = ""
    section: str = "Class A"
    sis_id: str | None = None

    @property
    def login(self) -> str:
        return f"b{self.student:08d}" if self.sis_id is None else self.sis_id


def random_class(book: QuizBook, students: int, seed: int = 1, *, attempts: int = 1) -> list[Attempt]:
    """Students of varied ability: each treats an option rightly with a probability of their own."""
    dice = random.Random(seed)
    key = letters_key(book)
    result = []
    for student in range(students):
        ability = dice.betavariate(6, 2)
        for number in range(1, attempts + 1):
            answers = {q.id: _answer(dice, list(q.options), key[q.id], ability, q.choose) for q in book.questions}
            at = datetime(2026, 6, 17, 2, tzinfo=UTC) + timedelta(minutes=student, hours=number)
            result.append(
                Attempt(student, answers, number, at, f"Student, No. {student}", f"Class {'AB'[student % 2]}")
            )
    return result


def _answer(
    dice: random.Random, letters: list[str], correct: frozenset[str], ability: float, choose: str
) -> frozenset[str]:
    if choose == "one":
        return correct if dice.random() < ability else frozenset(dice.choice(letters))
    return frozenset(x for x in letters if (x in correct) == (dice.random() < ability))


ENGLISH = ["name", "id", "sis_id", "section", "section_id", "section_sis_id", "submitted", "attempt"]
CHINESE = ["名稱", "ID", "sis_id", "班別", "section_id", "section_sis_id", "已提交", "作答紀錄"]
TAIL = {"en": ["n correct", "n incorrect", "score"], "zh": ["n  正確", "n 不正確", "分數"]}


@dataclass
class Report:
    """How Canvas writes the report."""

    language: str = "en"
    bom: bool = False
    all_versions: bool = True
    html_to_text: bool = False
    separator: str = ","
    shuffle_seed: int = 0
    extra_columns: Sequence[tuple[str, float]] = ()
    canvas_key: Mapping[str, frozenset[str]] | None = None
    first_number: int = 352902
    numbers: dict[str, int] = field(default_factory=dict)

    def text(self, book: QuizBook, attempts: Sequence[Attempt]) -> str:
        """The CSV text."""
        dice = random.Random(self.shuffle_seed)
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=self.separator)
        head = list(ENGLISH if self.language == "en" else CHINESE)
        if not self.all_versions:
            head.remove("attempt" if self.language == "en" else "作答紀錄")
        key = self.canvas_key or letters_key(book)
        for i, question in enumerate(book.questions):
            self.numbers[question.id] = self.first_number + i
            head += [f"{self.first_number + i}: {canvas_strip_tags(question.prompt)}", str(question.points)]
        for i, (text, points) in enumerate(self.extra_columns):
            head += [f"{self.first_number + 100 + i}: {text}", str(points)]
        writer.writerow(head + TAIL[self.language])
        for attempt in reversed(attempts):
            writer.writerow(self.row(book, attempt, key, dice))
        return ("\ufeff" if self.bom else "") + out.getvalue()

    def row(self, book: QuizBook, a: Attempt, key: Mapping[str, frozenset[str]], dice: random.Random) -> list[str]:
        row = [
            a.name,
            str(90000 + a.student),
            a.login,
            a.section,
            "45510",
            "s1",
            a.submitted.strftime("%Y-%m-%d %H:%M:%S UTC"),
        ]
        row += [str(a.number)] if self.all_versions else []
        total, right, wrong = 0.0, 0, 0
        for question in book.questions:
            chosen = a.answers[question.id]
            if chosen is None:
                row += ["", ""]
                continue
            points = canvas_points(question, key[question.id], chosen)
            row += [self.cell(question, chosen, dice), repr(points)]
            total += points
            right += points > 0
            wrong += points <= 0
        row += ["", ""] * len(self.extra_columns)
        return [*row, str(right), str(wrong), repr(total)]

    def cell(self, question: Question, chosen: frozenset[str], dice: random.Random) -> str:
        order = sorted(chosen)
        dice.shuffle(order)
        texts = [question.options[x].text for x in order]
        if question.choose == "one":
            joined = texts[0] if texts else ""
        else:
            joined = ",".join(text.replace(",", "\\,") for text in texts)
        return canvas_html_to_text(joined) if self.html_to_text else joined

    def write(self, path: Path, book: QuizBook, attempts: Sequence[Attempt]) -> Path:
        path.write_bytes(self.text(book, attempts).encode())
        return path


def canvas_strip_tags(text: str) -> str:
    """Rails's strip_tags as the report uses it: from `<` to `>` or the line's end, and entities."""
    return re.sub(r"&\w+;", "", re.sub(r"<[^>\n]*(>|$)", "", text, flags=re.M))


def canvas_html_to_text(text: str) -> str:
    """The cell parsed as HTML: tags go (an unclosed one takes the rest), entities decode, ordinary spaces shrink."""
    shown = html.unescape(re.sub(r"</?[a-zA-Z][^>]*(>|$)", "", text))
    return re.sub(r"[ \n\t]+", " ", shown).strip(" ")


def canvas_points(question: Question, correct: frozenset[str], chosen: frozenset[str]) -> float:
    """Canvas Classic, in floating point as Canvas has it."""
    points, right, wrong = question.points, len(chosen & correct), len(chosen - correct)
    if question.choose == "one":
        return points if chosen == correct else 0.0
    count = max(1, len(correct))
    return max(0.0, points * right / count - (points * wrong / count if wrong else 0.0))
