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
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("floor", FLOORS)
def test_imports_go_down_only(repository: Path, floor: str) -> None:
    above = set(FLOORS[FLOORS.index(floor) + 1 :])
    upward = {
        f"{path.relative_to(repository)} imports {name}"
        for path in (repository / floor).rglob("*.py")
        for name in above & set(imported(path))
    }
    assert upward == set()


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
