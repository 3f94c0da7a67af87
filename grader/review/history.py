"""Who brought an entry of the evidence of record, and when, as far as git knows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from basics.messages import NOTHING, Message, quoted, said_by, say

UNIT, SHORT = "\x1f", 12
POINTERS = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
"""Variables that a hook of some other repository sets."""


@dataclass(frozen=True)
class Commit:
    """The last commit that changed a file."""

    commit: str
    author: str
    date: str


@dataclass(frozen=True)
class History:
    """The history of some files of one folder, by name: `commits` lacks what was never committed.

    `changed` are those that differ from that commit. `unknown` says why nothing can be told, `caveat` what to bear in
    mind.
    """

    commits: dict[str, Commit]
    changed: frozenset[str] = frozenset()
    unknown: Message = NOTHING
    caveat: Message = NOTHING


class _Silent(Exception):
    """Why git tells nothing."""


def history_of(folder: Path, names: Sequence[str]) -> History:
    """What git knows of the files `names` in `folder`; that there is no git, or no repository, is no error."""
    if not names:
        return History({})
    try:
        shallow = _git(folder, "rev-parse", "--is-shallow-repository").strip() == "true"
        commits = {name: commit for name in names if (commit := _last_commit(folder, name))}
        changed = frozenset(name for name in commits if _git(folder, "status", "--porcelain", "--", name).strip())
    except _Silent as reason:
        return History({}, unknown=said_by(reason))
    caveat = say("the clone is shallow: an entry may be older than the commit that is named")
    return History(commits, changed, caveat=caveat if shallow else NOTHING)


def _last_commit(folder: Path, name: str) -> Commit | None:
    wanted = UNIT.join(("%H", "%an <%ae>", "%aI"))
    told = _git(folder, "log", "-1", f"--format={wanted}", "--", name).strip()
    if not told:
        return None
    commit, author, date = told.split(UNIT)
    return Commit(commit[:SHORT], author, date)


def _git(folder: Path, *arguments: str) -> str:
    """What git says. Raises _Silent where there is no git, no repository or no history."""
    command = ["git", "--no-optional-locks", "--literal-pathspecs", "-C", str(folder), *arguments]
    here = {name: value for name, value in os.environ.items() if name not in POINTERS} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(command, env=here, capture_output=True, check=False, encoding="utf-8", errors="replace")
    except OSError as error:
        raise _Silent(say("git is not installed")) from error
    if done.returncode:
        if "not a git repository" in done.stderr:
            raise _Silent(say("not in a git repository"))
        said = done.stderr.strip().splitlines()
        raise _Silent(quoted(f"git: {said[0] if said else ''}"))
    return done.stdout
