"""One clip of sound: read from a file, mono, resampled, its level judged; and aligned with another one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.reading import read_sound
from basics.errors import InputError, Problem, Undefined
from basics.files import replacing, sha256_of
from basics.listing import first_few
from basics.messages import say

SILENCE = 10 ** (-70 / 20)  # peak below which a clip is called silent
SILENT = "silent"
FULL_SCALE = 0.999
BEYOND_SCALE = 1.001  # peak from which samples are beyond full scale, as floating point allows
LIKE_INTEGERS = 8.0  # peak from which they are most likely integers written as floats
CANCELLED = 0.2  # share of what unrelated channels keep of their energy in the mean, below which they cancel
CLIPPED_SHARE = 1e-4  # share of samples at full scale that makes a clip count as clipped
DC_SHARE = 0.1  # |mean| over root mean square that counts as a constant offset
SHORTEST = 0.5  # s, under which PESQ and STOI may have no value

BAND = (100.0, 4000.0)  # Hz, where speech has its energy and codecs keep it
ENVELOPE_BAND = 50.0  # Hz, cut-off of the envelope
LONGEST_LAG = 0.5  # s
FARTHEST_LAG = 2.0  # s, up to where a lag is looked for that is too long
SEARCHED = 60.0  # s of sound the lag is estimated on: the loudest stretch
WEAKEST_MATCH = 0.3  # envelope and waveform correlation together, below which no lag is claimed
CLEAR_GAIN = 0.1  # in that sum: published reconstructions without a delay gain up to 0.02, delayed by 0.5 ms 0.15
SHARP_MATCH = 1.9  # that sum for two waveforms that are equal up to noise: it places the lag to the sample

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Clip:
    """Mono samples (n,) float32, nominally within [-1, 1].

    `name` is the file's name, `digest` the sha256 of the file's bytes (the sound's identity in evidence), `warnings`
    what a listener should know about its level, `read_as` those that are about how the file was read.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    name: str
    digest: str
    warnings: tuple[str, ...] = ()
    read_as: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Duration in s."""
        return len(self.samples) / self.sample_rate


def load(path: str | Path, sample_rate: int | None = None, *, allow_truncated: bool = False) -> Clip:
    """Read a sound file as mono (the mean of the channels), resampled to `sample_rate` in Hz by soxr HQ.

    Raises InputError naming the file when it is missing, cannot be decoded as a whole (`audio.reading`; what is there
    of a file that is cut is taken with `allow_truncated`), is empty or has NaN or infinite samples. Silence, clipping,
    samples beyond full scale, channels that cancel, a constant offset and very short clips are warnings, as is whatever
    was not read as the file states it: a measure may be undefined for them.
    """
    path = Path(path)
    sound = read_sound(path, allow_truncated=allow_truncated)
    samples, rate = sound.samples, sound.sample_rate
    if not len(samples):
        raise InputError(Problem(str(path), say("has no samples"), say("replace the file")))
    if not np.isfinite(samples).all():
        raise InputError(
            Problem(str(path), say("has NaN or infinite samples"), say("export it again, as 16-bit or 24-bit PCM"))
        )
    channels = channel_warnings(samples, sound.energy, sound.channels)
    notes = (*sound.remarks, *channels, *level_warnings(samples, rate))
    if sample_rate is not None:
        samples, rate = resample(samples, rate, sample_rate), sample_rate
    return Clip(samples, rate, path.name, sha256_of(path), notes, sound.remarks)


def content_digest(path: Path, *, allow_truncated: bool = False) -> str:
    """sha256 of the samples as 16-bit little-endian mono: of the sound, whatever file or container it lies in.

    Equal for lossless copies of 16-bit sound, doubled channels included. Raises InputError like `load`.
    """
    return digest_of(read_sound(path, allow_truncated=allow_truncated).samples)


def digest_of(samples: NDArray[np.float32]) -> str:
    """The content digest of samples (n,)."""
    return hashlib.sha256(np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes()).hexdigest()


@contextmanager
def naming_unreadable(paths: Iterable[str | Path], *, allow_truncated: bool = False) -> Iterator[None]:
    """When what is done inside meets a file that `load` refuses, name all such files of `paths` at once.

    An InputError about something else passes as it is.
    """
    try:
        yield
    except InputError:
        if problems := list(_unreadable(paths, allow_truncated)):
            raise InputError(problems) from None
        raise


def _unreadable(paths: Iterable[str | Path], allow_truncated: bool) -> Iterator[Problem]:
    for path in paths:
        try:
            load(path, allow_truncated=allow_truncated)
        except InputError as error:
            yield from error.problems


def channel_warnings(mono: NDArray[np.float32], energy: float, channels: int) -> tuple[str, ...]:
    """Whether the mean (n,) of so many channels lost what they held: `energy` is the sum of their squared samples."""
    kept = float(np.square(mono, dtype=np.float64).sum())
    if channels < 2 or not energy or kept * channels**2 >= CANCELLED * energy:
        return ()
    return (
        f"antiphase: its {channels} channels cancel, the mean keeps {kept * channels / energy:.1%} of their energy",
    )


def resample(samples: NDArray[np.float32], source_rate: int, target_rate: int) -> NDArray[np.float32]:
    """Samples (n,) at another rate in Hz, by soxr's high-quality linear-phase filter."""
    if source_rate == target_rate:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, source_rate, target_rate, quality="HQ"), dtype=np.float32)


