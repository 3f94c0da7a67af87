"""The evaluator's work: from a site's corpus and codec to measurements, plots and a table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from audio.codec import load_codec
from audio.codec.weights import find_weights
from audio.metrics.engine import available_processors
from basics.errors import InputError, Problem
from evaluators.evidence import Artefact, Findings, Inputs, Measurement, Site
from evaluators.layer_separation import artefacts, vectors
from evaluators.layer_separation.parameters import Parameters
from evaluators.layer_separation.scores import Scorer
from evaluators.layer_separation.selection import Selection, select
from evaluators.layer_separation.separation import PACKAGES as MAPPING
from evaluators.layer_separation.separation import Separation, part, separate
from evaluators.origin import source_of
from evaluators.store import Store

PACKAGES = tuple(sorted({*vectors.PACKAGES, *MAPPING, "scikit-learn"}))
ENCODING = 0.4  # share of the whole time, for the progress bar


def inputs(parameters: Parameters, site: Site) -> Inputs:
    """Digests of all that the result depends on."""
    selection = select(parameters, site.corpus)
    weights = find_weights(site.codec_in_use)
    files = {**selection.digests(), **weights.files}
    return Inputs(files, weights=weights.digest, packages=PACKAGES, sounds=selection.paths)


def measure(parameters: Parameters, site: Site) -> Findings:
    """All measurements; plots and the table where the site keeps a cache."""
    selection = select(parameters, site.corpus)
    with _kept_in(site.cache) as root:
        found = _separate(selection, parameters, site, root)
        weights = find_weights(site.codec_in_use).digest
        source, _ = source_of(sounds=selection.paths, weights=weights, codec_of_record=site.codec_of_record)
        scorer = Scorer(found.samples, parameters.seeds, source)
        site.progress("layer_separation: intervals and plots", 0.98)
        measurements = (*selection.measurements(source), *scorer.measurements(parameters))
        shown = _artefacts(Store(root), found, measurements, selection, parameters) if site.cache else ()
    site.progress("layer_separation", 1.0)
    return Findings(measurements, shown)


def _separate(selection: Selection, parameters: Parameters, site: Site, root: Path) -> Separation:
    codec = load_codec(site.codec_in_use, device=site.device)
    if parameters.codebooks > codec.codebooks:
        what = f"{parameters.codebooks} wanted, {codec.name} has {codec.codebooks}"
        raise InputError(Problem("codebooks", what, "ask for fewer codebooks and for layers below that number"))

    def progress(what: str, done: float) -> None:
        site.progress(f"layer_separation: {what}", done)

    encoded = vectors.mean_vectors(
        codec, selection.sounds, parameters.codebooks, Store(root), part(progress, 0, ENCODING)
    )
    return separate(
        encoded,
        selection.cells,
        parameters,
        store=root,
        jobs=site.jobs or available_processors(),
        progress=part(progress, ENCODING, 0.98),
    )


def _artefacts(
    store: Store,
    found: Separation,
    measurements: Sequence[Measurement],
    selection: Selection,
    parameters: Parameters,
) -> tuple[Artefact, ...]:
    demonstration = any(measurement.is_demonstration for measurement in measurements)
    maps = (
        [artefacts.scatter(store, found, parameters, demonstration), artefacts.points(store, found, selection.files)]
        if found.maps
        else []
    )
    return (*maps, *artefacts.curves(store, measurements, demonstration), artefacts.by_speaker(store, found))


@contextmanager
def _kept_in(cache: Path | None) -> Iterator[Path]:
    """The site's cache, or a folder that is gone afterwards."""
    if cache:
        yield cache
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
