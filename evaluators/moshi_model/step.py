"""One frame of Moshi: what `LMGen.step` takes in and gives out, recorded step by step on a narrow instance.

Weights are random; streams, delays, vocabularies and Depth steps are the released ones, only the layers are narrower
and fewer.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from basics.errors import Undefined
from evaluators.moshi_model.bench import REFUSALS, Bench, Observed, Probe, fact, isolated, share

if TYPE_CHECKING:
    import torch


@dataclass
class Trace:
    """What one run left behind, one item per step unless said otherwise."""

    returned: list[torch.Tensor | None] = field(default_factory=list)  # [1, 1 + dep_q, 1]: text, audio codes
    text_logits: list[torch.Tensor] = field(default_factory=list)  # [1, 1, 1, text_card]
    text_fed: list[torch.Tensor] = field(default_factory=list)  # [1, 1], what the text embedding takes in
    text: list[torch.Tensor] = field(default_factory=list)  # [1], as drawn
    audio: list[torch.Tensor] = field(default_factory=list)  # [1, dep_q], as drawn
    drawn: list[tuple[int, str]] = field(default_factory=list)  # (step, "text" | "audio") in the order of drawing
    temporal: list[int] = field(default_factory=list)  # positions per call of the Temporal Transformer
    depth: list[int] = field(default_factory=list)  # positions per call of the Depth Transformer


def random_codes(lm: Any, steps: int, streams: int) -> torch.Tensor:
    """Codes of the user, [steps, 1, streams, 1]."""
    import torch

    return torch.randint(lm.card, (steps, 1, streams, 1))


def run(lm: Any, user: torch.Tensor, other_text_at: int | None = None, forced_text: int | None = None) -> Trace:
    """Feed the user's codes frame by frame, always with the same draws.

    At step `other_text_at` another text token takes the place of the drawn one; `forced_text` takes it at every step.
    """
    from moshi.models.lm import LMGen

    trace = Trace()

    def on_text(token: torch.Tensor) -> None:
        if len(trace.text) == other_text_at:
            token.add_(1).remainder_(lm.text_card)
        if forced_text is not None:
            token.fill_(forced_text)
        trace.drawn.append((len(trace.returned), "text"))
        trace.text.append(token.clone())

    def on_audio(tokens: torch.Tensor) -> None:
        trace.drawn.append((len(trace.returned), "audio"))
        trace.audio.append(tokens.clone())

    generator = LMGen(
        lm,
        on_text_hook=on_text,
        on_text_logits_hook=lambda logits: trace.text_logits.append(logits.clone()),
        on_audio_hook=on_audio,
    )
    with (
        isolated(),
        lm.text_emb.register_forward_pre_hook(lambda _m, inputs: trace.text_fed.append(inputs[0].clone())),
        lm.transformer.register_forward_hook(lambda _m, inputs, _o: trace.temporal.append(inputs[0].shape[1])),
        lm.depformer.register_forward_hook(lambda _m, inputs, _o: trace.depth.append(inputs[0].shape[1])),
        generator.streaming(1),
    ):
        for codes in user:
            trace.returned.append(generator.step(codes))
    return trace


def lag(trace: Trace, stream: int) -> int:
    """Steps between drawing a token of this stream (0 is text, 1 the semantic codes) and returning it.

    Raises Undefined if the returned tokens are not those drawn.
    """
    drawn = [int(t[0]) for t in trace.text] if not stream else [int(a[0, stream - 1]) for a in trace.audio]
    returned = {step: int(out[0, stream, 0]) for step, out in enumerate(trace.returned) if out is not None}
    for steps in range(len(drawn)):
        if returned and all(step >= steps and drawn[step - steps] == token for step, token in returned.items()):
            return steps
    raise Undefined(f"the returned tokens of stream {stream} are not the ones that were drawn")


def first_change(before: list[Any], after: list[Any]) -> int:
    """First step at which two runs both have a tensor and the tensors differ. Raises Undefined if there is none."""
    import torch

    for step, (a, b) in enumerate(zip(before, after, strict=True)):
        if a is not None and b is not None and not torch.equal(a, b):
            return step
    raise Undefined("the change never reached the output")


STEPS = 16
CHANGED_AT = (4, 8)
STEP = "LMGen.step on a narrow LMModel"


def fewest_codes(lm: Any) -> int:
    """Fewest codes of the user that `LMGen.step` accepts: every number from 1 on is tried.

    Raises Undefined if none is.
    """
    from moshi.models.lm import LMGen

    for streams in range(1, lm.num_codebooks + 1):
        generator = LMGen(lm)
        try:
            with generator.streaming(1):
                generator.step(random_codes(lm, 1, streams)[0])
        except REFUSALS:
            continue
        return streams
    raise Undefined(f"LMGen.step accepted no number of codes up to {lm.num_codebooks}")


def inputs_and_outputs(bench: Bench) -> Mapping[str, Observed | float | int]:
    """Count what goes in and comes out of every step, and the work done for it."""
    from moshi.models.lm import LMGen

    lm, streams = bench.tiny_lm, bench.full_lm.num_codebooks
    codes = fewest_codes(lm)
    trace = run(lm, random_codes(lm, STEPS, codes))
    parameters = list(inspect.signature(LMGen.step).parameters.values())[1:]
    silent = next((step for step, out in enumerate(trace.returned) if out is not None), STEPS)
    due = trace.returned[silent:]
    text, audio = len(trace.text) / STEPS, sum(codes.numel() for codes in trace.audio) / STEPS
    return {
        "moshi.step_required_inputs": sum(p.default is inspect.Parameter.empty for p in parameters),
        "moshi.step_user_codes_in": Observed(codes, codes, f"1 to {codes - 1} are refused"),
        "moshi.step_text_tokens_out": Observed(text, STEPS),
        "moshi.step_audio_codes_out": Observed(audio, STEPS),
        "moshi.streams_unaccounted": Observed(
            streams - text - audio - codes,
            STEPS,
            f"{streams} streams; a step draws {text:g} text token and {audio:g} audio codes, and takes {codes} codes",
        ),
        "moshi.temporal_steps_per_frame": Observed(sum(trace.temporal) / STEPS, STEPS),
        "moshi.depth_steps_per_frame": Observed(sum(trace.depth) / STEPS, STEPS),
        "moshi.frames_before_first_output": silent,
        "moshi.output_share_while_user_speaks": Observed(
            sum(out is not None for out in due) / max(len(due), 1), len(due), "steps after the first output is due"
        ),
    }


def text_and_audio(bench: Bench) -> Mapping[str, Observed | float | int]:
    """When text and audio of a frame are drawn, in which order, and whether audio depends on the text."""
    lm = bench.tiny_lm
    user = random_codes(lm, STEPS, lm.num_audio_codebooks - lm.dep_q)
    trace = run(lm, user)
    when = {kind: [step for step, drawn in trace.drawn if drawn == kind] for kind in ("text", "audio")}
    order = [kind for _, kind in trace.drawn]
    apart = max(abs(text - audio) for text, audio in zip(when["text"], when["audio"], strict=True))
    changed = run(lm, user, other_text_at=CHANGED_AT[0])
    text, semantic, *acoustic = (lag(trace, stream) for stream in range(1 + lm.dep_q))
    return {
        "moshi.frames_between_text_and_audio": Observed(apart, STEPS),
        "moshi.text_first_share": Observed(sum(kind == "text" for kind in order[::2]) / len(order[::2]), STEPS),
        "moshi.frames_until_audio_reacts_to_own_text": first_change(trace.audio, changed.audio) - CHANGED_AT[0],
        "moshi.semantic_lag_frames": text - semantic,
        "moshi.acoustic_lag_frames": max(text - other for other in acoustic),
    }


def reaction(bench: Bench) -> Mapping[str, Observed]:
    """Change what the user says from some frame on: how many steps later Moshi's predictions and output differ."""
    import torch

    lm = bench.tiny_lm
    user, other = (random_codes(lm, STEPS, lm.num_audio_codebooks - lm.dep_q) for _ in range(2))
    before, logits, output = run(lm, user), [], []
    for step in CHANGED_AT:
        after = run(lm, torch.cat([user[:step], other[step:]]))
        logits.append(first_change(before.text_logits, after.text_logits) - step)
        output.append(first_change(before.returned, after.returned) - step)
    return {
        "moshi.steps_until_logits_react_to_user": Observed(max(logits), len(logits), "no end of turn was given"),
        "moshi.steps_until_output_reacts_to_user": Observed(max(output), len(output), "same draws in both runs"),
    }


