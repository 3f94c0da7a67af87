"""The notebook for Colab runs from top to bottom, on built-in sound and the pocket codec."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

import audio
from tests.browser.conftest import small_corpus

CODEC = "EARWITNESS_NOTEBOOK_CODEC"
"""A hub id or a folder to execute the notebook with; the pocket codec unless it is set."""
POCKET = Path(audio.__file__).parent / "pocket_mimi"


def pocket_codec() -> str:
    if chosen := os.environ.get(CODEC):
        return chosen
    if not (POCKET / "model.safetensors").is_file():
        pytest.skip("needs the pocket codec in audio/pocket_mimi")
    return str(POCKET)


@pytest.fixture(scope="module")
def executed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[NotebookNode, Path]:
    """The notebook after a run in an empty folder, and that folder."""
    folder = tmp_path_factory.mktemp("notebook")
    settings = {
        "EARWITNESS_CACHE": str(folder / "store"),
        CODEC: pocket_codec(),
        "EARWITNESS_NOTEBOOK_QUIZ": str(repository / "tests/browser/quiz"),
        "EARWITNESS_NOTEBOOK_QUESTIONS": "listening maps facts",
        "EARWITNESS_NOTEBOOK_CORPUS": str(small_corpus(folder / "corpus")),
    }
    notebook = nbformat.read(repository / "docs/earwitness_colab.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        client.execute()
    return notebook, folder


def outputs(notebook: NotebookNode, kind: str) -> list[str]:
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if kind in output.get("data", {})
    ]


def printed(notebook: NotebookNode) -> str:
    return "".join(o["text"] for c in notebook.cells for o in c.get("outputs", ()) if o["output_type"] == "stream")


def test_shows_plots_and_players_inline_and_marks_them(executed: tuple[NotebookNode, Path]) -> None:
    notebook, _ = executed
    assert len(outputs(notebook, "image/png")) >= 4
    assert sum("<audio" in html for html in outputs(notebook, "text/html")) >= 4
    titles = [text for text in outputs(notebook, "text/markdown") if "codebooks" in text]
    assert titles
    assert all("DEMONSTRATION" in title for title in titles)


def test_ends_with_a_report_that_stands_in_the_notebook(executed: tuple[NotebookNode, Path]) -> None:
    notebook, folder = executed
    assert "data-player" in (folder / "report.html").read_text(encoding="utf-8")
    assert any("<iframe" in html and "data-player" in html for html in outputs(notebook, "text/html"))


def test_records_no_demonstration_evidence(executed: tuple[NotebookNode, Path]) -> None:
    notebook, folder = executed
    assert "demonstration evidence is not recorded" in printed(notebook)
    assert not (folder / "questions/evidence").exists()


def test_is_kept_without_outputs(repository: Path) -> None:
    notebook = nbformat.read(repository / "docs/earwitness_colab.ipynb", as_version=4)
    assert not [cell.id for cell in notebook.cells if cell.get("outputs")]
