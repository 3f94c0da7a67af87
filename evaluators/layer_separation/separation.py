"""One file of vectors, from distances to maps to silhouettes: the slow part, resumable and side by side.

Distances in each layer come first, then a UMAP map for each layer and seed. Each result is a blob in the store under
all that it depends on, so that an interrupted run continues where it was. Results are the same whatever the number of
processes: every worker computes on one thread, from the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from basics.workers import by_workers
from evaluators.evidence import digest
from evaluators.layer_separation.maps import Nearest, sums_and_nearest, umap_map, weighted_sums
from evaluators.layer_separation.parameters import Parameters
from evaluators.layer_separation.scores import Samples
from evaluators.layer_separation.selection import Arrays, Cells, groupings
from evaluators.layer_separation.silhouettes import judge
from evaluators.provenance import package_versions
from evaluators.store import Store

RECIPE = 1
"""Raised when the same vectors would give other neighbours, silhouettes or maps."""
PACKAGES = ("numba", "numpy", "scipy", "umap-learn")

Progress = Callable[[str, float], None]
Task = Callable[[], Path]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a file of vectors (clips, layers, dim) and how to look at it.

    `key` stands for the vectors' content and the `packages`; `cells` and `pair` say which silhouettes are wanted.
    """

    store: Path
    vectors: Path
    key: str
    number: int
    cells: Cells
    pair: tuple[str, str]
    n_neighbors: int
    min_dist: float

    def points(self) -> NDArray[np.float32]:
        """The layer's vectors (clips, dim)."""
        return np.ascontiguousarray(np.load(self.vectors, mmap_mode="r")[:, self.number])

    def space(self) -> Path:
        """Blob of the vectors' own space: `indices`, `distances` of the neighbours, `silhouettes`, `pseudo_values`.

        `flat` tells that all vectors are equal.
        """

        def look() -> Arrays:
            points = self.points()
            k = min(self.n_neighbors, len(points))
            sums, nearest = sums_and_nearest(points, self.cells.member, k)
            return {**vars(nearest), "flat": np.array(not sums.any()), **self._judged(points, sums)}

        return self._blob(["space", self.n_neighbors], look)

    def map(self, seed: int) -> Path:
        """Blob of the map of one seed: `points` (clips, 2), `silhouettes`, `pseudo_values` (scores, clips)."""

        def draw() -> Arrays:
            known = read(self.space())
            points = umap_map(
                self.points(),
                Nearest(known["indices"], known["distances"]),
                seed=seed,
                n_neighbors=self.n_neighbors,
                min_dist=self.min_dist,
            )
            return {"points": points, **self._judged(points, weighted_sums(points, self.cells.member))}

        return self._blob(["map", self.n_neighbors, self.min_dist, seed], draw)

    def _judged(self, points: NDArray[np.float32], sums: NDArray[np.float64]) -> Arrays:
        judged = judge(points, sums, self.cells, list(groupings(self.cells, self.pair).values()))
        return {name: np.stack([vars(one)[name] for one in judged]) for name in ("silhouettes", "pseudo_values")}

    def _blob(self, wanted: list[object], make: Callable[[], Arrays]) -> Path:
        labels = [self.cells.emotions, self.cells.cell_emotion.tolist(), self.cells.cell_speaker.tolist()]
        depends = [self.key, self.number, labels, self.cells.cell.tolist(), self.pair, *wanted]

        def produce(path: Path) -> None:
            from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

            with threadpool_limits(1):
                np.savez(path, **make())  # type: ignore[arg-type]

        key = digest(["layer separation", RECIPE, *depends])
        return Store(self.store).blob(key, ".npz", produce)


def packages() -> dict[str, str]:
    """Versions that move numbers here; asked once for all layers, for each takes as long as a small map's distances."""
    return package_versions(PACKAGES)


def read(path: Path) -> Arrays:
    """The arrays of a blob by name; their shapes stand with who made it (`Layer.space`, `Layer.map`)."""
    with np.load(path) as arrays:
        return dict(arrays)


