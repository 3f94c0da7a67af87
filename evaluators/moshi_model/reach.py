"""How long Mimi remembers: for how long after a stretch of its input the output still depends on it.

Observed at full size on random weights. That an output depends on what lies further back than one attention layer looks
(`mimi.context_s`) is a matter of structure: layers are stacked, and each hands on what it saw. How fast the influence
fades is a matter of the weights; trained ones may fade faster or slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from basics.errors import Undefined
from evaluators.moshi_model.bench import Bench, Observed, Probe, fact

if TYPE_CHECKING:
    import torch

FRAMES = 500
FRAME = 0.08  # s; outputs that end to differ within the last one differ to the end, but for a rounding
CHANGED = 12  # frames at the beginning that are replaced: 0.96 s
FADED = 1e-3
"""Of the largest difference: 60 dB below it, where a reverberation counts as over (ISO 3382-1).

The sound decoded on random weights moves by so little that float32 ends at 1e-4 of its largest difference.
"""


class Reach(NamedTuple):
    """How long after the changed stretch outputs differ, in s: by more than FADED of the largest difference; at all."""

    audible: float
    last: float


def reach(
    transform: Callable[[torch.Tensor], torch.Tensor],
    signal: torch.Tensor,
    other: torch.Tensor,
    changed: int,
    *,
    seconds: float,
) -> Reach:
    """Replace the first `changed` positions of `signal` by those of `other`, and see how long the output differs.

    Both are (..., positions) and last `seconds`, as does the output of `transform`, (..., time), at a rate of its own.
    Times count from the end of the changed stretch to the end of the last output that differs, 0 where none comes
    after it. Outputs differ at all where two runs of one computation on one thread do not agree to the last bit, which
    only other input can bring about. Raises Undefined if the change never reaches the output.
    """
    import torch

    before = transform(signal)
    after = transform(torch.cat([other[..., :changed], signal[..., changed:]], dim=-1))
    difference = (before - after).abs().flatten(0, -2).amax(0)
    if not difference.any():
        raise Undefined("the change of the input never reached the output")
    end = seconds * changed / signal.shape[-1]
    bounds = (FADED * difference.max(), 0.0)
    ends = ((int((difference > bound).nonzero()[-1]) + 1) * seconds / len(difference) for bound in bounds)
    return Reach(*(max(0.0, time - end) for time in ends))


def memory(bench: Bench) -> Mapping[str, Observed]:
    """Change the first frames of noise and of random codes, and see how long latents and sound differ."""
    import torch

    mimi, shape = bench.mimi, (1, bench.mimi.num_codebooks, FRAMES)
    seconds = FRAMES / mimi.frame_rate
    encoder = reach(
        lambda audio: mimi.encode_to_latent(audio, quantize=False),
        bench.noise(FRAMES),
        bench.noise(FRAMES),
        CHANGED * mimi.frame_size,
        seconds=seconds,
    )
    codes, others = (torch.randint(mimi.cardinality, shape) for _ in range(2))
    decoder = reach(mimi.decode, codes, others, CHANGED, seconds=seconds)
    after = seconds - CHANGED / mimi.frame_rate
    return {
        name: found
        for part, its in (("encoder", encoder), ("decoder", decoder))
        for name, found in (
            (f"mimi.{part}_reach_s", _observed(its.audible, seconds, after)),
            (f"mimi.{part}_last_change_s", _observed(its.last, seconds, after)),
        )
    }


def _observed(value: float, seconds: float, after: float) -> Observed:
    bound = f"; the run ends {after:g} s after the change, so no bound was observed" if value > after - FRAME else ""
    return Observed(value, round(seconds), f"random weights, n: seconds run{bound}")


LATENTS = "MimiModel.encode_to_latent(x, quantize=False)"
SOUND = "MimiModel.decode(codes), all codebooks"
HOW = f"the first {CHANGED} of {FRAMES} frames changed"

PROBES = (
    Probe(
        "memory of Mimi",
        (
            fact(
                "mimi.encoder_reach_s",
                "s",
                "How long after a changed stretch latents differ by more than 1/1000 of the largest difference",
                f"{LATENTS}, {HOW}",
            ),
            fact(
                "mimi.encoder_last_change_s", "s", "How long latents differ at all, within the run", f"{LATENTS}, {HOW}"
            ),
            fact(
                "mimi.decoder_reach_s",
                "s",
                "How long after changed frames the sound differs by more than 1/1000 of the largest difference",
                f"{SOUND}, {HOW}",
            ),
            fact(
                "mimi.decoder_last_change_s",
                "s",
                "How long the sound differs at all, within the run",
                f"{SOUND}, {HOW}",
            ),
        ),
        memory,
    ),
)
