"""Code that numba compiles and keeps on disk stays whole, however many processes keep theirs at the same time.

numba keeps it without a lock and takes whatever it finds there for its own:

- It reads the index of a function, chooses a free name for the new code and writes both
  (`numba/core/caching.py`, `IndexDataCacheFile.save`). Two processes that keep code for different types of argument at
  once choose one name, and whoever loads the one is given the other.
- The wrapper of a generalised ufunc is kept beside the function that it wraps, which it knows by a name that each
  process numbers anew (`numba/np/ufunc/wrappers.py`). Where the two that are kept come from two processes, the wrapper
  looks for data under a name that is not there.

Either ends the process, or gives a wrong number, in every later run.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any

from filelock import FileLock


@cache
def keep_kernels_whole() -> None:
    """Have this process keep and find compiled code safely; to be called before anything that numba compiles is used.

    The classes are not documented: a numba that has others keeps its code as it does. What cannot be kept, the folder
    being full or without locks, is compiled again by the next process.
    """
    from numba.core import caching
    from numba.np.ufunc import wrappers

    _save_one_at_a_time(getattr(caching, "IndexDataCacheFile", None))
    _find_wrappers_by_what_they_wrap(getattr(wrappers, "_GufuncWrapper", None))


def _save_one_at_a_time(kept: Any) -> None:
    save = getattr(kept, "save", None)
    if save is None:
        return

    @wraps(save)
    def save_alone(file: Any, key: Any, data: Any) -> None:
        folder = getattr(file, "_cache_path", None)
        lock = FileLock(Path(folder, "kernels.lock")) if folder else nullcontext()
        with suppress(OSError, NotImplementedError), lock:
            save(file, key, data)

    kept.save = save_alone


def _find_wrappers_by_what_they_wrap(wrapper: Any) -> None:
    begin = getattr(wrapper, "__init__", None)
    if begin is None:
        return

    @wraps(begin)
    def begin_with_name(made: Any, *arguments: Any, **named: Any) -> None:
        begin(made, *arguments, **named)
        with suppress(AttributeError):
            wrapped, key = made.cres.fndesc.mangled_name, made.cache._index_key
            made.cache._index_key = lambda *asked: (*key(*asked), wrapped)

    wrapper.__init__ = begin_with_name
