"""Plots by matplotlib as SVG that lives in the page: the page's letters, ink and colours, in light and dark."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from evaluators.display import SERIES, Curves, Plot, Series, draw, in_language
from grader.quiz.words import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#1d1b18"
WIDTH, HEIGHT = 3.3, 2.3  # inches of one panel


@dataclass(frozen=True)
class Drawing:
    """A plot as it stands in the page."""

    title: str
    svg: Markup


def curve_drawings(curves: Curves, language: Language) -> tuple[Drawing, ...]:
    """Every plot of `curves`."""
    return tuple(_curve_drawing(plot, curves, language) for plot in curves.plots)


def _curve_drawing(plot: Plot, curves: Curves, language: Language) -> Drawing:
    title, x_title = in_language(plot.title, language), in_language(curves.x_title, language)
    lines = "; ".join(f"{in_language(series.label, language)} {_spoken(series)}" for series in plot.series if series.x)
    with panel() as (axes, finish):
        draw(axes, plot, curves)
        return Drawing(title, finish(f"{title} ({x_title}): {lines}"))


def _spoken(series: Series) -> str:
    """A series for people who do not see it."""
    return ", ".join(f"{x:g}: {y:.3g}" for x, y in zip(series.x, series.y, strict=True))


def histogram(values: Sequence[float], edges: Sequence[float], label: str) -> Markup:
    """How many values lie between neighbouring edges."""
    from matplotlib.ticker import MaxNLocator

    with panel(width=4.8) as (axes, finish):
        axes.hist(values, bins=list(edges), color=SERIES[0], alpha=0.75, edgecolor="none", rwidth=0.92)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return finish(label)


@contextmanager
def panel(width: float = WIDTH) -> Iterator[tuple[Axes, Callable[[str], Markup]]]:
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
        figure = Figure(figsize=(width, HEIGHT), layout="constrained", facecolor="none")
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
    key = f"p{zlib.crc32(body.encode()):x}"
    rest = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{key}-", rest)
    rest = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px", rest)
    for i, colour in enumerate(SERIES):
        rest = rest.replace(colour, f"var(--c{i})")
    rest = rest.replace(INK, "currentColor")
    viewbox = box[1] if box else "0 0 100 100"
    return Markup(f'<svg class="plot" role="img" viewBox="{viewbox}" aria-label="{escape(label)}">{rest}')
