"""Curves drawn by matplotlib, in one way wherever they are seen: in a picture beside the evidence, in a report.

Figures are made without pyplot, so that nothing global changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evaluators.display import Curves, Plot, Series, in_language

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = ("#0072b2", "#d55e00", "#00805d", "#b35a8c", "#a87300", "#2f93cf")
"""Okabe and Ito's palette (jfly.uni-koeln.de/color), darkened where it would be too faint on paper."""
MARKERS = "os^Dv*"
ZERO = "#1d1b18"
COLUMNS = 4
STYLE: dict[str, Any] = {"markersize": 4.5}


def draw(axes: Axes, plot: Plot, curves: Curves) -> None:
    """One of the plots of `curves` on `axes`: its series with their intervals, each in its colour and with its mark."""
    places = sorted({x for one in plot.series for x in one.x})
    if curves.x_axis == "logarithmic":
        for i, series in enumerate(plot.series):
            _joined(axes, series, i)
        axes.set_xscale("log", base=2)
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.minorticks_off()
        return
    axes.axhline(0, color=ZERO, linewidth=0.7)
    for i, series in enumerate(plot.series):
        aside = 0.16 * (i - (len(plot.series) - 1) / 2)  # so that no interval hides another
        _apart(axes, series, [places.index(x) + aside for x in series.x], i)
    axes.set_xticks(range(len(places)), [f"{place:g}" for place in places])


def _joined(axes: Axes, series: Series, i: int) -> None:
    colour, mark = SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]
    axes.plot(series.x, series.y, color=colour, marker=mark, linewidth=1.4, label=_label(series), **STYLE)
    known = [(x, *interval) for x, interval in zip(series.x, series.intervals, strict=True) if interval]
    if known:
        places, low, high = zip(*known, strict=True)
        axes.vlines(places, low, high, color=colour, linewidth=1.1)
        axes.fill_between(places, low, high, color=colour, alpha=0.16, linewidth=0)


def _apart(axes: Axes, series: Series, places: list[float], i: int) -> None:
    colour, mark = SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]
    spans = [interval or (y, y) for y, interval in zip(series.y, series.intervals, strict=True)]
    bars = [[max(0.0, y - low) for y, (low, _) in zip(series.y, spans, strict=True)]]
    bars.append([max(0.0, high - y) for y, (_, high) in zip(series.y, spans, strict=True)])
    line: dict[str, Any] = {"linewidth": 0, "elinewidth": 1.3, "label": _label(series)} | STYLE
    axes.errorbar(places, series.y, yerr=bars, color=colour, marker=mark, **line)


def _label(series: Series) -> str:
    return in_language(series.label, "en")


def picture(curves: Curves, heading: str = "") -> Figure:
    """All plots of `curves` side by side in one figure, in English, with a legend and a heading."""
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(curves.plots))
    rows = -(-len(curves.plots) // columns)
    figure = Figure(figsize=(max(6.0, 3.2 * columns), 2.8 * rows + 0.5), dpi=110, layout="constrained")
    for i, plot in enumerate(curves.plots):
        axes = figure.add_subplot(rows, columns, i + 1)
        draw(axes, plot, curves)
        axes.set_title(in_language(plot.title, "en"), fontsize="small")
        axes.set_xlabel(in_language(curves.x_title, "en"))
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.suptitle(heading or in_language(curves.title, "en"))
    return figure
