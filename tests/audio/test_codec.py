"""Mimi's codes and sound do not depend on how it is run: alone or in a list, in chunks, by either library."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from moshi.models.loaders import get_mimi
from safetensors.torch import load_file, save_file
from transformers import MimiConfig, MimiModel

from audio.codec import MIMI, PINNED, Codec, load_codec
from audio.codec.checkpoint import is_moshi, moshi_settings, to_moshi, to_transformers
from audio.codec.mimi import CHUNK, MimiCodec, batched_by_size
from audio.codec.weights import KYUTAI_DIGESTS, find_weights
from basics.errors import InputError, Unavailable
from tests.audio.conftest import Samples
from tests.checkpoints import SMALL, random_checkpoint

FRAME = 1920


@pytest.fixture(scope="module")
def bare(checkpoint: Path) -> MimiModel:
    return MimiModel.from_pretrained(checkpoint).eval()


@pytest.fixture(scope="module")
def moshi(checkpoint: Path) -> Codec:
    return load_codec(checkpoint, backend="moshi", device="cpu")


@pytest.fixture(scope="module")
def moshi_file(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small checkpoint in moshi's layout, with its config.json beside it."""
    folder = tmp_path_factory.mktemp("moshi")
    shutil.copy(checkpoint / "config.json", folder)
    heads = SMALL["num_attention_heads"]
    save_file(to_moshi(load_file(checkpoint / "model.safetensors"), heads), folder / "tokenizer.safetensors")
    return folder


@torch.inference_mode()
def bare_codes(model: MimiModel, signal: Samples, codebooks: int) -> np.ndarray:
    return model.encode(torch.from_numpy(signal)[None, None], num_quantizers=codebooks).audio_codes[0].numpy()


@torch.inference_mode()
def bare_sound(model: MimiModel, codes: np.ndarray) -> Samples:
    return model.decode(torch.from_numpy(codes)[None]).audio_values[0, 0].numpy()


# The contract


def test_the_contract_is_mimis(codec: Codec) -> None:
    assert (codec.sample_rate, codec.frame_rate, codec.frame_size, codec.codebooks) == (24_000, 12.5, FRAME, 32)
    assert codec.cardinality == SMALL["codebook_size"]
    assert codec.codebook_vectors(0).shape == (SMALL["codebook_size"], SMALL["codebook_dim"])


