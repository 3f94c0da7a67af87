"""Probes, and the instances that they share.

The instances are built once from the package's own loaders, on random weights, and used in isolation; a probe observes
them and states what it found under the names of its facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from basics.errors import Undefined
from evaluators.evidence import Findings, Measurement, Quantity
from evaluators.packages import not_installed

if TYPE_CHECKING:
    import torch

SEED = 20241017

# Moshi's own configuration with narrow layers: streams, delays, vocabularies and Depth steps stay as released.
TINY = {
    "dim": 64,
    "num_heads": 4,
    "num_layers": 2,
    "context": 64,
    "depformer_dim": 32,
    "depformer_num_heads": 2,
    "depformer_num_layers": 2,
    "depformer_dim_feedforward": 64,
}


@contextmanager
def isolated(seed: int = SEED) -> Iterator[None]:
    """Seeded, without gradients or compilation, on one thread; the caller's settings come back afterwards.

    One thread, because single frames are too small to share out, and because it makes runs repeat to the last bit.
    """
    import torch
    from moshi.utils.compile import no_compile

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad(), no_compile():
            torch.default_generator.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


class Bench:
    """Mimi in full size, Moshi's language model in full size without storage, and a narrow one that runs."""

    @cached_property
    def mimi(self) -> Any:
        """Mimi as released, all codebooks active, random weights and random codebooks at the scale of the latents."""
        from moshi.models import loaders

        with isolated():
            model = loaders.get_mimi(None)
            model.set_num_codebooks(model.total_codebooks)
            _fill_codebooks(model)
        return model

    @cached_property
    def full_lm(self) -> Any:
        """Moshi's 7B language model on the meta device: every module and shape, no numbers."""
        from moshi.models import loaders

        # Initialising on the meta device computes nothing but imports torch's compiler, which takes seconds.
        with isolated(), _no_initialisation():
            return loaders.get_moshi_lm(None, device="meta")

    @cached_property
    def tiny_lm(self) -> Any:
        """Moshi's language model with narrow layers (TINY), random weights, float32, ready to generate."""
        import torch
        from moshi.models import loaders

        with isolated():
            return loaders.get_moshi_lm(None, dtype=torch.float32, lm_kwargs_overrides=TINY).eval()

    def noise(self, frames: int, loudness: float = 0.1) -> torch.Tensor:
        """White noise of that many Mimi frames, [1, 1, samples]."""
        import torch

        return loudness * torch.randn(1, 1, frames * self.mimi.frame_size)


def codebooks(mimi: Any) -> list[Any]:
    """Mimi's codebooks, semantic first; each holds its vectors in `.embedding`, [entries, dimension]."""
    halves = (mimi.quantizer.rvq_first, mimi.quantizer.rvq_rest)
    return [layer._codebook for half in halves for layer in half.vq.layers]


@contextmanager
def active_codebooks(mimi: Any, n: int) -> Iterator[None]:
    """Mimi with only its first n codebooks, 1 to 32, for a while."""
    before = mimi.num_codebooks
    mimi.set_num_codebooks(n)
    try:
        yield
    finally:
        mimi.set_num_codebooks(before)


def _fill_codebooks(mimi: Any) -> None:
    """Without weights all codebook vectors are zero, and every code would be the same."""
    import torch

    latent = mimi.encode_to_latent(0.1 * torch.randn(1, 1, 2 * mimi.frame_size), quantize=False)
    scale = mimi.quantizer.rvq_first.input_proj(latent).std()
    for codebook in codebooks(mimi):
        codebook.embedding.copy_(scale * torch.randn_like(codebook.embedding))


@contextmanager
def _no_initialisation() -> Iterator[None]:
    """Make the functions of torch.nn.init return their tensor untouched."""
    from torch.overrides import TorchFunctionMode

    class Untouched(TorchFunctionMode):
        def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if getattr(function, "__module__", "") == "torch.nn.init":
                return kwargs.get("tensor", args[0] if args else None)
            return function(*args, **kwargs)

    with Untouched():
        yield


# How a package that has moved on shows itself to code written against an earlier release.
MOVED = (AttributeError, ImportError, KeyError, TypeError)

# How moshi turns down an input of the wrong shape: by assertion or by an explicit check.
REFUSALS = (AssertionError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Fact:
    """One quantity, and the symbol or procedure that yields it."""

    quantity: Quantity
    locator: str


class Observed(NamedTuple):
    """A value with the number of observations behind it and what a reader should know about it."""

    value: float | int
    n: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Probe:
    """Facts that are found together: `run` returns a value for each of `facts`, by name."""

    title: str
    facts: tuple[Fact, ...]
    run: Callable[[Bench], Mapping[str, Observed | float | int]]


def fact(name: str, unit: str, about: str, locator: str, *, low: float | None = 0, high: float | None = None) -> Fact:
    """A numeric fact; counts and durations start at 0 unless said otherwise."""
    return Fact(Quantity(name=name, unit=unit, about=about, low=low, high=high), locator)


def share(name: str, about: str, locator: str) -> Fact:
    """A fact that is a share of observations, in 0..1."""
    return fact(name, "share", about, locator, high=1)


def observe(probe: Probe, bench: Bench) -> Findings:
    """One measurement per fact of the probe; all undefined where it finds none, or where the package moved on.

    The latter is a fault, and nothing that was found out about Moshi.
    """
    try:
        with isolated():
            found = probe.run(bench)
        return Findings(tuple(_measurement(fact, found[fact.quantity.name]) for fact in probe.facts))
    except Undefined as error:
        return Findings(tuple(_undefined(fact, error.reason) for fact in probe.facts))
    except MOVED as error:
        if not_installed(error):
            raise
        reason = f"the probe of {probe.title} broke ({type(error).__name__}: {error})"
        return Findings(tuple(_undefined(fact, reason) for fact in probe.facts), faults=(error,))


def _measurement(fact: Fact, found: Observed | float | int) -> Measurement:
    value, n, note = found if isinstance(found, Observed) else (found, None, "")
    quantity = fact.quantity
    return Measurement(
        name=quantity.name, value=value, unit=quantity.unit, n=n, source="executed", locator=fact.locator, note=note
    )


def _undefined(fact: Fact, reason: str) -> Measurement:
    quantity = fact.quantity
    return Measurement(
        name=quantity.name, undefined=reason, unit=quantity.unit, source="executed", locator=fact.locator
    )
