"""Mimi as a `Codec`: lists of any lengths, batched where that is faster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import MimiConfig

from audio.codec.contract import Audio, Codec, Codes
from audio.codec.weights import Weights
from basics.errors import InputError, Problem
from basics.messages import say

CHUNK = 25  # frames that go through the network at once: 2 s, which take little memory and fit the caches
BATCH_SECONDS = 120.0  # sound in one batch on a GPU, padding included: about 3 GB

Item = TypeVar("Item")
Result = TypeVar("Result")


class Network(Protocol):
    """Mimi in evaluation mode on one device; inputs and outputs lie on the CPU.

    Both directions are causal and take consecutive chunks, whose state they hand on: memory does not grow with the
    length of the sound, and no result depends on what follows. All chunks but the last hold CHUNK frames.
    """

    library: str  # name and version
    parallel: bool  # whether two threads may use it at the same time

    def encode(self, chunks: Iterable[torch.Tensor], codebooks: int) -> Iterator[torch.Tensor]:
        """Codes (batch, codebooks, frames) of each chunk of sound (batch, 1, frames * frame_size)."""

    def decode(self, chunks: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Sound (batch, frames * frame_size) of each chunk of codes (batch, codebooks, frames)."""

    def codebook(self, layer: int) -> torch.Tensor:
        """Vectors (cardinality, dimensions) of a codebook."""

    def projection(self, layer: int) -> torch.Tensor:
        """The matrix (latent, dimensions) that takes a codebook's vectors into the latent."""


