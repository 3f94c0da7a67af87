"""A hook of MkDocs: the pages of the site that are made from the program and the README, and links that leave docs/."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")
API = """# API

What an evaluator of your own returns ([how to write one](evaluators.md)).

::: evaluators.evidence
"""


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that no file holds."""
    from mkdocs.structure.files import File

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    made = {"index.md": readme.replace("](docs/", "]("), "commands.md": commands(), "api.md": API}
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001 - called by name
    """Links to files that are not on the site are told as paths in the repository."""
    folder = Path(page.file.src_uri).parent

    def kept(link: re.Match[str]) -> str:
        target = os.path.normpath(folder / link[1])
        return link[0] if files.get_file_from_path(target) else f"] ({target})"

    return LINK.sub(kept, markdown).replace("<![", "&lt;![")  # a regular expression, and no SGML


def commands() -> str:
    """The help of every command, as the program prints it at 80 columns."""
    told = (f"## {' '.join(words)}\n\n```text\n{text}\n```\n" for words, text in helps())
    return "\n".join(["# Commands\n\nEach as `--help` shows it.\n", *told])


def helps() -> Iterator[tuple[list[str], str]]:
    """(words of a command, its help), for the program itself and every command of it."""
    os.environ |= {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1"}  # read when typer is imported
    import typer
    from typer.testing import CliRunner

    from grader.cli import app

    def walk(command: Any, words: list[str]) -> Iterator[list[str]]:
        yield words
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, [*words, name])

    for words in walk(typer.main.get_command(app), ["earwitness"]):
        shown = CliRunner().invoke(app, [*words[1:], "--help"], prog_name="earwitness")
        yield words, "\n".join(line.rstrip() for line in shown.output.strip().splitlines())
