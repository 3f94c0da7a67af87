"""The pocket codec's architecture, its starting weights, and a static-shape forward pass through the stock modules.

transformers' convolutions compute their padding as tensors, which `torch.compile` cannot fold; `encode` and `decode`
here run the same modules with the same padding as plain integers (a test holds them to the stock model's output).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import MimiConfig, MimiModel
from transformers.models.mimi.modeling_mimi import MimiConv1d, MimiConvTranspose1d, MimiResnetBlock

PocketMimi = Any  # a transformers.MimiModel or a part of one: its stubs call every part optional
FRAME = 1920  # samples of one 12.5 Hz frame at 24 kHz
CODEBOOK_SIZE = 128
CODEBOOK_DIM = 256


def pocket_config() -> MimiConfig:
    """Mimi (Défossez et al. 2024, arXiv:2410.00037, section 3.3) made small: 3.9 M numbers instead of 96 M.

    The same frame rate, number of codebooks and codebook dimension as Kyutai's; fewer channels, one Transformer layer
    on each side instead of eight, 128 codes a codebook instead of 2,048.
    """
    hidden = 192
    return MimiConfig(
        num_filters=16,
        hidden_size=hidden,
        upsampling_ratios=[8, 6, 5, 4],
        num_hidden_layers=1,
        intermediate_size=384,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=hidden // 4,
        codebook_size=CODEBOOK_SIZE,
        codebook_dim=CODEBOOK_DIM,
        vector_quantization_hidden_dimension=CODEBOOK_DIM,
        num_quantizers=32,
        upsample_groups=hidden,  # the default, 512, fits Kyutai's hidden size only
        layer_scale_initial_scale=0.1,
    )


def fresh_model() -> PocketMimi:
    """A pocket Mimi with random weights, scaled so that the first steps neither explode nor fall silent."""
    model: PocketMimi = MimiModel(pocket_config())
    acoustic = model.quantizer.acoustic_residual_vector_quantizer
    nn.init.orthogonal_(acoustic.input_proj.weight.data[:, :, 0])
    acoustic.output_proj.weight.data[:, :, 0] = acoustic.input_proj.weight.data[:, :, 0].T
    with torch.no_grad():
        model.decoder.decoder_seanet.layers[-1].conv.weight.mul_(0.1)
        for module in model.modules():
            if isinstance(module, MimiResnetBlock):
                last: PocketMimi = module.block[-1]
                last.conv.weight.mul_(0.3)
    return model


def warm_start(model: PocketMimi, folder: Path) -> None:
    """Take encoder and decoder weights from a checkpoint of the same shape whose codebooks may be smaller.

    The checkpoint's latent space (`d` dimensions) is embedded in this model's (`D >= d`) by an orthonormal matrix; the
    other dimensions keep a tenth of their random start, so that training can use them.
    """
    source: PocketMimi = MimiModel.from_pretrained(folder, dtype=torch.float32)
    own = model.state_dict()
    body = {k: v for k, v in source.state_dict().items() if not k.startswith("quantizer") and own[k].shape == v.shape}
    model.load_state_dict(body, strict=False)
    old, new = source.quantizer.acoustic_residual_vector_quantizer, model.quantizer.acoustic_residual_vector_quantizer
    basis = torch.linalg.qr(torch.randn(CODEBOOK_DIM, source.config.codebook_dim))[0]  # (D, d)
    with torch.no_grad():
        for into, matrix in (
            (new.input_proj, basis @ old.input_proj.weight[:, :, 0]),
            (new.output_proj, old.output_proj.weight[:, :, 0] @ basis.T),
        ):
            into.weight.mul_(0.1 * matrix.std() / into.weight.std()).add_(matrix[:, :, None])


def causal(module: PocketMimi, signal: Tensor) -> Tensor:
    """One of Mimi's causal convolutions. `signal`: (batch, channels, time), time a multiple of the stride."""
    conv = module.conv
    left = (conv.kernel_size[0] - 1) * conv.dilation[0] + 1 - conv.stride[0]
    if left > 0:
        signal = functional.pad(signal, (left, 0), mode=module.pad_mode)
    if conv.out_channels == 1 and conv.stride[0] == 1:
        # Three matrix products: the backward pass of this one convolution took a seventh of a CPU training step.
        length = signal.shape[-1] - conv.kernel_size[0] + 1
        taps = range(conv.kernel_size[0])
        products = [torch.matmul(conv.weight[:, :, tap], signal[..., tap : tap + length]) for tap in taps]
        biased: Tensor = torch.stack(products).sum(0) + conv.bias[:, None]
        return biased
    result: Tensor = conv(signal)
    return result


def transposed(module: PocketMimi, signal: Tensor) -> Tensor:
    """One of Mimi's causal transposed convolutions, trimmed on the right."""
    signal = module.conv(signal)
    return signal[..., : signal.shape[-1] - module.padding_right] if module.padding_right else signal


def seanet(layers: Iterable[nn.Module], signal: Tensor) -> Tensor:
    """The convolutional half of Mimi's encoder or decoder. `signal`: (batch, channels, time)."""
    for layer in layers:
        if isinstance(layer, MimiConv1d):
            signal = causal(layer, signal)
        elif isinstance(layer, MimiConvTranspose1d):
            signal = transposed(layer, signal)
        elif isinstance(layer, MimiResnetBlock):
            signal = signal + seanet(layer.block, signal)
        else:
            signal = layer(signal)
    return signal


class StaticMimi:
    """`encode` and `decode` of a MimiModel without its quantizer, for training.

    Whole frames only: sound is (batch, 1, frames * 1920), latents (batch, 192, frames).
    """

    def __init__(self, model: PocketMimi, *, compiled: bool = False) -> None:
        self.model = model
        self._encoder: Callable[[Tensor], Tensor] = lambda x: seanet(model.encoder.encoder_seanet.layers, x)
        self._decoder: Callable[[Tensor], Tensor] = lambda x: seanet(model.decoder.decoder_seanet.layers, x)
        if compiled:
            self._encoder = torch.compile(self._encoder, dynamic=False)
            self._decoder = torch.compile(self._decoder, dynamic=False)

    def encode(self, sound: Tensor) -> Tensor:
        """Sound -> latents at 12.5 Hz, before any quantizer."""
        features = self._encoder(sound).transpose(1, 2)
        hidden = self.model.encoder.encoder_transformer(features).last_hidden_state
        return causal(self.model.encoder.downsample, hidden.transpose(1, 2))

    def decode(self, latents: Tensor) -> Tensor:
        """Latents -> sound."""
        features = transposed(self.model.decoder.upsample, latents).transpose(1, 2)
        hidden = self.model.decoder.decoder_transformer(features).last_hidden_state
        return self._decoder(hidden.transpose(1, 2))
