"""What is read from a course of the LMS, in the shapes that Canvas's public API documentation gives.

Each shape names its page below https://canvas.instructure.com/doc/api/; what stands in an answer besides is not looked
at. An answer of another shape is refused with its place, never guessed at.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from basics.errors import Problem
from basics.messages import Message, say
from basics.moments import Moment
from grader.canvas.connection import Connection, Refused, explained
from grader.marking.scoring import rounded

FIRST_POLL, LONGEST_POLL, PATIENCE = 0.2, 5.0, 900.0
"""Seconds between two questions how far a job is, at first and at most, and for how long to ask."""
ALREADY = 409
NOT_ASSIGNED, EXCUSED = "N/A", "EX"


class Shape(BaseModel):
    """Data of the LMS: the documented fields that are used; others are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


Data = TypeVar("Data", bound=Shape)


class Course(Shape):
    """`courses.html#Course`; `total_students` counts active and invited ones."""

    id: int
    name: str = ""
    total_students: int | None = None


class Section(Shape):
    """`sections.html#Section`."""

    id: int
    name: str


class Enrollment(Shape):
    """`enrollments.html#Enrollment`."""

    type: str
    course_section_id: int


class Person(Shape):
    """`users.html#User`; `sis_user_id` and `login_id` only for who may read them."""

    id: int
    name: str = ""
    sortable_name: str = ""
    sis_user_id: str | None = None
    login_id: str | None = None
    enrollments: tuple[Enrollment, ...] = ()

    @property
    def student_id(self) -> str:
        """As the report's `sis_id` has it, else the login, else the LMS's number."""
        return (self.sis_user_id or self.login_id or str(self.id)).strip()


class Answer(Shape):
    """`quiz_questions.html#Answer`: as read, the text and weight go without the prefix that they are written with."""

    id: int | str | None = None
    text: str | None = None
    html: str | None = None
    weight: float = 0
    answer_text: str | None = None
    answer_weight: float | None = None

    @property
    def shown(self) -> str:
        return self.html or self.text or self.answer_text or ""

    @property
    def correct(self) -> bool:
        return (self.weight if self.answer_weight is None else self.answer_weight) > 0


class QuizQuestion(Shape):
    """`quiz_questions.html#QuizQuestion`."""

    id: int
    question_name: str = ""
    question_type: str
    question_text: str = ""
    points_possible: float = 0
    answers: tuple[Answer, ...] = ()


class LmsQuiz(Shape):
    """`quizzes.html#Quiz` (Classic); `assignment_id` is the column of the gradebook, if it has one."""

    id: int
    title: str = ""
    quiz_type: str = ""
    assignment_id: int | None = None
    points_possible: float | None = None
    scoring_policy: str | None = None
    allowed_attempts: int | None = None
    due_at: Moment | None = None
    lock_at: Moment | None = None
    published: bool | None = None


class LmsAssignment(Shape):
    """`assignments.html#Assignment`."""

    id: int
    name: str
    points_possible: float | None = None
    grading_type: str = "points"
    published: bool = True
    post_manually: bool = False
    moderated_grading: bool = False
    anonymous_grading: bool = False


class Override(Shape):
    """`assignments.html#AssignmentOverride`; `due_at` is there only where it is overridden."""

    id: int
    title: str = ""
    student_ids: tuple[int, ...] = ()
    course_section_id: int | None = None
    group_id: int | None = None
    due_at: Moment | None = None


class Attachment(Shape):
    """`files.html#File`."""

    display_name: str = ""
    filename: str = ""


class Comment(Shape):
    """`submissions.html#SubmissionComment`."""

    attachments: tuple[Attachment, ...] = ()


class LmsSubmission(Shape):
    """`submissions.html#Submission`; `score` is after what a late policy takes off (`points_deducted`)."""

    user_id: int
    score: float | None = None
    excused: bool | None = None
    assignment_visible: bool | None = None
    points_deducted: float | None = None
    submission_comments: tuple[Comment, ...] = ()

    @property
    def cell(self) -> str:
        """As the exported gradebook has it: two decimals, empty for no score, `EX`, `N/A`."""
        if self.assignment_visible is False:
            return NOT_ASSIGNED
        if self.excused:
            return EXCUSED
        return "" if self.score is None else rounded(Fraction(str(self.score)))

    @property
    def attached(self) -> tuple[str, ...]:
        """Names of the files that comments bring."""
        return tuple(f.display_name or f.filename for c in self.submission_comments for f in c.attachments)


