"""Moshi's language model in full size, on the meta device: streams, delays, layers, parameters, special tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evaluators.moshi_model.bench import Bench, Observed, Probe, fact

LM = "moshi.models.loaders.get_moshi_lm(None, device='meta')"
SPECIAL = re.compile(r"(token|padding)_id$")
TURN = re.compile(r"(?<!re)turn|speaker|user|eot|barge", re.IGNORECASE)


def streams(bench: Bench) -> Mapping[str, Observed | float | int]:
    """Which sub-sequences are modelled jointly (Moshi paper, equation 6): its own text and audio, the user's audio."""
    lm = bench.full_lm
    text = lm.num_codebooks - lm.num_audio_codebooks
    user = lm.num_audio_codebooks - lm.dep_q
    return {
        "moshi.streams": lm.num_codebooks,
        "moshi.text_streams": text,
        "moshi.audio_streams": lm.num_audio_codebooks,
        "moshi.model_audio_streams": lm.dep_q,
        "moshi.user_audio_streams": user,
        "moshi.user_text_streams": Observed(
            lm.num_codebooks - user - len(lm.linears) - lm.text_linear.out_features // lm.text_card,
            note="streams left when the user's audio and all that the model draws itself (one head each) are taken off",
        ),
        "moshi.text_vocabulary": lm.text_card,
        "moshi.extra_heads": Observed(
            len(lm.extra_heads),
            note="Kyutai's separate speech-to-text model predicts pauses with such heads; the dialogue model has none",
        ),
    }


def delays(bench: Bench) -> Mapping[str, float | int]:
    """The delay of each stream, and the latency it implies: one frame to hear, the longest delay to answer."""
    from moshi.models import loaders

    lm = bench.full_lm
    text, semantic = lm.delays[0], lm.delays[lm.audio_offset]
    acoustic = max(lm.delays[lm.audio_offset :])
    return {
        "moshi.text_delay_frames": text,
        "moshi.semantic_delay_frames": semantic,
        "moshi.max_acoustic_delay_frames": acoustic,
        "moshi.theoretical_latency_ms": (1 + acoustic) * 1000 / loaders.FRAME_RATE,
        "moshi.context_s": lm.context / loaders.FRAME_RATE,
    }


def sizes(bench: Bench) -> Mapping[str, float | int]:
    """Temporal and Depth Transformer (Moshi paper, section 3.4.1 and table 1)."""
    lm = bench.full_lm
    temporal, depth = _billions(lm.transformer), _billions(lm.depformer)
    return {
        "moshi.temporal_layers": len(lm.transformer.layers),
        "moshi.temporal_width": lm.text_emb.embedding_dim,
        "moshi.temporal_parameters_billion": temporal,
        "moshi.depth_layers": len(lm.depformer.layers),
        "moshi.depth_width": lm.depformer_text_emb.embedding_dim,
        "moshi.depth_parameters_billion": depth,
        "moshi.depth_to_temporal_ratio": depth / temporal,
        "moshi.total_parameters_billion": _billions(lm),
    }


def special_tokens(bench: Bench) -> Mapping[str, Observed | int]:
    """The ids that stand for no word and no sound, by the properties that name them."""
    lm = bench.full_lm
    ids = {name: getattr(lm, name) for name in sorted(dir(type(lm))) if SPECIAL.search(name)}
    listing = ", ".join(f"{name} = {value}" for name, value in ids.items())
    padding = {value for name, value in ids.items() if "padding" in name}
    return {
        "moshi.text_padding_token_id": lm.text_padding_token_id,
        "moshi.text_end_of_padding_token_id": lm.end_of_text_padding_id,
        "moshi.text_padding_tokens": Observed(len(padding), note="PAD between words, EPAD before the next word"),
        "moshi.special_tokens": Observed(len(ids), note=listing),
        "moshi.turn_token_count": Observed(sum(bool(TURN.search(name)) for name in ids), len(ids), listing),
    }


def _billions(module: Any) -> float:
    return float(sum(parameter.numel() for parameter in module.parameters()) / 1e9)


