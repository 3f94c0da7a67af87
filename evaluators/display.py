"""How evidence is shown: a measurement in words, and what an evaluator describes for a report to render by its type.

Who measures knows best what of it is worth seeing and what it is called, so an evaluator may bring a method
`display(evidence, site)` that returns panels. It runs wherever a report is made, long after measuring: it reads the
evidence, the files that the evidence names in the store (`site.cache`) and nothing that takes time. Evidence of an
evaluator without a display is shown plainly: all measurements as a table, images, sounds and files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from basics.errors import InputError
from basics.messages import say
from evaluators.announcement import all_of
from evaluators.evidence import Artefact, Evidence, Measurement, Site
from evaluators.gathering import broke
from evaluators.packages import cause_of
from evaluators.registry import get

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Words: TypeAlias = str | Mapping[str, str]
"""A text, or the text by language (`{"en": …, "zh-TW": …}`)."""


def in_language(words: Words, language: str) -> str:
    """The text in `language`; in English, or else in whatever there is, where it was not translated."""
    if isinstance(words, str):
        return words
    return words.get(language) or words.get("en") or next(iter(words.values()), "")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Something to show. Panels of one title stand together under it; `about` is the sentence below the title."""

    title: Words
    about: Words = ""


@dataclass(frozen=True)
class Pair:
    """Two sounds of the store to be compared by ear: aligned and brought to one level before they are played."""

    group: Words
    title: str
    detail: str
    first: Artefact
    second: Artefact


@dataclass(frozen=True, kw_only=True)
class Players(Panel):
    """Pairs of sounds; `sides` says what the first and the second of each is."""

    pairs: tuple[Pair, ...]
    sides: tuple[Words, Words]


@dataclass(frozen=True)
class Series:
    """Values (n,) at places (n,), with intervals (n,) as (low, high), None where there is none."""

    label: Words
    x: tuple[float, ...]
    y: tuple[float, ...]
    intervals: tuple[tuple[float, float] | None, ...]

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.y) == len(self.intervals):
            lengths = f"{len(self.x)} x, {len(self.y)} y, {len(self.intervals)} intervals"
            raise ValueError(f"series {self.label!r}: {lengths}")

    @classmethod
    def of(cls, label: Words, points: Iterable[tuple[float, Measurement]]) -> Series:
        """From measurements at their places; those without a number are left out."""
        known = [(x, m, m.value) for x, m in points if isinstance(m.value, int | float)]
        return cls(
            label=label,
            x=tuple(x for x, _, _ in known),
            y=tuple(float(value) for _, _, value in known),
            intervals=tuple((m.interval.low, m.interval.high) if m.interval else None for _, m, _ in known),
        )


@dataclass(frozen=True)
class Plot:
    """Series on one pair of axes."""

    title: Words
    series: tuple[Series, ...]


@dataclass(frozen=True, kw_only=True)
class Curves(Panel):
    """Plots side by side whose series have the same labels.

    `x_axis`: `logarithmic` joins the values of a series, `places` sets them side by side over numbered places.
    `left_out` tells of values that could not be drawn.
    """

    plots: tuple[Plot, ...]
    x_title: Words
    x_axis: Literal["logarithmic", "places"] = "places"
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spot:
    """One thing on a map: its file, its label (which gives the colour), a detail, and its sound where it is here."""

    file: str
    label: str
    detail: str
    sound: Path | None = None


@dataclass(frozen=True)
class MapView:
    """Where the spots of a map lie: positions (spots, 2), in any unit; `note` says what is to be seen there."""

    title: Words
    positions: tuple[tuple[float, float], ...]
    note: Words = ""


@dataclass(frozen=True, kw_only=True)
class Map(Panel):
    """Spots seen from several sides; `caption` says how the positions came about, `notice` what is missing."""

    spots: tuple[Spot, ...]
    views: tuple[MapView, ...]
    caption: Words = ""
    notice: Words = ""

    def __post_init__(self) -> None:
        for view in self.views:
            if len(view.positions) != len(self.spots):
                raise ValueError(f"map view {view.title!r}: {len(view.positions)} positions of {len(self.spots)} spots")