PROBES = (
    Probe(
        "what goes in and out of a step",
        (
            fact(
                "moshi.step_required_inputs",
                "inputs",
                "Required arguments of a step: the user's codes and nothing else",
                "inspect.signature(moshi.models.lm.LMGen.step)",
            ),
            fact("moshi.step_user_codes_in", "codes", "Fewest codes of the user that a step accepts", STEP),
            fact("moshi.step_text_tokens_out", "tokens", "Text tokens drawn per step", f"{STEP}: on_text_hook"),
            fact("moshi.step_audio_codes_out", "codes", "Audio codes drawn per step", f"{STEP}: on_audio_hook"),
            fact(
                "moshi.streams_unaccounted",
                "streams",
                "Streams of the full-size model that are neither drawn nor the user's codes",
                "get_moshi_lm(None, device='meta').num_codebooks - step_text_tokens_out - step_audio_codes_out - "
                "step_user_codes_in",
                low=None,
            ),
            fact(
                "moshi.temporal_steps_per_frame",
                "steps",
                "Positions the Temporal Transformer processes per step",
                f"{STEP}: forward hook on LMModel.transformer",
            ),
            fact(
                "moshi.depth_steps_per_frame",
                "steps",
                "Positions the Depth Transformer processes per step",
                f"{STEP}: forward hook on LMModel.depformer",
            ),
            fact("moshi.frames_before_first_output", "frames", "Steps that return nothing yet", STEP),
            share(
                "moshi.output_share_while_user_speaks",
                "Steps that return text and audio while the user's codes come in",
                STEP,
            ),
        ),
        inputs_and_outputs,
    ),
    Probe(
        "text and audio of a frame",
        (
            fact(
                "moshi.frames_between_text_and_audio",
                "frames",
                "Steps between drawing the text and drawing the audio that follows it",
                f"{STEP}: on_text_hook, on_audio_hook",
            ),
            share(
                "moshi.text_first_share",
                "Steps in which the text is drawn before the audio",
                f"{STEP}: on_text_hook, on_audio_hook",
            ),
            fact(
                "moshi.frames_until_audio_reacts_to_own_text",
                "frames",
                "Steps until another text token changes the audio codes",
                f"{STEP}: text token replaced in on_text_hook",
            ),
            fact(
                "moshi.semantic_lag_frames",
                "frames",
                "Steps by which semantic codes are drawn later than the text of the same returned frame",
                f"{STEP}: drawn against returned tokens",
                low=None,
            ),
            fact(
                "moshi.acoustic_lag_frames",
                "frames",
                "Steps by which acoustic codes are drawn later than the text of the same returned frame",
                f"{STEP}: drawn against returned tokens",
                low=None,
            ),
        ),
        text_and_audio,
    ),
    Probe(
        "reaction to the user",
        (
            fact(
                "moshi.steps_until_logits_react_to_user",
                "steps",
                "Steps until other codes of the user change the text logits",
                f"{STEP}: user's codes changed from a step on, same draws",
                low=None,
            ),
            fact(
                "moshi.steps_until_output_reacts_to_user",
                "steps",
                "Steps until other codes of the user change the returned tokens",
                f"{STEP}: user's codes changed from a step on, same draws",
                low=None,
            ),
        ),
        reaction,
    ),
)
