"""The classroom's quiz on disk, and the command line in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from grader.cli import app
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook
from grader.verdicts.testimony import answer_key
from tests.conftest import forget_evaluators
from tests.grader.classroom import Command, Report, random_class, write_quiz


@pytest.fixture(scope="module")
def quiz(tmp_path_factory: pytest.TempPathFactory, foreign_site: Path) -> Iterator[Path]:
    """The quiz of the classroom as YAML, its evidence gathered."""
    folder = tmp_path_factory.mktemp("nuisance")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(foreign_site))
        patch.setenv("EARWITNESS_CACHE", str(folder / "store"))
        forget_evaluators()
        write_quiz(folder / "quiz")
        answer_key(load_quiz(folder / "quiz"), mode="auto")
        yield folder / "quiz"
    forget_evaluators()


@pytest.fixture
def class_book(quiz: Path) -> QuizBook:
    return load_quiz(quiz)


@pytest.fixture
def run(quiz: Path) -> Command:
    def command(*arguments: object) -> Result:
        return CliRunner().invoke(app, [*map(str, arguments), "--quiz", str(quiz)])

    return command


@pytest.fixture
def report(tmp_path: Path, class_book: QuizBook) -> Path:
    return Report(language="zh", bom=True).write(
        tmp_path / "report.csv", class_book, random_class(class_book, 30, attempts=2)
    )
