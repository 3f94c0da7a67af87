"""For those who only grade: the README's environment without torch grades, checks, explains, exports and reports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.environments.conftest import HEAVY, call, megabytes, versions
from tests.grader.classroom import CANVAS_FILE  # noqa: F401

UNSETTLED = 3
MOST = 500
"""Megabytes that it may take; all packages take more than ten times that."""


@pytest.fixture(scope="module")
def light(checkout: Path) -> Path:
    """The environment that the README's line makes, in a copy of the checkout; returns its folder of programs."""
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^uv venv light .*$", readme, flags=re.MULTILINE)
    call("bash", "-ec", line, cwd=checkout)
    return checkout / "light/bin"


def test_nothing_heavy_is_in_it(light: Path) -> None:
    assert not {*HEAVY} & versions(light).keys()
    assert megabytes(light.parent) < MOST
