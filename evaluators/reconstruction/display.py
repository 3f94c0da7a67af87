"""What is shown of reconstructions: originals and reconstructions to hear, and every measure by number of codebooks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from audio.measures import OF_WINDOWS
from evaluators.display import Curves, Pair, Panel, Players, Plot, Series, Words
from evaluators.evidence import Artefact, Evidence, Measurement

TITLE = re.compile(r"(?P<role>[^:]+): (?P<clip>.+), (?P<version>original|[^,]*(?:codebooks|reconstruction))")
"""Titles of sounds in evidence from before artefacts had labels."""
SWEPT = re.compile(r"(?P<metric>\w+)\.(?P<role>\w+)\.q(?P<count>\d+)")

ROLES: dict[str, Words] = {
    "english": {"en": "English speech", "zh-TW": "英語語音"},
    "chinese": {"en": "Chinese speech", "zh-TW": "華語語音"},
    "laughter": {"en": "Laughter", "zh-TW": "笑聲"},
    "music": {"en": "Music", "zh-TW": "音樂"},
}
METRICS: dict[str, Words] = {
    "pesq_wb": {"en": "PESQ, wide band ↑", "zh-TW": "PESQ（寬頻）↑"},
    "pesq_nb": {"en": "PESQ, narrow band ↑", "zh-TW": "PESQ（窄頻）↑"},
    "stoi": "STOI ↑",
    "estoi": "Extended STOI ↑",
    "si_sdr": {"en": "SI-SDR, dB ↑", "zh-TW": "SI-SDR（dB）↑"},
    "log_mel_distance": {"en": "Log-mel distance, dB ↓", "zh-TW": "對數梅爾距離（dB）↓"},
    "f0_correlation": {"en": "F0 correlation ↑", "zh-TW": "基頻相關係數 ↑"},
    "f0_error": {"en": "F0 error, semitones ↓", "zh-TW": "基頻誤差（半音）↓"},
    "mrstft_distance": {"en": "Multi-resolution STFT distance ↓", "zh-TW": "多解析度 STFT 距離 ↓"},
}


def display(evidence: Evidence) -> Iterator[Panel]:
    """Players where sounds were kept, curves where the number of codebooks was swept."""
    if pairs := tuple(_pairs(evidence)):
        yield Players(
            title={"en": "Hear the reconstructions", "zh-TW": "聆聽重建結果"},
            about={
                "en": "Each clip before the codec (A) and after it (B), brought to the same level and aligned, so that "
                "only the codec differs.",
                "zh-TW": "各音檔經編解碼前（A）與後（B）的聲音，已對齊並調成相同音量，差異僅來自編解碼器。",
            },
            pairs=pairs,
            sides=({"en": "Original", "zh-TW": "原始聲音"}, {"en": "Reconstruction", "zh-TW": "重建聲音"}),
        )
    yield from sweep(evidence.measurements)


class _Sound(NamedTuple):
    role: str
    clip: str
    version: str


def _pairs(evidence: Evidence) -> Iterator[Pair]:
    """Every original with each reconstruction of it."""
    originals: dict[tuple[str, str], Artefact] = {}
    for artefact in evidence.artefacts:
        if not (sound := _named(artefact)):
            continue
        key = (sound.role, sound.clip)
        if sound.version == "original":
            originals[key] = artefact
        elif key in originals:
            yield Pair(ROLES.get(sound.role, sound.role), sound.clip, sound.version, originals[key], artefact)


def _named(artefact: Artefact) -> _Sound | None:
    """What a sound is of, from its labels or, in older evidence, from its title; None for anything else."""
    if not artefact.media_type.startswith("audio/"):
        return None
    if {"role", "clip", "version"} <= artefact.labels.keys():
        return _Sound(*(artefact.labels[name] for name in _Sound._fields))
    found = TITLE.fullmatch(artefact.title)
    return _Sound(**found.groupdict()) if found else None


def _title(metric: str, measurements: Iterable[Measurement]) -> Words:
    """A measure's name, with what its values are where they are means over windows."""
    title = METRICS.get(metric, metric)
    if not any(m.unit.endswith(OF_WINDOWS) for m in measurements):
        return title
    spoken = {"en": title, "zh-TW": title} if isinstance(title, str) else title
    return {"en": f"{spoken['en']} (mean of windows)", "zh-TW": f"{spoken['zh-TW']}（各視窗平均）"}


def sweep(measurements: tuple[Measurement, ...]) -> Iterator[Curves]:
    """A plot for each measure against the number of codebooks, a line for each role; nothing without a sweep."""
    named = [(m, parts) for m in measurements if (parts := SWEPT.fullmatch(m.name))]
    if not named:
        return
    roles = list(dict.fromkeys(parts["role"] for _, parts in named))
    points: dict[tuple[str, str], list[tuple[float, Measurement]]] = {}
    for m, parts in named:
        points.setdefault((parts["metric"], parts["role"]), []).append((int(parts["count"]), m))
    yield Curves(
        title={"en": "Quality by number of codebooks", "zh-TW": "碼簿數與品質"},
        about={
            "en": "The same clips reconstructed from fewer or more codebooks. Bars and shades: 95 % intervals.",
            "zh-TW": "以不同數量的碼簿重建相同音檔。線段與陰影為 95% 區間。",
        },
        plots=tuple(
            Plot(
                _title(metric, [m for m, parts in named if parts["metric"] == metric]),
                tuple(Series.of(ROLES.get(role, role), points.get((metric, role), ())) for role in roles),
            )
            for metric in dict.fromkeys(parts["metric"] for _, parts in named)
        ),
        x_title={"en": "codebooks", "zh-TW": "碼簿數"},
        x_axis="logarithmic",
        left_out=tuple(f"{m.name}: {m.undefined}" for m, _ in named if m.undefined),
    )
