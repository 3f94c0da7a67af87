"""Commands of the documents as somebody goes through them who has only these: in order, in a folder of one's own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir
from pathlib import Path

from typer.testing import CliRunner

from grader.cli import app
from tests.conftest import REPOSITORY
from tests.test_readme import argv

OF_SOUND = re.compile(r"codec|mimi|moshi|sound|speech|audio|clips|corpus|EmoV-DB|utter", re.IGNORECASE)
"""Words that have no business in a quiz of another course."""


def go_through(lines: Iterable[str], folder: Path, *, apart: bool = False, path: Sequence[Path] = ()) -> dict[str, str]:
    """Run commands in a folder, each to its end without a fault; what each said.

    With `apart` each has a process of its own, as in a terminal; else only what is no command of this program. `path`
    are folders in which packages lie. A comment says with which code a command ends that does not end with 0.
    """
    environment = {"EARWITNESS_CACHE": str(folder / "cache"), "COLUMNS": "100"}
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(map(str, (*path, REPOSITORY)))
    said = {}
    for line in lines:
        program, *words = shlex.split(line, comments=True)
        expected = int(found[1]) if (found := re.search(r"# ends with (\d)", line)) else 0
        if apart or program != "earwitness":
            done = subprocess.run(
                argv(shlex.join([program, *words])),
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
        assert code == expected, f"{line}\n{said[line]}"
        assert "Traceback" not in said[line], f"{line}\n{said[line]}"
    return said


def shown(page: Path) -> str:
    """What a page shows: neither its styles nor its script."""
    return re.sub(r"<style>.*?</style>|<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def pieces(document: str) -> Iterator[tuple[str, str]]:
    """The blocks of a document in order, each with its kind: `sh`, `text`, `yaml`."""
    yield from re.findall(r"```(\w+)\n(.*?)```", document, flags=re.DOTALL)


def follow(document: str, folder: Path, *, apart: bool = False, path: Sequence[Path] = ()) -> dict[str, str]:
    """Go through a document: write the files that it shows with their name, run its commands; what each said.

    Every line that it shows as said has been said by then, however the terminal wraps it.
    """
    said: dict[str, str] = {}
    for kind, text in pieces(document):
        if kind == "sh":
            said |= go_through(text.strip().splitlines(), folder, apart=apart, path=path)
        elif name := re.match(r"# (\S+\.\w+)\n", text):
            file = folder / name[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif kind == "text" and not text.startswith("pip "):
            known = " ".join(" ".join(said.values()).split())
            unsaid = [line for line in text.strip().splitlines() if " ".join(line.split()) not in known]
            assert unsaid == [], known
    return said
