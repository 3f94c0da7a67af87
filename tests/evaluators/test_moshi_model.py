"""Moshi and Mimi as executed: the published figures, the behaviour behind them, and controls that can fail."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from moshi.models import loaders
from moshi.utils import compile as moshi_compile

from basics.errors import Undefined
from evaluators import registry
from evaluators.evidence import Measurement, Quantity, Site
from evaluators.moshi_model import MoshiModel, NoParameters, language_model, mimi_behaviour, reach, sources, step, text
from evaluators.moshi_model.bench import Bench, Probe, fact, isolated, observe

ANY = NoParameters()

# Moshi paper, arXiv 2410.00037 (sections 3.3 and 3.4, table 1), and the released configuration.
PUBLISHED = {
    "mimi.sample_rate_hz": 24000,
    "mimi.frame_rate_hz": 12.5,
    "mimi.frame_samples": 1920,
    "mimi.frame_ms": 80,
    "mimi.algorithmic_delay_ms": 80,
    "mimi.streaming_step_ms": 80,
    "mimi.streaming_samples_out": 1920,
    "mimi.encoder_lookahead_frames": 0,
    "mimi.decoder_lookahead_samples": 0,
    "mimi.codebooks": 32,
    "mimi.semantic_codebooks": 1,
    "mimi.acoustic_codebooks": 31,
    "mimi.codebooks_used_by_moshi": 8,
    "mimi.cardinality": 2048,
    "mimi.bitrate_8_bps": 1100,
    "mimi.bitrate_32_bps": 4400,
    "mimi.context_s": 10,
    "mimi.transformers_codebooks": 32,
    "mimi.transformers_semantic_codebooks": 1,
    "mimi.transformers_frame_rate_hz": 12.5,
    "moshi.streams": 17,
    "moshi.text_streams": 1,
    "moshi.model_audio_streams": 8,
    "moshi.user_audio_streams": 8,
    "moshi.user_text_streams": 0,
    "moshi.text_delay_frames": 0,
    "moshi.semantic_delay_frames": 0,
    "moshi.max_acoustic_delay_frames": 1,
    "moshi.theoretical_latency_ms": 160,
    "moshi.temporal_layers": 32,
    "moshi.temporal_width": 4096,
    "moshi.depth_layers": 6,
    "moshi.depth_width": 1024,
    "moshi.text_padding_token_id": 3,
    "moshi.text_end_of_padding_token_id": 0,
    "moshi.text_padding_tokens": 2,
    "moshi.text_tokens_not_printed": 2,
    "moshi.turn_token_count": 0,
    "moshi.extra_heads": 0,
    "moshi.step_required_inputs": 1,
    "moshi.step_user_codes_in": 8,
    "moshi.step_text_tokens_out": 1,
    "moshi.step_audio_codes_out": 8,
    "moshi.streams_unaccounted": 0,
    "moshi.user_text_tokens_in": 0,
    "moshi.step_ms": 80,
    "moshi.temporal_steps_per_frame": 1,
    "moshi.depth_steps_per_frame": 8,
    "moshi.frames_before_first_output": 1,
    "moshi.output_share_while_user_speaks": 1,
    "moshi.output_share_user_loud": 1,
    "moshi.output_share_user_silent": 1,
    "moshi.frames_between_text_and_audio": 0,
    "moshi.text_first_share": 1,
    "moshi.frames_until_audio_reacts_to_own_text": 0,
    "moshi.semantic_lag_frames": 0,
    "moshi.acoustic_lag_frames": 1,
    "moshi.steps_until_logits_react_to_user": 0,
    "moshi.steps_until_output_reacts_to_user": 0,
    "moshi.temporal_steps_without_text": 1,
    "moshi.dialogue_samples_in_per_step": 1920,
    "moshi.dialogue_samples_out_per_step": 1920,
    "moshi.dialogue_asr_tts_modules": 0,
    "moshi.source_asr_tts_files": 0,
    "moshi.source_matches_voice_activity": 0,
    "moshi.source_matches_turn_token": 0,
    "moshi.source_matches_loudness": 0,
}


@dataclass(frozen=True)
class Run:
    """One whole measurement, the progress it reported, and the process's settings before and after."""

    measurements: dict[str, Measurement]
    progress: list[float]
    before: tuple[object, ...]
    after: tuple[object, ...]

    def value(self, name: str) -> float:
        found = self.measurements[name].value
        assert isinstance(found, int | float), self.measurements[name].undefined
        return found


