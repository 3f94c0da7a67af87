"""Any codec behind one contract: facts out of the configuration, the bare model's codes and sound, bitrates by name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel

from audio.clip import align, resample
from audio.codec import Codec, Rate, load_codec, naming
from audio.codec.naming import asked, find_codec, open_all, rates_of
from audio.codec.neural import FAMILIES
from audio.codec.references import FORMATS, FfmpegCodec
from basics.errors import InputError, Unavailable, Undefined
from tests.audio.conftest import RATE, Samples
from tests.checkpoints import small_codec
from tests.conftest import need_program

KINDS = ("mimi", *FAMILIES)
BARE: dict[str, Callable[[Any, torch.Tensor], tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]]] = {
    "dac": lambda m, x: (m.encode(x).audio_codes[0], lambda c: m.decode(audio_codes=c[None]).audio_values[0]),
    "encodec": lambda m, x: (
        m.encode(x, bandwidth=3.6).audio_codes[0, 0],
        lambda c: m.decode(c[None, None], [None])[0],
    ),
    "xcodec": lambda m, x: (m.encode(x).audio_codes[0], lambda c: m.decode(c[None]).audio_values[0, 0]),
    "wavtokenizer": lambda m, x: (m.encode(x).audio_codes[0], lambda c: m.decode(c[None]).audio_values[0]),
    "higgs_audio_v2_tokenizer": lambda m, x: (
        m.encode(x).audio_codes[0],
        lambda c: m.decode(c[None]).audio_values[0, 0],
    ),
    "xcodec2": lambda m, x: (m.encode(**extracted(m, x)).audio_codes[0], lambda c: m.decode(c[None]).audio_values[0]),
    "neucodec": lambda m, x: (m.encode(**extracted(m, x)).audio_codes[0], lambda c: m.decode(c[None]).audio_values[0]),
}


def extracted(model: Any, sound: torch.Tensor) -> Any:
    """What the library's own extractor makes of a sound, to which it adds a sample: NeuCodec's with a frame more."""
    import transformers

    rate = getattr(model.config, "input_sampling_rate", RATE)
    heard = resample(sound[0, 0].numpy(), getattr(model.config, "output_sampling_rate", rate), rate)
    extractor = {"xcodec2": "Xcodec2FeatureExtractor", "neucodec": "NeuCodecFeatureExtractor"}[model.config.model_type]
    heard = heard[:-1] if model.config.model_type == "xcodec2" else np.pad(heard, (0, 319))
    return getattr(transformers, extractor)()(heard, sampling_rate=rate, return_tensors="pt")


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_codec(tmp_path_factory.mktemp("codecs") / f"small-{request.param}", request.param)


@pytest.fixture(scope="module")
def small(folder: Path) -> Codec:
    return load_codec(folder, device="cpu")


def test_facts_are_those_of_the_configuration(folder: Path, small: Codec) -> None:
    config = json.loads((folder / "config.json").read_text())
    rates = (config.get(name) for name in ("sampling_rate", "sample_rate", "output_sampling_rate"))
    assert small.sample_rate == next(filter(None, rates))
    assert small.frame_rate * small.frame_size == pytest.approx(small.sample_rate)
    assert small.cardinality == config.get("codebook_size", math.prod(config.get("quantization_levels", [])))
    assert small.rates()[-1].codebooks == small.codebooks
    assert [rate.bits_per_second for rate in small.rates()] == pytest.approx(
        [n * small.frame_rate * math.log2(small.cardinality) for n in (rate.codebooks or 0 for rate in small.rates())]
    )
    assert small.provenance["weights_sha256"] == small.weights_digest
    assert not small.is_reference


def test_a_signal_goes_there_and_back(small: Codec, speech: Samples) -> None:
    signal = resample(speech[: RATE + 77], RATE, small.sample_rate)
    (code,) = small.encode([signal])
    assert code.shape == (small.codebooks, small.frames(len(signal)))
    assert code.min() >= 0
    assert code.max() < small.cardinality
    assert len(np.unique(code)) > 3
    (few,) = small.encode([signal], 1)
    np.testing.assert_array_equal(few, code[:1])
    (made,) = small.decode([code])
    assert len(made) == code.shape[1] * small.frame_size
    (same, other) = small.transcode([signal, signal[:5000]], small.rates()[-1])
    assert len(same) == len(signal)
    np.testing.assert_array_equal(same, small.transcode([signal], small.rates()[-1])[0])
    assert len(other) == 5000


@pytest.mark.parametrize("kind", FAMILIES)
def test_codes_and_sound_are_the_bare_models_to_the_bit(kind: str, tmp_path: Path, speech: Samples) -> None:
    codec = load_codec(small_codec(tmp_path / kind, kind), device="cpu")
    whole = codec.frame_size * 40
    signal = resample(speech[: 2 * RATE], RATE, codec.sample_rate)[:whole]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums are ordered by how many there are
    try:
        with torch.inference_mode():
            codes, decode = BARE[kind](
                AutoModel.from_pretrained(tmp_path / kind).eval(), torch.from_numpy(signal)[None, None]
            )
            sound = decode(codes).reshape(-1).numpy()
    finally:
        torch.set_num_threads(threads)
    (code,) = codec.encode([signal])
    np.testing.assert_array_equal(code, codes.numpy())
    np.testing.assert_array_equal(codec.decode([code])[0][: len(sound)], sound)


def test_latents_of_the_layers_add_up_to_what_the_decoder_gets(folder: Path, small: Codec, speech: Samples) -> None:
    (code,) = small.encode([resample(speech[:RATE], RATE, small.sample_rate)])
    latents = small.latents(code)
    assert latents.shape[0] == small.codebooks
    assert latents.shape[2] == code.shape[1]
    model = AutoModel.from_pretrained(folder).eval()
    codes = torch.from_numpy(code)
    kind = model.config.model_type
    with torch.inference_mode():
        whole = {
            "mimi": lambda: model.quantizer.decode(codes[None])[0],
            "dac": lambda: model.quantizer.from_codes(codes[None])[0][0],
            "encodec": lambda: model.quantizer.decode(codes[:, None])[0],
            "xcodec": lambda: model.quantizer.decode(codes[:, None])[0],
            "wavtokenizer": lambda: model.encoder_model.quantizer.decode(codes)[0],
            "higgs_audio_v2_tokenizer": lambda: model.quantizer.decode(codes[:, None])[0],
            "xcodec2": lambda: model.quantizer.from_codes(codes[..., None])[0].T,
            "neucodec": lambda: model.quantizer.from_codes(codes[..., None])[0].T,
        }[kind]()
    np.testing.assert_allclose(latents.sum(axis=0), whole.numpy(), atol=1e-4)
    assert small.codebook_vectors(0).shape[0] == small.cardinality


def test_encodec_with_levels_beside_its_codes_is_reconstructed_as_the_model_does(
    tmp_path: Path, speech: Samples
) -> None:
    """As the model for 48 kHz: stereo, chunks that overlap, each with a level of its own."""
    changes = {"audio_channels": 2, "normalize": True, "chunk_length_s": 0.5, "overlap": 0.01, "sampling_rate": 16_000}
    folder = small_codec(tmp_path / "wide", "encodec", **changes, norm_type="time_group_norm", use_causal_conv=False)
    codec = load_codec(folder, device="cpu")
    signal = speech[:RATE]
    (made,) = codec.reconstruct([signal])
    model = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        stereo = torch.from_numpy(signal).expand(1, 2, -1)
        expected = model(stereo, torch.ones(1, RATE, dtype=torch.bool), bandwidth=3.6).audio_values[0].mean(0).numpy()
    np.testing.assert_allclose(made, expected[:RATE], atol=1e-5)
    with pytest.raises(InputError, match="level for each chunk"):
        codec.encode([signal])


def test_what_an_architecture_needs_besides_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_codec(tmp_path / "grid", "xcodec2")
    monkeypatch.setattr("audio.codec.neural.find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r"type xcodec2 need torchaudio[\s\S]*pip install 'earwitness\[measures\]'"):
        load_codec(folder, device="cpu")


def test_a_sound_that_is_too_long_is_undefined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = load_codec(small_codec(tmp_path / "dac", "dac"), device="cpu")
    monkeypatch.setattr("audio.codec.neural.LONGEST", 1.0)
    with pytest.raises(Undefined, match=r"at most 1 s of it, got 2 s: cut it"):
        codec.reconstruct([np.ones(2 * codec.sample_rate, np.float32)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "bert"}, r"model_type: 'bert' is no codec that is run here\s+-> known: dac"),
        ({"model_type": "vibevoice_acoustic_tokenizer"}, "continuous latents: there are no codes"),
        ({"n_codebooks": 9}, r"missing keys|mismatched|cannot be loaded as a codec of type dac"),
        ({"codebook_size": "many"}, "cannot be loaded as a codec of type dac"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = small_codec(tmp_path / "dac", "dac")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(InputError, match=message):
        load_codec(folder, device="cpu")


# Names and bitrates


@pytest.mark.parametrize(
    ("text", "source", "settings"),
    [
        ("pocket", "pocket", ()),
        ("opus@16,24kbps", "opus", ("16", "24kbps")),
        ("owner/name:v1@nq=8", "owner/name:v1", ("nq=8",)),
        ("/a@b/codec", "/a@b/codec", ()),
        ("dac@all", "dac", ("all",)),
        ("dac@1.5kbit/s", "dac", ("1.5kbit/s",)),
    ],
)
def test_what_is_asked_for_is_read(text: str, source: str, settings: tuple[str, ...]) -> None:
    assert (asked(text).source, asked(text).settings) == (source, settings)


@pytest.mark.parametrize("text", ["opus@", "opus@loud", "@16", "dac@nq=", "dac@-3", "dac@3,"])
def test_what_is_no_bitrate_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="which is no bitrate"):
        asked(text)


def test_rates_are_found_by_bitrate_and_by_codebooks() -> None:
    pocket = find_codec("pocket", "cpu")
    assert rates_of(pocket, asked("pocket")) == pocket.rates()[-1:]
    assert rates_of(pocket, asked("pocket@nq=8,nq=4,nq=8"))[0].codebooks == 8
    eight = pocket.rates()[7]
    assert rates_of(pocket, asked(f"pocket@{eight.bits_per_second / 1000:.3f}")) == (eight,)
    with pytest.raises(InputError, match=r"has no 99 codebooks\s+-> it has nq=1"):
        rates_of(pocket, asked("pocket@nq=99"))
    with pytest.raises(InputError, match="has no 64 kbit/s"):
        rates_of(pocket, asked("pocket@64"))


def test_all_that_is_wrong_with_the_codecs_is_said_at_once(tmp_path: Path) -> None:
    need_program("ffmpeg")
    given = ["pokcet", "opus", "opus@2", "mp3@17", f"{tmp_path}/nothing", "mp3@x"]
    with pytest.raises(InputError) as refused:
        list(open_all(given, "cpu"))
    told = str(refused.value)
    assert "did you mean pocket" in told
    assert "opus: has no bitrate of its own" in told
    assert "opus has no 2 kbit/s" in told
    assert "it has 8 kbit/s to 160 kbit/s" in told
    assert "nothing: is no codec" in told
    assert "asks for 'x'" in told


def test_a_codec_without_weights_says_how_to_supply_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(Unavailable, match=r"at revision abc123 is not in the local cache"):
        find_codec("owner/codec:abc123", "cpu")


class Brought:
    """What another package's entry point gives."""

    dist = None
    value = "brought:codec"

    def __init__(self, codec: object) -> None:
        self.codec = codec

    def load(self) -> Callable[[], object]:
        return lambda: self.codec


