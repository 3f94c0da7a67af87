"""`results.json` for Gradescope: the documented fields, the recorded points, one folder a student."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.quiz.spec import QuizBook
from tests.grader.classroom import Command, Report, random_class

TEXT_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["score", "tests"],
    "properties": {
        "score": {"type": "number", "minimum": 0},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": TEXT_FORMAT,
        "test_output_format": TEXT_FORMAT,
        "test_name_format": TEXT_FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["score", "max_score"],
                "properties": {
                    "score": {"type": "number", "minimum": 0},
                    "max_score": {"type": "number", "minimum": 0},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": TEXT_FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": TEXT_FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}
"""The fields of https://gradescope-autograders.readthedocs.io/en/latest/specs/, under "Output format"."""


def record(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return data


def exported(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/results.json")}


@pytest.fixture
def graded(run: Command, report: Path, tmp_path: Path) -> Path:
    """A class of thirty; one broke the rules, nobody's attempts are late but those of one."""
    rules = tmp_path / "class.yaml"
    rules.write_text("violations:\n  - {student: b00000003, what: shared an answer file, earlier: 0}\nfeedback: []\n")
    ended = run("grade", report, "--out", tmp_path / "graded", "--class", rules)
    assert ended.exit_code == 0, ended.output
    return tmp_path / "graded"


def test_every_student_has_the_documented_fields_and_the_recorded_points(
    run: Command, graded: Path, tmp_path: Path, class_book: QuizBook
) -> None:
    ended = run("export", "gradescope", graded, "--out", tmp_path / "scope")
    assert ended.exit_code == 0, ended.output
    found = exported(tmp_path / "scope")
    students = {student["id"]: student for student in record(graded)["students"]}
    assert found.keys() == students.keys()
    for name, results in found.items():
        jsonschema.validate(results, SCHEMA)
        student = students[name]
        assert results["score"] == float(student["total"])
        assert results["extra_data"]["exact"] == student["exact"]
        assert results["extra_data"]["key"] == record(graded)["key"]["digest"]
        assert [test["score"] for test in results["tests"]] == [float(points) for points in student["points"]]
        assert [test["max_score"] for test in results["tests"]] == [q.points for q in class_book.questions]
        assert results["visibility"] == "after_published"
        for test, answer in zip(results["tests"], student["attempts"][student["kept"]]["answers"], strict=True):
            assert f"Ticked: {', '.join(answer) or 'nothing'}." in test["output"]
            assert (test["status"] == "passed") == (test["score"] == test["max_score"])
    punished = found["b00000003"]
    assert punished["score"] == 0 < sum(test["score"] for test in punished["tests"])
    assert "violation: shared an answer file" in punished["output"]
    assert found["b00000004"]["output"].startswith(f"HW10: {students['b00000004']['total']} of 10.00 points")


def test_an_incomplete_result_is_exported_only_when_told_and_open_points_leave_the_denominator(
    run: Command, tmp_path: Path, class_book: QuizBook
) -> None:
    given = [a for a in random_class(class_book, 3) if a.number == 1]
    given[0] = type(given[0])(**{**vars(given[0]), "answers": {**given[0].answers, "q01": None}})
    report = Report().write(tmp_path / "report.csv", class_book, given)
    assert run("grade", report, "--out", tmp_path / "graded").exit_code == 3
    refused = run("export", "gradescope", tmp_path / "graded", "--out", tmp_path / "scope")
    assert refused.exit_code == 2
    assert not (tmp_path / "scope").exists()
    assert run("export", "gradescope", tmp_path / "graded", "--out", tmp_path / "scope", "--partial").exit_code == 0
    results = exported(tmp_path / "scope")["b00000000"]
    jsonschema.validate(results, SCHEMA)
    assert (results["tests"][0]["score"], results["tests"][0]["max_score"]) == (0, 0)
    assert results["tests"][0]["output"] == "Not graded."
    assert " of 9.00 points" in results["output"]


def test_decisions_of_the_staff_are_told_and_a_regrade_replaces_the_export(
    run: Command, graded: Path, tmp_path: Path
) -> None:
    assert run("export", "gradescope", graded, "--out", tmp_path / "scope").exit_code == 0
    (tmp_path / "scope/gone").mkdir()
    (tmp_path / "scope/gone/results.json").write_text("{}")
    (tmp_path / "scope/own").mkdir()
    (tmp_path / "scope/own/notes.txt").write_text("mine")
    changes = tmp_path / "changes.yaml"
    changes.write_text(
        "reason: decided at the staff meeting\nrulings:\n"
        "  - {question: q02, everyone: true, reason: the clip could not be heard}\n"
        "overrides:\n  - {question: q03, correct: [A, C], reason: E was disputed rightly}\n"
    )
    assert run("regrade", graded, changes, "--out", tmp_path / "new").exit_code == 0
    assert run("export", "gradescope", tmp_path / "new", "--out", tmp_path / "scope").exit_code == 0
    found = exported(tmp_path / "scope")
    totals = {student["id"]: Fraction(student["total"]) for student in record(tmp_path / "new")["students"]}
    assert {name: Fraction(str(results["score"])) for name, results in found.items()} == totals
    assert (tmp_path / "scope/own/notes.txt").read_text() == "mine"
    for results in found.values():
        assert "Decided by the teaching staff: the clip could not be heard" in results["tests"][1]["output"]
        assert "Decided by the teaching staff: E was disputed rightly" in results["tests"][2]["output"]
        assert results["tests"][1]["status"] == "passed"


def test_ids_that_are_no_file_names_get_one(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text("student_id," + ",".join(f"q{i:02d}" for i in range(1, 13)) + "\n../up,B" + "," * 11 + "\n")
    assert run("grade", path, "--out", tmp_path / "graded").exit_code == 0
    assert run("export", "gradescope", tmp_path / "graded", "--out", tmp_path / "deep/scope").exit_code == 0
    [results] = exported(tmp_path / "deep/scope").values()
    assert results["extra_data"]["student_id"] == "../up"
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["scope"]
