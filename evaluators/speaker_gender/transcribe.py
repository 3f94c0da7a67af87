"""Transcripts by a real recogniser: Whisper where its weights are on this machine, else PocketSphinx.

PocketSphinx (Huggins-Daines et al., ICASSP 2006) ships its US English acoustic and language model in its package, so it
works with no download at all; it mishears far more than Whisper does (docs/decisions/0005-offline-asr.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from audio.quiet import quiet_transformers
from basics.errors import Unavailable
from basics.messages import say
from basics.workers import available_processors, by_workers
from evaluators.evidence import Site, digest
from evaluators.speaker_gender.voices import Utterance
from evaluators.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float32]

SAMPLE_RATE = 16_000
POCKETSPHINX = "pocketsphinx"
WHISPER = (
    "openai/whisper-large-v3",
    "openai/whisper-large-v3-turbo",
    "openai/whisper-medium",
    "openai/whisper-small",
    "openai/whisper-base",
    "openai/whisper-tiny",
)
"""Checkpoints that `auto` looks for in the local hub cache, the homework's own first."""
CLIPS_PER_WORKER = 6  # fewer are heard sooner without starting another process
WINDOW_SECONDS = 30  # Whisper's input window; longer sound is decoded window by window


class Recogniser(Protocol):
    """Mono sound (n,) at 16 kHz in [-1, 1] -> what was said. `id` names the recogniser and its version."""

    id: str

    def __call__(self, samples: Sound) -> str: ...


class PocketSphinx:
    """The recogniser that needs no download; US English only."""

    def __init__(self) -> None:
        self.id = sphinx_identity()

    def __call__(self, samples: Sound) -> str:
        import numpy as np

        decoder = _decoder()
        decoder.reinit_feat()  # forgets the cepstral mean adapted to earlier clips: no clip depends on the others
        decoder.start_utt()
        decoder.process_raw((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""


@cache
def _decoder() -> Any:
    """This process' decoder: its models take as long to load as a clip of two seconds to decode."""
    from pocketsphinx import Decoder  # type: ignore[import-untyped]

    return Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")


class Whisper:
    """A Whisper checkpoint through transformers, greedy unless `beams` says otherwise."""

    def __init__(self, checkpoint: str, *, device: str = "cpu", beams: int = 1, local_only: bool = True) -> None:
        import transformers

        library: Any = transformers

        self.id = checkpoint
        self._device, self._beams = device, beams
        kind = library.AutoConfig.from_pretrained(checkpoint, local_files_only=local_only).model_type
        if kind != "whisper":
            raise Unavailable(
                say("{checkpoint} is a {model_type}, expected a Whisper", checkpoint=checkpoint, model_type=kind),
                say("name one, such as {example}", example=WHISPER[0]),
            )
        with quiet_transformers():
            self._processor = library.AutoProcessor.from_pretrained(checkpoint, local_files_only=local_only)
            model = library.WhisperForConditionalGeneration.from_pretrained(checkpoint, local_files_only=local_only)
        self._model: Any = model.to(device).eval()

    def __call__(self, samples: Sound) -> str:
        import torch

        long = len(samples) > WINDOW_SECONDS * SAMPLE_RATE
        features = self._processor(
            samples,
            sampling_rate=SAMPLE_RATE,
            return_tensors="pt",
            return_attention_mask=True,
            **({"truncation": False, "padding": "longest"} if long else {}),
        ).to(self._device)
        multilingual = getattr(self._model.generation_config, "is_multilingual", False)
        options: dict[str, Any] = {"language": "en", "task": "transcribe"} if multilingual else {}
        with torch.inference_mode(), quiet_transformers():
            tokens = self._model.generate(
                **features, num_beams=self._beams, do_sample=False, return_timestamps=long, **options
            )
        return str(self._processor.batch_decode(tokens, skip_special_tokens=True)[0]).strip()


def choose_recogniser(wanted: str) -> str:
    """`auto`, `pocketsphinx`, or a Whisper checkpoint (hub id or folder) -> the recogniser to use.

    `auto` takes the best Whisper in the local hub cache, else PocketSphinx; nothing is downloaded. Raises Unavailable
    for a checkpoint that is not here.
    """
    if wanted == POCKETSPHINX:
        return POCKETSPHINX
    if wanted == "auto":
        return next(filter(_is_here, WHISPER), POCKETSPHINX)
    if not _is_here(wanted):
        remedy = say(
            "`hf download {checkpoint}`, or recogniser: {recogniser}", checkpoint=wanted, recogniser=POCKETSPHINX
        )
        raise Unavailable(say("the weights of {checkpoint} are not on this machine", checkpoint=wanted), remedy)
    return wanted


def _is_here(checkpoint: str) -> bool:
    return Path(checkpoint).is_dir() or weights_of(checkpoint).is_file()


def weights_of(checkpoint: str) -> Path:
    """The file of a checkpoint's weights, in its folder or in the local hub cache; it may not be there."""
    from huggingface_hub import try_to_load_from_cache

    if Path(checkpoint).is_dir():
        return Path(checkpoint, "model.safetensors")
    return Path(try_to_load_from_cache(checkpoint, "model.safetensors") or checkpoint)


def transcripts(voices: Sequence[Utterance], recogniser: str, site: Site) -> list[str]:
    """What the recogniser heard in each clip (n,), kept in the site's cache by clip and recogniser.

    Raises Unavailable where the recogniser or its weights are not here, InputError for a clip that cannot be read.
    """
    heard = []
    for number, text in enumerate(_heard(voices, recogniser, site)):
        site.progress(f"transcribing {voices[number].path.name}", (number + 1) / len(voices))
        heard.append(text)
    return heard


def _heard(voices: Sequence[Utterance], recogniser: str, site: Site) -> Iterable[str]:
    """PocketSphinx in several processes where that pays; Whisper, which uses all cores by itself, clip by clip."""
    if recogniser != POCKETSPHINX:
        make = cache(lambda: Whisper(recogniser, device=device(site)))
        identity = f"{recogniser} {version('transformers')}"
        return (_remembered(voice, identity, make, site.cache) for voice in voices)
    workers = min(site.jobs or available_processors(), len(voices) // CLIPS_PER_WORKER) or 1
    work = [partial(_remembered, voice, sphinx_identity(), PocketSphinx, site.cache) for voice in voices]
    return by_workers(work, workers) if workers > 1 else (hear() for hear in work)


def sphinx_identity() -> str:
    """PocketSphinx with its version and model."""
    return f"{POCKETSPHINX} {version('pocketsphinx')} en-us"


def _remembered(utterance: Utterance, identity: str, make: Callable[[], Recogniser], folder: Path | None) -> str:
    def hear() -> str:
        return make()(utterance.sound(SAMPLE_RATE))

    if folder is None:
        return hear()
    key = digest({"kind": "transcript", "recogniser": identity, "clip": utterance.digest})

    def produce(path: Path) -> None:
        path.write_text(json.dumps({"transcript": hear(), "recogniser": identity}), encoding="utf-8")

    path = Store(folder).blob(key, ".json", produce)
    return str(json.loads(path.read_text(encoding="utf-8"))["transcript"])


def device(site: Site) -> str:
    """The site's device as torch names it. Raises InputError for one that is unknown or not on this machine."""
    from audio.codec.loading import device_named

    return str(device_named(site.device))
