"""Write docs/glossary.md from the glossaries of the program and of the built-in quiz."""

from __future__ import annotations

from pathlib import Path

from basics.files import write_whole
from grader.quiz.glossary import as_markdown, glossary
from grader.quiz.loading import BUILT_IN_QUIZ

PAGE = Path(__file__).parents[1] / "docs" / "glossary.md"

if __name__ == "__main__":
    write_whole(PAGE, as_markdown(glossary(BUILT_IN_QUIZ)).encode())
