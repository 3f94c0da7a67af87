"""Which question a column of the LMS's report belongs to: told by the TA, by its text, or by its text and its cells.

The text in a header is seldom the spec's to the letter: tags and entities are gone, a link's title stands at its end, a
word was edited. A text that is merely like a question's is taken for it only where it is the one best match and the
column's own cells name that question's options.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from basics.csv_source import Table
from basics.errors import Problem
from basics.messages import NOTHING, Message, say, together
from grader.quiz.spec import Question, QuizBook
from grader.submissions.cells import CellDecoder, letters, says_nothing, shortened, strip_tags, without_tags
from grader.submissions.class_file import IGNORE
from grader.submissions.rows import read_cell

SHORTEST_PREFIX = 12
"""Letters of a cut-off question text that suffice to recognise it, if only one question of the quiz begins so."""
SHORTEST_BLOCK = 3
"""Letters in a row that two texts must share to count as alike there."""
LIKE = 0.5
"""The share of the shorter text that must stand in the other, where the cells fit this question and not all others."""
LIKE_ALONE = 0.85
"""The same where the cells fit every question of the quiz, and so confirm little."""
MARGIN = 0.1
"""By how much the best match must be better than the next one whose options the cells name, too."""
FITTING = 0.8
"""The share of a column's answers that must name the question's options; what does not is told cell by cell."""
MOST_CANDIDATES = 3


@dataclass(frozen=True)
class QuestionColumn:
    """A question's answer column; its points stand in the next one."""

    number: str
    text: str
    answer: int
    points_possible: float


