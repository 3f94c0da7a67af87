"""Spectral losses. No waveform term: the codec does not keep phase, so it never matches a waveform."""

from __future__ import annotations

import math
import warnings

import librosa
import torch
from torch import Tensor, nn
from torch.nn import functional

from basics.kernels import keep_kernels_whole

keep_kernels_whole()

SAMPLE_RATE = 24_000
DECIBEL = 20 / math.log(10)


class SpectralLoss(nn.Module):
    """Multi-resolution spectral distance: log-mel L1 + 0.3 log-magnitude L1 + 0.5 spectral convergence.

    The usual vocoder loss (Yamamoto et al. 2020, arXiv:1910.11480, equations 3-5; log-mel as in Kong et al. 2020,
    arXiv:2010.05646, section 2.3). Short transforms are matrix products, which a CPU does faster than its FFT.
    """

    def __init__(
        self, sizes: tuple[int, ...] = (2048, 1024, 512, 256), bands: tuple[int, ...] = (96, 80, 64, 32)
    ) -> None:
        super().__init__()
        self.sizes = sizes
        for size, count in zip(sizes, bands, strict=True):
            with warnings.catch_warnings():
                warnings.filterwarnings(
                    "ignore", "Empty filters", UserWarning
                )  # a few low bands of the short transforms
                mel = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=size, n_mels=count, htk=True, norm=1)
            self.register_buffer(f"mel{size}", torch.from_numpy(mel))
            self.register_buffer(f"window{size}", torch.hann_window(size))
            if size <= 512:
                self.register_buffer(f"dft{size}", dft_matrix(size))

    def magnitude(self, sound: Tensor, size: int) -> Tensor:
        """(batch, samples) -> (batch, size / 2 + 1, frames), scaled to be the same for noise at every size."""
        if size <= 512:
            padded = functional.pad(sound[:, None], (size // 2, size // 2), mode="reflect")[:, 0]
            spectrum = padded.unfold(-1, size, size // 4) @ getattr(self, f"dft{size}")
            real, imaginary = spectrum.transpose(1, 2).chunk(2, dim=1)
        else:
            window = getattr(self, f"window{size}")
            spectrum = torch.stft(sound, size, size // 4, size, window, center=True, return_complex=True)
            real, imaginary = torch.view_as_real(spectrum).unbind(-1)
        magnitude: Tensor = (real.square() + imaginary.square() + 1e-9).sqrt() / math.sqrt(size * 0.375)
        return magnitude

    def forward(self, estimate: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        """Both (batch, samples) -> (loss, log-mel distance in natural-log units; times `DECIBEL` is dB)."""
        mel_sum = torch.zeros(())
        rest = torch.zeros(())
        for size in self.sizes:
            with torch.no_grad():
                want = self.magnitude(reference, size)
            got = self.magnitude(estimate, size)
            bank = getattr(self, f"mel{size}")
            mel_sum = mel_sum + ((bank @ got + 1e-3).log() - (bank @ want + 1e-3).log()).abs().mean()
            log_magnitude = ((got + 3e-3).log() - (want + 3e-3).log()).abs().mean()
            energy = want.square().sum((1, 2)) + 1e-2  # the floor keeps silent stretches from ruling the batch
            convergence = ((got - want).square().sum((1, 2)) / energy).clamp(max=4).sqrt().mean()
            rest = rest + 0.3 * log_magnitude + 0.5 * convergence
        return (mel_sum + rest) / len(self.sizes), mel_sum / len(self.sizes)


def dft_matrix(size: int) -> Tensor:
    """(size, 2 * (size / 2 + 1)): Hann window times cosines, then minus sines."""
    time = torch.arange(size, dtype=torch.float64)[:, None]
    frequency = torch.arange(size // 2 + 1, dtype=torch.float64)[None]
    angle = 2 * math.pi * time * frequency / size
    window = torch.hann_window(size, dtype=torch.float64)[:, None]
    return torch.cat([window * angle.cos(), -window * angle.sin()], dim=1).float()
