"""Where a measurement may claim to come from: one decision, used by every evaluator and enforced by the gatherer.

`measured` takes the codec of record and sound that somebody brought; other weights, the clips that come with the
project and voices that a manifest calls synthetic make a `demonstration`. Reconstructions that somebody published are
`published_audio` where the quiz lists them, and a demonstration otherwise. Weights are known by the digest of their
tensors, published files by their digest, sounds by what is heard: names of files, folders and hub caches are given by
whoever makes them, and a copy in another format has another digest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import audio
from basics.csv_source import read_records
from basics.errors import InputError, Problem, Undefined
from basics.listing import first_few
from basics.messages import say, together
from evaluators.evidence import Inputs, Measurement, PublishedPair, Quantity, Site, Sound, Source

if TYPE_CHECKING:
    from audio.codec.weights import Weights
    from audio.fingerprint import Index

CLIPS = Path(audio.__file__).parent / "clips"


class Origin(NamedTuple):
    """`measured`, or something less with the reason in words."""

    source: Source
    reason: str = ""


def source_of(
    site: Site,
    *,
    sounds: Iterable[Sound] = (),
    synthetic: Collection[str] = (),
    weights: str | None = None,
    published: Sequence[PublishedPair] = (),
) -> Origin:
    """What may be said at this site of measurements that rest on these weights and sounds.

    Args:
        site: the codec of record and the published audio that the quiz names.
        sounds: files, or content digests (`audio.clip.content_digest`), in any number; files are listened to once in a
            process (about 10 ms each).
        synthetic: names of sounds in which, as their manifest says, no person speaks.
        weights: sha256 of the tensors of the codec that was used; None where none was.
        published: pairs that others made.
    """
    unlisted = _of_pairs(published, site.published)
    reasons = [*_of_weights(weights, site), *_of_sounds(sounds), *_of_voices(synthetic), *unlisted]
    if reasons:
        return Origin("demonstration", "; ".join(reasons))
    return Origin("published_audio", "reconstructed by whoever published it") if published else Origin("measured")


def standing_of(inputs: Inputs, site: Site) -> dict[str, Source]:
    """What may be said of measurements by what they rest on; part of every fingerprint."""
    rests_on = {"sounds": (True, False), "weights": (False, True), "sounds and weights": (True, True)}
    return {name: _origin(inputs, site, *used).source for name, used in rests_on.items()}


def _origin(inputs: Inputs, site: Site, by_sounds: bool, by_weights: bool) -> Origin:
    heard = {"sounds": inputs.sounds, "synthetic": inputs.synthetic, "published": inputs.published}
    return source_of(site, weights=inputs.weights if by_weights else None, **(heard if by_sounds else {}))  # type: ignore[arg-type]


ORDER: tuple[Source, ...] = ("measured", "published_audio", "demonstration")
"""What is said of sound that was measured, from the most to the least."""


def hold_to_origin(
    measurements: Iterable[Measurement], quantities: Iterable[Quantity], inputs: Inputs, site: Site
) -> tuple[Measurement, ...]:
    """The measurements, none of which says `measured` or `published_audio` where the declared inputs do not allow it.

    What says more than it may says less, and its note says why. It is not refused: the value is sound, and its user
    chose these clips or this codec, most often knowingly.
    """
    rests_on = {quantity.name: quantity.rests_on for quantity in quantities}
    everything = Quantity.model_fields["rests_on"].default

    @cache
    def origin(on: tuple[str, ...]) -> Origin:
        return _origin(inputs, site, "sounds" in on, "weights" in on)

    def held(m: Measurement) -> Measurement:
        if m.source not in ORDER:
            return m
        allowed = origin(rests_on.get(m.name, everything))
        if m.source == "published_audio" and not inputs.published:
            allowed = Origin("demonstration", "the evaluator declares no published pairs")
        if ORDER.index(m.source) >= ORDER.index(allowed.source):
            return m
        note = "; ".join(filter(None, (m.note, f"{allowed.source}: {allowed.reason}")))
        locator = m.locator or allowed.reason
        return m.model_copy(update={"source": allowed.source, "note": note, "locator": locator})

    return tuple(map(held, measurements))


def weights_of(site: Site) -> Weights:
    """The weights of the codec that a site has.

    Raises Unavailable without any, InputError where they bear the name of the codec of record and are others.
    """
    from audio.codec.weights import find_weights

    found = find_weights(site.codec_in_use)
    claimed = site.codec_of_record in (site.codec_in_use, found.source)
    require_own(found.digest if claimed else None, site)
    return found


def require_own(weights: str | None, site: Site) -> None:
    """Raises InputError where tensors of this sha256 go by the name of the codec of record and are not its own."""
    if weights is None or is_of_record(weights, site):
        return
    name = site.codec_of_record
    known = known_digests(site)
    what = (
        say(
            "the weights found under this name have sha256 {sha256}, not {expected}",
            sha256=weights,
            expected=together((f"{digest[:12]}…" for digest in known), say(" or ")),
        )
        if known
        else say(
            "the weights found under this name have sha256 {sha256}, and the quiz does not say which", sha256=weights
        )
    )
    remedy = (
        say(
            "fetch {codec} anew, or give these weights in a folder of their own name with --codec: what "
            "is measured with them is a demonstration then",
            codec=name,
        )
        if known
        else say(
            "if they are the codec that the quiz asks about, say `codec_sha256: [{sha256}]` in its quiz.yaml",
            sha256=weights,
        )
    )
    raise InputError(Problem(f"codec {name}", what, remedy))


def known_digests(site: Site) -> tuple[str, ...]:
    """sha256 of all tensors that are the codec of record's own."""
    from audio.codec.weights import KYUTAI_DIGESTS, MIMI

    return (*site.codec_sha256, *(KYUTAI_DIGESTS if site.codec_of_record == MIMI else ()))


