"""A checkpoint in memory, whichever of the two layouts of Mimi's tensors its file has.

`transformers` has one (kyutai/mimi), `moshi` the other (tokenizer-e351c8d8-checkpoint125). The tensors are the same up
to names, up to q, k and v being one matrix in moshi, and up to the order of rows in q and k: moshi rotates neighbouring
dimensions (2i, 2i + 1), transformers dimensions half a head apart (i, i + d/2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import MimiConfig

from audio.codec.weights import FETCH_AGAIN, Weights
from basics.errors import InputError, Problem
from basics.listing import first_few
from basics.messages import say

REMEDY = say("give the tensors and the config.json of one checkpoint of MimiModel")
State: TypeAlias = dict[str, torch.Tensor]

TRANSFORMER = "{half}_transformer.layers.{i}."
MOSHI_TRANSFORMER = "{half}_transformer.transformer.layers.{i}."
NAMES = (  # (transformers, moshi); a field in braces stands for the same word in both
    ("{half}.layers.{i}.conv.{tensor}", "{half}.model.{i}.conv.conv.{tensor}"),
    ("{half}.layers.{i}.conv.{tensor}", "{half}.model.{i}.convtr.convtr.{tensor}"),
    ("{half}.layers.{i}.block.{j}.conv.{tensor}", "{half}.model.{i}.block.{j}.conv.conv.{tensor}"),
    ("downsample.conv.{tensor}", "downsample.conv.conv.conv.{tensor}"),
    ("upsample.conv.{tensor}", "upsample.convtr.convtr.convtr.{tensor}"),
    (TRANSFORMER + "input_layernorm.{tensor}", MOSHI_TRANSFORMER + "norm1.{tensor}"),
    (TRANSFORMER + "post_attention_layernorm.{tensor}", MOSHI_TRANSFORMER + "norm2.{tensor}"),
    (TRANSFORMER + "mlp.fc1.{tensor}", MOSHI_TRANSFORMER + "linear1.{tensor}"),
    (TRANSFORMER + "mlp.fc2.{tensor}", MOSHI_TRANSFORMER + "linear2.{tensor}"),
    (TRANSFORMER + "self_attn_layer_scale.scale", MOSHI_TRANSFORMER + "layer_scale_1.scale"),
    (TRANSFORMER + "mlp_layer_scale.scale", MOSHI_TRANSFORMER + "layer_scale_2.scale"),
    (TRANSFORMER + "self_attn.o_proj.weight", MOSHI_TRANSFORMER + "self_attn.out_proj.weight"),
    *(
        (f"quantizer.{long}_residual_vector_quantizer.{name}", f"quantizer.{short}.{moshi_name}")
        for long, short in (("semantic", "rvq_first"), ("acoustic", "rvq_rest"))
        for name, moshi_name in (
            ("input_proj.weight", "input_proj.weight"),
            ("output_proj.weight", "output_proj.weight"),
            ("layers.{i}.codebook.initialized", "vq.layers.{i}._codebook._initialized"),
            ("layers.{i}.codebook.cluster_usage", "vq.layers.{i}._codebook.cluster_usage"),
            ("layers.{i}.codebook.embed_sum", "vq.layers.{i}._codebook.embedding_sum"),
        )
    ),
)
MERGED = "{half}_transformer.transformer.layers.{i}.self_attn.in_proj_weight"  # q, k and v in moshi
SPLIT = "{half}_transformer.layers.{i}.self_attn.{part}_proj.weight"  # each of them in transformers
PROJECTIONS = {"in_projs.0.weight": "in_proj_weight", "out_projs.0.weight": "out_proj.weight"}  # moshi 0.2 in memory


class Checkpoint(NamedTuple):
    """Configuration and tensors, in transformers' layout whatever the file's was; `where` is the file, for messages."""

    where: str
    config: MimiConfig
    state: State


def read_checkpoint(weights: Weights) -> Checkpoint:
    """Read both. Raises InputError naming the file when it is damaged or is not a Mimi's."""
    config = _configuration(weights)
    where = str(weights.tensors)
    try:
        state = load_file(weights.tensors)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(Problem(where, say("not a safetensors file ({error})", error=error), FETCH_AGAIN)) from None
    state = {name: tensor.float() for name, tensor in state.items()}
    if broken := [name for name, tensor in state.items() if not is_finite(tensor)]:
        raise InputError(
            Problem(where, say("NaN or infinite values in {tensors}", tensors=first_few(broken)), FETCH_AGAIN)
        )
    if is_moshi(state):
        state = to_transformers(state, config.num_attention_heads)
    return Checkpoint(str(weights.tensors), config, state)


