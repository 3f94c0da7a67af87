"""`earwitness canvas` against a course on this machine: pulled, pushed, read back, with all that can go wrong."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from grader.canvas import connection
from grader.cli import app
from grader.quiz.spec import QuizBook
from tests.grader import canvas_server as server
from tests.grader.canvas_server import ASSIGNMENT, COURSE, QUIZ, TOKEN, Lms, serving
from tests.grader.classroom import Attempt, Report, canvas_points, letters_key, random_class
from tests.grader.qti_reading import read_qti
from tests.test_readme import commands

DONE, FAILED, UNUSABLE, UNSETTLED = 0, 1, 2, 3
FIRST = 90000
SUBMISSIONS = rf".*/assignments/{ASSIGNMENT}/submissions"
BULK = rf"POST {SUBMISSIONS}/update_grades"


def course(book: QuizBook, students: int, *, attempts: int = 1) -> Lms:
    """The classroom's quiz and class as an LMS has them."""
    key, everybody = letters_key(book), random_class(book, students, attempts=attempts)
    last: dict[int, Attempt] = {attempt.student: attempt for attempt in everybody}
    questions = [
        {
            "id": 352902 + at,
            "quiz_id": QUIZ,
            "question_name": question.title,
            "question_type": "multiple_answers_question" if question.choose == "many" else "multiple_choice_question",
            "question_text": f"<p>{html.escape(question.prompt, quote=False)}</p>",
            "points_possible": question.points,
            "answers": [
                {"id": n, "text": option.text, "html": "", "weight": 100 if letter in key[question.id] else 0}
                for n, (letter, option) in enumerate(question.options.items(), 1000)
            ],
        }
        for at, question in enumerate(book.questions)
    ]
    due = book.quiz.deadline.isoformat()
    quiz = {"id": QUIZ, "title": "HW10", "quiz_type": "assignment", "assignment_id": ASSIGNMENT, "due_at": due}
    quiz |= {"lock_at": due, "points_possible": book.quiz.total, "scoring_policy": "keep_latest", "published": True}
    quiz |= {"allowed_attempts": -1}
    return Lms(
        {FIRST + n: person(n, attempt) for n, attempt in last.items()},
        quiz,
        questions,
        Report(language="zh", bom=True).text(book, everybody).encode(),
        scores={
            FIRST + n: sum(canvas_points(q, key[q.id], attempt.answers[q.id] or frozenset()) for q in book.questions)
            for n, attempt in last.items()
        },
        assignment={"points_possible": book.quiz.total},
    )


def person(number: int, attempt: Attempt) -> dict[str, Any]:
    section = 11 if attempt.section == "Class A" else 12
    return {
        "id": FIRST + number,
        "name": attempt.name,
        "sortable_name": attempt.name,
        "sis_user_id": attempt.login,
        "login_id": attempt.login,
        "enrollments": [{"type": "StudentEnrollment", "course_section_id": section, "enrollment_state": "active"}],
    }


