"""The record of a grading run, `result.json`: what was graded, under which key and rule, and every student.

It holds everything a regrade needs (answers of every attempt, key, rule, regulations' effects) and what an audit asks
for (digests of submissions, key and evidence). Nothing else reads or writes that file. Points are rounded; exact totals
stand beside them as fractions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from basics.errors import InputError, Problem
from basics.files import read_bytes, writing_text
from basics.folders import settle
from basics.json_source import parsed_object
from basics.listing import first_few
from basics.messages import Message, quoted, say
from basics.moments import Moment
from evaluators.evidence import Frozen, Standing
from grader.marking.grading import HELD, Grades, Setting, grade_students
from grader.marking.ledger import RESULT, need_recorded_result
from grader.marking.regulations import Adjustment
from grader.marking.scoring import mean_of, rounded
from grader.marking.student_lines import StudentLines
from grader.quiz.spec import MOST_POINTS, YEAR, CreditRule, Letter, QuizBook, Text
from grader.submissions.class_file import ClassFile
from grader.submissions.model import Chosen, Form, RosterEntry, Submission, without_collection
from grader.verdicts.decisions import Decisions, Ruling, contradictions, in_force

FORMAT: Final = 3
MOST_PROBLEMS = 100
MOST_BYTES = 1 << 32
"""A class of a million fits."""
OTHER_QUIZ = say("name the quiz that the run was graded with (--quiz FOLDER), or grade again")
RESTORE = say(
    "restore the file (the ledger beside it keeps every result under objects/), or grade again with --out DIR"
)

Policy = Literal["strict", "hold-harmless"]
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Rounded = Annotated[str, Field(pattern=r"^[0-9]{1,400}\.[0-9]{2}$")]
Exact = Annotated[str, Field(pattern=r"^[0-9]{1,400}(/[1-9][0-9]{0,400})?$")]
Ticked = Annotated[str, Field(pattern=r"^[A-Z]*$")]


class SubmissionsRecord(Frozen):
    """The file of submissions; `rows` counts attempts."""

    file: Text
    sha256: Sha256
    form: Form
    rows: Count
    students: Count
    all_attempts: bool


class QuestionRecord(Frozen):
    """A question's key as it went into the grades; `correct` is None where it was not settled.

    `digest` is that of what was asked (`Question.digest`); runs of versions before it was kept have none.
    """

    correct: tuple[Letter, ...] | None
    choose: Literal["one", "many"]
    points: Annotated[float, Field(gt=0, le=MOST_POINTS)]
    obstacles: tuple[str, ...]
    demonstration: bool
    recalled: tuple[Letter, ...]
    digest: Sha256 | None = None


class KeyRecord(Frozen):
    """The whole key with its digests; `evidence` is content digests by request, `questions` are by id."""

    digest: Sha256
    accepted: tuple[Standing, ...]
    evidence: dict[str, str]
    questions: dict[str, QuestionRecord]


class DifferenceRecord(Frozen):
    """A cell whose points in the LMS are not what the LMS's rule gives."""

    row: Count
    student: str
    question: str
    canvas: float
    expected: float


class ImportCheckRecord(Frozen):
    """The import check in numbers, with the first cells that differ."""

    cells_compared: Count
    cells_different: Count
    scores_different: Count
    suspect_questions: tuple[str, ...]
    canvas_key_given: bool
    differences: tuple[DifferenceRecord, ...]


class RegradeOf(Frozen):
    """The run that a regrade started from, by the sha256 of its record and of its key."""

    result: Sha256
    key: Sha256
    policy: Policy


class AbsentLine(Frozen):
    """A student of the roster who handed nothing in."""

    id: Text
    name: str = ""
    section: str = ""
    lms_id: str = ""

    @model_validator(mode="before")
    @classmethod
    def _by_id_alone(cls, data: Any) -> Any:
        """Runs of earlier versions kept the id and nothing else."""
        return {"id": data} if isinstance(data, str) else data

    @property
    def entry(self) -> RosterEntry:
        return RosterEntry(self.id, self.name, self.section, self.lms_id)


