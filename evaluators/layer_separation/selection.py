"""Which clips are looked at, by cell: one emotion spoken by one speaker.

What is missing, how voice and emotion go together, and the ways of grouping cells whose silhouettes are asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.clip import NAMED
from audio.corpus import EmotionClip, read_emotions
from basics.errors import Unavailable
from basics.files import sha256_of
from evaluators.evidence import Measurement, Source, digest
from evaluators.layer_separation.parameters import Parameters

Codes = NDArray[np.intp]
Arrays = dict[str, NDArray[Any]]
OUT = -1
"""Group number of a cell that takes no part."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The emotion and the speaker of n clips.

    `cell` (n,) numbers the cells that have clips; `cell_emotion` and `cell_speaker` (cells,) are numbers into
    `emotions` and `speakers`.
    """

    emotions: tuple[str, ...]
    speakers: tuple[str, ...]
    cell: Codes
    cell_emotion: Codes
    cell_speaker: Codes

    @classmethod
    def of(cls, emotions: Sequence[str], speakers: Sequence[str]) -> Cells:
        """From the emotion (n,) and the speaker (n,) of each clip."""
        emotion_names, emotion = np.unique(np.asarray(emotions, str), return_inverse=True)
        speaker_names, speaker = np.unique(np.asarray(speakers, str), return_inverse=True)
        pairs, cell = np.unique(emotion * len(speaker_names) + speaker, return_inverse=True)
        cell_emotion, cell_speaker = np.divmod(pairs, len(speaker_names))
        return cls(tuple(map(str, emotion_names)), tuple(map(str, speaker_names)), cell, cell_emotion, cell_speaker)

    def __len__(self) -> int:
        return len(self.cell)

    @property
    def sizes(self) -> Codes:
        """Clips in each cell (cells,)."""
        return np.bincount(self.cell)

    @property
    def member(self) -> NDArray[np.float32]:
        """1 where a clip is in a cell, else 0 (n, cells)."""
        return np.eye(len(self.cell_emotion), dtype=np.float32)[self.cell]

    def table(self) -> Codes:
        """Clips by speaker and emotion (speakers, emotions)."""
        counts = np.zeros((len(self.speakers), len(self.emotions)), np.intp)
        counts[self.cell_speaker, self.cell_emotion] = self.sizes
        return counts


def groupings(cells: Cells, pair: tuple[str, str]) -> dict[str, list[Codes]]:
    """By score: the group (cells,) of each cell, in one grouping, or in one for each speaker."""
    wanted = [cells.emotions.index(name) for name in pair if name in cells.emotions]
    in_pair = np.where(np.isin(cells.cell_emotion, wanted), cells.cell_emotion, OUT)
    return {
        "silhouette{}": [cells.cell_emotion],
        "silhouette{}_within_speaker": _each_speaker(cells, cells.cell_emotion),
        "pair_separation{}": [in_pair],
        "pair_separation{}_within_speaker": _each_speaker(cells, in_pair),
        "speaker_silhouette{}": [cells.cell_speaker],
    }


def _each_speaker(cells: Cells, group: Codes) -> list[Codes]:
    return [np.where(cells.cell_speaker == speaker, group, OUT) for speaker in range(len(cells.speakers))]


@dataclass(frozen=True, eq=False)
class Selection:
    """Clips of the wanted emotions, ordered by file.

    `left_out` are the corpus' other emotions, `remarks` what its reader found missing, `content` each clip's sha256.
    """

    clips: tuple[EmotionClip, ...]
    wanted: tuple[str, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]
    content: tuple[str, ...]
    cells: Cells

    def without(self, numbers: Collection[int]) -> Selection:
        """The selection without some of its clips, which its remarks name. Raises Unavailable when none is left."""
        kept = [number for number in range(len(self.clips)) if number not in numbers]
        if not kept:
            raise Unavailable("every clip of the corpus is silent", "give --corpus one with sound in it")
        if not numbers:
            return self
        named = ", ".join(self.clips[number].name for number in sorted(numbers)[:NAMED])
        more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
        labels = [self.cells.emotions[emotion] for emotion in self.cells.cell_emotion[self.cells.cell]]
        return replace(
            self,
            clips=tuple(self.clips[number] for number in kept),
            content=tuple(self.content[number] for number in kept),
            cells=Cells.of([labels[number] for number in kept], [self.clips[number].speaker for number in kept]),
            remarks=(*self.remarks, f"silent, left out: {named}{more}"),
        )

    @property
    def files(self) -> tuple[str, ...]:
        """Each clip's file inside the corpus (n,)."""
        return tuple(clip.name for clip in self.clips)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Each clip's path (n,)."""
        return tuple(clip.path for clip in self.clips)

    @property
    def sounds(self) -> tuple[tuple[Path, str], ...]:
        """Each clip's path and the sha256 of its content."""
        return tuple((clip.path, content) for clip, content in zip(self.clips, self.content, strict=True))

    def digests(self) -> Mapping[str, str]:
        """One digest of all clips: names, content, emotions and speakers."""
        rows = [[c.name, content, c.label, c.speaker] for c, content in zip(self.clips, self.content, strict=True)]
        return {f"corpus of {len(rows)} clips": digest(rows)}

    def measurements(self, source: Source) -> Iterator[Measurement]:
        """How many clips and speakers there are, which cells are missing, and the confounding."""
        counts = self.cells.table()
        yield Measurement(name="corpus.clips", value=len(self.clips), unit="clips", source=source, note=self._note())
        yield Measurement(name="corpus.speakers", value=len(counts), unit="speakers", source=source)
        yield Measurement(name="corpus.missing", value=self.missing(), source=source, note="; ".join(self.remarks))
        yield _association(counts, len(self.clips), source)

    def _note(self) -> str:
        rows = zip(self.cells.speakers, self.cells.table().tolist(), strict=True)
        table = "; ".join(
            f"{speaker}: {', '.join(f'{n} {e}' for e, n in zip(self.cells.emotions, row, strict=True) if n)}"
            for speaker, row in rows
        )
        return f"{table}; left out: {', '.join(self.left_out)}" if self.left_out else table

    def missing(self) -> str:
        """`josh: Angry, Disgusted; everybody: Sleepy`, or `nothing`."""
        nowhere = [emotion for emotion in self.wanted if emotion not in self.cells.emotions]
        gaps = {
            speaker: [emotion for emotion, n in zip(self.cells.emotions, row, strict=True) if not n]
            for speaker, row in zip(self.cells.speakers, self.cells.table(), strict=True)
        }
        gaps["everybody"] = nowhere
        return "; ".join(f"{who}: {', '.join(what)}" for who, what in gaps.items() if what) or "nothing"


