"""A fixed few of the hostile inputs; `python -m tests.hostile --minutes 60` looks for others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.families import FAMILIES

CASES = {"pytest": 6}
"""By family, where it is not the usual number."""


@pytest.mark.parametrize("family", [family.name for family in FAMILIES])
def test_no_hostile_input_ends_in_anything_but_a_message(repository: Path, family: str) -> None:
    """No traceback, crash or hang; nothing outside of its folder; nothing tampered with that goes unnoticed."""
    command = [sys.executable, "-m", "tests.hostile", "--json", "--family", family]
    command += ["--cases", str(CASES.get(family, 45))]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[family]["cases"] >= CASES.get(family, 40)
