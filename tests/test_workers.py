"""Worker processes: what ends one is told apart, and nothing that lies in the working directory is executed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from basics.errors import InputError, MachineFault, Problem, Undefined
from basics.workers import ROOT, Crashed, GivenUp, Pool, Worker, by_workers, search_path, shared_pool, side_by_side


def add(a: int, b: int) -> int:
    return a + b


def crash(signal_number: int) -> None:
    os.kill(os.getpid(), signal_number)


def leave(status: int) -> None:
    os._exit(status)


def fill_memory() -> None:
    raise MemoryError


def refuse(kind: type[Exception]) -> None:
    raise InputError(Problem("a.wav", "is silent")) if kind is InputError else kind("too short")


def hold_a_handle() -> object:
    return sys.stdout


def test_results_come_in_order_whatever_the_jobs() -> None:
    tasks = [partial(add, number, 1) for number in range(12)]
    for jobs in (1, 2, None):
        assert list(by_workers(tasks, jobs)) == list(range(1, 13))
    assert list(by_workers([], 2)) == []


@pytest.mark.parametrize("kind", [InputError, Undefined, ValueError, ModuleNotFoundError])
def test_what_a_task_raises_is_raised_here(kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"is silent|too short") as raised:
        list(by_workers([partial(refuse, kind)]))
    assert "in refuse" in "".join(raised.value.__notes__), "the place in the worker is kept for --debug"


@pytest.mark.parametrize(
    ("task", "how"),
    [
        (partial(crash, signal.SIGSEGV), "SIGSEGV"),
        (partial(crash, signal.SIGABRT), "SIGABRT"),
        (partial(leave, 1), "1"),
    ],
)
def test_code_that_ends_its_process_has_crashed(task: Callable[[], None], how: str) -> None:
    with pytest.raises(Crashed, match=how):
        list(by_workers([task]))
    assert list(by_workers([partial(add, 1, 1)])) == [2], "the next call has a worker again"


@pytest.mark.parametrize(
    ("task", "how"),
    [
        (partial(crash, signal.SIGKILL), r"ended from outside \(SIGKILL\)"),
        (partial(crash, signal.SIGTERM), r"ended from outside \(SIGTERM\)"),
        (fill_memory, "ran out of memory"),
    ],
)
def test_what_the_machine_ends_is_no_result(task: Callable[[], None], how: str) -> None:
    with pytest.raises(MachineFault, match=how) as raised:
        list(by_workers([task]))
    assert "says nothing of what was measured" in raised.value.remedy
    assert list(by_workers([partial(add, 1, 1)])) == [2]


def test_a_result_that_cannot_be_sent_is_an_error_and_not_the_end() -> None:
    with pytest.raises(RuntimeError):
        list(by_workers([hold_a_handle]))
    assert list(by_workers([partial(add, 1, 1)])) == [2]


def test_a_worker_killed_from_outside_costs_its_task() -> None:
    worker = Worker()
    killer = Thread(target=lambda: (time.sleep(0.5), os.kill(worker.pid, signal.SIGKILL)))
    killer.start()
    with pytest.raises(MachineFault, match="SIGKILL"):
        worker.call(time.sleep, 30)
    killer.join()
    assert worker.call(add, 1, 1) == 2
    os.kill(worker.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert worker.call(add, 1, 1) == 2, "one that died while it waited has lost nothing"
    worker.close()


def note_and_crash(tried: Path, times: int) -> int:
    """How often it was tried; the process ends as long as that is no more than `times`."""
    with tried.open("a") as file:
        file.write(".")
    if len(tried.read_text()) <= times:
        crash(signal.SIGKILL)
    return len(tried.read_text())


def test_what_ends_its_process_is_tried_once_more_where_that_is_asked_for(tmp_path: Path) -> None:
    pool = Pool()
    pool.grow(1)
    assert pool.call_surely(note_and_crash, tmp_path / "once", 1) == 2
    with pytest.raises(MachineFault, match="SIGKILL"):
        pool.call_surely(note_and_crash, tmp_path / "always", 9)
    assert (tmp_path / "always").read_text() == ".."
    pool.close()


def note_and_sleep(tried: Path) -> None:
    with tried.open("a") as file:
        file.write(".")
    time.sleep(30)


def test_what_was_given_up_is_not_tried_once_more(tmp_path: Path) -> None:
    pool, tried = Pool(), tmp_path / "tried"
    pool.grow(1)

    def interrupt() -> None:
        while not tried.exists():
            time.sleep(0.02)
        pool.interrupt()

    Thread(target=interrupt).start()
    with pytest.raises(GivenUp):
        pool.call_surely(note_and_sleep, tried)
    assert tried.read_text() == "."
    assert pool.call(add, 1, 1) == 2
    pool.close()


def test_a_worker_that_cannot_start_is_the_machines_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(MachineFault, match="no worker process can be started"):
            Pool().grow(1)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        pool = Pool()
        pool.grow(1)
        with pytest.raises(MachineFault, match=r"cannot start here \(exit status 1\)"):
            pool.call(add, 1, 1)


def test_after_a_failure_the_rest_is_given_up() -> None:
    def fail(pool: Pool) -> int:
        return pool.call(refuse, ValueError)  # type: ignore[func-returns-value]

    with pytest.raises(ValueError, match="too short"):
        list(side_by_side([fail, *[lambda pool: pool.call(time.sleep, 60)] * 4], 2))
    assert [worker.call(add, 1, 1) for worker in shared_pool(2).workers] == [2] * len(shared_pool(2).workers)


def test_the_working_directory_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), "relative", *sys.path])
    assert not {"", str(tmp_path), "relative"} & set(search_path())
    assert [folder for folder in search_path() if folder == str(ROOT)] == [f for f in sys.path if f == str(ROOT)]


POISON = ("ctypes", "numpy", "sitecustomize", "pickle", "signal", "audio", "basics", "joblib", "pesq", "umap", "torch")


@pytest.mark.parametrize("inherited", ["", ":/nowhere", ".:/nowhere"])
def test_a_workers_modules_are_not_those_of_the_working_directory(tmp_path: Path, inherited: str) -> None:
    for name in POISON:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'a').write({name!r})\n")
    code = (
        f"import sys; sys.path[:] = [p for p in sys.path if p] + [{str(ROOT)!r}]\n"
        "import numpy as np, os\n"
        f"os.environ['PYTHONPATH'] = {inherited!r}\n"
        "sys.path.insert(0, '')\n"
        "from audio.metrics import measure_pairs\n"
        "x = np.random.default_rng(0).standard_normal(16000)\n"
        "print(measure_pairs([(x, x + 0.1 * x[::-1])], sample_rate=16000, metrics=['stoi', 'pesq_wb'])[0]['stoi'])\n"
    )
    safe = code.replace(
        "sys.path.insert(0, '')\nfrom audio.metrics import measure_pairs\n",
        "from audio.metrics import measure_pairs\nsys.path.insert(0, '')\n",
    )
    done = subprocess.run([sys.executable, "-P", "-c", safe], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout) <= 1
    assert not (tmp_path / "executed").exists()
