"""One request from input to findings; in codec mode clips go through the codec and back, at any numbers of codebooks.

Many clips go into one call of the codec, which runs them side by side; a clip is encoded once, since the first
codebooks of a longer code are the shorter code. Codes and reconstructions are kept in the store clip by clip, so that
an interrupted run goes on where it was and a further clip costs one clip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import TypeVar

import numpy as np

from audio.clip import Clip, load, naming_unreadable, save
from audio.codec import Audio, Codec, Codes
from evaluators.codecs import at_once, codec_at, decode, encode
from evaluators.evidence import Artefact, Findings, Site, digest
from evaluators.origin import source_of
from evaluators.reconstruction import artefacts
from evaluators.reconstruction.null import Null
from evaluators.reconstruction.parameters import Request
from evaluators.reconstruction.scores import Rendition, Score, rendition, score, warnings_of
from evaluators.reconstruction.selection import REMARK, choose, find_clips, load_pairs, locator, originals, published
from evaluators.reconstruction.summary import Summary
from evaluators.resampling import FEWEST
from evaluators.store import Store

RECIPE = 2
"""Raised when the same codec and clip may give another reconstruction."""
EXAMPLES = 4  # clips of a role to listen to

Item = TypeVar("Item")


@dataclass(frozen=True)
class Take:
    """One file in its role; `name` is its path inside the folder of clips."""

    role: str
    name: str
    path: Path


@dataclass(frozen=True, eq=False)
class Reconstructor:
    """A codec, and a store for what comes out of it; `report` hears what is being done and the share that is done."""

    codec: Codec
    store: Store
    report: Callable[[str, float], None]
    allow_truncated: bool = False

    def batches(self, takes: Sequence[Take], counts: Sequence[int]) -> Iterator[list[Rendition]]:
        """Every take at every number of codebooks, a few takes at a time: memory does not grow with the folder.

        Raises InputError for files that cannot be read, all of them at once.
        """
        size = max(1, at_once() // len(counts))
        for start in range(0, len(takes), size):
            self.report(f"reconstructing clips: {start} of {len(takes)}", start / len(takes))
            batch = takes[start : start + size]
            with naming_unreadable((take.path for take in takes), allow_truncated=self.allow_truncated):
                clips = [self._load(take) for take in batch]
            paths = iter(self.reconstructions(clips, counts))
            yield [
                rendition(take.role, take.name, count, clip, load(next(paths)), made_here=True)
                for take, clip in zip(batch, clips, strict=True)
                for count in counts
            ]

    def _load(self, take: Take) -> Clip:
        return load(take.path, self.codec.sample_rate, allow_truncated=self.allow_truncated)

    def reconstructions(self, clips: Sequence[Clip], counts: Sequence[int]) -> list[Path]:
        """FLAC files of every clip at every number of codebooks, clip by clip; what exceeds full scale is clipped."""
        wanted = list(product(clips, counts))

        def decoded() -> list[Audio]:
            codes = dict(zip((clip.digest for clip in clips), self.codes(clips, max(counts)), strict=True))
            sound = decode(self.codec, [codes[clip.digest][:count] for clip, count in wanted])
            return [self.codec.in_time(made, len(clip.samples)) for made, (clip, _) in zip(sound, wanted, strict=True)]

        keys = [self._key("reconstruction", clip, count) for clip, count in wanted]
        return self._stored(keys, ".flac", decoded, lambda path, made: save(path, made, self.codec.sample_rate))

    def codes(self, clips: Sequence[Clip], count: int) -> list[Codes]:
        """Codes (count, frames) of every clip."""
        keys = [self._key("codes", clip, count) for clip in clips]
        paths = self._stored(keys, ".npy", lambda: encode(self.codec, [c.samples for c in clips], count), np.save)
        return [np.load(path) for path in paths]

    def examples(self, takes: Sequence[Take], count: int) -> list[Artefact]:
        """Originals and reconstructions of the first clips of every role, to listen to."""
        roles = [take.role for take in takes]
        first = [take for i, take in enumerate(takes) if roles[:i].count(take.role) < EXAMPLES]
        clips = [self._load(take) for take in first]
        artefacts = []
        for take, clip, made in zip(first, clips, self.reconstructions(clips, [count]), strict=True):
            key = digest(["original", RECIPE, clip.digest, clip.sample_rate])
            original = self.store.blob(key, ".flac", partial(_write_clip, clip))
            for version, path in (("original", original), (f"{count} codebooks", made)):
                labels = {"role": take.role, "clip": take.name, "version": version}
                title = f"{take.role}: {take.name}, {version}"
                artefacts.append(self.store.artefact(title, path, "audio/flac", **labels))
        return artefacts

    def _stored(
        self,
        keys: Sequence[str],
        suffix: str,
        compute: Callable[[], Sequence[Item]],
        write: Callable[[Path, Item], None],
    ) -> list[Path]:
        """The blobs of `keys`; if one is missing, all are computed in one call."""
        batch = cache(compute)
        return [
            self.store.blob(key, suffix, partial(_write_one, index, batch, write)) for index, key in enumerate(keys)
        ]

    def _key(self, what: str, clip: Clip, count: int) -> str:
        return digest(
            [what, RECIPE, self.codec.identity, dict(self.codec.provenance), clip.digest, clip.sample_rate, count]
        )


def _write_clip(clip: Clip, path: Path) -> None:
    save(path, clip.samples, clip.sample_rate)


def _write_one(
    index: int, compute: Callable[[], Sequence[Item]], write: Callable[[Path, Item], None], path: Path
) -> None:
    write(path, compute()[index])


def measure_pairs(request: Request, site: Site, store: Store) -> Findings:
    """Reconstructions that others published: real output of the codec, only not run here.

    Raises Unavailable without a folder or a pair for some role, InputError for files that cannot be read.
    """
    chosen = choose(site.pairs, request.pairs, allow_truncated=site.allow_truncated)
    cut = [role for role, pairs in chosen.items() if len(pairs) < FEWEST or role in request.null_roles]
    windowed = {(role, pair.codebooks) for role in cut for pair in chosen[role]}
    total = sum(map(len, chosen.values()))
    scores: list[Score] = []
    for batch in load_pairs(chosen, allow_truncated=site.allow_truncated):
        site.progress(f"measuring pairs: {len(scores)} of {total}", len(scores) / total)
        scores += score(batch, request.metrics, windowed=windowed, growing=request.growth, jobs=site.jobs)
    source, _ = source_of(
        site, sounds=originals(chosen), published=published(chosen, allow_truncated=site.allow_truncated)
    )
    locators = {role: locator(pairs) for role, pairs in chosen.items()}
    summary, null = Summary(request, source, locators, REMARK), Null(request, scores, source, locators)
    shown = (artefacts.table(store, scores), artefacts.clips_plot(store, scores, request))
    measured = (*summary.measurements(scores, None), *null.measurements())
    return Findings(measured, shown, warnings=warnings_of(scores))


def measure_codec(request: Request, site: Site, store: Store) -> Findings:
    """The site's clips through the site's codec, at the codebooks asked for and over the sweep.

    Raises Unavailable without clips or weights, InputError for clips that cannot be read or too many codebooks.
    """
    site.progress("loading the codec", 0.0)
    codec = codec_at(site)
    files = find_clips(site.audio, request.clips, allow_truncated=site.allow_truncated)
    takes = [Take(role, name, path) for role, named in files.items() for name, path in named.items()]
    counts = sorted({request.codebooks, *request.sweep})
    windowed = {
        (role, request.codebooks) for role, named in files.items() if len(named) < FEWEST or role in request.null_roles
    }
    total = len(takes) * len(counts)
    reconstructor = Reconstructor(codec, store, site.progress, site.allow_truncated)
    scores: list[Score] = []
    for batch in reconstructor.batches(takes, counts):
        site.progress(f"measuring reconstructions: {len(scores)} of {total}", len(scores) / total)
        scores += score(batch, request.metrics, windowed=windowed, growing=request.growth, jobs=site.jobs)

    locators = {role: ", ".join(named) for role, named in files.items()}
    remark = f"decode(encode(x)) by {codec.name}, {_timing(codec)}"
    sounds = [take.path for take in takes]
    source, _ = source_of(site, sounds=sounds, weights=codec.weights_digest)
    summary = Summary(request, source, locators, remark)
    at_record = [s for s in scores if s.codebooks == request.codebooks]
    null = Null(request, at_record, source, locators)
    measured = (*summary.measurements(scores, request.codebooks), *null.measurements())
    swept = tuple(m for count in sorted(set(request.sweep)) for m in summary.sweep(scores, count))
    shown = [artefacts.table(store, scores), artefacts.clips_plot(store, at_record, request)]
    shown += [artefacts.sweep_plot(store, swept, request)] if swept else []
    examples = reconstructor.examples(takes, request.codebooks)
    return Findings((*measured, *swept), (*shown, *examples), warnings=warnings_of(at_record))


def _timing(codec: Codec) -> str:
    """What was shifted: nothing, unless the codec has a delay of its own."""
    return f"its delay of {1000 * codec.delay / codec.sample_rate:g} ms taken out" if codec.delay else "not shifted"
