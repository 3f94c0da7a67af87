"""Pull a quiz and its class out of the LMS, into the very files that `grade` and `export canvas` read.

The folder holds `report.csv` (the Student Analysis of all versions, as the LMS wrote it), `roster.csv`, `gradebook.csv`
(the one column of the quiz), `class.yaml` (roster and the LMS's own extensions) and `canvas.json`, which says where all
of it came from and when. They are there at once or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from basics.csv_source import csv_text
from basics.errors import InputError, Problem
from basics.files import read_bytes, sha256_of, write_whole
from basics.folders import settle, staging
from basics.messages import Message, say
from basics.moments import Moment
from evaluators.evidence import Frozen
from grader.canvas.differences import SAME_MINUTE, differences
from grader.canvas.lms import NOT_ASSIGNED, Lms, LmsAssignment, LmsQuiz, LmsSubmission, Override, Person
from grader.exports.gradebook import POINTS_POSSIBLE, read_gradebook
from grader.marking.student_lines import harmless
from grader.quiz.spec import QuizBook
from grader.submissions.class_file import read_class_file
from grader.submissions.model import Chosen
from grader.submissions.roster import read_roster

REPORT, ROSTER, GRADEBOOK, CLASS, ORIGIN = "report.csv", "roster.csv", "gradebook.csv", "class.yaml", "canvas.json"
FILES = (REPORT, ROSTER, GRADEBOOK, CLASS)
MOST_BYTES = 1 << 26
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Pulled(Frozen):
    """`canvas.json`: what was pulled from where; `files` are digests, `quiz` the id of the specs' quiz.

    `open` is what the files do not say for certain and somebody has to look at.
    """

    format: Literal[1]
    origin: str
    course: int
    course_name: str
    lms_quiz: int
    assignment: int
    title: str
    quiz: str
    pulled: Moment
    files: dict[str, Sha256]
    differences: tuple[Message, ...]
    open: tuple[Message, ...]
    notes: tuple[Message, ...]


FORMAT: Final = 1


@dataclass(frozen=True)
class Class:
    """A quiz and its class as the LMS has them."""

    course_name: str
    quiz: LmsQuiz
    assignment: LmsAssignment
    students: tuple[Person, ...]
    sections: Mapping[int, str]
    submissions: Mapping[str, LmsSubmission]
    overrides: tuple[Override, ...]
    report: bytes
    differences: tuple[Message, ...]
    open: tuple[Message, ...]

    def section(self, person: Person) -> str:
        """Names of the student's sections."""
        numbers = [e.course_section_id for e in person.enrollments if e.type == "StudentEnrollment"]
        return ", ".join(sorted({self.sections.get(number, str(number)) for number in numbers}))


def read_class(lms: Lms, number: int, book: QuizBook, key: Mapping[str, Chosen | None]) -> Class:
    """Everything of a quiz and its class. Raises InputError where the LMS does not have it, or in a form not known."""
    quiz = lms.quiz(number)
    if quiz.assignment_id is None:
        what = say("is a {kind} without a column in the gradebook", kind=quiz.quiz_type or say("quiz"))
        where = say("quiz {number}, {title}", number=number, title=quiz.title)
        raise InputError(Problem(where, what, say("make it a graded quiz, and publish it")))
    course, assignment = lms.about(), lms.assignment(quiz.assignment_id)
    found = differences(book, key, quiz, lms.questions(number), assignment)
    students = tuple({person.id: person for person in lms.students()}.values())
    overrides = tuple(lms.overrides(assignment.id))
    submissions = lms.submissions(assignment.id)
    return Class(
        course.name,
        quiz,
        assignment,
        students,
        {section.id: section.name for section in lms.sections()},
        submissions,
        overrides,
        lms.student_analysis(number),
        tuple(found),
        tuple(_counted(course.total_students, len(students))),
    )


def _counted(total: int | None, listed: int) -> Iterator[Message]:
    if total is not None and listed < total:
        yield say(
            "the LMS counts {total} students and lists {listed}: the list was cut off, or the token's user does not "
            "see all sections",
            total=total,
            listed=listed,
        )


def _of_assignment(assignment: LmsAssignment) -> Iterator[Message]:
    if not assignment.post_manually:
        yield say("scores are shown to students as soon as they are pushed (the LMS's posting policy is automatic)")


def pull(lms: Lms, number: int, book: QuizBook, key: Mapping[str, Chosen | None], out: Path) -> Pulled:
    """Read the class and write the folder. Raises InputError where one was pulled there already."""
    need_free(out)
    return write_class(out, lms, book, read_class(lms, number, book, key))


def need_free(out: Path) -> None:
    """Raises InputError where a file of an earlier pull, or of that name, lies in `out`."""
    settle(out)
    if there := [name for name in (*FILES, ORIGIN) if (out / name).exists()]:
        what = say("holds {files} already", files=", ".join(there))
        raise InputError(
            Problem(str(out), what, say("name another folder with --out: what was pushed since stands there"))
        )


