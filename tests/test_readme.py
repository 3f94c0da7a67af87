"""Every command of the README works, in the README's order, as somebody would type it after `uv run`."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

UNSETTLED = 3


def commands(readme: str) -> Iterator[str]:
    """The lines of all shell blocks."""
    for block in re.findall(r"```sh\n(.*?)```", readme, flags=re.S):
        yield from block.strip().splitlines()


def argv(command: str) -> list[str]:
    """The command without `uv run`, by this interpreter."""
    program, *arguments = shlex.split(command.removeprefix("uv run "))
    module = {"earwitness": ["-c", "from grader.cli import main; main()"], "pytest": ["-m", "pytest"]}[program]
    return [sys.executable, *module, *arguments]


@pytest.fixture(scope="module")
def workplace(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the quiz in it, like a checkout that is free to be written into."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / "questions").symlink_to(repository / "questions")
    return folder


def test_every_command_of_the_readme_runs(repository: Path, workplace: Path) -> None:
    lines = list(commands((repository / "README.md").read_text(encoding="utf-8")))
    ci = (repository / ".ci/run").read_text(encoding="utf-8")
    environment = {**os.environ, "EARWITNESS_CACHE": str(workplace / "cache"), "COLUMNS": "100"}
    outcomes = {}
    for line in lines:
        if line == "uv run pytest":
            assert "uv run pytest\n" in ci, (
                "the whole test suite cannot run inside itself: continuous integration runs it"
            )
            continue
        if line.startswith("uv venv light "):
            continue  # tests/environments/test_light.py makes that environment and uses it
        done = subprocess.run(
            argv(line), cwd=workplace, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        outcomes[line] = (done.returncode, done.stdout[-1500:] + done.stderr[-1500:])
    for line, (code, text) in outcomes.items():
        assert code in (0, UNSETTLED), f"{line}\n{text}"
        assert "Traceback" not in text, f"{line}\n{text}"
    assert outcomes["uv run earwitness demo"][0] == 0
    assert (workplace / "earwitness-demo/class.csv").is_file()
    assert (workplace / "grades/scores.csv").is_file()


def test_links_of_the_docs_lead_somewhere(repository: Path) -> None:
    documents = [repository / "README.md", *sorted((repository / "docs").rglob("*.md"))]
    broken = [
        f"{document.relative_to(repository)} -> {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []
