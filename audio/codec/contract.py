"""What a codec is to the rest of the program: sound there and back at a bitrate, and, of neural ones, codes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from basics.errors import InputError, Problem
from basics.messages import Message, say

Audio = NDArray[np.float32]  # (samples,), mono, at the codec's sample rate, nominally within [-1, 1]
Codes = NDArray[np.int64]  # (codebooks, frames), each 0 <= code < cardinality


@dataclass(frozen=True, order=True)
class Rate:
    """One setting of a codec: its bits a second, and how many codebooks make them (None: it has none)."""

    bits_per_second: float
    codebooks: int | None = None

    @property
    def kilobits(self) -> str:
        """`1.1 kbit/s`."""
        return f"{self.bits_per_second / 1000:.4g} kbit/s"


class SoundCodec(ABC):
    """Sound there and back at one of several bitrates: all that a comparison asks of a codec."""

    name: str
    sample_rate: int  # Hz
    identity: tuple[str, str | None]  # what its output depends on, besides its input, the rate and the libraries
    provenance: Mapping[str, str]  # what it is and what runs it, without paths or secrets

    @abstractmethod
    def rates(self) -> tuple[Rate, ...]:
        """Every setting it has, the lowest bitrate first."""

    @abstractmethod
    def transcode(self, audio: Sequence[Audio], rate: Rate) -> list[Audio]:
        """What is left of each signal (n,) at this rate, in time with it: (n,), zeros where the end is lacking.

        Raises InputError for signals that are empty, not mono or not finite, Undefined for those it cannot take.
        """

    def at_rates(self, signal: Audio, rates: Sequence[Rate]) -> list[Audio]:
        """One signal (n,) at each of the rates, within full scale as a player has it. Raises like `transcode`."""
        return [np.clip(self.transcode([signal], rate)[0], -1, 1) for rate in rates]

    def _require_audio(self, audio: Sequence[Audio]) -> None:
        problems = [
            Problem(
                f"signal {number}",
                fault,
                say("give mono float samples at {sample_rate} Hz", sample_rate=self.sample_rate),
            )
            for number, signal in enumerate(audio)
            if (fault := _audio_fault(signal))
        ]
        if problems:
            raise InputError(problems)


class Codec(SoundCodec):
    """Sound to integer codes and back.

    One frame of `frame_size` samples gives one code for each codebook; the first codebooks of a longer code are the
    shorter code. Lists go in and out so that an implementation may batch them: a list gives what its items give alone.
    """

    frame_rate: float  # frames a second
    frame_size: int  # samples of a frame
    delay: int = 0  # samples by which what it decodes comes late; `reconstruct` takes them out
    codebooks: int  # the most codebooks it can use
    cardinality: int  # codes in each codebook
    weights_digest: str  # sha256 of the weights
    identity: tuple[str, str | None]  # sha256 of the weights and of their configuration
    is_reference: bool  # whether these are Kyutai's published Mimi weights, on which evidence of record rests
    loading: tuple[str, str]  # by which source and device `load_codec` finds it, in another process too

    @abstractmethod
    def encode(self, audio: Sequence[Audio], codebooks: int | None = None) -> list[Codes]:
        """Codes (codebooks, frames) of each signal (n,); frames = ceil(n / frame_size), the last one padded with zeros.

        All codebooks by default. Raises InputError for signals that are empty, not mono or not finite.
        """

    @abstractmethod
    def decode(self, codes: Sequence[Codes]) -> list[Audio]:
        """Sound (frames * frame_size,) of each code (codebooks, frames), from as many codebooks as it has.

        Raises InputError for codes of another shape or outside 0 to cardinality - 1.
        """

    @abstractmethod
    def codebook_vectors(self, layer: int) -> NDArray[np.float32]:
        """Vectors (cardinality, dimensions) of a codebook: layer 0 semantic, layer k >= 1 acoustic codebook k - 1."""

    @abstractmethod
    def latents(self, code: Codes) -> NDArray[np.float32]:
        """What each codebook of a code (codebooks, frames) adds to the latent: (codebooks, dimensions, frames).

        Their sum over the codebooks is what the decoder is given. Raises InputError like `decode`.
        """

    @property
    def bits_per_codebook(self) -> float:
        """Bits a second of one codebook: the frame rate times the binary logarithm of its size."""
        return self.frame_rate * math.log2(self.cardinality)

    def rates(self) -> tuple[Rate, ...]:
        return tuple(Rate(n * self.bits_per_codebook, n) for n in range(1, self.codebooks + 1))

    def transcode(self, audio: Sequence[Audio], rate: Rate) -> list[Audio]:
        made = self.reconstruct(audio, rate.codebooks)
        return [fitted(estimate, len(reference)) for estimate, reference in zip(made, audio, strict=True)]

    def at_rates(self, signal: Audio, rates: Sequence[Rate]) -> list[Audio]:
        counts = [rate.codebooks or self.codebooks for rate in rates]
        (code,) = self.encode([signal], max(counts))  # once: the first codebooks of a longer code are the shorter code
        made = self.decode([code[:count] for count in counts])
        return [np.clip(fitted(self.in_time(one, len(signal)), len(signal)), -1, 1) for one in made]

    def reconstruct(self, audio: Sequence[Audio], codebooks: int | None = None) -> list[Audio]:
        """Each signal (n,) encoded and decoded, in time with itself: (n,). Raises InputError like `encode`."""
        decoded = self.decode(self.encode(audio, codebooks))
        return [self.in_time(estimate, len(reference)) for estimate, reference in zip(decoded, audio, strict=True)]

    def in_time(self, decoded: Audio, samples: int) -> Audio:
        """What was decoded of a signal of `samples` samples, without the codec's delay, cut to that length at most."""
        return decoded[self.delay : self.delay + samples]

    def frames(self, samples: int) -> int:
        """How many frames a signal of `samples` samples takes: samples / frame_size, rounded up."""
        return -(-samples // self.frame_size)

    def _require_codes(self, codes: Sequence[Codes]) -> None:
        problems = [
            Problem(f"code {number}", fault, say("give what `encode` returned"))
            for number, code in enumerate(codes)
            if (fault := self._code_fault(code))
        ]
        if problems:
            raise InputError(problems)

    def _code_fault(self, code: Codes) -> Message | None:
        if code.ndim != 2 or not code.size or len(code) > self.codebooks:
            return say(
                "shape {shape}, expected (1 to {codebooks} codebooks, frames)",
                shape=code.shape,
                codebooks=self.codebooks,
            )
        if code.min() < 0 or code.max() >= self.cardinality:
            return say(
                "codes from {min} to {max}, expected 0 to {highest}",
                min=code.min(),
                max=code.max(),
                highest=self.cardinality - 1,
            )
        return None

    def _require_codebooks(self, codebooks: int | None) -> int:
        codebooks = self.codebooks if codebooks is None else codebooks
        if not 1 <= codebooks <= self.codebooks:
            raise InputError(
                Problem(
                    "codebooks",
                    say("{codebooks} of {codec}", codebooks=codebooks, codec=self.name),
                    say("choose 1 to {codebooks}", codebooks=self.codebooks),
                )
            )
        return codebooks


def fitted(sound: Audio, samples: int) -> Audio:
    """The first `samples` samples of a sound (m,), with zeros where it has fewer."""
    return sound[:samples] if len(sound) >= samples else np.pad(sound, (0, samples - len(sound)))


def _audio_fault(signal: Audio) -> Message | None:
    if signal.ndim != 1:
        return say("shape {shape}, expected (samples,)", shape=signal.shape)
    if not signal.size:
        return say("no samples")
    return None if np.isfinite(signal).all() else say("NaN or infinite samples")
