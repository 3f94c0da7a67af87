"""What can be looked at: maps of the layers side by side, silhouettes by layer, and tables of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from basics.csv_source import csv_text
from evaluators.display import Curves, picture
from evaluators.evidence import Artefact, Measurement, digest
from evaluators.layer_separation.display import silhouettes
from evaluators.layer_separation.parameters import PLACES, Parameters
from evaluators.layer_separation.separation import Separation
from evaluators.store import Store

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito's palette, told apart by colour-blind readers too (jfly.uni-koeln.de/color). Markers say the same."""
MARKERS = "o^sDvP*X"
ROUNDS = 10  # in which points are drawn
COLUMNS = 4
DRAWING = 3
"""Raised when the same numbers are drawn otherwise."""


def scatter(store: Store, found: Separation, parameters: Parameters, demonstration: bool) -> Artefact:
    """A map of each layer, all of one seed, a colour and a shape for each emotion."""
    seed = parameters.seeds[0]
    maps = {layer: points for (layer, of), points in found.maps.items() if of == seed}
    data = [[layer, points.tolist()] for layer, points in maps.items()]
    key = digest(
        ["scatter", DRAWING, demonstration, seed, data, found.samples.cells.emotions, _emotion(found).tolist()]
    )
    path = store.blob(key, ".png", lambda path: _draw_scatter(found, maps, seed, demonstration).savefig(path))
    return store.artefact("UMAP maps by layer", path, "image/png")


def curves(store: Store, measurements: Sequence[Measurement], demonstration: bool) -> list[Artefact]:
    """Mean silhouettes by layer with their intervals, as a report shows them, if any is defined."""
    heading = f"Silhouettes by layer, 95 % intervals{_warning(demonstration)}"
    key = digest(["curves", DRAWING, demonstration, [m.model_dump(mode="json") for m in measurements]])
    paths = [store.blob(key, ".png", partial(_save, shown, heading)) for shown in silhouettes(measurements)]
    return [store.artefact("Silhouettes by layer", path, "image/png") for path in paths]


def _save(shown: Curves, heading: str, path: Path) -> None:
    picture(shown, heading).savefig(path)


def _emotion(found: Separation) -> NDArray[np.intp]:
    return found.samples.cells.cell_emotion[found.samples.cells.cell]


def _draw_scatter(found: Separation, maps: Mapping[int, NDArray[np.float32]], seed: int, demonstration: bool) -> Figure:
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(3.4 * columns, 3.4 * rows + 0.9), dpi=120, layout="constrained")
    for number, (layer, points) in enumerate(maps.items()):
        axes = figure.add_subplot(rows, columns, number + 1)
        _draw_points(axes, points, _emotion(found), found.samples.cells.emotions)
        axes.set_title(f"layer {layer}{_silhouette(found, layer)}", fontsize="medium")
        axes.set_xticks([])
        axes.set_yticks([])
    handles, labels = figure.axes[0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    figure.suptitle(
        f"UMAP of mean codebook vectors, seed {seed}, {len(_emotion(found))} clips{_warning(demonstration)}"
    )
    return figure


def _silhouette(found: Separation, layer: int) -> str:
    """The first seed's mean silhouette, where it is defined."""
    values = found.samples.values["silhouette_map", layer].silhouettes[0]
    return "" if np.isnan(values).all() else f" (silhouette {np.nanmean(values):+.2f})"


def _draw_points(axes: Axes, points: NDArray[np.float32], emotion: NDArray[np.intp], names: Sequence[str]) -> None:
    """A tenth of every emotion at a time, so that none covers the others."""
    size = float(np.clip(6000 / len(points), 3, 30))
    for first in range(ROUNDS):
        for number, name in enumerate(names):
            x, y = points[emotion == number][first::ROUNDS].T
            label = None if first else name
            axes.scatter(
                x, y, s=size, alpha=0.65, linewidths=0, label=label, c=COLOURS[number % 8], marker=MARKERS[number % 8]
            )


def _warning(demonstration: bool) -> str:
    return "\nDEMONSTRATION: not the codec and the sound that the quiz asks about" if demonstration else ""


def points(store: Store, found: Separation, files: Sequence[str]) -> Artefact:
    """Every point of every map with its file; `files` (clips,) names each clip's."""
    cells = found.samples.cells
    labels = [cells.emotions[emotion] for emotion in cells.cell_emotion[cells.cell]]
    speakers = [cells.speakers[speaker] for speaker in cells.cell_speaker[cells.cell]]
    rows = (
        (layer, seed, f"{x:.5f}", f"{y:.5f}", file, label, speaker)
        for (layer, seed), positions in found.maps.items()
        for (x, y), file, label, speaker in zip(positions.tolist(), files, labels, speakers, strict=True)
    )
    header = ("layer", "seed", "x", "y", "file", "label", "speaker")
    return _table(store, "Every point of every map, with its file", header, rows, kind="points")


def by_speaker(store: Store, found: Separation) -> Artefact:
    """Mean silhouette of the emotions among each speaker's own clips, by layer, in the space and in the maps."""
    header = ("layer", "place", "speaker", "clips", "silhouette")
    return _table(store, "Silhouettes of the emotions within each speaker", header, _speakers(found), kind="speakers")


def _speakers(found: Separation) -> Iterator[tuple[object, ...]]:
    cells = found.samples.cells
    for (name, layer), sample in found.samples.values.items():
        for suffix in PLACES:
            if name == f"silhouette{suffix}_within_speaker":
                for number, speaker in enumerate(cells.speakers):
                    values = sample.silhouettes[:, cells.cell_speaker[cells.cell] == number]
                    mean = "" if np.isnan(values).all() else f"{values.mean():.4f}"
                    yield layer, "map" if suffix else "space", speaker, values.shape[1], mean


def _table(store: Store, title: str, header: Sequence[str], rows: Iterable[Sequence[object]], kind: str) -> Artefact:
    content = csv_text([header, *rows], line_end="\n")
    path = store.blob(digest(content), ".csv", lambda path: _write(path, content))
    return store.artefact(title, path, "text/csv", kind=kind)


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
