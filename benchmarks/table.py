"""Every speed that the documentation tells, side by side in one run: our time, theirs, and the ratio.

    python benchmarks/table.py                  # all of it, about a quarter of an hour on two processors
    python benchmarks/table.py metrics codec    # some of it

The sides take turns, so that both meet the same load of the machine; times and ratios are medians over rounds. It ends
with a message where values of measures, PESQ of Q6 and Q7, or scores are not those of the other side. Where VERSA is
not installed (it is not on PyPI), what it calls for these measures stands in its place: `pesq` and `pystoi`, a pair at
a time, which is the plain loop.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import codec
import grading
import layers
import metrics
import reconstruction
from transformers import MimiModel

from audio.codec import load_codec
from tests.checkpoints import random_checkpoint


class Row(NamedTuple):
    """Seconds of ours and theirs in each round."""

    what: str
    against: str
    ours: Sequence[float]
    theirs: Sequence[float]

    def __str__(self) -> str:
        ratios = [theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True)]
        spread = f"{median(ratios):.2f}× ({min(ratios):.2f} to {max(ratios):.2f})"
        return f"| {self.what} | {self.against} | {median(self.ours):.3g} | {median(self.theirs):.3g} | {spread} |"


def of_metrics(rounds: int) -> Iterator[Row]:
    """PESQ-wb, STOI and ESTOI of 32 pairs of 5 s, and what a second worker gains."""
    pairs = metrics.make_pairs(32)
    sides = {**metrics.contenders(2), "one worker": metrics.engine(1)}
    for side in sides.values():
        side(pairs[:4])
    records = metrics.race(sides, pairs, rounds)
    for name in sides:
        metrics.require_equal(name, records)
    walls = {name: [seconds * len(pairs) for seconds in record.wall] for name, record in records.items()}
    ours = walls.pop("measure_pairs, 2 jobs")
    for name, theirs in walls.items():
        yield Row("measures of 32 pairs, 2 workers", name, ours, theirs)


def of_codec(rounds: int) -> Iterator[Row]:
    """Eight clips of 5 s through the full-size network."""
    with tempfile.TemporaryDirectory() as folder:
        source = codec.random_weights(folder)
        bare: Any = MimiModel.from_pretrained(source)
        own = load_codec(source, device="cpu")
        sounds = codec.noise(own, [codec.SECONDS] * 8)
        sides: dict[str, codec.Side] = {f"MimiModel, batch {n}": codec.bare_model(bare.eval(), n) for n in (1, 8)}
        sides["ours"] = lambda sounds: own.reconstruct(sounds, codec.CODEBOOKS)
        for side in sides.values():
            side(sounds[:2])
        walls = {
            name: [seconds * len(sounds) * codec.SECONDS for seconds in record.wall]
            for name, record in codec.race(sides, sounds, rounds, len(sounds) * codec.SECONDS).items()
        }
    ours = walls.pop("ours")
    for name, theirs in walls.items():
        yield Row("codec, 8 clips of 5 s", name, ours, theirs)


def of_reconstruction(rounds: int) -> Iterator[Row]:
    """The whole evidence of Q6 and Q7."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = random_checkpoint(Path(folder) / "mimi", small=False)
        found = reconstruction.rounds(checkpoint, Path(folder), rounds)
        first, again, loop = zip(*found, strict=True)
    yield Row("Q6 and Q7", "notebook's loop", first, loop)
    yield Row("Q6 and Q7 from the store", "notebook's loop", again, loop)


def of_layers(rounds: int) -> Iterator[Row]:
    """Two layers in each round, by two processes and by one."""
    layers.warm_up([500, 2000, 6893], 2)
    for clips in (500, 2000, 6893):
        found = list(layers.compare(clips, 2 * rounds, 2, 2))
        ours = [one.own_seconds for one in found]
        yield Row(f"2 layers, {clips:,} clips, 2 workers", "umap-learn", ours, [one.library_seconds for one in found])
        yield Row(f"2 layers, {clips:,} clips, 2 workers", "one worker", ours, [one.own_alone for one in found])


def of_grading(rounds: int) -> Iterator[Row]:
    """A class of 20,000, processor seconds: each side in a fresh process that has loaded its modules."""
    for form in ("plain", "canvas"):
        found = [grading.side_by_side(20_000, 20_000, form) for _ in range(rounds)]
        if not all(one["same_scores"] for one in found):
            raise SystemExit(f"scores differ ({form})")
        ours, theirs = ([one[side]["processor_seconds"] for one in found] for side in ("own", "loop"))
        yield Row(f"20,000 students, {form}", "loop over rows", ours, theirs)


PARTS: dict[str, Callable[[int], Iterator[Row]]] = {
    "metrics": of_metrics,
    "codec": of_codec,
    "reconstruction": of_reconstruction,
    "layers": of_layers,
    "grading": of_grading,
}


def main() -> None:
    """Print the table, a row as soon as it stands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; by default all")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    print("| what | beside | ours, s | theirs, s | ratio |\n|---|---|---|---|---|", flush=True)
    for part in asked.parts or PARTS:
        for row in PARTS[part](asked.rounds):
            print(row, flush=True)


if __name__ == "__main__":
    main()