class RunHead(Frozen):
    """Everything in the record but the students.

    `decisions` is what the teaching staff decided, in order; `late_grace_seconds` what the deadline was read with.
    `quiz_folder` is where the quiz was, seen from the run's folder: a hint, the questions' digests tell which it is.
    """

    format: Literal[3]
    quiz: Text
    title: str
    time_zone: str
    graded: Moment
    submissions: SubmissionsRecord
    rule: CreditRule
    mean: Rounded | None
    decisions: Decisions
    key: KeyRecord
    demonstration: bool
    unsettled: tuple[str, ...]
    ungraded: tuple[tuple[str, str], ...]
    missing: tuple[AbsentLine, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]
    import_check: ImportCheckRecord | None
    class_file: ClassFile
    late_grace_seconds: Annotated[int, Field(ge=0, le=YEAR)]
    regrade_of: RegradeOf | None = None
    quiz_folder: str = ""

    @property
    def rulings(self) -> tuple[Ruling, ...]:
        """The ruling on each question that has one: the sum of the decisions in force."""
        return tuple(in_force(self.decisions).rulings.values())

    @property
    def absent(self) -> tuple[RosterEntry, ...]:
        """The students of the roster who handed nothing in."""
        return tuple(line.entry for line in self.missing)


class AttemptLine(Frozen):
    """One attempt: the letters ticked in each question, None where it was not given."""

    answers: tuple[Ticked | None, ...]
    attempt: int | None = None
    submitted: Moment | None = None


class AdjustmentLine(Frozen):
    """One rule that had an effect on a student."""

    rule: str
    detail: str


class StudentLine(Frozen):
    """One student: all attempts, which of them was kept, points by question, the total rounded and exact."""

    id: Text
    name: str = ""
    section: str = ""
    lms_id: str = ""
    attempts: Annotated[tuple[AttemptLine, ...], Field(min_length=1)]
    kept: Count | None
    points: tuple[Rounded | None, ...]
    total: Rounded
    exact: Exact
    final_factor: Exact = "1"
    final_grade: str = ""
    adjustments: tuple[AdjustmentLine, ...] = ()


class RunRecord(RunHead):
    """The whole record of a run."""

    students: tuple[StudentLine, ...]

    @property
    def correct(self) -> dict[str, Chosen | None]:
        """Correct letters by question id, as they were used."""
        return {name: None if q.correct is None else frozenset(q.correct) for name, q in self.key.questions.items()}

    @property
    def totals(self) -> dict[str, Fraction]:
        """Exact totals by student id."""
        return {student.id: Fraction(student.exact) for student in self.students}

    def attempts(self) -> dict[str, list[Submission]]:
        """The attempts by student id, as they were read from the file."""
        ids, sets = tuple(self.key.questions), _Sets()
        return {s.id: [_submission(s, attempt, ids, sets) for attempt in s.attempts] for s in self.students}


class _Sets(dict[str | None, Chosen | None]):
    """Ticked letters as sets; equal answers share one."""

    def __missing__(self, ticked: str | None) -> Chosen | None:
        self[ticked] = None if ticked is None else frozenset(ticked)
        return self[ticked]


def _submission(student: StudentLine, attempt: AttemptLine, ids: tuple[str, ...], sets: _Sets) -> Submission:
    return Submission(
        student_id=student.id,
        questions=ids,
        chosen=tuple([sets[ticked] for ticked in attempt.answers]),
        name=student.name,
        section=student.section,
        submitted=attempt.submitted,
        attempt=attempt.attempt,
        lms_id=student.lms_id,
    )


def write_run(path: Path, head: RunHead, grades: Grades) -> None:
    """`head` and, last, one line for each student: a million of them never stand in memory as one text."""
    data = head.model_dump(mode="json", exclude={"students": True, "class_file": {"roster"}})
    lines = StudentLines(grades)
    with writing_text(path) as file:
        start = json.dumps({**data, "students": []}, indent=1, ensure_ascii=False, allow_nan=False)
        file.write(start.removesuffix("]\n}"))
        for i, record in enumerate(grades.records):
            file.write((",\n  " if i else "\n  ") + lines.line(record))
        file.write("\n ]\n}\n")


