"""From a site's corpus and codec to a vector per clip and layer, then to measurements, plots and tables."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.clip import is_of_silence, load, naming_unreadable, summary_of
from audio.codec import Codec, Codes
from basics.errors import InputError, Problem
from basics.messages import say
from evaluators.codecs import at_once, codec_at, encode
from evaluators.evidence import Artefact, Findings, Inputs, Measurement, Site, digest
from evaluators.layer_separation import artefacts
from evaluators.layer_separation.parameters import Parameters
from evaluators.layer_separation.scores import Scorer
from evaluators.layer_separation.selection import Selection, select
from evaluators.layer_separation.separation import PACKAGES as MAPPING
from evaluators.layer_separation.separation import Separation, Vectors, part, separate
from evaluators.origin import source_of, weights_of
from evaluators.provenance import package_versions
from evaluators.store import Store

CODES_RECIPE = 2
"""Raised when the same sound would be read or encoded to other codes."""
CODEC_PACKAGES = ("soundfile", "soxr", "torch", "transformers")

Clips = Sequence[tuple[Path, str]]
"""Each clip's file and the sha256 of its content."""


def mean_vectors(
    codec: Codec,
    clips: Clips,
    codebooks: int,
    store: Store,
    progress: Callable[[str, float], None],
    *,
    allow_truncated: bool = False,
) -> Vectors:
    """File of vectors (clips, codebooks, dim) float32 in the store, written once; memory holds one batch of clips."""
    depends = [digest_of for _, digest_of in clips], codec.identity, codebooks
    key = digest(["layer vectors", CODES_RECIPE, package_versions(CODEC_PACKAGES), *depends])

    def produce(path: Path) -> None:
        tables = np.stack([codec.codebook_vectors(layer) for layer in range(codebooks)])  # (layers, codes, dim)
        shape = (len(clips), codebooks, tables.shape[2])
        vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        for number, codes in enumerate(clip_codes(codec, clips, codebooks, store, allow_truncated=allow_truncated)):
            vectors[number] = mean_vector(tables, codes)
            progress(f"codes of {clips[number][0].name}", (number + 1) / len(clips))
        vectors.flush()

    return Vectors(store.blob(key, ".npy", produce), key)


def mean_vector(tables: NDArray[np.float32], codes: Codes) -> NDArray[np.float64]:
    """Mean over time (layers, dim) of the vectors of `codes` (layers, frames) in `tables` (layers, codes, dim)."""
    layer = np.arange(len(codes))[:, None]
    mean: NDArray[np.float64] = tables[layer, codes].mean(axis=1, dtype=np.float64)
    return mean


def clip_codes(
    codec: Codec, clips: Clips, codebooks: int, store: Store, *, allow_truncated: bool = False
) -> Iterator[Codes]:
    """Codes (codebooks, frames) of each clip, in order; clips that the store does not know are encoded in batches.

    Raises InputError for files that cannot be read, all of them at once.
    """
    packages = package_versions(CODEC_PACKAGES)  # once: each is read from a file
    size = at_once()
    for first in range(0, len(clips), size):
        batch = clips[first : first + size]
        keys = [digest(["codes", CODES_RECIPE, content, codec.identity, codebooks, packages]) for _, content in batch]
        new = [number for number, key in enumerate(keys) if store.find(key, ".npy") is None]
        with naming_unreadable((path for path, _ in clips), allow_truncated=allow_truncated):
            sounds = [
                load(batch[number][0], codec.sample_rate, allow_truncated=allow_truncated).samples for number in new
            ]
        encoded = dict(zip(new, encode(codec, sounds, codebooks), strict=True)) if new else {}
        for number, key in enumerate(keys):
            yield np.load(store.blob(key, ".npy", _saver(encoded.get(number)))).astype(np.int64)


def _saver(codes: Codes | None) -> Callable[[Path], None]:
    return lambda path: np.save(path, np.asarray(codes, np.uint16))


PACKAGES = tuple(sorted({*CODEC_PACKAGES, *MAPPING, "scikit-learn"}))
ENCODING = 0.4  # share of the whole time, for the progress bar


def inputs(parameters: Parameters, site: Site) -> Inputs:
    """Digests of all that the result depends on.

    Raises Unavailable without a corpus or weights, InputError if unreadable.
    """
    selection = select(parameters, site)
    weights = weights_of(site)
    files = {**selection.digests(), **weights.files}
    return Inputs(files, weights=weights.digest, packages=PACKAGES, sounds=selection.paths)


def measure(parameters: Parameters, site: Site) -> Findings:
    """All measurements (silhouettes in [-1, 1]); plots and tables where the site keeps a cache.

    Raises like `inputs`.
    """
    selected = select(parameters, site)
    with _kept_in(site.cache) as root:
        selection = selected.without([n for n, notes in enumerate(selected.warnings) if is_of_silence(notes)])
        found = _separate(selection, parameters, site, root)
        source, _ = source_of(site, sounds=selection.paths, weights=weights_of(site).digest)
        scorer = Scorer(found.samples, parameters.seeds, source)
        site.progress("layer_separation: intervals and plots", 0.98)
        measurements = (*selection.measurements(source), *scorer.measurements(parameters))
        shown = _artefacts(Store(root), found, measurements, selection, parameters) if site.cache else ()
    site.progress("layer_separation", 1.0)
    told = zip(selected.clips, selected.warnings, strict=True)
    return Findings(
        measurements, shown, warnings=summary_of((clip.name, note) for clip, notes in told for note in notes)
    )


def _separate(selection: Selection, parameters: Parameters, site: Site, root: Path) -> Separation:
    codec = codec_at(site)
    if parameters.codebooks > codec.codebooks:
        what = say(
            "{wanted} wanted, {codec} has {codebooks}",
            wanted=parameters.codebooks,
            codec=codec.name,
            codebooks=codec.codebooks,
        )
        raise InputError(Problem("codebooks", what, say("ask for fewer codebooks and for layers below that number")))

    def progress(what: str, done: float) -> None:
        site.progress(f"layer_separation: {what}", done)

    encoded = mean_vectors(
        codec,
        selection.sounds,
        parameters.codebooks,
        Store(root),
        part(progress, 0, ENCODING),
        allow_truncated=site.allow_truncated,
    )
    return separate(
        encoded,
        selection.cells,
        parameters,
        store=root,
        jobs=site.jobs,
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
