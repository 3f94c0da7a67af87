"""A reconstruction is measured when it is one of its original, whatever the codec did; anything else is refused."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audio.clip import load, resample
from audio.pairing import LEAST_CORRELATION, LEAST_OF_A_SECOND, least_correlation, pair
from basics.errors import Undefined
from tests.audio.conftest import RATE, Samples, add_noise


@pytest.fixture(scope="module")
def voice(repository: Path) -> Samples:
    """Twelve seconds of demonstration voices at 16 kHz."""
    return spoken(repository / "audio" / "clips", "English_speech*.flac")


def spoken(folder: Path, names: str) -> Samples:
    return np.concatenate([load(path, RATE).samples for path in sorted(folder.glob(names))])[: 12 * RATE]


def late(sound: Samples, seconds: float) -> Samples:
    """With so much silence before it; negative: without its beginning."""
    cut = round(seconds * RATE)
    return np.concatenate([np.zeros(max(cut, 0), np.float32), sound[max(-cut, 0) :]])


def another_rate(sound: Samples, true: int, said: int) -> Samples:
    """What is read of a file of samples at the rate `true` whose header says another."""
    return resample(resample(sound, RATE, true), said, RATE)


SAME: dict[str, Callable[[Samples], Samples]] = {
    "itself": lambda x: x,
    "noise at 5 dB": lambda x: add_noise(x, 5),
    "another level": lambda x: x * np.float32(0.01),
    "inverted": lambda x: -x,
    "telephone band": lambda x: resample(resample(x, RATE, 8000), 8000, RATE),
    "padded to a frame": lambda x: np.concatenate([x, np.zeros(1280, np.float32)]),
    "half a second late": lambda x: late(x, 0.45),
    "late and cut": lambda x: late(x, 0.45)[: len(x)],
    "early": lambda x: late(x, -0.2),
}


@pytest.mark.parametrize("what", SAME)
def test_what_a_codec_does_leaves_a_pair(voice: Samples, what: str) -> None:
    found = pair(voice, SAME[what](voice), RATE, header_rate=RATE)
    assert found.correlation >= LEAST_CORRELATION
    assert len(found.reference) == len(found.estimate)
    assert found.lag == pytest.approx({"half": 0.45, "late": 0.45, "early": -0.2}.get(what.split()[0], 0), abs=0.001)


OTHER: dict[str, tuple[Callable[[Samples, Samples], Samples], str]] = {
    "another utterance": (lambda x, y: y[: len(x)], "envelopes correlate by"),
    "reversed": (lambda x, _: x[::-1], "envelopes correlate by"),
    "noise": (lambda x, _: add_noise(np.zeros_like(x) + np.float32(1e-3) * x, -40), "envelopes correlate by"),
    "0.6 s late": (lambda x, _: late(x, 0.6), r"comes 0.60 s late, a pair's at most 0.5 s"),
    "0.6 s late and cut": (lambda x, _: late(x, 0.6)[: len(x)], "comes 0.60 s late"),
    "0.7 s early": (lambda x, _: late(x, -0.7), "comes 0.70 s early"),
    "1.5 s late": (lambda x, _: late(x, 1.5), "comes 1.50 s late"),
    "one second of it": (lambda x, _: x[:RATE], r"lasts 1.00 s, the original 12.00 s \(ratio 0.083\)"),
    "without its last second": (lambda x, _: x[:-RATE], r"lasts 11.00 s, the original 12.00 s"),
    "twice": (lambda x, _: np.tile(x, 2), r"ratio 2.000"),
    "silence": (lambda x, _: np.zeros_like(x), "estimate is silent"),
}


@pytest.mark.parametrize("what", OTHER)
def test_what_is_no_reconstruction_of_it_is_refused_with_the_reason(
    voice: Samples, repository: Path, what: str
) -> None:
    other = spoken(repository / "audio" / "clips", "Chinese_speech*.flac")
    make, why = OTHER[what]
    with pytest.raises(Undefined, match=why):
        pair(voice, make(voice, other), RATE, header_rate=RATE)


@pytest.mark.parametrize("seconds", [2, 12])
@pytest.mark.parametrize(("true", "said"), [(24_000, 16_000), (16_000, 24_000), (48_000, 44_100), (24_000, 22_050)])
def test_a_wrong_rate_in_the_header_is_named(voice: Samples, seconds: int, true: int, said: int) -> None:
    sound = voice[: seconds * RATE]
    with pytest.raises(Undefined, match=rf"at {true} Hz instead of {said} Hz it would fit"):
        pair(sound, another_rate(sound, true, said), RATE, header_rate=said)


def test_short_sounds_have_to_agree_more() -> None:
    assert [least_correlation(seconds) for seconds in (0.3, 1, 3, 60)] == [
        *[LEAST_OF_A_SECOND] * 2,
        *[LEAST_CORRELATION] * 2,
    ]
    assert LEAST_CORRELATION < least_correlation(2) < LEAST_OF_A_SECOND


def test_a_steady_sound_is_judged_by_its_waveform() -> None:
    steady = np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE).astype(np.float32)
    assert pair(steady, 0.5 * steady, RATE).correlation == pytest.approx(1)


@pytest.mark.parametrize("options", [("-c:a", "libmp3lame", "-b:a", "32k"), ("-c:a", "libopus", "-b:a", "12k")])
def test_files_of_real_codecs_are_pairs(voice: Samples, tmp_path: Path, options: tuple[str, ...]) -> None:
    import soundfile

    if not (ffmpeg := shutil.which("ffmpeg")):
        pytest.skip("ffmpeg is not installed")
    soundfile.write(tmp_path / "a.wav", voice, RATE)
    coded = tmp_path / ("a.mp3" if "libmp3lame" in options else "a.ogg")
    for source, target, how in ((tmp_path / "a.wav", coded, options), (coded, tmp_path / "b.wav", ("-ar", str(RATE)))):
        subprocess.run([ffmpeg, "-v", "error", "-i", source, *how, target], check=True)
    found = pair(voice, load(tmp_path / "b.wav", RATE).samples, RATE, header_rate=RATE)
    assert found.correlation > 0.8
    assert abs(found.lag) < 0.1
