"""Neural codecs of `transformers` other than Mimi, by the `model_type` of their config.json.

EnCodec (Défossez et al., arXiv:2210.13438), DAC (Kumar et al., arXiv:2306.06546), X-Codec (Ye et al.,
arXiv:2408.17175), WavTokenizer (Ji et al., arXiv:2408.16532); with torchaudio the tokenizer of Higgs Audio v2, and
X-Codec 2 (Ye et al., arXiv:2502.04128) and NeuCodec (Julian et al., arXiv:2509.09550), whose one codebook is a grid
(finite scalar quantization). The library's model runs as it is; a `Family` says where in it the facts and the codebooks
are. Sound goes through as a whole, since these networks look ahead: `LONGEST` bounds what that takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModel

from audio.codec.checkpoint import is_finite
from audio.codec.contract import Audio, Codec, Codes, Rate, SoundCodec, fitted
from audio.codec.weights import CONFIG, FETCH_AGAIN, TENSORS, Weights
from audio.quiet import quiet_transformers
from basics.errors import InputError, Problem, Unavailable, Undefined
from basics.listing import first_few
from basics.messages import say

LONGEST = 600.0
"""s of one signal: a network that is given all of it at once takes up to some 5 MB of memory for each second."""

Tensor = torch.Tensor


@dataclass(frozen=True)
class Facts:
    """What a configuration says: Hz, samples of a frame, codebooks, codes of each, channels of its sound."""

    sample_rate: int
    frame_size: int
    codebooks: int
    cardinality: int
    channels: int = 1
    scaled: bool = False  # whether chunks of sound are brought to one level, which is not in the codes
    kilobits: tuple[float, ...] = ()  # the bitrates it was trained for, where it says; else any number of codebooks


@dataclass(frozen=True)
class Family:
    """One architecture: `encode` sound (1, channels, n) to codes (codebooks, frames), `decode` the reverse.

    `vectors` (cardinality, dimensions) are a codebook's; `latent` (dimensions, frames) is what one codebook's codes
    (frames,) add to the quantised latent.
    """

    facts: Callable[[Any], Facts]
    encode: Callable[[Any, Tensor], Tensor]
    decode: Callable[[Any, Tensor], Tensor]
    vectors: Callable[[Any, int], Tensor]
    latent: Callable[[Any, int, Tensor], Tensor]
    needs: str = ""  # a package besides transformers


def _encodec_facts(config: Any) -> Facts:
    return Facts(
        config.sampling_rate,
        math.prod(config.upsampling_ratios),
        config.num_quantizers,
        config.codebook_size,
        config.audio_channels,
        bool(config.normalize or config.chunk_length_s),
        tuple(config.target_bandwidths),
    )


def _xcodec_facts(config: Any) -> Facts:
    return Facts(
        config.sample_rate,
        config.hop_length,
        _xcodec_codebooks(config),
        config.codebook_size,
        kilobits=tuple(config.target_bandwidths),
    )


def _grid(sample_rate: str) -> Family:
    """An architecture with one codebook that is a grid; `sample_rate` is the setting that its sound comes out at."""
    return Family(
        facts=lambda c: Facts(getattr(c, sample_rate), c.hop_length, 1, math.prod(c.quantization_levels)),
        encode=lambda model, sound: _grid_encode(model, sound),
        decode=lambda model, codes: model.decode(audio_codes=codes[None]).audio_values[0, 0],
        vectors=lambda model, _: model.quantizer.quantizer.codebook,
        latent=lambda model, _, codes: model.quantizer.from_codes(codes[None, :, None])[0].T,
        needs="torchaudio",
    )


XCODEC = Family(
    facts=_xcodec_facts,
    encode=lambda model, sound: model.encode(sound).audio_codes[0],
    decode=lambda model, codes: model.decode(codes[None]).audio_values[0, 0],
    vectors=lambda model, layer: model.quantizer.quantizers[layer].codebook.embed,
    latent=lambda model, layer, codes: model.quantizer.quantizers[layer].decode(codes[None])[0],
)
FAMILIES: Mapping[str, Family] = {
    "dac": Family(
        facts=lambda c: Facts(c.sampling_rate, math.prod(c.downsampling_ratios), c.n_codebooks, c.codebook_size),
        encode=lambda model, sound: model.encode(sound).audio_codes[0],
        decode=lambda model, codes: model.decode(audio_codes=codes[None]).audio_values[0],
        vectors=lambda model, layer: model.quantizer.quantizers[layer].codebook.weight,
        latent=lambda model, layer, codes: _dac_latent(model.quantizer.quantizers[layer], codes),
    ),
    "encodec": Family(
        facts=_encodec_facts,
        encode=lambda model, sound: _encodec_encode(model, sound).audio_codes[0, 0],
        decode=lambda model, codes: model.decode(codes[None, None], [None]).audio_values[0, 0],
        vectors=lambda model, layer: model.quantizer.layers[layer].codebook.embed,
        latent=lambda model, layer, codes: model.quantizer.layers[layer].decode(codes[None])[0],
    ),
    "xcodec": XCODEC,
    "higgs_audio_v2_tokenizer": replace(XCODEC, needs="torchaudio"),
    "wavtokenizer": Family(
        facts=lambda c: Facts(c.sampling_rate, math.prod(c.upsampling_ratios), 1, c.codebook_size),
        encode=lambda model, sound: model.encode(sound).audio_codes[0],
        decode=lambda model, codes: model.decode(codes[None]).audio_values.reshape(-1),
        vectors=lambda model, _: model.encoder_model.quantizer.codebook.embed,
        latent=lambda model, _, codes: model.encoder_model.quantizer.decode(codes[None])[0],
    ),
    "xcodec2": _grid("sampling_rate"),
    "neucodec": _grid("output_sampling_rate"),
}
"""By `model_type`; each needs a version of transformers that has it."""
KNOWN = ("mimi", *FAMILIES)
CONTINUOUS = ("pocket_tts_audio_tokenizer", "vibevoice_acoustic_tokenizer")
"""Of transformers, too, but with latents that are not quantised: there are no codes, and no bitrate."""


def _encodec_encode(model: Any, sound: Tensor) -> Any:
    """At all codebooks: those of a smaller bandwidth are the first of them."""
    return model.encode(sound, bandwidth=model.config.target_bandwidths[-1])


def _grid_encode(model: Any, sound: Tensor) -> Tensor:
    """Codes (1, frames) of sound (1, 1, n) in whole frames.

    The library's extractor adds a sample to fill the last frame, which is a zero in place of the last one; NeuCodec's
    loses half a frame at the end, and so hears one more of silence.
    """
    from audio.clip import resample

    config, hop = model.config, math.prod(model.config.downsampling_ratios)
    rate = getattr(config, "input_sampling_rate", None) or config.sampling_rate
    heard = resample(sound[0, 0].cpu().numpy(), getattr(config, "output_sampling_rate", rate), rate)
    heard = fitted(heard, len(heard) - 1 + (hop if config.model_type == "neucodec" else 0))
    extractor = getattr(transformers, type(model).__name__.replace("Model", "FeatureExtractor"))
    with quiet_transformers():
        given = extractor(sampling_rate=rate, hop_length=hop)(heard, sampling_rate=rate, return_tensors="pt")
    codes: Tensor = model.encode(**given.to(sound.device)).audio_codes[0].long()
    return codes


def _dac_latent(quantizer: Any, codes: Tensor) -> Tensor:
    latent: Tensor = quantizer.out_proj(quantizer.codebook(codes[None]).transpose(1, 2))[0]
    return latent


def _xcodec_codebooks(config: Any) -> int:
    """As the quantizer counts them."""
    return int(1000 * config.target_bandwidths[-1] // (config.frame_rate * math.ceil(math.log2(config.codebook_size))))


class NeuralCodec(Codec):
    """One checkpoint of one of `FAMILIES`, run signal by signal, in one thread so that rounding is the same."""

    def __init__(self, weights: Weights, device: torch.device) -> None:
        kind = str(weights.settings.get("model_type"))
        self._family, self._device = FAMILIES[kind], device
        self._model = _load(weights, kind).to(device).eval()
        facts = self._facts = self._family.facts(self._model.config)
        self.sample_rate, self.frame_size = int(facts.sample_rate), int(facts.frame_size)
        self.frame_rate = self.sample_rate / self.frame_size
        self.codebooks, self.cardinality = int(facts.codebooks), int(facts.cardinality)
        self.weights_digest, self.identity = weights.digest, weights.identity
        self.loading = weights.place, str(device)
        self.is_reference, self.name = False, weights.name
        self.provenance = {
            **weights.describe(),
            "architecture": kind,
            "backend": f"transformers {transformers.__version__}",
            "torch": str(torch.__version__),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        }

    def rates(self) -> tuple[Rate, ...]:
        if not self._facts.kilobits:
            return super().rates()
        counts = {max(1, int(1000 * k / self.bits_per_codebook + 1e-9)) for k in self._facts.kilobits}
        return tuple(Rate(n * self.bits_per_codebook, n) for n in sorted(counts) if n <= self.codebooks)

    def encode(self, audio: Sequence[Audio], codebooks: int | None = None) -> list[Codes]:
        codebooks = self._require_codebooks(codebooks)
        self._require_audio(audio)
        self._require_plain("encode")
        with self._running():
            return [self._codes(signal)[:codebooks].cpu().numpy() for signal in audio]

    def decode(self, codes: Sequence[Codes]) -> list[Audio]:
        self._require_codes(codes)
        self._require_plain("decode")
        with self._running():
            return [self._sound(torch.from_numpy(np.asarray(code, np.int64)).to(self._device)) for code in codes]

    def codebook_vectors(self, layer: int) -> NDArray[np.float32]:
        if not 0 <= layer < self.codebooks:
            raise InputError(
                Problem(
                    "layer",
                    say("layer {layer} of {codec}", layer=layer, codec=self.name),
                    say("choose 0 to {last}", last=self.codebooks - 1),
                )
            )
        with torch.inference_mode():
            return self._family.vectors(self._model, layer).float().cpu().numpy()

    def latents(self, code: Codes) -> NDArray[np.float32]:
        self._require_codes([code])
        with self._running():
            rows = torch.from_numpy(np.asarray(code, np.int64)).to(self._device)
            added = [self._family.latent(self._model, layer, row) for layer, row in enumerate(rows)]
            return torch.stack(added).float().cpu().numpy()

    def reconstruct(self, audio: Sequence[Audio], codebooks: int | None = None) -> list[Audio]:
        if not self._facts.scaled:
            return super().reconstruct(audio, codebooks)
        codebooks = self._require_codebooks(codebooks)
        self._require_audio(audio)
        with self._running():
            return [self._scaled(signal, codebooks) for signal in audio]

    def at_rates(self, signal: Audio, rates: Sequence[Rate]) -> list[Audio]:
        return (SoundCodec if self._facts.scaled else Codec).at_rates(self, signal, rates)

    def _codes(self, signal: Audio) -> Tensor:
        return self._family.encode(self._model, self._whole_frames(signal))

    def _sound(self, codes: Tensor) -> Audio:
        made = self._family.decode(self._model, codes).float().cpu().numpy()
        return fitted(made, codes.shape[1] * self.frame_size)  # strides that are odd lose a sample of it

    def _scaled(self, signal: Audio, codebooks: int) -> Audio:
        """EnCodec's way with chunks that overlap, each brought to one level: its scales go beside the codes."""
        encoded = _encodec_encode(self._model, self._whole_frames(signal))
        made = self._model.decode(
            encoded.audio_codes[:, :, :codebooks],
            encoded.audio_scales,
            last_frame_pad_length=getattr(encoded, "last_frame_pad_length", 0) or 0,
        )
        return fitted(made.audio_values[0].mean(dim=0).float().cpu().numpy(), len(signal))

    def _whole_frames(self, signal: Audio) -> Tensor:
        """The signal as (1, channels, n), its last frame filled with zeros. Raises Undefined for one too long."""
        if len(signal) > LONGEST * self.sample_rate:
            took = f"{self.name} takes a sound as a whole, at most {LONGEST:.0f} s of it"
            raise Undefined(f"{took}, got {len(signal) / self.sample_rate:.0f} s: cut it into pieces")
        whole = fitted(np.asarray(signal, np.float32), self.frames(len(signal)) * self.frame_size)
        return torch.from_numpy(whole).to(self._device).expand(1, self._facts.channels, -1)

    def _require_plain(self, what: str) -> None:
        if self._facts.scaled:
            told = say(
                "{codec} sends a level for each chunk beside its codes, so that these alone are not its sound",
                codec=self.name,
            )
            raise InputError(Problem(what, told, say("use `reconstruct`, or EnCodec's model for 24 kHz")))

    @contextmanager
    def _running(self) -> Iterator[None]:
        exact = nullcontext() if self._device.type == "cpu" else torch.backends.cudnn.flags(allow_tf32=False)
        threads = torch.get_num_threads()
        try:
            torch.set_num_threads(1)
            with torch.inference_mode(), exact:
                yield
        finally:
            torch.set_num_threads(threads)