def is_finite(tensor: torch.Tensor) -> bool:
    """Whether it holds neither NaN nor infinities; by its least and largest value, ten times as fast as by each."""
    return not tensor.is_floating_point() or not tensor.numel() or all(map(torch.isfinite, tensor.aminmax()))


def _configuration(weights: Weights) -> MimiConfig:
    """The configuration of a Mimi. Raises InputError naming every setting that is of another kind than Mimi's own."""
    settings = dict(weights.settings)
    if settings.get("model_type", "mimi") != "mimi":
        found = say("is of a {model_type!r} model, expected 'mimi'", model_type=settings["model_type"])
        raise InputError(Problem(str(weights.config), found, REMEDY))
    plain: Any = MimiConfig()
    own = plain.to_dict()
    problems = [
        Problem(
            f"{weights.config}: {name}", say("{value!r}, expected {expected}", value=value, expected=expected), REMEDY
        )
        for name, value in settings.items()
        if (expected := _unlike(own.get(name), value))
    ]
    if problems:
        raise InputError(problems)
    try:
        return MimiConfig.from_dict(settings)
    except Exception as error:  # whatever the library holds the settings to
        what = say(
            "cannot be used ({error_type}: {error})",
            error_type=type(error).__name__,
            error=" ".join(str(error).split()),
        )
        raise InputError(Problem(str(weights.config), what, REMEDY)) from None


