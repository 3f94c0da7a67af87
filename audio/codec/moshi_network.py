"""Mimi through `moshi`, the authors' own code: a cross-check of the same weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch
from moshi.models.loaders import get_mimi
from moshi.modules.transformer import set_attention_context
from moshi.utils.compile import no_compile, no_cuda_graph

from audio.codec.checkpoint import REMEDY, Checkpoint, moshi_settings, to_moshi
from audio.codec.mimi import CHUNK
from basics.errors import InputError, Problem
from basics.messages import say


class MoshiNetwork:
    """moshi's `MimiModel` on one device, streaming. Its state lives in the modules, hence one caller at a time."""

    library = f"moshi {version('moshi')}"
    parallel = False

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self.config = checkpoint.config
        self.device = device
        self.model = get_mimi(None, moshi_settings(self.config), device, self.config.num_quantizers)
        try:
            self.model.load_state_dict(to_moshi(checkpoint.state, self.config.num_attention_heads))
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise InputError(
                Problem(checkpoint.where, say("cannot be loaded as a Mimi ({reason})", reason=reason), REMEDY)
            ) from None

    def encode(self, chunks: Iterable[torch.Tensor], codebooks: int) -> Iterator[torch.Tensor]:
        """Codes (batch, codebooks, frames) of each chunk of sound (batch, 1, frames * frame_size)."""
        self.model.set_num_codebooks(codebooks)
        with self._streaming(chunks) as streamed:
            for chunk in streamed:
                yield self.model.encode(chunk.to(self.device)).cpu()

    def decode(self, chunks: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Sound (batch, frames * frame_size) of each chunk of codes (batch, codebooks, frames)."""
        with self._streaming(chunks) as streamed:
            for chunk in streamed:
                yield self.model.decode(chunk.to(self.device))[:, 0].cpu()

    def codebook(self, layer: int) -> torch.Tensor:
        """Vectors (cardinality, dimensions) of a codebook."""
        quantizer: Any = self.model.quantizer
        semantic = self.config.num_semantic_quantizers
        first = layer < semantic
        codebooks = (quantizer.rvq_first if first else quantizer.rvq_rest).vq.layers
        vectors: torch.Tensor = codebooks[layer if first else layer - semantic]._codebook.embedding
        return vectors.cpu()

    def projection(self, layer: int) -> torch.Tensor:
        """The matrix (latent, dimensions) that takes a codebook's vectors into the latent."""
        quantizer: Any = self.model.quantizer
        half = quantizer.rvq_first if layer < self.config.num_semantic_quantizers else quantizer.rvq_rest
        matrix: torch.Tensor = half.output_proj.weight[..., 0]
        return matrix.cpu()

    @contextmanager
    def _streaming(self, chunks: Iterable[torch.Tensor]) -> Iterator[Iterable[torch.Tensor]]:
        """Streaming state for the batch size of the first chunk, with room for a chunk beside the attention's span.

        moshi's ring of keys holds just that span, so that the first steps of a chunk would miss the oldest keys. The
        ring's size is read from the span when streaming begins.
        """
        chunks = iter(chunks)
        first = next(chunks)
        span = self.config.sliding_window
        steps = CHUNK * round(self.model.encoder_frame_rate / self.model.frame_rate)
        set_attention_context(self.model, span + steps)
        try:
            with no_compile(), no_cuda_graph(), self.model.streaming(len(first)):
                set_attention_context(self.model, span)
                yield itertools.chain([first], chunks)
        finally:
            set_attention_context(self.model, span)