def select(parameters: Parameters, corpus: Path | None) -> Selection:
    """The corpus' clips of the wanted emotions. Raises Unavailable when there are none."""
    if corpus is None:
        raise Unavailable(
            "no emotional speech", "give --corpus DIR: EmoV-DB as distributed, or a folder with a manifest CSV"
        )
    spelling = {emotion.casefold(): emotion for emotion in parameters.emotions}
    found = read_emotions(corpus)
    clips = tuple(clip for clip in found.clips if clip.label.casefold() in spelling)
    others = {clip.label for clip in found.clips if clip.label.casefold() not in spelling}
    if not clips:
        raise Unavailable(
            f"{corpus} has no clips of {', '.join(parameters.emotions)}, only of {', '.join(sorted(others))}",
            "name emotions of this corpus in `emotions`, or give --corpus another one",
        )
    return Selection(
        clips=clips,
        wanted=parameters.emotions,
        left_out=tuple(sorted(others)),
        remarks=found.missing,
        content=tuple(sha256_of(clip.path) for clip in clips),
        cells=Cells.of([spelling[clip.label.casefold()] for clip in clips], [clip.speaker for clip in clips]),
    )


def _association(counts: NDArray[np.intp], clips: int, source: Source) -> Measurement:
    from scipy.stats.contingency import association

    name = "corpus.speaker_emotion_association"
    if min(counts.shape) < 2:
        return Measurement(name=name, undefined="needs two speakers and two emotions", source=source)
    return Measurement(name=name, value=float(association(counts, method="cramer")), n=clips, source=source)
