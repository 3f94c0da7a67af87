"""Q6 and Q7: how well a codec gives back what it was given.

Two ways to the same measurements. Mode `codec`: clips of each role (English speech, Chinese speech, laughter, music) go
through decode(encode(.)), as the course's notebook does. Mode `pairs`: originals and reconstructions that others
published are compared, without any weights. Values are named `<measure>.<role>`; see docs/evaluators/reconstruction.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from audio.measures import MEASURES
from basics.errors import Unavailable
from basics.files import sha256_of
from evaluators.display import Panel
from evaluators.evidence import Evidence, Findings, Frozen, Inputs, Quantity, Site
from evaluators.origin import weights_of
from evaluators.reconstruction.parameters import Request, quantities
from evaluators.reconstruction.selection import choose, find_clips, originals, published, together
from evaluators.store import Store

MEASURING = ("numpy", "pesq", "scipy", "soxr")
CODEC = ("torch", "transformers")


class Reconstruction:
    """PESQ, STOI and measures that do not assume speech, of originals and reconstructions."""

    name: ClassVar[str] = "reconstruction"
    version: ClassVar[int] = 3
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = Request

    def quantities(self, parameters: Request) -> Iterable[Quantity]:
        return quantities(parameters)

    def inputs(self, parameters: Request, site: Site) -> Inputs:
        return _pair_inputs(parameters, site) if parameters.mode == "pairs" else _codec_inputs(parameters, site)

    def measure(self, parameters: Request, site: Site) -> Findings:
        from evaluators.reconstruction.reconstructor import measure_codec, measure_pairs

        with _store(site.cache) as store:
            findings = (measure_pairs if parameters.mode == "pairs" else measure_codec)(parameters, site, store)
        site.progress("reconstruction measured", 1.0)
        return findings if site.cache else replace(findings, artefacts=())

    def display(self, evidence: Evidence, site: Site) -> Sequence[Panel]:  # noqa: ARG002 - as the protocol has it
        """Originals and reconstructions to hear, and measures by number of codebooks."""
        from evaluators.reconstruction.display import display

        return tuple(display(evidence))


def _codec_inputs(parameters: Request, site: Site) -> Inputs:
    """Everything that is missing, clips and weights, is told at once."""
    missing: list[Unavailable] = []
    files: dict[str, str] = {}
    sounds: tuple[Path, ...] = ()
    weights = None
    try:
        clips = find_clips(site.audio, parameters.clips, allow_truncated=site.allow_truncated)
        files = {f"{role}: {name}": sha256_of(path) for role, named in clips.items() for name, path in named.items()}
        sounds = tuple(path for named in clips.values() for path in named.values())
    except Unavailable as error:
        missing.append(error)
    try:
        found = weights_of(site)
        weights = found.digest
        files |= found.files
    except Unavailable as error:
        missing.append(error)
    if missing:
        raise together(missing)
    return Inputs(
        files, weights=weights, packages=(*_measuring(parameters), *CODEC), seed=parameters.seed, sounds=sounds
    )


def _pair_inputs(parameters: Request, site: Site) -> Inputs:
    chosen = choose(site.pairs, parameters.pairs, allow_truncated=site.allow_truncated)
    files = {
        f"{role}/{pair.id}/{what}": sha256_of(path)
        for role, pairs in chosen.items()
        for pair in pairs
        for what, path in (("original", pair.original), ("reconstruction", pair.reconstruction))
    }
    sounds, listed = originals(chosen), published(chosen, allow_truncated=site.allow_truncated)
    return Inputs(files, packages=_measuring(parameters), seed=parameters.seed, sounds=sounds, published=listed)


def _measuring(parameters: Request) -> tuple[str, ...]:
    """The packages that measure; those that a few measures alone need, where these are asked for."""
    return (*MEASURING, *dict.fromkeys(filter(None, (MEASURES[metric].package for metric in parameters.metrics))))


@contextmanager
def _store(cache: Path | None) -> Iterator[Store]:
    """The site's store, or one that is gone afterwards."""
    if cache is not None:
        yield Store(cache)
        return
    with TemporaryDirectory() as folder:
        yield Store(Path(folder))