def settings() -> tuple[object, ...]:
    return (
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_rng_state().tolist(),
        moshi_compile._compile_disabled,
    )


@pytest.fixture(scope="session")
def run() -> Run:
    before, progress = settings(), list[float]()
    found = MoshiModel().measure(ANY, Site(progress=lambda _step, done: progress.append(done)))
    return Run({m.name: m for m in found.measurements}, progress, before, settings())


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(("name", "expected"), PUBLISHED.items())
def test_execution_agrees_with_the_paper(run: Run, name: str, expected: float) -> None:
    assert run.value(name) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("moshi.temporal_parameters_billion", 6.577),
        ("moshi.depth_parameters_billion", 0.617),
        ("moshi.total_parameters_billion", 7.688),
    ],
)
def test_parameters_of_the_full_model_are_counted_without_allocating_it(run: Run, name: str, billions: float) -> None:
    assert run.value(name) == pytest.approx(billions, abs=1e-3)


def test_streaming_equals_offline_up_to_rounding(run: Run) -> None:
    assert run.value("mimi.streaming_offline_latent_mismatch") < 1e-4
    assert run.value("mimi.streaming_offline_audio_mismatch") < 1e-4
    assert run.value("mimi.streaming_offline_code_mismatch") < 0.01


def test_semantic_codebook_lies_beside_the_residual_chain(run: Run) -> None:
    assert run.value("mimi.acoustic_codes_changed_by_semantic_codebook") == 0
    assert run.value("mimi.acoustic_codes_changed_by_first_acoustic_codebook") > 0.5
    assert run.value("mimi.codebook_prefix_mismatch") == 0


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_influence_outlasts_the_context_of_one_attention_layer(run: Run, part: str) -> None:
    faded, last = run.value(f"mimi.{part}_reach_s"), run.value(f"mimi.{part}_last_change_s")
    assert run.value("mimi.context_s") < faded < last
    assert run.measurements[f"mimi.{part}_last_change_s"].n == 40
    frame = run.value("mimi.frame_ms") / 1000
    assert last == pytest.approx(40 - 12 * frame, abs=frame), "the very last samples may be equal by a rounding"
    assert "no bound was observed" in run.measurements[f"mimi.{part}_last_change_s"].note
    assert "no bound was observed" not in run.measurements[f"mimi.{part}_reach_s"].note


def test_text_steers_the_audio_and_takes_no_place_in_the_sequence(run: Run) -> None:
    assert run.value("moshi.audio_changes_without_text") > 0.5
    assert run.value("moshi.temporal_steps_without_text") == run.value("moshi.temporal_steps_per_frame")


def test_figures_are_consistent_with_one_another(run: Run) -> None:
    assert run.value("moshi.streams") == run.value("moshi.text_streams") + run.value("moshi.audio_streams")
    assert run.value("mimi.codebooks") == run.value("mimi.semantic_codebooks") + run.value("mimi.acoustic_codebooks")
    assert run.value("mimi.codes_per_second_8") == 8 * 1000 / run.value("mimi.frame_ms")
    assert run.value("moshi.depth_to_temporal_ratio") < 0.1
    assert run.value("moshi.theoretical_latency_ms") == run.value("moshi.step_ms") * (
        1 + run.value("moshi.frames_before_first_output")
    )


def test_every_measurement_is_executed_defined_and_says_where_it_comes_from(run: Run) -> None:
    for measurement in run.measurements.values():
        assert measurement.source == "executed"
        assert measurement.undefined is None
        assert measurement.locator
        assert measurement.unit


def test_quantities_announce_exactly_what_is_measured(run: Run) -> None:
    announced: list[Quantity] = list(MoshiModel().quantities(ANY))
    assert [q.name for q in announced] == list(run.measurements)
    assert len({q.name for q in announced}) == len(announced)
    for quantity in announced:
        assert quantity.about
        assert quantity.unit == run.measurements[quantity.name].unit
        value = run.value(quantity.name)
        assert quantity.low is None or quantity.low <= value
        assert quantity.high is None or value <= quantity.high


def test_measuring_leaves_seed_threads_gradients_and_compilation_as_they_were(run: Run) -> None:
    assert run.before == run.after
    assert run.progress == sorted(run.progress)
    assert run.progress[-1] == 1


def test_the_same_seed_gives_the_same_numbers(run: Run, bench: Bench) -> None:
    torch.rand(3)
    for probe in (*step.PROBES, *text.PROBES, *language_model.PROBES):
        for measurement in observe(probe, bench).measurements:
            assert measurement == run.measurements[measurement.name]


