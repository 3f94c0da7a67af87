"""Hours of sound through `earwitness compare`: time and peak memory as the folder grows, and what a cluster changes.

    python benchmarks/comparison.py FOLDER --parts 0.25 0.5 1 --jobs 2 [--cluster local:2]

Each part is the first clips of FOLDER, measured in a process of its own with an empty store. Memory is the largest sum
of the resident sizes of that process and all below it, looked at ten times a second; time is of the wall.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import soundfile

CODECS = ("pocket@nq=8", "opus@16")
METRICS = ("pesq_wb", "stoi", "log_mel_distance")


def resident(process: int) -> float:
    """MB of a process and all below it."""
    below: dict[int, list[int]] = {}
    sizes: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            below.setdefault(int(fields[1]), []).append(int(entry.name))
            sizes[int(entry.name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    waiting, total = [process], 0
    while waiting:
        one = waiting.pop()
        total += sizes.get(one, 0)
        waiting += below.get(one, [])
    return total / 1e6


def measure(clips: list[Path], options: list[str], scratch: Path) -> dict[str, float]:
    """One run over clips, in s of sound, s of the wall and MB."""
    folder = scratch / "clips"
    folder.mkdir()
    for clip in clips:
        (folder / clip.name).symlink_to(clip.resolve())
    command = [sys.executable, "-c", "from grader.cli import main; main()", "compare", *CODECS]
    command += ["--audio", str(folder), "--out", str(scratch / "out"), *options]
    command += [word for metric in METRICS for word in ("--metric", metric)]
    environment = {**os.environ, "EARWITNESS_CACHE": str(scratch / "store")}
    began, most = time.monotonic(), 0.0
    with (scratch / "log").open("w") as log:
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        while running.poll() is None:
            most = max(most, resident(running.pid))
            time.sleep(0.1)
    if running.returncode:
        sys.exit((scratch / "log").read_text())
    seconds = sum(soundfile.info(clip).duration for clip in clips)
    return {"clips": len(clips), "sound_s": seconds, "wall_s": time.monotonic() - began, "peak_mb": most}


def main() -> None:
    """Print a line of JSON for each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parts", type=float, nargs="+", default=[0.25, 0.5, 1.0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cluster", default="")
    asked = parser.parse_args()
    clips = sorted(path for path in asked.folder.iterdir() if path.suffix in (".wav", ".flac"))
    options = ["--cluster", asked.cluster] if asked.cluster else ["--jobs", str(asked.jobs)]
    for part in asked.parts:
        scratch = Path(tempfile.mkdtemp(prefix="earwitness-"))
        try:
            print(json.dumps(measure(clips[: max(1, round(part * len(clips)))], options, scratch)), flush=True)
        finally:
            shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
