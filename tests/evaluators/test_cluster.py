"""Work on a real Dask cluster: the same numbers, workers replaced, versions compared, open to nobody else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audio.codec import Audio, Codes, load_codec
from audio.metrics.engine import measure_pairs
from basics.errors import InputError, MachineFault, Problem
from basics.messages import say
from basics.workers import ROOT, Pool, anyone, as_completed, shared_pool
from evaluators import cluster, codecs
from evaluators.comparison import running
from evaluators.comparison.sources import read_sources
from evaluators.layer_separation.parameters import Parameters
from evaluators.layer_separation.selection import Cells
from evaluators.layer_separation.separation import Separation, Vectors, separate
from evaluators.store import Store
from grader.report.comparison import write_page
from tests.checkpoints import random_checkpoint
from tests.conftest import need_program

RATE = 16_000
COMMIT = "0123456789" * 4

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
    sources, metrics = read_sources(clips), ("stoi", "log_mel_distance")
    killed: list[int] = []
    open_to: set[str] = set()

    def kill_one(_: str, __: float) -> None:
        if killed:
            return
        below = psutil.Process().children()
        workers = [one for one in below if "spawn_main" in " ".join(one.cmdline())]
        if not workers:  # the cluster is not there yet
            return
        sockets = [c for one in [psutil.Process(), *workers] for c in one.net_connections("tcp")]
        open_to.update(c.laddr.ip for c in sockets if c.status == "LISTEN")
        killed.append(workers[0].pid)
        workers[0].kill()

    def found(place: str, address: str | None, report: running.Report) -> running.Comparison:
        with running.crew_for(address, metrics) as crew:
            wanted = running.open_codecs(["opus@12,32", "mp3@16"], "cpu", crew)
            return running.compare(sources, wanted, metrics, Store(tmp_path / place), report, crew=crew)

    there, here = found("there", "local:2", kill_one), found("here", None, lambda _, __: None)
    assert killed
    assert there.lost == 0, there.reasons
    for metric in metrics:
        np.testing.assert_array_equal(there.values[metric], here.values[metric])
    assert open_to == {"127.0.0.1"}


def length(_: Pool, content: bytes) -> int:
    return len(content)


def who(_: Pool) -> int:
    return os.getpid()


def refuse(_: Pool) -> None:
    raise InputError(Problem("clip.wav", say("is no sound"), say("name another")))


def codecs_here(_: Pool) -> int:
    return shared_pool(1).call(len_of_codecs)


def len_of_codecs() -> int:
    return len(codecs._codecs)


def test_layers_pairs_and_codecs_are_worked_on_elsewhere_alike_and_nothing_is_held_of_them(tmp_path: Path) -> None:
    import psutil

    generator = np.random.default_rng(0)
    np.save(tmp_path / "vectors.npy", generator.normal(size=(40, 2, 16)).astype(np.float32))
    vectors = Vectors(tmp_path / "vectors.npy", "made here")
    cells = Cells.of(["happy", "sad"] * 20, [f"speaker {i // 4}" for i in range(40)])
    about: dict[str, Any] = {"emotions": ("happy", "sad"), "pair": ("happy", "sad"), "n_neighbors": 5}
    parameters = Parameters(codebooks=2, layers=(0, 1), differences=((0, 1),), pair_differences=((0, 1),), **about)
    sounds = generator.normal(size=(3, 2, RATE))
    pairs = [(sound[0], sound[0] + sound[1] / 10) for sound in sounds]
    pocket = load_codec("pocket", device="cpu")
    signals = [sound[0].astype(np.float32) / 10 for sound in sounds]
    asked: dict[str, Any] = {"sample_rate": RATE, "metrics": ["stoi", "pesq_wb", "si_sdr"]}

    def found(place: str) -> tuple[Separation, list[Any], list[Codes], list[Audio]]:
        store = tmp_path / place
        apart = separate(vectors, cells, parameters, store=store, jobs=2, progress=lambda _, __: None)
        codes = codecs.encode(pocket, signals, 4)
        return apart, measure_pairs(pairs, **asked), codes, codecs.decode(pocket, [*codes, codes[0][:2]])

    with cluster.working_on("local:2"):
        there, measured, *coded = found("there")
        assert codecs.at_once() >= codecs.AT_ONCE
        changed = load_codec("pocket", device="cpu")
        changed.identity = ("0" * 64, None)
        with pytest.raises(MachineFault, match="is not the codec that the work began with"):
            codecs.encode(changed, signals, 4)
        with anyone() as crew:
            assert crew.submit(who).result() not in (os.getpid(), *(worker.pid for worker in shared_pool(0).workers))
            assert crew.submit(codecs_here).result() == 1
            with pytest.raises(InputError, match="is no sound"):
                crew.submit(refuse).result()
            assert isinstance(crew, cluster.Cluster)
            joined_later = replace(crew, versions={**crew.versions, "pesq": "0.0"})
            with pytest.raises(InputError, match=r"has pesq \S+ \(here 0.0\)"):
                joined_later.submit(who).result()
            before = psutil.Process().memory_info().rss
            contents = ((i, partial(length, content=os.urandom(600_000))) for i in range(300))
            assert [future.result() for _, future in as_completed(contents, crew)] == [600_000] * 300
            assert psutil.Process().memory_info().rss - before < 60 << 20
    here, expected, *coded_here = found("here")
    assert measured == expected
    for theirs, ours in zip(coded, coded_here, strict=True):
        for one, other in zip(theirs, ours, strict=True):
            np.testing.assert_array_equal(one, other)
    assert here.maps.keys() == there.maps.keys()
    assert len(here.maps) == 2 * len(parameters.seeds)
    for place, points in here.maps.items():
        np.testing.assert_array_equal(points, there.maps[place])
    for name, sample in here.samples.values.items():
        np.testing.assert_array_equal(sample.pseudo_values, there.samples.values[name].pseudo_values)


@contextmanager
def dask_cluster(folder: Path, *environments: dict[str, str]) -> Iterator[str]:
    """A scheduler, and a worker of each environment, started as somebody would on other machines; its address."""
    folder.mkdir(exist_ok=True)
    told = folder / "scheduler.json"
    quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    about = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)]
    scheduler = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", *about], **quiet)
    there = ["--scheduler-file", str(told), "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
    run = [sys.executable, "-m", "distributed.cli.dask_worker", *there]
    workers = [subprocess.Popen(run, env={**os.environ, **environment}, **quiet) for environment in environments]
    try:
        while not told.exists() or not told.read_text():
            time.sleep(0.1)
        yield json.loads(told.read_text())["address"]
    finally:
        for process in (*workers, scheduler):
            process.terminate()
            process.wait()


def ends() -> None:
    os._exit(1)


def test_workers_that_end_whenever_they_are_asked_are_no_endless_wait(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT)}
    with (
        dask_cluster(tmp_path, environment) as address,
        cluster.on_cluster(address) as crew,
        pytest.raises(MachineFault, match="all its workers were ended from outside, twice"),
    ):
        crew.ask(ends)


def test_workers_of_other_versions_are_refused_before_any_work(tmp_path: Path) -> None:
    other = tmp_path / "pystoi-99.0.dist-info"  # the worker finds it first
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: pystoi\nVersion: 99.0\n")
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    with (
        dask_cluster(tmp_path, environment) as address,
        pytest.raises(InputError, match=r"worker tcp://127.0.0.1:\d+: has pystoi 99.0 \(here \d"),
        running.crew_for(address, ["stoi"]),
    ):
        pass


def hub_cache(folder: Path, seed: int, *names: str) -> dict[str, str]:
    """The environment of a machine that has codecs of `somebody` in its cache."""
    for name in names:
        random_checkpoint(folder / f"models--somebody--{name}" / "snapshots" / COMMIT, seed=seed)
    return {"HF_HUB_CACHE": str(folder)}


def test_codecs_are_those_of_the_workers_and_the_same_on_each(clips: Path, tmp_path: Path) -> None:
    """As from a cluster's login node, which has neither the weights nor the device."""
    one, other = hub_cache(tmp_path / "one", 0, "codec", "rare"), hub_cache(tmp_path / "other", 1, "codec")
    asked = [f"somebody/codec:{COMMIT}@nq=2"]
    with pytest.raises(InputError, match="somebody/codec"):
        running.open_codecs(asked, "cpu")
    with dask_cluster(tmp_path, one) as address, running.crew_for(address, ["stoi"]) as crew:
        with pytest.raises(InputError) as told:
            running.open_codecs([*asked, "pokcet"], "cpu", crew)
        assert [problem.where for problem in told.value.problems] == ["pokcet"]
        wanted = running.open_codecs(asked, "cpu", crew)
        sources, store = read_sources(clips)[:2], Store(tmp_path / "store")
        found = running.compare(sources, wanted, ["stoi"], store, lambda _, __: None, crew=crew)
        assert np.isfinite(found.values["stoi"]).all(), found.reasons
        write_page(found, tmp_path, "cpu", crew, "en")
    assert (tmp_path / "index.html").read_text(encoding="utf-8").count("<audio ") == 4
    another = r"worker tcp://\S+: has another somebody/codec:\w+: \w+ \(worker tcp://\S+: \w+\)"
    with dask_cluster(tmp_path / "two", one, other) as address, cluster.on_cluster(address) as both:
        both.client.wait_for_workers(2)
        with pytest.raises(InputError, match=another):
            running.open_codecs(asked, "cpu", both)
        with pytest.raises(InputError) as told:
            running.open_codecs([f"somebody/rare:{COMMIT}"], "cpu", both)
        assert len(told.value.problems) == 1
        assert re.match(rf"worker tcp://127.0.0.1:\d+: somebody/rare:{COMMIT}", told.value.problems[0].where)


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
    with pytest.raises(InputError, match=message), cluster.on_cluster(address):
        pass
