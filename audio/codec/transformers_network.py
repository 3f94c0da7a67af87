"""Mimi through `transformers.MimiModel`, as the course's notebook runs it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
import transformers
from transformers import Cache, MimiConfig, MimiModel

from audio.codec.checkpoint import REMEDY, Checkpoint
from audio.quiet import quiet_transformers
from basics.errors import Incompatible, InputError, Problem
from basics.messages import say


class TransformersNetwork:
    """`MimiModel` on one device, streaming. The first chunk gives bit for bit what the bare model gives for it.

    Whatever state the library hands back goes in again with the next chunk, under the names the library gave it: they
    change from version to version. Raises Incompatible where it hands back none, instead of forgetting in silence.
    """

    library = f"transformers {transformers.__version__}"
    parallel = True

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self.config = checkpoint.config
        self.config.use_cache = True  # else transformers 4 streams the encoder's convolutions and not its attention
        self.model: Any = _load(checkpoint).to(device).eval()
        self.device = device
        self.context = decoder_context(self.config)
        self.decoder = DecoderParts(self.model)
        if transformers.__version__.startswith("4."):
            for transformer in (self.model.encoder_transformer, self.decoder.transformer):
                transformer.register_forward_pre_hook(_slide, with_kwargs=True)

    def encode(self, chunks: Iterable[torch.Tensor], codebooks: int) -> Iterator[torch.Tensor]:
        """Codes (batch, codebooks, frames) of each chunk of sound (batch, 1, frames * frame_size)."""
        state: dict[str, Any] = {}
        for chunk in chunks:
            out = self.model.encode(
                chunk.to(self.device), num_quantizers=codebooks, use_streaming=True, return_dict=True, **state
            )
            yield out.audio_codes.cpu()
            state = _carried(out, "audio_codes")

    def decode(self, chunks: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Sound (batch, frames * frame_size) of each chunk of codes (batch, codebooks, frames).

        The library streams the decoder's attention only; its convolutions get their left context again here.
        """
        decoder, state = self.decoder, dict[str, Any]()
        latent = hidden = None
        for chunk in chunks:
            latents = self.model.quantizer.decode(chunk.to(self.device))
            upsampled = _after(decoder.upsample, latent, latents).transpose(1, 2)
            out = decoder.transformer(upsampled, use_cache=True, return_dict=True, **state)
            attended = out.last_hidden_state.transpose(1, 2)
            yield _after(decoder.seanet, hidden, attended)[:, 0].cpu()
            state, latent = _carried(out, "last_hidden_state"), latents[..., -1:]
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

    def projection(self, layer: int) -> torch.Tensor:
        """The matrix (latent, dimensions) that takes a codebook's vectors into the latent."""
        quantizer, semantic = self.model.quantizer, self.config.num_semantic_quantizers
        first = layer < semantic
        half = quantizer.semantic_residual_vector_quantizer if first else quantizer.acoustic_residual_vector_quantizer
        matrix: torch.Tensor = half.output_proj.weight[..., 0]
        return matrix.cpu()


def _carried(out: Mapping[str, Any], result: str) -> dict[str, Any]:
    """All that a step returned besides its `result`: what the next step takes, keys and values among it."""
    state = {name: value for name, value in out.items() if name != result}
    if not any(isinstance(value, Cache) and value.get_seq_length() for value in state.values()):
        kept = ", ".join(state) or "nothing"
        raise Incompatible("transformers", f"MimiModel hands on {kept} after {result}, and no keys of its attention")
    return state


def _slide(_module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Give transformers 4 the sliding window of Mimi's attention, which version 5 applies by itself.

    Masked are the keys (kept ones, then those of this chunk) that lie ahead of a query or a window or more behind it.
    """
    hidden, past = args[0], kwargs.get("past_key_values")
    queries, window = hidden.shape[1], _module.config.sliding_window
    kept = min(past.get_seq_length() if past else 0, window - 1)
    behind = torch.arange(queries)[:, None] + kept - torch.arange(kept + queries)
    mask = torch.zeros(behind.shape, dtype=hidden.dtype).masked_fill((behind < 0) | (behind >= window), -torch.inf)
    return args, {**kwargs, "attention_mask": mask[None, None].to(hidden.device)}


class DecoderParts:
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
        with quiet_transformers():
            model, report = load(
                None,
                config=checkpoint.config,
                state_dict=checkpoint.state,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (RuntimeError, ValueError, ArithmeticError, LookupError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            Problem(checkpoint.where, say("cannot be loaded as a Mimi ({reason})", reason=reason), REMEDY)
        ) from None
    faults = [
        Problem(
            checkpoint.where,
            say("{fault}: {names} …", fault=fault.replace("_", " "), names=", ".join(sorted(map(str, names))[:3])),
            REMEDY,
        )
        for fault, names in report.items()
        if names
    ]
    if faults:
        raise InputError(faults)
    return model