@dataclass(frozen=True)
class ShareGroup:
    """Measurements that are read together, each with what it is of; `mark` is a level to compare with.

    `scale` is what their axis goes from and to: shares lie in [0, 1], differences of shares in [-1, 1].
    """

    title: Words
    rows: tuple[tuple[Measurement, str], ...]
    mark: float | None = None
    mark_about: Words = ""
    scale: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Shares(Panel):
    """Groups of shares, each on the scale of its quantity; `left_out` are the reasons for what could not be had."""

    groups: tuple[ShareGroup, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Numbers(Panel):
    """Measurements as they are: values, units, intervals, sources, or why there is none."""

    measurements: tuple[Measurement, ...]


@dataclass(frozen=True, kw_only=True)
class Table(Panel):
    """Any other table: `rows` (n, columns) under `header` (columns,)."""

    header: tuple[Words, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Text(Panel):
    """Paragraphs."""

    paragraphs: tuple[Words, ...]


@dataclass(frozen=True, kw_only=True)
class Files(Panel):
    """Files of the store: images are shown, sounds played, others can be saved."""

    artefacts: tuple[Artefact, ...]


@runtime_checkable
class Displaying(Protocol):
    """The optional method of an `Evaluator`."""

    def display(self, evidence: Evidence, site: Site) -> Sequence[Panel]:
        """What is worth seeing of `evidence`. `site` has the store (`cache`) and the `corpus`, as far as they are here.

        Raises InputError where what the user named for it cannot be read.
        """
        ...


WARNINGS: Words = {"en": "To know of the inputs", "zh-TW": "輸入資料須知"}


def panels_of(evidence: Evidence, site: Site) -> tuple[Panel, ...]:
    """What the evaluator shows of its evidence; plain panels where it has no display, or where its display breaks.

    A display may be anybody's code: what it raises is told like a fault in measuring, and costs its own panels alone.
    """
    return (*_warnings(evidence), *_own_panels(evidence, site))


def _warnings(evidence: Evidence) -> tuple[Panel, ...]:
    """What a reader must know of the inputs, before anything that was made of them."""
    return (Text(title=WARNINGS, paragraphs=evidence.warnings),) if evidence.warnings else ()


def _own_panels(evidence: Evidence, site: Site) -> tuple[Panel, ...]:
    try:
        evaluator = get(evidence.evaluator)
    except InputError:  # it is of record, and whoever measured it is not here
        return plain_panels(evidence)
    if not isinstance(evaluator, Displaying):
        return plain_panels(evidence)
    try:
        return all_of("display", evaluator.display(evidence, site), Panel)
    except InputError:
        raise
    except Exception as error:  # it may be anybody's code
        told = broke(evidence.evaluator, say("display broke: {cause}", cause=cause_of(error)), error)
        return (Text(title=evidence.evaluator, paragraphs=(told.what,)), *plain_panels(evidence))


def plain_panels(evidence: Evidence) -> tuple[Panel, ...]:
    """All measurements and all files of any evidence."""
    title = evidence.evaluator
    numbers = Numbers(title=title, measurements=evidence.measurements)
    return (numbers, Files(title=title, artefacts=evidence.artefacts)) if evidence.artefacts else (numbers,)


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


@dataclass(frozen=True)
class Wording:
    """The parts of a measurement as texts, each empty where there is none; `value` is `undefined` where there is none.

    `over` says what the interval was taken over, `n` is `n = 12`, `reason` why there is no value.
    """

    value: str
    unit: str = ""
    interval: str = ""
    over: str = ""
    n: str = ""
    reason: str = ""


def number(value: float | None, signed: bool = False) -> str:
    """At most four significant digits."""
    return "" if value is None else f"{value:+.4g}" if signed else f"{value:.4g}"


def wording(measurement: Measurement) -> Wording:
    """The parts: measured numbers to four significant digits, words in quotation marks, `[low, high]`."""
    n = f"n = {measurement.n}" if measurement.n is not None else ""
    if measurement.undefined is not None:
        return Wording("undefined", n=n, reason=measurement.undefined)
    value, interval = measurement.value, measurement.interval
    return Wording(
        value=number(value) if isinstance(value, float) else f"“{value}”" if isinstance(value, str) else str(value),
        unit=measurement.unit,
        interval=f"[{number(interval.low)}, {number(interval.high)}]" if interval else "",
        over=interval.over if interval else "",
        n=n,
    )


def value_of(measurement: Measurement, *, with_n: bool = False) -> str:
    """`0.83 [0.8, 0.86] over clips STOI, n = 12`, or `undefined: ` and the reason."""
    words = wording(measurement)
    shown = f"{words.value}: {words.reason}"
    if not words.reason:
        over = f"over {words.over}" if words.over else ""
        shown = " ".join(filter(None, (words.value, words.interval, over, words.unit)))
    return f"{shown}, {words.n}" if with_n and words.n else shown