def level_warnings(samples: NDArray[np.float32], sample_rate: int) -> tuple[str, ...]:
    """What is wrong with the level of samples (n,), if anything; not fatal."""
    magnitude = np.abs(samples)
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    offset = abs(float(samples.mean(dtype=np.float64)))
    peak = float(magnitude.max())
    hint = " (integers written as floats have to be divided by the largest)" if peak > LIKE_INTEGERS else ""
    clipped = float((magnitude >= FULL_SCALE).mean()) if peak <= BEYOND_SCALE else 0.0
    found = {
        f"beyond full scale: its samples reach {peak:.5g}, expected within [-1, 1]{hint}": peak > BEYOND_SCALE,
        f"{SILENT}: its peak is below {20 * np.log10(SILENCE):.0f} dBFS": is_silent(samples),
        f"clipping: {clipped:.2%} of its samples are at full scale": clipped > CLIPPED_SHARE,
        f"constant (DC) offset: its mean is {offset:.3g}": rms > SILENCE and offset > DC_SHARE * rms,
        f"short: {len(samples) / sample_rate:.2g} s, {len(samples)} samples": len(samples) < SHORTEST * sample_rate,
    }
    return tuple(note for note, present in found.items() if present)


def is_of_silence(warnings: Iterable[str]) -> bool:
    """Whether a clip's warnings say that nothing is to be heard in it."""
    return any(warning.startswith(SILENT) for warning in warnings)


def is_silent(samples: NDArray[np.float32]) -> bool:
    """Whether the peak of samples (n,) is below -70 dBFS."""
    return not len(samples) or float(np.abs(samples).max()) < SILENCE


