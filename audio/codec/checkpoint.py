"""A checkpoint in memory: its configuration and its tensors, in transformers' layout whatever the file's was."""

from __future__ import annotations

from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import MimiConfig

from audio.codec.layouts import State, is_moshi, to_transformers
from audio.codec.weights import Weights
from basics.errors import InputError, Problem

REMEDY = "give the tensors and the config.json of one checkpoint of MimiModel"


class Checkpoint(NamedTuple):
    """`where` is the file, for messages."""

    where: str
    config: MimiConfig
    state: State


def read_checkpoint(weights: Weights) -> Checkpoint:
    """Read both. Raises InputError naming the file when it is damaged or is not a Mimi's."""
    settings = dict(weights.settings)
    if settings.get("model_type", "mimi") != "mimi":
        found = f"is of a {settings['model_type']!r} model, expected 'mimi'"
        raise InputError(Problem(str(weights.config), found, REMEDY))
    config = MimiConfig.from_dict(settings)
    try:
        state = load_file(weights.tensors)
    except SafetensorError as error:
        remedy = "copy or download the file again"
        raise InputError(Problem(str(weights.tensors), f"not a safetensors file ({error})", remedy)) from None
    state = {name: tensor.float() for name, tensor in state.items()}
    if is_moshi(state):
        state = to_transformers(state, config.num_attention_heads)
    return Checkpoint(str(weights.tensors), config, state)