def write_class(out: Path, lms: Lms, book: QuizBook, found: Class) -> Pulled:
    """Put the files of a class into `out` at once, after `grade`'s own readers took them."""
    when = datetime.now(UTC).replace(microsecond=0)
    extensions, told = _extensions(book, found)
    texts = {
        REPORT: found.report,
        ROSTER: csv_text(_roster(found), bom=True).encode(),
        GRADEBOOK: csv_text(_gradebook(found), bom=True).encode(),
        CLASS: _class_file(lms, found, extensions, when).encode(),
    }
    pulled = Pulled(
        format=FORMAT,
        origin=lms.connection.host.origin,
        course=lms.course,
        course_name=found.course_name,
        lms_quiz=found.quiz.id,
        assignment=found.assignment.id,
        title=found.assignment.name,
        quiz=book.quiz.id,
        pulled=when,
        files={name: sha256(content).hexdigest() for name, content in texts.items()},
        differences=found.differences,
        open=(*found.open, *told),
        notes=tuple(_of_assignment(found.assignment)),
    )
    with staging(out) as stage:
        for name, content in texts.items():
            write_whole(stage.file(name), content)
        write_whole(stage.file(ORIGIN), (pulled.model_dump_json(indent=1) + "\n").encode())
        read_roster(stage.file(ROSTER))
        read_gradebook(stage.file(GRADEBOOK))
        read_class_file(stage.file(CLASS), book)
        stage.commit()
    return pulled


def _roster(found: Class) -> Iterator[Sequence[object]]:
    yield ["student_id", "name", "section", "id"]
    for person in found.students:
        yield [person.student_id, harmless(person.name), harmless(found.section(person)), person.id]


def _gradebook(found: Class) -> Iterator[Sequence[object]]:
    """The LMS's export with this one assignment; a student without a submission is not assigned."""
    points = found.assignment.points_possible
    yield [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Section",
        f"{' '.join(found.assignment.name.split())} ({found.assignment.id})",
    ]
    yield [f"    {POINTS_POSSIBLE}", "", "", "", "", "" if points is None else f"{points:g}"]
    for person in found.students:
        submission = found.submissions.get(str(person.id))
        score = submission.cell if submission else NOT_ASSIGNED
        name, section = harmless(person.sortable_name or person.name), harmless(found.section(person))
        yield [name, person.id, person.sis_user_id or "", person.login_id or "", section, score]


def _extensions(book: QuizBook, found: Class) -> tuple[list[dict[str, str]], list[Message]]:
    """Students' own deadlines as the class file has them, and in words what cannot be one.

    Of several, the LMS takes the latest. A deadline of everybody is none of these; it is compared with the specs'.
    """
    latest: dict[str, tuple[datetime, str]] = {}
    told = []
    for override in found.overrides:
        people = _concerned(override, found)
        if override.group_id is not None:
            what = say(
                "the deadline of group {group} ({title}) is not in class.yaml: write it",
                group=override.group_id,
                title=override.title,
            )
            told.append(what)
        elif override.due_at is None and "due_at" in override.model_fields_set and people:
            who = ", ".join(person.student_id for person in people[:3])
            what = say(
                "{title} has no deadline in the LMS ({students}): class.yaml does not know",
                title=override.title or override.id,
                students=who,
            )
            told.append(what)
        if (due := override.due_at) is None:
            continue
        for person in people:
            known = latest.get(person.student_id)
            if known is None or due > known[0]:
                latest[person.student_id] = (due, override.title or str(override.id))
    return [
        {
            "student": student,
            "until": book.quiz.local(until).isoformat(),
            "reason": f"extension in the LMS: {' '.join(title.split())}",
        }
        for student, (until, title) in sorted(latest.items())
        if abs(until - book.quiz.deadline) > SAME_MINUTE
    ], told


def _concerned(override: Override, found: Class) -> list[Person]:
    section = override.course_section_id
    return [
        person
        for person in found.students
        if person.id in override.student_ids
        or (section is not None and section in {enrollment.course_section_id for enrollment in person.enrollments})
    ]


def _class_file(lms: Lms, found: Class, extensions: Sequence[Mapping[str, str]], when: datetime) -> str:
    place = f"{lms.connection.host.origin}, course {lms.course}, quiz {found.quiz.id}"
    lines = [
        f"# What the LMS knows of this class: {place}, pulled {when.isoformat()}.",
        "# Violations, cells to skip and what else only the teaching staff knows: see `earwitness new class`.",
        f"roster: {ROSTER}",
        "no_submission: listed  # or `row`, or `zero`: a score of 0 for whoever handed nothing in",
        "feedback: [en, zh-TW]",
    ]
    lines += ["extensions:"] if extensions else []
    lines += [
        "  - {" + ", ".join(f"{name}: {json.dumps(text, ensure_ascii=False)}" for name, text in entry.items()) + "}"
        for entry in extensions
    ]
    return "\n".join(lines) + "\n"


def read_pulled(folder: Path) -> Pulled:
    """What was pulled into a folder. Raises InputError where nothing was, and where its gradebook was changed since."""
    settle(folder)
    path = folder / ORIGIN
    if not path.exists():
        raise InputError(
            Problem(str(folder), say("was not pulled from an LMS"), say("pull with `earwitness canvas pull`"))
        )
    try:
        pulled = Pulled.model_validate_json(read_bytes(path, most=MOST_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        what = say("is not what a pull writes: {place} {error}", place=place, error=first["msg"])
        raise InputError(Problem(str(path), what, say("pull again into another folder"))) from None
    if sha256_of(folder / GRADEBOOK) != pulled.files.get(GRADEBOOK):
        what = say("is not as it was pulled: what the LMS had then cannot be told")
        raise InputError(Problem(str(folder / GRADEBOOK), what, say("pull again into another folder")))
    return pulled


def as_data(pulled: Pulled, out: Path) -> dict[str, Any]:
    """What a pull comes to, as JSON data."""
    return pulled.model_dump(mode="json", exclude={"format"}) | {"written": [str(out / n) for n in (*FILES, ORIGIN)]}