def test_the_documentation_has_every_name_and_no_other(repository: Path) -> None:
    page = (repository / "docs/evaluators/moshi_model.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z0-9_.]+)` \|", page, re.MULTILINE)
    assert documented == [quantity.name for quantity in MoshiModel().quantities(ANY)]


def test_registry_finds_it_and_importing_it_loads_no_torch() -> None:
    assert isinstance(registry.get("moshi_model"), MoshiModel)
    code = (
        "import sys, evaluators.moshi_model as e; m = e.MoshiModel(); list(m.quantities(e.NoParameters()));"
        "sys.exit(bool({'torch', 'moshi', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(registry.__file__).parent.parent)


# Controls: the causality probe.


def conv(kernel: int, left: int, right: int, stride: int = 1) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.ConstantPad1d((left, right), 0.0), torch.nn.Conv1d(1, 1, kernel, stride, bias=False)
    )


@pytest.mark.parametrize("right", [0, 1, 2, 4])
def test_lookahead_is_what_a_convolution_is_padded_with_on_the_right(right: int) -> None:
    signal, other = torch.randn(1, 1, 40), torch.randn(1, 1, 40)
    with torch.no_grad():
        assert mimi_behaviour.lookahead(conv(5, 4 - right, right), signal, other, [10, 20]) == right


def test_lookahead_of_a_strided_encoder_and_of_a_decoder_is_counted_in_output_positions() -> None:
    signal, other = torch.randn(1, 1, 40), torch.randn(1, 1, 40)
    with torch.no_grad():
        assert mimi_behaviour.lookahead(conv(4, 0, 0, stride=4), signal, other, [8], hop_in=4) == 0
        assert mimi_behaviour.lookahead(conv(8, 0, 4, stride=4), signal, other, [8], hop_in=4) == 1
    assert mimi_behaviour.lookahead(lambda x: x.repeat_interleave(3, -1), signal, other, [5], hop_out=3) == 0
    assert mimi_behaviour.lookahead(lambda x: x.repeat_interleave(3, -1)[..., 2:], signal, other, [5], hop_out=3) == 2


def test_lookahead_is_undefined_where_nothing_reacts() -> None:
    with pytest.raises(Undefined, match="from position 3 on never reached the output"):
        mimi_behaviour.lookahead(torch.zeros_like, torch.randn(1, 1, 8), torch.randn(1, 1, 8), [3])


# Controls: how long an influence lasts.


def filtered(*taps: float) -> torch.nn.Module:
    """A causal filter: output n is the sum of taps[k] * input[n - k]."""
    made = torch.nn.Sequential(torch.nn.ConstantPad1d((len(taps) - 1, 0), 0.0), torch.nn.Conv1d(1, 1, len(taps)))
    made[1].weight.data = torch.tensor(taps).flip(0)[None, None]
    return made


@pytest.mark.parametrize(
    ("taps", "faded", "last"),
    [
        ((1.0,), 0, 0),
        ((1.0, 0.0, 0.0, 1.0), 3, 3),
        ((1.0, 0.0, 0.1, 0.0, 1e-4), 2, 4),
        ((0.0, 0.0, 0.0, 0.0, 1.0), 4, 4),
    ],
)
def test_an_influence_lasts_as_long_as_the_filter(taps: tuple[float, ...], faded: float, last: float) -> None:
    signal = torch.zeros(1, 1, 40)
    other = signal + 1
    with torch.no_grad():
        found = reach.reach(filtered(*taps), signal, other, 10, seconds=20)
    assert found == (faded / 2, last / 2)


def test_an_influence_that_ends_with_its_cause_lasts_no_time_and_one_without_end_lasts_for_the_run() -> None:
    signal, other = torch.zeros(1, 1, 40), torch.ones(1, 1, 40)
    ahead = reach.reach(lambda x: x[..., 8:], signal, other, 10, seconds=40)
    assert ahead == (0, 0)
    assert reach.reach(lambda x: x.cumsum(-1), signal, other, 10, seconds=40) == (30, 30)
    with pytest.raises(Undefined, match="never reached the output"):
        reach.reach(torch.zeros_like, signal, other, 10, seconds=40)


