"""What can be looked at and listened to: a table of every clip, plots, originals and reconstructions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio.measures import MEASURES, OF_WINDOWS
from audio.metrics import WindowMean
from audio.pairing import Pairing
from basics.csv_source import csv_text
from basics.errors import Undefined
from evaluators.evidence import Artefact, Measurement, digest
from evaluators.reconstruction.parameters import Request
from evaluators.reconstruction.scores import Score
from evaluators.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
"""Okabe and Ito's palette: told apart by colour-blind readers too (jfly.uni-koeln.de/color)."""
MARKERS = "osD^vP*"
DRAWING = 4
"""Raised when the same numbers are drawn otherwise."""


def table(store: Store, scores: Sequence[Score]) -> Artefact:
    """Every clip with every measure and how it was paired, as CSV; the last columns tell what is to know of a value."""
    header = ["role", "clip", "codebooks", *scores[0].values, *PAIRED, "remarks", "undefined"]
    content = csv_text([header, *map(_row, scores)], line_end="\n")
    path = store.blob(digest(content), ".csv", lambda path: _write(path, content))
    return store.artefact("Measures of every clip", path, "text/csv")


def _row(score: Score) -> list[object]:
    reasons = [f"{name}: {v.reason}" for name, v in score.values.items() if isinstance(v, Undefined)]
    remarks = [f"{which}: {what}" for which, what in score.warnings]
    remarks += [
        f"{name}: mean over {v.windows} of {v.attempted} windows"
        for name, v in score.values.items()
        if isinstance(v, WindowMean)
    ]
    cells = ["" if isinstance(v, Undefined) else f"{v:.4f}" for v in score.values.values()]
    told = ("; ".join(remarks), "; ".join(reasons))
    return [score.role, score.clip, score.codebooks or "not stated", *cells, *_pairing(score), *told]


PAIRED = ("original_hz", "reconstruction_hz", "length_ratio", "lag_ms", "correlation")


def _pairing(score: Score) -> list[object]:
    """The cells of PAIRED: of a pair that is none nothing but its rates, and the reason stands in the last column."""
    if not isinstance(score.pairing, Pairing):
        return [*score.rates, "", "0.00" if score.pairing is None else "", ""]
    found = score.pairing
    return [*score.rates, f"{found.ratio:.4f}", f"{1000 * found.lag:.2f}", f"{found.correlation:.4f}"]


def clips_plot(store: Store, scores: Sequence[Score], parameters: Request) -> Artefact:
    """A dot for every clip, a panel for each measure, roles side by side."""
    points = [
        [score.role, score.clip, name, float(value)]
        for score in scores
        for name, value in score.values.items()
        if not isinstance(value, Undefined)
    ]
    path = _figure(store, ["clips", points, sorted(_windowed(scores))], lambda: _draw_clips(scores, parameters))
    return store.artefact("Every clip by role", path, "image/png")


def sweep_plot(store: Store, measurements: Sequence[Measurement], parameters: Request) -> Artefact:
    """Each measure against the number of codebooks, a line for each role, its intervals as bars."""
    known = {m.name: m for m in measurements}
    data = [m.model_dump(mode="json", include={"name", "value", "interval", "unit"}) for m in measurements]
    path = _figure(store, ["sweep", data], lambda: _draw_sweep(known, parameters))
    return store.artefact("Measures by number of codebooks", path, "image/png")


def _draw_clips(scores: Sequence[Score], parameters: Request) -> Figure:
    figure, panels = _panels(parameters, _windowed(scores))
    for metric, axes in panels.items():
        for i, role in enumerate(parameters.roles):
            values = [s.values[metric] for s in scores if s.role == role]
            defined = [float(v) for v in values if not isinstance(v, Undefined)]
            places = [i + 0.3 * ((k % 7) / 6 - 0.5) for k in range(len(defined))]
            axes.plot(places, defined, MARKERS[i % 7], color=COLOURS[i % 7], alpha=0.7, markersize=5)
        labels = [f"{role}\n(n = {sum(s.role == role for s in scores)})" for role in parameters.roles]
        axes.set_xticks(range(len(parameters.roles)), labels, fontsize="small" if len(labels) < 4 else "xx-small")
        axes.set_xlim(-0.5, len(parameters.roles) - 0.5)
    return figure


def _windowed(scores: Sequence[Score]) -> set[str]:
    return {name for score in scores for name, value in score.values.items() if isinstance(value, WindowMean)}


def _draw_sweep(known: dict[str, Measurement], parameters: Request) -> Figure:
    figure, panels = _panels(parameters, [name.partition(".")[0] for name, m in known.items() if OF_WINDOWS in m.unit])
    counts = sorted(set(parameters.sweep))
    for metric, axes in panels.items():
        for i, role in enumerate(parameters.roles):
            line = [(count, known[f"{metric}.{role}.q{count}"]) for count in counts]
            _draw_line(axes, [(c, m) for c, m in line if m.value is not None], role, i)
        axes.set_xscale("log", base=2)
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.minorticks_off()
        axes.set_xlabel("codebooks")
    lines = next(iter(panels.values())).get_legend_handles_labels()
    figure.legend(*lines, loc="upper center", ncols=len(parameters.roles), frameon=False)
    return figure


def _draw_line(axes: Any, points: Sequence[tuple[int, Measurement]], role: str, i: int) -> None:
    colour = COLOURS[i % 7]
    counts = [count for count, _ in points]
    axes.plot(counts, [m.value for _, m in points], f"-{MARKERS[i % 7]}", color=colour, label=role, markersize=4)
    known = [(count, m.interval) for count, m in points if m.interval]
    low, high = [v.low for _, v in known], [v.high for _, v in known]
    axes.vlines([count for count, _ in known], low, high, color=colour, alpha=0.5)


def _panels(parameters: Request, windowed: Collection[str] = ()) -> tuple[Figure, dict[str, Any]]:
    """A figure (made without pyplot: nothing global changes) with a panel for each measure.

    `windowed` are those of which a value is a mean over windows.
    """
    from matplotlib.figure import Figure

    columns = min(4, len(parameters.metrics))
    rows = -(-len(parameters.metrics) // columns)
    width, height = 3.2 * columns, 2.8 * rows
    figure = Figure(figsize=(width, height), dpi=100)
    margins = {"left": 0.5 / width, "right": 1 - 0.15 / width, "bottom": 0.55 / height, "top": 1 - 0.55 / height}
    figure.subplots_adjust(**margins, wspace=0.25, hspace=0.45)  # a layout engine would take longer than the drawing
    panels: dict[str, Any] = {}
    for i, metric in enumerate(parameters.metrics):
        axes = panels[metric] = figure.add_subplot(rows, columns, i + 1)
        better = "higher" if MEASURES[metric].higher_is_better else "lower"
        of_windows = "; windows above 20 s" if metric in windowed else ""
        axes.set_title(
            f"{metric} ({better} is better{of_windows})", fontsize="small", y=1.0
        )  # a given place is not searched for
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def _figure(store: Store, data: object, draw: Callable[[], Figure]) -> Path:
    key = digest(["reconstruction plot", DRAWING, data])
    return store.blob(key, ".png", lambda path: draw().savefig(path))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
