"""What is shown of gender: what words and sound tell about the speaker, and what the two models answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evaluators.display import ShareGroup, Shares, Words
from evaluators.evidence import Evidence, Measurement

CHANCE = "channel.chance_level"
CHANNELS = ("channel.transcript_", "channel.sound_gender", "channel.f0_gender", "channel.codec_gender")
ADVANTAGE = "advantage"
"""Part of the names of differences between two shares, which have a scale of their own."""
GROUPS: tuple[tuple[Words, tuple[str, ...]], ...] = (
    ({"en": "What each channel carries", "zh-TW": "各管道帶有的資訊"}, CHANNELS),
    ({"en": "What model A answered", "zh-TW": "模型 A 的回答"}, ("model_a.",)),
    ({"en": "What model B answered", "zh-TW": "模型 B 的回答"}, ("model_b.",)),
)
"""Titles, and how the names of the measurements of each group begin."""


def display(evidence: Evidence, about: Mapping[str, str]) -> Shares:
    """Shares by group, and why others could not be had; `about` says what each measurement is of."""
    chance = next((m.value for m in evidence.measurements if m.name == CHANCE), None)
    groups = [_group(title, tuple(_shares(evidence, names)), about, chance) for title, names in GROUPS]
    groups.insert(1, _advantages(evidence, about))
    return Shares(
        title={"en": "Gender from words and from sound", "zh-TW": "由文字與由聲音判斷性別"},
        about={
            "en": "A cascade hands its language model a transcript and nothing else. What can be told of the speaker's "
            "gender from transcripts is compared with what can be told from the sound; then what models A and B "
            "answered.",
            "zh-TW": "串接式模型只將逐字稿交給語言模型。以下比較由逐字稿與由聲音各能判斷多少說話者性別，"
            "以及模型 A 與 B 的回答。",
        },
        groups=tuple(group for group in groups if group.rows),
        left_out=tuple(dict.fromkeys(m.undefined for m in evidence.measurements if m.undefined)),
    )


def _group(title: Words, shares: tuple[Measurement, ...], about: Mapping[str, str], chance: object) -> ShareGroup:
    """Only the channels are compared with guessing: models may leave the gender open."""
    rows = tuple((m, about.get(m.name, "")) for m in shares)
    if not isinstance(chance, float) or not all(m.name.startswith(CHANNELS) for m in shares):
        return ShareGroup(title, rows)
    mark_about = {
        "en": f"From 0 to 1. Dashed: guessing the commoner gender, {chance:.4g}.",
        "zh-TW": f"刻度 0 至 1。虛線：猜較多的性別，{chance:.4g}。",
    }
    return ShareGroup(title, rows, chance, mark_about)


def _advantages(evidence: Evidence, about: Mapping[str, str]) -> ShareGroup:
    """By how much one share is above another: from -1 to 1, and 0 is no better."""
    rows = tuple((m, about.get(m.name, "")) for m in evidence.measurements if ADVANTAGE in m.name and _is_share(m, -1))
    title: Words = {"en": "How far one is above another", "zh-TW": "一者高出另一者多少"}
    mark: Words = {"en": "From −1 to 1. Dashed: no better than the other.", "zh-TW": "刻度 −1 至 1。虛線：兩者相同。"}
    return ShareGroup(title, rows, 0.0, mark, (-1.0, 1.0))


def _is_share(m: Measurement, lowest: float) -> bool:
    return isinstance(m.value, float) and m.unit == "share" and lowest <= m.value <= 1


def _shares(evidence: Evidence, names: tuple[str, ...]) -> Iterator[Measurement]:
    """The defined shares whose names begin so."""
    for m in evidence.measurements:
        if m.name.startswith(names) and ADVANTAGE not in m.name and _is_share(m, 0):
            yield m
