"""One request from input to findings, in either mode."""

from __future__ import annotations

from functools import lru_cache

from audio.codec import Codec, load_codec
from audio.codec.weights import find_weights
from evaluators.evidence import Findings, Site
from evaluators.origin import source_of
from evaluators.reconstruction import artefacts
from evaluators.reconstruction.parameters import Request
from evaluators.reconstruction.reconstructor import Reconstructor, Take
from evaluators.reconstruction.scores import Score, score
from evaluators.reconstruction.selection import REMARK, choose, find_clips, load_pairs, locator, originals
from evaluators.reconstruction.summary import Summary
from evaluators.resampling import FEWEST
from evaluators.store import Store


def measure_pairs(request: Request, site: Site, store: Store) -> Findings:
    """Reconstructions that others published: real output of the codec, only not run here."""
    chosen = choose(site.pairs, request.pairs)
    few = {role: pairs for role, pairs in chosen.items() if len(pairs) < FEWEST}
    windowed = {(role, pair.codebooks) for role, pairs in few.items() for pair in pairs}
    total = sum(map(len, chosen.values()))
    scores: list[Score] = []
    for batch in load_pairs(chosen):
        site.progress(f"measuring pairs: {len(scores)} of {total}", len(scores) / total)
        scores += score(batch, request.metrics, windowed=windowed, jobs=site.jobs)
    source, _ = source_of(sounds=originals(chosen))
    summary = Summary(request, source, {role: locator(pairs) for role, pairs in chosen.items()}, REMARK)
    shown = (artefacts.table(store, scores), artefacts.clips_plot(store, scores, request))
    return Findings(tuple(summary.measurements(scores, None)), shown)


def measure_codec(request: Request, site: Site, store: Store) -> Findings:
    """The site's clips through the site's codec, at the codebooks asked for and over the sweep."""
    site.progress("loading the codec", 0.0)
    codec = kept_codec(site.codec_in_use, site.device, find_weights(site.codec_in_use).identity)
    files = find_clips(site.audio, request.clips)
    takes = [Take(role, name, path) for role, named in files.items() for name, path in named.items()]
    counts = sorted({request.codebooks, *request.sweep})
    windowed = {(role, request.codebooks) for role, named in files.items() if len(named) < FEWEST}
    total = len(takes) * len(counts)
    reconstructor = Reconstructor(codec, store, site.progress)
    scores: list[Score] = []
    for batch in reconstructor.batches(takes, counts):
        site.progress(f"measuring reconstructions: {len(scores)} of {total}", len(scores) / total)
        scores += score(batch, request.metrics, windowed=windowed, jobs=site.jobs)

    locators = {role: ", ".join(named) for role, named in files.items()}
    remark = f"decode(encode(x)) by {codec.name}"
    sounds = [take.path for take in takes]
    source, _ = source_of(sounds=sounds, weights=codec.weights_digest, codec_of_record=site.codec_of_record)
    summary = Summary(request, source, locators, remark)
    measured = tuple(summary.measurements(scores, request.codebooks))
    swept = tuple(m for count in sorted(set(request.sweep)) for m in summary.sweep(scores, count))
    at_record = [s for s in scores if s.codebooks == request.codebooks]
    shown = [artefacts.table(store, scores), artefacts.clips_plot(store, at_record, request)]
    shown += [artefacts.sweep_plot(store, swept, request)] if swept else []
    return Findings((*measured, *swept), (*shown, *reconstructor.examples(takes, request.codebooks)))


@lru_cache(maxsize=1)
def kept_codec(source: str, device: str, _identity: tuple[str, str | None]) -> Codec:
    """The codec, kept for the next request; other weights in the same place are another codec."""
    return load_codec(source, device=device)
