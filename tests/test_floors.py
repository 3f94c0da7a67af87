"""The house: imports go down only, and grading from stored evidence stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FLOORS = ("basics", "audio", "evaluators", "grader")
HEAVY = (
    "torch",
    "moshi",
    "transformers",
    "umap",
    "numba",
    "sklearn",
    "scipy",
    "librosa",
    "matplotlib",
    "pesq",
    "pystoi",
)


def imported(path: Path) -> Iterator[str]:
    """Every top-level package that a module imports anywhere in it."""
    yield from (name.partition(".")[0] for name in modules(path))


def modules(path: Path) -> Iterator[str]:
    """Every module that a module imports anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


@pytest.mark.parametrize("floor", FLOORS)
def test_imports_go_down_only(repository: Path, floor: str) -> None:
    above = set(FLOORS[FLOORS.index(floor) + 1 :])
    upward = {
        f"{path.relative_to(repository)} imports {name}"
        for path in (repository / floor).rglob("*.py")
        for name in above & set(imported(path))
    }
    assert upward == set()


ROOMS = ("quiz", "verdicts", "submissions", "marking", "feedback", "exports", "review", "report", "canvas", "cli")
"""Of the top floor, from the bottom; `runs`, `demo`, `doctor` and `pytest_plugin` stand between report and cli."""


@pytest.mark.parametrize("room", ROOMS[:-1])
def test_rooms_of_the_top_floor_import_downwards_too(repository: Path, room: str) -> None:
    above = ROOMS[ROOMS.index(room) + 1 :]
    upward = {
        f"{path.relative_to(repository)} imports {name}"
        for path in (repository / "grader" / room).rglob("*.py")
        for name in modules(path)
        if name.startswith(tuple(f"grader.{other}" for other in (*above, "runs", "demo", "doctor")))
    }
    assert upward == set()


DOORS = {"basics/csv_source.py": "csv", "basics/yaml_source.py": "yaml"}
"""Who reads a format of strangers; `grader/exports/strict_csv.py` imitates how the LMS reads one, without a library."""


@pytest.mark.parametrize("reads", ["csv.reader", "csv.DictReader", "yaml.load", "yaml.safe_load", "yaml.compose"])
def test_every_format_has_one_door(repository: Path, reads: str) -> None:
    found = {
        path.relative_to(repository).as_posix()
        for floor in FLOORS
        for path in (repository / floor).rglob("*.py")
        if f"{reads}(" in path.read_text(encoding="utf-8")
    }
    assert found <= {door for door, library in DOORS.items() if reads.startswith(library)}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["validate"], ["key", "--evidence=cached", "--json"], ["why", "q11", "A"]]
)
def test_judging_stored_evidence_imports_nothing_heavy(repository: Path, arguments: list[str]) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['earwitness', *{arguments!r}]\n"
        "from grader.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []", done.stdout + done.stderr


def test_evaluators_of_others_find_the_errors_under_their_older_name() -> None:
    import audio.errors
    import basics.errors

    for name in ("EarwitnessError", "InputError", "Problem", "Unavailable", "Undefined"):
        assert getattr(audio.errors, name) is getattr(basics.errors, name)


def test_every_module_can_be_the_first_that_is_imported(repository: Path) -> None:
    """A circle of imports shows only to whoever enters it at the wrong place."""
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    room = name.rpartition('.')[0]\n"
        "    for known in [known for known in sys.modules if '.' in room and known.startswith(room)]:\n"
        "        del sys.modules[known]\n"
        "    importlib.import_module(name)\n"
    )
    paths = [path.relative_to(repository) for floor in FLOORS for path in (repository / floor).rglob("*.py")]
    names = [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths if "worker" not in path.stem
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *names], capture_output=True, text=True, check=False, cwd=repository, timeout=300
    )
    assert done.returncode == 0, done.stderr
