"""Runs one command in a forked process within limits, and says what is wrong with how it ended."""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CPU_SECONDS, WALL_SECONDS = 10, 90
MEMORY = 1 << 30
"""Bytes that a command may take besides what the program itself needs."""
WITH_FILES_OF = ("with", "files of")
CODES = (0, 1, 2, 3)
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: the signal), what it said, what it took."""

    asked: str
    code: int
    said: str
    seconds: float
    hung: bool

    @property
    def fault(self) -> str:
        """What no command may do, in a word; empty where it did nothing of it."""
        if self.hung or self.code == -signal.SIGXCPU:
            return "hang"
        if "MemoryError" in self.said or "Cannot allocate memory" in self.said:
            return "memory"
        if "Traceback (most recent call last)" in self.said or "INTERNALERROR" in self.said or "broke:" in self.said:
            return "traceback"
        if self.code not in CODES and not (self.code == 4 and self.asked == "pytest"):
            return "crash"
        return "steering" if STEERING.search(self.said) else ""


def attempt(arguments: Sequence[str], folder: Path) -> Ended:
    """Run `earwitness ARGUMENTS` in `folder`, in a fork of this process.

    After the words `with files of` and a number of bytes no file may be longer: the system refuses as a full disk does.
    """
    reader, writer = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _become_command(arguments, folder, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as output:
        os.set_blocking(reader, False)
        status, hung, used, said = _wait(child, began + WALL_SECONDS, output)
    return Ended(arguments[0], os.waitstatus_to_exitcode(status), said.decode("utf-8", "replace"), used, hung)


def _wait(child: int, until: float, output: IO[bytes]) -> tuple[int, bool, float, bytes]:
    hung, pause, said = False, 0.002, b""
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        said += output.read() or b""
        if pid:
            return status, hung, usage.ru_utime + usage.ru_stime, said
        if time.monotonic() > until and not hung:
            hung = True
            os.kill(child, signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _become_command(arguments: Sequence[str], folder: Path, output: int) -> None:
    """What the forked process does; it never returns."""
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        if arguments[:2] == WITH_FILES_OF:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(arguments[2]),) * 2)
            arguments = arguments[3:]
        sys.argv = ["earwitness", *arguments]
        code = _pytest(arguments[1:]) if arguments[0] == "pytest" else _earwitness()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _earwitness() -> int:
    from grader.cli import main

    main()
    return 0


def _pytest(arguments: Sequence[str]) -> int:
    import pytest

    return int(pytest.main(["-p", "grader.pytest_plugin", "-p", "no:cacheprovider", *arguments]))


def load_everything() -> None:
    """Import what commands import when they run, so that a fork has it."""
    import importlib
    import pkgutil

    import evaluators
    import grader

    for package in (grader, evaluators):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.startswith(("grader.", "evaluators.literature")) and "pytest" not in module.name:
                importlib.import_module(module.name)
