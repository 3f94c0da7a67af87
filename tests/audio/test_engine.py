"""Many pairs at once give what they give alone, and nothing that dies takes anything else with it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from audio.metrics import METRICS, WindowMean, measure_pairs
from audio.metrics.engine import Pair, measure_surely
from basics.errors import InputError, Undefined
from basics.workers import Crashed, Pool
from tests.audio.conftest import RATE, Samples, add_noise

ALL = sorted(METRICS)

CRASH = "import numpy, pesq; x = numpy.load({path!r}); pesq.pesq(16000, x, x, 'wb')"


@pytest.fixture(scope="module")
def pairs(speech: Samples) -> list[Pair]:
    return [(speech, add_noise(speech, snr)) for snr in (20, 10, 0)] + [(speech, np.zeros_like(speech))]


@pytest.fixture(scope="module")
def many_utterances() -> Samples:
    """25 s of short bursts: more utterances than the C code of PESQ has room for."""
    rng = np.random.default_rng(0)
    burst = np.concatenate([rng.standard_normal(3360), np.zeros(3360)])
    loudness = np.repeat(rng.uniform(0.3, 1, 4000), 100)
    return (np.tile(burst, 60)[: 25 * RATE] * loudness).astype(np.float32)


def test_values_are_those_of_the_single_functions_whatever_the_jobs(pairs: list[Pair]) -> None:
    one, two = (measure_pairs(pairs, sample_rate=RATE, metrics=ALL, jobs=jobs) for jobs in (1, 2))
    assert list(one[0]) == ALL
    for (reference, estimate), alone, together in zip(pairs[:3], one, two, strict=False):
        assert alone == together
        for name, value in alone.items():
            expected = METRICS[name](reference, estimate, sample_rate=RATE)
            assert value == pytest.approx(expected, abs=1e-5 if "pesq" in name else 1e-12)


def test_an_undefined_value_keeps_its_reason_and_its_place(pairs: list[Pair]) -> None:
    results = measure_pairs(pairs[2:] + pairs[:1], sample_rate=RATE, metrics=["stoi", "pesq_wb"], jobs=2)
    assert [isinstance(result["stoi"], float) for result in results] == [True, False, True]
    assert all(
        isinstance(value, Undefined) and value.reason == "the estimate is silent" for value in results[1].values()
    )


def test_no_pairs_give_no_results() -> None:
    assert measure_pairs([], sample_rate=RATE, metrics=ALL) == []


def test_all_mistakes_are_told_before_anything_is_measured(speech: Samples) -> None:
    with pytest.raises(InputError) as told:
        measure_pairs([], sample_rate=24_000, metrics=["pesq_wb", "visqol"])
    assert [problem.what for problem in told.value.problems] == ["mode 'wb' at 24000 Hz", "unknown metric 'visqol'"]
    with pytest.raises(InputError) as told:
        measure_pairs(
            [(speech, speech[1:]), (speech, speech), (speech[:, None], speech)], sample_rate=RATE, metrics=ALL
        )
    assert [problem.where for problem in told.value.problems] == ["pair 0", "pair 2"]


def test_what_crashes_the_library_is_measured_in_windows(
    many_utterances: Samples, pairs: list[Pair], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = str(tmp_path_factory.mktemp("crash") / "x.npy")
    np.save(path, many_utterances)
    bare = subprocess.run([sys.executable, "-c", CRASH.format(path=path)], check=False)
    assert bare.returncode == -signal.SIGSEGV
    long, short = measure_pairs(
        [(many_utterances, add_noise(many_utterances, 20)), pairs[0]], sample_rate=RATE, metrics=["pesq_wb", "stoi"]
    )
    assert isinstance(long["pesq_wb"], WindowMean)
    assert isinstance(long["stoi"], float)
    assert all(isinstance(value, float) for value in short.values())


class PesqDies(Pool):
    """A pool in which PESQ kills its worker on every signal longer than `bearable` seconds."""

    def __init__(self, bearable: float) -> None:
        super().__init__()
        self.bearable = bearable
        self.grow(1)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        reference, _, sample_rate, metrics = arguments
        if "pesq_wb" in metrics and len(reference) > self.bearable * sample_rate:
            raise Crashed("SIGSEGV")
        return super().call(function, *arguments)


def test_after_a_crash_only_the_culprit_is_lost(speech: Samples) -> None:
    pool = PesqDies(bearable=0)
    pair = np.tile(speech, 3), add_noise(np.tile(speech, 3), 10)
    values = measure_surely(pool, pair=pair, sample_rate=RATE, metrics=["pesq_wb", "stoi"])
    pool.close()
    assert isinstance(values["stoi"], float)
    assert isinstance(values["pesq_wb"], Undefined)
    assert values["pesq_wb"].reason == "pesq crashed (SIGSEGV)"


def test_after_a_crash_pesq_is_tried_in_shorter_windows(speech: Samples) -> None:
    pool = PesqDies(bearable=8)
    pair = np.tile(speech, 4), add_noise(np.tile(speech, 4), 10)
    values = measure_surely(pool, pair=pair, sample_rate=RATE, metrics=["pesq_wb"])
    pool.close()
    assert isinstance(values["pesq_wb"], WindowMean)
    assert values["pesq_wb"].windows == values["pesq_wb"].attempted >= 2
