"""Codecs compared: paired values with reasons, kept as they stand, gone on with after a kill, the same on a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.stats import permutation_test

from audio.codec import Rate
from audio.metrics import registry
from basics.errors import InputError
from basics.workers import shared_pool
from evaluators.comparison import running, work
from evaluators.comparison.results import write_summary
from evaluators.comparison.sources import Source, read_sources
from evaluators.comparison.statistics import holm, summarize
from evaluators.store import Store
from grader.quiz.loading import load_quiz
from grader.verdicts.testimony import Gatherer
from tests.audio.conftest import RATE
from tests.conftest import need_program
from tests.evaluators.dying_clip import dies, opens

METRICS = ("stoi", "log_mel_distance")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def clips(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five clips of a second, one of them silent."""
    folder = tmp_path_factory.mktemp("clips")
    sound, rate = soundfile.read(repository / "audio/clips/English_speech.flac", dtype="float32")
    for i in range(4):
        soundfile.write(folder / f"{i}.wav", sound[i * rate // 2 : (i + 2) * rate // 2 + 100 * i], rate)
    soundfile.write(folder / "quiet.wav", np.zeros(rate), rate)
    return folder


def compared(clips: Path, texts: list[str], store: Path, **options: Any) -> running.Comparison:
    with running.crew_for(None, METRICS, **options) as crew:
        codecs = running.open_codecs(texts, "cpu", crew)
        return running.compare(read_sources(clips), codecs, METRICS, Store(store), lambda _, __: None, crew=crew)


# What it comes to


def test_only_clips_with_a_value_everywhere_are_compared() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(9, 3))
    values[2, 1] = np.nan
    values[:, 2] = np.nan
    summary = summarize("stoi", values)
    assert summary.common == (0, 1, 3, 4, 5, 6, 7, 8)
    assert [row.defined for row in summary.rows] == [9, 8, 0]
    assert summary.rows[0].spread.mean == pytest.approx(values[list(summary.common), 0].mean())
    assert summary.rows[2].spread.reason == "no clip has a value"
    (apart,) = summary.differences
    assert (apart.a, apart.b) == (0, 1)


@pytest.mark.parametrize("n", [8, 40])
def test_p_values_are_those_of_the_permutation_test(n: int) -> None:
    values = np.random.default_rng(1).normal(size=(n, 2)) + np.array([0.35, 0.0])
    (apart,) = summarize("stoi", values).differences
    expected = permutation_test(
        (values[:, 0], values[:, 1]),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        n_resamples=9999,
        rng=np.random.default_rng(0),
    ).pvalue
    assert apart.p == pytest.approx(expected, abs=0 if n <= 13 else 0.02)


def test_holm_holds_all_pairs_together() -> None:
    assert holm([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])


def test_many_settings_are_compared_with_the_first() -> None:
    summary = summarize("stoi", np.random.default_rng(0).normal(size=(5, 10)))
    assert {apart.a for apart in summary.differences} == {0}
    assert len(summary.differences) == 9


def test_a_difference_decides_a_claim_as_the_page_says(repository: Path, tmp_path: Path) -> None:
    settings = tuple(
        work.Setting(name, name, Rate(bits, codebooks))
        for name, bits, codebooks in [("mimi", 1100, 8), ("encodec", 1500, None)]
    )
    values = np.array([[5.0 + i / 10, 4.0 + i / 11] for i in range(8)])
    sources = tuple(Source(f"{i}.wav", f"{i}.wav") for i in range(8))
    metrics, summaries = ("log_mel_distance",), [summarize("log_mel_distance", values)]
    found = running.Comparison(sources, settings, metrics, {metrics[0]: values}, np.ones(8), summaries=summaries)
    (tmp_path / "comparison").mkdir()
    write_summary(found, tmp_path / "comparison")
    page = (repository / "docs/compare.md").read_text(encoding="utf-8")
    asked = page.partition("## From a comparison to a claim")[2].partition("```yaml\n")[2].partition("```")[0]
    head = "id: a\ntitle: A\npoints: 1\nprompt: P?\nchoose: many\n"
    (tmp_path / "a.yaml").write_text(head + asked)
    (tmp_path / "quiz.yaml").write_text(
        "id: codecs\ntitle: Codecs\nquestions: [a.yaml]\ntotal: 1\n"
        "deadline: 2026-03-01T00:00:00+08:00\naccept: [measured]\n"
    )
    book = load_quiz(tmp_path)
    gatherer = Gatherer(book, book.quiz.accept, book.site, Store(tmp_path / "store"), "auto")
    verdicts = gatherer.testimony(book.questions[0]).verdicts
    assert [verdict.state for verdict in verdicts.values()] == ["supported", "refuted"]


# Which clips


def test_clips_come_from_folders_and_manifests(clips: Path, tmp_path: Path) -> None:
    assert [source.name for source in read_sources(clips)] == ["0.wav", "1.wav", "2.wav", "3.wav", "quiet.wav"]
    (tmp_path / "list.csv").write_text(f"file\n{clips / '1.wav'}\nhttps://example.org/a.flac\n")
    named = read_sources(tmp_path / "list.csv")
    assert [source.remote for source in named] == [False, True]
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    import pyarrow

    parquet.write_table(pyarrow.table({"file": [str(clips / "0.wav")]}), tmp_path / "list.parquet")
    assert read_sources(tmp_path / "list.parquet")[0].place.endswith("0.wav")


def test_a_manifest_of_thousands_that_are_not_there_is_told_in_a_thousand(tmp_path: Path, earwitness: Run) -> None:
    (tmp_path / "list.csv").write_text("\n".join(["file", *(f"{i}.wav" for i in range(3000))]))
    told = earwitness("compare", "opus@16", "--audio", str(tmp_path / "list.csv"))
    assert told.returncode == 2
    assert told.stderr.count("no such audio file") == 1000
    assert "and 2000 more problems like these" in told.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.csv", "name\na.wav\n", "has no column file"),
        ("list.csv", "file\na.wav\nb.wav\n", r"a.wav: no such audio file[\s\S]*b.wav: no such audio file"),
        ("list.csv", "file\nx://a\nx://a\n", "lists x://a more than once"),
        ("list.txt", "", "is neither a folder nor a manifest"),
        ("list.parquet", "no", "cannot be read as Parquet"),
        ("empty/readme.md", "", "no such folder or file|holds no sound files"),
    ],
)
def test_a_list_of_clips_that_cannot_be_used_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_sources(path.parent if path.suffix == ".md" else path)


