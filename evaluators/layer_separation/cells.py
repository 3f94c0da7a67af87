"""Clips by cell (one emotion spoken by one speaker), and the ways of grouping cells whose silhouettes are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.intp]
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
        """From the emotion and the speaker of each clip."""
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
