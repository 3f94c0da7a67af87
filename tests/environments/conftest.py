"""Environments that tests build from the package registries: `pytest -m environment` runs them, and needs a network."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.conftest import need_program

Run = Callable[..., CompletedProcess[str]]
HEAVY = ("torch", "transformers", "moshi", "umap-learn", "numba", "librosa", "pocketsphinx")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.environment)


def call(*command: str | Path, code: int | None = 0, **options: Any) -> CompletedProcess[str]:
    """Run a command; the test fails, with all that was printed, unless it ends with `code` (None: any)."""
    environment = {**os.environ, "PYTHONPATH": "", **options.pop("env", {})}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=1200, env=environment, **options
    )
    assert code is None or done.returncode == code, (
        f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    )
    return done


def python(version: str) -> str:
    """An interpreter of this version; skips where there is none."""
    found = call(need_program("uv"), "python", "find", "--no-python-downloads", version, code=None)
    if found.returncode:
        pytest.skip(f"no Python {version} on this machine")
    return found.stdout.strip()


def environment(folder: Path, version: str, *options: str) -> Path:
    """A new virtual environment in `folder`; returns its folder of programs."""
    call(need_program("uv"), "venv", "--quiet", "--python", python(version), *options, folder)
    return folder / "bin"


def versions(programs: Path) -> dict[str, str]:
    """What is installed in an environment, by name."""
    listed = call(need_program("uv"), "pip", "list", "--python", programs / "python", "--format", "freeze")
    return dict(line.split("==", 1) for line in listed.stdout.splitlines() if "==" in line)


def megabytes(folder: Path) -> float:
    """Size of a folder on disk."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@pytest.fixture(scope="module")
def checkout(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git tracks, under a path with spaces and letters that are not ASCII, with no history.

    Each file of tests has its own: what one makes in it must not be built into the packages of another.
    """
    folder = tmp_path_factory.mktemp("a folder") / "課程 über öffentlich"
    names = call("git", "ls-files", "-z", cwd=repository).stdout.split("\0")
    for name in filter(None, names):
        if (repository / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(repository / name, folder / name)
    return folder
