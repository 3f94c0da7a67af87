"""Code that numba compiles and keeps on disk stays whole, however many processes keep theirs at the same time.

numba reads the index of a function, chooses a free name for the new code and writes both, without a lock
(`numba/core/caching.py`, `IndexDataCacheFile.save`). Two processes that keep code for different types of argument at
once choose the same name: from then on whoever loads the one is given the other, reads numbers of another width, and
crashes or measures something else.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock


@cache
def keep_kernels_whole() -> None:
    """Have this process keep compiled code one at a time; to be called before anything that numba compiles is used.

    The class is not documented: a numba that has another one keeps its code as it does. What cannot be kept, the folder
    being full or without locks, is compiled again by the next process.
    """
    from numba.core import caching

    kept: Any = getattr(caching, "IndexDataCacheFile", None)
    save = getattr(kept, "save", None)
    if save is None:
        return

    def save_alone(file: Any, key: Any, data: Any) -> None:
        folder = getattr(file, "_cache_path", None)
        lock = FileLock(Path(folder, "kernels.lock")) if folder else nullcontext()
        with suppress(OSError, NotImplementedError), lock:
            save(file, key, data)

    kept.save = save_alone
