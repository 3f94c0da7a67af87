"""What the sound of a clip says about its speaker, as small vectors: pitch, spectral envelope, codebook vectors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from basics.errors import Unavailable, Undefined
from basics.kernels import keep_kernels_whole
from evaluators.evidence import Measurement, Site, Source, digest
from evaluators.origin import source_of, weights_of
from evaluators.speaker_gender.separability import held_out, vector_classifier
from evaluators.speaker_gender.voices import Utterance, synthetic_among
from evaluators.store import Store

if TYPE_CHECKING:
    from audio.codec import Codec, Weights


SAMPLE_RATE = 16_000
F0_RANGE = (60.0, 500.0)  # Hz, from a low male to a high female voice, laughter and singing left out
FRAME = 1024  # samples; two periods of the lowest F0 fit in
HOP = 512
ENVELOPE = 13  # mel-frequency cepstral coefficients, the usual number for speech; the first, the level, is left out


def acoustic_features(voices: Sequence[Utterance], site: Site) -> list[list[float] | None]:
    """[median log2 F0, spread of log2 F0, mean of MFCCs 1 to 12] of each clip; None where no frame is voiced.

    F0 in octaves re 1 Hz by probabilistic YIN (Mauch and Dixon, ICASSP 2014; `librosa.pyin`), over voiced frames; the
    spread is the interquartile range. Kept in the site's cache.
    """
    found = []
    for number, utterance in enumerate(voices):
        site.progress(f"pitch of {utterance.path.name}", number / len(voices))
        found.append(_remembered(utterance, site))
    return found


def _remembered(utterance: Utterance, site: Site) -> list[float] | None:
    if site.cache is None:
        return _features(utterance)
    recipe = {"rate": SAMPLE_RATE, "f0": F0_RANGE, "frame": FRAME, "hop": HOP, "mfcc": [1, ENVELOPE]}
    key = digest({"kind": "acoustic", "recipe": recipe, "librosa": version("librosa"), "clip": utterance.digest})
    path = Store(site.cache).blob(key, ".json", lambda made: _write(made, _features(utterance)))
    vector: list[float] | None = json.loads(path.read_text())
    return vector


def _write(path: Path, vector: object) -> None:
    path.write_text(json.dumps(vector))


def _features(utterance: Utterance) -> list[float] | None:
    keep_kernels_whole()
    import librosa
    import numpy as np

    samples = utterance.sound(SAMPLE_RATE)
    f0, voiced, _ = librosa.pyin(
        samples, fmin=F0_RANGE[0], fmax=F0_RANGE[1], sr=SAMPLE_RATE, frame_length=FRAME, hop_length=HOP
    )
    octaves = np.log2(f0[voiced])
    if not len(octaves):
        return None
    envelope = librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE, n_mfcc=ENVELOPE)[1:].mean(axis=1)
    low, middle, high = np.quantile(octaves, (0.25, 0.5, 0.75))
    return [float(middle), float(high - low), *map(float, envelope)]


def voiced_only(vectors: Sequence[list[float] | None]) -> list[int]:
    """Indices of the clips with pitch. Raises Undefined when there is none."""
    kept = [i for i, vector in enumerate(vectors) if vector is not None]
    if not kept:
        raise Undefined("no clip has a voiced frame")
    return kept


Vectors = list[list[float]]
"""(layers, dimensions) of one clip."""


def weights(site: Site) -> Weights | None:
    """The codec's weights, or None where there are none."""
    try:
        return weights_of(site)
    except Unavailable:
        return None


def codec_accuracies(
    voices: Sequence[Utterance], layers: Sequence[int], seed: int, site: Site
) -> Iterator[Measurement]:
    """`channel.codec_gender_accuracy.layer_N` of each layer: logistic regression on mean vectors, by speaker."""
    from evaluators.codecs import codec_at

    try:
        codec = codec_at(site)
    except Unavailable as error:
        for layer in layers:
            yield Measurement(name=_name(layer), undefined=f"{error.what}; {error.remedy}", source="measured")
        return
    sounds = [voice.path for voice in voices]
    source, _ = source_of(site, sounds=sounds, synthetic=synthetic_among(voices), weights=codec.weights_digest)
    usable = [layer for layer in layers if layer < codec.codebooks]
    vectors = mean_vectors(codec, voices, usable, site)
    for layer in layers:
        if layer not in usable:
            reason = f"{codec.name} has {codec.codebooks} codebooks"
            yield Measurement(name=_name(layer), undefined=reason, source=source)
        else:
            own = [clip[usable.index(layer)] for clip in vectors]
            yield _accuracy(_name(layer), voices, own, seed, source, codec.name)


def _name(layer: int) -> str:
    return f"channel.codec_gender_accuracy.layer_{layer}"


def _accuracy(
    name: str, voices: Sequence[Utterance], vectors: Sequence[list[float]], seed: int, source: Source, codec: str
) -> Measurement:
    genders, speakers = [v.gender for v in voices], [v.speaker for v in voices]
    try:
        outcome = held_out(vector_classifier, vectors, genders, speakers, over="speakers", seed=seed)
    except Undefined as error:
        return Measurement(name=name, undefined=error.reason, source=source, locator=codec)
    return Measurement(
        name=name,
        value=round(outcome.accuracy, 6),
        unit="share",
        n=len(voices),
        interval=outcome.interval,
        source=source,
        locator=codec,
        note="speakers held out",
    )


def mean_vectors(codec: Codec, voices: Sequence[Utterance], layers: Sequence[int], site: Site) -> list[Vectors]:
    """Mean over frames of each layer's codebook vectors, (clips, layers, dimensions); kept in the site's cache.

    As the homework's notebook does for emotion: look every code up in its own layer's codebook, average over frames.
    """
    from evaluators.codecs import at_once

    books = {layer: codec.codebook_vectors(layer) for layer in layers}
    size = at_once()
    found: list[Vectors] = []
    for start in range(0, len(voices), size):
        site.progress(f"codes of {voices[start].path.name}", start / len(voices))
        found += _remembered_codes(codec, voices[start : start + size], books, site)
    return found


def _remembered_codes(
    codec: Codec, voices: Sequence[Utterance], books: dict[int, Any], site: Site
) -> Iterator[Vectors]:
    if site.cache is None:
        yield from _vectors(codec, voices, books)
        return
    store, parts = Store(site.cache), {"weights": codec.identity, "layers": sorted(books)}
    keys = [digest({"kind": "mean codebook vectors", **parts, "clip": voice.digest}) for voice in voices]
    found = [store.find(key, ".json") for key in keys]
    made = _vectors(codec, [voice for voice, path in zip(voices, found, strict=True) if path is None], books)
    for key, path in zip(keys, found, strict=True):
        yield json.loads((path or store.blob(key, ".json", partial(_write, vector=next(made)))).read_text())


def _vectors(codec: Codec, voices: Sequence[Utterance], books: dict[int, Any]) -> Iterator[Vectors]:
    from evaluators.codecs import encode

    for codes in encode(codec, [voice.sound(codec.sample_rate) for voice in voices], max(books) + 1):
        yield [book[codes[layer]].mean(axis=0).tolist() for layer, book in books.items()]