class File(Shape):
    """`files.html#File`, of a report."""

    url: str
    size: int | None = None


class QuizReport(Shape):
    """`quiz_reports.html#QuizReport`; `file` is there once it is finished."""

    id: int
    report_type: str = "student_analysis"
    includes_all_versions: bool | None = None
    file: File | None = None
    progress_url: str | None = None


class Progress(Shape):
    """`progress.html#Progress`."""

    id: int
    workflow_state: str
    message: str | None = None

    @property
    def over(self) -> bool:
        return self.workflow_state in ("completed", "failed", "canceled")


class Migration(Shape):
    """`content_migrations.html#ContentMigration`."""

    id: int
    workflow_state: str = ""
    pre_attachment: dict[str, Any] = Field(default_factory=dict)


class Issue(Shape):
    """`content_migrations.html#MigrationIssue`."""

    description: str = ""
    issue_type: str = "warning"


class Lms:
    """One course. Every method is one documented request, or a list of pages."""

    def __init__(self, connection: Connection, course: int) -> None:
        self.connection, self.course = connection, course

    def about(self) -> Course:
        path = f"courses/{self.course}"
        return self._one(Course, path, include=["total_students"])

    def permissions(self, *names: str) -> dict[str, bool]:
        """`courses.html#method.courses.permissions`."""
        data = self.connection.ask("GET", f"courses/{self.course}/permissions", permissions=list(names))
        return {name: bool(data.get(name)) for name in names} if isinstance(data, dict) else {}

    def sections(self) -> list[Section]:
        return self._many(Section, f"courses/{self.course}/sections")

    def students(self) -> list[Person]:
        """Active and invited students, without the test student, as `enrollment_type` has it."""
        path = f"courses/{self.course}/users"
        return self._many(Person, path, enrollment_type=["student"], include=["enrollments"])

    def quiz(self, quiz: int) -> LmsQuiz:
        return self._one(LmsQuiz, f"courses/{self.course}/quizzes/{quiz}")

    def quizzes(self) -> list[LmsQuiz]:
        return self._many(LmsQuiz, f"courses/{self.course}/quizzes")

    def questions(self, quiz: int) -> list[QuizQuestion]:
        return self._many(QuizQuestion, f"courses/{self.course}/quizzes/{quiz}/questions")

    def assignment(self, assignment: int) -> LmsAssignment:
        return self._one(LmsAssignment, f"courses/{self.course}/assignments/{assignment}")

    def overrides(self, assignment: int) -> list[Override]:
        return self._many(Override, f"courses/{self.course}/assignments/{assignment}/overrides")

    def submissions(self, assignment: int, *, comments: bool = False) -> dict[str, LmsSubmission]:
        """Everybody's, by the LMS's number."""
        path = f"courses/{self.course}/assignments/{assignment}/submissions"
        include = ["visibility", *(["submission_comments"] if comments else [])]
        return {str(found.user_id): found for found in self._many(LmsSubmission, path, include=include)}

    def student_analysis(self, quiz: int) -> bytes:
        """The report of all versions: started, waited for, and all its bytes."""
        path = f"courses/{self.course}/quizzes/{quiz}/reports"
        wanted = {"report_type": "student_analysis", "includes_all_versions": True}
        where = say("{host}, quiz {number}", host=self.connection.host.origin, number=quiz)
        try:
            report = self._shaped(QuizReport, self.connection.ask("POST", path, quiz_report=wanted), path)
        except Refused as error:
            if error.status != ALREADY:
                raise
            report = self._begun(path)
        for _ in self._patience(say("the report of quiz {number}", number=quiz)):
            if report.file is not None:
                break
            if report.progress_url and (progress := self.progress(_last(report.progress_url))).workflow_state in (
                "failed",
                "canceled",
            ):
                what = explained(say("could not write the report"), progress.message)
                raise Refused(Problem(where, what, say("run it again")))
            report = self._one(QuizReport, f"{path}/{report.id}", include=["file"])
        assert report.file is not None
        content = self.connection.download(report.file.url)
        if report.file.size is not None and len(content) != report.file.size:
            what = say("sent {n} bytes of a report of {size}", n=len(content), size=report.file.size)
            raise Refused(Problem(where, what, say("run it again")))
        return content

    def _begun(self, path: str) -> QuizReport:
        """The report that somebody had begun already."""
        listed = self.connection.ask("GET", path, includes_all_versions=True)
        found = [self._shaped(QuizReport, entry, path) for entry in (listed if isinstance(listed, list) else [listed])]
        for report in found:
            if report.report_type == "student_analysis" and report.includes_all_versions is not False:
                return report
        raise Refused(
            Problem(path, say("is being written for somebody, and is not listed"), say("run it again in a minute"))
        )

    def progress(self, number: int | str) -> Progress:
        return self._one(Progress, f"progress/{number}")

    def wait(self, number: int | str, what: Message) -> Progress:
        """A job of the LMS that is over, be it completed or failed."""
        for _ in self._patience(what):
            if (found := self.progress(number)).over:
                return found
        raise AssertionError("patience ends with an error")

    def _patience(self, what: Message) -> Iterable[None]:
        """Once for each question, with a pause before all but the first. Raises Refused when it has taken too long."""
        yield None
        begun, pause = time.monotonic(), FIRST_POLL
        while time.monotonic() - begun < PATIENCE:
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL)
            yield None
        told = say("is not done with {job} after {minutes:.0f} minutes", job=what, minutes=PATIENCE / 60)
        raise Refused(Problem(self.connection.host.origin, told, say("run the same command again later")))

    def set_scores(self, assignment: int, scores: Mapping[str, str]) -> Progress:
        """Have the LMS set scores, by its numbers of the students, in a job of its own.

        `submissions.html#method.submissions_api.bulk_update`. A score is a number with two decimals and never empty,
        which would erase one.
        """
        for score in scores.values():
            assert score == rounded(Fraction(score)), "a score is a number with two decimals"
        path = f"courses/{self.course}/assignments/{assignment}/submissions/update_grades"
        data = {number: {"posted_grade": score} for number, score in scores.items()}
        return self._shaped(Progress, self.connection.ask("POST", path, grade_data=data), path)

    def comment(self, assignment: int, student: str, text: str, files: Sequence[tuple[str, bytes]]) -> LmsSubmission:
        """Give a student files with a comment (name and content of each); the submission with its comments.

        `submission_comments.html#method.submission_comments_api.create_file`, then
        `submissions.html#method.submissions_api.update`. The score is not touched.
        """
        path = f"courses/{self.course}/assignments/{assignment}/submissions/{student}"
        numbers = []
        for name, content in files:
            told = {"name": name, "size": len(content), "content_type": "text/html"}
            announced = self.connection.ask("POST", f"{path}/comments/files", **told)
            numbers.append(self.connection.upload(announced, name, content, "text/html")["id"])
        sent = {"text_comment": text, "file_ids": numbers}
        data = self.connection.ask("PUT", path, comment=sent, include=["submission_comments"])
        return self._shaped(LmsSubmission, data, path)

    def import_package(self, name: str, content: bytes) -> list[Issue]:
        """Have a QTI package imported, and wait; what the LMS has to say about it.

        `content_migrations.html#method.content_migrations.create`, `qti_converter`.
        """
        path = f"courses/{self.course}/content_migrations"
        told = {"name": name, "size": len(content)}
        begun = self._shaped(
            Migration, self.connection.ask("POST", path, migration_type="qti_converter", pre_attachment=told), path
        )
        self.connection.upload(begun.pre_attachment, name, content, "application/zip")
        for _ in self._patience(say("the import")):
            if (now := self._one(Migration, f"{path}/{begun.id}")).workflow_state in ("completed", "failed"):
                break
        issues = self._many(Issue, f"{path}/{begun.id}/migration_issues")
        if now.workflow_state == "failed":
            said = "; ".join(issue.description for issue in issues)
            what = explained(say("could not import the package"), said)
            raise Refused(Problem(self.connection.host.origin, what, say("import it by hand: `earwitness export qti`")))
        return issues

    def _one(self, shape: type[Data], path: str, **parameters: Any) -> Data:
        return self._shaped(shape, self.connection.ask("GET", path, **parameters), path)

    def _many(self, shape: type[Data], path: str, **parameters: Any) -> list[Data]:
        return [self._shaped(shape, entry, path) for entry in self.connection.all(path, **parameters)]

    def _shaped(self, shape: type[Data], data: Any, path: str) -> Data:
        try:
            return shape.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            what = say(
                "answers otherwise than documented: {where} {error}",
                where=".".join(map(str, first["loc"])) or say("the answer"),
                error=first["msg"][:1].lower() + first["msg"][1:],
            )
            place = f"{self.connection.host.origin}/api/v1/{path}"
            raise Refused(Problem(place, what, say("see docs/canvas.md, and take the files by hand"))) from None


def _last(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
