"""PESQ-wb, STOI and ESTOI of many pairs: this project's engine beside a plain loop over `pesq` and `pystoi`.

    python benchmarks/metrics.py --pairs 64 --rounds 3 --jobs 2 --json results.json

All sides get the same 5 s pairs (speech of the demonstration clips and the built-in codec's reconstruction of it) and
take turns, round by round, so that all meet the same load of the machine; the engine's processes are warm. Medians over
rounds. Processor time, all processes together, tells what a side needs whatever else runs: divided by the jobs, it is
the wall time on a free machine. With torchmetrics or VERSA importable (`PYTHONPATH`; neither is a dependency) their own
calls are timed too. Values must agree with the packages': PESQ to 1e-5, STOI and ESTOI to 1e-12.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.clip import load, resample
from audio.codec import load_codec
from audio.metrics import measure_pairs
from basics.workers import shared_pool

RATE = 16_000
SECONDS = 5
METRICS = ("pesq_wb", "stoi", "estoi")
TOLERANCE = {"pesq_wb": 1e-5, "stoi": 1e-12, "estoi": 1e-12}
CODEC_RATE = 24_000
AUDIO = Path(__file__).resolve().parent.parent / "audio"
CLIPS, POCKET_CODEC = AUDIO / "clips", AUDIO / "pocket_mimi"

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
Scores = list[tuple[float, ...]]
Side = Callable[[Sequence[Pair]], Scores]


def make_pairs(count: int) -> list[Pair]:
    """Speech of the demonstration clips and what the built-in codec makes of it, 5 s each."""
    sound = np.concatenate([load(path, CODEC_RATE).samples for path in sorted(CLIPS.glob("*_speech*.flac"))])
    (decoded,) = load_codec(POCKET_CODEC, device="cpu").reconstruct([sound], 8)
    reference, estimate = (resample(signal, CODEC_RATE, RATE).astype(float) for signal in (sound, decoded))
    starts = np.random.default_rng(0).integers(0, len(reference) - SECONDS * RATE, count)
    return [(reference[s : s + SECONDS * RATE], estimate[s : s + SECONDS * RATE]) for s in starts]


def plain_loop(pairs: Sequence[Pair]) -> Scores:
    """One call after the other, as the packages' own documentation shows."""
    from pesq import pesq
    from pystoi import stoi

    return [(pesq(RATE, x, y, "wb"), stoi(x, y, RATE), stoi(x, y, RATE, extended=True)) for x, y in pairs]


def torchmetrics_calls(pairs: Sequence[Pair]) -> Scores:
    """torchmetrics' functional interface, a pair at a time."""
    import torch

    audio = importlib.import_module("torchmetrics.functional.audio")
    scores: Scores = []
    for pair in pairs:
        x, y = (torch.from_numpy(signal) for signal in pair)
        pesq = audio.perceptual_evaluation_speech_quality(y, x, RATE, "wb")
        both = [audio.short_time_objective_intelligibility(y, x, RATE, extended) for extended in (False, True)]
        scores.append((float(pesq), float(both[0]), float(both[1])))
    return scores


def versa_calls(pairs: Sequence[Pair]) -> Scores:
    """VERSA's metric classes, a pair at a time."""
    quality = importlib.import_module("versa.utterance_metrics.pesq_score").PesqMetric()
    intelligibility = importlib.import_module("versa.utterance_metrics.stoi")
    metrics = {"pesq": quality, "stoi": intelligibility.StoiMetric(), "estoi": intelligibility.EstoiMetric()}
    told = {"sample_rate": RATE}
    return [
        tuple(float(metric.compute(y, x, metadata=told)[name]) for name, metric in metrics.items()) for x, y in pairs
    ]


