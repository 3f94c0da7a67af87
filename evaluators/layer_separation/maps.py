"""UMAP of one layer's vectors: the library's own layout, fed with exact nearest neighbours, on one thread.

McInnes, Healy, Melville, "UMAP", arXiv:1802.03426. A seeded layout runs on one thread anyway; what a layer's
neighbours cost the library is saved by passing them in. Equal input and seed give equal maps on one machine, in
whichever process they are made.
"""

from __future__ import annotations

import sys
import warnings
from functools import cache
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from evaluators.layer_separation.distances import Nearest


def umap_map(
    vectors: NDArray[Any], nearest: Nearest, *, seed: int, n_neighbors: int, min_dist: float
) -> NDArray[np.float32]:
    """Positions (n, 2) of `vectors` (n, dim), given at least `n_neighbors` nearest of each."""
    umap = _umap()
    reducer = umap.UMAP(
        n_neighbors=n_neighbors,
        min_dist=min_dist,
        random_state=seed,
        n_jobs=1,
        precomputed_knn=(nearest.indices, nearest.distances),
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="umap")  # that new points could not be added: none will be
        return np.asarray(reducer.fit_transform(vectors), np.float32)


@cache
def _umap() -> ModuleType:
    """umap-learn, its kernels kept on disk: otherwise each process compiles them anew, for about ten seconds.

    Which of its modules hold kernels is not documented; one that is not found costs those seconds and nothing else. The
    threading layer is numba's own: a process that has run GNU OpenMP can no longer fork, and other parts of a program
    may want to.
    """
    import numba
    import umap

    numba.config.THREADING_LAYER = "workqueue"  # type: ignore[attr-defined]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "umap":
            for kernel in vars(module).values():
                if callable(keep := getattr(kernel, "enable_caching", None)):
                    keep()
    return cast(ModuleType, umap)
