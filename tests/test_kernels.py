"""Compiled code that processes keep on disk at the same time: each is given its own afterwards.

The cases `as numba does` show numba's own faults: where one fails, they are mended, and `basics.kernels` can go.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

KERNELS = """
import numba

@numba.njit(cache=True)
def total(numbers):
    result = 0.0
    for number in numbers:
        result += number
    return result

@numba.stencil
def middle(numbers):
    return (numbers[-1] + numbers[1]) / 2

def smoother():
    @numba.guvectorize(["void(float64[:], float64[:])"], "(n)->(n)", cache=True, nopython=True)
    def smooth(numbers, means):
        means[:] = middle(numbers)
    return smooth
"""
BEGIN = """
import sys, time
from pathlib import Path
import numba
import numpy as np
from numba.core import caching
from basics.kernels import keep_kernels_whole
from kernels import smoother, total

folder, how, *rest = sys.argv[1:]
if how == "safely":
    keep_kernels_whole()
"""
TOGETHER = """
kind, = rest
read = caching.IndexDataCacheFile._load_index
def read_slowly(file):
    found = read(file)
    time.sleep(0.8)
    return found
caching.IndexDataCacheFile._load_index = read_slowly
Path(folder, kind).touch()
while len(list(Path(folder).glob("float*"))) < 2:
    time.sleep(0.01)
"""
"""Both processes read the index before either writes it, unless one waits for the other."""
TOTAL = """
print(total(np.arange(5, dtype=rest[0])), sum(total.stats.cache_hits.values()))
"""
SMOOTH = """
for _ in range(int(rest[0])):  # what a process compiles has a number in its name
    numba.njit(lambda number: number + 1)(1)
print(*smoother()(np.array([1.0, 2.0, 5.0, 10.0])))
"""
KINDS = ("float32", "float64")


def run(code: str, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BEGIN + code, str(folder), *arguments]
    environment = {"PYTHONPATH": f"{folder.parent}:{REPOSITORY}", "NUMBA_CACHE_DIR": str(folder), "PATH": ""}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where code is kept, beside the module that is compiled."""
    (tmp_path / "kernels.py").write_text(KERNELS)
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


@pytest.mark.parametrize("how", ["as numba does", "safely"])
def test_code_kept_by_two_processes_at_once_is_found_by_both(folder: Path, how: str) -> None:
    both = [run(TOGETHER + TOTAL, folder, how, kind) for kind in KINDS]
    assert [process.communicate()[0].split() for process in both] == [["10.0", "0"]] * 2
    again = [run(TOTAL, folder, how, kind).communicate()[0].split() for kind in KINDS]
    assert (again == [["10.0", "1"]] * 2) == (how == "safely")


@pytest.mark.parametrize("how", ["as numba does", "safely"])
def test_a_wrapper_of_another_process_is_not_put_around_a_function(folder: Path, how: str) -> None:
    other = folder.with_name("other")
    other.mkdir()
    for place, before in ((folder, "0"), (other, "3")):
        assert run(SMOOTH, place, how, before).communicate()[0].split() == ["0.0", "3.0", "6.0", "0.0"]
    for wrapper in other.rglob("guf-*"):
        shutil.copy(wrapper, folder / wrapper.relative_to(other))
    again = run(SMOOTH, folder, how, "0").communicate()[0].split()
    assert (again == ["0.0", "3.0", "6.0", "0.0"]) == (how == "safely")
