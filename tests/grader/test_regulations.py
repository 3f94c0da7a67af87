"""The course's regulations: deadline, extensions, attempts, violations, the class list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from pydantic import ValidationError

from basics.errors import InputError
from grader.marking.grading import Grades, Setting, grade
from grader.quiz.spec import QuizBook
from grader.submissions.class_file import ClassFile, read_class_file
from grader.submissions.model import Submission, SubmissionFile
from grader.submissions.roster import read_roster
from tests.grader.classroom import letters_key, make_book

DEADLINE = datetime(2026, 6, 18, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Taipei


def attempt(
    student: str, number: int | None, submitted: datetime | None, right: int, book: QuizBook, row: int = 2
) -> Submission:
    """An attempt that gets the first `right` questions right and leaves the others blank."""
    key = letters_key(book)
    ids = tuple(q.id for q in book.questions)
    chosen = tuple(key[name] if i < right else frozenset() for i, name in enumerate(ids))
    return Submission(student, ids, chosen, submitted=submitted, attempt=number, row=row)


def graded(submissions: Sequence[Submission], book: QuizBook, **class_file: object) -> Grades:
    ids = tuple(q.id for q in book.questions)
    file = SubmissionFile(Path("class.csv"), "0" * 64, "plain", ids, tuple(submissions))
    known = ClassFile.model_validate(class_file)
    return grade(file, Setting(book, letters_key(book), "net-correct", class_file=known))


def totals(grades: Grades) -> dict[str, Fraction]:
    return grades.totals()


def rules(grades: Grades, student: str) -> list[str]:
    [record] = [r for r in grades.records if r.student_id == student]
    return [adjustment.rule for adjustment in record.adjustments]


@pytest.mark.parametrize(
    ("seconds", "points"), [(-1, 3), (0, 3), (1, 0), (8 * 3600, 0)], ids=["before", "at", "after", "midnight in London"]
)
def test_the_deadline_is_a_moment_in_the_quizs_own_zone(seconds: int, points: int) -> None:
    book = make_book()
    grades = graded([attempt("s", None, DEADLINE + timedelta(seconds=seconds), 3, book)], book)
    assert totals(grades) == {"s": points}
    assert rules(grades, "s") == (["late"] if seconds > 0 else [])


def test_late_work_says_when_it_came_in_local_time() -> None:
    book = make_book()
    grades = graded([attempt("s", 1, DEADLINE + timedelta(seconds=1), 3, book)], book)
    [late] = grades.records[0].adjustments
    assert late.detail == ("attempt 1 of 2026-06-19 00:00:00 +08:00 is after 2026-06-18 23:59:59 +08:00: not accepted")


def test_a_late_attempt_does_not_replace_the_one_in_time() -> None:
    book = make_book()
    early = attempt("s", 1, DEADLINE - timedelta(hours=1), 2, book)
    late = attempt("s", 2, DEADLINE + timedelta(hours=1), 9, book)
    assert totals(graded([early, late], book)) == {"s": 2}


def test_late_work_may_be_accepted_by_the_quiz() -> None:
    book = make_book(regulations={"late": "accepted", "attempts": "latest"})
    grades = graded([attempt("s", None, DEADLINE + timedelta(days=1), 3, book)], book)
    assert totals(grades) == {"s": 3}
    assert "accepted nevertheless" in grades.records[0].adjustments[0].detail


def extension(student: str, until: str) -> dict[str, object]:
    moment = datetime.fromisoformat(until)
    return {"extensions": ({"student": student, "until": moment, "reason": "was in hospital"},)}


def test_an_extension_moves_one_students_deadline_and_never_backwards() -> None:
    book = make_book()
    late = [attempt(s, None, DEADLINE + timedelta(hours=30), 3, book) for s in ("a", "b")]
    grades = graded(late, book, **extension("a", "2026-06-20T23:59:59+08:00"))
    assert totals(grades) == {"a": 3, "b": 0}
    assert rules(grades, "a") == ["extension"]
    in_time = [attempt("a", None, DEADLINE, 3, book)]
    backwards = graded(in_time, book, **extension("a", "2026-06-01T00:00:00+08:00"))
    assert totals(backwards) == {"a": 3}
    [told] = backwards.records[0].adjustments
    assert told.detail.startswith("until 2026-06-01 00:00:00 +08:00, which is not after the deadline of all")


@pytest.mark.parametrize(("policy", "points"), [("first", 2), ("latest", 1), ("highest", 3)])
def test_which_attempt_counts(policy: str, points: int) -> None:
    book = make_book(regulations={"attempts": policy})
    attempts = [
        attempt("s", n, DEADLINE - timedelta(hours=9 - n), right, book) for n, right in ((1, 2), (3, 1), (2, 3))
    ]
    grades = graded(attempts, book)
    assert totals(grades) == {"s": points}
    assert rules(grades, "s") == ["attempts"]


def test_of_two_equally_good_attempts_the_later_one_is_kept() -> None:
    book = make_book(regulations={"attempts": "highest"})
    attempts = [attempt("s", n, DEADLINE - timedelta(hours=9 - n), 3, book) for n in (1, 2)]
    assert graded(attempts, book).records[0].decision.kept is attempts[1]


def test_more_than_five_attempts_on_a_local_day_are_flagged_and_cost_nothing() -> None:
    book = make_book()
    midnight = datetime(2026, 6, 16, 16, tzinfo=UTC)  # in Taipei
    across = [attempt("a", n, midnight + timedelta(minutes=n - 4), 3, book) for n in range(1, 7)]
    within = [attempt("b", n, midnight + timedelta(minutes=n), 3, book) for n in range(1, 7)]
    grades = graded([*across, *within], book)
    assert rules(grades, "a") == ["attempts"]
    assert rules(grades, "b") == ["attempts per day", "attempts"]
    assert grades.records[1].adjustments[0].detail.startswith("6 attempts on 2026-06-17, allowed are 5")
    assert totals(grades) == {"a": 3, "b": 3}


def test_violations_cost_the_homework_and_then_the_course() -> None:
    book = make_book()
    students = [attempt(s, None, DEADLINE, 3, book) for s in ("first", "again", "honest")]
    violations = (
        {"student": "first", "what": "shared an answer file"},
        {"student": "again", "what": "shared an answer file", "earlier": 1},
    )
    grades = graded(students, book, violations=violations)
    assert totals(grades) == {"first": 0, "again": 0, "honest": 3}
    first, again, honest = (record.decision for record in grades.records)
    assert (first.final_factor, first.final_grade) == (Fraction("0.9"), "")
    assert (again.final_factor, again.final_grade) == (1, "F")
    assert (honest.final_factor, honest.adjustments) == (1, ())
    assert "final grade times 0.9" in first.adjustments[0].detail
    assert "violation number 2 of the semester" in again.adjustments[0].detail


def test_a_file_without_times_says_that_nothing_can_be_late() -> None:
    book = make_book()
    grades = graded([attempt("a", None, None, 3, book)], book, **extension("a", "2026-06-20T00:00:00+08:00"))
    assert any("nothing can be late" in note for note in grades.notes)


def roster(tmp_path: Path, text: str) -> str:
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_class_list_shows_who_is_missing_and_stops_strangers(tmp_path: Path) -> None:
    book = make_book()
    students = [attempt(s, None, DEADLINE, 3, book, row) for row, s in enumerate(("0012", "13"), 2)]
    path = roster(tmp_path, "學號,姓名,班次\n0012,王小明,01\n13,李小華,02\n14,陳小美,02\n")
    grades = graded(students, book, roster=path)
    assert [(entry.student_id, entry.name, entry.section) for entry in grades.missing] == [("14", "陳小美", "02")]
    path = roster(tmp_path, "Name,Student ID\nA,12\nB,13\n")
    with pytest.raises(InputError, match=r"class\.csv row 2: student 0012 is not on the roster"):
        graded(students, book, roster=path)


def test_a_class_list_with_faults(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_roster(Path(roster(tmp_path, "student_id,name\n1,A\n1,B\n,C\n")))
    assert "student 1 stands there twice" in str(caught.value)
    assert "has no student id" in str(caught.value)
    with pytest.raises(InputError, match="has no column with student ids"):
        read_roster(Path(roster(tmp_path, "who,what\n1,A\n")))


def test_the_real_roster_and_report_agree_on_who_did_not_submit(shared: Path) -> None:
    entries = read_roster(shared / "canvas/bcourses_exam_gen_roster.csv")
    assert len(entries) == 10
    assert entries["49232758"].name == "Smith, Abby"


def test_extensions_and_violations_of_unknown_students_are_refused() -> None:
    book = make_book()
    with pytest.raises(InputError, match="student z is neither on the roster nor in the file"):
        graded([attempt("a", None, DEADLINE, 3, book)], book, **extension("z", "2026-06-20T00:00:00+08:00"))


@pytest.mark.parametrize("grace", [0, 60, 90])
def test_the_grace_ends_with_its_last_second_for_everybody(grace: int) -> None:
    book = make_book(regulations={"late_grace_seconds": grace})
    extended = DEADLINE + timedelta(days=1)
    moments = {"a": DEADLINE, "b": extended}
    for beyond, points in ((0, 3), (1, 0)):
        late = [attempt(s, None, at + timedelta(seconds=grace + beyond), 3, book) for s, at in moments.items()]
        grades = graded(late, book, **extension("b", extended.astimezone(timezone(timedelta(hours=8))).isoformat()))
        assert totals(grades) == {"a": points, "b": points}
        if beyond:
            told = f" and its {grace} s of grace: not accepted" if grace else ": not accepted"
            assert all(r.adjustments[-1].detail.endswith(told) for r in grades.records)


def test_without_a_word_about_it_the_grace_is_the_lms_s_minute() -> None:
    book = make_book(regulations={})
    on_time, late = (attempt(s, None, DEADLINE + timedelta(seconds=n), 3, book) for s, n in (("a", 60), ("b", 61)))
    assert totals(graded([on_time, late], book)) == {"a": 3, "b": 0}
    with pytest.raises(ValidationError, match="late_grace_seconds"):
        make_book(regulations={"late_grace_seconds": -1})


@pytest.mark.parametrize(
    ("deadline", "zone", "there"),
    [
        ("2026-06-18T23:59:59-08:00", "Asia/Taipei", "2026-06-19T15:59:59+08:00"),
        ("2026-06-18T23:59:59+00:00", "Asia/Taipei", "2026-06-19T07:59:59+08:00"),
        ("2026-06-18T23:59:59+01:00", "Europe/Berlin", "2026-06-19T00:59:59+02:00"),
        ("2026-01-18T23:59:59+02:00", "Europe/Berlin", "2026-01-18T22:59:59+01:00"),
        ("2026-06-18T23:59:59+05:00", "Asia/Kolkata", "2026-06-19T00:29:59+05:30"),
    ],
)
def test_a_deadline_with_another_offset_than_its_zone_is_refused(
    tmp_path: Path, deadline: str, zone: str, there: str
) -> None:
    later = {"release": None, "revision_until": None}
    with pytest.raises(ValidationError, match="has another offset than") as caught:
        make_book(deadline=deadline, time_zone=zone, **later)
    assert there in str(caught.value)
    make_book(deadline=there, time_zone=zone, **later)
    path = tmp_path / "class.yaml"
    path.write_text(f'extensions: [{{student: b1, until: "{deadline}", reason: was in hospital}}]\n')
    with pytest.raises(InputError, match=r"class\.yaml:1: .* has another offset than"):
        read_class_file(path, make_book(deadline=there, time_zone=zone, **later))


@pytest.mark.parametrize("offset", ["+02:00", "+01:00"])
def test_in_the_hour_that_comes_twice_both_offsets_are_the_zones(offset: str) -> None:
    book = make_book(
        deadline=f"2026-10-25T02:30:00{offset}", time_zone="Europe/Berlin", release=None, revision_until=None
    )
    assert book.quiz.deadline.isoformat().endswith(offset)
