"""Originals and reconstructions side by side: aligned, level-matched, with spectrograms and their difference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from basics.errors import Undefined
from evaluators.evidence import Artefact, Evidence
from evaluators.store import Store
from grader.report.cards import all_evidence, questions_using
from grader.report.sounds import Samples, SoundBank, level_matched
from grader.report.spectrograms import Spectrograms, spectrograms
from grader.verdicts.testimony import Testimony

LONGEST = 20.0
"""Seconds of a clip that the page plays; what is left out is said beside the player."""
ORIGINAL = "original"
TITLE = re.compile(rf"(?P<role>[^:]+): (?P<clip>.+), (?P<version>{ORIGINAL}|[^,]*(?:codebooks|reconstruction))")
"""Titles of the sounds among the artefacts of `reconstruction`."""


@dataclass(frozen=True)
class Pair:
    """An original and one reconstruction of it, ready to be played: ids of sounds in the page."""

    role: str
    clip: str
    version: str
    original: str
    reconstruction: str
    gain_db: float
    seconds: float
    shortened: bool
    pictures: Spectrograms
    demonstration: bool
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Listening:
    """All pairs by role. `absent` counts the sounds that the evidence names and this machine does not hold."""

    pairs: tuple[Pair, ...]
    absent: int
    anchor: str = "listening"
    title: str = "listening"
    template: str = "listening.html.j2"

    @property
    def roles(self) -> dict[str, list[Pair]]:
        grouped: dict[str, list[Pair]] = {}
        for pair in self.pairs:
            grouped.setdefault(pair.role, []).append(pair)
        return grouped


def listening(testimonies: Sequence[Testimony], store: Store, bank: SoundBank) -> Listening | None:
    """What can be listened to; None where no evidence names sounds."""
    pairs: list[Pair] = []
    absent = 0
    for exhibit in all_evidence(testimonies):
        for original, reconstruction in couples(exhibit.evidence):
            if store.holds(original.path, original.sha256) and store.holds(reconstruction.path, reconstruction.sha256):
                used = questions_using(exhibit.evidence, testimonies)
                pairs.append(_pair(original, reconstruction, exhibit.evidence, used, store, bank))
            else:
                absent += 1
    return Listening(tuple(pairs), absent) if pairs or absent else None


def couples(evidence: Evidence) -> Iterator[tuple[Artefact, Artefact]]:
    """Every original with each reconstruction of it."""
    originals: dict[str, Artefact] = {}
    for artefact in evidence.artefacts:
        found = TITLE.fullmatch(artefact.title)
        if not found or not artefact.media_type.startswith("audio/"):
            continue
        name = f"{found['role']}: {found['clip']}"
        if found["version"] == ORIGINAL:
            originals[name] = artefact
        elif name in originals:
            yield originals[name], artefact


def _pair(
    original: Artefact,
    reconstruction: Artefact,
    evidence: Evidence,
    questions: tuple[str, ...],
    store: Store,
    bank: SoundBank,
) -> Pair:
    first, second, rate = heard(store.root / original.path, store.root / reconstruction.path)
    matched = level_matched(first[: int(LONGEST * rate)], second[: int(LONGEST * rate)])
    named = TITLE.fullmatch(reconstruction.title)
    role, clip, version = named.groups() if named else ("", "", "")
    return Pair(
        role=role,
        clip=clip,
        version=version,
        original=bank.exact(matched.first, rate),
        reconstruction=bank.exact(matched.second, rate),
        gain_db=matched.gain_db,
        seconds=len(matched.first) / rate,
        shortened=len(first) > LONGEST * rate,
        pictures=spectrograms(matched.first, matched.second, rate),
        demonstration=any(m.source == "demonstration" for m in evidence.measurements),
        questions=questions,
    )


def heard(original: Path, reconstruction: Path) -> tuple[Samples, Samples, int]:
    """Both sounds (n,), aligned, at the reconstruction's sample rate; silent ones as they are, cut to one length."""
    from audio.clip import align, load

    estimate = load(reconstruction)
    rate = estimate.sample_rate
    first, second = load(original, rate).samples, estimate.samples
    try:
        aligned = align(first, second, rate)
    except Undefined:
        length = min(len(first), len(second))
        return first[:length], second[:length], rate
    return aligned.reference, aligned.estimate, rate