def spaces(layers: Sequence[Layer], jobs: int | None, progress: Progress) -> list[Path]:
    """The space of each layer, in order."""
    return run([(layer.space, f"distances in layer {layer.number}") for layer in layers], jobs, progress)


def maps(layers: Sequence[Layer], seeds: Sequence[int], jobs: int | None, progress: Progress) -> list[list[Path]]:
    """The maps of each layer, one for each seed, in order."""
    paths = run(
        [
            (partial(layer.map, seed), f"UMAP of layer {layer.number}, seed {seed}")
            for layer in layers
            for seed in seeds
        ],
        jobs,
        progress,
    )
    return [paths[i : i + len(seeds)] for i in range(0, len(paths), len(seeds))]


def part(progress: Progress, start: float, end: float) -> Progress:
    """A callback for one part of the work, from `start` to `end` of the whole."""
    return lambda what, done: progress(what, start + (end - start) * done)


def run(tasks: Sequence[tuple[Task, str]], jobs: int | None, progress: Progress) -> list[Path]:
    """Results of all tasks, in order, with `jobs` processes taking them one by one; `progress` hears of each.

    Raises MachineFault where a process cannot start or is killed.
    """
    done: list[Path] = []
    for path in by_workers([task for task, _ in tasks], jobs):
        progress(tasks[len(done)][1], (len(done) + 1) / len(tasks))
        done.append(path)
    return done


ALL_EQUAL = "all clips have the same vector in this layer"
SPACES = 0.1  # share of the time that goes into distances; the rest goes into maps


@dataclass(frozen=True, eq=False)
class Vectors:
    """A file of vectors (clips, layers, dim) float32 and what it depends on: `key`."""

    path: Path
    key: str


@dataclass(frozen=True, eq=False)
class Separation:
    """Silhouettes of every layer, and the maps: (clips, 2) by layer and seed, where a layer has any."""

    samples: Samples
    maps: dict[tuple[int, int], NDArray[np.float32]]


def separate(
    vectors: Vectors, cells: Cells, parameters: Parameters, *, store: Path, jobs: int | None, progress: Progress
) -> Separation:
    """Distances, maps and silhouettes of the chosen layers of vectors (clips, layers, dim).

    Work that the store at `store` knows is not done again.
    """
    samples = Samples(cells, parameters.pair)
    key = digest([vectors.key, packages()])
    layers = [_layer(vectors.path, key, cells, parameters, number, store) for number in parameters.chosen]
    mapped = []
    for layer, path in zip(layers, spaces(layers, jobs, part(progress, 0, SPACES)), strict=True):
        space = read(path)
        if space["flat"]:
            samples.absent.update(dict.fromkeys([("", layer.number), ("_map", layer.number)], ALL_EQUAL))
            continue
        samples.add(layer.number, "", [space])
        if len(cells) > parameters.n_neighbors:
            mapped.append(layer)
        else:
            few = f"UMAP with {parameters.n_neighbors} neighbours needs more clips than that, got {len(cells)}"
            samples.absent["_map", layer.number] = few
    return Separation(samples, _map(mapped, samples, parameters, jobs, part(progress, SPACES, 1)))


def _layer(vectors: Path, key: str, cells: Cells, parameters: Parameters, number: int, store: Path) -> Layer:
    return Layer(
        store=store,
        vectors=vectors,
        key=key,
        number=number,
        cells=cells,
        pair=parameters.pair,
        n_neighbors=parameters.n_neighbors,
        min_dist=parameters.min_dist,
    )


def _map(
    layers: list[Layer], samples: Samples, parameters: Parameters, jobs: int | None, progress: Progress
) -> dict[tuple[int, int], NDArray[np.float32]]:
    points: dict[tuple[int, int], NDArray[np.float32]] = {}
    for layer, paths in zip(layers, maps(layers, parameters.seeds, jobs, progress), strict=True):
        seen = [read(path) for path in paths]
        samples.add(layer.number, "_map", seen)
        points |= {(layer.number, seed): one["points"] for seed, one in zip(parameters.seeds, seen, strict=True)}
    return points
