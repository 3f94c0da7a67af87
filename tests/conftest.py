"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from evaluators import registry

REPOSITORY = Path(__file__).resolve().parent.parent

collect_ignore = ["foreign", "browser/quiz"]
"""Quizzes that tests run in processes of their own, with the evaluators they need."""


# Machines are shared and slow at times; in continuous integration the same examples are drawn in every run.
settings.register_profile("earwitness", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("earwitness")

NOTHING_MISSING = "EARWITNESS_NOTHING_MISSING"
"""Set in continuous integration, where everything is installed: a test that skips for want of something fails."""


LONGEST = (
    "test_run_models.py",
    "test_other_packages.py",
    "test_readme.py",
    "test_hostile.py",
    "test_speaker_gender.py",
    "test_unruly.py",
    "test_origin.py",
    "test_layer_separation_sound.py",
    "test_notebook.py",
    "test_canvas_api.py",
    "test_day_of_300.py",
    "test_grading_day.py",
)
"""Files that take longest, begun first: no worker waits for one of them at the end (see `--no-loadscope-reorder`)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip whose reason begins with `needs` into a failure where nothing may be missing."""
    report = yield
    if report.skipped and os.environ.get(NOTHING_MISSING) and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith("needs "):
            report.outcome, report.longrepr = "failed", f"skipped where nothing may be missing: {reason}"
    return report


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the program remembers of ledgers is not kept among the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EARWITNESS_STATE", str(tmp_path_factory.mktemp("state")))
        yield


def need_program(name: str) -> str:
    """Path of a program that a test runs; skips with a reason where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs the program {name}")
    return path


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third-party audio and LMS files that lie beside the checkout and are never part of it."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the third-party test files in ../shared, which are not part of the project")
    return folder


@pytest.fixture(scope="session")
def foreign_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH in which another course's evaluator is installed, entry point and all."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(REPOSITORY / "tests/foreign/foreign_evaluators.py", folder)
    metadata = folder / "foreign-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 0.1\n")
    (metadata / "entry_points.txt").write_text(
        "[earwitness.evaluators]\ndice = foreign_evaluators:Dice\nquick_dice = foreign_evaluators:QuickDice\n"
        "tally = foreign_evaluators:Tally\n"
    )
    return folder


@pytest.fixture
def foreign_quiz(tmp_path: Path, foreign_site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of another course's quiz to read and spoil, its evaluator within reach, the store empty."""
    monkeypatch.syspath_prepend(str(foreign_site))
    monkeypatch.setenv("PYTHONPATH", str(foreign_site))
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "store"))
    forget_evaluators()
    yield Path(shutil.copytree(REPOSITORY / "tests/foreign", tmp_path / "quiz"))
    forget_evaluators()


def forget_evaluators() -> None:
    """The registry remembers which entry points it saw; a test that installs one has to say so."""
    registry.targets.cache_clear()
    registry.get.cache_clear()


@pytest.fixture(scope="session")
def earwitness() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the real command in a process of its own: `earwitness("key", "--json", cwd=...)`."""

    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from grader.cli import main; main()", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)

    return run
