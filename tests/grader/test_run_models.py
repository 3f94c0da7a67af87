"""`earwitness run-models` end to end on tiny random checkpoints: the answers are noise, everything else is real."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from basics.errors import Unavailable
from evaluators.speaker_gender import models
from evaluators.speaker_gender.responses import read_responses
from grader.cli import app
from tests.tiny_models import CHAT, save_audio_model, save_llama, save_whisper, tokenizer

CLIPS = ("F_1", "F_2", "M_1")

Run = Callable[..., Result]


@pytest.fixture(scope="module", autouse=True)
def _few_tokens() -> Iterator[None]:
    """Noise needs no 512 tokens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(models.NEW_TOKENS, "model_b", 24)
        yield


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options that name a Whisper, a Llama and a Qwen2-Audio of random weights."""
    home = tmp_path_factory.mktemp("checkpoints")
    whisper, llama = save_whisper(home / "whisper"), save_llama(home / "llama")
    return ["--asr", whisper, "--llm", llama, "--audio-llm", save_audio_model(home / "audio")]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips named as the homework names them: hums at a woman's, another woman's and a man's pitch."""
    import soundfile

    home = tmp_path_factory.mktemp("clips")
    seconds = np.arange(16_000) / 16_000
    for name, pitch in zip(CLIPS, (210, 190, 110), strict=True):
        hum = sum(np.sin(2 * np.pi * pitch * k * seconds) / k for k in range(1, 6))
        soundfile.write(home / f"{name}.wav", 0.1 * hum, 16_000)
    return home


@pytest.fixture(scope="module")
def run() -> Run:
    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, ["run-models", *map(str, arguments)])

    return call


