"""One file of vectors, from distances to maps to silhouettes: the slow part, resumable and side by side.

Distances in each layer come first, then a UMAP map for each layer and seed. Each result is a blob in the store under
all that it depends on, so that an interrupted run continues where it was. Results are the same whatever the number of
processes and whichever machine they are on: every worker computes on one thread, from the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basics.workers import Pool, anyone, as_completed
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
Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Layer:
    """How to look at one layer of vectors; `cells` and `pair` say which silhouettes are wanted.

    What it computes rests on its arguments alone, so that any machine can do it.
    """

    cells: Cells
    pair: tuple[str, str]
    n_neighbors: int
    min_dist: float

    def space(self, points: Points) -> Arrays:
        """The space of points (clips, dim): `indices`, `distances` of neighbours, `silhouettes`, `pseudo_values`.

        `flat` tells that all vectors are equal.
        """
        with one_thread():
            k = min(self.n_neighbors, len(points))
            sums, nearest = sums_and_nearest(points, self.cells.member, k)
            return {**vars(nearest), "flat": np.array(not sums.any()), **self._judged(points, sums)}

    def map(self, points: Points, nearest: Nearest, seed: int) -> Arrays:
        """The map of one seed: `points` (clips, 2), `silhouettes`, `pseudo_values` (scores, clips)."""
        with one_thread():
            drawn = umap_map(points, nearest, seed=seed, n_neighbors=self.n_neighbors, min_dist=self.min_dist)
            return {"points": drawn, **self._judged(drawn, weighted_sums(drawn, self.cells.member))}

    def _judged(self, points: Points, sums: NDArray[np.float64]) -> Arrays:
        judged = judge(points, sums, self.cells, list(groupings(self.cells, self.pair).values()))
        return {name: np.stack([vars(one)[name] for one in judged]) for name in ("silhouettes", "pseudo_values")}


def one_thread() -> AbstractContextManager[Any]:
    """Sums are the same whatever the number of processors."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def packages() -> dict[str, str]:
    """Versions that move numbers here; asked once for all layers, for each takes as long as a small map's distances."""
    return package_versions(PACKAGES)


def part(progress: Progress, start: float, end: float) -> Progress:
    """A callback for one part of the work, from `start` to `end` of the whole."""
    return lambda what, done: progress(what, start + (end - start) * done)


@dataclass(frozen=True, eq=False)
class Work:
    """Arrays that are wanted: `depends` is all that they depend on, `ask` what computes them, made when its turn comes.

    `title` is for the progress bar.
    """

    depends: Sequence[object]
    title: str
    ask: Callable[[], Callable[[], Arrays]]


def run(wanted: Sequence[Work], store: Store, jobs: int | None, progress: Progress) -> list[Path]:
    """The blob of each piece of work, in order; what the store lacks is computed by `anyone` and kept as it stands.

    Raises MachineFault where a process cannot start or is killed.
    """
    keys = [digest(["layer separation", RECIPE, *work.depends]) for work in wanted]
    paths = {number: path for number, key in enumerate(keys) if (path := store.find(key, ".npz"))}
    missing = [number for number in range(len(wanted)) if number not in paths]
    tasks = ((number, partial(Pool.call_surely, function=wanted[number].ask())) for number in missing)
    with anyone(jobs) as crew:
        for number, future in as_completed(tasks, crew):
            paths[number] = store.blob(keys[number], ".npz", partial(_write, future.result()))
            progress(wanted[number].title, len(paths) / len(wanted))
    return [paths[number] for number in range(len(wanted))]


def _write(arrays: Arrays, path: Path) -> None:
    np.savez(path, **arrays)  # type: ignore[arg-type]


def read(path: Path) -> Arrays:
    """The arrays of a blob by name; their shapes stand with who made it (`Layer.space`, `Layer.map`)."""
    with np.load(path) as arrays:
        return dict(arrays)


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
    layer = Layer(cells, parameters.pair, parameters.n_neighbors, parameters.min_dist)
    labels = [cells.emotions, cells.cell_emotion.tolist(), cells.cell_speaker.tolist()]
    about = [labels, cells.cell.tolist(), parameters.pair]
    key, kept = digest([vectors.key, packages()]), Store(store)

    def points(number: int) -> Points:
        return np.ascontiguousarray(np.load(vectors.path, mmap_mode="r")[:, number])

    def space(number: int) -> Work:
        depends = [key, number, *about, "space", parameters.n_neighbors]
        return Work(depends, f"distances in layer {number}", lambda: partial(layer.space, points(number)))

    def drawing(number: int, seed: int) -> Work:
        def ask() -> Callable[[], Arrays]:
            known = read(spaces[number])
            return partial(layer.map, points(number), Nearest(known["indices"], known["distances"]), seed)

        depends = [key, number, *about, "map", parameters.n_neighbors, parameters.min_dist, seed]
        return Work(depends, f"UMAP of layer {number}, seed {seed}", ask)

    chosen = parameters.chosen
    spaces = dict(zip(chosen, run([space(n) for n in chosen], kept, jobs, part(progress, 0, SPACES)), strict=True))
    mapped = [number for number in chosen if _has_map(number, read(spaces[number]), samples, parameters)]
    places = list(product(mapped, parameters.seeds))
    paths = run([drawing(*place) for place in places], kept, jobs, part(progress, SPACES, 1))
    maps = dict(zip(places, map(read, paths), strict=True))
    for number in mapped:
        samples.add(number, "_map", [maps[number, seed] for seed in parameters.seeds])
    return Separation(samples, {place: found["points"] for place, found in maps.items()})


def _has_map(number: int, space: Arrays, samples: Samples, parameters: Parameters) -> bool:
    """Take in what was found in a layer's space, or why there is nothing; whether a map can be drawn of it."""
    if space["flat"]:
        samples.absent.update(dict.fromkeys([("", number), ("_map", number)], ALL_EQUAL))
        return False
    samples.add(number, "", [space])
    clips = len(samples.cells)
    if clips <= parameters.n_neighbors:
        few = f"UMAP with {parameters.n_neighbors} neighbours needs more clips than that, got {clips}"
        samples.absent["_map", number] = few
    return clips > parameters.n_neighbors
