"""What evaluators show of their evidence, made ready for the page: rendered by the type of each panel alone."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluators.display import (
    Curves,
    Files,
    Map,
    MapView,
    Numbers,
    Pair,
    Panel,
    Players,
    Shares,
    Spot,
    Table,
    Text,
    in_language,
    panels_of,
)
from evaluators.evidence import Artefact, Site
from evaluators.store import Store
from grader.quiz.words import Language
from grader.report.cards import Used, all_evidence
from grader.report.plots import Drawing, curve_drawings
from grader.report.sounds import SoundBank, Spectrograms, heard, level_matched, spectrograms
from grader.verdicts.testimony import Testimony

LONGEST = 20.0
"""Seconds of a clip that the page plays; what is left out is said beside the player."""
SIZE, EDGE = 300.0, 12.0
HEARD = 120
"""Spots of a map that can be played, drawn evenly from all."""
LARGEST = 2_000_000
"""Bytes of a file that the page holds; of a larger one it says where it is."""


@dataclass(frozen=True)
class Page:
    """What panels are rendered with."""

    store: Store
    bank: SoundBank
    language: Language


@dataclass(frozen=True)
class Player:
    """A pair of sounds, ready to be played: ids of sounds in the page."""

    title: str
    detail: str
    sides: tuple[str, str]
    first: str
    second: str
    gain_db: float
    seconds: float
    shortened: bool
    pictures: Spectrograms


@dataclass(frozen=True)
class Plots:
    """Drawings side by side under one legend, which names the series in the order of their colours."""

    legend: tuple[str, ...]
    drawings: tuple[Drawing, ...]
    x_title: str
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class MapSpot:
    """A spot with the number of its label and its sound in the page, if any."""

    file: str
    label: str
    group: int
    detail: str
    sound: str | None


@dataclass(frozen=True)
class MapDrawing:
    """One view: places of the spots that can be chosen, by number, and a path of the others by label."""

    title: str
    points: tuple[tuple[int, float, float], ...]
    background: tuple[tuple[int, str], ...]
    note: str


@dataclass(frozen=True)
class MapDrawings:
    """All views of a map."""

    drawings: tuple[MapDrawing, ...]
    spots: tuple[MapSpot, ...]
    labels: tuple[str, ...]
    caption: str
    notice: str

    @property
    def heard(self) -> int:
        return sum(spot.sound is not None for spot in self.spots)


@dataclass(frozen=True)
class KeptFile:
    """A file of the store: a data URI, the id of a sound in the page, or, if neither, where it would be."""

    title: str
    media_type: str
    name: str
    uri: str = ""
    sound: str = ""


View = Player | Plots | MapDrawings | Shares | Numbers | Table | Text | KeptFile


@dataclass(frozen=True)
class Shown:
    """One figure of the page; `template` is the macro that writes `view`."""

    template: str
    view: View
    demonstration: bool
    questions: tuple[str, ...]


@dataclass
class Section:
    """All panels of one title, in groups (under no heading where the group is empty).

    `absent` counts the pairs of sounds that the evidence names and this machine does not hold.
    """

    title: str
    about: str
    anchor: str
    plain: bool
    absent: int = 0
    groups: dict[str, list[Shown]] = field(default_factory=dict)

    @property
    def templates(self) -> set[str]:
        return {shown.template for figures in self.groups.values() for shown in figures}


def sections(testimonies: Sequence[Testimony], site: Site, page: Page) -> list[Section]:
    """What is shown of all evidence by title, plain numbers last."""
    found: dict[str, Section] = {}
    for used in all_evidence(testimonies):
        for panel in panels_of(used.exhibit.evidence, site):
            _add(panel, _section(panel, found, page), used, page)
    return sorted(found.values(), key=lambda section: section.plain)


def _section(panel: Panel, found: dict[str, Section], page: Page) -> Section:
    title, about = in_language(panel.title, page.language), in_language(panel.about, page.language)
    anchor = "shown-" + re.sub(r"\W+", "-", in_language(panel.title, "en").lower()).strip("-")
    return found.setdefault(title, Section(title, about, anchor, plain=isinstance(panel, Numbers)))


def _add(panel: Panel, section: Section, used: Used, page: Page) -> None:
    if isinstance(panel, Players):
        section.absent += sum(not _here(pair, page.store) for pair in panel.pairs)
    for group, template, view in _views(panel, page):
        shown = Shown(template, view, used.demonstration, used.questions)
        section.groups.setdefault(group, []).append(shown)


def _views(panel: Panel, page: Page) -> Iterator[tuple[str, str, View]]:
    """Group, template and content of every figure of a panel."""
    match panel:
        case Players():
            for pair in panel.pairs:
                if _here(pair, page.store):
                    yield in_language(pair.group, page.language), "player", _player(pair, panel, page)
        case Curves() if panel.plots:
            yield "", "plots", _plots(panel, page.language)
        case Map() if panel.spots:
            yield "", "map", map_drawings(panel, page)
        case Shares():
            yield "", "shares", panel
        case Numbers():
            yield "", "numbers", panel
        case Table():
            yield "", "table", panel
        case Text():
            yield "", "text", panel
        case Files():
            for artefact in panel.artefacts:
                yield "", "file", _file(artefact, page)


def _here(pair: Pair, store: Store) -> bool:
    return all(store.holds(sound.path, sound.sha256) for sound in (pair.first, pair.second))


def _player(pair: Pair, panel: Players, page: Page) -> Player:
    root = page.store.root
    first, second, rate = heard(root / pair.first.path, root / pair.second.path)
    matched = level_matched(first[: int(LONGEST * rate)], second[: int(LONGEST * rate)])
    a, b = (in_language(side, page.language) for side in panel.sides)
    return Player(
        title=pair.title,
        detail=pair.detail,
        sides=(a, b),
        first=page.bank.exact(matched.first, rate),
        second=page.bank.exact(matched.second, rate),
        gain_db=matched.gain_db,
        seconds=len(matched.first) / rate,
        shortened=len(first) > LONGEST * rate,
        pictures=spectrograms(matched.first, matched.second, rate),
    )


def _plots(curves: Curves, language: Language) -> Plots:
    return Plots(
        legend=tuple(in_language(series.label, language) for series in curves.plots[0].series),
        drawings=curve_drawings(curves, language),
        x_title=in_language(curves.x_title, language),
        left_out=curves.left_out,
    )


def map_drawings(panel: Map, page: Page) -> MapDrawings:
    """The views of a map.

    Spots that can be heard are elements of their own; the others of a large corpus are drawn behind them in one path
    for each label, so that a page with thousands of clips stays light.
    """
    labels = tuple(sorted({spot.label for spot in panel.spots}))
    spots = _spots(panel.spots, labels, page.bank)
    return MapDrawings(
        drawings=tuple(_map_drawing(view, spots, page.language) for view in panel.views),
        spots=spots,
        labels=labels,
        caption=in_language(panel.caption, page.language),
        notice=in_language(panel.notice, page.language),
    )


def _spots(spots: Sequence[Spot], labels: Sequence[str], bank: SoundBank) -> tuple[MapSpot, ...]:
    every = max(1, -(-len(spots) // HEARD))
    audible = [spot.sound for spot in spots[::every] if spot.sound]
    sounds = dict(zip(audible, bank.compact(audible), strict=True))
    return tuple(
        MapSpot(s.file, s.label, labels.index(s.label), s.detail, sounds.get(s.sound) if s.sound else None)
        for s in spots
    )


def _map_drawing(view: MapView, spots: Sequence[MapSpot], language: Language) -> MapDrawing:
    """Without any sound every spot is an element of its own as long as there are few, so that all can be named."""
    audible = any(spot.sound for spot in spots)
    own = [spot.sound is not None if audible else i < HEARD for i, spot in enumerate(spots)]
    places = list(_fitted(view.positions))
    behind: dict[int, list[str]] = {}
    for (x, y), spot, separate in zip(places, spots, own, strict=True):
        if not separate:
            behind.setdefault(spot.group, []).append(f"M{x:g} {y:g}h0")
    return MapDrawing(
        title=in_language(view.title, language),
        points=tuple((i, *places[i]) for i, separate in enumerate(own) if separate),
        background=tuple((group, "".join(path)) for group, path in sorted(behind.items())),
        note=in_language(view.note, language),
    )


def _fitted(positions: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Positions in the square of the drawing, in one scale for both axes, y upwards."""
    xs, ys = zip(*positions, strict=True)
    scale = (SIZE - 2 * EDGE) / (max(max(xs) - min(xs), max(ys) - min(ys)) or 1.0)
    middle_x, middle_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    for x, y in zip(xs, ys, strict=True):
        yield round(SIZE / 2 + scale * (x - middle_x), 1), round(SIZE / 2 - scale * (y - middle_y), 1)


def _file(artefact: Artefact, page: Page) -> KeptFile:
    """The file as the page holds it: sounds with the other sounds, anything else of moderate size as a data URI."""
    path = page.store.root / artefact.path
    here: dict[str, Any] = {"title": artefact.title, "media_type": artefact.media_type, "name": path.name}
    if not page.store.holds(artefact.path, artefact.sha256) or path.stat().st_size > LARGEST:
        return KeptFile(**here | {"name": artefact.path})
    if artefact.media_type.startswith("audio/"):
        return KeptFile(**here, sound=page.bank.as_it_is(path, artefact.media_type))
    content = base64.b64encode(path.read_bytes()).decode()
    return KeptFile(**here, uri=f"data:{artefact.media_type};base64,{content}")
