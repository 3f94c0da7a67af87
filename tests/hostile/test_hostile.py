"""A fixed few of the hostile inputs; `python -m tests.hostile --minutes 60` looks for others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.families import FAMILIES

CASES = 16


@pytest.fixture(scope="module")
def figures(repository: Path) -> tuple[dict[str, dict[str, int]], str]:
    """What came of the cases by family, and examples of what went wrong."""
    command = [sys.executable, "-m", "tests.hostile", "--json", "--cases", str(CASES)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=1200)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("family", [family.name for family in FAMILIES])
def test_no_hostile_input_ends_in_anything_but_a_message(
    figures: tuple[dict[str, dict[str, int]], str], family: str
) -> None:
    """No traceback, crash or hang; nothing outside of its folder; nothing tampered with that goes unnoticed."""
    found, examples = figures
    faults = {fault: number for fault, number in found[family].items() if fault != "cases"}
    assert faults == {}, examples
    assert found[family]["cases"] >= 3


def test_eight_processes_at_once_measure_once_and_decide_once(repository: Path) -> None:
    """One round of each crowd; `python -m tests.hostile.crowds --rounds 20` runs more."""
    command = [sys.executable, "-m", "tests.hostile.crowds", "--rounds", "1"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
