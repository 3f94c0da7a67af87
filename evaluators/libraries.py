"""Folders in which libraries keep what they compiled, where neither the installation nor the home may be written.

numba then refuses to load librosa and umap-learn at all ("no locator available"), and matplotlib complains at length.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sysconfig
from pathlib import Path
from tempfile import mkdtemp

from platformdirs import user_cache_path

VARIABLES = {"NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib"}


def keep_caches_in(folder: Path) -> None:
    """Send the libraries to `folder` where their own places are closed to them; before they are imported.

    Where `folder` is closed too, to one that goes when the process ends.
    """
    if not may_write(user_cache_path()):
        if not may_write(folder):
            folder = Path(mkdtemp(prefix="earwitness-libraries-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        closed = [*VARIABLES] if not may_write(Path(sysconfig.get_path("purelib"))) else ["MPLCONFIGDIR"]
        for variable in closed:
            os.environ.setdefault(variable, str(folder / VARIABLES[variable]))


def may_write(path: Path) -> bool:
    """Whether this user may write into a folder, or make it."""
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    return os.access(there, os.W_OK)
