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


DAC: dict[str, Any] = {
    "encoder_hidden_size": 4,
    "downsampling_ratios": [2, 4, 8],
    "decoder_hidden_size": 32,
    "n_codebooks": 4,
    "codebook_size": 64,
    "codebook_dim": 4,
}
ENCODEC: dict[str, Any] = {
    "num_filters": 4,
    "hidden_size": 16,
    "upsampling_ratios": [8, 5, 4],
    "codebook_size": 64,
    "num_lstm_layers": 1,
    "target_bandwidths": [0.9, 1.8, 3.6],
}
SPEAKING: dict[str, Any] = {
    "model_type": "hubert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}


RATIOS = ("downsampling_ratios", "upsampling_ratios")
GRID: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "encoder_hidden_size": 4,
    "quantization_dim": 64,
    "quantization_levels": [4, 4, 4],
    "semantic_model_config": {
        "model_type": "wav2vec2-bert",
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    },
}


def small_codec(folder: Path, kind: str, **changes: Any) -> Path:
    """Write a codec of random weights of the architecture `kind` (a `model_type`) into `folder`. Returns `folder`.

    Skips the test where the installed transformers has no such architecture, or torchaudio is needed and not here.
    """
    import pytest
    import torch
    from transformers import AutoConfig, AutoModel

    if kind == "mimi":
        return random_checkpoint(folder)
    settings: dict[str, dict[str, Any]] = {
        "dac": DAC,
        "encodec": ENCODEC,
        "xcodec": {
            "acoustic_model_config": DAC
            | {"model_type": "dac", "downsampling_ratios": [8, 5, 4, 2], "hidden_size": 64},
            "semantic_model_config": SPEAKING,
            "codebook_size": 64,
            "target_bandwidths": [0.3, 0.6, 1.2],
        },
        "higgs_audio_v2_tokenizer": {
            "acoustic_model_config": DAC
            | {"model_type": "dac", "hidden_size": 64, **{name: [8, 5, 4, 3] for name in RATIOS}},
            "semantic_model_config": SPEAKING,
            "codebook_size": 64,
            "codebook_dim": 8,
            "target_bandwidths": [0.3, 0.6, 1.2],
        },
        "xcodec2": GRID,
        "neucodec": GRID,
        "wavtokenizer": {
            "num_filters": 4,
            "hidden_size": 16,
            "codebook_size": 64,
            "codebook_dim": 16,
            "num_lstm_layers": 1,
            "decoder_hidden_size": 32,
            "decoder_intermediate_size": 64,
            "decoder_num_layers": 1,
            "decoder_attention_num_groups": 4,
        },
    }
    torch.manual_seed(0)
    try:
        config = AutoConfig.for_model(kind, **settings[kind] | changes)
    except ValueError:
        pytest.skip(f"this version of transformers has no {kind}")
    if kind in ("higgs_audio_v2_tokenizer", "xcodec2", "neucodec"):
        pytest.importorskip("torchaudio")  # of the extra `measures`, as in test_optional.py
    model = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for name, tensor in model.named_buffers():
            if name.endswith((".embed", ".embed_avg")):
                tensor.normal_(std=0.5)
        if kind in ("xcodec2", "neucodec"):  # or all would fall into the middle of the grid
            model.fc_encoder.weight.mul_(50)
            model.quantizer.project_in.weight.mul_(200)
        if kind == "wavtokenizer":  # one codebook of latents as they come, or all would fall to one code
            half = model.encoder_model
            latents = half.encoder(torch.randn(1, 1, 600 * 80))[0].T
            half.quantizer.codebook.embed.copy_(latents[torch.randperm(len(latents))[: config.codebook_size]])
    model.save_pretrained(folder)
    return folder
