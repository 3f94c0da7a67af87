"""From clips to a vector per clip and layer: each code looked up in its own layer's codebook, averaged over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.clip import load, naming_unreadable
from audio.codec import Codec, Codes
from evaluators.evidence import digest
from evaluators.layer_separation.separation import Vectors
from evaluators.provenance import package_versions
from evaluators.store import Store

CODES_RECIPE = 1
"""Raised when the same sound would be read or encoded to other codes."""
PACKAGES = ("soundfile", "soxr", "torch", "transformers")
BATCH = 32  # clips encoded at a time

Clips = Sequence[tuple[Path, str]]
"""Each clip's file and the sha256 of its content."""


def mean_vectors(
    codec: Codec, clips: Clips, codebooks: int, store: Store, progress: Callable[[str, float], None]
) -> Vectors:
    """File of vectors (clips, codebooks, dim) float32 in the store, written once; memory holds one batch of clips."""
    depends = [digest_of for _, digest_of in clips], codec.identity, codebooks
    key = digest(["layer vectors", CODES_RECIPE, package_versions(PACKAGES), *depends])

    def produce(path: Path) -> None:
        tables = np.stack([codec.codebook_vectors(layer) for layer in range(codebooks)])  # (layers, codes, dim)
        shape = (len(clips), codebooks, tables.shape[2])
        vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        for number, codes in enumerate(clip_codes(codec, clips, codebooks, store)):
            vectors[number] = mean_vector(tables, codes)
            progress(f"codes of {clips[number][0].name}", (number + 1) / len(clips))
        vectors.flush()

    return Vectors(store.blob(key, ".npy", produce), key)


def mean_vector(tables: NDArray[np.float32], codes: Codes) -> NDArray[np.float64]:
    """Mean over time (layers, dim) of the vectors of `codes` (layers, frames) in `tables` (layers, codes, dim)."""
    layer = np.arange(len(codes))[:, None]
    mean: NDArray[np.float64] = tables[layer, codes].mean(axis=1, dtype=np.float64)
    return mean


def clip_codes(codec: Codec, clips: Clips, codebooks: int, store: Store) -> Iterator[Codes]:
    """Codes (codebooks, frames) of each clip, in order; clips that the store does not know are encoded in batches.

    Raises InputError for files that cannot be read, all of them at once.
    """
    for first in range(0, len(clips), BATCH):
        batch = clips[first : first + BATCH]
        keys = [_codes_key(content, codec, codebooks) for _, content in batch]
        new = [number for number, key in enumerate(keys) if store.find(key, ".npy") is None]
        with naming_unreadable(path for path, _ in clips):
            sounds = [load(batch[number][0], codec.sample_rate).samples for number in new]
        encoded = dict(zip(new, codec.encode(sounds, codebooks), strict=True)) if new else {}
        for number, key in enumerate(keys):
            yield np.load(store.blob(key, ".npy", _saver(encoded.get(number)))).astype(np.int64)


def _codes_key(content: str, codec: Codec, codebooks: int) -> str:
    packages = package_versions(PACKAGES)
    return digest(["codes", CODES_RECIPE, content, codec.identity, codebooks, packages])


def _saver(codes: Codes | None) -> Callable[[Path], None]:
    return lambda path: np.save(path, np.asarray(codes, np.uint16))
