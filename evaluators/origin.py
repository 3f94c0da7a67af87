"""Where a measurement may claim to come from: one decision, used by every evaluator and enforced by the gatherer.

`measured` takes the codec of record and sound that somebody brought; other weights, the clips that come with the
project and voices that a manifest calls synthetic make a `demonstration`. Weights are known by the digest of their
tensors and sounds by their decoded content: names of files, folders and hub caches are given by whoever makes them, and
a file's own digest changes with every encoder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import audio
from basics.csv_source import read_records
from basics.errors import InputError, Unavailable
from evaluators.evidence import Inputs, Measurement, Quantity, Site, Sound, Source

CLIPS = Path(audio.__file__).parent / "clips"
NAMED = 3  # sounds that a reason names before it counts the others


class Origin(NamedTuple):
    """`measured`, or `demonstration` with the reason in words."""

    source: Source
    reason: str = ""


def source_of(
    *,
    sounds: Iterable[Sound] = (),
    synthetic: Collection[str] = (),
    weights: str | None = None,
    codec_of_record: str = Site.codec_of_record,
) -> Origin:
    """What may be said of measurements that rest on these weights and sounds.

    Args:
        sounds: files, or content digests (`audio.clip.content_digest`), in any number: only those that are as long as
            a built-in clip are decoded, once in a process.
        synthetic: names of sounds in which, as their manifest says, no person speaks.
        weights: sha256 of the tensors of the codec that was used; None where none was.
        codec_of_record: hub id or folder of the codec that the quiz asks about.
    """
    reasons = [*_of_weights(weights, codec_of_record), *_of_sounds(sounds), *_of_voices(synthetic)]
    return Origin("demonstration", "; ".join(reasons)) if reasons else Origin("measured")


def hold_to_origin(
    measurements: Iterable[Measurement], quantities: Iterable[Quantity], inputs: Inputs, site: Site
) -> tuple[Measurement, ...]:
    """The measurements, none of which says `measured` where the declared inputs do not allow it.

    What says more than it may becomes a `demonstration`, and its note says why. It is not refused: the value is sound,
    and its user chose these clips or this codec, most often knowingly.
    """
    rests_on = {quantity.name: quantity.rests_on for quantity in quantities}
    everything = Quantity.model_fields["rests_on"].default

    @cache
    def origin(on: tuple[str, ...]) -> Origin:
        heard = (inputs.sounds, inputs.synthetic) if "sounds" in on else ((), ())
        used = inputs.weights if "weights" in on else None
        return source_of(sounds=heard[0], synthetic=heard[1], weights=used, codec_of_record=site.codec_of_record)

    def held(m: Measurement) -> Measurement:
        found = origin(rests_on.get(m.name, everything)) if m.source == "measured" else Origin(m.source)
        if found.source == m.source:
            return m
        note = "; ".join(filter(None, (m.note, f"demonstration: {found.reason}")))
        return m.model_copy(update={"source": found.source, "note": note})

    return tuple(map(held, measurements))


def is_of_record(weights: str, codec_of_record: str) -> bool:
    """Whether tensors of this sha256 are those of the codec of record: Kyutai's published ones, if that is Mimi."""
    from audio.codec.weights import KYUTAI_DIGESTS, MIMI, find_weights

    if codec_of_record == MIMI:
        return weights in KYUTAI_DIGESTS
    try:
        return find_weights(codec_of_record, download=False).digest == weights
    except (InputError, Unavailable):
        return False


def built_in_clip(sound: Sound) -> str:
    """The file of `audio/clips` whose content a sound has, as the manifest names it; empty for any other sound."""
    if isinstance(sound, str):
        return _manifest()[0].get(sound, "")
    try:
        status = sound.stat()
    except OSError:
        return ""
    return _same_content(sound, status.st_size, status.st_mtime_ns)


@cache
def _same_content(path: Path, _size: int, _modified: int) -> str:
    import soundfile

    from audio.clip import content_digest

    files, durations = _manifest()
    try:
        info = soundfile.info(path)
        as_long = round(info.frames / info.samplerate, 3) in durations
        return files.get(content_digest(path), "") if as_long else ""
    except (soundfile.SoundFileError, TypeError, InputError):
        return ""  # whoever measures it will say that it cannot be read


@cache
def _manifest() -> tuple[dict[str, str], frozenset[float]]:
    """File by content digest of every clip that comes with the project, and their durations in s."""
    rows = read_records(CLIPS / "manifest.csv", [("sha256",), ("file",), ("seconds",)])
    return {row.text("sha256"): row.text("file") for row in rows}, frozenset(float(row.text("seconds")) for row in rows)


def _of_weights(weights: str | None, codec_of_record: str) -> Iterator[str]:
    if weights and not is_of_record(weights, codec_of_record):
        yield f"the codec's weights (sha256 {weights[:8]}…) are not those of {codec_of_record}"


def _of_sounds(sounds: Iterable[Sound]) -> Iterator[str]:
    known = {sound: clip for sound in sounds if (clip := built_in_clip(sound))}
    if known:
        named = (f"{s.name} has the sound of {clip}" if isinstance(s, Path) else clip for s, clip in known.items())
        yield f"clips that come with the project: {_first(list(named))}"


def _of_voices(synthetic: Collection[str]) -> Iterator[str]:
    if synthetic:
        yield f"synthetic voices, as the manifest says: {_first(sorted(synthetic))}"


def _first(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
