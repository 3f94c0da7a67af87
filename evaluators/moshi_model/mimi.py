"""Mimi's figures: rates, codebooks and bit rates, from the codec that the released loader builds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from evaluators.moshi_model.bench import Bench, Probe, fact

GET_MIMI = "moshi.models.loaders.get_mimi(None)"
CONFIG = "transformers.MimiConfig()"


def rates(bench: Bench) -> Mapping[str, float | int]:
    """Sample rate (Hz), frame rate (Hz) and frame length (samples, ms)."""
    from moshi.models import loaders

    mimi = bench.mimi
    return {
        "mimi.sample_rate_hz": loaders.SAMPLE_RATE,
        "mimi.frame_rate_hz": loaders.FRAME_RATE,
        "mimi.frame_samples": mimi.frame_size,
        "mimi.frame_ms": 1000 * mimi.frame_size / mimi.sample_rate,
        "mimi.channels": mimi.channels,
        "mimi.parameters_million": sum(p.numel() for p in mimi.parameters()) / 1e6,
        "mimi.context_s": loaders._transformer_kwargs["context"] / mimi.encoder_frame_rate,
    }


def codebooks(bench: Bench) -> Mapping[str, float | int]:
    """How many codebooks there are, of which kind, and the bit rates of 8 and 32 of them (Moshi paper, §3.3.2)."""
    import inspect

    from moshi.models import loaders

    mimi = bench.mimi
    bits_per_second = mimi.frame_rate * math.log2(mimi.cardinality)
    return {
        "mimi.codebooks": mimi.total_codebooks,
        "mimi.semantic_codebooks": mimi.quantizer.semantic_quantizer.num_codebooks,
        "mimi.acoustic_codebooks": mimi.quantizer.acoustic_quantizer.total_codebooks,
        "mimi.codebooks_used_by_moshi": inspect.signature(loaders.get_mimi).parameters["num_codebooks"].default,
        "mimi.cardinality": mimi.cardinality,
        "mimi.codes_per_second_8": 8 * mimi.frame_rate,
        "mimi.bitrate_8_bps": 8 * bits_per_second,
        "mimi.bitrate_32_bps": 32 * bits_per_second,
    }


def second_implementation(_bench: Bench) -> Mapping[str, float | int]:
    """The same figures from the configuration that transformers ships."""
    from transformers import MimiConfig

    config = MimiConfig()
    return {
        "mimi.transformers_codebooks": config.num_quantizers,
        "mimi.transformers_semantic_codebooks": config.num_semantic_quantizers,
        "mimi.transformers_frame_rate_hz": config.frame_rate,
    }


PROBES = (
    Probe(
        "Mimi's rates",
        (
            fact("mimi.sample_rate_hz", "Hz", "Samples per second of Mimi's input", "moshi.models.loaders.SAMPLE_RATE"),
            fact("mimi.frame_rate_hz", "Hz", "Latent frames per second", "moshi.models.loaders.FRAME_RATE"),
            fact("mimi.frame_samples", "samples", "Length and stride of one frame", f"{GET_MIMI}.frame_size"),
            fact("mimi.frame_ms", "ms", "Duration of one frame", f"{GET_MIMI}.frame_size / .sample_rate"),
            fact("mimi.channels", "channels", "Audio channels", f"{GET_MIMI}.channels"),
            fact("mimi.parameters_million", "million", "Parameters, codebooks aside", f"{GET_MIMI}.parameters()"),
            fact(
                "mimi.context_s",
                "s",
                "How far Mimi's Transformers look back",
                f"moshi.models.loaders._transformer_kwargs['context'] / {GET_MIMI}.encoder_frame_rate",
            ),
        ),
        rates,
    ),
    Probe(
        "Mimi's codebooks",
        (
            fact("mimi.codebooks", "codebooks", "Codebooks of the released codec", f"{GET_MIMI}.total_codebooks"),
            fact(
                "mimi.semantic_codebooks",
                "codebooks",
                "Codebooks in the plain VQ that is distilled from WavLM",
                f"{GET_MIMI}.quantizer.semantic_quantizer.num_codebooks",
            ),
            fact(
                "mimi.acoustic_codebooks",
                "codebooks",
                "Codebooks in the residual chain beside it",
                f"{GET_MIMI}.quantizer.acoustic_quantizer.total_codebooks",
            ),
            fact(
                "mimi.codebooks_used_by_moshi",
                "codebooks",
                "Codebooks active when Mimi is loaded for Moshi",
                "moshi.models.loaders.get_mimi, default of num_codebooks",
            ),
            fact("mimi.cardinality", "entries", "Entries of each codebook", f"{GET_MIMI}.cardinality"),
            fact("mimi.codes_per_second_8", "codes/s", "Codes per second of 8 codebooks", f"8 × {GET_MIMI}.frame_rate"),
            fact(
                "mimi.bitrate_8_bps",
                "bit/s",
                "Bit rate of 8 codebooks",
                f"8 × {GET_MIMI}.frame_rate × log2(.cardinality)",
            ),
            fact(
                "mimi.bitrate_32_bps",
                "bit/s",
                "Bit rate of 32 codebooks",
                f"32 × {GET_MIMI}.frame_rate × log2(.cardinality)",
            ),
        ),
        codebooks,
    ),
    Probe(
        "Mimi in transformers",
        (
            fact(
                "mimi.transformers_codebooks",
                "codebooks",
                "Codebooks, according to transformers",
                f"{CONFIG}.num_quantizers",
            ),
            fact(
                "mimi.transformers_semantic_codebooks",
                "codebooks",
                "Semantic codebooks, according to transformers",
                f"{CONFIG}.num_semantic_quantizers",
            ),
            fact(
                "mimi.transformers_frame_rate_hz",
                "Hz",
                "Frame rate, according to transformers",
                f"{CONFIG}.frame_rate",
            ),
        ),
        second_implementation,
    ),
)
