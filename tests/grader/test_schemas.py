"""What editors are told: everything that a question may say, the parameters of its evaluators included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from basics.yaml_source import read
from evaluators.registry import get
from grader.authoring import KINDS, starter
from grader.cli import app
from grader.quiz.spec import schema_texts, stale


def told(question: Any, schema: str) -> list[str]:
    return [error.message for error in Draft202012Validator(json.loads(schema)).iter_errors(question)]


def questions(repository: Path, folder: Path) -> Iterator[Any]:
    """Of the built-in quiz, of the examples, and of every starter."""
    for path in [*repository.glob("questions/q*.yaml"), *repository.glob("examples/*/*.yaml")]:
        if path.name != "quiz.yaml":
            yield read(path).data
    for kind in KINDS:
        for name, text in starter(kind).questions.items():
            (folder / name).write_text(text, encoding="utf-8")
            yield read(folder / name).data


def test_every_question_here_is_one_by_the_schema(repository: Path, tmp_path: Path) -> None:
    schema = schema_texts()["question.schema.json"]
    found = [told(question, schema) for question in questions(repository, tmp_path)]
    assert len(found) > 25
    assert found == [[]] * len(found)


@pytest.mark.parametrize(
    "request_",
    [
        {"python": "a.py:f", "gives": ["x"], "wiht": {}},
        {"evaluator": "literature", "topic": "mimi"},
        {"table": "a.csv", "take": {"x": {"colum": "x"}}},
        {"command": "du -s", "take": {"x": "x"}},
        {"facts": 3},
    ],
    ids=json.dumps,
)
def test_what_an_evaluator_does_not_take_is_told_while_it_is_typed(repository: Path, request_: dict[str, Any]) -> None:
    question = read(repository / "examples/statistics/power.yaml").data
    assert told(question | {"evidence": [request_]}, schema_texts()["question.schema.json"])


def test_a_quiz_of_another_package_gets_its_parameters_and_is_current_without_it(foreign_quiz: Path) -> None:
    done = CliRunner().invoke(app, ["validate", str(foreign_quiz), "--write-schema"])
    assert done.exit_code == 0, done.output
    schema = (foreign_quiz / "schema/question.schema.json").read_text(encoding="utf-8")
    fair = read(foreign_quiz / "fair.yaml").data
    assert told(fair | {"evidence": [{"evaluator": "dice", "sides": 8}]}, schema) == []
    assert told(fair | {"evidence": [{"evaluator": "dice", "side": 8}]}, schema)
    assert get("dice").name not in schema_texts()["question.schema.json"]
    assert stale(foreign_quiz / "schema") == []
