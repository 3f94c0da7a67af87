"""What a sound file says about its own length, and whether all of it is there.

libsndfile mends a length that does not fit the file, and decodes what is left without a word. The length is therefore
read here too, from the container alone: chunks of WAV (RF64, W64), AIFF and CAF, headers of AU and NIST Sphere, boxes
of MP4, pages of Ogg (RFC 3533), frames of MP3 (ISO/IEC 11172-3, with Xing's count of them). Nothing is decoded.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLACEHOLDER = 0x7FFF0000
"""Sizes from here on, in files that are shorter, stand for one that was not known when the header was written."""
TWO = "holds several one after the other, of which one would be read"
FLAC_STARTS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
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
    sample_rate: int = 0  # Hz, where `stated` and `held` count samples
    open_ended: bool = False  # whether the header was written before the length was known

    @property
    def trouble(self) -> str:
        """Why the file is not whole, from its container alone; empty where nothing shows it."""
        if self.fault or not (self.missing or self.exceeding):
            return self.fault
        unit = "samples" if self.sample_rate else "bytes"
        return f"states {self.stated:,} {unit} of sound and holds {self.held:,}"

    @property
    def several(self) -> bool:
        """Whether it is seen to hold one file after another."""
        return self.fault == TWO

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
    if magic in CHUNKED:
        return _of_chunks(content, CHUNKED[magic])
    if magic == b".snd":
        return _of_au(content)
    if magic == b"NIST":
        return _of_sphere(content)
    if magic == b"OggS":
        return _of_ogg(content)
    if magic == b"fLaC" and len(content) > 26:
        several = any(content.find(start, 4) > 0 for start in FLAC_STARTS)
        return Length(fault=TWO if several else "", open_ended=not (content[21] & 15 or any(content[22:26])))
    if magic == b"#!AM" or _begins_adts(magic):
        return Length(open_ended=True)
    if content[4:8] in MP4_BOXES:
        return _of_boxes(content)
    if magic[:3] == b"ID3" or _mp3_frame(content, 0):
        return _of_mp3(content)
    return Length()


def _begins_adts(magic: bytes) -> bool:
    """Whether a bare stream of AAC begins so."""
    return len(magic) == 4 and magic[0] == 0xFF and magic[1] & 0xF6 == 0xF0


# --- Chunks: WAV, RF64, W64, AIFF, CAF


@dataclass(frozen=True)
class _Chunks:
    """How a format writes its chunks: widths in bytes, the order of bytes, and what a size counts."""

    first: int
    size: int = 4
    order: str = "little"
    name: int = 4
    with_head: bool = False  # whether a chunk's size counts its name and size too
    align: int = 2


CHUNKED = {
    b"RIFF": _Chunks(12),
    b"RF64": _Chunks(12),
    b"RIFX": _Chunks(12, order="big"),
    b"FORM": _Chunks(12, order="big"),
    b"riff": _Chunks(40, 8, name=16, with_head=True, align=8),
    b"caff": _Chunks(8, 8, "big", align=1),
}
"""By what a file begins with; `riff` is W64."""
TOLD = (b"LIST", b"id3 ", b"ID3 ")
"""Chunks behind the samples that tell about the sound, and whose size programs get wrong."""


def _of_chunks(content: Bytes, kind: _Chunks) -> Length:
    """The size of the chunk with the samples, and what stands behind it."""
    place, large = kind.first, None
    while (chunk := _chunk(content, place, kind)) is not None:
        name, start, size = chunk
        if name == b"ds64":
            large = _number(content, start + 8, 8, kind.order)
        if name in (b"data", b"SSND"):
            return _of_data(content, start, large if large is not None and size == 0xFFFFFFFF else size, kind)
        place = _end(start, size, kind)
    return Length()


def _chunk(content: Bytes, place: int, kind: _Chunks) -> tuple[bytes, int, int] | None:
    """Name, start and size of the chunk at `place`; None where the file ends."""
    head = kind.name + kind.size
    if place + head > len(content):
        return None
    size = _number(content, place + kind.name, kind.size, kind.order)
    return bytes(content[place : place + 4]), place + head, max(0, size - head) if kind.with_head else size


def _end(start: int, size: int, kind: _Chunks) -> int:
    return start + size + -size % kind.align


def _of_data(content: Bytes, start: int, size: int, kind: _Chunks) -> Length:
    left = len(content) - start
    if size > left:
        return Length(open_ended=True) if size >= PLACEHOLDER else Length(size, left)
    return Length(size, size + _trailing(content, _end(start, size, kind), kind))


def _trailing(content: Bytes, place: int, kind: _Chunks) -> int:
    """Bytes behind the samples that are neither chunks nor zeros."""
    while (chunk := _chunk(content, place, kind)) is not None:
        name, start, size = chunk
        if name in (*CHUNKED, b"data", b"SSND") or not (name.isascii() and name.decode().isprintable()):
            break
        if start + size > len(content) and name not in TOLD:
            break
        place = _end(start, size, kind)
    rest = max(0, len(content) - place)
    return rest if rest >= 8 and any(content[place:]) else 0


# --- AU, NIST Sphere, MP4


def _of_au(content: Bytes) -> Length:
    start, size = _number(content, 4, 4, "big"), _number(content, 8, 4, "big")
    return Length(open_ended=True) if size == 0xFFFFFFFF else Length(size, len(content) - start)


def _of_sphere(content: Bytes) -> Length:
    """NIST Sphere: samples that the header counts, against the bytes that follow it."""
    lines = bytes(content[:1024]).decode("ascii", "replace").split("\n")
    fields = {parts[0]: parts[2] for line in lines if len(parts := line.split(None, 2)) == 3}
    start = lines[1].strip() if len(lines) > 1 else ""
    counts = [fields.get(name, "") for name in ("sample_count", "sample_n_bytes", "channel_count")]
    if not (start.isdecimal() and all(count.isdecimal() for count in counts)):
        return Length(fault="states no length")
    if not fields.get("sample_coding", "pcm").startswith(("pcm", "ulaw", "alaw")) or "," in fields["sample_coding"]:
        return Length(fault="is compressed in a way whose length cannot be checked")
    count, width, channels = map(int, counts)
    return Length(count * width * channels, len(content) - int(start))


MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def _of_boxes(content: Bytes) -> Length:
    """MP4 and QuickTime: boxes up to the end, and no second file behind the first."""
    place, seen = 0, set[bytes]()
    while place + 8 <= len(content):
        size, name, head = _number(content, place, 4, "big"), bytes(content[place + 4 : place + 8]), 8
        if size == 1:
            size, head = _number(content, place + 8, 8, "big"), 16
        if name in (b"ftyp", b"moov") and name in seen:
            return Length(fault=TWO)
        seen.add(name)
        if size and (size < head or place + size > len(content)):
            return Length(fault="ends within one of its boxes")
        place = place + size if size else len(content)
    return Length(fault="" if b"moov" in seen else "has no index of what it holds ('moov')")


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
        if not _page_is_sound(bytes(content[place:end])):
            fault = f"has a damaged page, number {sequence} of its stream"
            place = end
            continue
        if kind & 2:
            streams += 1
        elif open_streams.get(serial, sequence) != sequence - 1:
            fault = fault or f"lacks pages {open_streams.get(serial, -1) + 1} to {sequence - 1} of its stream"
        open_streams[serial] = sequence
        if kind & 4:
            open_streams.pop(serial, None)
        place = end
    if streams > 1:
        return Length(fault=TWO)
    if open_streams or (place < len(content) and any(content[place:])):
        fault = fault or "ends before the page that closes its stream"
    return Length(fault=fault)


BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _page_is_sound(page: bytes) -> bool:
    """Whether a page's checksum fits: zlib's CRC with the bits of each byte and of the result reversed."""
    plain = (page[:22] + bytes(4) + page[26:]).translate(BITS_REVERSED)
    crc = zlib.crc32(plain, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2) == int.from_bytes(page[22:26], "little")


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


def begins_mp3(content: Bytes) -> bool:
    """Whether two frames of MPEG audio stand at the beginning."""
    first = _mp3_frame(content, 0)
    return first is not None and _mp3_frame(content, first.size) is not None


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
        elif (following := _after_end_tag(content, _after_tag(content, place))) > place:
            place = following
        elif not any(content[place:]):
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
    held = frames * step
    return Length(known, held, held, SLACK * step, fault, first.kind[2], open_ended=stated is None)


def _after_tag(content: Bytes, place: int) -> int:
    """Where what follows an ID3v2 tag begins; `place` where there is none."""
    while content[place : place + 3] == b"ID3" and place + 10 <= len(content):
        sizes = content[place + 6 : place + 10]
        footer = 10 if content[place + 5] & 0x10 else 0
        place += 10 + footer + (sizes[0] << 21 | sizes[1] << 14 | sizes[2] << 7 | sizes[3])
    return place


def _after_end_tag(content: Bytes, place: int) -> int:
    """Where what follows an ID3v1, APE or Lyrics3 tag begins; `place` where there is none."""
    if content[place : place + 3] == b"TAG":
        return place + 128
    if content[place : place + 8] == b"APETAGEX":
        return place + 32 + _number(content, place + 12, 4, "little")
    if content[place : place + 11] == b"LYRICSBEGIN":
        ends = [at + 9 for word in (b"LYRICS200", b"LYRICSEND") if (at := content.find(word, place)) >= 0]
        return min(ends, default=place)
    return place


def _xing(content: Bytes, place: int, frame: _Frame) -> int | None:
    """How many frames a Xing or Info header says there are; None for a frame that holds sound. 0: it does not say."""
    at = place + 4 + frame.side
    if bytes(content[at : at + 4]) not in (b"Xing", b"Info"):
        return None
    return _number(content, at + 8, 4, "big") if content[at + 7 : at + 8] and content[at + 7] & 1 else 0


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
