"""What every measure needs first: a checked pair of signals, and frames of one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from basics.errors import InputError, Problem, Undefined
from basics.messages import say

Samples = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]


def checked_pair(reference: Samples, estimate: Samples, sample_rate: int) -> tuple[Floats, Floats]:
    """Both signals as float64 (n,).

    Raises InputError when they are not two equally long vectors at a positive rate (a mistake of the caller), and
    Undefined when no measure has a value for them: nothing in them, NaN or infinite samples, silence.
    """
    pair = tuple(np.asarray(signal, dtype=np.float64) for signal in (reference, estimate))
    require_comparable(pair[0], pair[1], sample_rate)
    for name, signal in zip(("reference", "estimate"), pair, strict=True):
        if not signal.size:
            raise Undefined(f"the {name} is empty")
        if not np.isfinite(signal).all():
            raise Undefined(f"the {name} has NaN or infinite samples")
        if not signal.any():
            raise Undefined(f"the {name} is silent")
    return pair[0], pair[1]


def require_comparable(reference: Samples, estimate: Samples, sample_rate: int, where: str = "pair") -> None:
    """Raise InputError, naming `where`, unless both are vectors (n,) of one length at a positive rate in Hz."""
    if sample_rate <= 0:
        raise InputError(
            Problem(
                where,
                say("sample rate {sample_rate} Hz", sample_rate=sample_rate),
                say("give the rate of both signals in Hz"),
            )
        )
    if reference.ndim != 1 or reference.shape != estimate.shape:
        raise InputError(
            Problem(
                where,
                say(
                    "expected two vectors of one length, got shapes {reference_shape} and {estimate_shape}",
                    reference_shape=reference.shape,
                    estimate_shape=estimate.shape,
                ),
                say("mix down to mono and pair them with audio.clip.align"),
            )
        )


def frames(signal: Floats, length: int, hop: int) -> Floats:
    """A view (frames, length) of a signal (n,), a frame each `hop` samples, none ending on the last, as in `pystoi`."""
    if len(signal) <= length:
        return np.empty((0, length))
    return np.lib.stride_tricks.sliding_window_view(signal[:-1], length)[::hop]
