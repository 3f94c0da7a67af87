"""Write down the versions that the project is tested with: `python -m tools.pin` resolves, writes three files, and says
what moved.

- `pyproject.toml`, `constraint-dependencies`, for `uv run` and `uv sync`: the newest of everything that is imported
  directly and of what moves numbers.
- `constraints.txt`, for `pip install -c constraints.txt .`: the same under moshi's own caps, which pip obeys.
- `evaluators/tested.json`, for `earwitness doctor` and messages: the lowest, the capped and the newest of each.

Review the difference and let continuous integration run before it lands. No file names a registry.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.11"  # the oldest: what is installed there can be installed on the newer ones
MOVES_NUMBERS = ("llvmlite", "pynndescent", "tokenizers", "audioread", "einops", "sentencepiece", "sphn")
HELD = {"torch": "<2.14"}  # the newest of which the machines that run the tests have a build without CUDA
BLOCK = re.compile(r"^constraint-dependencies = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL)
Versions = dict[str, str]


def main() -> None:
    """Resolve, write, and tell what moved."""
    project = read_project()
    wanted = direct(project) | set(MOVES_NUMBERS)
    newest = chosen(resolve(overridden=True), wanted)
    capped = chosen(resolve(overridden=False), direct(project, groups=()) | set(MOVES_NUMBERS))
    lowest = floors(project)
    before = pins(project)
    write_pins(newest)
    (ROOT / "constraints.txt").write_text(
        "# What `pip install -c constraints.txt .` takes, under moshi's caps; written by `python -m tools.pin`.\n"
        + "".join(f"{name}=={version}\n" for name, version in sorted(capped.items()))
    )
    (ROOT / "evaluators/tested.json").write_text(json.dumps(tested(lowest, capped, newest), indent=1) + "\n")
    for name in sorted(newest.keys() | before.keys()):
        if before.get(name) != newest.get(name):
            print(f"{name} {before.get(name, 'new')} -> {newest.get(name, 'gone')}")


def read_project() -> dict[str, object]:
    """`pyproject.toml`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(project: Mapping[str, object], groups: Iterable[str] = ("dev",)) -> list[Requirement]:
    """What the project and its dependency groups ask for."""
    lines = [*project["project"]["dependencies"]]  # type: ignore[index]
    for group in groups:
        lines += project["dependency-groups"][group]  # type: ignore[index]
    return [Requirement(line) for line in lines]


def direct(project: Mapping[str, object], groups: Iterable[str] = ("dev",)) -> set[str]:
    """Names of what is imported directly, the extras included."""
    extras = project["project"].get("optional-dependencies", {})  # type: ignore[attr-defined]
    named = [*requirements(project, groups), *(Requirement(line) for lines in extras.values() for line in lines)]
    return {canonicalize_name(requirement.name) for requirement in named}


def floors(project: Mapping[str, object]) -> Versions:
    """The lowest version that the project asks for, by name."""
    return {
        canonicalize_name(requirement.name): specifier.version
        for requirement in requirements(project, ())
        for specifier in requirement.specifier
        if specifier.operator in (">=", "==")
    }


def pins(project: Mapping[str, object]) -> Versions:
    """The versions that `constraint-dependencies` pins now."""
    lines = project["tool"]["uv"].get("constraint-dependencies", [])  # type: ignore[index]
    return dict(line.split("==") for line in lines)


def resolve(*, overridden: bool) -> Versions:
    """The newest versions that fit together; with the overrides of `[tool.uv]`, or as pip sees the project."""
    text = BLOCK.sub("", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if not overridden:
        text = re.sub(r"^override-dependencies = \[\n.*?^\]\n", "", text, flags=re.MULTILINE | re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text(text, encoding="utf-8")
        held = Path(folder) / "held.txt"
        held.write_text("".join(f"{name}{versions}\n" for name, versions in HELD.items()))
        command = ["uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--python-version", PYTHON]
        command += ["--constraints", "held.txt", "--all-extras", "pyproject.toml"]
        command += ["--group", "dev"] if overridden else []
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found = (Requirement(line) for line in done.stdout.splitlines())
    return {canonicalize_name(r.name): next(iter(r.specifier)).version.partition("+")[0] for r in found}


def chosen(resolved: Versions, names: set[str]) -> Versions:
    """What of a resolution is written down."""
    return {name: version for name, version in resolved.items() if name in names}


def write_pins(versions: Versions) -> None:
    """Replace the block of constraints in `pyproject.toml`."""
    path = ROOT / "pyproject.toml"
    lines = "".join(f'    "{name}=={version}",\n' for name, version in sorted(versions.items()))
    block = f"constraint-dependencies = [\n{lines}]\n"
    text, replaced = BLOCK.subn(lambda _: block, path.read_text(encoding="utf-8"))
    if not replaced:
        sys.exit("pyproject.toml has no constraint-dependencies to replace")
    path.write_text(text, encoding="utf-8")


def tested(*worlds: Versions) -> dict[str, list[str]]:
    """The versions of all worlds, oldest first, of every package that the project itself imports."""
    found = {name: {Version(world[name]): world[name] for world in worlds if name in world} for name in worlds[0]}
    return {name: [versions[version] for version in sorted(versions)] for name, versions in sorted(found.items())}


if __name__ == "__main__":
    main()
