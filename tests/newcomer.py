"""Commands of the documents as somebody goes through them who has only these: in order, in a folder of one's own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path

from typer.testing import CliRunner

from grader.cli import app
from tests.test_readme import argv

OF_SOUND = re.compile(r"codec|mimi|moshi|sound|speech|audio|clips|corpus|EmoV|utter", re.IGNORECASE)
"""Words that have no business in a quiz of another course."""


def go_through(lines: Iterable[str], folder: Path, *, apart: bool = False) -> dict[str, str]:
    """Run commands in a folder, each to its end without a fault; what each said.

    With `apart` each has a process of its own, as in a terminal; else only what is no command of this program.
    """
    environment = {"EARWITNESS_CACHE": str(folder / "cache"), "COLUMNS": "100"}
    said = {}
    for line in lines:
        program, *words = shlex.split(line)
        if apart or program != "earwitness":
            done = subprocess.run(
                argv(line),
                cwd=folder,
                env=os.environ | environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            code, said[line] = done.returncode, done.stdout + done.stderr
        else:
            with chdir(folder):
                result = CliRunner(env=environment).invoke(app, words)
            code, said[line] = result.exit_code, result.output
        assert code == 0, f"{line}\n{said[line]}"
        assert "Traceback" not in said[line], f"{line}\n{said[line]}"
    return said


def shown(page: Path) -> str:
    """What a page shows: neither its styles nor its script."""
    return re.sub(r"<style>.*?</style>|<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
