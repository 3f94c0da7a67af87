"""One request from input to findings, in either mode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache

from audio.clip import load
from audio.codec import Codec, load_codec
from evaluators.evidence import Findings, Site
from evaluators.reconstruction import artefacts
from evaluators.reconstruction.clips import find_clips, source_and_revision, standing, weights_of
from evaluators.reconstruction.pairs import REMARK, choose, load_pairs, locator
from evaluators.reconstruction.parameters import Request
from evaluators.reconstruction.reconstructor import Reconstructor, Take
from evaluators.reconstruction.scores import Rendition, score
from evaluators.reconstruction.summary import Summary
from evaluators.statistics import FEWEST
from evaluators.store import Store


def measure_pairs(request: Request, site: Site, store: Store) -> Findings:
    """Reconstructions that others published. Source `measured`: real output of the codec, only not run here."""
    chosen = choose(site.pairs, request.pairs)
    renditions = load_pairs(chosen)
    scores = score(renditions, request.metrics, windowed=lonely(renditions), jobs=site.jobs, report=site.progress)
    summary = Summary(request, "measured", {role: locator(pairs) for role, pairs in chosen.items()}, REMARK)
    shown = (artefacts.table(store, scores), artefacts.clips_plot(store, scores, request))
    return Findings(tuple(summary.measurements(scores, None)), shown)


def measure_codec(request: Request, site: Site, store: Store) -> Findings:
    """The site's clips through the site's codec, at the codebooks asked for and over the sweep."""
    site.progress("loading the codec", 0.0)
    codec = kept_codec(*source_and_revision(site), site.device, weights_of(site).digest)
    clips = find_clips(site.audio, request.clips)
    takes = [Take(role, load(path, codec.sample_rate)) for role, paths in clips.items() for path in paths]
    reconstructor = Reconstructor(codec, store, _part(site.progress, 0.0, 0.5))
    renditions = reconstructor.renditions(takes, sorted({request.codebooks, *request.sweep}))
    kept = [rendition for rendition in renditions if rendition.codebooks == request.codebooks]
    report = _part(site.progress, 0.5, 1.0)
    scores = score(renditions, request.metrics, windowed=lonely(kept), jobs=site.jobs, report=report)

    locators = {role: ", ".join(path.name for path in paths) for role, paths in clips.items()}
    remark = f"decode(encode(x)) by {codec.name}"
    summary = Summary(request, standing(site, codec.is_reference), locators, remark)
    measured = tuple(summary.measurements(scores, request.codebooks))
    swept = tuple(m for count in sorted(set(request.sweep)) for m in summary.sweep(scores, count))
    at_record = [s for s in scores if s.codebooks == request.codebooks]
    shown = [artefacts.table(store, scores), artefacts.clips_plot(store, at_record, request)]
    shown += [artefacts.sweep_plot(store, swept, request)] if swept else []
    return Findings((*measured, *swept), (*shown, *reconstructor.examples(takes, request.codebooks)))


@lru_cache(maxsize=1)
def kept_codec(source: str, revision: str | None, device: str, _digest: str) -> Codec:
    """The codec, kept for the next request; other weights in the same place are another codec."""
    return load_codec(source, device=device, revision=revision)


def lonely(renditions: Iterable[Rendition]) -> set[tuple[str, int | None]]:
    """Roles (with their codebooks) that have too few clips for an interval over clips."""
    keys = [(rendition.role, rendition.codebooks) for rendition in renditions]
    clips = Counter(role for role, _ in keys)
    return {(role, codebooks) for role, codebooks in keys if clips[role] < FEWEST}


def _part(report: Callable[[str, float], None], start: float, end: float) -> Callable[[str, float], None]:
    """Progress of one stage as progress of the whole."""
    return lambda step, done: report(step, start + (end - start) * done)
