"""Weights of the networks behind DNSMOS and NISQA, made here: the files that torchmetrics reads, of other content.

An ONNX file is a protocol buffer; the few fields of one that are needed are written as they stand in onnx.proto.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

FLOAT = 1  # TensorProto.FLOAT
SETTINGS: dict[str, Any] = {
    "cnn_c_out_1": 4, "cnn_c_out_2": 4, "cnn_c_out_3": 8, "cnn_kernel_size": [3, 3], "cnn_dropout": 0.2,
    "cnn_pool_1": [24, 7], "cnn_pool_2": [12, 5], "cnn_pool_3": [6, 3],
    "td_sa_d_model": 8, "td_sa_nhead": 1, "td_sa_h": 8, "td_sa_num_layers": 1, "td_sa_dropout": 0.1,
    "pool_att_h": 8, "pool_att_dropout": 0.1,
    "ms_n_fft": 1024, "ms_hop_length": 0.01, "ms_win_length": 0.02, "ms_n_mels": 48, "ms_fmax": 8000,
    "ms_seg_length": 15, "ms_seg_hop_length": 4, "ms_max_segments": 1300,
}  # fmt: skip


def save_dnsmos(folder: Path) -> list[Path]:
    """The two networks of DNSMOS: three values of a sound (b, n), one of a spectrogram (b, frames, bands)."""
    folder.mkdir(parents=True)
    of_sound, of_spectrum = folder / "sig_bak_ovr.onnx", folder / "model_v8.onnx"
    loud = [_node("Abs", ["input_1"], "a"), _node("ReduceMean", ["a"], "m", axes=[1])]
    of_sound.write_bytes(_model([*loud, _node("MatMul", ["m", "w"], "y")], shape=("b", "n"), w=(9.0, 20.0, 31.0)))
    mean = [_node("ReduceMean", ["input_1"], "r", keepdims=0, axes=[2]), _node("ReduceMean", ["r"], "y", axes=[1])]
    of_spectrum.write_bytes(_model(mean, shape=("b", "t", "f")))
    return [of_sound, of_spectrum]


def save_nisqa(folder: Path) -> Path:
    """NISQA's network of random weights, a small one."""
    import torch
    from torchmetrics.functional.audio import nisqa

    folder.mkdir(parents=True)
    torch.manual_seed(0)
    network: Any = nisqa._NISQADIM(SETTINGS)
    for weights in network.parameters():  # its five heads begin as copies of one
        weights.data += 0.1 * torch.randn_like(weights)
    path = folder / "nisqa.tar"
    torch.save({"args": SETTINGS, "model_state_dict": network.state_dict()}, path)
    return path


def _model(nodes: list[bytes], shape: tuple[str, ...], w: tuple[float, ...] = ()) -> bytes:
    """ModelProto of IR version 8 and operators of version 13: input_1 in, y out, `w` a row of constants."""
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"judge")
    if w:
        dims = _number(1, 1) + _number(1, len(w))
        graph += _field(5, dims + _number(2, FLOAT) + _field(8, b"w") + _field(9, struct.pack(f"<{len(w)}f", *w)))
    graph += _field(11, _value("input_1", shape)) + _field(12, _value("y", ("b", "k")))
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, 13))


def _node(kind: str, inputs: list[str], output: str, axes: list[int] | None = None, keepdims: int = 1) -> bytes:
    node = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode()) + _field(4, kind.encode())
    if axes:
        numbers = b"".join(_number(8, axis) for axis in axes)
        node += _field(5, _field(1, b"axes") + numbers + _number(20, 7))
        node += _field(5, _field(1, b"keepdims") + _number(3, keepdims) + _number(20, 2))
    return node


def _value(name: str, shape: tuple[str, ...]) -> bytes:
    dims = b"".join(_field(1, _field(2, dim.encode())) for dim in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, FLOAT) + _field(2, dims)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])
