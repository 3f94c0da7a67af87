"""Neural codecs behind one small contract; Mimi through `transformers`, and the same weights through `moshi`."""

from __future__ import annotations

from audio.codec.contract import Audio, Codec, Codes
from audio.codec.loading import load_codec
from audio.codec.weights import MIMI, PINNED, Weights

__all__ = ["MIMI", "PINNED", "Audio", "Codec", "Codes", "Weights", "load_codec"]
