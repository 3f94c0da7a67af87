"""One file of vectors, from distances to maps to silhouettes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluators.evidence import digest
from evaluators.layer_separation import work
from evaluators.layer_separation.cells import Cells
from evaluators.layer_separation.parameters import Parameters
from evaluators.layer_separation.scores import Samples

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
    vectors: Vectors, cells: Cells, parameters: Parameters, *, store: Path, jobs: int, progress: work.Progress
) -> Separation:
    """Distances, maps and silhouettes of the chosen layers. Work that the store at `store` knows is not done again."""
    samples = Samples(cells, parameters.pair)
    key = digest([vectors.key, work.packages()])
    layers = [_layer(vectors.path, key, cells, parameters, number, store) for number in parameters.chosen]
    mapped = []
    for layer, path in zip(layers, work.spaces(layers, jobs, work.part(progress, 0, SPACES)), strict=True):
        space = work.read(path)
        if space["flat"]:
            samples.absent.update(dict.fromkeys([("", layer.number), ("_map", layer.number)], ALL_EQUAL))
            continue
        samples.add(layer.number, "", [space])
        if len(cells) > parameters.n_neighbors:
            mapped.append(layer)
        else:
            few = f"UMAP with {parameters.n_neighbors} neighbours needs more clips than that, got {len(cells)}"
            samples.absent["_map", layer.number] = few
    return Separation(samples, _map(mapped, samples, parameters, jobs, work.part(progress, SPACES, 1)))


def _layer(vectors: Path, key: str, cells: Cells, parameters: Parameters, number: int, store: Path) -> work.Layer:
    return work.Layer(
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
    layers: list[work.Layer], samples: Samples, parameters: Parameters, jobs: int, progress: work.Progress
) -> dict[tuple[int, int], NDArray[np.float32]]:
    points: dict[tuple[int, int], NDArray[np.float32]] = {}
    for layer, paths in zip(layers, work.maps(layers, parameters.seeds, jobs, progress), strict=True):
        maps = [work.read(path) for path in paths]
        samples.add(layer.number, "_map", maps)
        points |= {(layer.number, seed): one["points"] for seed, one in zip(parameters.seeds, maps, strict=True)}
    return points