# Measuring


def test_every_value_is_there_or_has_a_reason_and_is_kept(clips: Path, tmp_path: Path) -> None:
    need_program("ffmpeg")
    first = compared(clips, ["pocket@nq=1,nq=8", "opus@24"], tmp_path, jobs=1)
    assert [setting.rate.codebooks for setting in first.settings] == [1, 8, None]
    for metric in METRICS:
        known = np.isfinite(first.values[metric])
        assert known[:4].all()
        assert not known[4].any()
        assert {first.reasons[4, place, metric] for place in range(3)} == {"the reference is silent"}
    assert (first.values["log_mel_distance"][:4, 2] < first.values["log_mel_distance"][:4, 0]).all()
    again = compared(clips, ["opus@24", "pocket@nq=8"], tmp_path)
    assert (again.known, again.fresh) == (5, 0)
    np.testing.assert_array_equal(again.values["stoi"][:, 0], first.values["stoi"][:, 2])
    further = compared(clips, ["opus@24,32"], tmp_path)
    assert further.known == 0, "only what is new is measured, but of every clip something is"
    np.testing.assert_array_equal(further.values["stoi"][:, 0], first.values["stoi"][:, 2])


def test_a_clip_that_cannot_be_read_costs_itself(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/a.wav").write_bytes((clips / "0.wav").read_bytes())
    (tmp_path / "clips/b.wav").write_bytes((clips / "1.wav").read_bytes()[:9000])
    found = compared(tmp_path / "clips", ["pocket@nq=1"], tmp_path / "store", jobs=1)
    assert np.isfinite(found.values["stoi"][0, 0])
    assert found.reasons[1, 0, "stoi"].startswith("it cannot be read: ")
    assert compared(tmp_path / "clips", ["pocket@nq=1"], tmp_path / "store", jobs=1).known == 1, (
        "nothing was kept of it"
    )


def test_a_codec_that_crashes_loses_its_own_values_and_a_kill_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "score_clip", dies)
    pool = shared_pool(1)
    settings = tuple(work.Setting(name, name, Rate(1000.0)) for name in ("good", "bad", "shot"))
    made = work.attempt(pool, work.Task("a", "a.wav", settings[:2], ("stoi",)))
    assert made.values[0] == {"stoi": 1.0}
    assert made.values[1] == {"stoi": "bad crashed (SIGSEGV), and again when it was tried once more"}
    assert made.kept, "a crash of its code is a result"
    shot = work.attempt(pool, work.Task("a", "a.wav", settings[::2], ("stoi",)))
    assert "ended from outside (SIGKILL)" in str(shot.values[1]["stoi"])
    assert not shot.kept, "what the machine did is none"


