"""Every command that is named anywhere exists: in the docs, the notebook, and the hints that the program prints."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from grader.cli import app
from grader.cli.demo import next_steps
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.verdicts.terminal import print_command
from tests.test_readme import commands

TREE: Any = typer.main.get_command(app)
MODULES = {
    "tools.pin",
    "tools.glossary",
    "tools.words",
    "tools.worlds",
    "tools.claims_review",
    "tools.clips.render",
    "tests.audio.golden",
}
MAKERS = ("command", "command_of", "about_run")
NAMED = re.compile(r"`((?:uv run )?(?:earwitness|python -m|pytest)\b[^`\n]*)`")


def documents(repository: Path) -> list[Path]:
    return [repository / "README.md", repository / "CHANGELOG.md", *sorted((repository / "docs").rglob("*.md"))]


def named_in_documents(repository: Path) -> Iterator[tuple[str, str]]:
    """(where, command) of fenced and inline commands."""
    for path in documents(repository):
        text = path.read_text(encoding="utf-8")
        found = [*commands(text), *NAMED.findall(re.sub(r"```.*?```", "", text, flags=re.S))]
        yield from ((path.name, line) for line in found)


def named_in_code(repository: Path) -> Iterator[tuple[str, str]]:
    """(where, command) in texts of the program; what is filled in at run time stands as X."""
    for floor in ("basics", "audio", "evaluators", "grader"):
        for path in (repository / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                found = [line for text in _texts(node) for line in NAMED.findall(text)] + _put_together(node)
                yield from ((str(path.relative_to(repository)), line) for line in found)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)  # type: ignore[misc]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _put_together(node: ast.AST) -> list[str]:
    """The command that `grader.quiz.commands.command` or `about_run` makes of its words; the quiz's folder is none."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS):
        return []
    if any(keyword.arg == "help" for keyword in node.keywords):
        return []  # what registers a command has the same name
    given = node.args if node.func.id == "about_run" else node.args[1:]
    words = [str(word.value) if isinstance(word, ast.Constant) else "X" for word in given]
    return [shlex.join(["earwitness", *words])] if words and words[0] != "X" else []


def fault(line: str) -> str:
    """What is wrong with a command line: an unknown command, option or module; empty if nothing is."""
    words = [word for word in shlex.split(line.split("   #")[0], comments=True) if word not in ("…", "...")]
    words = words[2:] if words[:2] == ["uv", "run"] else words
    if words[:2] == ["python", "-m"]:
        known = words[2] in MODULES or words[2].startswith(("tools.pocket_mimi", "pip"))
        return "" if known else f"no module {words[2]}"
    return "" if words[0] != "earwitness" else _unknown(TREE, words[1:])


def _unknown(command: Any, words: list[str]) -> str:
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        if words[0] not in command.commands and hasattr(command, "unnamed"):
            words = [command.unnamed, *words]
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    known = {option for parameter in [*command.params, *TREE.params] for option in parameter.opts} | {"--help"}
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    return f"no option {', '.join(sorted(options - known))} of {command.name}" if options - known else ""


def told(named: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{where}: {line}: {wrong}" for where, line in named if (wrong := fault(line))]


def test_an_output_that_nobody_reads_is_no_finding(repository: Path) -> None:
    """`earwitness ledger DIR | head -1` must not end with the code of what was altered."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from grader.cli import main; main()", "validate", str(repository / "questions")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environment, check=False, timeout=300)
    os.close(writer)
    assert done.returncode == 141, done.stderr
    assert b"Traceback" not in done.stderr


def test_every_command_in_the_documents_exists(repository: Path) -> None:
    assert [
        f"{where}: {line}: {wrong}" for where, line in named_in_documents(repository) if (wrong := fault(line))
    ] == []


def test_every_command_that_the_program_prints_exists(repository: Path) -> None:
    named = list(named_in_code(repository))
    assert len(named) > 20
    assert told(named) == []


def test_every_command_in_the_notebook_exists(repository: Path) -> None:
    notebook = json.loads((repository / "docs/earwitness_colab.ipynb").read_text(encoding="utf-8"))
    code = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    called = re.findall(r"earwitness\(\s*(\"[^)]*)\)", code)
    assert len(called) >= 3
    for call in called:
        words = re.findall(r"\"([^\"]*)\"", call)
        assert fault(shlex.join(["earwitness", *words])) == "", call


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("earwitness sensitivities", "no command sensitivities"),
        ("earwitness evidence q01 --fail-on broken", "no option --fail-on of evidence"),
        ("earwitness export qti --nowhere", "no option --nowhere of qti"),
        ("uv run python -m training.pocket_mimi", "no module training.pocket_mimi"),
        ("uv run earwitness key --json", ""),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line: str, wrong: str) -> None:
    assert fault(line) == wrong


def test_every_module_that_the_documents_name_exists(repository: Path) -> None:
    named = re.compile(r"\b(?:basics|audio|evaluators|grader|tools|tests)/[\w/]+\.(?:py|yaml)\b")
    assert [
        f"{path.name}: {name}"
        for path in documents(repository)
        for name in named.findall(path.read_text(encoding="utf-8"))
        if not (repository / name).is_file()
    ] == []


def test_commands_to_be_pasted_stand_on_one_line_quoted() -> None:
    said = io.StringIO()
    steps = next_steps(load_quiz(BUILT_IN_QUIZ), Path("/tmp/somebody's demo of everything [2026]"))
    for words, comment in steps:
        print_command(Console(file=said, width=30), *words, after=comment)
    lines = said.getvalue().splitlines()
    assert [shlex.split(line, comments=True) for line in lines] == [list(map(str, words)) for words, _ in steps]
    assert [wrong for line in lines if (wrong := fault(line))] == []
