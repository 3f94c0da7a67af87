"""Causality, measured by changing the input from some time on and looking where the output changes first.

What a network's output can depend on is a matter of its structure; random weights show it as well as trained ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from basics.errors import Undefined
from evaluators.moshi_model.bench import Bench
from evaluators.moshi_model.probe import Observed, Probe, fact

if TYPE_CHECKING:
    import torch

FRAMES = 5
CHANGED_FROM = (2, 4)
# Relative to the peak: above the rounding of float32, far below any real influence.
TOLERANCE = 1e-6


def first_difference(a: torch.Tensor, b: torch.Tensor) -> int | None:
    """First position on the last axis where a and b differ by more than rounding, or None."""
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
)
