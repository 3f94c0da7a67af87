"""Labelled emotional speech: EmoV-DB as distributed, or any folder with a manifest.

EmoV-DB (Adigwe et al., arXiv:1806.09514) comes as OpenSLR 115, one archive for each speaker and emotion
(`bea_Amused.tar.gz` …, 18 of them: josh has no Angry and no Disgusted), or sorted as `bea/Amused/*.wav`, or unsorted as
`Spk-Bea/…/anger_1-28_0011.wav`, or as its own script lays it out, `EMOV-DB/1/anger_1-28_0011.wav` with a number for
each speaker (`emov_mfa_alignment.py` in numediart/EmoV-DB). Speaker and emotion are read from the names of folders and
archives, then of files. Every sound file is used, or all are refused with counts: what is to be left out is listed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from audio.corpus.archives import stem, unpacked
from audio.corpus.labels import EMOTIONS, Words, emotion_named, normalized, words_for
from audio.corpus.manifests import MANIFEST, find_manifest, read_rows
from audio.formats import Folder, is_archive, read_folder, unlisted
from basics.errors import InputError, Problem
from basics.files import sha256_of
from basics.listing import first_few
from basics.messages import say
from basics.suggestions import did_you_mean

SPEAKERS = {"bea": "F", "jenie": "F", "josh": "M", "sam": "M"}
SPEAKER_WORDS = {**{name: name for name in SPEAKERS}, "je": "jenie", "jsh": "josh", "sa": "sam"}
SPEAKER_NUMBERS = dict(zip("1234", SPEAKERS, strict=True))
"""Folders of EmoV-DB's own script, in the order in which it fetches the speakers' archives."""
EMOV_FILE = re.compile(r"[^\W\d_]+_\d+-\d+_\d+", re.IGNORECASE)
"""`anger_1-28_0011`, as EmoV-DB calls its files."""
PLACES = {
    "wav",
    "wavs",
    "audio",
    "data",
    "clips",
    "sounds",
    "16bits",
    "sorted",
    "train",
    "test",
    "dev",
    "spk",
    "speaker",
}
"""Words of folders that name nobody."""
DEEPEST = 3  # archives within archives


@dataclass(frozen=True)
class EmotionClip:
    """One labelled clip. `name` is its file within the corpus, with forward slashes."""

    path: Path
    name: str
    label: str
    speaker: str
    gender: str  # F, M, or empty where the corpus does not say


@dataclass(frozen=True)
class EmotionCorpus:
    """Clips in order of their names; `missing` says in words what the corpus does not have, and what was left out."""

    clips: tuple[EmotionClip, ...]
    missing: tuple[str, ...]


def read_emotions(
    source: str | Path, *, emotions: Sequence[str] = EMOTIONS, leave_out: Sequence[str] = ()
) -> EmotionCorpus:
    """Clips of a manifest CSV, of a folder that holds one, or of EmoV-DB in any of its layouts, archives included.

    A manifest needs the columns file, speaker and one of homework_label, label or emotion; gender is used where it is
    there. Labels are named by the words of `audio.corpus.labels`, whatever language and case they come in.

    Args:
        source: manifest, folder or archive; archives are unpacked once, into the user's cache.
        emotions: what labels may say besides EmoV-DB's five.
        leave_out: labels, and files within the corpus (`*` and `?` stand for others), that are not to be used.

    Raises InputError with every problem: counts first, of clips whose label is nobody's or whose names say none.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(
            Problem(str(source), say("no such folder or file"), say("name EmoV-DB's folder or a manifest CSV"))
        )
    words = words_for(emotions)
    manifest = find_manifest(source)
    found, others = _from_manifest(manifest) if manifest else _from_names(source, words)
    kept, said = _without(found, leave_out, words, str(source))
    if not manifest and (problems := list(_contradictions(kept, source.name, words))):
        raise InputError(problems)
    clips = _labelled(kept, words, emotions, str(source), stated=manifest is not None)
    if not clips:
        raise InputError(
            Problem(
                str(source),
                say("has no {manifest} and no clips or archives named after speaker and emotion", manifest=MANIFEST),
                say(
                    "expected EmoV-DB (bea_Amused.tar.gz, bea_Amused/, bea/Amused/) or a manifest of file, label, "
                    "speaker"
                ),
            )
        )
    absent = [] if manifest else _absent(clips)
    return EmotionCorpus(clips, tuple(filter(None, (*_gaps(clips), *absent, *said, others))))


def _without(
    clips: Sequence[EmotionClip], leave_out: Sequence[str], words: Words, where: str
) -> tuple[list[EmotionClip], list[str]]:
    """The clips that stay, and in words how many went by what. Raises InputError for what names no clip."""
    kept, counts = [], Counter(dict.fromkeys(leave_out, 0))
    for clip in clips:
        by = next((entry for entry in leave_out if _meant(entry, clip, words)), None)
        if by is None:
            kept.append(clip)
        else:
            counts[by] += 1
    if unknown := [entry for entry in leave_out if not counts[entry]]:
        labels = sorted({clip.label for clip in clips if clip.label})
        raise InputError(
            Problem(
                f"--leave-out {entry}",
                say("is no label and no file of {corpus}", corpus=where),
                did_you_mean(entry, labels),
            )
            for entry in unknown
        )
    return kept, [f"{_clips(n)} left out as asked: {entry}" for entry, n in counts.items()]


