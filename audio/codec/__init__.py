"""Codecs behind one small contract: Mimi and other neural ones through `transformers`, Opus and MP3 through ffmpeg.

`audio.codec.naming` finds them by name.
"""

from __future__ import annotations

from audio.codec.contract import Audio, Codec, Codes, Rate, SoundCodec
from audio.codec.loading import load_codec
from audio.codec.weights import MIMI, PINNED, Weights

__all__ = ["MIMI", "PINNED", "Audio", "Codec", "Codes", "Rate", "SoundCodec", "Weights", "load_codec"]
