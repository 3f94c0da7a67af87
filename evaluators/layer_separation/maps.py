"""Euclidean distances between clips, computed once per layer, and the UMAP map that is drawn from them.

UMAP needs the exact nearest neighbours of every clip, silhouettes need every clip's summed distance to each group of
clips. Both are read off the same rows of the distance matrix, which is never held whole: memory grows with the number
of clips, not with its square.

The map (McInnes, Healy, Melville, "UMAP", arXiv:1802.03426) is the library's own layout, fed with those neighbours. A
seeded layout runs on one thread anyway. Equal input and seed give equal maps on one machine, in whichever process they
are made.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from basics.kernels import keep_kernels_whole

BLOCK = 512  # rows of the distance matrix at a time
FEW_DIMENSIONS = 8  # up to here distances are taken coordinate by coordinate: exact, and as fast

Vectors = NDArray[Any]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The k nearest points of each of n points, nearest first, led by the point itself.

    `indices` (n, k) int32 and `distances` (n, k) float32: what umap-learn calls `precomputed_knn`.
    """

    indices: NDArray[np.int32]
    distances: Floats


def weighted_sums(points: Vectors, weights: Floats) -> NDArray[np.float64]:
    """For each of `points` (n, dim), its distances to all points summed under each column of `weights` (n, columns)."""
    return np.concatenate([rows @ weights for _, rows in distance_rows(points)]).astype(np.float64)


def sums_and_nearest(points: Vectors, weights: Floats, k: int) -> tuple[NDArray[np.float64], Nearest]:
    """`weighted_sums` (n, columns), and each point's `k` nearest of all n, itself first, from the same distances."""
    sums, nearest = [], []
    for first, rows in distance_rows(points):
        sums.append(rows @ weights)
        nearest.append(_nearest(rows, first, k))
    indices, distances = (np.concatenate(parts) for parts in zip(*nearest, strict=True))
    return np.concatenate(sums).astype(np.float64), Nearest(indices, distances)


def distance_rows(points: Vectors) -> Iterator[tuple[int, Floats]]:
    """Rows of the (n, n) distance matrix in blocks: number of the first row, (rows, n) float32. The diagonal is 0."""
    centred = np.asarray(points, np.float64)
    centred = centred - centred.mean(axis=0)  # keeps |x|² + |y|² - 2xy from cancelling
    single = centred.astype(np.float32)
    squares = np.einsum("ij,ij->i", centred, centred).astype(np.float32)
    for first in range(0, len(points), BLOCK):
        here = slice(first, first + BLOCK)
        rows = _direct(centred, here) if points.shape[1] <= FEW_DIMENSIONS else _by_product(single, squares, here)
        rows[np.arange(len(rows)), np.arange(first, first + len(rows))] = 0
        yield first, rows


def _direct(points: NDArray[np.float64], here: slice) -> Floats:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(points[here], points), np.float32)


def _by_product(points: Floats, squares: Floats, here: slice) -> Floats:
    rows: Floats = points[here] @ points.T
    rows *= -2
    rows += squares[here, None]
    rows += squares[None, :]
    np.maximum(rows, 0, out=rows)
    return np.sqrt(rows, out=rows)


def _nearest(rows: Floats, first: int, k: int) -> tuple[NDArray[np.int32], Floats]:
    """The k nearest columns of each row. The point itself leads, also where others lie at the same place."""
    rows[np.arange(len(rows)), np.arange(first, first + len(rows))] = -1
    indices = np.argpartition(rows, k - 1, axis=1)[:, :k]
    distances = np.take_along_axis(rows, indices, axis=1)
    order = np.argsort(distances, axis=1, kind="stable")
    indices, distances = np.take_along_axis(indices, order, axis=1), np.take_along_axis(distances, order, axis=1)
    return indices.astype(np.int32), np.maximum(distances, 0)


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
    keep_kernels_whole()
    import numba
    import umap

    numba.config.THREADING_LAYER = "workqueue"  # type: ignore[attr-defined]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "umap":
            for kernel in vars(module).values():
                if callable(keep := getattr(kernel, "enable_caching", None)):
                    keep()
    return cast(ModuleType, umap)