def test_codes_and_sound_have_their_shapes(codec: Codec, signals: list[Samples]) -> None:
    codes = codec.encode(signals, 8)
    assert [code.shape for code in codes] == [(8, -(-len(signal) // FRAME)) for signal in signals]
    assert all(code.dtype == np.int64 and code.min() >= 0 and code.max() < codec.cardinality for code in codes)
    sound = codec.decode(codes)
    assert [len(s) for s in sound] == [code.shape[1] * FRAME for code in codes]
    assert [len(s) for s in codec.reconstruct(signals, 8)] == [len(signal) for signal in signals]
    assert all(len(np.unique(code)) > 5 for code in codes if code.shape[1] > 5)


def test_no_signals_give_no_codes(codec: Codec) -> None:
    assert codec.encode([]) == codec.decode([]) == []


def test_fewer_codebooks_are_a_prefix_of_more(codec: Codec, signals: list[Samples]) -> None:
    all_of_them = codec.encode(signals)
    for count in (1, 8, 31):
        for few, many in zip(codec.encode(signals, count), all_of_them, strict=True):
            np.testing.assert_array_equal(few, many[:count])


def test_decoding_takes_codes_of_different_depths_at_once(codec: Codec, signals: list[Samples]) -> None:
    (code,) = codec.encode(signals[:1])
    mixed = codec.decode([code[:8], code, code[:1]])
    for depth, sound in zip((8, 32, 1), mixed, strict=True):
        np.testing.assert_array_equal(sound, codec.decode([code[:depth]])[0])


def test_stored_kinds_of_numbers_are_taken(codec: Codec, signals: list[Samples]) -> None:
    (code,) = codec.encode([signals[0].astype(np.float64)], 8)
    np.testing.assert_array_equal(code, codec.encode([signals[0]], 8)[0])
    np.testing.assert_array_equal(codec.decode([code.astype(np.uint16)])[0], codec.decode([code])[0])


def test_codebook_vectors_are_the_models(codec: Codec, moshi: Codec, bare: MimiModel) -> None:
    quantizer = bare.quantizer
    semantic = quantizer.semantic_residual_vector_quantizer.layers[0].codebook.embed
    np.testing.assert_array_equal(codec.codebook_vectors(0), semantic)
    for layer in (1, 16, 31):
        acoustic = quantizer.acoustic_residual_vector_quantizer.layers[layer - 1].codebook.embed
        np.testing.assert_array_equal(codec.codebook_vectors(layer), acoustic)
        np.testing.assert_array_equal(moshi.codebook_vectors(layer), acoustic)
    np.testing.assert_array_equal(moshi.codebook_vectors(0), semantic)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda codec: codec.encode([np.zeros(10, np.float32)], 33), "choose 1 to 32"),
        (lambda codec: codec.encode([np.zeros(10, np.float32)], 0), "choose 1 to 32"),
        (lambda codec: codec.encode([np.zeros((1, 10), np.float32)]), r"signal 0: shape \(1, 10\)"),
        (lambda codec: codec.encode([np.zeros(5, np.float32), np.empty(0, np.float32)]), "signal 1: no samples"),
        (lambda codec: codec.encode([np.array([np.nan], np.float32)]), "signal 0: NaN"),
        (lambda codec: codec.decode([np.full((8, 3), 64)]), "codes from 64 to 64, expected 0 to 63"),
        (lambda codec: codec.decode([np.zeros((33, 3), int)]), r"code 0: shape \(33, 3\)"),
        (lambda codec: codec.codebook_vectors(32), "choose 0 to 31"),
    ],
)
def test_wrong_arguments_are_named(codec: Codec, call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        call(codec)


# The same codes however it is run


def test_whole_frames_give_what_the_bare_model_gives(codec: Codec, bare: MimiModel, signals: list[Samples]) -> None:
    signal = signals[0]
    (code,) = codec.encode([signal], 8)
    np.testing.assert_array_equal(code, bare_codes(bare, signal, 8))
    # Not to the last bit: sums are ordered by how many threads there are.
    np.testing.assert_allclose(codec.decode([code])[0], bare_sound(bare, code), atol=1e-5)


def test_only_the_last_partial_frame_depends_on_its_padding(
    codec: Codec, bare: MimiModel, signals: list[Samples]
) -> None:
    (code,) = codec.encode([signals[1]], 8)
    np.testing.assert_array_equal(code[:, :-1], bare_codes(bare, signals[1], 8)[:, :-1])


def test_a_list_gives_exactly_what_its_signals_give_alone(codec: Codec, signals: list[Samples]) -> None:
    together = codec.encode(signals, 8)
    for signal, code, sound in zip(signals, together, codec.decode(together), strict=True):
        np.testing.assert_array_equal(code, codec.encode([signal], 8)[0])
        np.testing.assert_array_equal(sound, codec.decode([code])[0])


def test_padded_batches_give_what_single_signals_give(codec: Codec, checkpoint: Path, signals: list[Samples]) -> None:
    """As on a GPU: one batch for all, ended with zeros."""
    batching = load_codec(checkpoint, device="cpu")
    assert isinstance(batching, MimiCodec)
    batching.batch_frames = 10_000
    codes = codec.encode(signals, 8)
    for one, other in zip(codes, batching.encode(signals, 8), strict=True):
        assert (one == other).mean() > 0.99  # the rest would be near-ties
    for one, other in zip(codec.decode(codes), batching.decode(codes), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * np.abs(one).max())


def test_batches_hold_similar_sizes_and_stay_within_their_limit() -> None:
    sizes = [10, 300, 20, 290, 5, 1000]
    batches = list(batched_by_size(sizes, 600))
    assert sorted(index for batch in batches for index in batch) == list(range(6))
    assert all(len(batch) == 1 or len(batch) * max(sizes[i] for i in batch) <= 600 for batch in batches)
    assert batches[0] == [5]
    assert [1, 3] in batches
    assert list(batched_by_size(sizes, 0)) == [[5], [1], [3], [2], [0], [4]]


@pytest.mark.parametrize("backend", ["transformers", "moshi"])
@torch.inference_mode()
def test_long_sound_in_chunks_gives_what_the_authors_model_gives_in_one_go(
    checkpoint: Path, moshi_file: Path, signals: list[Samples], backend: str
) -> None:
    """31 s: beyond the 10 s that the attention of one layer spans, in many chunks against one."""
    long = np.concatenate([signals[3], signals[3][::-1], signals[3][: 5 * 24_000]])
    long = long[: len(long) // FRAME * FRAME]
    assert len(long) > 3 * CHUNK * FRAME
    authors = get_mimi(None, moshi_settings(MimiConfig.from_pretrained(checkpoint)), num_codebooks=8)
    authors.load_state_dict(load_file(moshi_file / "tokenizer.safetensors"))
    codec = load_codec(checkpoint, device="cpu", backend=backend)
    (code,) = codec.encode([long], 8)
    whole = authors.encode(torch.from_numpy(long)[None, None])
    assert (code == whole[0].numpy()).mean() > 0.995  # the rest would be near-ties
    expected = authors.decode(whole)[0, 0].numpy()
    np.testing.assert_allclose(codec.decode([whole[0].numpy()])[0], expected, atol=1e-5 * np.abs(expected).max())


def test_what_comes_later_changes_nothing_before_it(codec: Codec, signals: list[Samples]) -> None:
    whole = signals[3]
    (code,) = codec.encode([whole], 8)
    (start,) = codec.encode([whole[: 20 * FRAME]], 8)
    assert (code[:, :20] == start).mean() > 0.99


# Two libraries, two layouts


def test_moshi_and_transformers_agree(codec: Codec, moshi: Codec, signals: list[Samples]) -> None:
    ours, theirs = codec.encode(signals), moshi.encode(signals)
    assert np.mean([np.mean(a == b) for a, b in zip(ours, theirs, strict=True)]) > 0.99
    for a, b in zip(codec.decode(ours), moshi.decode(ours), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 * np.abs(a).max())


def test_the_real_architecture_agrees_too(tmp_path: Path, signals: list[Samples]) -> None:
    """MimiConfig() as published against `get_mimi()` as published."""
    state = load_file(random_checkpoint(tmp_path, small=False) / "model.safetensors")
    theirs = get_mimi(None, num_codebooks=32)
    theirs.load_state_dict(to_moshi(state, MimiConfig().num_attention_heads))
    ours = load_codec(tmp_path, device="cpu")
    signal = signals[0][: 12 * FRAME]
    (code,) = ours.encode([signal])
    with torch.inference_mode():
        other = theirs.encode(torch.from_numpy(signal)[None, None])[0].numpy()
        sound = theirs.decode(torch.from_numpy(code)[None])[0, 0].numpy()
    assert (code == other).mean() > 0.98
    np.testing.assert_allclose(ours.decode([code])[0], sound, atol=1e-5 * np.abs(sound).max())


def test_layouts_convert_there_and_back(checkpoint: Path, moshi_file: Path) -> None:
    heads = SMALL["num_attention_heads"]
    saved = load_file(checkpoint / "model.safetensors")
    converted = load_file(moshi_file / "tokenizer.safetensors")
    assert is_moshi(converted)
    assert not is_moshi(saved)
    in_memory = get_mimi(None, moshi_settings(MimiConfig.from_pretrained(checkpoint)))
    in_memory.load_state_dict(dict(converted))
    for state in (converted, in_memory.state_dict()):
        back = to_transformers(state, heads)
        assert back.keys() == saved.keys()
        assert all(torch.equal(back[name], saved[name]) for name in saved)


def test_a_checkpoint_in_moshis_layout_loads_in_both(moshi_file: Path, codec: Codec, signals: list[Samples]) -> None:
    expected = codec.encode(signals[:1], 8)[0]
    np.testing.assert_array_equal(load_codec(moshi_file, device="cpu").encode(signals[:1], 8)[0], expected)
    other = load_codec(moshi_file, backend="moshi", device="cpu").encode(signals[:1], 8)[0]
    assert (other == expected).mean() > 0.99


def test_a_foreign_tensor_is_named(checkpoint: Path) -> None:
    state = load_file(checkpoint / "model.safetensors") | {"lm_head.weight": torch.zeros(1)}
    with pytest.raises(InputError, match=r"lm_head.weight: no tensor of a Mimi"):
        to_moshi(state, 4)


# Which weights


def test_a_folder_is_known_by_its_digest(codec: Codec, checkpoint: Path) -> None:
    assert codec.weights_digest == find_weights(checkpoint).digest
    assert codec.provenance["weights_sha256"] == codec.weights_digest
    assert codec.name == codec.provenance["source"] == checkpoint.name
    assert not codec.is_reference
    assert str(checkpoint.parent) not in json.dumps(dict(codec.provenance))


def test_half_precision_is_read_as_single(checkpoint: Path, tmp_path: Path, signals: list[Samples]) -> None:
    MimiModel.from_pretrained(checkpoint).half().save_pretrained(tmp_path)
    (sound,) = load_codec(tmp_path, device="cpu").reconstruct(signals[:1], 8)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()


@pytest.fixture
def cache(tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Hugging Face cache in which the small checkpoint stands as the pinned revision of kyutai/mimi."""
    repository = tmp_path / f"models--{MIMI.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(PINNED)
    shutil.copytree(checkpoint, repository / "snapshots" / PINNED)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return repository


def test_the_cache_is_used_before_the_network(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for revision in (PINNED, "main", None):
        weights = find_weights(MIMI, revision)
        assert (weights.source, weights.revision) == (MIMI, PINNED)
    assert find_weights(cache / "snapshots" / PINNED).source == MIMI


def test_another_process_finds_the_same_weights_by_their_place(
    cache: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    bare = shutil.copy(checkpoint / "model.safetensors", tmp_path / "weights.safetensors")
    for source in ("mimi", MIMI, f"{MIMI}:{PINNED}", "pocket", checkpoint.name, cache / "snapshots" / PINNED, bare):
        monkeypatch.chdir(checkpoint.parent)
        found = find_weights(source)
        told = found.identity, found.describe()
        monkeypatch.chdir(tmp_path)
        again = find_weights(found.place)
        assert (again.identity, again.describe()) == told
        assert again.place == found.place
    assert find_weights("mimi").place == f"{MIMI}:{PINNED}", "another machine has a cache of its own"


def test_a_cache_named_after_kyutais_mimi_does_not_make_it_that(cache: Path) -> None:
    for found in (find_weights(MIMI), find_weights(cache / "snapshots" / PINNED)):
        assert not found.is_reference
        assert found.name == f"{MIMI} of other weights ({found.digest[:8]})"


def test_the_published_digest_makes_it_kyutais_mimi_wherever_it_lies(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_weights(checkpoint)
    assert not found.is_reference
    monkeypatch.setitem(KYUTAI_DIGESTS, found.digest, "as if Kyutai had published it")
    assert (found.is_reference, found.name) == (True, MIMI)


def test_a_hub_id_means_its_main_branch_and_mimi_its_pinned_commit(cache: Path) -> None:
    (cache / "refs" / "main").write_text("0" * 40)
    other = cache.parent / "models--some--codec"
    shutil.copytree(cache, other)
    (other / "snapshots" / PINNED).rename(other / "snapshots" / ("0" * 40))
    assert find_weights(MIMI).revision == PINNED
    assert find_weights("some/codec").revision == "0" * 40
    assert load_codec("some/codec", device="cpu").provenance["revision"] == "0" * 40


def test_loaded_from_the_cache_the_codec_names_hub_and_commit(cache: Path) -> None:
    assert cache.is_dir()
    codec = load_codec(device="cpu")
    assert not codec.is_reference
    assert (codec.provenance["source"], codec.provenance["revision"]) == (MIMI, PINNED)


def test_published_digests_are_sha256() -> None:
    assert all(len(bytes.fromhex(digest)) == 32 for digest in KYUTAI_DIGESTS)


def test_missing_weights_name_three_ways_to_supply_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(Unavailable, match="HF_HUB_OFFLINE forbids") as offline:
        load_codec()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    for proxy in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    with pytest.raises(Unavailable, match="hub cannot be reached") as unreachable:
        load_codec()
    with pytest.raises(Unavailable, match="no codec at nowhere") as nowhere:
        load_codec("nowhere")
    for told in (offline, unreachable, nowhere):
        assert all(way in told.value.remedy for way in ("(1) a folder", "(2) the Hugging Face cache", "(3) the hub"))
        assert "hf_secret" not in str(told.value)


PARTS: dict[str, Callable[[Path], object]] = {
    "config.json alone": lambda folder: (folder / "model.safetensors").unlink(),
    "a download that broke off": lambda folder: (folder / "model.safetensors").rename(folder / "x.incomplete"),
    "a link to a blob that is not there": lambda folder: relink(folder / "model.safetensors", folder / "blobs" / "0"),
    "tensors alone": lambda folder: (folder / "config.json").unlink(),
    "nothing": lambda folder: [path.unlink() for path in folder.iterdir()],
}


def relink(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize("what", PARTS)
def test_a_part_in_the_cache_counts_as_none(cache: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    PARTS[what](cache / "snapshots" / PINNED)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    lacking = "config.json" if what in ("tensors alone", "nothing") else "model.safetensors"
    with pytest.raises(Unavailable, match=rf"in the local cache without {lacking}.*HF_HUB_OFFLINE forbids"):
        load_codec(MIMI)


@pytest.fixture
def hub(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A hub on this machine that serves the small checkpoint as kyutai/mimi; its address."""
    files = {name: (checkpoint / name).read_bytes() for name in ("config.json", "model.safetensors")}

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            tree = [{"type": "file", "path": name, "size": len(files[name]), "oid": "0" * 40} for name in files]
            about = {"id": MIMI, "sha": PINNED, "siblings": [{"rfilename": name} for name in files]}
            listing = json.dumps(tree if "/tree/" in path else about).encode()
            content = files.get(path.rpartition("/")[2], listing)
            self.send_response(200)
            for header, value in (
                ("Content-Length", str(len(content))),
                ("ETag", f'"{hashlib.sha256(content).hexdigest()}"'),
                ("X-Repo-Commit", PINNED),
                ("Content-Type", "application/json"),
            ):
                self.send_header(header, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    for proxy in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_part_in_the_cache_is_made_whole_by_the_hub(cache: Path, hub: str, checkpoint: Path) -> None:
    """In a process of its own: the hub's client reads its address once."""
    (cache / "snapshots" / PINNED / "model.safetensors").unlink()
    code = "from audio.codec.weights import find_weights as f; print(f('kyutai/mimi').digest)"
    environment = {**os.environ, "HF_ENDPOINT": hub, "HF_HUB_CACHE": str(cache.parent), "HF_HUB_OFFLINE": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == find_weights(checkpoint).digest, done.stderr


@pytest.mark.parametrize(
    "address", ["huggingface.co", "htp://hub", "https://", "http://hub:port", "http://[::1", "", "file:///tmp"]
)
def test_an_endpoint_that_is_no_address_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    with pytest.raises(Unavailable, match=r"HF_ENDPOINT is '.*', expected an address such as https://"):
        load_codec()


@pytest.mark.parametrize("backend", ["transformers", "moshi"])
def test_tensors_that_are_not_finite_are_refused(tmp_path: Path, checkpoint: Path, backend: str) -> None:
    state = load_file(checkpoint / "model.safetensors")
    for name in sorted(state)[:5]:
        state[name] = state[name].float() + torch.tensor([torch.nan, torch.inf][len(name) % 2])
    save_file(state, tmp_path / "model.safetensors")
    shutil.copy(checkpoint / "config.json", tmp_path)
    with pytest.raises(InputError, match=r"model.safetensors: NaN or infinite values in .* and 2 more") as caught:
        load_codec(tmp_path, backend=backend, device="cpu")
    assert sorted(state)[0] in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, checkpoint: Path, share: float) -> None:
    whole = (checkpoint / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: int(share * len(whole))])
    shutil.copy(checkpoint / "config.json", tmp_path)
    with pytest.raises(InputError, match=r"model.safetensors: not a safetensors file .*\n.*download the file again"):
        load_codec(tmp_path, device="cpu")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"num_quantizers": "32"}, ["num_quantizers: '32', expected a whole number such as 32"]),
        (
            {"hidden_size": 1.5, "use_causal_conv": 1, "norm_eps": "small", "pad_mode": 3},
            ["hidden_size: 1.5", "use_causal_conv: 1, expected true or false", "norm_eps: 'small'", "pad_mode: 3"],
        ),
        ({"upsampling_ratios": 8}, ["upsampling_ratios: 8, expected a list"]),
        ({"upsampling_ratios": [8, "6", 5, 4]}, ["upsampling_ratios: [8, '6', 5, 4], expected a whole number"]),
        ({"sampling_rate": None}, ["sampling_rate: None, expected a whole number such as 24000"]),
        ([1, 2], ["holds a list, expected an object"]),
        ("mimi", ["holds a str, expected an object"]),
        (None, ["holds a NoneType, expected an object"]),
    ],
)
def test_a_setting_of_another_kind_is_named(
    tmp_path: Path, checkpoint: Path, settings: dict[str, Any] | list[int] | str | None, told: list[str]
) -> None:
    known = json.loads((checkpoint / "config.json").read_text())
    changed = {**known, **settings} if isinstance(settings, dict) else settings
    (tmp_path / "config.json").write_text(json.dumps(changed))
    shutil.copy(checkpoint / "model.safetensors", tmp_path)
    with pytest.raises(InputError) as caught:
        load_codec(tmp_path, device="cpu")
    assert [part in str(caught.value) for part in told] == [True] * len(told), str(caught.value)


