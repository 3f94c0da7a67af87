"""Mimi's causality, its streaming and the dependence between its codebooks, observed on random weights.

Causality is measured by changing the input from some time on and looking where the output changes first. What a
network's output can depend on is a matter of its structure; random weights show it as well as trained ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from basics.errors import Undefined
from evaluators.moshi_model.bench import REFUSALS, Bench, Observed, Probe, active_codebooks, codebooks, fact, share

if TYPE_CHECKING:
    import torch

FRAMES = 5
CHANGED_FROM = (2, 4)
# Relative to the peak: above the rounding of float32, far below any real influence.
TOLERANCE = 1e-6


def first_difference(a: torch.Tensor, b: torch.Tensor) -> int | None:
    """First position on the last axis (…, time) where a and b differ by more than TOLERANCE of the peak.

    None if nowhere.
    """
    differs = ((a - b).abs() > TOLERANCE * a.abs().max()).flatten(0, -2).any(0).nonzero()
    return int(differs[0]) if len(differs) else None


def lookahead(
    transform: Callable[[torch.Tensor], torch.Tensor],
    signal: torch.Tensor,
    other: torch.Tensor,
    changes: Iterable[int],
    *,
    hop_in: int = 1,
    hop_out: int = 1,
) -> int:
    """How many output positions ahead of its own time an input is used; 0 for a causal transform.

    From each position in `changes` on, `signal` is replaced by `other`; the output may differ only from the
    corresponding position on, where `hop_in` input positions correspond to `hop_out` output positions.
    Raises Undefined if a change never reaches the output, since then nothing was tested.
    """
    import torch

    before, ahead = transform(signal), 0
    for change in changes:
        after = transform(torch.cat([signal[..., :change], other[..., change:]], dim=-1))
        first = first_difference(before, after)
        if first is None:
            raise Undefined(f"a change of the input from position {change} on never reached the output")
        ahead = max(ahead, change // hop_in * hop_out - first)
    return ahead


def causality(bench: Bench) -> Mapping[str, Observed]:
    """Change the input from frame 2 and from frame 4 on, and see where the output changes first."""
    import torch

    mimi = bench.mimi
    hop, shape = mimi.frame_size, (1, mimi.num_codebooks, FRAMES)
    encoder = lookahead(
        lambda audio: mimi.encode_to_latent(audio, quantize=False),
        bench.noise(FRAMES),
        bench.noise(FRAMES),
        [frame * hop for frame in CHANGED_FROM],
        hop_in=hop,
    )
    codes, others = (torch.randint(mimi.cardinality, shape) for _ in range(2))
    decoder = lookahead(mimi.decode, codes, others, CHANGED_FROM, hop_out=hop)
    note = f"random weights; {FRAMES} frames, changed from frames {CHANGED_FROM} on"
    return {
        "mimi.encoder_lookahead_frames": Observed(encoder, len(CHANGED_FROM), note),
        "mimi.decoder_lookahead_samples": Observed(decoder, len(CHANGED_FROM), note),
    }


PATIENCE = 8  # steps without output after which a codec counts as one that does not stream


def smallest_step(mimi: Any, audio: torch.Tensor) -> int:
    """Fewest samples for which streaming `encode` returns a frame: every length from 1 on is tried."""
    with mimi.streaming(1):
        for samples in range(1, audio.shape[-1] + 1):
            try:
                if mimi.encode(audio[..., :samples]).shape[-1] > 0:
                    return samples
            except REFUSALS:
                continue
    raise Undefined(f"streaming encode accepted no length up to {audio.shape[-1]} samples")


def first_output(mimi: Any, audio: torch.Tensor) -> tuple[int, int]:
    """Steps of `audio` fed until the streaming decoder returns samples, and how many it then returns."""
    with mimi.streaming(1):
        for steps in range(1, PATIENCE + 1):
            if samples := mimi.decode(mimi.encode(audio)).shape[-1]:
                return steps, samples
    raise Undefined(f"no samples came out after {PATIENCE} steps")


def latency(bench: Bench) -> Mapping[str, Observed | float | int]:
    """Feed the smallest step until the first decoded samples come out."""
    mimi = bench.mimi
    audio = bench.noise(2)
    step = smallest_step(mimi, audio)
    steps, samples = first_output(mimi, audio[..., :step])
    return {
        "mimi.streaming_step_samples": Observed(step, step, f"lengths 1 to {step - 1} are refused"),
        "mimi.streaming_step_ms": 1000 * step / mimi.sample_rate,
        "mimi.algorithmic_delay_ms": 1000 * steps * step / mimi.sample_rate,
        "mimi.streaming_samples_out": samples,
    }


def streaming(bench: Bench) -> Mapping[str, Observed]:
    """The same audio and codes at once and frame by frame."""
    import torch

    mimi = bench.mimi
    audio = bench.noise(FRAMES)
    codes = torch.randint(mimi.cardinality, (1, mimi.num_codebooks, FRAMES))
    latent, sound = mimi.encode_to_latent(audio, quantize=False), mimi.decode(codes)
    with mimi.streaming(1):
        steps = torch.split(audio, mimi.frame_size, dim=-1)
        streamed = torch.cat([mimi.encode_to_latent(step, quantize=False) for step in steps], dim=-1)
        decoded = torch.cat([mimi.decode(step) for step in torch.split(codes, 1, dim=-1)], dim=-1)
    differing = mimi.quantizer.encode(latent) != mimi.quantizer.encode(streamed)
    return {
        "mimi.streaming_offline_latent_mismatch": Observed(_mismatch(streamed, latent), FRAMES),
        "mimi.streaming_offline_audio_mismatch": Observed(_mismatch(decoded, sound), FRAMES),
        "mimi.streaming_offline_code_mismatch": Observed(_share(differing), differing.numel(), "ties of random codes"),
    }


def dependence(bench: Bench) -> Mapping[str, Observed]:
    """Which codes change when one codebook's vectors are turned round; fewer codebooks against all."""
    mimi = bench.mimi
    latent = mimi.encode_to_latent(bench.noise(FRAMES), quantize=False)
    codes = mimi.quantizer.encode(latent)
    with _turned(codebooks(mimi)[0]):
        without_semantic = mimi.quantizer.encode(latent)
    with _turned(codebooks(mimi)[1]):
        without_acoustic = mimi.quantizer.encode(latent)
    with active_codebooks(mimi, 8):
        prefix = mimi.quantizer.encode(latent)
    if not (codes[:, 0] != without_semantic[:, 0]).any():
        raise Undefined("turning the semantic codebook round changed none of its own codes")
    semantic = codes[:, 1:] != without_semantic[:, 1:]
    chain = codes[:, 2:] != without_acoustic[:, 2:]
    return {
        "mimi.acoustic_codes_changed_by_semantic_codebook": Observed(_share(semantic), semantic.numel()),
        "mimi.acoustic_codes_changed_by_first_acoustic_codebook": Observed(_share(chain), chain.numel(), "control"),
        "mimi.codebook_prefix_mismatch": Observed(_share(prefix != codes[:, :8]), prefix.numel()),
    }


