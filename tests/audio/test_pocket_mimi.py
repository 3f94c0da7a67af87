"""The built-in pocket codec: loads like Kyutai's Mimi, gains with every rung of codebooks, and does worse on music."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import transformers
from pystoi import stoi

from audio.codec import Codec, load_codec
from tests.audio import golden
from tools.clips.render import CLIPS
from tools.pocket_mimi import network
from tools.pocket_mimi.codebooks import k_means, nearest
from tools.pocket_mimi.losses import DECIBEL, SpectralLoss

POCKET = Path(__file__).resolve().parents[2] / "audio/pocket_mimi"


@pytest.fixture(scope="module")
def codec() -> Codec:
    return load_codec(POCKET)


@pytest.fixture(scope="module")
def sounds() -> dict[str, np.ndarray]:
    names = ("English_speech", "Chinese_speech", "laughter", "music")
    return {name: soundfile.read(CLIPS / f"{name}.flac", dtype="float32")[0] for name in names}


@pytest.mark.parametrize("backend", ["transformers", "moshi"])
def test_every_version_of_either_library_gives_the_stored_codes_and_sound(backend: str) -> None:
    stored, now = np.load(golden.FILE), golden.made(backend)
    assert (stored["codes"] == now["codes"]).mean() > 0.999  # the rest would be near-ties
    np.testing.assert_allclose(now["sound"], stored["sound"], atol=1e-4 * np.abs(stored["sound"]).max())


def mel_distance(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Log-mel distance in dB, four resolutions."""
    pair = (torch.from_numpy(np.ascontiguousarray(sound))[None] for sound in (estimate, reference))
    return SpectralLoss()(*pair)[1].item() * DECIBEL


def test_checkpoint_fits_in_eight_megabytes_and_has_mimis_rates() -> None:
    assert sum(path.stat().st_size for path in POCKET.iterdir()) < 8e6
    config = json.loads((POCKET / "config.json").read_text())
    assert (config["sampling_rate"], config["num_quantizers"], config["num_semantic_quantizers"]) == (24_000, 32, 1)
    assert (config["codebook_dim"], config["dtype"]) == (256, "float16")


def test_codec_keeps_mimis_contract_and_is_never_taken_for_kyutais(codec: Codec) -> None:
    assert (codec.sample_rate, codec.frame_rate, codec.frame_size, codec.codebooks) == (24_000, 12.5, 1920, 32)
    assert not codec.is_reference
    assert codec.codebook_vectors(0).shape == codec.codebook_vectors(31).shape == (codec.cardinality, 256)


def test_fewer_codebooks_are_a_prefix_of_more(codec: Codec, sounds: dict[str, np.ndarray]) -> None:
    sound = sounds["English_speech"]
    full, eight = codec.encode([sound])[0], codec.encode([sound], 8)[0]
    assert full.shape == (32, codec.frames(len(sound)))
    assert np.array_equal(full[:8], eight)
    assert all(len(np.unique(layer)) > 5 for layer in full)


@pytest.mark.parametrize("name", ["English_speech", "Chinese_speech"])
def test_speech_gains_in_intelligibility_up_the_ladder(codec: Codec, sounds: dict[str, np.ndarray], name: str) -> None:
    sound = sounds[name]
    one, two, eight = (stoi(sound, codec.reconstruct([sound], n)[0], 24_000) for n in (1, 2, 8))
    assert one + 0.05 < two + 0.05 < eight


def test_music_fares_worse_than_speech(codec: Codec, sounds: dict[str, np.ndarray]) -> None:
    estimates = dict(zip(sounds, codec.reconstruct(list(sounds.values()), 8), strict=True))
    distance = {name: mel_distance(sound, estimates[name]) for name, sound in sounds.items()}
    clarity = {name: stoi(sound, estimates[name], 24_000) for name, sound in sounds.items()}
    for speech in ("English_speech", "Chinese_speech"):
        assert distance["music"] > distance[speech] + 2
        assert clarity["music"] < clarity[speech] - 0.2


def test_model_card_says_what_this_is_not() -> None:
    card = (POCKET / "MODEL_CARD.md").read_text()
    assert "not Kyutai's Mimi" in card
    assert "settles nothing" in card


@pytest.mark.skipif(transformers.__version__.startswith("4."), reason="the pocket codec is trained with transformers 5")
def test_static_forward_pass_equals_the_stock_model() -> None:
    torch.manual_seed(0)
    model = network.fresh_model().eval()
    static, sound = network.StaticMimi(model), torch.randn(1, 1, 4 * network.FRAME)
    with torch.no_grad():
        latents = static.encode(sound)
        stock = model.encoder(sound).latents
    assert latents.shape == (1, 192, 4)
    assert torch.allclose(latents, stock.reshape_as(latents), atol=1e-5)


def test_k_means_finds_separate_clusters() -> None:
    torch.manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = centres.repeat_interleave(100, dim=0) + 0.1 * torch.randn(300, 2)
    found = k_means(points, 3)
    assert torch.allclose(found[nearest(centres, found)], centres, atol=0.1)


def test_mel_distance_is_zero_for_the_same_sound_and_six_decibels_for_twice_it() -> None:
    torch.manual_seed(0)
    sound = torch.randn(1, 24_000)
    loss = SpectralLoss()
    assert loss(sound, sound)[1].item() == pytest.approx(0, abs=1e-6)
    assert loss(2 * sound, sound)[1].item() * DECIBEL == pytest.approx(
        6.02, abs=0.35
    )  # empty short-transform bands give 0


def test_moshis_own_code_gives_the_same_codes_and_sound_from_the_same_file(
    codec: Codec, sounds: dict[str, np.ndarray]
) -> None:
    moshi, sound = load_codec(POCKET, backend="moshi"), sounds["English_speech"]
    codes = codec.encode([sound])[0]
    assert np.mean(moshi.encode([sound])[0] == codes) > 0.98  # a near tie between two codes may fall either way
    assert np.allclose(moshi.decode([codes])[0], codec.decode([codes])[0], atol=1e-4)
