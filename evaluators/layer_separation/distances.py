"""Euclidean distances between clips, computed once per layer: exact nearest neighbours and distances to groups.

UMAP needs the nearest neighbours of every clip, silhouettes need every clip's summed distance to each group of clips.
Both are read off the same rows of the distance matrix, which is never held whole: memory grows with the number of
clips, not with its square.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    """`weighted_sums`, and each point's `k` nearest, from the same distances."""
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
