"""The examples and the tutorial, as a newcomer goes through them: every command, in order, in a folder of one's own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from evaluators.store import Store
from grader.quiz.loading import load_quiz
from grader.verdicts.record import read_records
from grader.verdicts.testimony import Gatherer
from tests.newcomer import OF_SOUND, follow, go_through, shown
from tests.test_readme import commands

EXAMPLES = {"statistics": ("coverage", "B"), "algorithms": ("counted", "C"), "lab": ("gravity", "B")}
NEEDS = {"algorithms": ("jmespath",), "lab": ("nbclient", "ipykernel")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_command_about_an_example_works_and_speaks_of_no_sound(
    repository: Path, tmp_path: Path, name: str
) -> None:
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module)
    shutil.copytree(repository / "examples" / name, tmp_path / name)
    question, letter = EXAMPLES[name]
    lines = list(commands((repository / "examples/README.md").read_text(encoding="utf-8")))
    assert len(lines) == 7
    if name != "statistics":
        lines = [line for line in lines if not line.startswith("pytest")]  # the same for every quiz, and slow to start
    mine = [line.replace("coverage B", f"{question} {letter}").replace("statistics", name) for line in lines]
    said = go_through(mine, tmp_path)
    assert not [line for line, text in said.items() if OF_SOUND.search(text)]
    key = next(text for line, text in said.items() if line.startswith("earwitness key"))
    assert re.search(r"(\d) of \1 questions settled", key)
    assert "30 students" in next(text for line, text in said.items() if line.startswith("earwitness grade"))
    assert not OF_SOUND.search(shown(tmp_path / "report.html"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_of_record_is_what_comes_out_anew(repository: Path, tmp_path: Path, name: str) -> None:
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module)
    book = load_quiz(repository / "examples" / name)
    gatherer = Gatherer(book, book.quiz.accept, book.site, Store(tmp_path), "refresh")
    fresh = [result.evidence for result in gatherer.results(book.questions, lambda *_: None)]
    record = {evidence.request: evidence for evidence in read_records(book.folder)}
    assert len(fresh) == len(record)
    for evidence in fresh:
        assert evidence is not None
        assert evidence.measurements == record[evidence.request].measurements


def test_every_command_of_the_tutorial_works(repository: Path, tmp_path: Path) -> None:
    said = follow((repository / "docs/tutorial.md").read_text(encoding="utf-8"), tmp_path)
    keys = [text for line, text in said.items() if line.startswith("earwitness key")]
    assert "3 of 3 questions settled" in keys[-1]
    assert (tmp_path / "sheet.html").is_file()
    assert (tmp_path / "report.html").is_file()


@pytest.mark.parametrize("who", ["ta", "student"])
def test_every_command_of_the_tutorials_says_what_is_shown(repository: Path, tmp_path: Path, who: str) -> None:
    said = follow((repository / f"docs/tutorial_{who}.md").read_text(encoding="utf-8"), tmp_path)
    assert not OF_SOUND.search("\n".join(said.values()))


def test_every_message_of_the_tutorial_for_an_evaluators_author_is_real(repository: Path, tmp_path: Path) -> None:
    whole, mistakes = (repository / "docs/tutorial_evaluator.md").read_text(encoding="utf-8").split("## 3. Mistakes")
    metadata = tmp_path / "dice/course_dice-0.1.dist-info"  # what `pip install -e dice` makes of its pyproject.toml
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: course-dice\nVersion: 0.1\n")
    (metadata / "entry_points.txt").write_text("[earwitness.evaluators]\nthrows = course_dice:Throws\n")
    follow(whole, tmp_path, apart=True, path=[tmp_path / "dice"])
    code = tmp_path / "dice/course_dice.py"
    code.write_text(code.read_text().replace("value=mean,", "value=mean * 10,"))
    follow(
        f"```sh\nearwitness try mean --quiz course  # ends with 4\n```{mistakes}",
        tmp_path,
        apart=True,
        path=[tmp_path / "dice"],
    )


def test_every_request_that_the_documents_show_is_one(repository: Path, tmp_path: Path) -> None:
    """The requests at the top of docs/evidence.md, in a quiz of their own."""
    pytest.importorskip("jmespath")
    text = (repository / "docs/evidence.md").read_text(encoding="utf-8")
    shown = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)[0]
    for name in ("evidence.py", "lab.ipynb", "bench.csv", "count.py", "text.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "facts.yaml").write_text("year:\n  value: 1960\n  locator: somewhere, page 1\n  checked: read\n")
    head = "id: a\ntitle: A\npoints: 1\nchoose: one\nprompt: '?'\n"
    claim = "{all: [{above: [small.power, 0]}, {above: [median, 0]}, {above: [quick, 0]}, {greater: [total, year]}]}"
    options = f"options:\n  A: {{text: a, claim: {claim}}}\n  B: {{text: b, claim: {{not: {claim}}}}}\n"
    (tmp_path / "a.yaml").write_text(head + shown + options)
    (tmp_path / "quiz.yaml").write_text(
        "id: q\ntitle: Q\ntotal: 1\ndeadline: 2026-03-01T12:00:00Z\nquestions: [a.yaml]\n"
    )
    (question,) = load_quiz(tmp_path).questions
    assert [request.evaluator for request in question.evidence] == ["python", "notebook", "table", "command", "facts"]
