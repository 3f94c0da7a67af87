"""What plays each role: files among the site's clips, or pairs of originals and reconstructions of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audio.corpus import Pair, find_role, read_pairs
from basics.errors import InputError, Problem, Unavailable
from evaluators.evidence import PublishedPair
from evaluators.reconstruction.parameters import PairSelection

if TYPE_CHECKING:
    from evaluators.reconstruction.scores import Rendition

SUPPLY_CLIPS = "name the folder of the clips: --audio DIR"
SUPPLY_PAIRS = "name a folder of originals and reconstructions with a manifest.csv: --pairs DIR"
REMARK = "the codec was run by those who published the pairs, not here"
BATCH = 64  # pairs held at once


def find_clips(folder: Path | None, wanted: Mapping[str, str]) -> dict[str, dict[str, Path]]:
    """The files of every role by their path inside `folder`: those the question names, else what plays the role there.

    Raises Unavailable naming every clip that is missing.
    """
    if folder is None:
        raise Unavailable(f"no clips were given ({', '.join(wanted.values())})", SUPPLY_CLIPS)
    if not folder.is_dir():
        raise InputError(Problem(str(folder), "is not a folder", SUPPLY_CLIPS))
    found: dict[str, dict[str, Path]] = {}
    missing: list[Unavailable] = []
    for role, name in wanted.items():
        try:
            found[role] = {path.relative_to(folder).as_posix(): path for path in _find(folder, role, name)}
        except Unavailable as error:
            missing.append(error)
    if missing:
        raise together(missing)
    return found


def _find(folder: Path, role: str, name: str) -> tuple[Path, ...]:
    try:
        return find_role(folder, name)
    except Unavailable as named:
        try:
            return find_role(folder, role)
        except Unavailable:
            raise named from None


def together(missing: list[Unavailable]) -> Unavailable:
    """Several missing things as one."""
    remedies = dict.fromkeys(error.remedy for error in missing)
    return Unavailable("; ".join(error.what for error in missing), "\n    -> ".join(remedies))


def choose(folder: Path | None, selections: Mapping[str, PairSelection]) -> dict[str, list[Pair]]:
    """The pairs of every role. Raises Unavailable when there is no folder, or no pair for some role."""
    if folder is None:
        raise Unavailable("no folder of published reconstructions was given", SUPPLY_PAIRS)
    pairs = read_pairs(folder)
    chosen = {role: [pair for pair in pairs if plays(pair, wanted)] for role, wanted in selections.items()}
    if missing := [_missing(role, selections[role], pairs) for role, found in chosen.items() if not found]:
        raise Unavailable("; ".join(missing), SUPPLY_PAIRS)
    if mixed := list(_mixed(chosen, selections)):
        raise InputError(mixed)
    return chosen


def _mixed(chosen: Mapping[str, Sequence[Pair]], selections: Mapping[str, PairSelection]) -> Iterator[Problem]:
    """Values of several systems never go into one figure, nor are they compared unless both systems are named."""
    systems = {role: sorted({pair.system for pair in pairs}) for role, pairs in chosen.items()}
    for role, found in systems.items():
        if len(found) > 1:
            what = f"takes pairs of {len(found)} systems: {', '.join(found)}"
            yield Problem(f"pairs of role {role}", what, f"name the one that is meant: `system: {found[0]}`")
    alone = {role: found[0] for role, found in systems.items() if len(found) == 1}
    unnamed = [role for role in alone if selections[role].system is None]
    if unnamed and len(set(alone.values())) > 1:
        what = f"would compare systems: {', '.join(f'{role} has {system}' for role, system in alone.items())}"
        yield Problem(f"pairs of role {', '.join(unnamed)}", what, "name the system of every role: `system: …`")


def published(chosen: Mapping[str, Sequence[Pair]]) -> tuple[PublishedPair, ...]:
    """Every pair by what it is said to be, and by what is in its files."""
    from audio.clip import content_digest

    return tuple(
        PublishedPair(
            repository=pair.source,
            commit=pair.revision,
            system=pair.system,
            codebooks=pair.codebooks,
            kind=pair.kind,
            language=pair.language,
            original=content_digest(pair.original),
            reconstruction=content_digest(pair.reconstruction),
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


def _missing(role: str, wanted: PairSelection, pairs: Sequence[Pair]) -> str:
    asked = ", ".join(f"{key} {value}" for key, value in wanted.model_dump(exclude_defaults=True).items() if value)
    others = [pair for pair in pairs if plays(pair, wanted.model_copy(update={"codebooks": "any"}))]
    counts = sorted({f"{pair.codebooks or 'not stated'}" for pair in others})
    hint = f" ({len(others)} would, at codebooks: {', '.join(counts)})" if others else ""
    return f"no pair plays {role} ({asked or 'any'}, codebooks {wanted.codebooks}){hint}"


def load_pairs(chosen: Mapping[str, Sequence[Pair]]) -> Iterator[list[Rendition]]:
    """The sound of every chosen pair, at 16 kHz, BATCH pairs at a time: memory does not grow with their number.

    Raises InputError for files that cannot be read, all of them at once.
    """
    from audio.clip import load, naming_unreadable
    from evaluators.reconstruction.scores import rendition

    pairs = [(role, pair) for role, its in chosen.items() for pair in its]
    files = dict.fromkeys(file for _, pair in pairs for file in (pair.original, pair.reconstruction))
    for start in range(0, len(pairs), BATCH):
        with naming_unreadable(files):
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
    return ", ".join(
        f"{source} ({count} pair{'s' * (count != 1)}, {system}, "
        f"codebooks {'not stated' if codebooks is None else codebooks})"
        for (source, system, codebooks), count in counts.items()
    )
