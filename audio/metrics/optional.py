"""Measures by torchmetrics that need no reference: packages of the extra `measures`, and weights that it fetches.

Named like those of any other package (group `earwitness.metrics`), so that nothing of them is loaded unasked. Each
hears the estimate alone: how close it is to the reference, they do not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from audio.measures import Measure
from audio.metrics.signals import Samples, checked_pair
from basics.errors import InputError, Problem, Undefined
from basics.files import sha256_of
from basics.messages import say

SHORTEST = 0.256  # s, a window of SRMR; the networks are told nothing by less either


@dataclass(frozen=True)
class Published:
    """A measure as torchmetrics computes it.

    `function` is its place below `torchmetrics.functional.audio`, called with `(estimate, sample_rate, *arguments)`;
    `place` is that of the value among those it returns, `parts` are the places of the others by name (`dnsmos:sig`);
    `weights` are the files it fetches where they are not there.
    """

    measure: Measure
    function: str
    needs: tuple[str, ...]
    arguments: tuple[Any, ...] = ()
    place: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)
    weights: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """Where the function lies, which is the measure's name too."""
        return self.function.partition(".")[0]

    def variant(self, part: str) -> Published:
        """Another of the values that it returns. Raises InputError where there is none of that name."""
        name = f"metric '{self.module}:{part}'"
        if not self.parts:
            raise InputError(Problem(name, say("has no variants"), say("name it {metric}", metric=self.module)))
        if part not in self.parts:
            remedy = say("choose from {known}", known=", ".join(f"{self.module}:{one}" for one in self.parts))
            raise InputError(Problem(name, say("is none of its values"), remedy))
        facts = replace(self.measure, source=f"{part} of {self.measure.source}")
        return replace(self, measure=facts, place=self.parts[part])

    def require(self) -> None:
        """Raise InputError with how to get the packages or weights that are not here."""
        where = f"metric {self.module!r}"
        if absent := [name for name in ("torchmetrics", *self.needs) if find_spec(name) is None]:
            what = say("needs {packages}, not installed", packages=", ".join(absent))
            raise InputError(Problem(where, what, say("`pip install 'earwitness[measures]'`")))
        if lost := [path for path in self.weights if not Path(path).expanduser().is_file()]:
            remedy = say(
                "with a network, once: `python -c 'from audio.metrics.optional import {module}; {module}.fetch()'`",
                module=self.module,
            )
            raise InputError(Problem(where, say("its weights are not here: {files}", files=", ".join(lost)), remedy))

    def identity(self) -> str:
        """sha256 of its weights, where it has any."""
        return " ".join(sha256_of(Path(path).expanduser()) for path in self.weights)

    def fetch(self) -> None:
        """Let torchmetrics fetch the weights, by measuring a second of noise."""
        self._values(np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000)

    def __call__(self, reference: Samples, estimate: Samples, *, sample_rate: int) -> float:
        """The value of the estimate (n,). Raises Undefined below 0.256 s, and for a pair that no measure takes."""
        _, heard = checked_pair(reference, estimate, sample_rate)
        if len(heard) < SHORTEST * sample_rate:
            raise Undefined(f"{len(heard) / sample_rate:.3g} s are shorter than {SHORTEST} s")
        return float(self._values(heard, sample_rate)[self.place])

    def _values(self, heard: Samples, sample_rate: int) -> Any:
        import torch

        module = import_module(f"torchmetrics.functional.audio.{self.module}")
        function = getattr(module, self.function.removeprefix(f"{self.module}."))
        return function(torch.from_numpy(heard), sample_rate, *self.arguments).reshape(-1)


def _alone(unit: str, low: float, high: float | None, source: str, undefined: str = "below 0.256 s") -> Measure:
    """The facts of a measure that hears the estimate alone."""
    return Measure(
        unit=unit,
        low=low,
        high=high,
        higher_is_better=True,
        source=f"{source}, by torchmetrics; hears the estimate alone",
        undefined=undefined,
        speech_only=True,
        package="torchmetrics",
        on_request=True,
    )


srmr = Published(
    _alone("", 0.0, None, "Falk, Zheng, Chan, IEEE TASLP 18(7), 2010"),
    "srmr.speech_reverberation_modulation_energy_ratio",
    needs=("gammatone", "torchaudio"),
)
dnsmos = Published(
    _alone("MOS", 1.0, 5.0, "Reddy, Gopal, Cutler, ICASSP 2021 (P.808) and 2022 (P.835; else overall)"),
    "dnsmos.deep_noise_suppression_mean_opinion_score",
    needs=("librosa", "onnxruntime", "requests"),
    # no personalisation; the device of the sound; one thread, for workers share the processors
    arguments=(False, None, 1),
    place=3,
    parts={"p808": 0, "sig": 1, "bak": 2, "ovr": 3},
    weights=("~/.torchmetrics/DNSMOS/DNSMOS/sig_bak_ovr.onnx", "~/.torchmetrics/DNSMOS/DNSMOS/model_v8.onnx"),
)
nisqa = Published(
    _alone(
        "MOS",
        1.0,
        5.0,
        "Mittag, Naderi, Chehadi, Möller, Interspeech 2021 (v2.0)",
        "below 0.256 s, or longer than its network takes",
    ),
    "nisqa.non_intrusive_speech_quality_assessment",
    needs=("librosa", "requests"),
    parts={"mos": 0, "noisiness": 1, "discontinuity": 2, "coloration": 3, "loudness": 4},
    weights=("~/.torchmetrics/NISQA/nisqa.tar",),
)
