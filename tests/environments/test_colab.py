"""The notebook in an environment like Colab's: torch and its like are there, and stay as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.browser.conftest import small_corpus
from tests.environments.conftest import call, environment, versions

PREINSTALLED = ("torch==2.13.0", "torchvision==0.28.0", "torchaudio", "transformers", "ipykernel", "pandas")
KEPT = ("torch", "torchvision", "torchaudio", "transformers", "numpy", "huggingface-hub", "pandas", "safetensors")
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python 3.12 with pip, torch, torchvision, torchaudio, transformers, and what runs a notebook."""
    programs = environment(tmp_path_factory.mktemp("colab") / "venv", "3.12", "--seed")
    call("uv", "pip", "install", "--quiet", "--no-config", "--python", programs / "python", *PREINSTALLED)
    call("uv", "pip", "install", "--quiet", "--no-config", "--python", programs / "python", "nbclient", "nbformat")
    return programs


def test_the_notebook_installs_what_is_missing_changes_nothing_and_runs(
    colab: Path, checkout: Path, tmp_path: Path
) -> None:
    before = versions(colab)
    settings = {
        "EARWITNESS_CACHE": str(tmp_path / "store"),
        "EARWITNESS_NOTEBOOK_PACKAGE": str(checkout),
        "EARWITNESS_NOTEBOOK_CODEC": str(checkout / "audio/pocket_mimi"),
        "EARWITNESS_NOTEBOOK_QUIZ": str(checkout / "tests/browser/quiz"),
        "EARWITNESS_NOTEBOOK_QUESTIONS": "listening maps facts",
        "EARWITNESS_NOTEBOOK_CORPUS": str(small_corpus(tmp_path / "corpus")),
    }
    executed = tmp_path / "executed.ipynb"
    notebook = checkout / "docs/earwitness_colab.ipynb"
    call(colab / "python", "-c", EXECUTE, notebook, executed, cwd=tmp_path, env=settings)
    after = versions(colab)
    assert {name: after[name] for name in before} == before
    assert {*KEPT} <= before.keys()
    assert {"earwitness", "moshi", "umap-learn", "pesq"} <= after.keys()
    assert "bitsandbytes" not in after, "moshi's models do without it"
    call(colab / "python", "-c", "import torchvision; from transformers import MimiModel")
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    shown = [output for cell in cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in shown) >= 4
    printed = "".join("".join(output.get("text", "")) for output in shown)
    assert "built-in codec runs (transformers" in re.sub(r"\x1b\[[0-9;]*m", "", printed)
