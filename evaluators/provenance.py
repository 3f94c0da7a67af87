"""Provenance: which code, packages, inputs and seed a piece of evidence came from."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from basics.files import sha256_of
from basics.messages import say
from evaluators.evidence import Evidence, Inputs, Provenance
from evaluators.packages import PROJECT, installed_version
from evaluators.registry import BUILT_IN, source_digest

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


OTHER_CODE, OTHER_INPUTS = "of other code", "of other inputs"


def sha256_in(quiz: Path, name: str) -> str:
    """sha256 of a file of the quiz by its path there; empty where there is no such file inside the quiz."""
    path = quiz / name
    inside = path.resolve().is_relative_to(quiz.resolve())
    return sha256_of(path) if inside and path.is_file() else ""


def differences(evidence: Evidence, quiz: Path | None) -> tuple[str, ...]:
    """What the evidence rests on that is otherwise here: the evaluator's code, files of the quiz.

    What is not known of it, or not here, is no difference: evidence from before these were noted, an evaluator that is
    not installed, one of another version. Of what is built in, version and commit of the project say which code it was,
    and its tests keep what a version of an evaluator gives.
    """
    known, built_in = evidence.provenance, evidence.evaluator in BUILT_IN
    told = []
    if known.code and not built_in and (here := source_digest(evidence.evaluator)) and here != known.code:
        told.append(
            f"{OTHER_CODE}: the source of {evidence.evaluator} changed since it was measured"
            f"{f' by {known.evaluator}' if known.evaluator else ''}, and its version {evidence.version} did not"
        )
    changed = [name for name, sha256 in known.files.items() if quiz and sha256_in(quiz, name) != sha256]
    if changed:
        told.append(f"{OTHER_INPUTS}: {', '.join(changed)} changed since it was measured")
    return tuple(told)


def another_run(evidence: Evidence, earlier: Iterable[Evidence]) -> tuple[str, ...]:
    """What came out otherwise in an earlier run of the same code on the same inputs: something is drawn unseeded."""
    ours, now = evidence.provenance, {(m.name, m.source): m.value for m in evidence.measurements}
    told = {
        f"{name} was {before} and is {now[name, source]}"
        for one in earlier
        if (one.fingerprint, one.provenance.code) == (evidence.fingerprint, ours.code)
        for name, source, before in ((m.name, m.source, m.value) for m in one.measurements)
        if now.get((name, source), before) != before
    }
    if not told:
        return ()
    what = say(
        "two runs differ: {differences}{ellipsis}",
        differences="; ".join(sorted(told)[:3]),
        ellipsis=" …" if len(told) > 3 else "",
    )
    return (f"{what}; whatever is drawn has to be drawn with the seed",)


def provenance(inputs: Inputs, *, started: datetime, seconds: float, **by: Any) -> Provenance:
    """The provenance of something measured just now from `inputs`, `by` which evaluator, code and files of the quiz."""
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
        **by,
    )