@without_collection
def read_run(path: Path, book: QuizBook | None = None) -> RunRecord:
    """The record at `path`, or in that folder; an older format is brought up to date.

    Raises InputError with every place that is damaged or contradicts another one, or that does not fit `book`; for a
    record of a newer format; and for one that is sound and not the one that the ledger beside it recorded.
    """
    file, record = record_path(path), parse_run(path)
    within = list(_contradictions(record))
    if not within and book and (found := list(other_quiz(record, book))):
        raise InputError(_problems(file, found, OTHER_QUIZ))
    if found := [*within, *(_unknown_options(record, book) if book else ())]:
        raise InputError(_problems(file, found))
    need_recorded_result(file)
    return record


def parse_run(path: Path) -> RunRecord:
    """The record at `path`, well-formed, and not yet held against itself, its ledger or a quiz. Raises InputError."""
    file = record_path(path)
    settle(file.parent)
    return _parse(file)


def record_path(path: Path) -> Path:
    """The record's own file, given that or its folder."""
    return path / RESULT if path.is_dir() else path


def setting_of(record: RunRecord, book: QuizBook) -> Setting:
    """All that decided the grades of the run besides the submissions."""
    grace = record.late_grace_seconds
    return Setting(book, record.correct, record.rule, record.rulings, record.class_file, grace)


def grades_of(record: RunRecord, book: QuizBook) -> Grades:
    """The graded class as recorded, worked out again; totals that a regrade held stay held, and say so."""
    setting = setting_of(record, book)
    grades = grade_students(record.attempts(), setting, record.absent, skipped=record.skipped)
    for student, line in zip(grades.records, record.students, strict=True):
        if grades.total(student) != Fraction(line.exact):
            student.held = Fraction(line.exact)
            held = [Adjustment(a.rule, quoted(a.detail)) for a in line.adjustments if a.rule == HELD]
            student.decision.adjustments = (*student.decision.adjustments, *held)
    return grades


Found = tuple[str, Message]
"""Where in the record, as a path such as `students.3.points.0`, and what is wrong there."""


def _parse(file: Path) -> RunRecord:
    if not file.exists():
        raise InputError(Problem(str(file), say("there is no result here"), say("grade with --out DIR first")))
    content = read_bytes(file, most=MOST_BYTES)
    try:
        return RunRecord.model_validate_json(content)
    except ValidationError as error:
        first = error
    with suppress(ValueError):
        if (data := parsed_object(content)).get("format") != FORMAT:
            return _upgraded(file, data)
    raise InputError(_problems(file, _faults(first)))


def _upgraded(file: Path, data: dict[str, Any]) -> RunRecord:
    written = data.get("format")
    if type(written) is int and written > FORMAT:
        what = say(
            "has format {format}, which a newer version wrote; this one reads up to {latest}",
            format=written,
            latest=FORMAT,
        )
        raise InputError(Problem(str(file), what, say("use that version of earwitness")))
    if type(written) is not int or written not in UPGRADES:
        raise InputError(
            _problems(file, [("format", say("is {found!r}, expected {expected}", found=written, expected=FORMAT))])
        )
    for older in range(written, FORMAT):
        data = UPGRADES[older](data) | {"format": older + 1}
    try:
        return RunRecord.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise InputError(_problems(file, _faults(error))) from None


def _from_1(data: dict[str, Any]) -> dict[str, Any]:
    """Format 1 called the import check a proof."""
    return {("import_check" if name == "proof" else name): value for name, value in data.items()}


