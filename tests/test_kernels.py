"""Compiled code that processes keep on disk at the same time: each is given its own afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

KERNEL = """
import numba

@numba.njit(cache=True)
def total(numbers):
    result = 0.0
    for number in numbers:
        result += number
    return result
"""
USE = """
import sys, time
from pathlib import Path
import numpy as np
from numba.core import caching
from basics.kernels import keep_kernels_whole
from kernel import total

folder, kind, together = sys.argv[1:]
if together != "as numba does":
    keep_kernels_whole()
if together != "alone":
    # Both read the index before either writes it, unless one waits for the other.
    read = caching.IndexDataCacheFile._load_index
    def read_slowly(file):
        found = read(file)
        time.sleep(1.5)
        return found
    caching.IndexDataCacheFile._load_index = read_slowly
    Path(folder, kind).touch()
    while len(list(Path(folder).glob("float*"))) < 2:
        time.sleep(0.01)
print(total(np.arange(5, dtype=kind)), sum(total.stats.cache_hits.values()))
"""
KINDS = ("float32", "float64")


def run(folder: Path, kind: str, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", USE, str(folder), kind, how]
    environment = {"PYTHONPATH": f"{folder}:{REPOSITORY}", "NUMBA_CACHE_DIR": str(folder / "kept"), "PATH": ""}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", ["as numba does", "one at a time"])
def test_code_kept_by_two_processes_at_once_is_found_by_both(tmp_path: Path, how: str) -> None:
    """The first case is numba's own fault: where it is mended, this fails, and `basics.kernels` can go."""
    (tmp_path / "kernel.py").write_text(KERNEL)
    both = [run(tmp_path, kind, how) for kind in KINDS]
    assert [process.communicate()[0].split() for process in both] == [["10.0", "0"]] * 2
    again = [run(tmp_path, kind, "alone").communicate()[0].split() for kind in KINDS]
    assert (again == [["10.0", "1"]] * 2) == (how == "one at a time")
