"""Text that goes into Moshi and text that is kept from it, observed through the public hooks on a narrow instance.

Whose text a step takes in, and what changes when the model's own text is taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from basics.errors import Undefined
from evaluators.moshi_model.bench import Bench, Observed, Probe, fact, share
from evaluators.moshi_model.step import STEP, STEPS, Trace, fewest_codes, first_change, random_codes, run

if TYPE_CHECKING:
    import torch

FEW = 4  # steps where any one of them would show it


def foreign_text(trace: Trace, initial: int) -> int:
    """Text tokens fed to the model that it did not draw itself one step before; the first has to be `initial`.

    Raises Undefined if no text token was seen to go in.
    """
    own = [initial, *(int(token) for token in trace.text)]
    fed = [[int(token) for token in tokens.flatten()] for tokens in trace.text_fed]
    if not any(fed):
        raise Undefined("the text embedding was never used")
    return sum(token != drawn for tokens, drawn in zip(fed, own, strict=False) for token in tokens)


def share_of_changed(before: list[torch.Tensor], after: list[torch.Tensor], since: int) -> float:
    """Share of the steps from `since` on in which two runs drew other tokens. Raises Undefined if none are left."""
    import torch

    if since >= len(before):
        raise Undefined("there is no step to compare")
    pairs = list(zip(before, after, strict=True))[since:]
    return sum(not torch.equal(a, b) for a, b in pairs) / len(pairs)


def further_inputs(lm: Any, codes: int) -> int:
    """How many inputs beyond the user's `codes` change the text logits when a step is given more, up to all streams."""
    import torch

    given = random_codes(lm, FEW, lm.num_codebooks)
    logits = [torch.cat(run(lm, given[:, :, :n]).text_logits) for n in range(codes, lm.num_codebooks + 1)]
    return sum(not torch.equal(fewer, more) for fewer, more in pairwise(logits))


def from_outside(bench: Bench) -> Mapping[str, Observed]:
    """Compare the text that goes in with the text drawn before; offer a step more inputs than it needs."""
    lm = bench.tiny_lm
    codes = fewest_codes(lm)
    trace = run(lm, random_codes(lm, STEPS, codes))
    return {
        "moshi.user_text_tokens_in": Observed(
            foreign_text(trace, lm.text_initial_token_id) / STEPS + further_inputs(lm, codes),
            STEPS,
            "its own is the text token drawn one step before, at first the start token; "
            f"{lm.num_codebooks - codes} inputs beyond {codes} codes were offered as well",
        )
    }


def without_text(bench: Bench) -> Mapping[str, Observed]:
    """Take the model's own text away: feed no text at all, or padding in place of every text token."""
    lm = bench.tiny_lm
    user = random_codes(lm, STEPS, lm.num_audio_codebooks - lm.dep_q)
    spoken, unfed = run(lm, user), run(lm, user, forced_text=lm.zero_token_id)
    padded = run(lm, user, forced_text=lm.text_padding_token_id)
    since = first_change(spoken.text, padded.text)
    return {
        "moshi.temporal_steps_without_text": Observed(
            sum(unfed.temporal) / STEPS, STEPS, f"{sum(spoken.temporal) / STEPS:g} with text"
        ),
        "moshi.audio_changes_without_text": Observed(
            share_of_changed(spoken.audio, padded.audio, since),
            STEPS - since,
            f"counted from step {since} on, the first whose own text was not padding; audio codes feed back, so that "
            "later steps also differ by what earlier ones changed",
        ),
    }


PROBES = (
    Probe(
        "text from outside",
        (
            fact(
                "moshi.user_text_tokens_in",
                "tokens",
                "Text tokens per step that are not the model's own, and inputs beyond the user's codes that matter",
                f"{STEP}: forward pre-hook on LMModel.text_emb against on_text_hook; up to as many inputs as streams",
            ),
        ),
        from_outside,
    ),
    Probe(
        "Moshi without its text",
        (
            fact(
                "moshi.temporal_steps_without_text",
                "steps",
                "Positions the Temporal Transformer processes per step when no text is fed",
                f"{STEP}: text tokens replaced by LMModel.zero_token_id in on_text_hook; "
                "forward hook on LMModel.transformer",
            ),
            share(
                "moshi.audio_changes_without_text",
                "Steps whose audio codes change when the model's own text is forced to padding",
                f"{STEP}: text tokens replaced by LMModel.text_padding_token_id in on_text_hook, same draws",
            ),
        ),
        without_text,
    ),
)
