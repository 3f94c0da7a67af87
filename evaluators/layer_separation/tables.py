"""Tables beside the measurements: every point of every map with its file, and the silhouettes of each speaker."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from evaluators.evidence import Artefact, digest
from evaluators.layer_separation.parameters import PLACES
from evaluators.layer_separation.separation import Separation
from evaluators.store import Store


def points(store: Store, found: Separation, files: Sequence[str]) -> Artefact:
    """Every point of every map with its file; `files` (clips,) names each clip's."""
    cells = found.samples.cells
    labels = [cells.emotions[emotion] for emotion in cells.cell_emotion[cells.cell]]
    speakers = [cells.speakers[speaker] for speaker in cells.cell_speaker[cells.cell]]
    rows = (
        (layer, seed, f"{x:.5f}", f"{y:.5f}", file, label, speaker)
        for (layer, seed), positions in found.maps.items()
        for (x, y), file, label, speaker in zip(positions.tolist(), files, labels, speakers, strict=True)
    )
    header = ("layer", "seed", "x", "y", "file", "label", "speaker")
    return _table(store, "Every point of every map, with its file", header, rows, kind="points")


def by_speaker(store: Store, found: Separation) -> Artefact:
    """Mean silhouette of the emotions among each speaker's own clips, by layer, in the space and in the maps."""
    header = ("layer", "place", "speaker", "clips", "silhouette")
    return _table(store, "Silhouettes of the emotions within each speaker", header, _speakers(found), kind="speakers")


def _speakers(found: Separation) -> Iterator[tuple[object, ...]]:
    cells = found.samples.cells
    for (name, layer), sample in found.samples.values.items():
        for suffix in PLACES:
            if name == f"silhouette{suffix}_within_speaker":
                for number, speaker in enumerate(cells.speakers):
                    values = sample.silhouettes[:, cells.cell_speaker[cells.cell] == number]
                    mean = "" if np.isnan(values).all() else f"{values.mean():.4f}"
                    yield layer, "map" if suffix else "space", speaker, values.shape[1], mean


def _table(store: Store, title: str, header: Sequence[str], rows: Iterable[Sequence[object]], kind: str) -> Artefact:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    content = text.getvalue()
    path = store.blob(digest(content), ".csv", lambda path: _write(path, content))
    return store.artefact(title, path, "text/csv", kind=kind)


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
