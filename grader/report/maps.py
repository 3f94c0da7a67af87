"""UMAP panels whose points can be clicked, and silhouettes by layer, from what `layer_separation` kept.

Points that can be heard are elements of their own; the others of a large corpus are drawn behind them in one path for
each emotion, so that a page with thousands of clips stays light.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import audio
from basics.errors import Unavailable
from evaluators.evidence import Evidence
from evaluators.store import Store
from grader.report.cards import all_evidence, questions_using
from grader.report.plots import Line, Plot, by_layer, spoken
from grader.report.sounds import SoundBank
from grader.verdicts.testimony import Testimony

PANELS = (0, 6, 16, 31)
"""Layers that the course looks at; shown where they were mapped."""
SIZE, EDGE = 300.0, 12.0
HEARD = 240
"""Clips that can be played, drawn evenly from the corpus."""
BUILT_IN = Path(audio.__file__).parent / "clips" / "styles"
HEADER = ["layer", "seed", "x", "y", "file", "label", "speaker"]
CURVES = ("silhouette{}", "silhouette{}_within_speaker", "speaker_silhouette{}")
LAYER = re.compile(r"(?P<name>\w+)\.layer_(?P<layer>\d+)")


@dataclass(frozen=True)
class Spot:
    """One clip: its file inside the corpus, emotion (name and number), speaker, and sound in the page, if any."""

    file: str
    label: str
    group: int
    speaker: str
    sound: str | None


@dataclass(frozen=True)
class Panel:
    """The map of one layer: places of the clips that can be heard, by number, and a path of the others by emotion."""

    layer: int
    points: tuple[tuple[int, float, float], ...]
    background: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Map:
    """The maps of one piece of evidence, with its silhouettes."""

    panels: tuple[Panel, ...]
    spots: tuple[Spot, ...]
    labels: tuple[str, ...]
    seed: int
    silhouettes: tuple[Plot, ...]
    silent: str
    demonstration: bool
    questions: tuple[str, ...]

    @property
    def heard(self) -> int:
        return sum(spot.sound is not None for spot in self.spots)


@dataclass(frozen=True)
class Maps:
    """All maps of the quiz."""

    maps: tuple[Map, ...]
    anchor: str = "maps"
    title: str = "maps"
    template: str = "maps.html.j2"


def maps(
    testimonies: Sequence[Testimony], store: Store, bank: SoundBank, corpus: Path | None, words: Mapping[str, str]
) -> Maps | None:
    """The maps among the evidence; None where there are none. `corpus` is where the clips are looked for."""
    found = []
    for exhibit in all_evidence(testimonies):
        evidence = exhibit.evidence
        rows = points_of(evidence, store)
        if evidence.evaluator == "layer_separation" and rows:
            used = questions_using(evidence, testimonies)
            found.append(_map(evidence, rows, used, bank, corpus, words))
    return Maps(tuple(found)) if found else None


def points_of(evidence: Evidence, store: Store) -> list[dict[str, str]]:
    """The rows of the table of points; none where the evidence has no such table on this machine."""
    for artefact in evidence.artefacts:
        if artefact.media_type == "text/csv" and store.holds(artefact.path, artefact.sha256):
            with (store.root / artefact.path).open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                if reader.fieldnames == HEADER:
                    return list(reader)
    return []


def _map(
    evidence: Evidence,
    rows: Sequence[Mapping[str, str]],
    questions: tuple[str, ...],
    bank: SoundBank,
    corpus: Path | None,
    words: Mapping[str, str],
) -> Map:
    seed = rows[0]["seed"]
    layers = list(dict.fromkeys(int(row["layer"]) for row in rows))
    shown = [layer for layer in PANELS if layer in layers] or layers[: len(PANELS)]
    by_layer_rows = {n: [r for r in rows if int(r["layer"]) == n and r["seed"] == seed] for n in shown}
    clips = by_layer_rows[shown[0]]
    labels = tuple(sorted({row["label"] for row in clips}))
    paths = corpus_files(evidence, corpus)
    spots = tuple(_spots(clips, labels, paths, bank))
    return Map(
        panels=tuple(_panel(layer, by_layer_rows[layer], spots, bool(paths)) for layer in shown),
        spots=spots,
        labels=labels,
        seed=int(seed),
        silhouettes=silhouettes(evidence, words),
        silent="" if paths else words["maps_silent"],
        demonstration=any(m.source == "demonstration" for m in evidence.measurements),
        questions=questions,
    )


def corpus_files(evidence: Evidence, corpus: Path | None) -> dict[str, Path]:
    """The clips' files by name, if `corpus` or the built-in one is what was measured, by its digest; else none.

    Raises InputError if `corpus` cannot be read.
    """
    from evaluators.layer_separation.clips import select
    from evaluators.layer_separation.parameters import Parameters

    parameters = Parameters.model_validate(evidence.parameters, strict=False)
    for folder in filter(None, (corpus, BUILT_IN)):
        try:
            selection = select(parameters, folder)
        except Unavailable:
            continue  # it has none of these emotions, so it is not what was measured
        if selection.digests().items() <= evidence.provenance.inputs.items():
            return {clip.name: clip.path for clip in selection.clips}
    return {}


def _spots(
    clips: Sequence[Mapping[str, str]], labels: Sequence[str], paths: Mapping[str, Path], bank: SoundBank
) -> list[Spot]:
    every = max(1, -(-len(clips) // HEARD))
    audible = [row["file"] for row in clips[::every] if row["file"] in paths]
    sounds = dict(zip(audible, bank.compact([paths[file] for file in audible]), strict=True))
    return [
        Spot(row["file"], row["label"], labels.index(row["label"]), row["speaker"], sounds.get(row["file"]))
        for row in clips
    ]


def _panel(layer: int, rows: Sequence[Mapping[str, str]], spots: Sequence[Spot], audible: bool) -> Panel:
    """Without any sound every point is an element of its own as long as there are few, so that all can be named."""
    xs, ys = [float(row["x"]) for row in rows], [float(row["y"]) for row in rows]
    scale = (SIZE - 2 * EDGE) / (max(max(xs) - min(xs), max(ys) - min(ys)) or 1.0)
    middle_x, middle_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    places = [
        (round(SIZE / 2 + scale * (x - middle_x), 1), round(SIZE / 2 - scale * (y - middle_y), 1))
        for x, y in zip(xs, ys, strict=True)
    ]
    own = [spot.sound is not None if audible else i < HEARD for i, spot in enumerate(spots)]
    behind: dict[int, list[str]] = {}
    for (x, y), spot, separate in zip(places, spots, own, strict=True):
        if not separate:
            behind.setdefault(spot.group, []).append(f"M{x:g} {y:g}h0")
    points = tuple((i, *places[i]) for i, separate in enumerate(own) if separate)
    return Panel(layer, points, tuple((group, "".join(path)) for group, path in sorted(behind.items())))


def silhouettes(evidence: Evidence, words: Mapping[str, str]) -> tuple[Plot, ...]:
    """Mean silhouettes by layer with intervals, in the space of the vectors and in the maps."""
    known: dict[str, list[tuple[int, Any]]] = {}
    for m in evidence.measurements:
        if (parts := LAYER.fullmatch(m.name)) and isinstance(m.value, int | float):
            known.setdefault(parts["name"], []).append((int(parts["layer"]), m))
    plots = []
    for place in ("", "_map"):
        named = [name.format(place) for name in CURVES if name.format(place) in known]
        lines = [_curve(words["curve_" + name.replace(place or "-", "")], known[name]) for name in named]
        layers = sorted({int(x) for line in lines for x in line.x})
        if lines:
            title = words["silhouettes" + place]
            svg = by_layer(lines, f"{title}: {'; '.join(map(spoken, lines))}", layers)
            plots.append(Plot(title, svg, tuple(line.label for line in lines)))
    return tuple(plots)


def _curve(label: str, points: Sequence[tuple[int, Any]]) -> Line:
    return Line(
        label=label,
        x=[layer for layer, _ in points],
        y=[float(m.value) for _, m in points],
        intervals=[(m.interval.low, m.interval.high) if m.interval else None for _, m in points],
    )