@pytest.mark.parametrize("layers", [1, 2])
def test_each_attention_layer_reaches_as_far_as_its_context(bench: Bench, run: Run, layers: int) -> None:
    transformer = copy.deepcopy(bench.mimi.encoder_transformer)
    transformer.transformer.layers = transformer.transformer.layers[:layers]
    rate = bench.mimi.encoder_frame_rate
    with isolated():
        signal, other = torch.randn(2, 1, 512, 700)
        found = reach.reach(lambda x: transformer(x)[0], signal, other, 24, seconds=700 / rate)
    assert found.last == pytest.approx(layers * (run.value("mimi.context_s") - 1 / rate))


# Controls: the dialogue step.


@pytest.mark.parametrize(
    ("fed", "foreign"),
    [([[9], [1], [2]], 0), ([[9], [1], [7]], 1), ([[9, 9], [1, 5], [2, 6]], 2), ([[0], [1], [2]], 1)],
)
def test_text_that_the_model_did_not_draw_itself_is_counted(fed: list[list[int]], foreign: int) -> None:
    trace = step.Trace(text=[torch.tensor([t]) for t in (1, 2, 3)], text_fed=[torch.tensor([tokens]) for tokens in fed])
    assert text.foreign_text(trace, initial=9) == foreign


def test_text_that_never_goes_in_is_not_taken_for_the_models_own() -> None:
    with pytest.raises(Undefined, match="never used"):
        text.foreign_text(step.Trace(text=[torch.tensor([1])]), initial=9)


def test_text_put_into_the_stream_from_outside_is_seen(bench: Bench) -> None:
    """Another token takes the place of the drawn one where the model keeps its text."""
    from moshi.models.lm import LMGen

    lm, trace = bench.tiny_lm, step.Trace()
    generator = LMGen(lm, on_text_hook=lambda token: trace.text.append(token.clone()))
    hook = lm.text_emb.register_forward_pre_hook(lambda _m, inputs: trace.text_fed.append(inputs[0].clone()))
    with isolated(), hook, generator.streaming(1):
        for codes in step.random_codes(lm, 4, 8):
            generator.step(codes)
            generator._streaming_state.cache[:, 0] = (trace.text[-1] + 1) % lm.text_card
    assert text.foreign_text(trace, lm.text_initial_token_id) == 3