def _load(weights: Weights, kind: str) -> Any:
    """The library's model with every tensor of the checkpoint in place.

    Raises InputError where it does not fit, Unavailable without a package that its architecture needs.
    """
    needs = FAMILIES[kind].needs
    if needs and find_spec(needs) is None:
        what = say("codecs of type {kind} need {package}, which is not installed", kind=kind, package=needs)
        raise Unavailable(what, say("`pip install 'earwitness[measures]'`"))
    where = str(weights.tensors)
    if weights.tensors.name != TENSORS:
        raise InputError(
            Problem(
                where,
                say("is not called {weights_file}", weights_file=TENSORS),
                say("keep {config_file} and {weights_file} in one folder", config_file=CONFIG, weights_file=TENSORS),
            )
        )
    remedy = say(
        "give the tensors and the {config_file} of one checkpoint of {codec_type}", config_file=CONFIG, codec_type=kind
    )
    try:
        with quiet_transformers():
            config = AutoConfig.from_pretrained(weights.tensors.parent, local_files_only=True)
            load: Any = AutoModel.from_pretrained
            model, report = load(
                weights.tensors.parent,
                config=config,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (ImportError, Unavailable):
        raise
    except Exception as error:  # whatever the library holds a checkpoint to
        reason = " ".join((str(error) or type(error).__name__).split())[:300]
        raise InputError(
            Problem(
                where,
                say("cannot be loaded as a codec of type {codec_type} ({reason})", codec_type=kind, reason=reason),
                remedy,
            )
        ) from None
    problems = [
        Problem(
            where,
            say("{fault}: {names}", fault=fault.replace("_", " "), names=first_few(sorted(map(str, names)))),
            remedy,
        )
        for fault in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs")
        if (names := report.get(fault))
    ]
    tensors = [*model.named_parameters(), *model.named_buffers()]
    if broken := [name for name, tensor in tensors if not is_finite(tensor)]:
        problems.append(
            Problem(where, say("NaN or infinite values in {tensors}", tensors=first_few(broken)), FETCH_AGAIN)
        )
    if problems:
        raise InputError(problems)
    return model