def _from_2(data: dict[str, Any]) -> dict[str, Any]:
    """Format 2 had no list of decisions: overrides stood with the key, rulings by themselves, neither with a time.

    What is no such entry is left to be told by its place.
    """
    key, when = data.get("key"), data.get("graded")
    questions = key.get("questions") if isinstance(key, dict) else None
    taken = [q.pop("override", None) for q in questions.values() if isinstance(q, dict)] if questions else []
    rulings = data.pop("rulings", [])
    given = [("override", entry) for entry in taken if entry is not None]
    given += [("ruling", entry) for entry in (rulings if isinstance(rulings, list) else [rulings])]
    decisions = [{"what": what, "when": when} | entry if isinstance(entry, dict) else entry for what, entry in given]
    for decision in decisions:
        question = questions.get(decision.get("question")) if isinstance(decision, dict) and questions else None
        if isinstance(question, dict):
            decision["choose"] = question.get("choose")
    before = data.get("regrade_of")
    if isinstance(before, dict) and before.get("policy") == "hold-harmless":
        decisions.append({"what": "hold-harmless", "when": when, "reason": "the policy of this run"})
    try:
        mean = mean_of([Fraction(student["exact"]) for student in data["students"]])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        mean = None
    return {**data, "decisions": decisions, "mean": mean, "late_grace_seconds": 0}


UPGRADES: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1, 2: _from_2}
"""By format: what makes a record of it one of the next."""


def _faults(error: ValidationError) -> Iterator[Found]:
    for fault in error.errors():
        where, what = ".".join(map(str, fault["loc"])), f"{fault['msg'][:1].lower()}{fault['msg'][1:]}"
        match fault["type"]:
            case "missing":
                yield where, say("is missing")
            case "extra_forbidden":
                yield where, say("is not a known key")
            case "json_invalid":
                yield "", say("is not a result: {problem}", problem=what)
            case _:
                yield (
                    where,
                    say("{problem}, got {value!r}", problem=what, value=str(fault["input"])[:60]),
                )


def _contradictions(record: RunRecord) -> Iterator[Found]:
    """Places that are well-formed and cannot be true."""
    yield from _miscounted(record)
    yield from _unknown_names(record)
    yield from _undecided(record)
    for i, student in enumerate(record.students):
        yield from _impossible(f"students.{i}", student, len(record.key.questions))


def _miscounted(record: RunRecord) -> Iterator[Found]:
    students, attempts = len(record.students), sum(len(student.attempts) for student in record.students)
    if record.submissions.students != students:
        yield (
            "submissions.students",
            say(
                "is {stated}, but {students} students stand there",
                stated=record.submissions.students,
                students=students,
            ),
        )
    if record.submissions.rows != attempts:
        yield (
            "submissions.rows",
            say("is {rows}, but {attempts} attempts stand there", rows=record.submissions.rows, attempts=attempts),
        )
    if (mean := mean_of([Fraction(student.exact) for student in record.students])) != record.mean:
        yield "mean", say("is {stated}, but the exact totals give {mean}", stated=record.mean, mean=mean)
    for name, n in Counter([*(s.id for s in record.students), *(s.id for s in record.missing)]).items():
        if n > 1:
            yield "students", say("student {student} stands there {n} times", student=name, n=n)


def _unknown_names(record: RunRecord) -> Iterator[Found]:
    questions, students = record.key.questions, {student.id for student in record.students}
    named = [(f"unsettled.{i}", name) for i, name in enumerate(record.unsettled)]
    named += [(f"decisions.{i}.question", d.question) for i, d in enumerate(record.decisions) if d.question]
    named += [(f"ungraded.{i}.1", name) for i, (_, name) in enumerate(record.ungraded)]
    yield from (
        (where, say("{question!r} is no question of its key", question=name))
        for where, name in named
        if name not in questions
    )
    for i, (student, _) in enumerate(record.ungraded):
        if student not in students:
            yield f"ungraded.{i}.0", say("{student!r} is none of its students", student=student)