@dataclass
class Assignment:
    """Columns of each question id, what is worth a note, and what cannot be told for certain."""

    columns: dict[str, tuple[QuestionColumn, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, question: str, column: QuestionColumn) -> None:
        """Gives the question this column, beside those that it has."""
        self.columns[question] = (*self.columns.get(question, ()), column)


@dataclass(frozen=True)
class Candidate:
    """A question that a column may belong to: how alike the texts are, and how many answers name its options."""

    question: str
    likeness: float
    fitting: int
    answers: int
    telling: bool

    @property
    def fits(self) -> bool:
        return self.answers > 0 and self.fitting >= FITTING * self.answers

    @property
    def confirmed(self) -> bool:
        """Whether the cells confirm what the text suggests."""
        return self.fits and self.likeness >= (LIKE if self.telling else LIKE_ALONE)

    def __str__(self) -> str:
        return str(self.message)

    @property
    def message(self) -> Message:
        """The question, how alike it is, and how many answers are of it."""
        return say(
            "{question} ({likeness:.0%} alike, {fitting} of {answers} answers name its options)",
            question=self.question,
            likeness=self.likeness,
            fitting=self.fitting,
            answers=self.answers,
        )


def assign(table: Table, columns: Sequence[QuestionColumn], book: QuizBook, mapping: Mapping[str, str]) -> Assignment:
    """Columns of each question id, by the class file's mapping, else by text, else by likeness and cells."""
    result = Assignment()
    unsettled = []
    for column in columns:
        named = [mapping[column.number]] if column.number in mapping else matching(column.text, book.questions)
        if len(named) != 1:
            unsettled.append(column)
        elif named != [IGNORE]:
            result.add(named[0], column)
    suggested = _settle(table, unsettled, book, result) if unsettled else set()
    for question in book.questions:
        if question.id not in result.columns and question.id not in suggested:
            what = say("no column holds {question} ({text})", question=question.id, text=shortened(question.prompt))
            remedy = say("export the right quiz, or map its number under `columns:` in the class file")
            result.problems.append(Problem(table.path.name, what, remedy))
    return result


def matching(text: str, questions: Sequence[Question]) -> list[str]:
    """Ids of the questions this header text can be: equal up to markup and white space, else cut off at a `<`."""
    wanted = {letters(text), letters(without_tags(text))}
    equal = [q.id for q in questions if wanted & _dresses(q)]
    if equal or min(map(len, wanted)) < SHORTEST_PREFIX:
        return equal
    return [q.id for q in questions if any(dress.startswith(tuple(wanted)) for dress in _dresses(q))]


def likeness(text: str, question: Question) -> float:
    """The share of the shorter of header and prompt that stands in the other, in the same order."""
    wanted = letters(without_tags(text))
    return max(_shared(wanted, dress) for dress in _dresses(question))


def _shared(a: str, b: str) -> float:
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    shared = sum(block.size for block in blocks if block.size >= SHORTEST_BLOCK)
    return shared / max(min(len(a), len(b)), SHORTEST_PREFIX)


def _dresses(question: Question) -> set[str]:
    prompt = question.prompt
    return {letters(t) for t in (prompt, strip_tags(prompt), without_tags(prompt))}


def _settle(table: Table, columns: Sequence[QuestionColumn], book: QuizBook, result: Assignment) -> set[str]:
    """Gives each column its one best question, or adds a problem. Returns the questions named in problems."""
    answers = _answers(table, columns)
    candidates = {column.number: list(_candidates(column, answers[column.number], book)) for column in columns}
    best = {
        number: _best([c for c in rivals if c.question not in result.columns]) for number, rivals in candidates.items()
    }
    wanted = Counter(best.values())
    suggested: set[str] = set()
    for column in columns:
        question = best[column.number]
        if question is not None and wanted[question] == 1:
            result.add(question, column)
            note = say(
                "{question}: question {number} of the LMS is it by its answers and by likeness, its text there is "
                "{text}",
                question=question,
                number=column.number,
                text=shortened(column.text),
            )
            result.notes.append(note)
            continue
        shown = candidates[column.number][:MOST_CANDIDATES]
        suggested |= {candidate.question for candidate in shown}
        result.problems.append(_untold(table, column, book, shown))
    return suggested


def _candidates(column: QuestionColumn, answers: Counter[str], book: QuizBook) -> Iterator[Candidate]:
    """Questions whose text is like the column's, the most alike first."""
    fitting = {q.id: _fitting(q.id, answers, book) for q in book.questions}
    total = answers.total()
    alike = sorted(((likeness(column.text, q), q.id) for q in book.questions), key=lambda pair: -pair[0])
    for share, name in alike:
        telling = any(fitting[other] < FITTING * total for other in fitting if other != name)
        if share >= LIKE:
            yield Candidate(name, share, fitting[name], total, telling)


def _best(candidates: Sequence[Candidate]) -> str | None:
    """The confirmed candidate that is clearly more alike than any other confirmed one."""
    confirmed = [candidate for candidate in candidates if candidate.confirmed]
    if not confirmed or any(confirmed[0].likeness - other.likeness < MARGIN for other in confirmed[1:]):
        return None
    return confirmed[0].question


def _fitting(name: str, answers: Counter[str], book: QuizBook) -> int:
    decoder = CellDecoder(book.question(name))
    return sum(number for cell, number in answers.items() if not isinstance(read_cell(decoder, cell), str))


def _answers(table: Table, columns: Sequence[QuestionColumn]) -> dict[str, Counter[str]]:
    """How often each answer stands in each of these columns."""
    found: dict[str, Counter[str]] = {column.number: Counter() for column in columns}
    for _, row in table.rows():
        for column in columns:
            if column.answer < len(row) and not says_nothing(row[column.answer]):
                found[column.number][row[column.answer]] += 1
    return found


def _untold(table: Table, column: QuestionColumn, book: QuizBook, candidates: Sequence[Candidate]) -> Problem:
    named = matching(column.text, book.questions)
    found = say("is the text of no question of this quiz")
    if named:
        found = say("could be {questions}", questions=together(named, say(" or ")))
    like = (
        say("; most like {candidates}", candidates=together((candidate.message for candidate in candidates), ", "))
        if candidates
        else NOTHING
    )
    what = say(
        "question {number} {finding}: {text}{candidates}",
        number=column.number,
        finding=found,
        text=shortened(column.text),
        candidates=like,
    )
    example = candidates[0].question if candidates else book.questions[0].id
    remedy = say(
        'write under `columns:` in the class file  "{number}": {question} (its question) or {ignore}',
        number=column.number,
        question=example,
        ignore=IGNORE,
    )
    return Problem(table.where(1, column.answer), what, remedy)
