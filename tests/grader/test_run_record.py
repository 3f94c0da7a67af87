"""The record of a run: what is written is what is read, older formats too, and damage is told."""

from __future__ import annotations

import copy
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from basics.errors import InputError
from grader.cli import app
from grader.marking.run_record import FORMAT, grades_of, read_run
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook
from tests.grader.classroom import Command, Report, random_class

OLD = Path(__file__).with_name("run_of_format_1.json")


@pytest.fixture(scope="module")
def graded(quiz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of eight students with an extension, a violation and an ungraded cell."""
    folder = tmp_path_factory.mktemp("graded")
    book = load_quiz(quiz)
    report = Report().write(folder / "report.csv", book, random_class(book, 8, attempts=2))
    (folder / "class.yaml").write_text(
        'extensions:\n  - {student: b00000001, until: "2026-06-20T23:59:59+08:00", reason: was in hospital}\n'
        "violations:\n  - {student: b00000002, what: shared an answer file}\n"
        "skip:\n  - {row: 2, cell: q07, reason: the option was edited}\nfeedback: [en]\n"
    )
    arguments = ["grade", report, "--out", folder / "run", "--class", folder / "class.yaml", "--quiz", quiz]
    assert CliRunner().invoke(app, list(map(str, arguments))).exit_code == 3
    (folder / "changes.yaml").write_text("reason: decided at the meeting\nrule: coverage\n")
    students = "\n".join(f"Student,9000{n},b0000000{n},A," for n in range(8))
    (folder / "gradebook.csv").write_text(
        f"Student,ID,SIS Login ID,Section,HW10 (7)\n    Points Possible,,,,10.00\n{students}\n"
    )
    return folder


@pytest.fixture
def damaged(graded: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to be damaged."""
    shutil.copytree(graded / "run", tmp_path / "run")
    return tmp_path / "run"


def commands(run: Path, graded: Path, out: Path) -> Iterator[list[str]]:
    """Every command that reads a record; both sides of a regrade."""
    student = ["--student", "b00000003", "--result", str(run)]
    gradebook = ["--gradebook", str(graded / "gradebook.csv"), "--assignment", "7", "--partial"]
    yield ["regrade", str(run), str(graded / "changes.yaml")]
    yield ["regrade", str(graded / "run"), str(run)]
    yield ["items", str(run)]
    yield ["appeal", "q03", "E", *student]
    yield ["sensitivity", str(run)]
    yield ["report", "--grades", str(run), "--out", str(out / "report.html")]
    yield ["export", "canvas", str(run), *gradebook]


def test_every_command_reads_an_undamaged_record(run: Command, damaged: Path, graded: Path, tmp_path: Path) -> None:
    for arguments in commands(damaged, graded, tmp_path):
        done = CliRunner().invoke(app, arguments) if arguments[0] == "export" else run(*arguments)
        assert done.exit_code == 0, (arguments, done.output)


def test_what_is_read_is_what_was_written(graded: Path, class_book: QuizBook) -> None:
    written = json.loads((graded / "run/result.json").read_text(encoding="utf-8"))
    record = read_run(graded / "run", class_book)
    read = json.loads(record.model_dump_json(exclude={"students", "class_file"}))
    assert read == {name: value for name, value in written.items() if name not in ("students", "class_file")}
    students = [student.model_dump_json(exclude_unset=True) for student in record.students]
    with_offsets = [json.loads(re.sub(r'(?<=\d)Z(?=")', "+00:00", student)) for student in students]
    assert with_offsets == written["students"]
    assert written["ungraded"]
    assert any("adjustments" in student for student in written["students"])
    again = grades_of(record, class_book)
    assert again.totals() == record.totals
    assert all(student.held is None for student in again.records)


def test_a_record_of_the_first_format_is_brought_up_to_date(
    run: Command, class_book: QuizBook, graded: Path, tmp_path: Path
) -> None:
    written = json.loads(OLD.read_text(encoding="utf-8"))
    record = read_run(OLD, class_book)
    assert (written["format"], record.format) == (1, FORMAT)
    assert record.import_check is not None
    assert record.import_check.cells_compared == written["proof"]["cells_compared"] > 0
    assert {s.id: s.exact for s in record.students} == {s["id"]: s["exact"] for s in written["students"]}
    assert grades_of(record, class_book).totals() == record.totals
    assert run("items", OLD).exit_code == 0
    ended = run("regrade", OLD, graded / "changes.yaml", "--out", tmp_path / "new", "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads((tmp_path / "new/result.json").read_text())["format"] == FORMAT
    written["students"][1]["points"][3] = 1
    (tmp_path / "old.json").write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(InputError, match=r"old\.json, students\.1\.points\.3: input should be a valid string, got '1'"):
        read_run(tmp_path / "old.json", class_book)


def test_a_newer_format_is_refused_by_name(run: Command, damaged: Path) -> None:
    data = json.loads((damaged / "result.json").read_text(encoding="utf-8"))
    (damaged / "result.json").write_text(json.dumps({**data, "format": FORMAT + 1, "rooms": []}), encoding="utf-8")
    ended = run("items", damaged)
    assert ended.exit_code == 2
    assert "has format 4, which a newer version wrote; this one reads up to 3" in ended.stderr


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    """Set what stands at `path`."""

    def damage(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value

    return damage


def without(*path: Any) -> Callable[[Any], None]:
    """Remove what stands at `path`."""

    def damage(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        del data[path[-1]]

    return damage


STUDENT = ("students", 2)
NOW = "2026-06-20T10:00:00+08:00"


def ruled(question: str, **effect: Any) -> dict[str, Any]:
    """A ruling as it stands in the list of decisions."""
    return {"what": "ruling", "question": question, "reason": "decided at the meeting", "when": NOW, **effect}


DAMAGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "no format": (without("format"), "format: is None, expected 3"),
    "format 0": (put("format", value=0), "format: is 0, expected 3"),
    "format as text": (put("format", value="3"), "format: is '3', expected 3"),
    "no students": (without("students"), "students: is missing"),
    "no key": (without("key"), "key: is missing"),
    "no questions": (without("key", "questions"), "key.questions: is missing"),
    "no evidence": (without("key", "evidence"), "key.evidence: is missing"),
    "no submissions": (without("submissions"), "submissions: is missing"),
    "no class file": (without("class_file"), "class_file: is missing"),
    "an unknown key": (put("mood", value="good"), "mood: is not a known key"),
    "students as an object": (put("students", value={}), "students: input should be a valid array"),
    "a student as text": (put(*STUDENT, value="b00000002"), "students.2: input should be an object"),
    "a student without an id": (without(*STUDENT, "id"), "students.2.id: is missing"),
    "a student without attempts": (put(*STUDENT, "attempts", value=[]), "students.2.attempts"),
    "a student without answers": (without(*STUDENT, "attempts", 0, "answers"), "students.2.attempts.0.answers"),
    "a student twice": (put(*STUDENT, "id", value="b00000001"), "student b00000001 stands there 2 times"),
    "points as a number": (put(*STUDENT, "points", 0, value=1), "students.2.points.0: input should be a valid string"),
    "points as words": (put(*STUDENT, "points", 0, value="all"), "students.2.points.0: "),
    "points of too few questions": (put(*STUDENT, "points", value=["1.00"]), "students.2.points: has 1 entries"),
    "answers to an unknown question": (
        lambda data: data["students"][2]["attempts"][0]["answers"].append("A"),
        "students.2.attempts.0.answers: has 13 entries, its key has 12 questions",
    ),
    "an unknown letter": (put(*STUDENT, "attempts", 0, "answers", 0, value="Z"), "answers.0: names Z, the options are"),
    "letters as a list": (put(*STUDENT, "attempts", 0, "answers", 0, value=["A"]), "answers.0: input should be"),
    "a kept attempt that is not there": (put(*STUDENT, "kept", value=7), "students.2.kept: is 7"),
    "a time that is none": (put(*STUDENT, "attempts", 0, "submitted", value="noon"), "attempts.0.submitted: "),
    "an exact total by zero": (put(*STUDENT, "exact", value="1/0"), "students.2.exact: "),
    "an exact total that is another": (put(*STUDENT, "exact", value="99"), "but the exact total is 99"),
    "a miscounted class": (put("submissions", "students", value=9), "submissions.students: is 9, but 8 students"),
    "miscounted attempts": (put("submissions", "rows", value=9), "submissions.rows: is 9, but 16 attempts"),
    "another rule": (put("rule", value="generous"), "rule: "),
    "a digest that is none": (put("key", "digest", value="x"), "key.digest: "),
    "an unknown source": (put("key", "accepted", value=["dreamt"]), "key.accepted.0: "),
    "an unknown correct letter": (put("key", "questions", "q03", "correct", value=["Z"]), "key.questions.q03: names Z"),
    "NaN for points": (put("key", "questions", "q03", "points", value=math.nan), "key.questions.q03.points: "),
    "a question gone": (without("key", "questions", "q12"), "students.0.points: has 12 entries, its key has 11"),
    "an ungraded question of another quiz": (put("ungraded", 0, 1, value="q99"), "ungraded.0.1: 'q99' is no question"),
    "an unsettled question of another quiz": (put("unsettled", value=["q99"]), "unsettled.0: 'q99' is no question"),
    "a mean that is another": (put("mean", value="9.99"), "mean: is 9.99, but the exact totals give "),
    "a ruling without a reason": (
        put("decisions", value=[{"what": "ruling", "question": "q01", "when": NOW}]), "decisions.0.reason: is missing"
    ),
    "a decision without a time": (
        put("decisions", value=[{"what": "ruling", "question": "q01", "reason": "long enough"}]),
        "decisions.0.when: is missing",
    ),
    "a ruling on another quiz": (
        put("decisions", value=[ruled("q99", everyone=True)]), "decisions.0.question: 'q99' is no question"
    ),
    "a decision about nothing": (
        put("decisions", value=[ruled("", everyone=True)]), "decisions.0: value error, ruling is about a question"
    ),
    "decisions that cannot both hold": (
        put("decisions", value=[ruled("q01", disregard=["A"]), ruled("q01", always_correct=["A"])]),
        "decisions: q01: two decisions cannot both hold, A is taken out and counted as right",
    ),
    "another key than was decided": (
        put("decisions", value=[ruled("q03", correct=["A"]) | {"what": "override"}]),
        "key.questions.q03.correct: is ACE, but A was decided",
    ),
    "an unknown letter in a decision": (
        put("decisions", value=[ruled("q01", disregard=["Z"])]), "decisions.0: names Z, the options are"
    ),
    "a violation without a student": (put("class_file", "violations", value=[{}]), "class_file.violations.0.student"),
}  # fmt: skip
WITHOUT_A_QUIZ = {"an unknown letter", "an unknown correct letter", "an unknown letter in a decision"}
"""What only the quiz can tell; a gradebook is filled without it."""


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_is_told_by_file_and_place(
    run: Command, damaged: Path, graded: Path, tmp_path: Path, name: str
) -> None:
    damage, told = DAMAGES[name]
    data = copy.deepcopy(json.loads((damaged / "result.json").read_text(encoding="utf-8")))
    damage(data)
    (damaged / "result.json").write_text(json.dumps(data), encoding="utf-8")
    for arguments in commands(damaged, graded, tmp_path):
        if arguments[0] == "export" and name in WITHOUT_A_QUIZ:
            continue
        done = CliRunner().invoke(app, arguments) if arguments[0] == "export" else run(*arguments)
        assert done.exit_code == 2, (arguments, done.output)
        assert f"{damaged / 'result.json'}, " in done.stderr or told.startswith("student "), done.stderr
        assert told in done.stderr
        assert "the ledger beside it keeps every result" in done.stderr
    assert CliRunner().invoke(app, ["ledger", str(damaged)]).exit_code == 1


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "a list": lambda _: b"[]",
    "null": lambda _: b"null",
    "a table": lambda _: b"student_id,total\nb1,7\n",
    "another encoding": lambda content: content.decode().encode("utf-16"),
    "broken bytes": lambda content: content.replace(b"nuisance", b"nuis\xff\xfe"),
    "nested without end": lambda _: b"[" * 100_000,
    "two in one": lambda content: content + content,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_record_is_told_as_that(
    run: Command, damaged: Path, graded: Path, tmp_path: Path, name: str
) -> None:
    path = damaged / "result.json"
    path.write_bytes(BROKEN[name](path.read_bytes()))
    for arguments in commands(damaged, graded, tmp_path):
        done = CliRunner().invoke(app, arguments) if arguments[0] == "export" else run(*arguments)
        assert done.exit_code == 2, (arguments, done.output)
        assert str(path) in done.stderr


def test_every_problem_is_told_at_once(damaged: Path, class_book: QuizBook) -> None:
    data = json.loads((damaged / "result.json").read_text(encoding="utf-8"))
    for student in data["students"]:
        student["points"][0] = "much"
    data["rule"] = "generous"
    (damaged / "result.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_run(damaged, class_book)
    where = [problem.where.partition(", ")[2] for problem in caught.value.problems]
    assert where == ["rule", *(f"students.{i}.points.0" for i in range(8))]


def test_the_installed_command_says_it_without_a_traceback(
    quiz: Path, damaged: Path, graded: Path, tmp_path: Path, foreign_site: Path
) -> None:
    path = damaged / "result.json"
    path.write_bytes(path.read_bytes()[:-200])
    path_of_python = os.pathsep.join([str(foreign_site), os.environ.get("PYTHONPATH", "")])
    for arguments in commands(damaged, graded, tmp_path):
        more = [] if arguments[0] == "export" else ["--quiz", str(quiz)]
        done = subprocess.run(
            [Path(sys.executable).with_name("earwitness"), *arguments, *more],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": path_of_python},
        )
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert f"{path}: is not a result: " in done.stderr
