"""Sound files are decoded whole, or refused with both lengths: what is stated and what can be decoded.

libsndfile decodes; what it does not know is left to ffmpeg, where that is installed. The bounds are looked at before
any memory is used.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audio.containers import Length, length_of
from audio.formats import REMEDY, regular
from basics.errors import InputError, Problem
from basics.messages import say

if TYPE_CHECKING:
    from soundfile import SoundFile

RATES = (4_000, 384_000)
"""Hz, between which a sample rate is that of sound."""
LONGEST = 2 * 3600.0
"""s of sound in one file."""
MOST_SAMPLES = round(LONGEST * 48_000)
"""Samples of one channel in one file."""
BLOCK = 1 << 18  # samples decoded at a time, all channels together, so that a long file is held once, as mono
SMALL_BLOCK = 1 << 10  # the same where a decoder gives up within a block
UNKNOWN = 1 << 62  # frames from which libsndfile means that a header states no length
TOLERANCE = 0.25  # s by which ffmpeg's length may differ from what a container states: delay and padding
ALLOW = say("get or export it again, whole; what is there is used with --allow-truncated, and said")

CHECKED = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "NIST", "FLAC", "OGG", "MP3", "MPEG")
"""Formats, as libsndfile calls them, of which a part can be told from the whole."""
FFMPEG_FORMATS = "mov,flac,matroska,asf,aac,amr,wv"
"""The same for ffmpeg; none of them names other files to be read."""
OPEN_ENDED = "of unstated length: its header gives none, so that whether it is whole cannot be told"

Mono = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sound:
    """Mono samples (n,) float32, the mean of the `channels`, at `sample_rate` in Hz.

    `energy` is the sum of the squared samples of all channels.
    `remarks` say what a reader of the evidence has to know: a file that is not whole, a decoder that is not libsndfile.
    """

    samples: Mono
    sample_rate: int
    channels: int
    energy: float
    remarks: tuple[str, ...] = ()


def read_sound(path: Path, *, allow_truncated: bool = False) -> Sound:
    """Decode a whole file as mono.

    Args:
        path: the file; its format is known by its content.
        allow_truncated: use what is there of a file that is cut or damaged, and say so in `remarks`.

    Raises InputError naming the file when it is missing or no file, cannot be decoded, holds less or more sound than it
    states, has a sample rate outside `RATES`, or more than `LONGEST` seconds.
    """
    import soundfile

    if problem := regular(path):
        raise InputError(problem)
    try:
        length = length_of(path)
        if length.trouble and length.sample_rate and not allow_truncated:
            raise InputError(Problem(str(path), say("is {state}", state=_counted(length)), ALLOW))
        with soundfile.SoundFile(path) as file:
            rate, frames = file.samplerate, file.frames
            if file.format not in CHECKED:
                what = say("is in a format ({format}) that does not say whether a file is whole", format=file.format)
                raise InputError(Problem(str(path), what, REMEDY))
            if frames >= UNKNOWN:
                return _by_ffmpeg(path, "its header states no length", length, allow_truncated)
            _require_bounds(path, rate, frames if length.samples is None else length.samples)
            channels = file.channels
            samples, energy, broke = _decoded(path, file, BLOCK)
        if broke:
            with soundfile.SoundFile(path) as file:
                samples, energy, _ = _decoded(path, file, SMALL_BLOCK)
    except soundfile.LibsndfileError as error:
        return _by_ffmpeg(path, error.error_string, length, allow_truncated)
    except PermissionError as error:
        raise InputError(
            Problem(str(path), say("cannot be read ({reason})", reason=error.strerror), say("check its permissions"))
        ) from None
    told = _allowed(path, _incomplete(length, frames, len(samples), rate), allow_truncated)
    remarks = told or ((OPEN_ENDED,) if length.open_ended else ())
    return Sound(samples, rate, channels, energy, remarks)


def _allowed(path: Path, told: str, allow_truncated: bool) -> tuple[str, ...]:
    """What is told of a file that is not whole, as a remark; raises InputError unless that is allowed."""
    if told and not allow_truncated:
        raise InputError(Problem(str(path), say("is {damage}", damage=told), ALLOW))
    return (told,) if told else ()


def _require_bounds(path: Path, rate: int, samples: float) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        what = say(
            "has a sample rate of {rate:,} Hz, expected {lowest:,} to {highest:,} Hz",
            rate=rate,
            lowest=RATES[0],
            highest=RATES[1],
        )
        raise InputError(Problem(str(path), what, say("correct the rate in its header, or export it again")))
    if samples > min(LONGEST * rate, MOST_SAMPLES):
        what = say(
            "is {hours:.1f} h long at {rate:,} Hz, at most {limit:.0f} h at 48 kHz are read",
            hours=samples / rate / 3600,
            rate=rate,
            limit=LONGEST / 3600,
        )
        raise InputError(Problem(str(path), what, say("cut it into shorter files")))


def _decoded(path: Path, file: SoundFile, block: int) -> tuple[Mono, float, bool]:
    """All that can be decoded, (n,), its energy, and whether the decoder gave up before the end."""
    from soundfile import LibsndfileError

    broke = False

    def blocks() -> Iterator[Mono]:
        nonlocal broke
        try:
            while len(found := file.read(max(1, block // file.channels), dtype="float32", always_2d=True)):
                yield found
        except LibsndfileError:
            broke = True

    return *_mixed(path, blocks(), file.samplerate), broke


def _mixed(path: Path, blocks: Iterable[Mono], rate: int) -> tuple[Mono, float]:
    """The mean of the channels (n,) of blocks (m, channels), and the energy of all channels."""
    kept, total, energy = [], 0, 0.0
    for block in blocks:
        kept.append(block.mean(axis=1))
        energy += float(np.square(block, dtype=np.float64).sum())
        total += len(block)
        _require_bounds(path, rate, total)
    return np.concatenate(kept) if kept else np.empty(0, np.float32), energy


def _counted(length: Length) -> str:
    """The same of MP3, whose frames are counted: nothing has to be decoded, and no decoder complains on its own."""
    held = (length.samples or 0) / length.sample_rate
    stated = f"{length.stated / length.sample_rate:.2f} s" if length.stated else "no length"
    return _not_whole(length, f"its header says {stated}, it holds {held:.2f} s")


def _not_whole(length: Length, lengths: str) -> str:
    if length.exceeding and not length.fault:
        return f"damaged, or several files in one: {lengths}"
    kind = "several files in one" if length.several else "cut short or damaged"
    return f"{kind}: {f'it {length.fault}; ' if length.fault else ''}{lengths}"


def _incomplete(length: Length, frames: int, decoded: int, rate: int) -> str:
    """Why a file is not used as a whole, both lengths in seconds; empty where it is."""
    seconds = decoded / rate
    there = f"{seconds:.2f} s can be decoded"
    if length.trouble and length.sample_rate:
        return f"{_counted(length)}, {there}"
    if length.fault:
        return _not_whole(length, there)
    if length.missing:
        stated = _share(seconds, length.stated, length.held)
        return f"cut short: its header says {stated:.2f} s, {there}"
    if length.exceeding and (length.stated or not decoded):
        held = _share(seconds, length.held, length.stated)
        holds = f"{held:.2f} s" if held else f"{length.held:,} bytes of sound"
        return _not_whole(length, f"its header says {seconds:.2f} s, it holds {holds}")
    if length.samples is not None and abs(decoded - length.samples) > length.slack:
        return f"decoded in part: it holds {length.samples / rate:.2f} s of sound, of which {there}"
    if length.samples is None and decoded < frames:
        return f"cut short: its header says {frames / rate:.2f} s, {there}"
    return ""


def _share(seconds: float, part: int | None, whole: int | None) -> float:
    return seconds * (part or 0) / (whole or 1)


# --- ffmpeg


def _by_ffmpeg(path: Path, reason: str, length: Length, allow_truncated: bool) -> Sound:
    """What ffmpeg decodes of a file that libsndfile does not. Raises InputError naming both where neither does."""
    reason = reason.removeprefix("Error : ").strip().rstrip(".")
    unread = say("cannot be read as audio ({reason})", reason=reason)
    if length.trouble:
        unread = say("{problem}: it {trouble}", problem=unread, trouble=length.trouble)
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        raise InputError(Problem(str(path), unread, say("install ffmpeg, which may read it; {remedy}", remedy=REMEDY)))
    found, complaint = _probed(path)
    streams = found.get("streams", [])
    if not streams:
        raise InputError(Problem(str(path), say("{problem}, and ffmpeg finds no sound in it", problem=unread), REMEDY))
    if len(streams) > 1:
        raise InputError(
            Problem(str(path), say("has {n} sound tracks, expected one", n=len(streams)), say("take one out of it"))
        )
    rate, channels = (round(_figure(streams[0], name)) for name in ("sample_rate", "channels"))
    stated = _figure(streams[0], "duration") or _figure(found.get("format", {}), "duration")
    _require_bounds(path, rate, stated * rate)
    samples, energy, failure = _ffmpeg_samples(path, rate, max(1, channels))
    there = f"{len(samples) / rate:.2f} s can be decoded"
    told = _not_whole(length, there) if length.trouble else ""
    if not told and (complaint or failure):
        told = f"cut short or damaged: {there} (ffmpeg: {complaint or failure})"
    if not told and stated and abs(stated - len(samples) / rate) > TOLERANCE:
        told = f"cut short or damaged: it says {stated:.2f} s, {there}"
    open_ended = (OPEN_ENDED,) if not told and (length.open_ended or not stated) else ()
    remarks = *_allowed(path, told, allow_truncated), *open_ended, f"decoded by ffmpeg: {_ffmpeg_version()}"
    return Sound(samples, rate, channels, energy, remarks)


def _probed(path: Path) -> tuple[dict[str, Any], str]:
    """Streams and format as ffprobe tells them, and its first complaint, if it has one."""
    command = ["ffprobe", "-v", "error", *_opening(path), "-select_streams", "a"]
    command += ["-show_entries", "stream=sample_rate,channels,duration:format=duration", "-of", "json"]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    try:
        found: dict[str, Any] = json.loads(done.stdout or b"{}")
    except json.JSONDecodeError:
        found = {}
    return found, _complaint(done.stderr)


def _complaint(said: bytes) -> str:
    """The first line that ffmpeg says, without the address of whoever says it."""
    return re.sub(r"^\[(\S+) @ 0x[0-9a-f]+\]", r"\1:", said.decode(errors="replace").strip().partition("\n")[0])


def _opening(path: Path) -> list[str]:
    whitelists = ["-protocol_whitelist", "file,pipe", "-format_whitelist", FFMPEG_FORMATS]
    return [*whitelists, "-i", f"file:{path}"]


def _figure(entry: dict[str, Any], name: str) -> float:
    try:
        return float(entry.get(name, 0))
    except ValueError:  # N/A
        return 0.0


def _ffmpeg_samples(path: Path, rate: int, channels: int) -> tuple[Mono, float, str]:
    """Samples (n,), their energy and ffmpeg's first complaint, if it has one."""
    command = ["ffmpeg", "-v", "error", "-nostdin", *_opening(path), "-map", "0:a:0", "-t", str(LONGEST + 1)]
    command += ["-f", "f32le", "-c:a", "pcm_f32le", "pipe:1"]
    with TemporaryFile() as complaints, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as program:
        try:
            samples, energy = _mixed(path, _blocks(program, channels), rate)
        except BaseException:
            program.kill()
            raise
        failed = program.wait() != 0
        complaints.seek(0)
        first = _complaint(complaints.read(300))
    return samples, energy, first or ("ffmpeg failed" if failed else "")


def _blocks(program: subprocess.Popen[bytes], channels: int) -> Iterator[Mono]:
    size = 4 * channels * max(1, BLOCK // channels)
    while program.stdout and (content := program.stdout.read(size)):
        whole = len(content) // (4 * channels) * channels
        yield np.frombuffer(content, "<f4", whole).reshape(-1, channels)


@cache
def _ffmpeg_version() -> str:
    first = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=False).stdout
    return " ".join(first.split()[:3])
