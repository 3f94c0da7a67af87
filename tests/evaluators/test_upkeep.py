"""A store that is looked after: counted, checked, and rid of what is old."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from evaluators.evidence import digest
from evaluators.store import Store
from evaluators.upkeep import areas, damaged, outdated

Run = Callable[..., subprocess.CompletedProcess[str]]


def filled(root: Path, records: int = 5) -> Store:
    store = Store(root)
    for i in range(records):
        store.keep_record(digest(i), {"values": {"stoi": i / 10}})
    store.blob(digest("sound"), ".flac", lambda path: path.write_bytes(b"sound"))
    return store


def test_what_lies_there_is_counted(tmp_path: Path) -> None:
    found = {area.name: area.files for area in areas(filled(tmp_path))}
    assert (found["records"], found["blobs"]) == (5, 2)


def test_what_was_changed_is_found_set_aside_and_measured_anew(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert list(damaged(store)) == []
    changed, cut = sorted((tmp_path / "records").rglob("*.json"))[:2]
    changed.write_text(changed.read_text().replace('"stoi": 0', '"stoi": 70'))
    cut.write_bytes(cut.read_bytes()[:-9])
    blob = next((tmp_path / "blobs").rglob("*.flac"))
    blob.write_bytes(b"other")
    names = {path.name for path in damaged(store)}
    assert {changed.name, cut.name, blob.name} <= names
    assert store.record(changed.stem) is None
    assert (tmp_path / "damaged" / changed.name).exists()


def test_what_is_old_goes_and_the_rest_stays(tmp_path: Path, earwitness: Run) -> None:
    store = filled(tmp_path)
    old = sorted((tmp_path / "records").rglob("*.json"))[0]
    os.utime(old, (0, 0))
    assert list(outdated(store, 30)) == [old]
    environment = {**os.environ, "EARWITNESS_CACHE": str(tmp_path)}
    only_said = earwitness("store", "prune", "--older-than", 30, "--dry-run", "--json", env=environment)
    assert json.loads(only_said.stdout)["files"] == 1
    assert old.exists()
    assert earwitness("store", "prune", "--older-than", 30, env=environment).returncode == 0
    assert not old.exists()
    assert json.loads(earwitness("store", "size", "--json", env=environment).stdout)["areas"]["records"]["files"] == 4
    assert earwitness("store", "verify", env=environment).returncode == 0


def test_old_lock_files_go_unless_they_are_held(tmp_path: Path) -> None:
    store = filled(tmp_path)
    left = tmp_path / "locks" / "left.lock"
    left.touch()
    with store.lock("held"):
        for path in left.parent.iterdir():
            os.utime(path, (0, 0))
        assert list(outdated(store, 30)) == [left]
