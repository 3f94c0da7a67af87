"""Test the project in another world than the pinned one: `python -m tools.worlds lowest|newest|pinned [--python 3.12]`.

- `pinned`: the versions of `[tool.uv] constraint-dependencies`. Red: do not land.
- `lowest`: the lowest that `[project] dependencies` admits, under moshi's own caps, as an old pip environment may hold
  them. Red: do not land.
- `newest`: the newest of everything, moshi's caps overridden. Red: something moved; a warning names what.

A world is a virtual environment of its own in a temporary folder (or `--keep FOLDER`), in which the codec's contract,
the parity of the metrics, the released moshi, the command line, pytest's plugin and the README's commands are tested.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.pin import ROOT, pins, read_project

OF_ANY_WORLD = (
    "tests/test_readme.py",  # the longest first, so that no worker waits for it at the end
    "tests/audio/test_metrics.py",
    "tests/audio/test_pitch.py",
    "tests/grader/test_cli.py",
    "tests/grader/test_faults.py",
    "tests/grader/test_pytest_plugin.py",
)
OF_OTHER_VERSIONS = (
    "tests/audio/test_codec.py",
    "tests/audio/test_codecs.py",
    "tests/audio/test_pocket_mimi.py",
    "tests/test_kernels.py",
    "tests/evaluators/test_moshi_model.py",
    "tests/evaluators/test_layer_separation.py",
)
"""Not run in the pinned world, whose versions are those that the whole suite passes with: its interpreter differs."""
TOOLS = ("pytest-xdist", "hypothesis", "jsonschema", "nbformat", "nbclient", "selenium")


def main() -> int:
    """Build the world, run the tests in it; the exit code is pytest's, and 0 for a red newest world."""
    parser = argparse.ArgumentParser(description="Test the project in another world.")
    parser.add_argument("world", choices=("pinned", "lowest", "newest"))
    parser.add_argument("--python", default="3.11", help="version or path of the interpreter")
    parser.add_argument("--keep", type=Path, help="folder for the environment, kept and used again")
    asked = parser.parse_args()
    name = f"{asked.world} on Python {asked.python}"
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch) / "world"
        code = build(asked.world, asked.python, folder) or run_tests(asked.world, folder)
        moved = changed(folder)
    if code:
        print(f"\n{'WARNING' if asked.world == 'newest' else 'FAILED'}: the tests fail in the world `{name}`.")
        print("Versions that are not the pinned ones: " + (", ".join(moved) or "none"))
    return 0 if asked.world == "newest" else code


def build(world: str, python: str, folder: Path) -> int:
    """Make the virtual environment and install the project and what its tests need."""
    interpreter = folder / "bin/python"
    if not interpreter.exists() and (code := call("uv", "venv", "--quiet", "--python", python, folder)):
        return code
    with tempfile.TemporaryDirectory() as scratch:
        overrides = Path(scratch) / "overrides.txt"
        overrides.write_text("\n".join(read_project()["tool"]["uv"]["override-dependencies"]))  # type: ignore[index]
        options = {
            "pinned": [],
            "lowest": ["--no-config", "--resolution", "lowest-direct"],
            "newest": ["--no-config", "--upgrade", "--overrides", overrides],
        }[world]
        install = ["uv", "pip", "install", "--quiet", "--python", interpreter]
        return call(*install, *options, "--editable", ROOT) or call(*install, *options[:1], *TOOLS)


def run_tests(world: str, folder: Path) -> int:
    """The tests that a world has to pass, in its environment."""
    tests = OF_ANY_WORLD if world == "pinned" else (*OF_ANY_WORLD, *OF_OTHER_VERSIONS)
    own = {"EARWITNESS_CACHE": str(folder / "store"), "PYTHONPATH": ""}
    spread = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
    return call(folder / "bin/python", "-m", "pytest", "-q", *spread, *tests, **own)


def changed(folder: Path) -> list[str]:
    """What is installed in other versions than the pinned ones."""
    done = subprocess.run(
        ["uv", "pip", "list", "--python", folder / "bin/python", "--format", "json"], capture_output=True, check=False
    )
    installed = {entry["name"]: entry["version"].partition("+")[0] for entry in json.loads(done.stdout or "[]")}
    pinned = pins(read_project())
    return [
        f"{name} {installed[name]} (pinned: {pinned[name]})"
        for name in pinned
        if installed.get(name) not in (None, pinned[name])
    ]


def call(*command: str | Path, **environment: str) -> int:
    """Run a command in the checkout and pass on what it prints."""
    print("+", *command, flush=True)
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode


if __name__ == "__main__":
    if not shutil.which("uv"):
        sys.exit("tools.worlds needs uv: pip install uv")
    sys.exit(main())
