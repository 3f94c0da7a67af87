"""Encoding and decoding many clips: this project's codec beside the bare `MimiModel`, in each of several batch sizes.

    python benchmarks/codec.py --clips 16 --rounds 3 --batches 1 2 4 8 --json results.json
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
from collections.abc import Callable, Sequence
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


def race(sides: dict[str, Side], sounds: Sequence[Sound], rounds: int) -> dict[str, Record]:
    """What each side needs; sides take turns within a round."""
    records = {name: Record() for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            processor, start = time.process_time(), time.perf_counter()
            side(sounds)
            records[name].wall.append((time.perf_counter() - start) / (len(sounds) * SECONDS))
            records[name].processor.append((time.process_time() - processor) / (len(sounds) * SECONDS))
    return records


def noise(codec: Codec, clips: int) -> list[Sound]:
    """So many clips of one length, in whole frames."""
    rng = np.random.default_rng(0)
    samples = round(SECONDS * codec.frame_rate) * codec.frame_size
    return [rng.standard_normal(samples, np.float32) * 0.05 for _ in range(clips)]


def compare(codec: Codec, model: Any, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each side: medians, and the wall time over that of the codec."""
    sounds = noise(codec, arguments.clips)
    sides: dict[str, Side] = {f"MimiModel, batch {batch}": bare_model(model, batch) for batch in arguments.batches}
    sides["load_codec, a list"] = lambda sounds: codec.reconstruct(sounds, CODEBOOKS)
    for side in sides.values():
        side(sounds[:2])
    records = race(sides, sounds, arguments.rounds)
    own = statistics.median(records["load_codec, a list"].wall)
    return [
        {
            "what": name,
            "ms per second of sound": 1000 * statistics.median(record.wall),
            "processor ms": 1000 * statistics.median(record.processor),
            "over load_codec": statistics.median(record.wall) / own,
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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8])
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
        model: Any = MimiModel.from_pretrained(source)
        rows = compare(codec, model.eval().to("cpu" if codec.provenance["device"] == "cpu" else "cuda"), arguments)
    print(f"{arguments.clips} clips of {SECONDS} s, {torch.get_num_threads()} threads\n")
    print("| what | ms per second of sound | processor ms | over load_codec |\n|---|---|---|---|")
    for row in rows:
        print("| {} | {:.0f} | {:.0f} | {:.2f}× |".format(*row.values()))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
