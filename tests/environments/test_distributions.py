"""Wheel and sdist, installed by plain pip's rules outside the checkout, as somebody else and without a network."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need_program
from tests.environments.conftest import call, environment, versions

UNUSABLE, UNSETTLED, BROKE = 2, 3, 4


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    call("uv", "build", "--quiet", "--out-dir", folder, cwd=checkout)
    return folder


@pytest.fixture(scope="module")
def public() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="earwitness and others ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def installed(built: Path, checkout: Path, public: Path) -> Path:
    """The wheel under moshi's caps, in the versions of `constraints.txt`, with everything it needs."""
    everybodys = Path("/usr/bin/python3.11")  # one in somebody's home cannot be run by others
    programs = environment(public / "venv", str(everybodys) if everybodys.exists() else "3.11")
    (wheel,) = built.glob("*.whl")
    pins = checkout / "constraints.txt"
    call("uv", "pip", "install", "--quiet", "--no-config", "--python", programs / "python", "-c", pins, wheel)
    return programs


def test_neither_holds_what_is_not_the_packages(built: Path, tmp_path: Path) -> None:
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    shutil.unpack_archive(wheel, tmp_path / "wheel", "zip")
    shutil.unpack_archive(sdist, tmp_path / "sdist")
    folders = {path.name for path in (tmp_path / "wheel").iterdir() if not path.name.endswith(".dist-info")}
    assert folders == {"basics", "audio", "evaluators", "grader", "questions"}
    assert (tmp_path / "wheel/evaluators/tested.json").is_file()
    assert list((tmp_path / "sdist").glob("*/tests/test_readme.py"))


def test_the_pinned_capped_versions_are_what_pip_takes(installed: Path, checkout: Path) -> None:
    pins = dict(
        line.split("==") for line in (checkout / "constraints.txt").read_text().splitlines() if not line.startswith("#")
    )
    here = versions(installed)
    assert {"torch", "moshi", "transformers"} <= here.keys() & pins.keys()
    assert [name for name in pins if name in here and here[name].partition("+")[0] != pins[name]] == []


def test_all_of_it_works_as_nobody_from_read_only_folders_without_a_network(installed: Path, public: Path) -> None:
    """HOME and site-packages may not be written, the user owns nothing but the folder it works in."""
    need_program("unshare")
    if os.geteuid() != 0:
        pytest.skip("only root can give up being root")
    place = public / "nobody"
    place.mkdir()
    shutil.chown(place, 65534, 65534)
    home = place / "home"
    home.mkdir(mode=0o555)
    as_nobody = ["unshare", "--net", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    settings = {"HOME": str(home), "EARWITNESS_CACHE": str(place / "store"), "TMPDIR": str(place)}
    program = installed / "earwitness"
    for command, code in (
        (("--version",), 0),
        (("validate",), 0),
        (("key",), UNSETTLED),
        (("demo", "--out", "the demo"), 0),
        (("check", "the demo/answers.yaml", "--accept", "demonstration"), UNSETTLED),
        (("grade", "the demo/class.csv", "--out", "grades", "--accept", "demonstration"), UNSETTLED),
        (("doctor",), 0),
    ):
        done = call(*as_nobody, program, *command, code=code, cwd=place, env=settings)
        assert "Traceback" not in done.stdout + done.stderr, command
    foreign = public / "of another user"
    foreign.mkdir(mode=0o700)
    for store in ("", str(foreign)):
        for command, code in ((("doctor", "--json"), BROKE), (("demo", "--out", "again"), UNUSABLE)):
            closed = {**settings, "EARWITNESS_CACHE": store}
            done = call(*as_nobody, program, *command, code=code, cwd=place, env=closed)
            said = done.stdout + done.stderr
            assert said.count("name a folder of your own in EARWITNESS_CACHE") == 1, said
            assert "Traceback" not in said
        assert not (place / "again").exists(), "what cannot be kept is not begun"
    call(*as_nobody, program, "key", code=UNSETTLED, cwd=place, env={**settings, "EARWITNESS_CACHE": ""})


def test_the_sdist_installs_like_the_wheel(built: Path, tmp_path: Path) -> None:
    programs = environment(tmp_path / "venv", "3.11")
    (sdist,) = built.glob("*.tar.gz")
    call("uv", "pip", "install", "--quiet", "--no-config", "--no-deps", "--python", programs / "python", sdist)
    (wheel,) = built.glob("*.whl")
    other = environment(tmp_path / "other", "3.11")
    call("uv", "pip", "install", "--quiet", "--no-config", "--no-deps", "--python", other / "python", wheel)

    def listing(place: Path) -> set[str]:
        site = next(place.parent.glob("lib/python*/site-packages"))
        return {
            path.relative_to(site).as_posix()
            for name in ("basics", "audio", "evaluators", "grader", "questions")
            for path in (site / name).rglob("*")
            if path.suffix != ".pyc" and path.is_file()
        }

    assert listing(programs) == listing(other)
