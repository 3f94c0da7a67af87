"""What is shown of the layers: UMAP maps whose points can be heard, and silhouettes by layer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import audio
from basics.csv_source import read_records
from basics.errors import Unavailable
from evaluators.display import Curves, Map, MapView, Panel, Plot, Series, Spot, Words, in_language
from evaluators.evidence import Evidence, Measurement, Site
from evaluators.store import Store

LAYERS = (0, 6, 16, 31)
"""Layers that the course looks at; shown where they were mapped."""
BUILT_IN = Path(audio.__file__).parent / "clips" / "styles"
HEADER = ["layer", "seed", "x", "y", "file", "label", "speaker"]
"""Of the table of points; evidence from before artefacts had labels is known by it."""
LAYER = re.compile(r"(?P<name>\w+)\.layer_(?P<layer>\d+)")

PLACES: dict[str, Words] = {
    "": {"en": "In the vectors' own space", "zh-TW": "在向量原空間"},
    "_map": {"en": "In the UMAP maps", "zh-TW": "在 UMAP 投影圖"},
}
CURVES: dict[str, Words] = {
    "silhouette{}": {"en": "emotions", "zh-TW": "情緒"},
    "silhouette{}_within_speaker": {"en": "emotions, within a speaker", "zh-TW": "同一語者內的情緒"},
    "speaker_silhouette{}": {"en": "speakers", "zh-TW": "語者"},
}


def display(evidence: Evidence, site: Site) -> Iterator[Panel]:
    """Maps where the table of their points is here, then the silhouettes.

    Raises InputError if the site's corpus cannot be read.
    """
    if rows := points_of(evidence, Store(site.cache)):
        yield _map(rows, corpus_files(evidence, site.corpus), evidence)
    yield from silhouettes(evidence.measurements)


def points_of(evidence: Evidence, store: Store) -> list[Mapping[str, str]]:
    """The rows of the table of points; none where the evidence has no such table on this machine."""
    tables = [
        artefact
        for artefact in evidence.artefacts
        if artefact.media_type == "text/csv" and artefact.labels.get("kind", "points") == "points"
    ]
    for table in tables:
        if store.holds(table.path, table.sha256):
            rows = read_records(store.root / table.path)
            if rows and list(rows[0].cells) == HEADER:
                return [row.cells for row in rows]
    return []


def _map(rows: Sequence[Mapping[str, str]], sounds: Mapping[str, Path], evidence: Evidence) -> Map:
    seed = rows[0]["seed"]
    mapped = list(dict.fromkeys(int(row["layer"]) for row in rows))
    chosen = [layer for layer in LAYERS if layer in mapped] or mapped[: len(LAYERS)]
    of_layer = {n: [row for row in rows if int(row["layer"]) == n and row["seed"] == seed] for n in chosen}
    silent: Words = {
        "en": "The clips that were measured are not on this machine; name their folder with --corpus to hear them.",
        "zh-TW": "此電腦上沒有當時量測的音檔；請以 --corpus 指定其資料夾後再聆聽。",
    }
    return Map(
        title={"en": "Emotions in the codebook layers", "zh-TW": "各碼簿層中的情緒"},
        about={
            "en": "Each point is one clip: the mean of its codebook vectors in one layer, laid out by UMAP. Colour and "
            "shape tell the emotion. A point plays its clip and names its file.",
            "zh-TW": "每一點為一個音檔，即該層碼簿向量的平均，以 UMAP 投影。顏色與形狀表示情緒。"
            "點選任一點即播放該音檔並顯示檔名。",
        },
        spots=tuple(
            Spot(row["file"], row["label"], row["speaker"], sounds.get(row["file"])) for row in of_layer[chosen[0]]
        ),
        views=tuple(
            MapView(
                {"en": f"Layer {layer}", "zh-TW": f"第 {layer} 層"},
                tuple((float(row["x"]), float(row["y"])) for row in of_layer[layer]),
                _seen(layer, evidence),
            )
            for layer in chosen
        ),
        caption={"en": f"UMAP seed {seed}.", "zh-TW": f"UMAP 亂數種子 {seed}。"},
        notice="" if sounds else silent,
    )


SEEN: dict[str, Words] = {
    "silhouette_map.layer_{}": {"en": "emotions", "zh-TW": "情緒"},
    "pair_separation_map.layer_{}": {"en": "{} from {}", "zh-TW": "{} 與 {}"},
    "speaker_silhouette_map.layer_{}": {"en": "voices", "zh-TW": "語者"},
}
"""What a map can show, by the measurement that says how far it is apart there."""


def _seen(layer: int, evidence: Evidence) -> Words:
    """How far emotions, the pair that is asked about, and voices are apart in a map; nothing where none is known."""
    from evaluators.layer_separation.parameters import Parameters

    pair = Parameters.model_validate(evidence.parameters, strict=False).pair
    known = {m.name: m for m in evidence.measurements}
    found = [(words, known[name.format(layer)].value) for name, words in SEEN.items() if name.format(layer) in known]
    told = [(words, f"{value:.2f}".replace("-", "−")) for words, value in found if isinstance(value, float)]
    if not told:
        return ""
    english = ", ".join(f"{in_language(words, 'en').format(*pair)} {value}" for words, value in told)
    chinese = "、".join(f"{in_language(words, 'zh-TW').format(*pair)} {value}" for words, value in told)
    return {
        "en": f"Silhouette here: {english}. 0 is no clusters, 1 is far apart.",
        "zh-TW": f"此圖的輪廓係數：{chinese}。0 表示無群集，1 表示完全分開。",
    }


def corpus_files(evidence: Evidence, corpus: Path | None) -> dict[str, Path]:
    """The clips' files by name, if `corpus` or the built-in one is what was measured, by its digest; else none.

    Raises InputError if `corpus` cannot be read.
    """
    from evaluators.layer_separation.parameters import Parameters
    from evaluators.layer_separation.selection import left_out, select

    parameters = Parameters.model_validate(evidence.parameters, strict=False)
    for folder, leave_out in ((corpus, left_out(evidence.provenance.inputs)), (BUILT_IN, ())):
        if folder is None:
            continue
        try:
            selection = select(parameters, Site(corpus=folder, leave_out=leave_out, allow_truncated=True))
        except Unavailable:
            continue  # it has none of these emotions, so it is not what was measured
        if selection.digests().items() <= evidence.provenance.inputs.items():
            return {clip.name: clip.path for clip in selection.clips}
    return {}


def silhouettes(measurements: Iterable[Measurement]) -> Iterator[Curves]:
    """Mean silhouettes by layer with intervals, in the space of the vectors and in the maps."""
    known: dict[str, list[tuple[float, Measurement]]] = {}
    for m in measurements:
        if (parts := LAYER.fullmatch(m.name)) and isinstance(m.value, int | float):
            known.setdefault(parts["name"], []).append((int(parts["layer"]), m))
    named = {n: label for n, label in CURVES.items() if any(n.format(place) in known for place in PLACES)}
    plots = [
        Plot(title, tuple(Series.of(label, known.get(name.format(place), ())) for name, label in named.items()))
        for place, title in PLACES.items()
    ]
    drawn = tuple(plot for plot in plots if any(series.x for series in plot.series))
    if drawn:
        yield Curves(
            title={"en": "How far the emotions separate", "zh-TW": "情緒的分離程度"},
            about={
                "en": "Mean silhouette by layer (Rousseeuw 1987): 1 is far apart, 0 is no clusters. Bars: 95 % "
                "intervals.",
                "zh-TW": "各層的平均輪廓係數（Rousseeuw 1987）：1 表示完全分開，0 表示無群集。線段為 95% 區間。",
            },
            plots=drawn,
            x_title={"en": "layer", "zh-TW": "層"},
        )
