"""The first contact with an LMS: ask it for everything that a pull and a push need, and say what it allows.

Nothing is written there, not even a report is begun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from basics.errors import InputError
from basics.messages import Message, quoted, say
from grader.canvas.connection import Connection
from grader.canvas.lms import Lms, LmsQuiz

GRADES, READS = "manage_grades", "view_all_grades"


@dataclass(frozen=True)
class Contact:
    """One question to the LMS: what was asked, whether it can be used, and what it answered."""

    what: Message
    good: bool
    answer: Message


def first_contact(connection: Connection, course: int | None, quiz: int | None) -> list[Contact]:
    """All questions whose own question before them was answered."""
    found: list[Contact] = []

    def ask(what: Message, question: Callable[[], Message], good: Callable[[str], bool] = bool) -> bool:
        try:
            answer = question()
            found.append(Contact(what, good(answer), answer or say("nothing")))
        except InputError as error:
            problem = error.problems[0]
            found.append(Contact(what, False, say("{what} ({where})", what=problem.what, where=problem.where)))
        return found[-1].good

    if not ask(say("token"), lambda: _user(connection)) or course is None:
        return found
    lms = Lms(connection, course)
    if not ask(say("course"), lambda: quoted(lms.about().name or str(course))):
        return found
    ask(say("students"), lambda: _students(lms))
    ask(say("sections"), lambda: quoted(", ".join(section.name for section in lms.sections())))
    ask(say("may set scores"), lambda: _permissions(lms), lambda said: said == "yes")
    if quiz is None:
        return found
    kept: list[LmsQuiz] = []
    if not ask(say("quiz"), lambda: _quiz(lms, quiz, kept)):
        return found
    ask(say("questions with the key"), lambda: quoted(str(len(lms.questions(quiz)))), lambda said: said != "0")
    number = kept[0].assignment_id
    column = say("column of the gradebook")
    if ask(column, lambda: _assignment(lms, number), lambda said: " points, " in said) and number:
        ask(say("scores"), lambda: _scores(lms, number), lambda said: not said.startswith("0 "))
        ask(say("extensions"), lambda: say("{n} overrides", n=len(lms.overrides(number))))
    ask(say("reports of the quiz"), lambda: _reports(connection, course, quiz))
    return found


def _user(connection: Connection) -> Message:
    data = connection.ask("GET", "users/self")
    return quoted(str(data.get("name", "")) if isinstance(data, dict) else "")


def _students(lms: Lms) -> Message:
    total, students = lms.about().total_students, lms.students()
    with_ids = sum(person.sis_user_id is not None for person in students)
    told = say("{listed} listed, {with_ids} with an id of the school", listed=len(students), with_ids=with_ids)
    return told if total is None else say("{summary}; the LMS counts {total}", summary=told, total=total)


def _permissions(lms: Lms) -> Message:
    given = lms.permissions(GRADES, READS)
    if given.get(GRADES):
        return say("yes")
    return say("no: {permission} is not given to the token's user", permission=GRADES)


def _quiz(lms: Lms, number: int, kept: list[LmsQuiz]) -> Message:
    quiz = lms.quiz(number)
    kept.append(quiz)
    return say("{title}, {kind}", title=quiz.title, kind=quiz.quiz_type or say("quiz"))


def _assignment(lms: Lms, number: int | None) -> Message:
    if number is None:
        return say("none: the quiz is not graded, or not published")
    column = lms.assignment(number)
    worth = say(
        "{name}, {points:g} {kind}", name=column.name, points=column.points_possible or 0, kind=column.grading_type
    )
    if column.post_manually:
        return say("{column}, shown by hand", column=worth)
    return say("{column}, shown as soon as they are there", column=worth)


def _scores(lms: Lms, assignment: int) -> Message:
    submissions = lms.submissions(assignment)
    scored = sum(submission.score is not None for submission in submissions.values())
    return say("{students} students, {scored} with a score", students=len(submissions), scored=scored)


def _reports(connection: Connection, course: int, quiz: int) -> Message:
    listed = connection.ask("GET", f"courses/{course}/quizzes/{quiz}/reports", includes_all_versions=True)
    kinds = [str(entry.get("report_type", "")) for entry in listed] if isinstance(listed, list) else []
    return quoted(", ".join(filter(None, kinds))) if any(kinds) else say("can be read")