PROBES = (
    Probe(
        "Moshi's streams",
        (
            fact("moshi.streams", "streams", "Streams modelled jointly, frame by frame", f"{LM}.num_codebooks"),
            fact("moshi.text_streams", "streams", "Of these, text (Moshi's own)", f"{LM}.num_codebooks - .n_q"),
            fact("moshi.audio_streams", "streams", "Of these, audio of both speakers", f"{LM}.num_audio_codebooks"),
            fact("moshi.model_audio_streams", "streams", "Audio streams that Moshi generates", f"{LM}.dep_q"),
            fact("moshi.user_audio_streams", "streams", "Audio streams that carry the user", f"{LM}.n_q - .dep_q"),
            fact(
                "moshi.user_text_streams",
                "streams",
                "Streams that could carry a transcript of the user",
                f"{LM}: .num_codebooks less the user's audio and the model's own heads (.linears, .text_linear)",
            ),
            fact("moshi.text_vocabulary", "tokens", "Entries of the text vocabulary", f"{LM}.text_card"),
            fact("moshi.extra_heads", "heads", "Classifiers beside the token heads", f"len({LM}.extra_heads)"),
        ),
        streams,
    ),
    Probe(
        "Moshi's delays",
        (
            fact("moshi.text_delay_frames", "frames", "Delay of the text stream", f"{LM}.delays[0]"),
            fact("moshi.semantic_delay_frames", "frames", "Delay of the semantic codes", f"{LM}.delays[1]"),
            fact("moshi.max_acoustic_delay_frames", "frames", "Longest delay of any codes", f"max({LM}.delays[1:])"),
            fact(
                "moshi.theoretical_latency_ms",
                "ms",
                "One frame heard plus the longest delay",
                "(1 + max(LMModel.delays)) / moshi.models.loaders.FRAME_RATE",
            ),
            fact(
                "moshi.context_s",
                "s",
                "How far the Temporal Transformer looks back",
                f"{LM}.context / moshi.models.loaders.FRAME_RATE",
            ),
        ),
        delays,
    ),
    Probe(
        "Moshi's Transformers",
        (
            fact("moshi.temporal_layers", "layers", "Temporal Transformer: layers", f"len({LM}.transformer.layers)"),
            fact(
                "moshi.temporal_width",
                "dimensions",
                "Temporal Transformer: width",
                f"{LM}.text_emb.embedding_dim",
            ),
            fact(
                "moshi.temporal_parameters_billion",
                "billion",
                "Temporal Transformer: parameters",
                f"{LM}.transformer.parameters()",
            ),
            fact("moshi.depth_layers", "layers", "Depth Transformer: layers", f"len({LM}.depformer.layers)"),
            fact(
                "moshi.depth_width",
                "dimensions",
                "Depth Transformer: width",
                f"{LM}.depformer_text_emb.embedding_dim",
            ),
            fact(
                "moshi.depth_parameters_billion",
                "billion",
                "Depth Transformer: parameters",
                f"{LM}.depformer.parameters()",
            ),
            fact(
                "moshi.depth_to_temporal_ratio",
                "ratio",
                "Parameters of the Depth over those of the Temporal Transformer",
                f"{LM}.depformer / .transformer",
            ),
            fact("moshi.total_parameters_billion", "billion", "All parameters", f"{LM}.parameters()"),
        ),
        sizes,
    ),
    Probe(
        "Moshi's special tokens",
        (
            fact("moshi.text_padding_token_id", "id", "PAD of the text stream", f"{LM}.text_padding_token_id"),
            fact(
                "moshi.text_end_of_padding_token_id",
                "id",
                "EPAD of the text stream",
                f"{LM}.end_of_text_padding_id",
            ),
            fact(
                "moshi.text_padding_tokens",
                "tokens",
                "Distinct padding ids of the text stream",
                f"{LM}: properties named …padding…_id",
            ),
            fact(
                "moshi.special_tokens",
                "tokens",
                "Ids that stand for no word and no sound",
                f"{LM}: properties matching {SPECIAL.pattern}",
            ),
            fact(
                "moshi.turn_token_count",
                "tokens",
                "Of these, ids that mark turns or speakers",
                f"{LM}: special ids matching {TURN.pattern}",
            ),
        ),
        special_tokens,
    ),
)