def engine(jobs: int) -> Side:
    """This project's way."""

    def run(pairs: Sequence[Pair]) -> Scores:
        results = measure_pairs(pairs, sample_rate=RATE, metrics=METRICS, jobs=jobs)
        return [(float(r["pesq_wb"]), float(r["stoi"]), float(r["estoi"])) for r in results]  # type: ignore[arg-type]

    return run


def contenders(jobs: int) -> dict[str, Side]:
    """Everything that is installed here."""
    found = {"plain loop over pesq and pystoi": plain_loop, f"measure_pairs, {jobs} jobs": engine(jobs)}
    if find_spec("torchmetrics"):
        found["torchmetrics"] = torchmetrics_calls
    if find_spec("versa"):
        found["VERSA"] = versa_calls
    return found


@dataclass
class Record:
    """Wall and processor seconds a pair of every round, and the scores, of one side."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    scores: Scores = field(default_factory=list)


def race(sides: dict[str, Side], pairs: Sequence[Pair], rounds: int) -> dict[str, Record]:
    """What each side needs; sides take turns within a round."""
    records = {name: Record() for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            processor, start = processor_seconds(), time.perf_counter()
            records[name].scores = side(pairs)
            records[name].wall.append((time.perf_counter() - start) / len(pairs))
            records[name].processor.append((processor_seconds() - processor) / len(pairs))
    return records


def processor_seconds() -> float:
    """Processor time of this process and of the engine's workers so far (Linux; elsewhere of this process)."""
    total = time.process_time()
    for worker in shared_pool(1).workers:
        status = Path(f"/proc/{worker.pid}/stat")
        if status.is_file():
            user, system = status.read_text().rpartition(")")[2].split()[11:13]
            total += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return total


def main() -> None:
    """Print the table; write it as JSON on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    pairs, sides = make_pairs(arguments.pairs), contenders(arguments.jobs)
    for side in sides.values():  # imports, caches and processes
        side(pairs[: 2 * arguments.jobs])
    records = race(sides, pairs, arguments.rounds)
    rows = [compare(name, records, arguments.jobs) for name in records]
    print(f"{len(pairs)} pairs of {SECONDS} s, {arguments.rounds} rounds, {os.cpu_count()} processors\n")
    print(
        "| what | ms a pair | ratio | processor ms a pair | ratio on a free machine | PESQ differs by | STOI | ESTOI |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        differences = " | ".join(f"{row[f'{name} differs']:.0e}" for name in METRICS)
        print(
            f"| {row['what']} | {row['ms']:.1f} | {row['ratio']:.2f}× | {row['processor ms']:.1f} "
            f"| {row['free ratio']:.2f}× | {differences} |"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    require_equal(list(sides)[1], records)


def require_equal(name: str, records: dict[str, Record]) -> None:
    """End with a message where a side's values are not those of the packages, the first side."""
    first, own = (np.array(side.scores) for side in (next(iter(records.values())), records[name]))
    worst = dict(zip(METRICS, np.abs(first - own).max(axis=0).tolist(), strict=True))
    if any(not worst[metric] <= TOLERANCE[metric] for metric in METRICS):
        raise SystemExit(f"values of {name} differ from those of the packages: {worst}")


def compare(name: str, records: dict[str, Record], jobs: int) -> dict[str, Any]:
    """One row of the table: a side against the first (the packages) and the second (the engine)."""
    packages, own, *_ = records.values()
    side = records[name]
    ratio = statistics.median(a / b for a, b in zip(side.wall, own.wall, strict=True))
    processor = statistics.median(side.processor)
    free = processor * (1 if side is own else jobs) / statistics.median(own.processor)
    differences = np.abs(np.array(packages.scores) - np.array(side.scores)).max(axis=0)
    return {
        "what": name,
        "ms": 1000 * statistics.median(side.wall),
        "ratio": ratio,
        "processor ms": 1000 * processor,
        "free ratio": free,
        **{f"{metric} differs": float(d) for metric, d in zip(METRICS, differences, strict=True)},
    }


if __name__ == "__main__":
    main()
