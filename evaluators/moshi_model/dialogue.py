"""The whole dialogue path as the released server runs it: Mimi encodes a frame, Moshi steps, Mimi decodes a frame."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evaluators.moshi_model.bench import Bench, Observed, Probe, active_codebooks, fact, share

if TYPE_CHECKING:
    import torch

STEPS = 6
LOUD = 0.9
PATH = "MimiModel.encode, LMGen.step (narrow LMModel), MimiModel.decode, as in moshi.server.ServerState.recv_loop"
# In class names, where ASR, STT and TTS are capitalised.
ASR_OR_TTS = re.compile(r"ASR|STT|TTS|(?i:recogni|transcri|vocoder|whisper|text_?to_?speech|speech_?to_?text)")


@dataclass
class Conversation:
    """Samples in and out, steps and answered steps of one run, and the module classes that took part."""

    fed: int = 0
    decoded: int = 0
    answered: list[bool] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)


def converse(mimi: Any, lm: Any, audio: torch.Tensor) -> Conversation:
    """Play `audio`, [1, 1, samples], to Moshi frame by frame."""
    import torch
    from moshi.models.lm import LMGen

    told, generator = Conversation(), LMGen(lm)
    with ExitStack() as stack:
        for watched in (*mimi.modules(), *lm.modules()):
            hook = watched.register_forward_hook(lambda module, _i, _o: told.classes.add(type(module).__name__))
            stack.enter_context(hook)
        stack.enter_context(active_codebooks(mimi, lm.num_audio_codebooks - lm.dep_q))
        stack.enter_context(mimi.streaming(1))
        stack.enter_context(generator.streaming(1))
        for frame in torch.split(audio, mimi.frame_size, dim=-1):
            told.fed += frame.shape[-1]
            tokens = generator.step(mimi.encode(frame))
            told.answered.append(tokens is not None)
            if tokens is not None:
                told.decoded += mimi.decode(tokens[:, 1:]).shape[-1]
    return told


def path(bench: Bench) -> Mapping[str, Observed | float | int]:
    """Converse with loud noise and with silence."""
    mimi, lm = bench.mimi, bench.tiny_lm
    loud = converse(mimi, lm, bench.noise(STEPS, LOUD))
    silent = converse(mimi, lm, bench.noise(STEPS, 0.0))
    classes = sorted(loud.classes | silent.classes)
    waiting = max(lm.delays)
    named = [name for name in classes if ASR_OR_TTS.search(name)]
    return {
        "moshi.dialogue_samples_in_per_step": Observed(loud.fed / STEPS, STEPS),
        "moshi.dialogue_samples_out_per_step": Observed(loud.decoded / max(sum(loud.answered), 1), sum(loud.answered)),
        "moshi.step_ms": 1000 * loud.fed / STEPS / mimi.sample_rate,
        "moshi.output_share_user_loud": _answered(loud, waiting),
        "moshi.output_share_user_silent": _answered(silent, waiting),
        "moshi.dialogue_asr_tts_modules": Observed(len(named), len(classes), f"classes that ran: {', '.join(classes)}"),
    }


def _answered(told: Conversation, waiting: int) -> Observed:
    due = told.answered[waiting:]
    return Observed(sum(due) / len(due), len(due), f"steps after the first {waiting}, which the delays take")


PROBES = (
    Probe(
        "the dialogue path",
        (
            fact("moshi.dialogue_samples_in_per_step", "samples", "The user's samples that one step hears", PATH),
            fact("moshi.dialogue_samples_out_per_step", "samples", "Moshi's samples that one step speaks", PATH),
            fact("moshi.step_ms", "ms", "Duration of the sound one step hears", PATH),
            share("moshi.output_share_user_loud", "Steps that return output while the user is loud", PATH),
            share("moshi.output_share_user_silent", "Steps that return output while the user is silent", PATH),
            fact(
                "moshi.dialogue_asr_tts_modules",
                "classes",
                "Module classes named after speech recognition or synthesis among those that ran",
                f"{PATH}; forward hooks on all modules; pattern {ASR_OR_TTS.pattern}",
            ),
        ),
        path,
    ),
)