@pytest.fixture(scope="module")
def recorded(run: Run, checkpoints: list[str], clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The answers of one whole run."""
    out = tmp_path_factory.mktemp("answers") / "responses.jsonl"
    done = run("--audio", clips, "--out", out, *checkpoints, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"out": str(out), "written": 6, "known": 0, "problems": []}
    return out


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_both_models_answer_every_clip(recorded: Path, checkpoints: list[str]) -> None:
    answers = rows(recorded)
    assert [(a["model"], a["clip"]) for a in answers] == [
        (model, f"{clip}.wav") for model in ("model_a", "model_b") for clip in CLIPS
    ]
    assert [a["gender"] for a in answers] == ["female", "female", "male"] * 2
    assert answers[0]["models"] == [checkpoints[1], checkpoints[3]]
    assert answers[3]["models"] == [checkpoints[5]]
    assert all(isinstance(a["transcript"], str) for a in answers[:3]), "a cascade has a transcript"
    assert all(a["transcript"] is None for a in answers[3:]), "an end-to-end model has none"


def test_the_answers_can_be_read_as_evidence(recorded: Path) -> None:
    found = read_responses(recorded)
    assert {(r.model, r.clip, r.gender) for r in found if r.model == "model_a"} == {
        ("model_a", "F_1", "female"),
        ("model_a", "F_2", "female"),
        ("model_a", "M_1", "male"),
    }


def test_a_second_run_asks_nobody_again(run: Run, recorded: Path, clips: Path, checkpoints: list[str]) -> None:
    before = recorded.read_bytes()
    done = run("--audio", clips, "--out", recorded, *checkpoints)
    assert done.exit_code == 0
    assert "0 answers written, 6 were there already" in " ".join(done.output.split())
    assert recorded.read_bytes() == before


def test_a_run_that_was_cut_short_goes_on_to_the_same_answers(
    run: Run, recorded: Path, clips: Path, checkpoints: list[str], tmp_path: Path
) -> None:
    whole = recorded.read_bytes()
    out = tmp_path / "responses.jsonl"
    out.write_bytes(whole[: whole.rindex(b'"response"')])
    done = run("--audio", clips, "--out", out, *checkpoints)
    assert "1 answers written, 5 were there already" in done.output
    assert out.read_bytes() == whole


def test_answers_of_other_checkpoints_are_not_mixed(
    run: Run, recorded: Path, clips: Path, checkpoints: list[str]
) -> None:
    before = recorded.read_bytes()
    done = run("--audio", clips, "--out", recorded, *checkpoints, "--llm", "someone/else")
    assert done.exit_code == 2
    assert "holds answers of model_a by" in done.stderr
    assert "give another --out" in done.stderr
    assert recorded.read_bytes() == before


def test_an_unreadable_clip_is_named_and_the_others_are_answered(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "F_1.wav").write_bytes((clips / "F_1.wav").read_bytes())
    (folder / "M_9.wav").write_bytes(b"not audio")
    done = run("--audio", folder, "--out", tmp_path / "out.jsonl", *checkpoints, "--only", "a")
    assert done.exit_code == 3
    assert "M_9.wav" in done.stderr.replace("\n", "")
    assert [row["clip"] for row in rows(tmp_path / "out.jsonl")] == ["F_1.wav"]


def test_without_weights_the_message_says_how_to_get_them(
    run: Run, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    done = run("--audio", clips, "--out", tmp_path / "out.jsonl")
    assert done.exit_code == 2
    assert "openai/whisper-large-v3 is neither on this machine nor could it be downloaded" in done.stderr
    assert "hf download openai/whisper-large-v3" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_a_gated_model_is_explained_without_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import GatedRepoError

    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    gate = GatedRepoError.__new__(GatedRepoError)  # its constructor wants the hub's response, of varying type
    gate.args = ("hf_secret is not enough",)

    def load() -> None:
        with models.explained("meta-llama/Llama-3.1-8B-Instruct"):
            try:
                raise gate
            except GatedRepoError as error:
                raise OSError("You are trying to access a gated repo. hf_secret") from error

    with pytest.raises(Unavailable, match=r"gated: its licence") as caught:
        load()
    assert "https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct" in str(caught.value)
    assert "hf auth login" in str(caught.value)
    assert "hf_secret" not in str(caught.value)


def test_a_checkpoint_with_code_of_its_own_is_not_run(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "desta"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "desta25", "architectures": ["DeSTA25AudioModel"]}))
    done = run("--audio", clips, "--out", tmp_path / "out.jsonl", *checkpoints, "--audio-llm", folder, "--only", "b")
    assert done.exit_code == 2
    assert "it needs code of its own" in done.stderr
    assert '"model": "model_b"' in done.stderr, "how to record its answers otherwise"


def test_a_language_model_without_chat_template_is_refused(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path
) -> None:
    base = save_llama(tmp_path / "base", template=None)
    done = run("--audio", clips, "--out", tmp_path / "out.jsonl", *checkpoints, "--llm", base, "--only", "a")
    assert done.exit_code == 2
    assert "has no chat template" in done.stderr


def test_the_end_to_end_model_hears_the_sound(checkpoints: list[str]) -> None:
    model = models.EndToEnd(checkpoints[5], "cpu")
    generator = np.random.default_rng(0)
    sounds = [generator.normal(scale=scale, size=8000).astype(np.float32) for scale in np.linspace(0, 0.4, 8)]
    answers = [model(sound) for sound in sounds]
    assert answers == [model(sound) for sound in sounds], "the same sound gives the same answer"
    assert len({answer.response for answer in answers}) > 1, "another sound may give another"


NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
DROPS_SYSTEM = CHAT.replace("{% for m in messages %}", "{% for m in messages if m['role'] != 'system' %}")
"""Templates as released models have them: one refuses a system's turn, one leaves it out."""


@pytest.mark.parametrize("template", [NO_SYSTEM + CHAT, DROPS_SYSTEM], ids=["refuses", "drops"])
def test_instructions_go_before_the_users_words_where_the_template_takes_no_system(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path, template: str
) -> None:
    llama = save_llama(tmp_path / "gemma", template=template)
    out = tmp_path / "out.jsonl"
    done = run("--audio", clips, "--out", out, *checkpoints, "--llm", llama, "--only", "a")
    assert done.exit_code == 0, done.output
    assert len(rows(out)) == len(CLIPS)
    asked = tokenizer(template).apply_chat_template(
        models.Cascade.turns(merged=True, transcript="so it said"), add_generation_prompt=True, tokenize=False
    )
    assert asked.index(models.SYSTEM) < asked.index(models.INSTRUCTION) < asked.index("so it said")


def test_a_template_that_takes_no_instructions_is_refused(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path
) -> None:
    llama = save_llama(tmp_path / "deaf", template="{% for m in messages %}{{ m['role'] }}{% endfor %}")
    done = run("--audio", clips, "--out", tmp_path / "out.jsonl", *checkpoints, "--llm", llama, "--only", "a")
    assert done.exit_code == 2
    assert "takes no instructions (it leaves out what it is given)" in " ".join(done.stderr.split())


def test_a_whisper_is_no_audio_language_model_and_the_other_model_is_asked_all_the_same(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    done = run("--audio", clips, "--out", out, *checkpoints, "--audio-llm", checkpoints[1])
    assert done.exit_code == 3, done.output
    assert "(whisper) has no chat template" in " ".join(done.stderr.split())
    assert [row["model"] for row in rows(out)] == ["model_a"] * len(CLIPS)


@pytest.mark.parametrize(
    ("option", "other", "told"),
    [("--asr", 3, "is a llama, expected a Whisper"), ("--audio-llm", 3, "(llama) takes no sound")],
)
def test_a_model_of_another_kind_is_named(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path, option: str, other: int, told: str
) -> None:
    only = "a" if option == "--asr" else "b"
    given = [*checkpoints, option, checkpoints[other], "--only", only]
    done = run("--audio", clips, "--out", tmp_path / "out.jsonl", *given)
    assert done.exit_code == 2, done.output
    assert told in " ".join(done.stderr.split())


@pytest.mark.parametrize("damaged", ["--llm", "--audio-llm"])
def test_a_checkpoint_that_breaks_does_not_end_the_other_models_run(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path, damaged: str
) -> None:
    source = Path(checkpoints[checkpoints.index(damaged) + 1])
    broken = tmp_path / "broken"
    shutil.copytree(source, broken)
    (broken / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes()[:500])
    out = tmp_path / "out.jsonl"
    done = run("--audio", clips, "--out", out, *checkpoints, damaged, broken)
    assert done.exit_code == 3, done.output
    assert str(broken) in done.stderr.replace("\n", "")
    assert {row["model"] for row in rows(out)} == {"model_b" if damaged == "--llm" else "model_a"}


def test_sound_that_does_not_go_in_whole_is_not_asked_about(
    run: Run, clips: Path, checkpoints: list[str], tmp_path: Path
) -> None:
    """Whisper hears a long clip window by window; an audio model would hear its first 30 s."""
    import soundfile

    folder, out = tmp_path / "clips", tmp_path / "out.jsonl"
    folder.mkdir()
    (folder / "F_1.wav").write_bytes((clips / "F_1.wav").read_bytes())
    hum, rate = soundfile.read(clips / "M_1.wav")
    soundfile.write(folder / "M_1.wav", np.tile(hum, 31), rate)
    done = run("--audio", folder, "--out", out, *checkpoints)
    assert done.exit_code == 3, done.output
    told = " ".join(done.stderr.split())
    assert "M_1.wav: is not asked of model_b: it lasts 31.0 s, and the model hears the first 30 s: cut the clip" in told
    assert [(row["model"], row["clip"]) for row in rows(out)] == [
        ("model_a", "F_1.wav"),
        ("model_a", "M_1.wav"),
        ("model_b", "F_1.wav"),
    ]


@pytest.mark.parametrize("place", ["a folder", "below a file"])
def test_answers_that_could_not_be_written_are_told_of_before_anything_is_loaded(
    run: Run, clips: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path if place == "a folder" else tmp_path / "file" / "out.jsonl"
    done = run("--audio", clips, "--out", out, "--asr", "none/none")
    assert done.exit_code == 2, done.output
    assert ("is a folder" if place == "a folder" else "is no folder") in " ".join(done.stderr.split())
    assert "none/none" not in done.stderr


@pytest.mark.parametrize("device", ["mps", "gpu", "cuda:99", "xla"])
def test_a_device_that_nothing_runs_on_is_one_message(run: Run, clips: Path, tmp_path: Path, device: str) -> None:
    done = run("--audio", clips, "--out", tmp_path / "out.jsonl", "--device", device)
    assert done.exit_code == 2, done.output
    assert "choose auto, cpu or cuda[:N]" in done.stderr
    assert "Traceback" not in done.output