def is_of_record(weights: str, site: Site) -> bool:
    """Whether tensors of this sha256 are those of the codec of record: known by digest alone."""
    return weights in known_digests(site)


def built_in_clip(sound: Sound) -> str:
    """The file of `audio/clips` that a sound is a copy of, in any format, level and length; empty for any other."""
    if isinstance(sound, str):
        return _manifest().get(sound, "")
    try:
        status = sound.stat()
    except OSError:
        return ""
    return _heard(sound, status.st_size, status.st_mtime_ns)


@cache
def _heard(path: Path, _size: int, _modified: int) -> str:
    from audio.clip import load
    from audio.fingerprint import fingerprint

    try:
        clip = load(path, allow_truncated=True)  # a part of a built-in clip is a built-in clip
    except (InputError, Undefined):
        return ""  # whoever measures it will say that it cannot be read
    return _built_in().find(fingerprint(clip.samples, clip.sample_rate))


@cache
def _built_in() -> Index:
    from audio.clip import load
    from audio.fingerprint import index_of

    clips = ((name, load(CLIPS / name)) for name in _manifest().values())
    return index_of([(name, clip.samples, clip.sample_rate) for name, clip in clips])


@cache
def _manifest() -> dict[str, str]:
    """File by content digest of every clip that comes with the project."""
    rows = read_records(CLIPS / "manifest.csv", [("sha256",), ("file",)])
    return {row.text("sha256"): row.text("file") for row in rows}


def _of_weights(weights: str | None, site: Site) -> Iterator[str]:
    if weights and not is_of_record(weights, site):
        yield f"the codec's weights (sha256 {weights[:8]}…) are not those of {site.codec_of_record}"


def _of_sounds(sounds: Iterable[Sound]) -> Iterator[str]:
    known = {sound: clip for sound in sounds if (clip := built_in_clip(sound))}
    if known:
        named = (f"{s.name} has the sound of {clip}" if isinstance(s, Path) else clip for s, clip in known.items())
        yield f"clips that come with the project: {first_few(named)}"


def _of_voices(synthetic: Collection[str]) -> Iterator[str]:
    if synthetic:
        yield f"synthetic voices, as the manifest says: {first_few(sorted(synthetic))}"


def _of_pairs(pairs: Sequence[PublishedPair], listed: Collection[PublishedPair]) -> Iterator[str]:
    """Pairs that the quiz does not list with this repository, commit, system and these files' digests."""
    known = set(listed)
    if unlisted := [pair for pair in pairs if pair not in known]:
        named = (f"{pair.repository}@{pair.commit[:8]} {pair.reconstruction[:8]}…" for pair in unlisted)
        yield f"pairs that the quiz does not list as published: {first_few(named)}"