def _undecided(record: RunRecord) -> Iterator[Found]:
    """Decisions that exclude one another, and a key that is another one than was decided."""
    if problems := list(contradictions(record.decisions)):
        yield from (
            ("decisions", say("{where}: {what}", where=problem.where, what=problem.what)) for problem in problems
        )
        return
    for name, override in in_force(record.decisions).overrides.items():
        question = record.key.questions.get(name)
        decided = "".join(sorted(override.correct or ()))
        if question and "".join(sorted(question.correct or ())) != decided:
            used = "".join(question.correct or ()) or say("nothing")
            yield (
                f"key.questions.{name}.correct",
                say("is {used}, but {decided} was decided", used=used, decided=decided or say("nothing")),
            )


def _impossible(where: str, student: StudentLine, questions: int) -> Iterator[Found]:
    if len(student.points) != questions:
        yield (
            f"{where}.points",
            say("has {n} entries, its key has {questions} questions", n=len(student.points), questions=questions),
        )
    for j, attempt in enumerate(student.attempts):
        if len(attempt.answers) != questions:
            what = say(
                "has {n} entries, its key has {questions} questions", n=len(attempt.answers), questions=questions
            )
            yield f"{where}.attempts.{j}.answers", what
    if student.kept is not None and student.kept >= len(student.attempts):
        yield (
            f"{where}.kept",
            say("is {index}, counted from 0, but there are {n} attempts", index=student.kept, n=len(student.attempts)),
        )
    if rounded(Fraction(student.exact)) != student.total:
        yield (
            f"{where}.total",
            say("is {total}, but the exact total is {exact}", total=student.total, exact=student.exact),
        )


def other_quiz(record: RunRecord, book: QuizBook) -> Iterator[Found]:
    """What shows that the run was graded with another quiz: its questions, or what they ask."""
    known = tuple(question.id for question in book.questions)
    if tuple(record.key.questions) != known:
        yield (
            "key.questions",
            say(
                "are {questions}; this quiz has {quiz_questions}",
                questions=", ".join(record.key.questions),
                quiz_questions=", ".join(known),
            ),
        )
    elif other := [q.id for q in book.questions if record.key.questions[q.id].digest not in (None, q.digest)]:
        yield (
            "key.questions",
            say(
                "are asked otherwise in this quiz ({questions}): points, choose or options' texts differ",
                questions=first_few(other),
            ),
        )


def _unknown_options(record: RunRecord, book: QuizBook) -> Iterator[Found]:
    """Letters that the quiz does not have."""
    options = {question.id: question.options.keys() for question in book.questions}
    for name, question in record.key.questions.items():
        yield from _unknown_letters(f"key.questions.{name}", [*(question.correct or ())], options[name])
    for i, decision in enumerate(record.decisions):
        if decision.question in options:
            letters = [*(decision.correct or ()), *decision.disregard, *decision.always_correct]
            yield from _unknown_letters(f"decisions.{i}", letters, options[decision.question])
    by_position = list(options.values())
    for i, student in enumerate(record.students):
        for j, attempt in enumerate(student.attempts):
            for k, (ticked, known) in enumerate(zip(attempt.answers, by_position, strict=False)):
                yield from _unknown_letters(f"students.{i}.attempts.{j}.answers.{k}", ticked or "", known)


def _unknown_letters(where: str, letters: list[str] | str, options: Any) -> Iterator[Found]:
    if unknown := sorted(set(letters) - options):
        yield (
            where,
            say("names {letters}, the options are {options}", letters=", ".join(unknown), options=", ".join(options)),
        )


def _problems(file: Path, found: Iterator[Found] | list[Found], remedy: Message = RESTORE) -> list[Problem]:
    """One problem for each place; what to do stands with the last."""
    places = list(found)
    problems = [Problem(f"{file}, {where}" if where else str(file), what) for where, what in places[:MOST_PROBLEMS]]
    if len(places) > MOST_PROBLEMS:
        problems.append(Problem(str(file), say("and {n} more places", n=len(places) - MOST_PROBLEMS)))
    return [*problems[:-1], Problem(problems[-1].where, problems[-1].what, remedy)]