def test_a_codec_that_ends_its_process_as_it_is_loaded_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "opened", opens)
    with pytest.raises(InputError) as told:
        running.open_codecs(["pocket@nq=1", "bad", "worse"], "cpu")
    assert "bad: ends the process that loads it (SIGSEGV)" in str(told.value)
    assert "worse: is no codec" in str(told.value)
    assert len(told.value.problems) == 2


def test_a_codec_whose_weights_were_changed_meanwhile_is_not_taken_for_the_one_that_was(repository: Path) -> None:
    (setting,) = running.open_codecs(["pocket@nq=1"], "cpu").settings
    clip = str(repository / "audio/clips/laughter.flac")
    other = replace(setting, facts=("another",))
    made = work.attempt(shared_pool(1), work.Task("a", clip, (other,), ("stoi",)))
    assert "pocket is not the codec that the work began with" in str(made.values[0]["stoi"])
    assert not made.kept
    assert work.attempt(shared_pool(1), work.Task("a", clip, (setting,), ("stoi",))).kept


def louder(reference: Any, estimate: Any, *, sample_rate: int) -> float:  # noqa: ARG001 - as every measure
    return float("nan") if not estimate.any() else float(np.abs(estimate).max())


def test_measures_of_other_packages_are_taken_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from audio.measures import Measure

    class Point:
        value = "theirs:louder"

        def __init__(self, function: Any) -> None:
            self.load = lambda: function

    vars(louder)["measure"] = Measure("", 0.0, None, True, "nobody", "never")
    monkeypatch.setattr(registry, "brought", lambda: {"louder": Point(louder), "none": Point(3)})
    registry.function_of.cache_clear()
    ones = np.ones(RATE)
    registry.require_metrics(["louder"], RATE)
    assert registry.measure(ones, ones / 2, sample_rate=RATE, metrics=["louder"]) == {"louder": 0.5}
    assert "returned nan" in str(registry.measure(ones, 0 * ones, sample_rate=RATE, metrics=["louder"])["louder"])
    assert registry.facts_of("louder").source == "nobody"
    with pytest.raises(InputError, match="is no function with an attribute `measure`"):
        registry.require_metrics(["none"], RATE)
    with pytest.raises(InputError, match=r"unknown metric 'stio'[\s\S]*did you mean stoi"):
        registry.require_metrics(["stio"], RATE)
    registry.function_of.cache_clear()


# The command


def test_what_cannot_be_compared_is_refused_in_a_message(earwitness: Run, clips: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "EARWITNESS_CACHE": str(tmp_path / "store")}
    done = earwitness("compare", "nothing", "x@loud", "--audio", clips, "--out", tmp_path / "out", env=environment)
    assert done.returncode == 2, done.stderr
    assert "nothing: is no codec" in done.stderr
    assert "asks for 'loud', which is no bitrate" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_killed_goes_on_from_what_it_kept(earwitness: Run, clips: Path, tmp_path: Path) -> None:
    """A real SIGKILL while it measures; then the same command, whose page and tables are those of a run of one go."""
    need_program("ffmpeg")
    many = tmp_path / "clips"
    many.mkdir()
    for i in range(12):
        sound, rate = soundfile.read(clips / f"{i % 4}.wav")
        soundfile.write(many / f"{i:02}.wav", sound[: rate + 10 * i], rate)
    command = ["compare", "opus@16,32", "--audio", str(many), "--metric", "stoi", "--jobs", "1"]
    environment = {**os.environ, "EARWITNESS_CACHE": str(tmp_path / "store")}
    program = [sys.executable, "-c", "from grader.cli import main; main()", *command, "--out", str(tmp_path / "out")]
    with subprocess.Popen(program, env=environment, stderr=subprocess.PIPE) as running_one:
        kept: list[Path] = []
        while running_one.poll() is None and len(kept) < 4:
            kept = [*(tmp_path / "store/records").rglob("*.json")]
            time.sleep(0.02)
        running_one.kill()
    done = earwitness(*command, "--out", tmp_path / "out", "--json", env=environment)
    assert done.returncode == 0, done.stderr
    resumed = json.loads(done.stdout)
    assert 2 <= resumed["known"] < 12
    whole = compared(many, ["opus@16,32"], tmp_path / "new")
    means = [row["spread"]["mean"] for row in resumed["measures"][0]["means"]]
    assert means == [row.spread.mean for row in summarize("stoi", whole.values["stoi"], within=(-1, 1)).rows]
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert page.count("<audio") == 10 * 3
    assert 'src="http' not in page
    assert "Differences, clip by clip" in page
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    table = parquet.read_table(tmp_path / "out/results.parquet")
    assert table.num_rows == 24
    assert set(table.column("metric").to_pylist()) == {"stoi"}