@contextmanager
def _turned(codebook: Any) -> Iterator[None]:
    codebook.embedding.neg_()
    try:
        yield
    finally:
        codebook.embedding.neg_()


def _mismatch(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


def _share(flags: torch.Tensor) -> float:
    return float(flags.double().mean())


PROBES = (
    Probe(
        "causality of Mimi",
        (
            fact(
                "mimi.encoder_lookahead_frames",
                "frames",
                "Frames before a change of the input that its latents already show",
                "MimiModel.encode_to_latent(x, quantize=False), x changed from a frame on",
            ),
            fact(
                "mimi.decoder_lookahead_samples",
                "samples",
                "Samples before a changed frame of codes that the sound already shows",
                "MimiModel.decode(codes), codes changed from a frame on",
            ),
        ),
        causality,
    ),
    Probe(
        "latency of Mimi",
        (
            fact(
                "mimi.streaming_step_samples",
                "samples",
                "Smallest input that the streaming encoder accepts",
                "MimiModel.streaming(1); MimiModel.encode(x[..., :n]) for n = 1, 2, …",
            ),
            fact(
                "mimi.streaming_step_ms",
                "ms",
                "Its duration",
                "mimi.streaming_step_samples / MimiModel.sample_rate",
            ),
            fact(
                "mimi.algorithmic_delay_ms",
                "ms",
                "Audio that must have been fed before the first decoded sample comes out",
                "MimiModel.streaming(1); decode(encode(step)) until samples come out",
            ),
            fact(
                "mimi.streaming_samples_out",
                "samples",
                "Decoded samples per smallest step",
                "MimiModel.streaming(1); decode(encode(step)).shape[-1]",
            ),
        ),
        latency,
    ),
    Probe(
        "streaming of Mimi",
        (
            fact(
                "mimi.streaming_offline_latent_mismatch",
                "of peak",
                "Largest difference between latents made frame by frame and at once",
                "MimiModel.encode_to_latent with and without MimiModel.streaming(1)",
            ),
            fact(
                "mimi.streaming_offline_audio_mismatch",
                "of peak",
                "Largest difference between sound decoded frame by frame and at once",
                "MimiModel.decode with and without MimiModel.streaming(1)",
            ),
            share(
                "mimi.streaming_offline_code_mismatch",
                "Codes that differ between streaming and offline encoding",
                "MimiModel.quantizer.encode of both latents",
            ),
        ),
        streaming,
    ),
    Probe(
        "dependence between Mimi's codebooks",
        (
            share(
                "mimi.acoustic_codes_changed_by_semantic_codebook",
                "Acoustic codes that change with the vectors of codebook 0 (0: they are quantized beside it)",
                "SplitResidualVectorQuantizer.encode, codebook 0 negated",
            ),
            share(
                "mimi.acoustic_codes_changed_by_first_acoustic_codebook",
                "Later acoustic codes that change with the vectors of codebook 1 (a residual chain: most of them)",
                "SplitResidualVectorQuantizer.encode, codebook 1 negated",
            ),
            share(
                "mimi.codebook_prefix_mismatch",
                "Codes of 8 active codebooks that differ from the first 8 of all",
                "MimiModel.set_num_codebooks(8); SplitResidualVectorQuantizer.encode",
            ),
        ),
        dependence,
    ),
)
