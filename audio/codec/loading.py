"""Load a codec by name: which weights, through which library, on which device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audio.codec.contract import Codec
from audio.codec.weights import MIMI, find_weights
from basics.errors import InputError, Problem
from basics.messages import say
from basics.suggestions import did_you_mean

if TYPE_CHECKING:
    import torch

    from audio.codec.checkpoint import Checkpoint
    from audio.codec.mimi import Network
    from audio.codec.weights import Weights

BACKENDS = ("transformers", "moshi")


def load_codec(
    source: str | Path = MIMI, *, backend: str = "transformers", device: str = "auto", revision: str | None = None
) -> Codec:
    """The codec of a folder, a `.safetensors` file or a hub id at `revision`, as `find_weights` finds them.

    Its architecture is the `model_type` of config.json: Mimi where there is none, or one of `audio.codec.neural`.
    `backend` runs it: `transformers` as the course does; Mimi also `moshi`, the authors' own code, on the same weights.
    `device` is `auto` (CUDA where there is one), `cpu` or `cuda[:N]`. The commit that the revision resolved to is in
    the codec's provenance. Raises Unavailable when there are no weights, InputError when they or an argument cannot be
    used.
    """
    if backend not in BACKENDS:
        raise InputError(
            Problem(
                "backend",
                say("unknown backend {backend!r}", backend=backend),
                say("choose {backends}", backends=" or ".join(BACKENDS)),
            )
        )
    weights = find_weights(source, revision)
    chosen = device_named(device)
    kind = weights.settings.get("model_type", "mimi")
    if kind != "mimi":
        return _other(str(kind), weights, backend, chosen)
    from audio.codec.checkpoint import read_checkpoint
    from audio.codec.mimi import MimiCodec

    checkpoint = read_checkpoint(weights)
    return MimiCodec(weights, checkpoint.config, _network(backend, checkpoint, chosen), chosen)


def _other(kind: str, weights: Weights, backend: str, device: torch.device) -> Codec:
    """A codec of another architecture than Mimi's. Raises InputError for one that is none."""
    from audio.codec.neural import CONTINUOUS, FAMILIES, KNOWN, NeuralCodec

    where = f"{weights.config}: model_type"
    if kind in CONTINUOUS:
        what = say("{model_type!r} has continuous latents: there are no codes, and so no bitrate", model_type=kind)
        raise InputError(Problem(where, what, say("name a codec of type {codec_types}", codec_types=", ".join(KNOWN))))
    if kind not in FAMILIES:
        raise InputError(
            Problem(
                where, say("{model_type!r} is no codec that is run here", model_type=kind), did_you_mean(kind, KNOWN)
            )
        )
    if backend != "transformers":
        raise InputError(
            Problem(
                "backend",
                say("{backend} runs Mimi alone, this is {model_type!r}", backend=backend, model_type=kind),
                say("choose transformers"),
            )
        )
    return NeuralCodec(weights, device)


def _network(backend: str, checkpoint: Checkpoint, device: torch.device) -> Network:
    if backend == "moshi":
        from audio.codec.moshi_network import MoshiNetwork

        return MoshiNetwork(checkpoint, device)
    from audio.codec.transformers_network import TransformersNetwork

    return TransformersNetwork(checkpoint, device)


def device_named(name: str) -> torch.device:
    """The device that `auto` (CUDA where there is one), `cpu` or `cuda[:N]` names. Raises InputError for any other."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    remedy = say("choose auto, cpu or cuda[:N]")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(Problem("device", say("unknown device {device!r}", device=name), remedy)) from None
    if device.type not in ("cpu", "cuda"):
        raise InputError(
            Problem("device", say("{device} is not supported: nothing is measured on it", device=name), remedy)
        )
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(
            Problem("device", say("{device} is asked for and this machine has no CUDA", device=name), remedy)
        )
    if (device.index or 0) >= (torch.cuda.device_count() if device.type == "cuda" else 1):
        raise InputError(
            Problem("device", say("{device} is asked for and this machine has no such one", device=name), remedy)
        )
    return device
