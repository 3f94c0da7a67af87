"""Kill commands at each system call that renames, links, makes, syncs or removes something, and look at what is left.

`python -m tests.hostile.kills` needs strace. A command is run once to count those calls, then once for each of them,
killed as it enters the call. What is left has to be as before or as after: the next commands run on it as on a run that
nobody killed, the ledger is intact, an appeal that is decided has its entry, and no temporary file outlives the next
command there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.hostile.driver import attempt
from tests.hostile.families import Q
from tests.hostile.world import GRADE, copied, worlds

CALLS = "rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,fsync"
ACCEPT = ("--decision", "accepted", "--as", "also", "--reason", "the option can be read both ways")
LATER = ("appeal", "q03", "A", "--student", "b12901003", "--result", "run", *Q)
OTHER = ("appeal", "q02", "A", "--student", "b12901002", "--result", "run", *Q)
COMMANDS: dict[str, tuple[str, ...]] = {
    "grade anew": GRADE,
    "regrade": ("regrade", "run", "changes.yaml", *Q, "--out", "third"),
    "appeal": (*OTHER, *ACCEPT),
    "edition": ("export", "student", *Q, "--out", "edition2", "--opening", "opening2.json"),
    "gradescope": ("export", "gradescope", "run", "--out", "scope", *Q),
    "gradebook": (
        *("export", "canvas", "--gradebook", "gradebook.csv", "run", "--assignment", "123456"),
        *("--out", "grades.csv"),
    ),
    "starters": ("new", "class", *Q, "--out", "start"),
    "measure": ("key", *Q, "--evidence", "refresh"),
}


def traced(arguments: tuple[str, ...], world: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The command under strace, in a process of its own."""
    command = ["strace", "-f", "-qq", "-e", f"trace={CALLS}", *options, sys.executable, "-c"]
    command += ["from grader.cli import main; main()", *arguments]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "GIT_OPTIONAL_LOCKS": "0"}
    return subprocess.run(command, cwd=world, env=environment, capture_output=True, text=True, check=False, timeout=300)


def what_is_wrong(name: str, world: Path) -> str:
    """What a kill left that nobody wants; empty where it left nothing of the kind."""
    arguments = COMMANDS[name]
    for out in ("run", "third"):
        if (world / out / "ledger").exists() and (ended := attempt(("ledger", out), world)).code:
            return f"ledger {out}: {ended.code} {ended.said[-300:]}"
    if name == "appeal" and (what := _appeal(world)):
        return what
    again = attempt(arguments, world)
    attempt(LATER, world)  # what is left beside a file goes when it is written again
    decided = name == "appeal" and "was accepted on" in again.said
    published = name == "edition" and "is there already" in again.said
    if published:
        opened = attempt(("export", "open", "edition2", "opening2.json"), world)
        if opened.code and (world / "edition2/commitment.json").exists():
            return f"the opening does not fit: {opened.said[-200:]}"
    elif again.code and not decided:
        return f"again: {again.code} {again.said[-300:]}"
    left = [path for path in world.rglob("*") if re.search(r"^\..*\.[0-9a-f]{8}(\.\w+)?$", path.name)]
    left += [path for path in world.rglob(".writing-*") if path.exists()]
    return f"left behind: {[path.relative_to(world).as_posix() for path in left]}" if left else ""


def _appeal(world: Path) -> str:
    path = world / "run/appeals/q02-A-b12901002.json"
    settled = attempt(("appeal", "--list", "--result", "run"), world)
    if settled.code:
        return f"list: {settled.said[-200:]}"
    entries = [json.loads(entry.read_text()) for entry in sorted((world / "run/ledger").glob("*.json"))]
    recorded = any("appeals/q02-A-b12901002.json" in entry["outputs"] for entry in entries)
    return "" if path.exists() == recorded else "a decision without its entry, or an entry without its decision"


def main() -> int:
    """Print the number of kills by command and what was wrong; the exit code says whether anything was."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.kills", description=__doc__)
    parser.add_argument("--most", type=int, default=60, help="kills for each command, spread over its calls")
    parser.add_argument("--command", action="append", choices=[*COMMANDS], help="only this one")
    wanted = parser.parse_args()
    most = wanted.most
    if shutil.which("strace") is None:
        sys.exit("this needs strace")
    kills: Counter[str] = Counter()
    wrong: dict[str, list[str]] = {name: [] for name in COMMANDS}
    with worlds() as made:
        for name, arguments in COMMANDS.items():
            if wanted.command and name not in wanted.command:
                continue
            with copied(made) as world:
                done = traced(arguments, world)
                called = Counter(re.findall(rf"\b({CALLS.replace(',', '|')})\(", done.stderr))
            moments = [(call, n) for call, times in sorted(called.items()) for n in range(1, times + 1)]
            for call, n in moments[:: max(1, -(-len(moments) // most))]:
                with copied(made) as world:
                    done = traced(arguments, world, "-e", f"inject={call}:signal=SIGKILL:when={n}")
                    kills[name] += done.returncode in (-9, 137)
                    if what := what_is_wrong(name, world):
                        wrong[name].append(f"{call} {n}: {what}")
            print(f"{name:<12}{len(moments):>5} calls{kills[name]:>5} kills{len(wrong[name]):>5} wrong", flush=True)
            for what in wrong[name][:5]:
                print(f"    {what}", file=sys.stderr)
    print(f"{kills.total()} kills, {sum(map(len, wrong.values()))} that left something wrong")
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main())
