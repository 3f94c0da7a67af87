"""What can be looked at: the maps of the layers side by side, and silhouettes by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluators.evidence import Artefact, Measurement, digest
from evaluators.layer_separation.parameters import Parameters
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
DRAWING = 2
"""Raised when the same numbers are drawn otherwise."""

CURVES = (
    ("silhouette{}", "emotions, all speakers"),
    ("silhouette{}_within_speaker", "emotions, within a speaker"),
    ("speaker_silhouette{}", "speakers"),
)


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


def curves(store: Store, measurements: Sequence[Measurement], parameters: Parameters, demonstration: bool) -> Artefact:
    """Mean silhouettes by layer with their intervals, in the space of the vectors and in the maps."""
    known = {measurement.name: measurement for measurement in measurements}
    data = [m.model_dump(mode="json", include={"name", "value", "interval"}) for m in measurements]
    key = digest(["curves", DRAWING, demonstration, data])
    path = store.blob(key, ".png", lambda path: _draw_curves(known, parameters, demonstration).savefig(path))
    return store.artefact("Silhouettes by layer", path, "image/png")


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


def _draw_curves(known: Mapping[str, Measurement], parameters: Parameters, demonstration: bool) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), dpi=120, layout="constrained")
    panels: Any = figure.subplots(1, 2)
    for axes, place, title in zip(panels, ("", "_map"), ("space of the vectors", "UMAP map"), strict=True):
        for number, (name, label) in enumerate(CURVES):
            measured = [known[f"{name.format(place)}.layer_{layer}"] for layer in parameters.chosen]
            _draw_curve(axes, parameters.chosen, measured, label, number)
        axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        axes.set_xlabel("layer")
        axes.set_title(title, fontsize="medium")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("mean silhouette")
    panels[0].legend(frameon=False, fontsize="small")
    figure.suptitle(f"Silhouettes by layer, 95 % intervals{_warning(demonstration)}")
    return figure


def _draw_curve(axes: Axes, layers: Sequence[int], measured: Sequence[Measurement], label: str, number: int) -> None:
    points = [
        (layer, float(m.value), m.interval) for layer, m in zip(layers, measured, strict=True) if m.value is not None
    ]
    if not points:
        return
    at = [layer + 0.12 * (number - 1) for layer, _, _ in points]  # apart, so that no interval hides another
    values = [value for _, value, _ in points]
    low = [value - min(interval.low, value) if interval else 0 for _, value, interval in points]
    high = [max(interval.high, value) - value if interval else 0 for _, value, interval in points]
    axes.errorbar(
        at,
        values,
        yerr=[low, high],
        color=COLOURS[number],
        marker=MARKERS[number],
        label=label,
        markersize=4,
        linewidth=1,
        capsize=2,
    )


def _warning(demonstration: bool) -> str:
    return "\nDEMONSTRATION: not the codec and the sound that the quiz asks about" if demonstration else ""
