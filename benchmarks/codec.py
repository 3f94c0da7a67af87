"""Encoding and decoding many clips: this project's codec beside the bare `MimiModel`, in each of several batch sizes.

    python benchmarks/codec.py --clips 16 --rounds 3 --batches 1 2 4 8 --json results.json
    python benchmarks/codec.py --clips 24 --by-length 15 30 60 120     # batches of similar length, padded, beside none
    python benchmarks/codec.py --hour      # peak memory of an hour of sound

All sides get the same clips of one length (which suits the bare model best: nothing is padded) and take turns.
Processor time tells what a side needs whatever else runs. Weights are random, of Mimi's architecture, unless --codec
names some.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import MimiConfig, MimiModel

from audio.codec import Codec, load_codec

SECONDS = 5
CODEBOOKS = 8
LENGTHS = 3.0, 40.0
"""s of the shortest and the longest clip that go by length."""
ALONE = "each clip alone"

Sound = NDArray[np.float32]
Side = Callable[[Sequence[Sound]], list[Sound]]


def random_weights(folder: str) -> str:
    """A MimiModel of the published architecture with random weights and codebooks."""
    torch.manual_seed(0)
    model = MimiModel(MimiConfig())
    for name, tensor in model.named_buffers():
        if name.endswith("embed_sum"):
            tensor.normal_()
    model.save_pretrained(folder)
    return folder


def bare_model(model: Any, batch: int) -> Side:
    """`encode` and `decode` as in the documentation of transformers, `batch` clips of one length at a time."""

    @torch.inference_mode()
    def run(sounds: Sequence[Sound]) -> list[Sound]:
        out: list[Sound] = []
        for start in range(0, len(sounds), batch):
            stacked = torch.from_numpy(np.stack(sounds[start : start + batch]))[:, None].to(model.device)
            codes = model.encode(stacked, num_quantizers=CODEBOOKS).audio_codes
            out += list(model.decode(codes).audio_values[:, 0].cpu().numpy())
        return out

    return run


@dataclass
class Record:
    """Wall and processor seconds for a second of sound, of every round."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def race(sides: dict[str, Side], sounds: Sequence[Sound], rounds: int, seconds: float) -> dict[str, Record]:
    """What each side needs for a second of sound, of which there are `seconds`; sides take turns within a round."""
    records = {name: Record() for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            processor, start = time.process_time(), time.perf_counter()
            side(sounds)
            records[name].wall.append((time.perf_counter() - start) / seconds)
            records[name].processor.append((time.process_time() - processor) / seconds)
    return records


def noise(codec: Codec, lengths: Iterable[float]) -> list[Sound]:
    """Clips of these lengths in s, in whole frames."""
    rng = np.random.default_rng(0)
    frames = [round(seconds * codec.frame_rate) for seconds in lengths]
    return [rng.standard_normal(n * codec.frame_size, np.float32) * 0.05 for n in frames]


def batched(codec: Codec, seconds: float) -> Side:
    """The codec with clips of similar length in one batch, at most so many seconds with their padding; 0: one alone."""

    def run(sounds: Sequence[Sound]) -> list[Sound]:
        codec.batch_frames = round(seconds * codec.frame_rate)  # type: ignore[attr-defined]
        return codec.reconstruct(sounds, CODEBOOKS)

    return run


def by_length(codec: Codec, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each size of batches: medians, and the wall time over that of one clip alone in each thread."""
    lengths = np.random.default_rng(0).permutation(np.geomspace(*LENGTHS, arguments.clips))
    sounds = noise(codec, lengths)
    sides = {f"batches of {size:g} s" if size else ALONE: batched(codec, size) for size in (0, *arguments.by_length)}
    for side in sides.values():
        side(sounds[:2])
    total = sum(map(len, sounds)) / codec.sample_rate
    return rows_of(race(sides, sounds, arguments.rounds, total), ALONE)


def compare(codec: Codec, model: Any, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each side: medians, and the wall time over that of the codec."""
    sounds = noise(codec, [arguments.seconds] * arguments.clips)
    sides: dict[str, Side] = {f"MimiModel, batch {batch}": bare_model(model, batch) for batch in arguments.batches}
    sides["load_codec, a list"] = lambda sounds: codec.reconstruct(sounds, CODEBOOKS)
    for side in sides.values():
        side(sounds[:2])
    return rows_of(race(sides, sounds, arguments.rounds, len(sounds) * arguments.seconds), "load_codec, a list")


def rows_of(records: dict[str, Record], own: str) -> list[dict[str, Any]]:
    """Medians over the rounds."""
    first = statistics.median(records[own].wall)
    return [
        {
            "what": name,
            "ms per second of sound": 1000 * statistics.median(record.wall),
            "processor ms": 1000 * statistics.median(record.processor),
            f"over {own}": statistics.median(record.wall) / first,
        }
        for name, record in records.items()
    ]


class MemoryWatch(threading.Thread):
    """Peak resident and peak anonymous (not backed by a file, so not reclaimable) memory in GB, from /proc."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = {"VmRSS": 0.0, "RssAnon": 0.0}

    def run(self) -> None:
        while True:
            for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition(":")
                if name in self.peak:
                    self.peak[name] = max(self.peak[name], int(value.split()[0]) / 1e6)
            time.sleep(0.02)


def hour(codec: Codec, minutes: float) -> None:
    """Print peak memory of encoding and decoding one long sound, that sound included."""
    sound = np.random.default_rng(0).standard_normal(round(minutes * 60 * codec.sample_rate), np.float32)
    sound *= 0.05
    watch = MemoryWatch()
    watch.start()
    codes = codec.encode([sound], CODEBOOKS)
    print(f"{minutes:g} min encoded: {watch.peak['VmRSS']:.2f} GB resident, {watch.peak['RssAnon']:.2f} GB anonymous")
    codec.decode(codes)
    print(f"and decoded: {watch.peak['VmRSS']:.2f} GB resident, {watch.peak['RssAnon']:.2f} GB anonymous")


def main() -> None:
    """Print the table; write it as JSON on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each clip is")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--by-length", type=float, nargs="+", metavar="S", help="batches of so many seconds instead")
    parser.add_argument("--codec", help="folder or hub id; random weights of Mimi's architecture by default")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--hour", type=float, nargs="?", const=60.0, metavar="MINUTES", help="measure memory instead")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = arguments.codec or random_weights(folder)
        codec = load_codec(source, device=arguments.device)
        if arguments.hour:
            return hour(codec, arguments.hour)
        if arguments.by_length:
            rows = by_length(codec, arguments)
        else:
            model: Any = MimiModel.from_pretrained(source)
            rows = compare(codec, model.eval().to("cpu" if codec.provenance["device"] == "cpu" else "cuda"), arguments)
    lengths = "{:g} to {:g}".format(*LENGTHS) if arguments.by_length else f"{arguments.seconds:g}"
    print(f"{arguments.clips} clips of {lengths} s, {torch.get_num_threads()} threads\n")
    print(f"| {' | '.join(rows[0])} |\n|---|---|---|---|")
    for row in rows:
        print("| {} | {:.0f} | {:.0f} | {:.2f}× |".format(*row.values()))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
