"""What is declared, pinned and written down as tested agrees, and everything that is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from evaluators import packages
from tools import pin

OWN = {"basics", "audio", "evaluators", "grader", "tests", "tools", "training", "questions"}
PROJECT = pin.read_project()
TESTED = packages.tested_versions()


def test_every_floor_is_the_lowest_tested_version() -> None:
    floors = pin.floors(PROJECT)
    assert floors.keys() == TESTED.keys()
    assert [name for name, versions in TESTED.items() if Version(versions[0]) != Version(floors[name])] == []


def test_every_pin_is_a_tested_version_and_every_import_is_pinned(repository: Path) -> None:
    pins = pin.pins(PROJECT)
    assert pin.direct(PROJECT) <= pins.keys()
    assert [name for name in TESTED if pins[name] not in TESTED[name]] == []
    capped = (repository / "constraints.txt").read_text().splitlines()[1:]
    named = dict(line.split("==") for line in capped)
    assert [name for name in TESTED if named[name] not in TESTED[name]] == []


def test_the_group_for_grading_asks_for_what_the_project_asks_for() -> None:
    whole = {str(requirement) for requirement in pin.requirements(PROJECT, ())}
    group = {str(Requirement(line)) for line in PROJECT["dependency-groups"]["grading"]}  # type: ignore[index]
    assert group < whole


def test_overrides_lift_caps_and_raise_no_floor() -> None:
    floors = pin.floors(PROJECT)
    for line in PROJECT["tool"]["uv"]["override-dependencies"]:  # type: ignore[index]
        requirement = Requirement(line)
        (lowest,) = requirement.specifier
        assert lowest.operator == ">="
        assert Version(lowest.version) == Version(floors[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("floor", ["basics", "audio", "evaluators", "grader"])
def test_every_package_that_is_imported_is_declared(repository: Path, floor: str) -> None:
    declared = pin.direct(PROJECT, ())
    undeclared = {
        f"{path.relative_to(repository)} imports {top}"
        for path in (repository / floor).rglob("*.py")
        for top in _imported(path) - OWN - sys.stdlib_module_names
        if packages.IMPORTED_AS.get(top, canonicalize_name(top)) not in declared
    }
    assert undeclared == set()


def _imported(path: Path) -> set[str]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names: set[str] = set()
    for node in tree:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_no_file_names_a_registry(repository: Path) -> None:
    for name in ("pyproject.toml", "constraints.txt", "evaluators/tested.json", ".ci/run"):
        assert not re.search(r"https?://|index-url", (repository / name).read_text(encoding="utf-8")), name
