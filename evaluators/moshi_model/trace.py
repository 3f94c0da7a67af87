"""Run `LMGen` frame by frame and record what goes in, what is drawn and what is returned at every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from basics.errors import Undefined
from evaluators.moshi_model.bench import isolated

if TYPE_CHECKING:
    import torch


@dataclass
class Trace:
    """What one run left behind, one item per step unless said otherwise."""

    returned: list[torch.Tensor | None] = field(default_factory=list)  # [1, 1 + dep_q, 1]: text, audio codes
    text_logits: list[torch.Tensor] = field(default_factory=list)  # [1, 1, 1, text_card]
    text: list[torch.Tensor] = field(default_factory=list)  # [1], as drawn
    audio: list[torch.Tensor] = field(default_factory=list)  # [1, dep_q], as drawn
    drawn: list[tuple[int, str]] = field(default_factory=list)  # (step, "text" | "audio") in the order of drawing
    temporal: list[int] = field(default_factory=list)  # positions per call of the Temporal Transformer
    depth: list[int] = field(default_factory=list)  # positions per call of the Depth Transformer


def random_codes(lm: Any, steps: int, streams: int) -> torch.Tensor:
    """Codes of the user, [steps, 1, streams, 1]."""
    import torch

    return torch.randint(lm.card, (steps, 1, streams, 1))


def run(lm: Any, user: torch.Tensor, other_text_at: int | None = None) -> Trace:
    """Feed the user's codes frame by frame, always with the same draws; at one step put another text token."""
    from moshi.models.lm import LMGen

    trace = Trace()

    def on_text(token: torch.Tensor) -> None:
        if len(trace.text) == other_text_at:
            token.add_(1).remainder_(lm.text_card)
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
