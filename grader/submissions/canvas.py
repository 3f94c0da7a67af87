"""Read a Canvas (Classic) "Student Analysis" report of this quiz, whatever its language, version and settings.

`n correct` and `n incorrect` are never graded from (they also count partial and ungraded answers); they only have to
add up to the number of questions, or else columns were removed and the file is not what Canvas wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import itemgetter

from basics.csv_source import Table
from basics.errors import InputError, Problem
from basics.files import sha256_of
from basics.messages import Message, say
from grader.quiz.spec import Question, QuizBook
from grader.submissions.cells import CellDecoder, says_nothing, shortened
from grader.submissions.class_file import ClassFile
from grader.submissions.columns import Layout, find_columns
from grader.submissions.critical import UNTIMED, Critical, rows_in_words
from grader.submissions.model import Chosen, Submission, SubmissionFile
from grader.submissions.question_columns import QuestionColumn
from grader.submissions.rows import (
    MOST_PROBLEMS,
    NO_ATTEMPT,
    Moments,
    Numbers,
    Skipper,
    count_of,
    read_cell,
    repeated_students,
)
from grader.submissions.students import Students


def read_student_analysis(table: Table, book: QuizBook, class_file: ClassFile) -> SubmissionFile:
    """All submissions of a report. Raises InputError with every cell that cannot be trusted."""
    layout = find_columns(table, book, class_file)
    reader = _Reader(table, book, class_file, layout)
    submissions = tuple(reader.submissions())
    reader.check_counts()
    problems = [*reader.problems, *reader.students.problems, *repeated_students(table, submissions)]
    problems += [*reader.students.finish(), *reader.critical_problems()]
    problems += reader.skips.unused() if not problems else []
    if not submissions and not problems:
        problems = [Problem(table.path.name, say("has a header and no submission"), say("export the report again"))]
    if problems:
        raise InputError(problems[:MOST_PROBLEMS])
    return SubmissionFile(
        path=table.path,
        digest=sha256_of(table.path),
        form="canvas",
        questions=reader.ids,
        submissions=submissions,
        skipped=tuple(reader.skips.told),
        notes=(
            *layout.notes,
            *reader.critical_notes(),
            *reader.wordless_notes(),
            *_notes(layout, book),
            *reader.students.notes(),
        ),
        lms_columns={name: tuple(c.number for c in columns) for name, columns in layout.assigned.items()},
        lms_possible={name: columns[-1].points_possible for name, columns in layout.assigned.items()},
    )


Answer = tuple[Chosen | None, float | None]
"""The ticked options of a question and the points that the LMS gave for them; None where there are none."""


class _Question:
    """A question of the quiz in the file: its columns, and what their cells say.

    `known` has the answer by the texts of the cells, each read once: a class repeats itself. What is a problem, or is
    told of a row, is not kept there.
    """

    def __init__(self, question: Question, columns: Sequence[QuestionColumn]) -> None:
        self.id = question.id
        self.columns = tuple(column.answer for column in columns)
        self.decoder = CellDecoder(question)
        self.known: dict[tuple[str, ...], Answer] = {}
        self.cells: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(
            *(at for answer in self.columns for at in (answer, answer + 1))
        )


@dataclass
class _Reader:
    table: Table
    book: QuizBook
    class_file: ClassFile
    layout: Layout
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    wordless: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = tuple(question.id for question in self.book.questions)
        self._questions = [_Question(q, self.layout.assigned[q.id]) for q in self.book.questions]
        self._points = slice(self.layout.questions[0].answer + 1, self.layout.questions[-1].answer + 2, 2)
        self._named = tuple(self.layout.named.items())
        self._numbers, self._moments = Numbers(), Moments()
        self.skips = Skipper(self.class_file, self.table.path.name)
        self._identity = "id" if self.layout.get("sis_id") is None else "sis_id"
        where = partial(self.table.where, column=self.layout.named[self._identity])
        self.students = Students(self.table.path.name, self.class_file, where, by_number=self._identity == "id")
        self.times = Critical("submitted", self.class_file.no_times)
        self.attempts = Critical("attempt", self.class_file.no_attempts)

    def submissions(self) -> list[Submission]:
        result = []
        width = len(self.table.header)
        for number, row in self.table.rows():
            if len(self.problems) >= MOST_PROBLEMS:
                break
            if self.skips(number, "student"):
                continue
            if len(row) != width:
                what = say("has {n} cells, the header has {width}", n=len(row), width=width)
                self.problems.append(Problem(self.table.where(number), what, say("export the report again")))
            else:
                result.append(self._submission(number, row))
        return result

    def check_counts(self) -> None:
        """`n correct` + `n incorrect` must be the number of questions of every row."""
        excess: Counter[int] = Counter()
        for (right, wrong, given), rows in self.counts.items():
            n, m = count_of(right), count_of(wrong)
            if n is not None and m is not None:
                excess[n + m - given] += rows
        if self.skips("all", "counts") or set(excess) <= {0}:
            return
        shown = ", ".join(f"{more:+d} in {rows} rows" for more, rows in sorted(excess.items()))
        what = say(
            "`n correct` and `n incorrect` do not add up to the number of question columns: {deviations}",
            deviations=shown,
        )
        remedy = say(
            "export the report again; if the quiz holds text-only blocks, skip {row: all, cell: counts, reason: …}"
        )
        self.problems.append(Problem(self.table.path.name, what, remedy))

    def _submission(self, number: int, row: Sequence[str]) -> Submission:
        named = {name: row[at].strip() for name, at in self._named}
        name, lms = named.get("name", ""), named.get("id", "")
        student = self.students(number, named[self._identity], lms, name)
        chosen, points = self._answers(number, row)
        points_of_all = row[self._points]
        given = len(points_of_all) - points_of_all.count("")
        self.counts[named.get("n correct", ""), named.get("n incorrect", ""), given] += 1
        return Submission(
            student_id=student,
            questions=self.ids,
            chosen=chosen,
            name=name,
            section=named.get("section", ""),
            submitted=self._moment(number, named.get("submitted", "")),
            attempt=self._attempt(number, named.get("attempt", "")),
            lms_id=lms,
            lms_points=points,
            lms_score=self._number(number, self.layout.get("score"), named.get("score", ""), "score"),
            row=number,
        )

    def _answers(self, number: int, row: Sequence[str]) -> tuple[tuple[Chosen | None, ...], tuple[float | None, ...]]:
        if number in self.skips.rows:
            answers = [self._answer(number, row, question) for question in self._questions]
        else:
            answers = [q.known.get(q.cells(row)) or self._answer(number, row, q) for q in self._questions]
        chosen, points = zip(*answers, strict=True)
        return chosen, points

    def _answer(self, number: int, row: Sequence[str], question: _Question) -> Answer:
        given = [at for at in question.columns if row[at] or row[at + 1]]
        if self.skips(number, question.id) or not given:
            return None, None
        before = len(self.problems)
        if len(given) > 1:
            given = self._twice(number, question.id, given)
        points = self._number(number, given[0] + 1, row[given[0] + 1], question.id)
        cell = row[given[0]]
        answer = read_cell(question.decoder, cell)
        if isinstance(answer, frozenset) and (answer or not points):
            if len(self.problems) == before:
                question.known[question.cells(row)] = answer, points
            return answer, points
        if isinstance(answer, Message) and not says_nothing(cell):
            self._undecodable(number, given[0], question.id, answer)
            return None, points
        self.wordless.setdefault(question.id, []).append(number)
        confirmed = isinstance(answer, frozenset) and self.class_file.empty_cells is not None
        return frozenset() if confirmed else None, points

    def _number(self, number: int, column: int | None, text: str, cell: str) -> float | None:
        """Points as the LMS writes them; what is none is a problem, for an empty answer may have earned it."""
        points = self._numbers[text]
        if points is None and text and not self.skips(number, cell):
            what = say("is no number of points as the LMS writes them: {text}", text=shortened(text))
            remedy = say(
                "export the report again, or skip {{row: {row}, cell: {cell}, reason: …}} in the class file",
                row=number,
                cell=cell,
            )
            self.problems.append(Problem(self.table.where(number, column), what, remedy))
        return points

    def _twice(self, number: int, name: str, given: list[int]) -> list[int]:
        what = say(
            "{question} is answered in two columns, the second being {place}",
            question=name,
            place=self.table.where(number, given[1]),
        )
        remedy = say("ignore the column of the replaced question under `columns:` in the class file")
        self.problems.append(Problem(self.table.where(number, given[0]), what, remedy))
        return given[:1]

    def _undecodable(self, number: int, column: int, name: str, what: Message) -> None:
        remedy = say(
            "mend the option's text in the spec, or skip {{row: {row}, cell: {cell}, reason: …}} in the class file",
            row=number,
            cell=name,
        )
        self.problems.append(Problem(self.table.where(number, column), what, remedy))

    def _moment(self, number: int, text: str) -> datetime | None:
        if self.skips(number, "submitted"):
            return None
        self.times.saw(number, text)
        try:
            return self._moments[text]
        except ValueError:
            what = say("is not a time such as 2026-06-18 15:59:59 UTC: {text!r}", text=text)
            remedy = say("export the report again, or skip {{row: {row}, cell: submitted, reason: …}}", row=number)
            self.problems.append(Problem(self.table.where(number, self.layout.named["submitted"]), what, remedy))
            return None

    def _attempt(self, number: int, text: str) -> int | None:
        self.attempts.saw(number, text)
        found = count_of(text)
        if text and found is None:
            where = self.table.where(number, self.layout.named["attempt"])
            self.problems.append(Problem(where, NO_ATTEMPT.filled(text=text[:60]), say("export it again")))
        return found

    def critical_problems(self) -> list[Problem]:
        """Rows without a time, or without the number of an attempt where others have one."""
        return [
            *self.times.problems(self.table.path.name, may_lack=False),
            *self.attempts.problems(self.table.path.name, may_lack=self.layout.get("attempt") is None),
            *self._empty_cells_in_vain(),
        ]

    def _empty_cells_in_vain(self) -> Iterator[Problem]:
        if self.class_file.empty_cells is not None and not self.wordless:
            what = say("fits nothing: the LMS gave no points for an empty cell of {file}", file=self.table.path.name)
            yield Problem("class file, empty_cells", what, say("remove it"))

    def wordless_notes(self) -> list[Message]:
        """Questions with cells that are empty and yet are answers, and what was made of them."""
        reason = self.class_file.empty_cells
        graded = say("graded as empty answers (confirmed: {reason})", reason=reason) if reason else say("not graded")
        return [
            say(
                "{question}: in {rows} the cell names no option that was ticked or got points, be it that the LMS "
                "leaves out formulas and images or that points were given by hand: {outcome}; an empty cell without "
                "points there may hide such an option, too",
                question=name,
                rows=rows_in_words(rows),
                outcome=graded,
            )
            for name, rows in self.wordless.items()
        ]

    def critical_notes(self) -> list[Message]:
        """What the file lacks of times and attempts, and what was said to that."""
        policy = self.book.quiz.regulations.attempts
        kept = say(
            "it holds the one that the LMS keeps, and whether that is the {policy} in time cannot be told from it",
            policy=policy,
        )
        return [*self.times.notes(UNTIMED), *self.attempts.notes(kept)]


def _notes(layout: Layout, book: QuizBook) -> list[Message]:
    """Differences between the LMS's quiz and this one that do not stand in the way."""
    notes = []
    if layout.get("n correct") is None or layout.get("n incorrect") is None:
        notes.append(
            say("no columns `n correct` and `n incorrect`: whether question columns were removed cannot be told")
        )
    for question in book.questions:
        columns = layout.assigned[question.id]
        for column in columns:
            if column.points_possible != question.points:
                note = say(
                    "{question}: the LMS gives {theirs:g}, the quiz {ours:g} points",
                    question=question.id,
                    theirs=column.points_possible,
                    ours=question.points,
                )
                notes.append(note)
        if len(columns) > 1:
            numbers = ", ".join(column.number for column in columns)
            note = say(
                "{question}: was replaced in the LMS, its answers stand in columns {columns}",
                question=question.id,
                columns=numbers,
            )
            notes.append(note)
    return notes