class MimiCodec(Codec):
    """One set of Mimi weights in one network.

    On a CPU each signal goes through the network alone, in one thread, several of them side by side: that is the
    fastest there, and makes a list give bit for bit what its items give alone. On a GPU signals of similar length are
    padded with zeros at the end and go through together. The network is causal, so no code before the padding sees it;
    but kernels for another batch size round differently, and a near-tie between two codes may then go the other way.
    """

    def __init__(self, weights: Weights, config: MimiConfig, network: Network, device: torch.device) -> None:
        self._network, self._device = network, device
        self.sample_rate = int(config.sampling_rate)
        self.frame_rate = float(config.frame_rate)
        self.frame_size = round(self.sample_rate / self.frame_rate)
        self.codebooks = int(config.num_quantizers)
        self.cardinality = int(config.codebook_size)
        self.is_reference = weights.is_reference
        self.weights_digest = weights.digest
        self.identity = weights.identity
        self.loading = weights.place, str(device)
        self.name = weights.name
        self.batch_frames = 0 if device.type == "cpu" else round(BATCH_SECONDS * self.frame_rate)
        self.provenance: Mapping[str, str] = {
            **weights.describe(),
            "backend": network.library,
            "torch": str(torch.__version__),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        }

    def encode(self, audio: Sequence[Audio], codebooks: int | None = None) -> list[Codes]:
        codebooks = self._require_codebooks(codebooks)
        self._require_audio(audio)
        sizes = [self.frames(len(signal)) for signal in audio]
        return self._run(partial(self._encode_batch, codebooks=codebooks), audio, sizes)

    def decode(self, codes: Sequence[Codes]) -> list[Audio]:
        self._require_codes(codes)
        results: list[Audio] = [np.empty(0, np.float32)] * len(codes)
        depths = [len(code) if self.batch_frames else 0 for code in codes]  # only what goes in one batch has to agree
        for depth in sorted(set(depths)):
            chosen = [index for index, other in enumerate(depths) if other == depth]
            same = [codes[index] for index in chosen]
            decoded = self._run(self._decode_batch, same, [code.shape[1] for code in same])
            for index, audio in zip(chosen, decoded, strict=True):
                results[index] = audio
        return results

    def codebook_vectors(self, layer: int) -> NDArray[np.float32]:
        if not 0 <= layer < self.codebooks:
            raise InputError(
                Problem(
                    "layer",
                    say("layer {layer} of {codec}", layer=layer, codec=self.name),
                    say("choose 0 to {last}", last=self.codebooks - 1),
                )
            )
        with torch.inference_mode():
            return self._network.codebook(layer).float().numpy()

    def latents(self, code: Codes) -> NDArray[np.float32]:
        self._require_codes([code])
        with torch.inference_mode():
            added = [
                self._network.projection(layer).float() @ self._network.codebook(layer).float()[torch.from_numpy(row)].T
                for layer, row in enumerate(code)
            ]
            return torch.stack(added).numpy()

    def _encode_batch(self, signals: Sequence[Audio], codebooks: int) -> list[Codes]:
        sizes = [self.frames(len(signal)) for signal in signals]
        codes = np.empty((len(signals), codebooks, max(sizes)), np.int64)
        length, step = max(sizes) * self.frame_size, CHUNK * self.frame_size
        sound = _chunks([signal[None] for signal in signals], length, step, np.float32)
        _fill(codes, self._network.encode(sound, codebooks))
        return [code[:, :size] for code, size in zip(codes, sizes, strict=True)]

    def _decode_batch(self, codes: Sequence[Codes]) -> list[Audio]:
        sizes = [code.shape[1] for code in codes]
        audio = np.empty((len(codes), max(sizes) * self.frame_size), np.float32)
        _fill(audio, self._network.decode(_chunks(codes, max(sizes), CHUNK, np.int64)))
        return [signal[: size * self.frame_size] for signal, size in zip(audio, sizes, strict=True)]

    def _run(
        self, function: Callable[[Sequence[Item]], list[Result]], items: Sequence[Item], sizes: Sequence[int]
    ) -> list[Result]:
        """`function` on batches of `items`, which have `sizes` frames; results in the order of `items`."""
        batches = list(batched_by_size(sizes, self.batch_frames))
        exact = nullcontext() if self._device.type == "cpu" else torch.backends.cudnn.flags(allow_tf32=False)
        with exact:
            done = self._map(lambda batch: function([items[index] for index in batch]), batches)
        results = {
            index: result
            for batch, part in zip(batches, done, strict=True)
            for index, result in zip(batch, part, strict=True)
        }
        return [results[index] for index in range(len(items))]

    def _map(self, function: Callable[[list[int]], list[Result]], batches: list[list[int]]) -> list[list[Result]]:
        """Batches side by side where the network allows it, each in one thread so that rounding is always the same."""
        run = torch.inference_mode()(function)
        if self._device.type != "cpu" or not self._network.parallel:
            return [run(batch) for batch in batches]
        workers = torch.get_num_threads()
        try:
            if min(workers, len(batches)) < 2:
                torch.set_num_threads(1)
                return [run(batch) for batch in batches]
            with ThreadPoolExecutor(workers, initializer=partial(torch.set_num_threads, 1)) as threads:
                return list(threads.map(run, batches))
        finally:
            torch.set_num_threads(workers)


def batched_by_size(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Indices of items of similar size in frames, longest first; at most `most` a batch with padding (0: one item)."""
    batch: list[int] = []
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        if batch and (len(batch) + 1) * sizes[batch[0]] > most:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _chunks(items: Sequence[NDArray[Any]], length: int, step: int, kind: type[np.generic]) -> Iterator[torch.Tensor]:
    """Consecutive pieces (batch, rows, up to `step`) of items (rows, n), each filled up with zeros to `length`."""
    for start in range(0, length, step):
        piece = np.zeros((len(items), len(items[0]), min(step, length - start)), kind)
        for row, item in zip(piece, items, strict=True):
            part = item[:, start : start + step]
            row[:, : part.shape[1]] = part
        yield torch.from_numpy(piece)


def _fill(out: NDArray[Any], chunks: Iterator[torch.Tensor]) -> None:
    """Lay chunks one after the other along the last axis of `out`."""
    start = 0
    for chunk in chunks:
        end = start + chunk.shape[-1]
        out[..., start:end] = chunk.numpy()
        start = end
