"""UMAP and silhouettes of many layers: this project's way beside umap-learn called with a seed, layer after layer.

    python benchmarks/layers.py --clips 500 2000 6893 --layers 4 --jobs 2

Both sides get the same vectors: as many clips as asked, spread over speakers and emotions as EmoV-DB's are, with
emotions a little apart and speakers more so. The sides take turns, a round of layers each, so that both meet the same
load of the machine; numba's compilation is done before. The library's side computes a map and the silhouettes of the
emotions in the map and in the space; this project's side also computes those of speakers, of the pair and within
speakers, and pseudo-values. Layers are alike, so the time of 32 layers is that of the measured ones times their share.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.evidence import report_nothing
from evaluators.layer_separation import separation
from evaluators.layer_separation.parameters import Parameters
from evaluators.layer_separation.selection import Cells

EMOTIONS = ("Neutral", "Amused", "Angry", "Sleepy", "Disgusted")
EMOV_DB = {  # clips by speaker and emotion, as distributed
    "jenie": (417, 222, 523, 466, 189),
    "bea": (373, 309, 317, 520, 347),
    "sam": (493, 501, 468, 495, 497),
    "josh": (302, 298, 0, 263, 0),
}
ALL_LAYERS = 32
APPROXIMATE = 4096  # clips above which umap-learn searches neighbours approximately
DIMENSIONS = 256
SEED = 0


@dataclass(frozen=True)
class Round:
    """Seconds of one round of layers, and the mean silhouette of each layer's map, on both sides.

    `own_alone` is this project's side in one process; `*_processor` is the processor time of one process.
    """

    library_seconds: float
    own_seconds: float
    own_alone: float
    library_processor: float
    own_processor: float
    library: tuple[float, ...]
    own: tuple[float, ...]


def emov_cells(clips: int) -> Cells:
    """`clips` of EmoV-DB's cells, drawn without order."""
    cells = [(e, s) for s, counts in EMOV_DB.items() for e, n in zip(EMOTIONS, counts, strict=True) for _ in range(n)]
    chosen = np.random.default_rng(SEED).permutation(len(cells))[:clips]
    emotions, speakers = zip(*(cells[number] for number in chosen), strict=True)
    return Cells.of(emotions, speakers)


def vectors(cells: Cells, layer: int) -> NDArray[np.float32]:
    """Vectors (clips, 256) of one layer."""
    generator = np.random.default_rng([SEED, layer])
    points = generator.normal(size=(len(cells), DIMENSIONS))
    points += 0.2 * generator.normal(size=(len(cells.emotions), DIMENSIONS))[cells.cell_emotion[cells.cell]]
    points += 0.4 * generator.normal(size=(len(cells.speakers), DIMENSIONS))[cells.cell_speaker[cells.cell]]
    return points.astype(np.float32)


def library(points: NDArray[np.float32], cells: Cells) -> float:
    """The library's way for one layer; the silhouette in the map."""
    import umap
    from sklearn.metrics import silhouette_score

    emotion = cells.cell_emotion[cells.cell]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        positions = umap.UMAP(random_state=SEED).fit_transform(points)
    silhouette_score(points, emotion)
    return float(silhouette_score(positions, emotion))


def libraries(layers: Sequence[NDArray[np.float32]], cells: Cells) -> list[float]:
    """The library's way, layer after layer."""
    return [library(points, cells) for points in layers]


def own(path: Path, layers: Sequence[int], cells: Cells, jobs: int) -> list[float]:
    """This project's way for some layers of a file, into an empty store."""
    wanted = Parameters.model_construct(layers=tuple(layers), seeds=(SEED,), differences=(), pair_differences=())
    file = separation.Vectors(path, "benchmark")
    with tempfile.TemporaryDirectory() as store:
        found = separation.separate(file, cells, wanted, store=Path(store), jobs=jobs, progress=report_nothing)
        return [float(found.samples.values["silhouette_map", layer].silhouettes.mean()) for layer in layers]


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds by the clock, seconds of this process' processor time, and the result."""
    start, start_processor = time.perf_counter(), time.process_time()
    result = call()
    return time.perf_counter() - start, time.process_time() - start_processor, result


def compare(clips: int, layers: int, width: int, jobs: int) -> Iterator[Round]:
    """Rounds of `width` layers, the sides taking turns."""
    cells = emov_cells(clips)
    points = [vectors(cells, layer) for layer in range(layers)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        np.save(path, np.stack(points, axis=1))
        for first in range(0, layers, width):
            here = range(first, min(first + width, layers))
            seconds, processor, theirs = timed(partial(libraries, [points[layer] for layer in here], cells))
            own_seconds, _, ours = timed(partial(own, path, here, cells, jobs))
            own_alone, own_processor, _ = timed(partial(own, path, here, cells, 1))
            yield Round(seconds, own_seconds, own_alone, processor, own_processor, tuple(theirs), tuple(ours))


def summary(clips: int, layers: int, rounds: Sequence[Round]) -> dict[str, float]:
    """The measured times, scaled to 32 layers, and their ratio."""
    library_seconds = sum(one.library_seconds for one in rounds) * ALL_LAYERS / layers
    own_seconds = sum(one.own_seconds for one in rounds) * ALL_LAYERS / layers
    gap = max(abs(a - b) for one in rounds for a, b in zip(one.library, one.own, strict=True))
    return {
        "clips": clips,
        "layers_measured": layers,
        "library_s": round(library_seconds, 1),
        "own_s": round(own_seconds, 1),
        "ratio": round(library_seconds / own_seconds, 2),
        "lowest_ratio": round(min(one.library_seconds / one.own_seconds for one in rounds), 2),
        "highest_ratio": round(max(one.library_seconds / one.own_seconds for one in rounds), 2),
        "processor_ratio": round(
            sum(one.library_processor for one in rounds) / sum(one.own_processor for one in rounds), 2
        ),
        "largest_gap_of_silhouettes": round(gap, 4),
    }


def warm_up(clips: Sequence[int], jobs: int) -> None:
    """Compile both sides' kernels, the library's neighbour search where it is used, and start the workers."""
    list(compare(100, 2 * jobs, 2 * jobs, jobs))
    if max(clips) > APPROXIMATE:
        library(vectors(cells := emov_cells(APPROXIMATE + 1), 0), cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, nargs="+", default=[500, 2000, 6893])
    parser.add_argument("--layers", type=int, default=ALL_LAYERS, help="layers measured; times are scaled to 32")
    parser.add_argument("--round", type=int, default=4, help="layers each side takes in turn")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    warm_up(asked.clips, asked.jobs)
    for clips in asked.clips:
        rounds = list(compare(clips, asked.layers, asked.round, asked.jobs))
        print(json.dumps(summary(clips, asked.layers, rounds)), flush=True)


if __name__ == "__main__":
    main()
