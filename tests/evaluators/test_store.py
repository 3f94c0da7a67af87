"""The store: atomic, locked, checked against damage."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from basics.errors import InputError
from basics.files import write_whole
from evaluators.evidence import Evidence, Measurement, Provenance
from evaluators.store import Store


def evidence(fingerprint: str = "a" * 64, value: float = 1.0, source: str = "measured") -> Evidence:
    measurement = Measurement.model_validate({"name": "x.y", "value": value, "source": source})
    provenance = Provenance(earwitness="0", python="3", started=datetime.now(UTC), seconds=0)
    return Evidence(
        evaluator="dice",
        version=1,
        parameters={},
        fingerprint=fingerprint,
        measurements=(measurement,),
        provenance=provenance,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_what_is_put_is_what_is_got(store: Store) -> None:
    assert store.get("a" * 64) is None
    store.put(evidence())
    assert store.get("a" * 64) == evidence().model_copy(update={"provenance": store.get("a" * 64).provenance})  # type: ignore[union-attr]
    assert [e.fingerprint for e in store.latest(evidence().request)] == ["a" * 64]


def test_a_demonstration_does_not_displace_what_was_measured(store: Store) -> None:
    store.put(evidence())
    store.put(evidence("b" * 64, 2.0, "demonstration"))
    found = store.latest(evidence().request)
    assert [(e.fingerprint[0], e.measurements[0].source) for e in found] == [("a", "measured"), ("b", "demonstration")]


@pytest.mark.parametrize("spoil", [lambda t: t[: len(t) // 2], lambda _: "", lambda t: t.replace("a" * 64, "b" * 64)])
def test_a_damaged_entry_is_set_aside_and_counts_as_missing(store: Store, spoil) -> None:  # type: ignore[no-untyped-def]
    path = store.put(evidence())
    path.write_text(spoil(path.read_text()))
    assert store.get("a" * 64) is None
    assert [entry.name for entry in (store.root / "damaged").iterdir()] == [path.name]


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"another picture")])
def test_evidence_whose_artefact_is_gone_or_altered_is_never_handed_out(
    store: Store, spoil: Callable[[Path], object]
) -> None:
    plot = store.blob("f" * 64, ".png", lambda path: write_whole(path, b"a picture"))
    shown = evidence().model_copy(update={"artefacts": (store.artefact("a plot", plot, "image/png"),)})
    path = store.put(shown)
    assert store.get("a" * 64) == shown
    assert store.latest(shown.request) == [shown]
    spoil(plot)
    assert store.latest(shown.request) == []
    assert store.get("a" * 64) is None
    assert (store.root / "damaged" / path.name).is_file(), "set aside, to be measured anew"


def test_a_blob_is_made_once_and_again_when_it_was_damaged(store: Store) -> None:
    made = []

    def produce(path: Path) -> None:
        made.append(path.suffix)
        path.write_bytes(b"codes")

    first = store.blob("c" * 64, ".npz", produce)
    assert store.blob("c" * 64, ".npz", produce) == first
    assert made == [".npz"]
    first.write_bytes(b"cod")
    assert store.blob("c" * 64, ".npz", produce).read_bytes() == b"codes"
    assert len(made) == 2


def test_a_failing_producer_leaves_nothing_behind(store: Store) -> None:
    def produce(path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        store.blob("d" * 64, ".npz", produce)
    assert [path for path in store.root.rglob("*") if path.is_file() and "lock" not in path.name] == []


def _append(root: Path, log: Path) -> None:
    def produce(path: Path) -> None:
        with log.open("a") as file:
            file.write("made\n")
        path.write_bytes(b"x")

    Store(root).blob("e" * 64, ".bin", produce)


def test_two_processes_make_a_blob_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append, args=(tmp_path / "s", log)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert log.read_text() == "made\n"


def test_a_lock_lets_one_in_at_a_time_and_leaves_no_file(store: Store) -> None:
    counted = store.root / "counted"
    counted.write_text("0")

    def count(_: int) -> None:
        for _ in range(10):
            with store.lock("e" * 64):
                counted.write_text(str(int(counted.read_text()) + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    store.blob("f" * 64, ".bin", Path.touch)
    with store.alone_with("a request"):
        pass
    assert counted.read_text() == "40"
    assert list((store.root / "locks").iterdir()) == []


def test_a_store_without_folders_by_first_digits_goes_on(store: Store) -> None:
    store.put(evidence())
    for path in [path for area in ("evidence", "latest") for path in (store.root / area).rglob("*.*")]:
        path.rename(path.parents[1] / path.name)
        path.parent.rmdir()
    kept = store.get("a" * 64)
    assert kept is not None
    assert store.latest(kept.request) == [kept]
    again = evidence(value=2.0)
    assert store.put(again).parent == store.root / "evidence"
    assert store.get("a" * 64) == again
    store.put(evidence("b" * 64, 3.0))
    assert [e.fingerprint[0] for e in store.latest(kept.request)] == ["b"]


def test_what_is_written_replaces_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.csv"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_store_that_cannot_be_used_is_told_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="name a folder of your own in EARWITNESS_CACHE"):
        Store(tmp_path / "file")
    (tmp_path / "locks").write_text("")
    for use in (Store(tmp_path).require_writable, lambda: Store(tmp_path).blob("0" * 64, ".txt", Path.touch)):
        with pytest.raises(InputError, match=r"cannot be written .*\n.*EARWITNESS_CACHE"):
            use()
