"""Render the demonstration clips, or check that they still come out as shipped.

    python -m tools.clips.render --out DIR      write every clip and manifest.csv into DIR
    python -m tools.clips.render --check        render again and compare with audio/clips/manifest.csv

Needs flite, espeak-ng, fluidsynth and the FluidR3 soundfont (Debian: flite espeak-ng fluidsynth fluid-soundfont-gm).
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import io
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import audio
from basics.csv_source import Record, csv_text, read_records
from basics.errors import EarwitnessError, InputError, Problem
from basics.files import write_whole
from tools.clips.plan import Plan, all_clips
from tools.clips.voices import SAMPLE_RATE, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pcm = NDArray[np.int16]

CLIPS = Path(audio.__file__).parent / "clips"
MANIFEST = "manifest.csv"
SECONDS_TOLERANCE = 0.1  # share by which another version of a synthesizer may change a clip's length
LEVEL_TOLERANCE = 1.0  # dB


@dataclass(frozen=True)
class Row:
    """One line of the manifest. `sha256` is of the 16-bit little-endian samples, so that it outlives a FLAC encoder;
    `label` names a speaking style made with `settings` (pitch, rate, F0 span, word gap, level), not a felt emotion."""

    file: str
    role: str
    language: str
    speaker: str
    gender: str
    label: str
    text: str
    tool: str
    voice: str
    settings: str
    licence: str
    seconds: float
    level_dbfs: float
    sha256: str


COLUMNS = tuple(field.name for field in fields(Row))
NUMBERS = ("seconds", "level_dbfs")


@functools.cache
def version(tool: str) -> str:
    """A program's name and version, as the manifest shows it: `flite 2.2`."""
    if tool == "earwitness":
        return "earwitness laughter"
    shown = subprocess.run([require(tool), "--version"], capture_output=True, text=True, check=False)
    words = (shown.stdout + shown.stderr).replace("flite-", " ").replace("-current", " ").split()
    numbers = [word for word in words if word[0].isdigit() and "." in word]
    return f"{tool} {numbers[0].rstrip('.')}" if numbers else tool


def pcm(plan: Plan) -> Pcm:
    """Render one clip as 16-bit samples (samples,)."""
    import numpy as np

    return np.asarray(np.round(plan.make() * 32767), dtype="<i2")


def describe(plan: Plan, samples: Pcm) -> Row:
    """The manifest's line for a rendered clip."""
    import numpy as np

    rms = float(np.sqrt(np.mean(np.square(samples / 32768))))
    shown = {field.name: getattr(plan, field.name) for field in fields(Row) if hasattr(plan, field.name)}
    return Row(
        **(shown | {"tool": version(plan.tool)}),
        seconds=round(len(samples) / SAMPLE_RATE, 3),
        level_dbfs=round(20 * float(np.log10(max(rms, 1e-9))), 2),
        sha256=hashlib.sha256(samples.tobytes()).hexdigest(),
    )


def read_manifest(path: Path = CLIPS / MANIFEST) -> list[Row]:
    """Every row of a manifest. Raises InputError when the file is missing, lacks a column or a number."""
    if not path.is_file():
        raise InputError(
            Problem(str(path), "no manifest of clips here", "write one: python -m tools.clips.render --out DIR")
        )
    return [_row(record) for record in read_records(path, [(name,) for name in COLUMNS])]


def _row(record: Record) -> Row:
    texts = {name: record.text(name) for name in COLUMNS if name not in NUMBERS}
    try:
        numbers = {name: float(record.text(name)) for name in NUMBERS}
    except ValueError as error:
        what = f"{' or '.join(NUMBERS)} is no number ({error})"
        raise InputError(Problem(record.where, what, "render the clips again")) from None
    return Row(**texts, **numbers)  # type: ignore[arg-type]


def write(plan: Plan, out: Path) -> Row:
    """Render one clip into `out` as 16-bit FLAC; returns its manifest line."""
    import soundfile

    samples, encoded = pcm(plan), io.BytesIO()
    soundfile.write(encoded, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16", compression_level=1.0)
    write_whole(out / plan.file, encoded.getvalue())
    return describe(plan, samples)


def write_all(out: Path, plans: Iterable[Plan]) -> list[Row]:
    """Render every clip into `out`, then the manifest. Two at a time: the synthesizers are other processes."""
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(lambda plan: write(plan, out), plans))
    write_whole(out / MANIFEST, csv_text([COLUMNS, *map(astuple, rows)], line_end="\n").encode())
    return rows


def difference(shipped: Row, made: Row) -> str | None:
    """What differs between a shipped clip and the same clip made now; None if it is the same.

    Equal samples are asked of equal versions of the tool, equal length (10 %) and level (1 dB) of others.
    """
    if shipped.sha256 == made.sha256:
        return None
    if shipped.tool == made.tool:
        return f"other samples, though made by the same {made.tool}"
    if abs(made.seconds / shipped.seconds - 1) > SECONDS_TOLERANCE:
        return f"{made.seconds} s by {made.tool}, {shipped.seconds} s by {shipped.tool}"
    if abs(made.level_dbfs - shipped.level_dbfs) > LEVEL_TOLERANCE:
        return f"{made.level_dbfs} dBFS by {made.tool}, {shipped.level_dbfs} dBFS by {shipped.tool}"
    return None


def check(plans: Iterable[Plan], shipped: Iterable[Row]) -> list[Problem]:
    """Render every clip again and compare with the manifest; one problem for each clip that differs or is missing."""
    by_file = {row.file: row for row in shipped}
    problems = []
    for plan in plans:
        row = by_file.pop(plan.file, None)
        found = difference(row, describe(plan, pcm(plan))) if row else "is not in the manifest"
        if found:
            problems.append(Problem(plan.file, found, "render the clips again and review the change"))
    return problems + [Problem(file, "is in the manifest but no longer rendered") for file in by_file]


def main() -> int:
    """The command line; 0 if all went well, 1 if the clips differ, 2 if something is missing."""
    parser = argparse.ArgumentParser(
        description="Render the demonstration clips, or check them against their manifest."
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--out", type=Path, help="folder to write clips and manifest.csv into")
    wanted.add_argument("--check", action="store_true", help="render again and compare with audio/clips/manifest.csv")
    options = parser.parse_args()
    plans = all_clips()
    try:
        if options.check:
            problems = check(plans, read_manifest())
            print("\n".join(map(str, problems)) or f"all {len(plans)} clips come out as shipped")
            return 1 if problems else 0
        rows = write_all(options.out, plans)
    except EarwitnessError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(rows)} clips, {sum(row.seconds for row in rows):.0f} s, in {options.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
