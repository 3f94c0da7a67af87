"""Codecs, each kept in the process that works with it, and held to be the one that the work began with.

What an evaluator has encoded or decoded goes to the cluster where one is at work (`working_with`), a signal a task, and
to its own codec otherwise. On a CPU both give the same bits: there a list gives what its items give alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from audio.codec import Audio, Codec, Codes, SoundCodec, load_codec
from basics.errors import MachineFault
from basics.messages import say
from basics.workers import Pool, elsewhere, side_by_side

if TYPE_CHECKING:
    from evaluators.evidence import Site

AT_ONCE = 32
"""Signals for one call of `encode` or `decode` here: many enough for all processors, few enough to be lost."""

Facts = tuple[str, ...]
"""What says which codec it is: its identity, then its provenance."""

_codecs: dict[tuple[str, str], SoundCodec] = {}


def facts_about(codec: SoundCodec) -> Facts:
    """Its identity, then its provenance."""
    return (*map(str, codec.identity), *(f"{key}={value}" for key, value in sorted(codec.provenance.items())))


def kept_codec(source: str, device: str, facts: Facts = ()) -> SoundCodec:
    """The codec, kept in this process for the next signal.

    Raises MachineFault where it is not the one that the `facts` tell of: its weights were changed since.
    """
    from audio.codec.naming import find_codec

    codec = _codecs.get((source, device))
    if codec is None or (facts and facts_about(codec) != facts):
        codec = _codecs[source, device] = find_codec(source, device)
    if facts and facts_about(codec) != facts:
        what = say("{codec} is not the codec that the work began with", codec=source)
        raise MachineFault(what, say("leave its files as they are, and give the same command again"))
    return codec


def codec_at(site: Site) -> Codec:
    """The site's codec, kept for the next request. Raises like `weights_of` and `load_codec`."""
    from evaluators.origin import weights_of

    return loaded_codec(site.codec_in_use, site.device, weights_of(site).identity)


@lru_cache(maxsize=1)
def loaded_codec(source: str, device: str, _identity: tuple[str, str | None]) -> Codec:
    """The codec, loaded once; other weights in the same place are another codec."""
    return load_codec(source, device=device)


def at_once() -> int:
    """How many signals to give to `encode` or `decode` in one call."""
    crew = elsewhere()
    return max(AT_ONCE, 4 * crew.size) if crew else AT_ONCE


def encode(codec: Codec, audio: Sequence[Audio], codebooks: int) -> list[Codes]:
    """Codes (codebooks, frames) of each signal (n,), as `codec.encode` gives them, by whoever is at work."""
    return _by_crew(codec, "encode", [([signal], codebooks) for signal in audio]) or codec.encode(audio, codebooks)


def decode(codec: Codec, codes: Sequence[Codes]) -> list[Audio]:
    """Sound (n,) of each code (codebooks, frames), as `codec.decode` gives it, by whoever is at work."""
    return _by_crew(codec, "decode", [([code],) for code in codes]) or codec.decode(codes)


def _by_crew(codec: Codec, what: str, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The one result of each call of the codec, in their order; nothing where no crew is at work elsewhere."""
    if not elsewhere():
        return []
    facts = facts_about(codec)
    return [*side_by_side(partial(_below, loading=codec.loading, facts=facts, what=what, call=call) for call in calls)]


def _below(pool: Pool, loading: tuple[str, str], facts: Facts, what: str, call: tuple[Any, ...]) -> Any:
    return pool.call_surely(_done, loading, facts, what, call)


def _done(loading: tuple[str, str], facts: Facts, what: str, call: tuple[Any, ...]) -> Any:
    (result,) = getattr(kept_codec(*loading, facts), what)(*call)
    return result
