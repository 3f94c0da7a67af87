"""Whether what is measured of a codec can be of record: the quiz's own codec, on sound not made for demonstrations."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import audio
from basics.files import sha256_of
from evaluators.evidence import Site, Source


def standing(site: Site, is_reference: bool, sounds: Iterable[str]) -> Source:
    """`measured`, or `demonstration`: with another codec than that of record, or on clips that come with the project.

    The codec of record is known by its name or, Kyutai's Mimi, by its published weights (`is_reference`). `sounds` are
    the sha256 of the files measured: synthetic voices, laughter and music say nothing about those of the course,
    whatever codec they went through.
    """
    from audio.codec.weights import MIMI

    of_record = site.codec in (None, site.codec_of_record) or (site.codec_of_record == MIMI and is_reference)
    return "measured" if of_record and built_in_sounds().isdisjoint(sounds) else "demonstration"


@cache
def built_in_sounds() -> frozenset[str]:
    """sha256 of every clip that comes with the project."""
    clips = Path(audio.__file__).parent / "clips"
    return frozenset(sha256_of(path) for path in clips.rglob("*.flac"))
