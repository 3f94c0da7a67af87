"""Commands as the program prints them: quoted for the shell, and naming the quiz wherever it is not the default one."""

from __future__ import annotations

import shlex
from pathlib import Path

from basics.files import real_path
from grader.quiz.loading import find_quiz


def command(folder: Path, *words: object) -> str:
    """`earwitness …` about the quiz in `folder`, to be pasted into a shell."""
    return about_run(*words, *naming(folder))


def about_run(*words: object) -> str:
    """The same about a run, which knows its quiz, or about a folder that stands among the words."""
    return shlex.join(map(str, ("earwitness", *words)))


def naming(folder: Path) -> tuple[object, ...]:
    """`--quiz FOLDER`; nothing where a command finds that quiz by itself."""
    return () if real_path(folder) == real_path(find_quiz(None)) else ("--quiz", folder)


def published(folder: Path) -> Path:
    """The quiz's folder as people elsewhere have it: its name, not where the staff keeps it."""
    return Path(real_path(folder).name) if naming(folder) else folder