def _meant(entry: str, clip: EmotionClip, words: Words) -> bool:
    label = normalized(entry)
    named = emotion_named(entry, words)
    same = normalized(clip.label) == label or (named is not None and emotion_named(clip.label, words) == named)
    return bool(label and clip.label and same) or fnmatchcase(clip.name, entry)


def _labelled(
    clips: Sequence[EmotionClip], words: Words, emotions: Sequence[str], where: str, *, stated: bool
) -> tuple[EmotionClip, ...]:
    """The clips by the emotion that their label names. Raises InputError, counts first, for those that name none."""
    labels = {clip.label: emotion_named(clip.label, words) for clip in clips}
    strange = Counter(clip.label for clip in clips if labels[clip.label] is None and clip.label)
    silent = [clip.name for clip in clips if not (clip.label and clip.speaker)]
    problems = []
    if strange:
        listed = ", ".join(f"{label} ({n})" for label, n in sorted(strange.items()))
        known = ", ".join(dict.fromkeys((*EMOTIONS, *emotions)))
        among = say("the five") if set(emotions) <= set(EMOTIONS) else say("those")
        what = say(
            "{clips}: {count} carry labels that are not among {group} ({known}): {labels}",
            clips=_clips(len(clips)),
            count=strange.total(),
            group=among,
            known=known,
            labels=listed,
        )
        remedy = " ".join(f"--leave-out {_quoted(label)}" for label in sorted(strange))
        problems.append(
            Problem(where, what, say("correct the labels, or leave these clips out: {options}", options=remedy))
        )
    if silent and not stated and len(silent) < len(clips):
        what = say("{clips}: the names of {n} say no speaker or no emotion: ", clips=_clips(len(clips)), n=len(silent))
        remedy = say(
            "list them in a {manifest} (file, label, speaker), or leave them out: --leave-out {file}",
            manifest=MANIFEST,
            file=_quoted(silent[0]),
        )
        problems.append(Problem(where, what + first_few(silent), remedy))
    if problems:
        raise InputError(problems)
    found = [replace(clip, label=labels[clip.label] or "") for clip in clips if clip.label and clip.speaker]
    return tuple(sorted(found, key=lambda clip: clip.name))


def _clips(number: int) -> str:
    return f"{number} clip{'s' * (number != 1)}"


def _quoted(word: str) -> str:
    return f"'{word}'" if re.search(r"[^\w./-]", word) else word


def _from_manifest(manifest: Path) -> tuple[list[EmotionClip], str]:
    """Clips of a manifest, labels as they stand there; and what it does not list."""
    labels = ("homework_label", "label", "emotion")
    rows = read_rows(manifest, [("file",), labels, ("speaker",)])
    problems = [problem for row in rows for problem in row.file_problems("file")]
    problems += [
        Problem(row.where, say("{field} is blank", field=what), say("fill it in or remove the row"))
        for row in rows
        for what, columns in (("the label", labels), ("the speaker", ("speaker",)))
        if not row.text(*columns)
    ]
    if problems:
        raise InputError(problems)
    who = _speakers(row.text("speaker") for row in rows)
    clips = [
        EmotionClip(row.file("file"), row.text("file"), row.text(*labels), who[row.text("speaker")], row.text("gender"))
        for row in rows
    ]
    return clips, unlisted(manifest.parent, [clip.path for clip in clips]) if manifest.name == MANIFEST else ""


def _speakers(written: Iterable[str]) -> dict[str, str]:
    """One spelling for each speaker: EmoV-DB's own where all are its, else the first of those that differ in case."""
    names = list(dict.fromkeys(written))
    own = {name: _of_emov(name) for name in names}
    if all(own.values()):
        return {name: known for name, known in own.items() if known}
    first: dict[str, str] = {}
    return {name: first.setdefault(name.casefold(), name) for name in names}


def _from_names(source: Path, words: Words) -> tuple[list[EmotionClip], str]:
    """Clips of a folder or an archive; label and speaker are empty where the names do not say them."""
    found, others = _named_sounds(source)
    clips = []
    for name, path in sorted(found.items()):
        who, emotion, _ = _read_name(source.name, name, words)
        clips.append(EmotionClip(path, name, emotion, who, SPEAKERS.get(who, "")))
    return clips, others


def _contradictions(clips: Iterable[EmotionClip], root: str, words: Words) -> Iterator[Problem]:
    """Files that call themselves by another emotion than their folder does."""
    for clip in clips:
        _, emotion, said = _read_name(root, clip.name, words)
        if said and emotion and said != emotion:
            what = say(
                "its folder says {folder_emotion}, its name {name_emotion}", folder_emotion=emotion, name_emotion=said
            )
            yield Problem(
                str(clip.path), what, say("move it, or leave it out: --leave-out {file}", file=_quoted(clip.name))
            )


