"""What the sound of a clip says about its speaker, as small vectors: pitch, spectral envelope, codebook vectors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from basics.errors import Undefined
from evaluators.evidence import Site, digest
from evaluators.speaker_gender.voices import Utterance
from evaluators.store import Store

SAMPLE_RATE = 16_000
F0_RANGE = (60.0, 500.0)  # Hz, from a low male to a high female voice, laughter and singing left out
FRAME = 1024  # samples; two periods of the lowest F0 fit in
HOP = 512
ENVELOPE = 13  # mel-frequency cepstral coefficients, the usual number for speech; the first, the level, is left out


def acoustic_features(voices: Sequence[Utterance], site: Site) -> list[list[float] | None]:
    """[median log2 F0, spread of log2 F0, mean of MFCCs 1 to 12] of each clip; None where no frame is voiced.

    F0 in octaves re 1 Hz by probabilistic YIN (Mauch and Dixon, ICASSP 2014; `librosa.pyin`), over voiced frames; the
    spread is the interquartile range. Kept in the site's cache.
    """
    found = []
    for number, utterance in enumerate(voices):
        site.progress(f"pitch of {utterance.path.name}", number / len(voices))
        found.append(_remembered(utterance, site))
    return found


def _remembered(utterance: Utterance, site: Site) -> list[float] | None:
    if site.cache is None:
        return _features(utterance)
    recipe = {"rate": SAMPLE_RATE, "f0": F0_RANGE, "frame": FRAME, "hop": HOP, "mfcc": [1, ENVELOPE]}
    key = digest({"kind": "acoustic", "recipe": recipe, "librosa": version("librosa"), "clip": utterance.digest})
    path = Store(site.cache).blob(key, ".json", lambda made: _write(made, _features(utterance)))
    vector: list[float] | None = json.loads(path.read_text())
    return vector


def _write(path: Path, vector: list[float] | None) -> None:
    path.write_text(json.dumps(vector))


def _features(utterance: Utterance) -> list[float] | None:
    import librosa
    import numpy as np

    from audio.clip import load

    samples = load(utterance.path, SAMPLE_RATE).samples
    f0, voiced, _ = librosa.pyin(
        samples, fmin=F0_RANGE[0], fmax=F0_RANGE[1], sr=SAMPLE_RATE, frame_length=FRAME, hop_length=HOP
    )
    octaves = np.log2(f0[voiced])
    if not len(octaves):
        return None
    envelope = librosa.feature.mfcc(y=samples, sr=SAMPLE_RATE, n_mfcc=ENVELOPE)[1:].mean(axis=1)
    low, middle, high = np.quantile(octaves, (0.25, 0.5, 0.75))
    return [float(middle), float(high - low), *map(float, envelope)]


def voiced_only(vectors: Sequence[list[float] | None]) -> list[int]:
    """Indices of the clips with pitch. Raises Undefined when there is none."""
    kept = [i for i, vector in enumerate(vectors) if vector is not None]
    if not kept:
        raise Undefined("no clip has a voiced frame")
    return kept
