"""A comparison on a real Dask cluster: the same numbers, workers replaced, versions compared, open to nobody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from basics.errors import InputError
from evaluators.comparison import cluster, running
from evaluators.comparison.sources import read_sources
from evaluators.store import Store
from tests.conftest import need_program

pytest.importorskip("distributed", reason="needs the extra `cluster`")


@pytest.fixture(scope="module")
def clips(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    sound, rate = soundfile.read(repository / "audio/clips/English_speech.flac", dtype="float32")
    for i in range(8):
        soundfile.write(folder / f"{i}.wav", sound[i * rate // 4 : (i + 4) * rate // 4], rate)
    return folder


def test_a_cluster_gives_the_same_numbers_though_a_worker_is_killed(clips: Path, tmp_path: Path) -> None:
    import psutil

    need_program("ffmpeg")
    sources, codecs = read_sources(clips), running.open_codecs(["opus@12,32", "mp3@16"], "cpu")
    metrics = ("stoi", "log_mel_distance")
    killed: list[int] = []
    open_to: set[str] = set()

    def kill_one(_: str, __: float) -> None:
        below = psutil.Process().children(recursive=True)
        workers = [one for one in below if "spawn_main" in " ".join(one.cmdline())]
        open_to.update(
            c.laddr.ip
            for one in [psutil.Process(), *workers]
            for c in one.net_connections("tcp")
            if c.status == "LISTEN"
        )
        if not killed:
            killed.append(workers[0].pid)
            workers[0].kill()

    there = running.compare(
        sources,
        codecs,
        metrics,
        Store(tmp_path / "there"),
        kill_one,
        cluster=cluster.on_cluster("local:2", codecs, "cpu"),
    )
    here = running.compare(sources, codecs, metrics, Store(tmp_path / "here"), lambda _, __: None)
    assert killed
    assert there.lost == 0, there.reasons
    for metric in metrics:
        np.testing.assert_array_equal(there.values[metric], here.values[metric])
    assert open_to == {"127.0.0.1"}


def test_workers_of_other_versions_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    codecs = running.Codecs((), {})
    monkeypatch.setattr(cluster, "COMPARED", (*cluster.COMPARED, "pytest"))  # known here, and not to the worker
    with (
        pytest.raises(InputError, match=r"worker tcp://127.0.0.1:\d+: has pytest None \(here "),
        cluster.on_cluster("local:1", codecs, "cpu"),
    ):
        pass


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("local:0", "is no address of a scheduler"),
        ("somewhere", r"write tcp://HOST:PORT, tls://HOST:PORT or local:N"),
        ("tcp://127.0.0.1:9", "no scheduler with workers answers there"),
    ],
)
def test_a_cluster_that_is_not_there_is_said(address: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)
    with pytest.raises(InputError, match=message), cluster.on_cluster(address, running.Codecs((), {}), "cpu"):
        pass