def _named_sounds(source: Path, depth: int = 0) -> tuple[dict[str, Path], str]:
    """Every sound file by its name within the corpus, loose or in an archive; and what is no sound."""
    if depth > DEEPEST:
        raise InputError(
            Problem(
                str(source),
                say("archives lie more than {limit} deep in each other", limit=DEEPEST),
                say("unpack them"),
            )
        )
    loose = read_folder(source, archives=True) if source.is_dir() else Folder((), ())
    found = {path.relative_to(source).as_posix(): path for path in loose.sounds}
    archives = [source] if source.is_file() else sorted(p for p in source.rglob("*") if is_archive(p) and p.is_file())
    problems = []
    for archive in archives:
        inside, _ = _named_sounds(unpacked(archive), depth + 1)
        beside = archive.with_name(stem(archive))
        prefix = beside.relative_to(source).as_posix() if source.is_dir() else beside.name
        for inner, path in inside.items():
            name = f"{prefix}/{inner}"
            if sha256_of(found.setdefault(name, path)) != sha256_of(path):
                problems.append(
                    Problem(
                        str(found[name]),
                        say("differs from what {archive} holds", archive=archive.name),
                        say("keep one of them"),
                    )
                )
    if problems:
        raise InputError(problems)
    return found, loose.remark


def _read_name(root: str, name: str, words: Words) -> tuple[str, str, str]:
    """Speaker and emotion that the names of folders and file say, and the emotion that the file's own name says.

    The innermost folder that names an emotion counts; the speaker is in its name (`bea_Amused`), or in that of the next
    folder around it that names anybody. The corpus' own folder tells only what nothing inside tells.
    """
    *folders, file = name.split("/")
    said = next((emotion for token in _tokens(file) if (emotion := _emotion(token, words))), "")
    around = [*reversed(folders), root]
    labelled = next((i for i, folder in enumerate(around) if _who_and_emotion(folder, words)), None)
    if labelled is None:
        return _around(around, file, root), said, said
    who, emotion = _who_and_emotion(around[labelled], words) or ("", "")
    return who or _around(around[labelled + 1 :], file, root), emotion, said


def _who_and_emotion(folder: str, words: Words) -> tuple[str, str] | None:
    """`bea_Amused` names both, `Amused` the emotion alone; None for a folder that names no emotion."""
    tokens = _tokens(folder)
    place = next((i for i in reversed(range(len(tokens))) if _emotion(tokens[i], words)), None)
    if place is None:
        return None
    who = "_".join(token for token in tokens[:place] if token not in PLACES and token not in ("emov", "db", "emovdb"))
    return SPEAKER_WORDS.get(who, who), _emotion(tokens[place], words)


def _around(folders: Sequence[str], file: str, root: str) -> str:
    """Who the folders name, the innermost first; else EmoV-DB's speaker in the file's name."""
    inside = folders[:-1] if folders and folders[-1] == root else folders
    for folder in inside:
        tokens = [token for token in _tokens(folder) if token not in PLACES]
        if not tokens or tokens[0] in ("emov", "emovdb"):
            continue
        if folder in SPEAKER_NUMBERS and EMOV_FILE.match(file):
            return SPEAKER_NUMBERS[folder]
        return _of_emov(folder) or "_".join(tokens)
    named = next((SPEAKER_WORDS[token] for token in _tokens(file) if token in SPEAKER_WORDS), None)
    return named or _of_emov(root) or ""


def _of_emov(name: str) -> str | None:
    """EmoV-DB's speaker of this name (`bea`, `Spk-Je`), if one is."""
    tokens = [token for token in _tokens(name) if token not in PLACES]
    return SPEAKER_WORDS.get(tokens[0]) if len(tokens) == 1 else None


def _tokens(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name.casefold()))


def _emotion(token: str, words: Words) -> str:
    return words.get(normalized(token), "") if token else ""


def _gaps(clips: Iterable[EmotionClip]) -> list[str]:
    """`josh has no clips of Angry, Disgusted`, for every speaker who lacks an emotion that another has."""
    have: dict[str, set[str]] = {}
    for clip in clips:
        have.setdefault(clip.speaker, set()).add(clip.label)
    everything = set().union(*have.values())
    return [
        f"{speaker} has no clips of {', '.join(sorted(everything - labels))}"
        for speaker, labels in sorted(have.items())
        if everything - labels
    ]


def _absent(clips: Iterable[EmotionClip]) -> list[str]:
    """Which emotions are not there at all, and which of EmoV-DB's speakers, if any of them is."""
    present = {clip.speaker for clip in clips}
    speakers = sorted(set(SPEAKERS) - present) if present & set(SPEAKERS) else []
    emotions = sorted(set(EMOTIONS) - {clip.label for clip in clips})
    return [f"no clips of speaker {name}" for name in speakers] + [f"no clips of {name}" for name in emotions]
