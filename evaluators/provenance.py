"""Provenance: which code, packages, inputs and seed a piece of evidence came from."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from evaluators.evidence import Inputs, Provenance
from evaluators.packages import PROJECT, installed_version

REPOSITORY = Path(__file__).resolve().parent.parent
RECIPE = 2
"""Raised when the way in which fingerprints are formed changes."""


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Installed versions by package name, build tags (`+cpu`) left out; `absent` for what is not installed."""
    return {name: installed_version(name) for name in sorted(names)}


def git_state(folder: Path = REPOSITORY) -> tuple[str | None, bool | None]:
    """(commit, dirty) of the checkout that this code runs from; (None, None) for an installed copy.

    Asked of git with a fixed folder, so that it holds under pytest and from any working directory, and every time: who
    edits while a process runs is told of, too.
    """
    if not (folder / ".git").exists():
        return None, None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        dirty = bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return commit, dirty


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def provenance(inputs: Inputs, *, started: datetime, seconds: float) -> Provenance:
    """The provenance of something measured just now from `inputs`."""
    commit, dirty = git_state()
    return Provenance(
        earwitness=installed_version(PROJECT),
        git_commit=commit,
        git_dirty=dirty,
        python=".".join(map(str, sys.version_info[:3])),
        platform=f"{platform.system()} {platform.machine()}",
        packages=package_versions(inputs.packages),
        inputs=dict(inputs.files),
        weights=inputs.weights,
        seed=inputs.seed,
        started=started.astimezone(UTC),
        seconds=round(seconds, 3),
    )
