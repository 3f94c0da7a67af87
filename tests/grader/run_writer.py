"""Writes runs of a small class, each in a process of its own that can be killed: `python -m tests.grader.run_writer`.

For each line `folder rule kill-at` on standard input a process is forked, whose id is printed; it puts a run under
that rule into the folder and kills itself before its rename number `kill-at` (0: never). `wait` waits for all of them
and prints their exit codes.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from grader.marking.class_run import ClassRun, grade_file
from grader.quiz.spec import CreditRule
from grader.runs import write_class_run
from grader.submissions.reading import read_submissions
from tests.grader.classroom import Report, key_for, make_book, random_class

RULES: tuple[CreditRule, ...] = ("net-correct", "all-or-nothing")


def runs(folder: Path) -> dict[str, ClassRun]:
    """A class of six under two credit rules."""
    book = make_book()
    report = Report().write(folder / "report.csv", book, random_class(book, 6))
    return {rule: grade_file(read_submissions(report, book), book, key_for(book), rule) for rule in RULES}


def dying_at(moment: int) -> None:
    """Have this process killed before its rename number `moment`."""
    left, rename = moment, Path.replace

    def dying(source: Path, target: Any) -> Path:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(source, target)

    Path.replace = dying  # type: ignore[method-assign,assignment]


def write(out: Path, run: ClassRun, moment: int) -> int:
    """The exit code of writing; 1 with the traceback for whatever is raised."""
    try:
        dying_at(moment)
        write_class_run(out, run)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        known = runs(Path(folder))
    children: list[int] = []
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "wait":
            print(*[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children], flush=True)
            children.clear()
            continue
        out, rule, moment = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            os._exit(write(Path(out), known[rule], int(moment)))
        children.append(child)
        print(child, flush=True)


if __name__ == "__main__":
    main()
