"""Pairs mode: originals and reconstructions that somebody published, chosen by what their manifest says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audio.corpus import Pair, read_pairs
from basics.errors import Unavailable
from evaluators.reconstruction.parameters import PairSelection

if TYPE_CHECKING:
    from evaluators.reconstruction.scores import Rendition

REMARK = "the codec was run by those who published the pairs, not here; each reconstruction aligned to its original"
BATCH = 64  # pairs held at once
SUPPLY = "name a folder of originals and reconstructions with a manifest.csv: --pairs DIR"


def choose(folder: Path | None, selections: Mapping[str, PairSelection]) -> dict[str, list[Pair]]:
    """The pairs of every role. Raises Unavailable when there is no folder, or no pair for some role."""
    if folder is None:
        raise Unavailable("no folder of published reconstructions was given", SUPPLY)
    pairs = read_pairs(folder)
    chosen = {role: [pair for pair in pairs if plays(pair, wanted)] for role, wanted in selections.items()}
    if missing := [_missing(role, selections[role], pairs) for role, found in chosen.items() if not found]:
        raise Unavailable("; ".join(missing), SUPPLY)
    return chosen


def originals(chosen: Mapping[str, Sequence[Pair]]) -> tuple[Path, ...]:
    """The files that were reconstructed."""
    return tuple(pair.original for pairs in chosen.values() for pair in pairs)


def plays(pair: Pair, wanted: PairSelection) -> bool:
    """Whether a pair is among those selected."""
    return (
        wanted.kind in (None, pair.kind)
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
        (f"{pair.source}@{pair.revision}" if pair.revision else pair.source, pair.codebooks) for pair in pairs
    )
    return ", ".join(
        f"{source} ({count} pair{'s' * (count != 1)}, codebooks {'not stated' if codebooks is None else codebooks})"
        for (source, codebooks), count in counts.items()
    )