def summary_of(warnings: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """A line for each kind of warning over many clips, from (name of the clip, warning): whom it is about, how many.

    `clipping, 5 clips: a.wav (0.30% of its samples are at full scale), b.wav (…), c.wav (…) and 2 more`.
    """
    kinds: dict[str, dict[str, str]] = {}
    for name, warning in warnings:
        kind, _, detail = warning.partition(": ")
        kinds.setdefault(kind, {})[name] = f"{name} ({detail})" if detail else name
    return tuple(
        f"{kind}, {len(clips)} clip{'s' * (len(clips) != 1)}: {first_few(clips.values())}"
        for kind, clips in kinds.items()
    )


def save(path: str | Path, samples: NDArray[np.float32], sample_rate: int) -> None:
    """Write samples (n,) as 24-bit mono FLAC, whole or not at all; values outside [-1, 1] are clipped."""
    import soundfile

    with replacing(Path(path)) as temporary:
        soundfile.write(temporary, samples, sample_rate, format="FLAC", subtype="PCM_24")


class Alignment(NamedTuple):
    """`estimate` starts `lag_samples` late (early where negative); the two signals (n,) are cut to match each other.

    `correlation` is the sum of the envelopes' and the waveforms' correlation at that lag, 0 to 2. `beyond_samples` is
    a lag of more than half a second at which they match clearly better, 0 where there is none.
    """

    lag_samples: int
    reference: NDArray[np.float32]
    estimate: NDArray[np.float32]
    correlation: float
    beyond_samples: int = 0


def align(reference: NDArray[np.float32], estimate: NDArray[np.float32], sample_rate: int) -> Alignment:
    """Cut (n,) and (m,) to one length at the lag, within half a second, at which they clearly match better than at 0.

    The score of a lag is the correlation of band-limited envelopes, which codecs that regenerate phase preserve, plus
    the absolute correlation of band-limited waveforms, which is sharp to the sample and ignores polarity. Where nothing
    matches, or no lag gains clearly on 0, the lag is 0. Raises Undefined when either signal is silent.
    """
    for name, signal in (("reference", reference), ("estimate", estimate)):
        if not np.any(signal):
            raise Undefined(f"cannot align: the {name} is silent")
    longest, farthest = round(LONGEST_LAG * sample_rate), round(FARTHEST_LAG * sample_rate)
    score = _match(*_searched(reference, estimate, sample_rate), sample_rate, farthest)
    anywhere = int(score.argmax()) - farthest
    near = score[farthest - longest : farthest + longest + 1]
    best = int(near.argmax()) - longest
    clear = near.max() >= WEAKEST_MATCH and (near.max() >= SHARP_MATCH or near.max() - score[farthest] >= CLEAR_GAIN)
    lag = best if clear else 0
    beyond = anywhere if score.max() >= WEAKEST_MATCH and score.max() - near.max() >= CLEAR_GAIN else 0
    return _cut(reference, estimate, lag, float(score[lag + farthest]), beyond)


def _cut(
    reference: NDArray[np.float32], estimate: NDArray[np.float32], lag: int, correlation: float, beyond: int
) -> Alignment:
    reference, estimate = reference[max(0, -lag) :], estimate[max(0, lag) :]
    length = min(len(reference), len(estimate))
    return Alignment(lag, reference[:length], estimate[:length], correlation, beyond)


def _searched(
    reference: NDArray[np.float32], estimate: NDArray[np.float32], sample_rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The loudest minute of both; all of a shorter clip."""
    length = round(SEARCHED * sample_rate)
    shorter = min(len(reference), len(estimate))
    if shorter <= length:
        return reference, estimate
    energy = np.add.reduceat(np.square(reference[:shorter]), np.arange(0, shorter, sample_rate))
    sums = np.convolve(energy, np.ones(round(SEARCHED)), mode="valid")
    start = min(int(sums.argmax()) * sample_rate, shorter - length)
    return reference[start : start + length], estimate[start : start + length]


def _match(reference: NDArray[np.float32], estimate: NDArray[np.float32], sample_rate: int, longest: int) -> Floats:
    """Score of every lag from -longest to longest, (2 * longest + 1,)."""
    size = 1 << (max(len(reference), len(estimate)) + longest).bit_length()
    x, x_envelope = _band_and_envelope(reference, sample_rate, size)
    y, y_envelope = _band_and_envelope(estimate, sample_rate, size)
    return np.maximum(_correlation(x_envelope, y_envelope, longest), 0) + np.abs(_correlation(x, y, longest))


def _band_and_envelope(signal: NDArray[np.float32], sample_rate: int, size: int) -> tuple[Floats, Floats]:
    """The signal within BAND and its envelope without its mean, zero-padded to `size` samples."""
    frequencies = np.fft.rfftfreq(size, 1 / sample_rate)
    spectrum = np.fft.rfft(signal, size)
    band = np.fft.irfft(spectrum * ((frequencies >= BAND[0]) & (frequencies <= BAND[1])), size)
    rectified = np.fft.rfft(np.abs(band), size)
    envelope = np.fft.irfft(rectified * (frequencies <= ENVELOPE_BAND), size)
    envelope[: len(signal)] -= envelope[: len(signal)].mean()
    envelope[len(signal) :] = 0
    return band, envelope


def _correlation(reference: Floats, estimate: Floats, longest: int) -> Floats:
    """Normalized correlation at lags -longest to longest; positive lags mean that `estimate` is late."""
    cross = np.fft.irfft(np.fft.rfft(estimate) * np.conj(np.fft.rfft(reference)), len(reference))
    energy = np.sqrt((reference @ reference) * (estimate @ estimate)) or 1.0
    return np.concatenate((cross[-longest:], cross[: longest + 1])) / energy
