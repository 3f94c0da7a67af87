"""What runs Mimi's weights: tensors in, tensors out. Two libraries implement it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import torch

CHUNK = 25  # frames that go through the network at once: 2 s, which take little memory and fit the caches


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