def test_codecs_of_other_packages_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    pocket = find_codec("pocket", "cpu")
    points = {"theirs": [Brought(pocket)], "broken": [Brought(3)], "opus": [Brought(pocket)]}
    monkeypatch.setattr(naming, "_brought", lambda: points)
    assert find_codec("theirs") is pocket
    with pytest.raises(InputError, match=r"gives a int, expected an audio\.codec\.SoundCodec"):
        find_codec("broken")
    with pytest.raises(InputError, match="brought by more than one package"):
        find_codec("opus")


# Opus and MP3


@pytest.mark.parametrize(("name", "kilobits"), [("opus", 16), ("opus", 64), ("mp3", 16), ("mp3", 64)])
def test_a_reference_codec_comes_in_time_to_the_sample(name: str, kilobits: int, speech: Samples) -> None:
    """Its delay is taken out: no lag is left, at its own rate, and the sound is as long as it was."""
    need_program("ffmpeg")
    codec = FfmpegCodec(name)
    signal = resample(speech, RATE, codec.sample_rate)
    (made,) = codec.transcode([signal], Rate(1000 * kilobits))
    assert made.shape == signal.shape
    wide = np.fft.irfft(np.fft.rfft(made, 2 * len(made)) * np.conj(np.fft.rfft(signal, 2 * len(signal))))
    assert int(np.argmax(wide)) == 0
    assert abs(align(signal, made, codec.sample_rate).lag_samples) <= 1


def test_a_bitrate_is_held(speech: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of what is made for four seconds come to what is stated, headers and the encoder's padding besides."""
    need_program("ffmpeg")
    sizes: list[int] = []
    run = FfmpegCodec._run

    def weighed(self: FfmpegCodec, arguments: Any, given: bytes) -> bytes:
        done = run(self, arguments, given)
        sizes.extend([Path(arguments[-1]).stat().st_size] if given else [])
        return done

    monkeypatch.setattr(FfmpegCodec, "_run", weighed)
    for name in FORMATS:
        FfmpegCodec(name).transcode([resample(speech, RATE, FORMATS[name].sample_rate)], Rate(64_000.0))
    assert [8 * size / 4 / 64_000 for size in sizes] == pytest.approx([1.0, 1.0], abs=0.06)


def test_without_ffmpeg_the_references_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match=r"made by ffmpeg, which is not installed\s+-> install ffmpeg"):
        FfmpegCodec("opus")