def _unlike(own: object, value: object) -> str:
    """What kind a setting is expected to be of, where `value` is of another than Mimi's `own`; else empty."""
    if isinstance(own, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(own, int):
        return "" if isinstance(value, int) and not isinstance(value, bool) else f"a whole number such as {own}"
    if isinstance(own, float):
        return "" if isinstance(value, int | float) and not isinstance(value, bool) else f"a number such as {own}"
    if isinstance(own, str):
        return "" if isinstance(value, str) else f"a text such as {own!r}"
    if isinstance(own, list):
        return (
            next(filter(None, map(_unlike, own[:1] * len(value), value)), "") if isinstance(value, list) else "a list"
        )
    return ""


def is_moshi(state: Mapping[str, object]) -> bool:
    """Whether these tensors (by name) are in moshi's layout."""
    return any(name.startswith("quantizer.rvq_") for name in state)


def to_moshi(state: Mapping[str, torch.Tensor], heads: int) -> State:
    """Tensors by name in moshi's released layout, from those in transformers' with `heads` attention heads.

    q, k and v, each (width, width), become one matrix (3 * width, width). Raises InputError naming a tensor that is no
    Mimi's.
    """
    out: State = {}
    last = max(int(fields["i"]) for name in state if (fields := _fields("{half}.layers.{i}.conv.{tensor}", name)))
    for name, tensor in state.items():
        if (fields := _fields(SPLIT, name)) and fields["part"] in "qkv":
            merged = MERGED.format(**fields)
            parts = [state[SPLIT.format(**fields | {"part": part})] for part in "qkv"]
            out[merged] = torch.cat([_interleave(parts[0], heads), _interleave(parts[1], heads), parts[2]])
        else:
            out[_moshi_name(name, last)] = tensor
    return out


def to_transformers(state: Mapping[str, torch.Tensor], heads: int) -> State:
    """Tensors by name in transformers' saved layout, from those in moshi's (released, or of a model in memory).

    The reverse of `to_moshi`, with the same shapes and errors.
    """
    out: State = {}
    for name, tensor in state.items():
        for new, released in PROJECTIONS.items():
            name = name.replace(new, released)
        if fields := _fields(MERGED, name):
            q, k, v = tensor.chunk(3)
            for part, rows in zip("qkv", (_halve(q, heads), _halve(k, heads), v), strict=True):
                out[SPLIT.format(**fields, part=part)] = rows.contiguous()
        else:
            out[_renamed(name, [(moshi, name_here) for name_here, moshi in NAMES])] = tensor
    return out


def _moshi_name(name: str, last: int) -> str:
    """The decoder's layers between the first and the last convolution are transposed convolutions."""
    fields = _fields("decoder.layers.{i}.conv.{tensor}", name)
    transposed = fields is not None and 0 < int(fields["i"]) < last
    return _renamed(name, [pair for pair in NAMES if transposed == (".convtr.convtr." in pair[1])] + list(NAMES))


def _renamed(name: str, pairs: list[tuple[str, str]]) -> str:
    for template, target in pairs:
        if (fields := _fields(template, name)) is not None:
            return target.format(**fields)
    raise InputError(
        Problem(name, say("no tensor of a Mimi checkpoint has this name"), say("give a checkpoint of MimiModel"))
    )


def _fields(template: str, name: str) -> dict[str, str] | None:
    """What the fields of `template` stand for in `name`, or None when it does not fit."""
    pattern = re.escape(template).replace(r"\{", "(?P<").replace(r"\}", r">[a-z0-9]+)")
    match = re.fullmatch(pattern, name)
    return match.groupdict() if match else None


def _interleave(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows of q or k (heads * d, width) from halves (i, i + d/2) to neighbours (2i, 2i + 1)."""
    return rows.view(heads, 2, -1, rows.shape[1]).transpose(1, 2).reshape(rows.shape)


def _halve(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """The inverse of `_interleave`."""
    return rows.view(heads, -1, 2, rows.shape[1]).transpose(1, 2).reshape(rows.shape)


def moshi_settings(config: MimiConfig) -> dict[str, Any]:
    """The configuration `moshi.models.loaders.get_mimi` takes, for the same architecture."""
    return {
        "sample_rate": config.sampling_rate,
        "channels": config.audio_channels,
        "frame_rate": config.frame_rate,
        "seanet": {
            "channels": config.audio_channels,
            "dimension": config.hidden_size,
            "causal": config.use_causal_conv,
            "n_filters": config.num_filters,
            "n_residual_layers": config.num_residual_layers,
            "activation": "ELU",
            "compress": config.compress,
            "dilation_base": config.dilation_growth_rate,
            "disable_norm_outer_blocks": 0,
            "kernel_size": config.kernel_size,
            "residual_kernel_size": config.residual_kernel_size,
            "last_kernel_size": config.last_kernel_size,
            "norm": "none",
            "pad_mode": config.pad_mode,
            "ratios": list(config.upsampling_ratios or ()),
            "true_skip": not config.use_conv_shortcut,
        },
        "quantizer": {
            "dimension": config.vector_quantization_hidden_dimension,
            "n_q": config.num_quantizers,
            "bins": config.codebook_size,
            "input_dimension": config.hidden_size,
            "output_dimension": config.hidden_size,
        },
        "transformer": {
            "d_model": config.hidden_size,
            "num_heads": config.num_attention_heads,
            "num_layers": config.num_hidden_layers,
            "causal": True,
            "layer_scale": config.layer_scale_initial_scale,
            "context": config.sliding_window,
            "conv_layout": True,
            "max_period": _rope_theta(config),
            "gating": "none",
            "norm": "layer_norm",
            "positional_embedding": "rope",
            "dim_feedforward": config.intermediate_size,
            "input_dimension": config.hidden_size,
            "output_dimensions": [config.hidden_size],
        },
    }


def _rope_theta(config: MimiConfig) -> float:
    """transformers 5 keeps it among `rope_parameters`, 4 as a field of its own."""
    parameters: Mapping[str, Any] = getattr(config, "rope_parameters", None) or {}
    return float(parameters["rope_theta"] if "rope_theta" in parameters else getattr(config, "rope_theta", 10_000.0))