def test_the_zero_token_leaves_the_text_out(bench: Bench) -> None:
    """Without it, other embeddings of the text change what is drawn; with it, nothing does."""
    lm, user = bench.tiny_lm, step.random_codes(bench.tiny_lm, 4, 8)
    deaf = copy.deepcopy(lm)
    with torch.no_grad():
        for embedding in (deaf.text_emb, deaf.depformer_text_emb):
            embedding.weight[: lm.text_card] = torch.randn_like(embedding.weight[: lm.text_card])
    heard, unheard = (step.run(model, user, forced_text=lm.zero_token_id) for model in (lm, deaf))
    assert all(torch.equal(a, b) for a, b in zip(heard.text_logits, unheard.text_logits, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(heard.audio, unheard.audio, strict=True))
    assert text.share_of_changed(step.run(lm, user).audio, step.run(deaf, user).audio, since=0) > 0


def test_equal_runs_have_no_share_of_changed_steps(bench: Bench) -> None:
    user = step.random_codes(bench.tiny_lm, 4, 8)
    before, after = step.run(bench.tiny_lm, user), step.run(bench.tiny_lm, user)
    assert text.share_of_changed(before.audio, after.audio, since=0) == 0
    with pytest.raises(Undefined, match="no step to compare"):
        text.share_of_changed(before.audio, after.audio, since=4)


def test_same_user_means_no_reaction(bench: Bench) -> None:
    user = step.random_codes(bench.tiny_lm, 4, 8)
    before, after = step.run(bench.tiny_lm, user), step.run(bench.tiny_lm, user)
    with pytest.raises(Undefined, match="never reached the output"):
        step.first_change(before.text_logits, after.text_logits)


def test_delays_of_another_model_are_seen_in_what_it_returns() -> None:
    from evaluators.moshi_model.bench import TINY

    delays = {"delays": [0, 0, *[3] * 7, 0, *[3] * 7]}
    with isolated():
        lm = loaders.get_moshi_lm(None, dtype=torch.float32, lm_kwargs_overrides=TINY | delays).eval()
    found = step.run(lm, step.random_codes(lm, 8, 8))
    assert [out is None for out in found.returned] == [True] * 3 + [False] * 5
    assert step.lag(found, 0) - step.lag(found, 2) == 3


def test_returned_tokens_that_were_never_drawn_have_no_lag() -> None:
    drawn, returned = torch.tensor([1]), torch.full((1, 9, 1), 2)
    with pytest.raises(Undefined, match="not the ones that were drawn"):
        step.lag(step.Trace(returned=[returned], text=[drawn]), 0)


# Controls: the search for what is absent.


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package whose server reaches `a` and `deep.b`, and neither `apart` nor `deep.c`."""
    files = {
        "moshi/__init__.py": "",
        "moshi/server.py": "import json\nfrom .a import thing\nfrom . import deep\nif text_token not in (0, 3): pass\n",
        "moshi/a.py": "from moshi.deep import b\n# streaming\n",
        "moshi/deep/__init__.py": "",
        "moshi/deep/b.py": "from .. import a\nvad_threshold = 1\nreturned = 'Return'\n",
        "moshi/deep/c.py": "loudness = 3\n",
        "moshi/apart.py": "def end_of_turn(): ...\n",
    }
    for name, content in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return tmp_path / "moshi"


def test_search_covers_what_the_server_imports_and_nothing_else(package: Path) -> None:
    found = {file.relative_to(package).as_posix() for file in sources.reached(package, "server")}
    assert found == {"__init__.py", "server.py", "a.py", "deep/__init__.py", "deep/b.py"}


@pytest.mark.parametrize(
    ("topic", "line"),
    [
        ("voice_activity", "if vad_model(chunk): listen()"),
        ("voice_activity", "threshold = VoiceActivityDetector()"),
        ("turn_token", "TURN_END = 7"),
        ("turn_token", "if not user_turn: speak()"),
        ("loudness", "rms = chunk.pow(2).mean().sqrt()"),
        ("loudness", "# louder than -30 dBFS"),
    ],
)
def test_search_finds_planted_lines(package: Path, topic: str, line: str) -> None:
    file = package / "a.py"
    file.write_text(f"# streaming\n{line}\n", encoding="utf-8")
    assert [(hit.path, hit.line, hit.text) for hit in sources.search([file], sources.PATTERNS[topic])] == [
        (file, 2, line)
    ]


@pytest.mark.parametrize("line", ["return x", "RMSNorm(rms_norm_f32)", "# cloud platforms", "evade(invader)"])
def test_search_passes_over_words_that_only_look_alike(package: Path, line: str) -> None:
    (package / "a.py").write_text(line, encoding="utf-8")
    assert not [hit for pattern in sources.PATTERNS.values() for hit in sources.search([package / "a.py"], pattern)]


@pytest.fixture
def installed(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sources, "package_root", lambda: package)
    return package


@pytest.mark.usefixtures("installed")
def test_a_mechanism_in_the_dialogue_counts_and_one_elsewhere_is_only_mentioned() -> None:
    found = {m.name: m for probe in sources.PROBES for m in observe(probe, Bench()).measurements}
    assert found["moshi.source_matches_voice_activity"].value == 1
    assert "deep/b.py" in found["moshi.source_matches_voice_activity"].note
    assert found["moshi.source_matches_turn_token"].value == 0
    assert "apart.py" in found["moshi.source_matches_turn_token"].note
    assert found["moshi.source_matches_loudness"].n == 5
    assert found["moshi.text_tokens_not_printed"].value == 2


def test_a_search_that_finds_nothing_at_all_proves_nothing(installed: Path) -> None:
    (installed / "a.py").write_text("", encoding="utf-8")
    for measurement in observe(sources.PROBES[1], Bench()).measurements:
        assert measurement.value is None
        assert "its silence means nothing" in str(measurement.undefined)


# A package that has moved on.


def test_what_the_package_no_longer_has_is_undefined_with_the_reason_and_the_rest_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(loaders, "FRAME_RATE")
    found = {m.name: m for probe in language_model.PROBES for m in observe(probe, bench).measurements}
    lost = {name for name, m in found.items() if m.value is None}
    assert lost == {
        "moshi.text_delay_frames",
        "moshi.semantic_delay_frames",
        "moshi.max_acoustic_delay_frames",
        "moshi.theoretical_latency_ms",
        "moshi.context_s",
    }
    assert all("AttributeError" in str(found[name].undefined) for name in lost)
    assert all("FRAME_RATE" in str(found[name].undefined) for name in lost)


def test_a_fault_that_is_not_the_packages_is_not_hidden() -> None:
    def broken(_bench: Bench) -> dict[str, float]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        observe(Probe("broken", (fact("moshi.x", "x", "x", "x"),), broken), Bench())
