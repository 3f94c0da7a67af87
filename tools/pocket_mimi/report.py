"""The figures of a finished checkpoint, as the model card shows them.

    python -m tools.pocket_mimi.report --checkpoint audio/pocket_mimi --data DIR [--codebooks 1 2 4 8 16 32]

Groups: held-out sentences in shipped and unseen voices (from `corpus.write`), and the demonstration clips by role.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import soundfile
import torch
from transformers import MimiModel

from tools.clips.render import CLIPS, read_manifest
from tools.pocket_mimi.decoder import LADDER, codec
from tools.pocket_mimi.evaluate import Clip, Score, evaluate, load_tests
from tools.pocket_mimi.network import PocketMimi

ROLES = ("english", "chinese", "laughter", "music")


def load_clips() -> dict[str, list[Clip]]:
    """The demonstration clips of each role."""
    groups: dict[str, list[Clip]] = {f"clips: {role}": [] for role in ROLES}
    for row in read_manifest():
        if row.role in ROLES:
            samples, _ = soundfile.read(CLIPS / row.file, dtype="float32")
            groups[f"clips: {row.role}"].append(samples)
    return groups


def table(figures: dict[int, dict[str, Score]]) -> str:
    """A Markdown table: one line a group, one column a number of codebooks, cells `STOI / PESQ-wb / mel dB`."""
    head = "| group | " + " | ".join(f"{count} codebooks" for count in figures) + " |"
    lines = [head, "|---" * (len(figures) + 1) + "|"]
    for group in next(iter(figures.values())):
        cells = [f"{s.stoi:.3f} / {s.pesq:.2f} / {s.mel:.2f}" for s in (means[group] for means in figures.values())]
        lines.append(f"| {group} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure a finished pocket codec.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--codebooks", type=int, nargs="+", default=LADDER)
    options = parser.parse_args()
    model: PocketMimi = MimiModel.from_pretrained(options.checkpoint, dtype=torch.float32)
    model.eval()
    tests = load_tests(options.data / "test.npz") | load_clips()
    print(table({count: evaluate(codec(model, count), tests, f"{count} codebooks") for count in options.codebooks}))


if __name__ == "__main__":
    main()
