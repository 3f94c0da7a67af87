"""The first contact with an LMS: ask it for everything that a pull and a push need, and say what it allows.

Nothing is written there, not even a report is begun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from basics.errors import InputError
from grader.canvas.connection import Connection
from grader.canvas.lms import Lms, LmsQuiz

GRADES, READS = "manage_grades", "view_all_grades"


@dataclass(frozen=True)
class Contact:
    """One question to the LMS: what was asked, whether it can be used, and what it answered."""

    what: str
    good: bool
    answer: str


def first_contact(connection: Connection, course: int | None, quiz: int | None) -> list[Contact]:
    """All questions whose own question before them was answered."""
    found: list[Contact] = []

    def ask(what: str, question: Callable[[], str], good: Callable[[str], bool] = bool) -> bool:
        try:
            answer = question()
            found.append(Contact(what, good(answer), answer or "nothing"))
        except InputError as error:
            problem = error.problems[0]
            found.append(Contact(what, False, f"{problem.what} ({problem.where})"))
        return found[-1].good

    if not ask("token", lambda: _user(connection)) or course is None:
        return found
    lms = Lms(connection, course)
    if not ask("course", lambda: lms.about().name or str(course)):
        return found
    ask("students", lambda: _students(lms))
    ask("sections", lambda: ", ".join(section.name for section in lms.sections()))
    ask("may set scores", lambda: _permissions(lms), lambda said: said == "yes")
    if quiz is None:
        return found
    kept: list[LmsQuiz] = []
    if not ask("quiz", lambda: _quiz(lms, quiz, kept)):
        return found
    ask("questions with the key", lambda: str(len(lms.questions(quiz))), lambda said: said != "0")
    number = kept[0].assignment_id
    if ask("column of the gradebook", lambda: _assignment(lms, number), lambda said: " points, " in said) and number:
        ask("scores", lambda: _scores(lms, number), lambda said: not said.startswith("0 "))
        ask("extensions", lambda: f"{len(lms.overrides(number))} overrides")
    ask("reports of the quiz", lambda: _reports(connection, course, quiz))
    return found


def _user(connection: Connection) -> str:
    data = connection.ask("GET", "users/self")
    return str(data.get("name", "")) if isinstance(data, dict) else ""


def _students(lms: Lms) -> str:
    total, students = lms.about().total_students, lms.students()
    with_ids = sum(person.sis_user_id is not None for person in students)
    told = f"{len(students)} listed, {with_ids} with an id of the school"
    return told if total is None else f"{told}; the LMS counts {total}"


def _permissions(lms: Lms) -> str:
    given = lms.permissions(GRADES, READS)
    return "yes" if given.get(GRADES) else f"no: {GRADES} is not given to the token's user"


def _quiz(lms: Lms, number: int, kept: list[LmsQuiz]) -> str:
    quiz = lms.quiz(number)
    kept.append(quiz)
    return f"{quiz.title}, {quiz.quiz_type or 'quiz'}"


def _assignment(lms: Lms, number: int | None) -> str:
    if number is None:
        return "none: the quiz is not graded, or not published"
    column = lms.assignment(number)
    posting = "by hand" if column.post_manually else "as soon as they are there"
    return f"{column.name}, {column.points_possible or 0:g} {column.grading_type}, shown {posting}"


def _scores(lms: Lms, assignment: int) -> str:
    submissions = lms.submissions(assignment)
    scored = sum(submission.score is not None for submission in submissions.values())
    return f"{len(submissions)} students, {scored} with a score"


def _reports(connection: Connection, course: int, quiz: int) -> str:
    listed = connection.ask("GET", f"courses/{course}/quizzes/{quiz}/reports", includes_all_versions=True)
    kinds = [str(entry.get("report_type", "")) for entry in listed] if isinstance(listed, list) else []
    return ", ".join(kind for kind in kinds if kind) or "can be read"
