"""Which clips are looked at, by cell: one emotion spoken by one speaker.

What is missing, how voice and emotion go together, and the ways of grouping cells whose silhouettes are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.corpus import EmotionClip, read_emotions
from audio.corpus.labels import emotion_named, words_for
from basics.errors import InputError, Problem, Unavailable
from basics.listing import first_few
from basics.messages import say
from evaluators.evidence import Measurement, Site, Source, digest
from evaluators.layer_separation.parameters import Parameters

Codes = NDArray[np.intp]
Arrays = dict[str, NDArray[Any]]
WITHOUT = " without "
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

    `left_out` are the corpus' other emotions, `remarks` what its reader found missing, `content` each clip's sha256,
    `warnings` each clip's (`audio.clip.load`), `read_as` what is to be told of the files: copies, files that are not
    whole. `set_aside` was left out as asked.
    """

    clips: tuple[EmotionClip, ...]
    wanted: tuple[str, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]
    content: tuple[str, ...]
    cells: Cells
    warnings: tuple[tuple[str, ...], ...]
    read_as: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()

    def without(self, numbers: Collection[int]) -> Selection:
        """The selection without some of its clips, which its remarks name. Raises Unavailable when none is left."""
        kept = [number for number in range(len(self.clips)) if number not in numbers]
        if not kept:
            raise Unavailable(say("every clip of the corpus is silent"), say("give --corpus one with sound in it"))
        if not numbers:
            return self
        named = first_few(self.clips[number].name for number in sorted(numbers))
        labels = [self.cells.emotions[emotion] for emotion in self.cells.cell_emotion[self.cells.cell]]
        return replace(
            self,
            clips=tuple(self.clips[number] for number in kept),
            content=tuple(self.content[number] for number in kept),
            warnings=tuple(self.warnings[number] for number in kept),
            cells=Cells.of([labels[number] for number in kept], [self.clips[number].speaker for number in kept]),
            remarks=(*self.remarks, f"silent, left out: {named}"),
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
        """One digest of all clips: names, content, emotions and speakers; its name tells what was left out as asked."""
        rows = [[c.name, content, c.label, c.speaker] for c, content in zip(self.clips, self.content, strict=True)]
        without = f"{WITHOUT}{json.dumps(self.set_aside, ensure_ascii=False)}" if self.set_aside else ""
        return {f"corpus of {len(rows)} clips{without}": digest(rows)}

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
        left_out = f"left out: {', '.join(self.left_out)}" if self.left_out else ""
        return "; ".join(filter(None, (table, left_out, *self.read_as)))

    def missing(self) -> str:
        """`josh: Angry, Disgusted; everybody: Sleepy`, or `nothing`."""
        nowhere = [emotion for emotion in self.wanted if emotion not in self.cells.emotions]
        gaps = {
            speaker: [emotion for emotion, n in zip(self.cells.emotions, row, strict=True) if not n]
            for speaker, row in zip(self.cells.speakers, self.cells.table(), strict=True)
        }
        gaps["everybody"] = nowhere
        return "; ".join(f"{who}: {', '.join(what)}" for who, what in gaps.items() if what) or "nothing"


def select(parameters: Parameters, site: Site) -> Selection:
    """The corpus' clips of the wanted emotions, each sound once.

    Raises Unavailable when there are none, InputError for labels that are nobody's, for files that cannot be read
    whole, and for one sound under two labels or speakers.
    """
    from audio.copies import hear, once

    if site.corpus is None:
        raise Unavailable(
            say("no emotional speech"),
            say("give --corpus DIR: EmoV-DB as distributed, or a folder with a manifest CSV"),
        )
    spelling = _spelling(parameters.emotions)
    found = read_emotions(site.corpus, emotions=parameters.emotions, leave_out=site.leave_out)
    wanted = [clip for clip in found.clips if clip.label in spelling]
    others = {clip.label for clip in found.clips if clip.label not in spelling}
    if not wanted:
        raise Unavailable(
            say(
                "{corpus} has no clips of {emotions}, only of {others}",
                corpus=site.corpus,
                emotions=", ".join(parameters.emotions),
                others=", ".join(sorted(others)),
            ),
            say("name emotions of this corpus in `emotions`, or give --corpus another one"),
        )
    heard = hear((clip.path for clip in wanted), allow_truncated=site.allow_truncated)
    single = once(
        wanted,
        sound=lambda clip: heard[clip.path].sound,
        said=lambda clip: (clip.speaker, clip.label),
        named=lambda clip: clip.name,
    )
    clips = tuple(clip for clip, _ in single)
    copies = [f"{copy} is {clip.name}" for clip, others in single for copy in others]
    read_as = [f"{clip.name} is {remark}" for clip in clips for remark in heard[clip.path].remarks]
    return Selection(
        clips=clips,
        wanted=parameters.emotions,
        left_out=tuple(sorted(others)),
        remarks=found.missing,
        content=tuple(heard[clip.path].digest for clip in clips),
        cells=Cells.of([spelling[clip.label] for clip in clips], [clip.speaker for clip in clips]),
        warnings=tuple(heard[clip.path].warnings for clip in clips),
        set_aside=site.leave_out,
        read_as=tuple(
            filter(None, (_counted(copies, "copy", "copies", ", counted once"), _counted(read_as, "file", "files")))
        ),
    )


def left_out(inputs: Iterable[str]) -> tuple[str, ...]:
    """What was left out of a corpus as asked, by the name of its digest among the inputs of evidence."""
    named = (name.partition(WITHOUT)[2] for name in inputs if name.startswith("corpus of "))
    return next((tuple(json.loads(listed)) for listed in named if listed), ())


def _spelling(emotions: Sequence[str]) -> dict[str, str]:
    """How the request spells each emotion, by the name that the corpus' reader gives it."""
    words = words_for(emotions)
    names = [emotion_named(emotion, words) or emotion for emotion in emotions]
    spelling = dict(zip(names, emotions, strict=True))
    if repeated := [emotion for name, emotion in zip(names, emotions, strict=True) if spelling[name] != emotion]:
        others = ", ".join(spelling[emotion_named(emotion, words) or emotion] for emotion in repeated)
        raise InputError(
            Problem(
                "emotions",
                say("{repeated} is the same emotion as {others}", repeated=", ".join(repeated), others=others),
                say("keep one"),
            )
        )
    return spelling


def _counted(told: Sequence[str], one: str, more_of_it: str, how: str = "") -> str:
    """`3 copies, counted once: a is b, …`, or nothing."""
    what = say("{n} {noun}{detail}", n=len(told), noun=one if len(told) == 1 else more_of_it, detail=how)
    return f"{what}: {first_few(told)}" if told else ""


def _association(counts: NDArray[np.intp], clips: int, source: Source) -> Measurement:
    from scipy.stats.contingency import association

    name = "corpus.speaker_emotion_association"
    if min(counts.shape) < 2:
        return Measurement(name=name, undefined="needs two speakers and two emotions", source=source)
    return Measurement(name=name, value=float(association(counts, method="cramer")), n=clips, source=source)
