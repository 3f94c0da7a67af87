"""Plots by matplotlib as SVG that lives in the page: the page's letters, ink and colours, in light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#1d1b18"
SERIES = ("#0072b2", "#d55e00", "#00805d", "#b35a8c", "#a87300", "#2f93cf")
"""Okabe and Ito's palette (jfly.uni-koeln.de/color), darkened where it would be too faint on paper."""
MARKERS = "os^Dv*"
WIDTH, HEIGHT = 3.3, 2.3  # inches of one panel


@dataclass(frozen=True)
class Line:
    """One series: places (n,), values (n,), and intervals (n,) as (low, high), or None where there is none."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    intervals: Sequence[tuple[float, float] | None]


@dataclass(frozen=True)
class Plot:
    """A drawing for the page. `legend` gives the label of each series, in the order of their colours."""

    title: str
    svg: Markup
    legend: tuple[str, ...] = ()


def spoken(line: Line) -> str:
    """A series for people who do not see it."""
    return f"{line.label} " + ", ".join(f"{x:g}: {y:.3g}" for x, y in zip(line.x, line.y, strict=True))


def by_codebooks(lines: Sequence[Line], label: str, ticks: Sequence[int]) -> Markup:
    """Lines with shaded intervals over the number of codebooks (a logarithmic axis)."""
    with panel() as (axes, finish):
        for i, line in enumerate(lines):
            axes.plot(line.x, line.y, color=SERIES[i], marker=MARKERS[i], markersize=4.5, linewidth=1.4)
            known = [(x, *interval) for x, interval in zip(line.x, line.intervals, strict=True) if interval]
            if known:
                places, low, high = zip(*known, strict=True)
                axes.vlines(places, low, high, color=SERIES[i], linewidth=1.1)
                axes.fill_between(places, low, high, color=SERIES[i], alpha=0.16, linewidth=0)
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        return finish(label)


def by_layer(lines: Sequence[Line], label: str, layers: Sequence[int]) -> Markup:
    """Values with error bars over layers, side by side; zero is marked."""
    with panel() as (axes, finish):
        axes.axhline(0, color=INK, linewidth=0.7)
        places = {layer: i for i, layer in enumerate(layers)}
        for i, line in enumerate(lines):
            at = [places[int(x)] + 0.16 * (i - (len(lines) - 1) / 2) for x in line.x]
            spans = [interval or (y, y) for y, interval in zip(line.y, line.intervals, strict=True)]
            bars = [[max(0.0, y - low) for y, (low, _) in zip(line.y, spans, strict=True)]]
            bars.append([max(0.0, high - y) for y, (_, high) in zip(line.y, spans, strict=True)])
            axes.errorbar(
                at, line.y, yerr=bars, color=SERIES[i], marker=MARKERS[i], markersize=4.5, linewidth=0, elinewidth=1.3
            )
        axes.set_xticks(range(len(layers)), [str(layer) for layer in layers])
        return finish(label)


def histogram(values: Sequence[float], edges: Sequence[float], label: str) -> Markup:
    """How many values lie between neighbouring edges."""
    from matplotlib.ticker import MaxNLocator

    with panel(width=4.8) as (axes, finish):
        axes.hist(values, bins=list(edges), color=SERIES[0], alpha=0.75, edgecolor="none", rwidth=0.92)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return finish(label)


@contextmanager
def panel(width: float = WIDTH, height: float = HEIGHT) -> Iterator[tuple[Axes, Callable[[str], Markup]]]:
    """An axes to draw on, and a function that turns it into SVG with what a screen reader says of it."""
    import matplotlib
    from matplotlib.figure import Figure

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "earwitness",
        "font.size": 9,
        "axes.edgecolor": INK,
        "axes.linewidth": 0.7,
        "xtick.color": INK,
        "ytick.color": INK,
        "text.color": INK,
        "axes.labelcolor": INK,
        "grid.color": INK,
        "grid.alpha": 0.13,
        "grid.linewidth": 0.6,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
        axes = figure.add_subplot()
        axes.set_facecolor("none")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y")
        axes.set_axisbelow(True)

        def finish(label: str) -> Markup:
            out = io.StringIO()
            figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
            return inline(out.getvalue(), label)

        yield axes, finish


def inline(text: str, label: str) -> Markup:
    """matplotlib's SVG made fit for a page: no style of its own, the page's ink and colours, ids that are unique."""
    body = text[text.index("<svg") :]
    body = re.sub(r"<style.*?</style>", "", body, flags=re.S)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    head, rest = body.split(">", 1)
    box = re.search(r'viewBox="([^"]+)"', head)
    key = f"p{abs(hash_of(body)):x}"
    rest = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{key}-", rest)
    rest = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px", rest)
    for i, colour in enumerate(SERIES):
        rest = rest.replace(colour, f"var(--c{i})")
    rest = rest.replace(INK, "currentColor")
    viewbox = box[1] if box else "0 0 100 100"
    return Markup(f'<svg class="plot" role="img" viewBox="{viewbox}" aria-label="{escape(label)}">{rest}')


def hash_of(text: str) -> int:
    """A short number for a text, the same in every run."""
    import zlib

    return zlib.crc32(text.encode())
