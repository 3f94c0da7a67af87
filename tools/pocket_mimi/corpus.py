"""The training and test speech of the pocket codec: rendered here, from sentences written or generated here.

Most of the corpus is spoken by the demonstration clips' own voices, a third by others for breadth. Three groups never
meet: training sentences, held-out sentences, and `UNSEEN` voices, which speak held-out sentences only.

    python -m tools.pocket_mimi.corpus --out DIR [--utterances 1800]
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.clips.texts import ENGLISH_VOICES, MANDARIN_VOICES, SLT
from tools.clips.voices import Prosody, Voice, speak
from tools.pocket_mimi import sentences

Job = tuple[Voice, str, Prosody]
Pcm = NDArray[np.int16]

ACCENTS = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc", "en-029")
VARIANTS = (
    "Annie",
    *("m1", "m2", "m4", "m5", "m7", "f1", "f5", "Alex", "Andy"),
    *("belinda", "steph", "linda", "michael", "Denis", "boris", "zac"),
)
UNSEEN = (
    Voice("rms", "flite", "rms", "en", "male"),
    Voice("f4", "espeak-ng", "en-us+f4", "en", "female"),
    Voice("m6", "espeak-ng", "en-gb+m6", "en", "male"),
    Voice("zh-f4", "espeak-ng", "cmn+f4", "zh", "female"),
    Voice("zh-m6", "espeak-ng", "cmn+m6", "zh", "male"),
    Voice("zh-andrea", "espeak-ng", "cmn+Andrea", "zh", "female"),
)
SHIPPED_SHARE = 0.65
ENGLISH_SHARE = (
    0.6  # its flite voices are statistical, so noisier and harder to learn than espeak-ng's formants; slt most
)


def other_voices() -> tuple[Voice, ...]:
    """Training voices that no clip uses: flite's kal voices, and espeak-ng's variants in several accents."""
    english = [Voice(n, "flite", n, "en", "male") for n in ("kal", "kal16")]
    pairs = itertools.product((*ACCENTS, "cmn"), VARIANTS)
    espeak = [f"{accent}+{variant}" for accent, variant in pairs]
    return (*english, *(Voice(n, "espeak-ng", n, "zh" if n.startswith("cmn") else "en", "male") for n in espeak))


def training_jobs(count: int, seed: int = 7) -> list[Job]:
    """`count` (voice, sentence, prosody) triples; the prosody is drawn from a range that spans every style."""
    draw = random.Random(seed)
    shipped = {"en": (SLT, *ENGLISH_VOICES), "zh": MANDARIN_VOICES}
    others = {language: [v for v in other_voices() if v.language == language] for language in ("en", "zh")}
    english = round(count * ENGLISH_SHARE)
    texts = {"en": sentences.english(english, draw), "zh": sentences.mandarin(count - english, draw)}
    jobs: list[Job] = []
    for language, lines in texts.items():
        for text in lines:
            voice = draw.choice(shipped[language] if draw.random() < SHIPPED_SHARE else others[language])
            manner = Prosody(draw.uniform(0.7, 1.4), draw.uniform(0.75, 1.3), draw.choice((0.4, 1.0, 1.0, 1.6)))
            jobs.append((voice, text, manner))
    draw.shuffle(jobs)
    return jobs


def test_jobs() -> dict[str, list[Job]]:
    """Held-out sentences in shipped voices and in `UNSEEN` voices, four to six of each group."""
    sets: dict[str, list[Job]] = {}
    for language, lines in (("en", sentences.HELD_OUT_ENGLISH), ("zh", sentences.HELD_OUT_MANDARIN)):
        shipped = ENGLISH_VOICES if language == "en" else MANDARIN_VOICES
        unseen = [voice for voice in UNSEEN if voice.language == language]
        sets[f"{language} shipped"] = [(v, t, Prosody()) for v, t in zip(itertools.cycle(shipped), lines, strict=False)]
        sets[f"{language} unseen"] = [(v, t, Prosody()) for v, t in zip(itertools.cycle(unseen), lines, strict=False)]
    return sets


test_jobs.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name says to pytest


def render(jobs: Iterable[Job], workers: int = 2) -> list[Pcm]:
    """Speak every job; 16-bit sound at 24 kHz, in the order of the jobs."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda job: np.asarray(speak(*job) * 32767, dtype=np.int16), jobs))


def write(out: Path, utterances: int) -> None:
    """Render the training set into `out/train.npz` (`audio`: all samples in a row, `lengths`: samples of each
    utterance) and the test set into `out/test.npz` (one array per clip, named `group/index`)."""
    out.mkdir(parents=True, exist_ok=True)
    spoken = render(training_jobs(utterances))
    np.savez(out / "train.npz", audio=np.concatenate(spoken), lengths=np.array([len(s) for s in spoken]))
    groups = {group: render(jobs) for group, jobs in test_jobs().items()}
    tests = {f"{group}/{index}": clip for group, clips in groups.items() for index, clip in enumerate(clips)}
    np.savez(out / "test.npz", **tests)  # type: ignore[arg-type]  # numpy's stub mistakes the names for its own options
    print(f"{len(spoken)} training utterances, {sum(map(len, spoken)) / 24_000 / 60:.1f} min; {len(tests)} test clips")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--utterances", type=int, default=1800)
    arguments = parser.parse_args()
    write(arguments.out, arguments.utterances)