@dataclass
class Desk:
    """A folder to work in, and the LMS."""

    folder: Path
    lms: Lms
    quiz: Path
    said: list[str]

    def run(self, *arguments: object, answer: str | None = None) -> Result:
        ended = CliRunner().invoke(app, [*map(str, arguments)], input=answer)
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.output
        self.said.append(ended.output)
        return ended

    def canvas(self, *arguments: object, answer: str | None = None) -> Result:
        return self.run("canvas", *arguments, answer=answer)

    def pull(self, name: str = "cool", *more: object) -> Result:
        where = ["--host", self.lms.origin, "--trust-host", "--course", COURSE, "--quiz", QUIZ]
        return self.canvas("pull", *where, "--specs", self.quiz, "--out", self.folder / name, *more)

    def grade(self, name: str = "graded", pulled: str = "cool") -> Path:
        """All or nothing: about every score is another one than the LMS's."""
        files = self.folder / pulled
        class_file = files / "class.yaml"
        class_file.write_text(class_file.read_text(encoding="utf-8").replace("[en, zh-TW]", "[en]"), encoding="utf-8")
        out = self.folder / name
        command = ["grade", files / "report.csv", "--class", class_file, "--out", out, "--quiz", self.quiz]
        ended = self.run(*command, "--rule", "all-or-nothing")
        assert ended.exit_code == DONE, ended.output
        return out

    def push(self, *more: object, run: str = "graded", answer: str | None = None) -> Result:
        return self.canvas("push", self.folder / run, "--from", self.folder / "cool", *more, answer=answer)

    def totals(self, run: str = "graded") -> dict[int, float]:
        """Scores of the run by the LMS's number."""
        with (self.folder / run / "scores.csv").open(encoding="utf-8-sig", newline="") as file:
            return {FIRST + int(row["student_id"][1:]): float(row["total"]) for row in csv.DictReader(file)}

    def ledger(self, run: str = "graded") -> dict[str, Any]:
        ended = self.run("ledger", self.folder / run, "--json")
        assert ended.exit_code == DONE, ended.output
        return dict(json.loads(ended.stdout))


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CANVAS_TOKEN", TOKEN)
    monkeypatch.setenv("EARWITNESS_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for name in ("CANVAS_HOST", "CANVAS_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(connection, "PAUSES", (0.0, 0.01, 0.01, 0.01, 0.01))
    monkeypatch.setattr(connection, "BREATH", 0.01)


@pytest.fixture
def desk(class_book: QuizBook, quiz: Path, tmp_path: Path) -> Iterator[Desk]:
    """Twelve students; afterwards the token is looked for in everything that was written and said."""
    with serving(course(class_book, 12)) as lms:
        desk = Desk(tmp_path / "desk", lms, quiz, [])
        desk.folder.mkdir()
        yield desk
        assert lms.leaks == []
        assert lms.emptied == []
    assert where_is(TOKEN, [tmp_path], "".join(desk.said)) == []


def where_is(secret: str, folders: list[Path], said: str = "") -> list[str]:
    """Every file in which it stands, whole or in its last characters."""
    found = [
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and (secret in path.read_bytes().decode("latin-1") or secret in path.name)
    ]
    return [*found, *(["said"] if secret in said or secret[-8:] in said else [])]


@pytest.fixture
def graded(desk: Desk) -> Desk:
    """Pulled and graded."""
    assert desk.pull().exit_code == DONE, desk.said
    desk.grade()
    desk.lms.asked.clear()
    return desk


def killed_at(lms: Lms, line: str, after: int, arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run the real command, killed (SIGKILL) when the LMS receives this request; its code and all it said."""
    running: list[subprocess.Popen[str]] = []

    def kill() -> None:
        running[0].kill()
        running[0].wait()

    lms.fault(line, server.meanwhile(kill), after=after)
    return process(running, arguments, environment)


def process(running: list[subprocess.Popen[str]], arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-c", "from grader.cli import main; main()", *arguments]
    own = {**os.environ, **environment}
    running.append(subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    said, _ = running[0].communicate(timeout=300)
    return running[0].returncode, said


def test_a_class_of_300_from_pull_to_pushed_and_read_back_killed_on_the_way(
    class_book: QuizBook, quiz: Path, tmp_path: Path, repository: Path, foreign_site: Path
) -> None:
    killed = -9
    environment = {"PYTHONPATH": os.pathsep.join(map(str, (repository, foreign_site)))}
    with serving(course(class_book, 300, attempts=2)) as lms:
        desk = Desk(tmp_path, lms, quiz, [])
        where = ["--host", lms.origin, "--trust-host", "--course", str(COURSE), "--quiz", str(QUIZ)]
        pull = ["--debug", "canvas", "pull", *where, "--specs", str(quiz), "--out", str(tmp_path / "cool")]
        code, said = killed_at(lms, "POST .*/reports", 0, pull, environment)
        assert (code, (tmp_path / "cool").exists()) == (killed, False)
        desk.said.append(said)
        code, said = process([], pull, environment)
        desk.said.append(said)
        assert code == DONE, said
        assert lms.writes() == [f"POST /api/v1/courses/{COURSE}/quizzes/{QUIZ}/reports"] * 2

        desk.grade()
        before, totals = dict(lms.scores), desk.totals()
        plan = json.loads(desk.push("--dry-run", "--json").stdout)
        export = ["export", "canvas", tmp_path / "graded", "--gradebook", tmp_path / "cool/gradebook.csv"]
        by_hand = json.loads(desk.run(*export, "--assignment", ASSIGNMENT, "--json").stdout)
        assert plan["changes"] == by_hand["changes"], "the route of the API and that of the files are one"
        assert len(plan["changes"]) > 200

        push = ["--debug", "canvas", "push", str(tmp_path / "graded"), "--from", str(tmp_path / "cool"), "--yes"]
        push += ["--feedback"]
        for line, after in ((BULK, 1), (rf"PUT {SUBMISSIONS}/\d+", 40)):
            code, said = killed_at(lms, line, after, push, environment)
            desk.said.append(said)
            assert code == killed, said
        assert len(lms.comments) == 41
        code, said = process([], push, environment)
        desk.said.append(said)
        assert code == DONE, said
        assert f"300 of {len(totals)} read back as in the run" in said

        assert {user: round(score or 0, 2) for user, score in lms.scores.items()} == totals
        sent = [set(job.scores) for job in lms.jobs]
        assert set.union(*sent) == {user for user in totals if round(before[user] or 0, 2) != totals[user]}
        assert {user: len(given) for user, given in lms.comments.items()} == dict.fromkeys(totals, 1)
        for user, given in lms.comments.items():
            [attached] = given[0]["attachments"]
            page = tmp_path / "graded/feedback/en" / f"b{user - FIRST:08d}.html"
            assert lms.files[attached["id"]][1] == page.read_bytes()

        entries = [entry for entry in desk.ledger()["entries"] if entry["action"] == "push"]
        scores = {int(write["id"]): write for entry in entries for write in entry["facts"]["scores"].values()}
        assert scores.keys() == set.union(*sent)
        assert {user: float(write["new"]) for user, write in scores.items()} == {u: totals[u] for u in scores}
        assert {user: float(write["old"]) for user, write in scores.items()} == {
            u: round(before[u] or 0, 2) for u in scores
        }
        assert (lms.leaks, lms.emptied) == ([], [])
    assert where_is(TOKEN, [tmp_path, quiz.parent], "".join(desk.said)) == []
    assert where_is(TOKEN[-8:], [tmp_path, quiz.parent]) == []


def test_a_pull_writes_what_grade_reads(desk: Desk, class_book: QuizBook) -> None:
    later = class_book.quiz.deadline + timedelta(days=2)
    desk.lms.overrides = [
        {"id": 1, "title": "in hospital", "student_ids": [FIRST + 3], "due_at": (later - timedelta(1)).isoformat()},
        {"id": 2, "title": "Class B", "course_section_id": 12, "due_at": later.isoformat()},
        {"id": 3, "title": "everybody's", "student_ids": [FIRST], "due_at": class_book.quiz.deadline.isoformat()},
    ]
    desk.lms.scores[FIRST + 1], desk.lms.excused = None, {FIRST + 2}
    ended = desk.pull()
    assert ended.exit_code == DONE, ended.output
    assert ended.stdout.startswith("0 differences between the LMS's quiz and")
    files = desk.folder / "cool"
    assert (files / "report.csv").read_bytes() == desk.lms.report
    rows = list(csv.DictReader(io.StringIO((files / "gradebook.csv").read_text(encoding="utf-8-sig"))))
    scores = {row["ID"]: row[f"HW10 ({ASSIGNMENT})"] for row in rows}
    assert (scores[""], scores[str(FIRST + 1)], scores[str(FIRST + 2)]) == ("10", "", "EX")
    assert scores[str(FIRST)] == f"{desk.lms.scores[FIRST]:.2f}"
    run = json.loads((desk.grade() / "result.json").read_text(encoding="utf-8"))
    extended = {entry["student"]: entry["until"] for entry in run["class_file"]["extensions"]}
    assert set(extended) == {f"b{n:08d}" for n in range(1, 12, 2)}, "the latest of several, and nobody's own deadline"
    assert {student["section"] for student in run["students"]} == {"Class A", "Class B"}
    again = desk.pull()
    assert again.exit_code == UNUSABLE
    assert "holds report.csv" in again.output


def test_differences_between_the_lms_and_the_specs_are_said_first(desk: Desk, class_book: QuizBook) -> None:
    first, second, third, fourth = desk.lms.questions[:4]
    first["points_possible"] = 2
    second["answers"][0]["weight"], second["answers"][1]["weight"] = 100, 0
    third["answers"][0]["text"] = "Something else"
    fourth["question_text"] = fourth["question_text"].replace("right", "correct")
    desk.lms.questions[4]["question_type"] = "multiple_choice_question"
    del desk.lms.questions[5]
    desk.lms.quiz |= {"scoring_policy": "keep_highest", "points_possible": 11, "lock_at": None}
    desk.lms.quiz["due_at"] = (class_book.quiz.deadline + timedelta(hours=1)).isoformat()
    ended = desk.pull()
    assert ended.exit_code == UNSETTLED
    said = [line.removeprefix("differs: ") for line in ended.output.splitlines() if line.startswith("differs: ")]
    assert ended.output.splitlines()[: len(said)] == [f"differs: {line}" for line in said]
    told = "\n".join(said)
    for wanted in (
        "points: the LMS's quiz has 11, the specs 10",
        "deadline: 2026-06-19T00:59:59+08:00 in the LMS, 2026-06-18T23:59:59+08:00 in the specs",
        "late: the LMS takes answers for ever; the specs refuse late ones",
        "attempts: the LMS keeps keep_highest, the specs the latest",
        "q06: is not in the LMS's quiz",
        "q01: the LMS gives 2 points, the specs 1",
        "q02: the LMS's key is A, the specs' B",
        "q03: the LMS has an option that the specs have not: 'Something else'",
        "q03: option A is not in the LMS",
        "q04: its text in the LMS is",
        "q05: is a multiple_choice_question in the LMS, choose many in the specs",
    ):
        assert wanted in told
    assert len(said) == 12, told  # and q03's key, without its option


def test_what_passes_by_itself_is_waited_for(desk: Desk) -> None:
    faults = [server.limited(), server.status(503), server.cut_off()]
    for line, reply in zip((r"GET .*/users", r"GET .*/sections", r"GET .*/questions"), faults, strict=True):
        desk.lms.fault(line, reply, times=2)
    desk.lms.fault("POST .*/reports", server.status(409, {"message": "report is already being generated"}))
    desk.lms.fault("GET /stored", lambda handler: handler.reply(desk.lms.report, cut=50))
    assert desk.pull().exit_code == DONE, desk.said
    assert (desk.folder / "cool/report.csv").read_bytes() == desk.lms.report


def _page(handler: server.Handler) -> bool:
    return handler.reply(b"<html>log in</html>", headers={"Content-Type": "text/html"})


REFUSALS: dict[str, tuple[str, server.Reply, str]] = {
    "5xx": ("GET .*/users", server.status(502), "fails (status 502)"),
    "limit": ("GET .*/users", server.limited(), "limits how much this token may ask for"),
    "cut off": ("GET .*/users", server.cut_off(), "sent an answer that is cut off"),
    "permission": ("GET .*/users", server.status(403), "is not allowed to the token's user: said by the LMS"),
    "no quiz": (".*/quizzes/2", server.status(404), "is not there, or not for the token's user"),
    "elsewhere": (
        "GET .*/users",
        lambda handler: handler.reply(b"", 302, {"Location": handler.lms.store}),
        "and a token is not sent after it",
    ),
    "a page": ("GET .*/users", _page, "answers with a page instead of data"),
    "next page elsewhere": (
        "GET .*/users",
        lambda handler: handler.reply([], headers={"Link": f'<{handler.lms.store}/api/v1/x>; rel="next"'}),
        "has its next page at",
    ),
    "shape": ("GET .*/users", lambda handler: handler.reply([{"id": "x"}]), "answers otherwise than documented: id"),
    "no list": ("GET .*/users", lambda handler: handler.reply({"id": 1}), "is not a list of entries as documented"),
    "in the clear": (
        "GET /files/12/download",
        lambda handler: handler.reply(b"", 302, {"Location": "http://example.invalid/report"}),
        "which is not encrypted",
    ),
    "report failed": (
        "GET .*/progress/900",
        lambda handler: handler.reply({"id": 900, "workflow_state": "failed", "message": "Unexpected error, ID: 7"}),
        "could not write the report: Unexpected error, ID: 7",
    ),
    "half a report": (
        "GET /stored",
        lambda handler: handler.reply(handler.lms.report[:-200]),
        "bytes of a report of",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_is_one_message_and_nothing_is_written(desk: Desk, name: str) -> None:
    line, reply, wanted = REFUSALS[name]
    desk.lms.fault(line, reply, times=100)
    ended = desk.pull()
    assert (ended.exit_code, wanted in ended.output) == (UNUSABLE, True), ended.output
    assert "Traceback" not in ended.output
    assert len(ended.stderr.splitlines()) == 2
    assert not (desk.folder / "cool").exists()


def test_a_list_of_students_that_ends_early_is_named(desk: Desk) -> None:
    desk.lms.fault("GET .*/users", lambda handler: handler.reply(list(desk.lms.students.values())[:5]))
    ended = desk.pull()
    assert ended.exit_code == UNSETTLED
    assert "open: the LMS counts 12 students and lists 5" in ended.output


def test_an_expired_token_is_said_without_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANVAS_TOKEN", f"{TOKEN}expired")
    ended = desk.canvas("check", "--host", desk.lms.origin, "--trust-host", "--json")
    assert ended.exit_code == FAILED
    assert "it has expired, was revoked, or is another LMS's" in ended.output


def test_a_dry_run_and_a_no_write_nothing(graded: Desk) -> None:
    ended = graded.push("--dry-run")
    assert ended.exit_code == DONE, ended.output
    assert " -> " in ended.output
    assert graded.push(answer="n\n").exit_code == UNSETTLED
    assert graded.push(answer="").exit_code == UNSETTLED
    assert graded.lms.writes() == []


def changed(desk: Desk) -> list[int]:
    """Whose scores the push changes."""
    return [u for u, total in desk.totals().items() if round(desk.lms.scores[u] or 0, 2) != total]


def test_a_score_that_somebody_changed_is_left_alone_and_named(graded: Desk) -> None:
    before, during, *others = changed(graded)
    graded.lms.scores[before] = 9.75
    graded.lms.excused.add(others[0])
    reads: list[int] = []
    graded.lms.fault(f"GET {SUBMISSIONS}", server.meanwhile(lambda: reads.append(1)), times=9)
    graded.lms.fault(f"GET {SUBMISSIONS}", server.meanwhile(lambda: graded.lms.scores.update({during: 1.25})), after=1)
    ended = graded.push("--yes")
    assert ended.exit_code == UNSETTLED, ended.output
    assert (graded.lms.scores[before], graded.lms.scores[during]) == (9.75, 1.25)
    assert f"left alone: b{before - FIRST:08d} was changed by somebody else" in ended.output
    assert f"left alone: b{during - FIRST:08d} was changed by somebody else" in ended.output
    assert f"left alone: b{others[0] - FIRST:08d} was excused since the pull" in ended.output
    assert set(graded.lms.jobs[0].scores) == set(others[1:])
    [entry] = [entry for entry in graded.ledger()["entries"] if entry["action"] == "push"]
    assert len(entry["facts"]["refused"]) == 3


def test_a_student_who_left_between_plan_and_write_costs_nobody_else(graded: Desk) -> None:
    gone = changed(graded)[0]
    graded.lms.fault(BULK, server.meanwhile(lambda: graded.lms.students.pop(gone)))
    ended = graded.push("--yes")
    assert ended.exit_code == UNSETTLED, ended.output
    assert f"left alone: b{gone - FIRST:08d} is not in the course any more" in ended.output
    assert [job.state for job in graded.lms.jobs] == ["failed"]
    totals = graded.totals()
    assert {u: graded.lms.scores[u] for u in graded.lms.students} == {u: totals[u] for u in graded.lms.students}


def test_what_a_job_did_not_do_is_done_by_the_next(graded: Desk) -> None:
    few = set(changed(graded)[:2])
    graded.lms.deaf = [few]
    ended = graded.push("--yes")
    assert ended.exit_code == DONE, ended.output
    assert [set(job.scores) for job in graded.lms.jobs][1:] == [few]
    assert graded.lms.scores == graded.totals()


def test_what_the_lms_never_takes_is_named(graded: Desk) -> None:
    one = changed(graded)[0]
    graded.lms.deaf = [{one}] * 9
    ended = graded.push("--yes")
    assert ended.exit_code == UNSETTLED
    assert f"not as it was sent: b{one - FIRST:08d}" in ended.output
    assert len(graded.lms.jobs) == 3


def test_a_push_goes_on_after_the_network_failed(graded: Desk) -> None:
    graded.lms.fault(BULK, server.status(500))
    assert graded.push("--yes").exit_code == UNUSABLE
    graded.lms.fault("GET .*/progress/.*", server.status(504), times=100)
    assert graded.push("--yes").exit_code == UNUSABLE
    graded.lms.faults.clear()
    ended = graded.push("--yes")
    assert ended.exit_code == DONE, ended.output
    assert graded.lms.scores == graded.totals()
    assert len(graded.lms.jobs) == 1
    asked = len(graded.lms.writes())
    assert "0 scores written; 12 of 12" in graded.push("--yes").output
    assert len(graded.lms.writes()) == asked


def test_a_regraded_run_is_pushed_over_what_was_pushed_before(graded: Desk) -> None:
    assert graded.push("--yes").exit_code == DONE
    changes = graded.folder / "changes.yaml"
    changes.write_text(
        "reason: decided by the staff\nrulings: [{question: q01, everyone: true, reason: could not be heard}]\n"
    )
    regrade = ["regrade", graded.folder / "graded", changes, "--out", graded.folder / "final", "--quiz", graded.quiz]
    assert graded.run(*regrade).exit_code == DONE, graded.said[-1]
    ended = graded.push("--yes", run="final")
    assert ended.exit_code == DONE, ended.output
    assert graded.lms.scores == graded.totals("final")
    assert graded.ledger("final")["intact"]


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ({"grading_type": "percent"}, "shows grades as percent"),
        ({"published": False}, "is not published"),
        ({"moderated_grading": True, "anonymous_grading": True}, "is graded anonymously"),
    ],
)
def test_a_column_that_takes_no_points_is_refused(graded: Desk, setting: dict[str, Any], wanted: str) -> None:
    graded.lms.assignment |= setting
    ended = graded.push("--yes")
    assert ended.exit_code == UNUSABLE
    assert wanted in ended.output
    assert graded.lms.writes() == []


def test_feedback_is_attached_once_and_only_as_it_was_recorded(graded: Desk) -> None:
    assert graded.push("--yes", "--feedback").exit_code == DONE, graded.said[-1]
    assert {len(given) for given in graded.lms.comments.values()} == {1}
    again = graded.push("--yes", "--feedback")
    assert "0 students were given their feedback, 12 had it already" in again.output
    page = next((graded.folder / "graded/feedback/en").glob("*.html"))
    page.write_text("somebody else's page", encoding="utf-8")
    ended = graded.push("--yes", "--feedback")
    assert ended.exit_code == UNUSABLE
    assert "feedback" in ended.output
    assert {len(given) for given in graded.lms.comments.values()} == {1}


def test_a_gradebook_that_was_changed_since_the_pull_is_no_base(graded: Desk) -> None:
    path = graded.folder / "cool/gradebook.csv"
    path.write_text(path.read_text(encoding="utf-8-sig").replace("(77)", "(77) "), encoding="utf-8")
    ended = graded.push("--yes")
    assert ended.exit_code == UNUSABLE
    assert "is not as it was pulled" in ended.output


def test_the_quiz_is_posted_unpublished_and_compared(desk: Desk, tmp_path: Path, class_book: QuizBook) -> None:
    def imported(content: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        path = tmp_path / "package.zip"
        path.write_bytes(content)
        due = class_book.quiz.deadline.isoformat()
        quiz = {"id": 3, "title": "HW10", "quiz_type": "assignment", "due_at": due, "lock_at": due}
        quiz |= {"published": False, "points_possible": 10, "scoring_policy": "keep_latest", "allowed_attempts": -1}
        kinds = {"many": "multiple_answers_question", "one": "multiple_choice_question"}
        return quiz, [
            {
                "id": 9000 + at,
                "quiz_id": 3,
                "question_type": kinds[item.choose],
                "question_text": f"<p>{html.escape(item.prompt, quote=False)}</p>",
                "points_possible": item.points,
                "answers": [{"text": text, "weight": 100 * (x in item.correct)} for x, text in item.options.items()],
            }
            for at, item in enumerate(read_qti(path))
        ]

    desk.lms.imported = imported
    post = ["post", "--host", desk.lms.origin, "--trust-host", "--course", COURSE, "--quiz", desk.quiz]
    there = desk.canvas(*post, "--yes")
    assert there.exit_code == UNUSABLE
    assert "has a quiz 'HW10' already (number 2)" in there.output
    desk.lms.quiz["title"] = "HW10 of last year"
    assert desk.canvas(*post, answer="n\n").exit_code == UNSETTLED
    assert desk.lms.writes() == []
    ended = desk.canvas(*post, "--yes", "--json")
    assert ended.exit_code == DONE, ended.output
    assert json.loads(ended.stdout) == {"quiz": 3, "published": False, "issues": [], "differences": []}


def test_every_command_of_the_page_runs_in_its_order(
    desk: Desk, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (repository / "docs/canvas.md").read_text(encoding="utf-8").partition("## By the API")[2]
    (desk.folder / "questions").symlink_to(desk.quiz)
    monkeypatch.chdir(desk.folder)
    desk.lms.scores[FIRST] = 0.25
    desk.lms.imported = lambda _: ({"id": 3, "title": "HW10", "published": False}, [])
    lines = [line for line in commands(page) if line]
    assert {line.split()[2] for line in lines} >= {"check", "pull", "push", "post"}
    for line in lines:
        if " post " in line:
            desk.lms.quiz["title"] = "HW10 of last year"
        for said, here in (("cool.ntu.edu.tw", desk.lms.origin), ("123", str(COURSE)), ("456", str(QUIZ))):
            line = line.replace(said, here)
        ended = desk.run(*shlex.split(line)[1:], answer="y\ny\n")
        assert ended.exit_code == (UNSETTLED if " post " in line else DONE), f"{line}\n{ended.output}"
    assert {user: round(score or 0, 2) for user, score in desk.lms.scores.items()} == desk.totals()
    assert [set(job.scores) for job in desk.lms.jobs] == [{FIRST}], "the one score that was wrong"


def test_the_first_contact_only_reads(desk: Desk) -> None:
    check = ["check", "--host", desk.lms.origin, "--course", COURSE, "--quiz", QUIZ]
    assert desk.canvas(*check, answer="\n").exit_code == UNUSABLE
    assert desk.lms.asked == []
    ended = desk.canvas(*check, answer="y\n")
    assert ended.exit_code == DONE, ended.output
    assert "students: 12 listed, 12 with an id of the school; the LMS counts 12" in ended.output
    assert desk.canvas(*check).exit_code == DONE, "a host is confirmed once"
    desk.lms.permissions["manage_grades"] = False
    ended = desk.canvas(*check)
    assert ended.exit_code == FAILED
    assert "no  may set scores: no: manage_grades is not given to the token's user" in ended.output
    assert desk.lms.writes() == []


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("http://cool.ntu.edu.tw", "would be spoken to in the clear"),
        ("http://127.0.0.1.example.org", "would be spoken to in the clear"),
        ("https://lin:secret@cool.ntu.edu.tw", "is not the address of an LMS"),
        ("https://cool.ntu.edu.tw/courses/1", "is not the address of an LMS"),
        ("ftp://cool.ntu.edu.tw", "is not the address of an LMS"),
        ("cool.ntu.edu.tw:port", "is not the address of an LMS"),
        ("", "which LMS?"),
    ],
)
def test_a_host_is_an_address_with_encryption(desk: Desk, host: str, wanted: str) -> None:
    ended = desk.canvas("check", "--host", host, "--trust-host")
    assert ended.exit_code == UNUSABLE
    assert wanted in ended.output
    assert "secret" not in ended.output


def test_a_token_is_its_owners_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def check() -> Result:
        return desk.canvas("check", "--host", desk.lms.origin, "--trust-host")

    secret = f"{TOKEN[:10]}\n{TOKEN[10:]}"
    monkeypatch.setenv("CANVAS_TOKEN", secret)
    ended = check()
    assert ended.exit_code == UNUSABLE
    assert "does not hold a token" in ended.output
    assert TOKEN[10:] not in ended.output

    monkeypatch.delenv("CANVAS_TOKEN")
    assert "there is no token for" in check().output
    file = tmp_path.parent / f"{tmp_path.name}.token"
    file.write_text(f"{TOKEN}\n")
    monkeypatch.setenv("CANVAS_TOKEN_FILE", str(file))
    for mode, code in ((0o640, UNUSABLE), (0o604, UNUSABLE), (0o600, DONE)):
        file.chmod(mode)
        ended = check()
        assert ended.exit_code == code, ended.output
        assert (f"has mode {mode:04o}" in ended.output) == (code == UNUSABLE)
    file.unlink()


def test_without_the_extra_one_line_says_how_to_get_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "canvasapi", None)
    ended = desk.canvas("check", "--host", desk.lms.origin)
    assert ended.exit_code == UNUSABLE
    assert "pip install 'earwitness[canvas]'" in ended.output
    assert len(ended.stderr.splitlines()) == 2
