"""The whole evidence of Q6 and Q7: this project's way beside a notebook's loop, and a second run from the store.

    python benchmarks/reconstruction.py --rounds 3

Both sides start from the same files and checkpoint and end with the same numbers: seven measures of every clip at every
number of codebooks, and of the windows of each clip. The loop does as a notebook does: load the model, then one clip
and one number of codebooks at a time, encode and decode in two calls, then one measure after the other through `pesq`
and `pystoi`. The sides take turns, so that both meet the same load of the machine; imports and the start of the
measuring processes are done before. The checkpoint is Mimi's own architecture with random weights unless one is named.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.clip import load, resample
from audio.metrics import METRICS
from evaluators.codecs import loaded_codec
from evaluators.evidence import Site
from evaluators.gathering import gather
from evaluators.reconstruction import Reconstruction
from evaluators.reconstruction.parameters import Request
from evaluators.reconstruction.scores import RATE, cut_points
from evaluators.store import Store
from tests.checkpoints import random_checkpoint

CLIPS = Path(__file__).resolve().parent.parent / "audio" / "clips"
FILES = {"english": "English_speech", "chinese": "Chinese_speech", "laughter": "laughter", "music": "music"}
CODEBOOKS, SWEEP = 8, (1, 2, 4, 8, 16, 32)
TOLERANCE = 0.02
"""PESQ; the loop encodes in float32 by other sums, so that a code may differ now and then."""
Samples = NDArray[np.float32]


def own(checkpoint: Path, store: Path, files: dict[str, str]) -> dict[tuple[str, int], float]:
    """Both requests through the evaluator; value of wide-band PESQ by role and codebooks.

    Weights and codec are forgotten first: as in a new process, the digest is taken and the model loaded again.
    """
    (checkpoint / "model.safetensors").touch()
    loaded_codec.cache_clear()
    values = {}
    for roles in (("english", "chinese"), ("laughter", "music")):
        keys = {"clips": {role: files[role] for role in roles}, "codebooks": CODEBOOKS, "sweep": SWEEP}
        request = Request.model_validate_json(json.dumps(keys))
        site = Site(audio=CLIPS, codec=str(checkpoint), cache=store)
        evidence = gather(Reconstruction(), request, site, Store(store)).evidence
        for measurement in evidence.measurements:
            metric, _, rest = measurement.name.partition(".")
            role, _, count = rest.partition(".q")
            if metric == "pesq_wb" and count:
                values[role, int(count)] = float(measurement.value or "nan")
    return values


def notebook(checkpoint: Path, files: dict[str, str]) -> dict[tuple[str, int], float]:
    """The same numbers, one thing after the other."""
    import torch
    from transformers import MimiModel

    loaded: Any = MimiModel.from_pretrained(checkpoint)
    model = loaded.eval()
    values = {}
    for role, file in files.items():
        for count in SWEEP:
            sound = load(CLIPS / file, 24_000).samples
            with torch.no_grad():
                codes = model.encode(torch.from_numpy(sound)[None, None], num_quantizers=count).audio_codes
                decoded = model.decode(codes).audio_values[0, 0].numpy()[: len(sound)]
            reference, estimate = (resample(signal, 24_000, RATE) for signal in (sound, decoded.clip(-1, 1)))
            measured = measures(reference, estimate)
            if count == CODEBOOKS:
                for start, end in cut_points(reference):
                    measures(reference[start:end], estimate[start:end])
            values[role, count] = measured["pesq_wb"]
    return values


def measures(reference: Samples, estimate: Samples) -> dict[str, float]:
    """Seven measures, each by itself; NaN where there is none."""
    return dict(_measures(reference, estimate))


def _measures(reference: Samples, estimate: Samples) -> Iterator[tuple[str, float]]:
    from pesq import PesqError, pesq
    from pystoi import stoi

    for mode in ("wb", "nb"):
        yield f"pesq_{mode}", float(pesq(RATE, reference, estimate, mode, on_error=PesqError.RETURN_VALUES))
    yield "stoi", float(stoi(reference, estimate, RATE))
    yield "estoi", float(stoi(reference, estimate, RATE, extended=True))
    for name in ("si_sdr", "log_mel_distance", "mrstft_distance"):
        yield name, METRICS[name](reference, estimate, sample_rate=RATE)


def rounds(checkpoint: Path, folder: Path, count: int) -> Iterator[tuple[float, float, float]]:
    """Seconds of our first run, of our second from the store, and of the loop, in turns; the values have to agree."""
    files = {role: f"{name}.flac" for role, name in FILES.items()}
    own(checkpoint, folder / "warm-up", files)
    for turn in range(count):
        store = folder / f"store{turn}"
        clock = [time.perf_counter()]
        ours = own(checkpoint, store, files)
        clock.append(time.perf_counter())
        again = own(checkpoint, store, files)
        clock.append(time.perf_counter())
        loop = notebook(checkpoint, files)
        clock.append(time.perf_counter())
        gap = max(abs(ours[key] - loop[key]) for key in loop)
        if again != ours or not gap < TOLERANCE:
            raise SystemExit(f"PESQ differs by {gap:.4f} from the loop's, or from the store's")
        first, second, notebooks = np.diff(clock)
        yield first, second, notebooks


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkpoint", type=Path, help="a Mimi checkpoint; random weights otherwise")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = arguments.checkpoint or random_checkpoint(Path(folder) / "mimi", small=False)
        rows = []
        for row in rounds(checkpoint, Path(folder), arguments.rounds):
            rows.append(row)
            print("first {:6.1f} s  second {:6.3f} s  loop {:6.1f} s".format(*row), flush=True)
    first, second, notebooks = np.median(rows, axis=0)
    print(f"loop / first = {notebooks / first:.2f}    first / second = {first / second:.0f}    (medians of the rounds)")


if __name__ == "__main__":
    main()
