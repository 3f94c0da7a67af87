"""What plays each role: files among the site's clips, or pairs of originals and reconstructions of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audio.corpus import Pair, find_role, folders_of, read_pairs
from basics import messages
from basics.errors import InputError, Problem, Unavailable
from basics.messages import Message, say
from evaluators.evidence import PublishedPair
from evaluators.reconstruction.parameters import PairSelection

if TYPE_CHECKING:
    from evaluators.reconstruction.scores import Rendition

SUPPLY_CLIPS = say("name the folder of the clips: --audio DIR")
SUPPLY_PAIRS = say("name a folder of originals and reconstructions with a manifest.csv: --pairs DIR")
REMARK = "the codec was run by those who published the pairs, not here"
BATCH = 64  # pairs held at once


def find_clips(
    folder: Path | None, wanted: Mapping[str, str], *, allow_truncated: bool = False
) -> dict[str, dict[str, Path]]:
    """The files of every role by their path inside `folder`: those the question names, else what plays the role there.

    Copies of one sound are one file, whose name tells the others'. Raises Unavailable naming every clip that is
    missing, InputError for files that cannot be read whole, and for one sound in two roles.
    """
    if folder is None:
        raise Unavailable(say("no clips were given ({clips})", clips=", ".join(wanted.values())), SUPPLY_CLIPS)
    if not folder.is_dir():
        raise InputError(Problem(str(folder), say("is not a folder"), SUPPLY_CLIPS))
    found: dict[str, dict[str, Path]] = {}
    missing: list[Unavailable] = []
    for role, name in wanted.items():
        try:
            found[role] = {path.relative_to(folder).as_posix(): path for path in _find(folder, role, name)}
        except Unavailable as error:
            missing.append(error)
    if missing:
        raise together(missing)
    return _once(found, allow_truncated)


def _once(found: Mapping[str, Mapping[str, Path]], allow_truncated: bool) -> dict[str, dict[str, Path]]:
    from audio.copies import hear, once

    files = [(role, name, path) for role, named in found.items() for name, path in named.items()]
    heard = hear((path for *_, path in files), allow_truncated=allow_truncated)
    single = once(files, sound=lambda f: heard[f[2]].sound, said=lambda f: f[0], named=lambda f: f[1])
    roles: dict[str, dict[str, Path]] = {role: {} for role in found}
    for (role, name, path), copies in single:
        roles[role][f"{name} (also as {', '.join(copies)})" if copies else name] = path
    return roles


def _find(folder: Path, role: str, name: str) -> tuple[Path, ...]:
    try:
        found = find_role(folder, name)
        if Path(name).suffix and (other := [path for path in folders_of(folder, role) if path not in found[0].parents]):
            what = say(
                "holds {file} and the folder {folder}, which could each be meant for {role}",
                file=found[0].name,
                folder=other[0].name,
                role=role,
            )
            raise InputError(Problem(str(folder), what, say("keep the file or the folder, not both")))
        return found
    except Unavailable as named:
        try:
            return find_role(folder, role)
        except Unavailable:
            raise named from None


def together(missing: list[Unavailable]) -> Unavailable:
    """Several missing things as one."""
    remedies = dict.fromkeys(error.remedy for error in missing)
    return Unavailable(messages.together(error.what for error in missing), messages.together(remedies, "\n    -> "))


def choose(
    folder: Path | None, selections: Mapping[str, PairSelection], *, allow_truncated: bool = False
) -> dict[str, list[Pair]]:
    """The pairs of every role, each two sounds once.

    Raises Unavailable when there is no folder, or no pair for some role; InputError for files that cannot be read
    whole, and for pairs of the same two sounds that are said to be different things.
    """
    if folder is None:
        raise Unavailable(say("no folder of published reconstructions was given"), SUPPLY_PAIRS)
    pairs = read_pairs(folder)
    chosen = {role: [pair for pair in pairs if plays(pair, wanted)] for role, wanted in selections.items()}
    if missing := [_missing(role, selections[role], pairs) for role, found in chosen.items() if not found]:
        raise Unavailable(messages.together(missing), SUPPLY_PAIRS)
    if mixed := list(_mixed(chosen, selections)):
        raise InputError(mixed)
    return {role: _each_once(found, allow_truncated) for role, found in chosen.items()}


def _each_once(pairs: Sequence[Pair], allow_truncated: bool) -> list[Pair]:
    from audio.copies import hear, once

    heard = hear((path for p in pairs for path in (p.original, p.reconstruction)), allow_truncated=allow_truncated)
    single = once(
        pairs,
        sound=lambda p: (heard[p.original].sound, heard[p.reconstruction].sound),
        said=lambda p: (p.system, p.kind, p.language, p.codebooks),
        named=lambda p: p.id,
    )
    return [replace(pair, copies=copies) for pair, copies in single]


def _mixed(chosen: Mapping[str, Sequence[Pair]], selections: Mapping[str, PairSelection]) -> Iterator[Problem]:
    """Values of several systems never go into one figure, nor are they compared unless both systems are named."""
    systems = {role: sorted({pair.system for pair in pairs}) for role, pairs in chosen.items()}
    for role, found in systems.items():
        if len(found) > 1:
            what = say("takes pairs of {n} systems: {systems}", n=len(found), systems=", ".join(found))
            yield Problem(
                f"pairs of role {role}", what, say("name the one that is meant: `system: {system}`", system=found[0])
            )
    alone = {role: found[0] for role, found in systems.items() if len(found) == 1}
    unnamed = [role for role in alone if selections[role].system is None]
    if unnamed and len(set(alone.values())) > 1:
        what = say(
            "would compare systems: {systems}",
            systems=", ".join(f"{role} has {system}" for role, system in alone.items()),
        )
        yield Problem(f"pairs of role {', '.join(unnamed)}", what, say("name the system of every role: `system: …`"))


def published(chosen: Mapping[str, Sequence[Pair]], *, allow_truncated: bool = False) -> tuple[PublishedPair, ...]:
    """Every pair by what it is said to be, and by what is in its files."""
    from audio.copies import hear

    heard = hear(
        (path for pairs in chosen.values() for pair in pairs for path in (pair.original, pair.reconstruction)),
        allow_truncated=allow_truncated,
    )
    return tuple(
        PublishedPair(
            repository=pair.source,
            commit=pair.revision,
            system=pair.system,
            codebooks=pair.codebooks,
            kind=pair.kind,
            language=pair.language,
            original=heard[pair.original].content,
            reconstruction=heard[pair.reconstruction].content,
        )
        for pairs in chosen.values()
        for pair in pairs
    )


def originals(chosen: Mapping[str, Sequence[Pair]]) -> tuple[Path, ...]:
    """The files that were reconstructed."""
    return tuple(pair.original for pairs in chosen.values() for pair in pairs)


def plays(pair: Pair, wanted: PairSelection) -> bool:
    """Whether a pair is among those selected."""
    return (
        wanted.system in (None, pair.system)
        and wanted.kind in (None, pair.kind)
        and wanted.language in (None, pair.language)
        and wanted.codebooks in ("any", "not stated" if pair.codebooks is None else pair.codebooks)
        and (not wanted.sources or pair.source in wanted.sources)
    )


def _missing(role: str, wanted: PairSelection, pairs: Sequence[Pair]) -> Message:
    asked = ", ".join(f"{key} {value}" for key, value in wanted.model_dump(exclude_defaults=True).items() if value)
    others = [pair for pair in pairs if plays(pair, wanted.model_copy(update={"codebooks": "any"}))]
    counts = sorted({f"{pair.codebooks or 'not stated'}" for pair in others})
    told = say(
        "no pair plays {role} ({criteria}, codebooks {codebooks})",
        role=role,
        criteria=asked or say("any"),
        codebooks=wanted.codebooks,
    )
    if not others:
        return told
    return told + say(" ({n} would, at codebooks: {counts})", n=len(others), counts=", ".join(counts))


def load_pairs(chosen: Mapping[str, Sequence[Pair]], *, allow_truncated: bool = False) -> Iterator[list[Rendition]]:
    """The sound of every chosen pair, at 16 kHz, BATCH pairs at a time: memory does not grow with their number.

    Raises InputError for files that cannot be read, all of them at once.
    """
    from audio.clip import load, naming_unreadable
    from evaluators.reconstruction.scores import rendition

    load = partial(load, allow_truncated=allow_truncated)
    pairs = [(role, pair) for role, its in chosen.items() for pair in its]
    files = dict.fromkeys(file for _, pair in pairs for file in (pair.original, pair.reconstruction))
    for start in range(0, len(pairs), BATCH):
        with naming_unreadable(files, allow_truncated=allow_truncated):
            batch = [
                rendition(role, pair.id, pair.codebooks, load(pair.original), load(pair.reconstruction))
                for role, pair in pairs[start : start + BATCH]
            ]
        yield batch


def locator(pairs: Sequence[Pair]) -> str:
    """`owner/name@commit (6 pairs, 8 codebooks)`, for every source of the pairs."""
    counts = Counter(
        (f"{pair.source}@{pair.revision}" if pair.revision else pair.source, pair.system, pair.codebooks)
        for pair in pairs
    )
    copies = [f"{copy} is {pair.id}" for pair in pairs for copy in pair.copies]
    named = [
        f"{source} ({count} pair{'s' * (count != 1)}, {system}, "
        f"codebooks {'not stated' if codebooks is None else codebooks})"
        for (source, system, codebooks), count in counts.items()
    ]
    return ", ".join([*named, f"copies, counted once: {', '.join(copies)}"] if copies else named)
