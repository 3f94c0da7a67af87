"""Hours of sound through `earwitness compare`: time and peak memory as the folder grows, what a cluster changes, and
what that makes of 100 and of 1,000 hours.

    python benchmarks/comparison.py --generate 2 --parts 0.125 0.25 0.5 1 --at jobs:1 jobs:2 local:4
    python benchmarks/comparison.py --folder CLIPS --at jobs:2 tcp://HOST:PORT

`--generate HOURS` speaks random words with espeak-ng and flite, in clips of 3 to 40 s. Each part is clips from all over
the folder, measured in a process of its own with an empty store. Memory is the largest sum of the resident sizes of
that process and all below it, looked at ten times a second, and the largest of that process alone; time is of the wall.
The model is a straight line through the parts of one place, with the 95 % interval of what it says of longer runs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

CODECS = ("pocket@nq=8", "opus@16")
METRICS = ("pesq_wb", "stoi", "log_mel_distance")
WORDS = """the of and to in speech model token codec sound voice language system music laughter measure value layer
answer student course river mountain window garden yellow quickly seven twelve morning evening paper letter question
people water bridge north silver little common number travel simple open never always begin follow carry listen between
under while because machine learning network frame signal noise quiet loud gentle story teacher market station"""
ESPEAK = ("en-us", "en-gb", "en-gb-scotland", "cmn", "de", "fr", "es", "it", "ja", "pt")
VARIANTS = ("", "+f2", "+m3", "+f4", "+m7")
FLITE = ("kal", "awb", "rms", "slt", "kal16")
LENGTHS = 3.0, 40.0  # s
FAR = 100, 1000  # hours that the model is asked about


def speak(folder: Path, hours: float) -> None:
    """Clips into folder until they last so long together; the same every time."""
    drawn, words, number, total = random.Random(1), WORDS.split(), 0, 0.0
    while total < hours * 3600:
        text = " ".join(drawn.choice(words) for _ in range(drawn.randint(8, 75)))
        clip = folder / f"{number:05d}.wav"
        if number % 3 == 2:
            command = ["flite", "-voice", drawn.choice(FLITE), "-t", text, "-o", str(clip)]
        else:
            voice = drawn.choice(ESPEAK) + drawn.choice(VARIANTS)
            how = ["-p", str(drawn.randint(20, 80)), "-s", str(drawn.randint(120, 190))]
            command = ["espeak-ng", "-v", voice, *how, "-w", str(clip), text]
        subprocess.run(command, check=True, capture_output=True)
        seconds = soundfile.info(clip).duration
        if LENGTHS[0] <= seconds <= LENGTHS[1]:
            number, total = number + 1, total + seconds
        else:
            clip.unlink()


def resident(process: int) -> tuple[float, float]:
    """MB of a process and all below it, and of itself alone."""
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
    return total / 1e6, sizes.get(process, 0) / 1e6


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
    began, most, mine = time.monotonic(), 0.0, 0.0
    with (scratch / "log").open("w") as log:
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        while running.poll() is None:
            together, alone = resident(running.pid)
            most, mine = max(most, together), max(mine, alone)
            time.sleep(0.1)
    if running.returncode:
        sys.exit((scratch / "log").read_text())
    took = time.monotonic() - began
    seconds = sum(soundfile.info(clip).duration for clip in clips)
    return {"clips": len(clips), "sound_s": seconds, "wall_s": took, "peak_mb": most, "peak_of_main_mb": mine}


def model(runs: list[dict[str, float]]) -> dict[str, object]:
    """The line wall = start + slope x sound through the runs, and what it says of `FAR` hours."""
    from scipy.stats import linregress, t

    sound, wall = (np.array([run[name] for run in runs]) for name in ("sound_s", "wall_s"))
    line = linregress(sound, wall)
    reach = float(t.ppf(0.975, len(runs) - 2)) if len(runs) > 2 else float("nan")
    residuals = wall - (line.intercept + line.slope * sound)
    told: dict[str, object] = {
        "start_s": round(line.intercept, 1),
        "sound_s_per_s": round(1 / line.slope, 2),
        "largest_residual_s": round(float(np.abs(residuals).max()), 1),
    }
    for hours in FAR:
        far, off = hours * 3600 * line.slope + line.intercept, reach * line.stderr * hours * 3600
        told[f"{hours}_h_takes_h"] = [round(value / 3600, 2) for value in (far, far - off, far + off)]
    return told


def main() -> None:
    """Print a line of JSON for each part, and one for the model of each place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--folder", type=Path, help="your own clips")
    source.add_argument("--generate", type=float, metavar="HOURS", help="speak them")
    parser.add_argument("--parts", type=float, nargs="+", default=[0.25, 0.5, 1.0])
    parser.add_argument("--at", nargs="+", default=["jobs:2"], metavar="PLACE", help="jobs:N, local:N, tcp://HOST:PORT")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="earwitness-") as spoken:
        if asked.generate:
            speak(Path(spoken), asked.generate)
        folder = asked.folder or Path(spoken)
        clips = sorted(path for path in folder.iterdir() if path.suffix in (".wav", ".flac"))
        random.Random(2).shuffle(clips)
        for place in asked.at:
            here = place.partition(":")
            options = ["--jobs", here[2]] if here[0] == "jobs" else ["--cluster", place]
            runs = []
            for part in asked.parts:
                scratch = Path(tempfile.mkdtemp(prefix="earwitness-"))
                try:
                    runs.append(measure(clips[: max(1, round(part * len(clips)))], options, scratch))
                    print(json.dumps({"place": place, **runs[-1]}), flush=True)
                finally:
                    shutil.rmtree(scratch)
            if len(runs) > 1:
                print(json.dumps({"place": place, "model": model(runs)}), flush=True)


if __name__ == "__main__":
    main()
