"""Folders whose files change together: all or nothing, one writer at a time, and what a kill leaves is finished."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from basics import folders
from basics.errors import InputError
from basics.folders import LOCK, WRITING, Stage, alone, settle, staging


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOCK
    }


def stage_all(stage: Stage, text: str) -> None:
    stage.file("file").write_text(text)
    stage.file("deep/kept/file").write_text(text)
    stage.folder("whole").mkdir()
    (stage.folder("whole") / text).write_text(text)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with something of its own, and a first version of what changes together."""
    folder = tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/own").write_text("own")
    (folder / "stale").write_text("old")
    with staging(folder) as stage:
        stage_all(stage, "old")
        stage.commit()
    return folder


OLD = {"deep/own": "own", "stale": "old", "file": "old", "deep/kept/file": "old", "whole/old": "old"}
NEW = {"deep/own": "own", "file": "new", "deep/kept/file": "new", "whole/new": "new"}


def test_what_is_committed_is_there_and_what_is_not_ours_stays(out: Path) -> None:
    assert contents(out) == OLD
    with staging(out) as stage:
        stage_all(stage, "new")
        stage.drop("stale")
        assert {name: text for name, text in contents(out).items() if not name.startswith(".")} == OLD
        stage.commit()
    assert contents(out) == NEW


def no() -> None:
    raise ValueError("no")


def refused(folder: Path, *, late: bool) -> None:
    """Stage everything, and raise before the commit or in what prepares it."""
    with staging(folder) as stage:
        stage_all(stage, "new")
        if late:
            stage.commit(no)
        no()


@pytest.mark.parametrize("late", [False, True])
def test_who_is_refused_leaves_nothing(out: Path, tmp_path: Path, late: bool) -> None:
    with pytest.raises(ValueError, match="no"):
        refused(out, late=late)
    assert contents(out) == OLD
    with pytest.raises(ValueError, match="no"):
        refused(tmp_path / "far/deep", late=late)
    assert not (tmp_path / "far").exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="is a file, expected a folder"), staging(tmp_path / "out"):
        pass


WRITER = """
import os, signal, sys
from pathlib import Path
from basics.folders import staging

left, rename = int(sys.argv[2]), Path.replace

def dying(source, target):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(source, target)

Path.replace = dying
with staging(Path(sys.argv[1])) as stage:
    stage.file("file").write_text("new")
    stage.file("deep/kept/file").write_text("new")
    stage.folder("whole").mkdir()
    (stage.folder("whole") / "new").write_text("new")
    stage.drop("stale")
    stage.commit()
"""


def test_a_writer_killed_before_any_of_its_renames_leaves_the_old_or_the_new(out: Path, tmp_path: Path) -> None:
    seen = []
    for moment in range(1, 100):
        copy = tmp_path / f"copy{moment}"
        shutil.copytree(out, copy)
        ended = subprocess.run([sys.executable, "-c", WRITER, str(copy), str(moment)], check=False)
        settle(copy)
        seen.append({name: text for name, text in contents(copy).items() if not name.startswith(WRITING)})
        with staging(copy) as stage:
            stage.commit()
        assert contents(copy) == seen[-1], "nothing that was left lying about stays"
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
    assert seen[0] == OLD
    assert seen[1:] == [NEW] * len(seen[1:])
    assert len(seen) >= 7


def test_writers_take_turns_and_a_lock_held_too_long_is_one_message(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "PATIENCE", 0.1)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with alone(out):
            held.set()
            done.wait()

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    try:
        with pytest.raises(InputError, match="another run has been writing here for 0 seconds"), staging(out):
            pass
    finally:
        done.set()
        other.join()
    assert contents(out) == OLD


def test_a_living_stage_is_never_swept(out: Path) -> None:
    with staging(out) as first:
        stage_all(first, "first")
        with staging(out) as second:
            stage_all(second, "second")
            second.commit()
        first.commit()
    assert contents(out)["file"] == "first"
