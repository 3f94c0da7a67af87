"""Mimi through `transformers.MimiModel`, as the course's notebook runs it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import transformers
from transformers import MimiConfig, MimiModel
from transformers.utils import logging

from audio.codec.checkpoint import REMEDY, Checkpoint
from audio.errors import InputError, Problem


class TransformersNetwork:
    """`MimiModel` on one device. The first chunk gives bit for bit what the bare model gives for it.

    transformers 4 gives no sliding window to the attention: its bare model looks back without limit, and here a chunk
    more than it should. Sound of up to 10 s is not concerned; version 5 is right.
    """

    library = f"transformers {transformers.__version__}"
    parallel = True

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self.config = checkpoint.config
        self.model: Any = _load(checkpoint).to(device).eval()
        self.device = device
        self.context = decoder_context(self.config)

    def encode(self, chunks: Iterable[torch.Tensor], codebooks: int) -> Iterator[torch.Tensor]:
        """Codes (batch, codebooks, frames) of each chunk of sound (batch, 1, frames * frame_size)."""
        state: dict[str, Any] = {}
        for chunk in chunks:
            out = self.model.encode(
                chunk.to(self.device), num_quantizers=codebooks, use_streaming=True, return_dict=True, **state
            )
            yield out.audio_codes.cpu()
            state = {"encoder_past_key_values": out.encoder_past_key_values, "padding_cache": out.padding_cache}

    def decode(self, chunks: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Sound (batch, frames * frame_size) of each chunk of codes (batch, codebooks, frames).

        The library streams the decoder's attention only; its convolutions get their left context again here.
        """
        decoder = _DecoderParts(self.model)
        past = latent = hidden = None
        for chunk in chunks:
            latents = self.model.quantizer.decode(chunk.to(self.device))
            upsampled = _after(decoder.upsample, latent, latents).transpose(1, 2)
            out = decoder.transformer(upsampled, past_key_values=past, use_cache=True, return_dict=True)
            attended = out.last_hidden_state.transpose(1, 2)
            yield _after(decoder.seanet, hidden, attended)[:, 0].cpu()
            past, latent = out.past_key_values, latents[..., -1:]
            hidden = torch.cat([*([] if hidden is None else [hidden]), attended], dim=-1)[..., -self.context :]

    def codebook(self, layer: int) -> torch.Tensor:
        """Vectors (cardinality, dimensions) of a codebook."""
        quantizer, semantic = self.model.quantizer, self.config.num_semantic_quantizers
        if layer < semantic:
            chosen = quantizer.semantic_residual_vector_quantizer.layers[layer]
        else:
            chosen = quantizer.acoustic_residual_vector_quantizer.layers[layer - semantic]
        vectors: torch.Tensor = chosen.codebook.embed
        return vectors.cpu()


class _DecoderParts:
    """The decoder's three parts: in a module of their own in transformers 5, in the model itself in transformers 4."""

    def __init__(self, model: Any) -> None:
        half = model.decoder if hasattr(model.decoder, "decoder_seanet") else model
        self.upsample = half.upsample
        self.transformer = half.decoder_transformer
        self.seanet = getattr(model.decoder, "decoder_seanet", model.decoder)


def _after(network: Any, context: torch.Tensor | None, new: torch.Tensor) -> torch.Tensor:
    """What a causal network that upsamples by a whole factor gives for `new` (batch, channels, n) after `context`."""
    if context is None:
        whole: torch.Tensor = network(new)
        return whole
    whole = network(torch.cat([context, new], dim=-1))
    factor = whole.shape[-1] // (context.shape[-1] + new.shape[-1])
    return whole[..., factor * context.shape[-1] :]


def decoder_context(config: MimiConfig) -> int:
    """How many inputs before an input the SEANet decoder's output for it depends on."""
    reach, rate = float(config.kernel_size - 1), 1.0
    for ratio in config.upsampling_ratios or ():
        reach += 1 / rate  # a transposed convolution of twice its stride sees the input before
        rate *= ratio
        dilations = (config.dilation_growth_rate**layer for layer in range(config.num_residual_layers))
        reach += sum((config.residual_kernel_size - 1) * dilation for dilation in dilations) / rate
    return math.ceil(reach + (config.last_kernel_size - 1) / rate)


def _load(checkpoint: Checkpoint) -> Any:
    """The model with every tensor of the checkpoint in place: nothing missing, nothing left over."""
    load: Any = MimiModel.from_pretrained
    try:
        with _silence():
            model, report = load(
                None,
                config=checkpoint.config,
                state_dict=checkpoint.state,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(Problem(checkpoint.where, f"cannot be loaded as a Mimi ({reason})", REMEDY)) from None
    faults = [
        Problem(checkpoint.where, f"{fault.replace('_', ' ')}: {', '.join(sorted(map(str, names))[:3])} …", REMEDY)
        for fault, names in report.items()
        if names
    ]
    if faults:
        raise InputError(faults)
    return model


@contextmanager
def _silence() -> Iterator[None]:
    """No progress bar and no table of what did not fit: the message that follows says it."""
    switch: Any = logging
    shown, verbosity = switch.is_progress_bar_enabled(), switch.get_verbosity()
    switch.disable_progress_bar()
    switch.set_verbosity_error()
    try:
        yield
    finally:
        switch.set_verbosity(verbosity)
        if shown:
            switch.enable_progress_bar()