@pytest.mark.parametrize("settings", [{"num_attention_heads": 0}, {"hidden_size": -4}, {"codebook_size": 65}])
def test_settings_that_make_no_mimi_are_one_message(tmp_path: Path, checkpoint: Path, settings: dict[str, Any]) -> None:
    known = json.loads((checkpoint / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**known, **settings}))
    shutil.copy(checkpoint / "model.safetensors", tmp_path)
    with pytest.raises(InputError, match=str(tmp_path)):
        load_codec(tmp_path, device="cpu")


def test_the_file_of_tensors_stands_for_its_folder(checkpoint: Path) -> None:
    by_file, by_folder = find_weights(checkpoint / "model.safetensors"), find_weights(checkpoint)
    assert by_file == by_folder
    assert by_file.config == checkpoint / "config.json"


def test_a_folder_that_is_no_checkpoint_says_what_is_wrong(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(InputError, match=r"holds 0 .safetensors files"):
        load_codec(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "encodec"}')
    (tmp_path / "model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(InputError, match=r"model.safetensors: cannot be loaded as a codec of type encodec"):
        load_codec(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config.json:1: not JSON"):
        load_codec(tmp_path)
    shutil.copy(checkpoint / "config.json", tmp_path)
    with pytest.raises(InputError, match=r"model.safetensors: not a safetensors file"):
        load_codec(tmp_path)


@pytest.mark.parametrize("backend", ["transformers", "moshi"])
def test_a_checkpoint_with_a_tensor_missing_is_refused(tmp_path: Path, checkpoint: Path, backend: str) -> None:
    state = load_file(checkpoint / "model.safetensors")
    del state["encoder.layers.0.conv.weight"]
    save_file(state, tmp_path / "model.safetensors")
    shutil.copy(checkpoint / "config.json", tmp_path)
    with pytest.raises(InputError, match=r"model.safetensors: .*encoder\.(\w+\.)*0\.conv"):
        load_codec(tmp_path, backend=backend, device="cpu")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "onnx"}, "unknown backend 'onnx'"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"device": ""}, "unknown device ''"),
        ({"device": "mps"}, "mps is not supported"),
        ({"device": "meta"}, "meta is not supported"),
        ({"device": "cpu:3"}, "cpu:3 is asked for and this machine has no such one"),
        pytest.param(
            {"device": "cuda"},
            "this machine has no CUDA",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here"),
        ),
    ],
)
def test_unknown_arguments_are_refused(checkpoint: Path, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_codec(checkpoint, **arguments)  # type: ignore[arg-type]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_gpu_gives_what_the_cpu_gives(codec: Codec, checkpoint: Path, signals: list[Samples]) -> None:
    on_gpu = load_codec(checkpoint, device="cuda")
    codes = codec.encode(signals, 8)
    for one, other in zip(codes, on_gpu.encode(signals, 8), strict=True):
        assert (one == other).mean() > 0.98
    for one, other in zip(codec.decode(codes), on_gpu.decode(codes), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3 * np.abs(one).max())


@pytest.mark.parametrize(
    ("source", "asked", "told"),
    [("somebody/codec", None, "main"), ("somebody/codec", "v2", "v2"), (MIMI, None, PINNED)],
)
def test_what_to_do_without_weights_names_the_codec_that_was_asked_for(
    source: str, asked: str | None, told: str
) -> None:
    with pytest.raises(Unavailable) as caught:
        find_weights(source, asked, download=False)
    assert f"`hf download {source} --revision {told}`" in caught.value.remedy
