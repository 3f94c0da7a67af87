"""Provenance of evidence gathered from a checkout says which commit it is, and whether anything was changed since."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import need_program

PACKAGES = ("basics", "audio", "evaluators", "grader")
NOT_CODE = shutil.ignore_patterns("clips", "pocket_mimi", "__pycache__")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        [need_program("git"), *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def checkout(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of its own with the program and another course's quiz."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in PACKAGES:
        shutil.copytree(repository / package, folder / package, ignore=NOT_CODE)
    shutil.copytree(repository / "tests/foreign", folder / "quiz")
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all of it")
    return folder


def provenance(checkout: Path, site: Path, cache: Path) -> dict[str, Any]:
    """What freshly measured evidence says of itself."""
    done = subprocess.run(
        [sys.executable, "-c", "from grader.cli import main; main()", "evidence", "--json", "--quiz", "quiz"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(site), "EARWITNESS_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    [result] = json.loads(done.stdout)
    found: dict[str, Any] = result["evidence"]["provenance"]
    return found


def test_evidence_from_a_changed_checkout_is_dirty(checkout: Path, foreign_site: Path, tmp_path: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    clean = provenance(checkout, foreign_site, tmp_path / "clean")
    assert (clean["git_commit"], clean["git_dirty"]) == (commit, False)
    with (checkout / "evaluators/resampling.py").open("a") as file:
        file.write("\n# tried something\n")
    changed = provenance(checkout, foreign_site, tmp_path / "changed")
    assert (changed["git_commit"], changed["git_dirty"]) == (commit, True)
    git(checkout, "commit", "--all", "--quiet", "--message", "kept it")
    kept = provenance(checkout, foreign_site, tmp_path / "kept")
    assert kept["git_commit"] == git(checkout, "rev-parse", "HEAD") != commit
    assert kept["git_dirty"] is False
