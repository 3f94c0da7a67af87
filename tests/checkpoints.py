"""Mimi checkpoints with random weights, in the layouts that `transformers` and `moshi` load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SMALL: dict[str, Any] = {
    "num_filters": 4,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "head_dim": 8,
    "codebook_size": 64,
    "codebook_dim": 16,
    "vector_quantization_hidden_dimension": 16,
    "upsample_groups": 32,
}


def random_checkpoint(folder: Path, *, small: bool = True, seed: int = 0) -> Path:
    """Write a MimiModel of random weights into `folder`; of the real architecture unless `small`. Returns `folder`.

    Codebooks are as wide as the latents they quantize and the layer scales are not small, so that codes vary and
    every part of the network matters to them.
    """
    import torch
    from transformers import MimiConfig, MimiModel

    torch.manual_seed(seed)
    model = MimiModel(MimiConfig(**(SMALL if small else {}), layer_scale_initial_scale=0.5)).eval()
    with torch.no_grad():
        for name, tensor in model.named_buffers():
            if name.endswith("embed_sum"):
                tensor.normal_(std=0.5)
            if name.endswith("cluster_usage"):
                tensor.uniform_(0.5, 2.0)
        for name, tensor in model.named_parameters():
            if "layernorm" in name:
                tensor.add_(0.1 * torch.randn_like(tensor))
    model.save_pretrained(folder)
    return folder
