"""What an evaluator shows of its evidence: plain descriptions, which a report renders by their type alone.

Who measures knows best what of it is worth seeing and what it is called, so an evaluator may bring a method
`display(evidence, site)` that returns panels. It runs wherever a report is made, long after measuring: it reads the
evidence, the files that the evidence names in the store (`site.cache`) and nothing that takes time. Evidence of an
evaluator without a display is shown plainly: all measurements as a table, images, sounds and files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from basics.errors import InputError
from evaluators.evidence import Artefact, Evidence, Measurement, Site
from evaluators.gathering import fault
from evaluators.registry import get

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
    """Where the spots of a map lie: positions (spots, 2), in any unit."""

    title: Words
    positions: tuple[tuple[float, float], ...]


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
    """Measurements in [0, 1] that are read together, each with what it is of; `mark` is a level to compare with."""

    title: Words
    rows: tuple[tuple[Measurement, str], ...]
    mark: float | None = None
    mark_about: Words = ""


@dataclass(frozen=True, kw_only=True)
class Shares(Panel):
    """Groups of shares on one scale from 0 to 1; `left_out` are the reasons for what could not be had."""

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


def panels_of(evidence: Evidence, site: Site) -> tuple[Panel, ...]:
    """What the evaluator shows of its evidence; plain panels where it has no display, or where its display breaks.

    A display may be anybody's code: what it raises is told like a fault in measuring, and costs its own panels alone.
    """
    evaluator = get(evidence.evaluator)
    if not isinstance(evaluator, Displaying):
        return plain_panels(evidence)
    try:
        return tuple(evaluator.display(evidence, site))
    except InputError:
        raise
    except Exception as error:  # it may be anybody's code
        told = fault(evaluator, evaluator.Parameters.model_validate(evidence.parameters, strict=False), error)
        return (Text(title=evidence.evaluator, paragraphs=(f"display {told.what}",)), *plain_panels(evidence))


def plain_panels(evidence: Evidence) -> tuple[Panel, ...]:
    """All measurements and all files of any evidence."""
    title = evidence.evaluator
    numbers = Numbers(title=title, measurements=evidence.measurements)
    return (numbers, Files(title=title, artefacts=evidence.artefacts)) if evidence.artefacts else (numbers,)
