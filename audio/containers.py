"""What a sound file says about its own length, and whether all of it is there.

libsndfile mends a length that does not fit the file, and decodes what is left without a word. The length is therefore
read here too, from the container alone: chunks of WAV (RF64, W64), AIFF and AU, pages of Ogg (RFC 3533), frames of MP3
(ISO/IEC 11172-3, with Xing's count of them). Nothing is decoded.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLACEHOLDER = 0x7FFF0000
"""Sizes from here on, in files that are shorter, stand for one that was not known when the header was written."""
SLACK = 4  # frames of MP3 by which encoder delay and padding may shorten what is decoded

Bytes = bytes | mmap.mmap


@dataclass(frozen=True)
class Length:
    """What is stated and what is held, in one unit, and what else shows that the file is not whole.

    `stated` is None where the container states no length. `samples` is what decoding should give, per channel, where
    the container counts in samples. `fault` is in words, empty where there is none.
    """

    stated: int | None = None
    held: int = 0
    samples: int | None = None
    slack: int = 0
    fault: str = ""

    @property
    def missing(self) -> bool:
        """Whether less is there than is stated."""
        return self.stated is not None and self.held < self.stated - self.slack

    @property
    def exceeding(self) -> bool:
        """Whether more sound is there than is stated."""
        return self.stated is not None and self.held > self.stated + self.slack


def length_of(path: Path) -> Length:
    """The length of a sound file by its container; an empty `Length` for formats whose header libsndfile trusts."""
    with path.open("rb") as file:
        try:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            return Length()  # an empty file
        with content:
            return _length(content)


def _length(content: Bytes) -> Length:
    magic = bytes(content[:4])
    if magic in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        return _of_chunks(content, "big" if magic in (b"RIFX", b"FORM") else "little")
    if magic == b".snd":
        return _of_au(content)
    if magic == b"OggS":
        return _of_ogg(content)
    if magic[:3] == b"ID3" or _mp3_frame(content, 0):
        return _of_mp3(content)
    return Length()


def _of_chunks(content: Bytes, order: str) -> Length:
    """WAV and AIFF: the size of the chunk with the samples, and what stands behind it."""
    place, large = 12, None
    while place + 8 <= len(content):
        name, size = bytes(content[place : place + 4]), _number(content, place + 4, 4, order)
        if name == b"ds64":
            large = _number(content, place + 16, 8, order)
        if name in (b"data", b"SSND"):
            size = large if large is not None and size == 0xFFFFFFFF else size
            return _of_data(content, place + 8, size, order)
        place += 8 + size + size % 2
    return Length()


def _of_data(content: Bytes, start: int, size: int, order: str) -> Length:
    left = len(content) - start
    if size > left:
        return Length() if size >= PLACEHOLDER else Length(size, left)
    return Length(size, size + _trailing(content, start + size + size % 2, order))


def _trailing(content: Bytes, place: int, order: str) -> int:
    """Bytes behind the samples that are neither chunks nor zeros."""
    while place + 8 <= len(content):
        name = bytes(content[place : place + 4])
        if name in (b"RIFF", b"FORM", b"data", b"SSND") or not (name.isascii() and name.decode().isprintable()):
            break
        size = _number(content, place + 4, 4, order)
        place += 8 + size + size % 2
    rest = max(0, len(content) - place)
    return rest if rest >= 8 and any(content[place:]) else 0


def _of_au(content: Bytes) -> Length:
    start, size = _number(content, 4, 4, "big"), _number(content, 8, 4, "big")
    return Length() if size == 0xFFFFFFFF else Length(size, len(content) - start)


def _number(content: Bytes, place: int, width: int, order: str) -> int:
    return int.from_bytes(content[place : place + width], "little" if order == "little" else "big")


# --- Ogg


def _of_ogg(content: Bytes) -> Length:
    """Every logical stream has to end with a page that says so, and no page may be missing; two are too many."""
    open_streams: dict[int, int] = {}  # by serial number, the sequence number of its last page
    streams, place, fault = 0, 0, ""
    while place + 27 <= len(content) and content[place : place + 4] == b"OggS":
        kind, serial = content[place + 5], _number(content, place + 14, 4, "little")
        sequence, segments = _number(content, place + 18, 4, "little"), content[place + 26]
        end = place + 27 + segments + sum(content[place + 27 : place + 27 + segments])
        if end > len(content):
            break
        if kind & 2:
            streams += 1
        elif open_streams.get(serial, sequence) != sequence - 1:
            fault = f"pages {open_streams.get(serial, -1) + 1} to {sequence - 1} of its stream are missing"
        open_streams[serial] = sequence
        if kind & 4:
            del open_streams[serial]
        place = end
    if streams > 1:
        return Length(fault=f"holds {streams} streams one after the other, of which one would be read")
    if open_streams or (place < len(content) and any(content[place:])):
        fault = "ends before the page that closes its stream"
    return Length(fault=fault)


# --- MP3

BIT_RATES = {  # kbit/s by version and layer; index 0 is free format, 15 forbidden
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
SAMPLE_RATES = (44_100, 48_000, 32_000)  # Hz, of MPEG-1; halved for 2, quartered for 2.5
TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN")


@dataclass(frozen=True)
class _Frame:
    size: int  # bytes
    samples: int
    kind: tuple[int, int, int]  # version, layer, sample rate: the same throughout a file
    side: int  # bytes before a Xing header


def _mp3_frame(content: Bytes, place: int) -> _Frame | None:
    """The frame of MPEG audio that begins at `place`, if one does."""
    head = content[place : place + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version_bits, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version_bits == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    version = 1 if version_bits == 3 else 2
    sample_rate = SAMPLE_RATES[rate] // {3: 1, 2: 2, 0: 4}[version_bits]
    samples = 384 if layer == 1 else 1152 if layer == 2 or version == 1 else 576
    padding = (head[2] >> 1 & 1) * (4 if layer == 1 else 1)
    size = BIT_RATES[version, layer][bits] * 1000 * (samples // 8) // sample_rate
    size = (size // 4 * 4 if layer == 1 else size) + padding
    mono = head[3] >> 6 == 3
    side = {(1, False): 32, (1, True): 17, (2, False): 17, (2, True): 9}[version, mono]
    return _Frame(size, samples, (version_bits, layer, sample_rate), side)


def _of_mp3(content: Bytes) -> Length:
    """Frames that are there against those that the Xing header of the first one states."""
    frames, skipped, cut, stated = 0, 0, False, None
    first: _Frame | None = None
    place = _after_tag(content, 0)
    if content[place : place + 4] == b"fLaC":
        return Length()
    while place < len(content):
        frame = _mp3_frame(content, place)
        if frame and (first is None or frame.kind == first.kind):
            if place + frame.size > len(content):
                cut = True
                break
            count = _xing(content, place, frame)
            if first is None:
                first, stated = frame, count or None
            frames += count is None
            place += frame.size
        elif (following := _after_tag(content, place)) > place:
            place = following
        elif content[place : place + 11].startswith(TAGS) or not any(content[place:]):
            break
        else:
            resumed = _resynchronised(content, place + 1, first)
            skipped += resumed - place if first else 0
            place = resumed
    if first is None:
        return Length(fault="has no frame of MPEG audio whose length is known")
    step = first.samples
    fault = (
        f"has {skipped} bytes that are no sound among its frames"
        if skipped
        else "ends within a frame"
        if cut and (stated is None or frames < stated)
        else ""
    )
    known = None if stated is None else stated * step
    return Length(known, frames * step, frames * step, SLACK * step, fault)


def _after_tag(content: Bytes, place: int) -> int:
    """Where what follows an ID3v2 tag begins; `place` where there is none."""
    while content[place : place + 3] == b"ID3" and place + 10 <= len(content):
        sizes = content[place + 6 : place + 10]
        footer = 10 if content[place + 5] & 0x10 else 0
        place += 10 + footer + (sizes[0] << 21 | sizes[1] << 14 | sizes[2] << 7 | sizes[3])
    return place


def _xing(content: Bytes, place: int, frame: _Frame) -> int | None:
    """How many frames a Xing or Info header says there are; None for a frame that holds sound. 0: it does not say."""
    at = place + 4 + frame.side
    if bytes(content[at : at + 4]) not in (b"Xing", b"Info"):
        return None
    return _number(content, at + 8, 4, "big") if content[at + 7] & 1 else 0


def _resynchronised(content: Bytes, place: int, first: _Frame | None) -> int:
    """Where two frames in a row begin again; the end where they do not."""
    for start in _syncs(content, place):
        frame = _mp3_frame(content, start)
        if frame and (first is None or frame.kind == first.kind):
            following = _mp3_frame(content, start + frame.size)
            if following and following.kind == frame.kind:
                return start
    return len(content)


def _syncs(content: Bytes, place: int) -> Iterator[int]:
    while (place := content.find(b"\xff", place)) >= 0:
        yield place
        place += 1
