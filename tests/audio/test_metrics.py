"""Each measure is the published one, moves the right way, and says why when it has no value."""

from __future__ import annotations

import csv
import pickle
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pesq as itu
import pystoi
import pytest
import torch

from audio.clip import align, load
from audio.measures import MEASURES
from audio.metrics import (
    METRICS,
    WindowMean,
    estoi,
    log_mel_distance,
    multi_resolution_stft_distance,
    pesq,
    si_sdr,
    stoi,
    stoi_and_estoi,
)
from audio.metrics.quality import windows
from basics.errors import InputError, Undefined
from tests.audio.conftest import RATE, Samples, add_noise

NAMES = sorted(MEASURES)
measures = pytest.mark.parametrize("name", NAMES)
for_any_sound = pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("f0_")])
"""F0 is that of a voice: drowned in noise it is undefined (tests/audio/test_pitch.py)."""


# Parity with the published implementations


@pytest.mark.parametrize("mode", ["wb", "nb"])
def test_pesq_is_that_of_the_package(speech: Samples, noisy: Samples, mode: str) -> None:
    assert pesq(speech, noisy, sample_rate=RATE, mode=mode) == pytest.approx(
        itu.pesq(RATE, speech, noisy, mode), abs=1e-5
    )


@pytest.mark.parametrize("rate", [8000, 10_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_stoi_and_estoi_are_those_of_pystoi(speech: Samples, noisy: Samples, rate: int) -> None:
    x, y = speech.astype(float), noisy.astype(float)
    both = stoi_and_estoi(x, y, sample_rate=rate)
    assert both.stoi == pytest.approx(pystoi.stoi(x, y, rate), abs=1e-12)
    assert both.estoi == pytest.approx(pystoi.stoi(x, y, rate, extended=True), abs=1e-12)
    assert (stoi(x, y, sample_rate=rate), estoi(x, y, sample_rate=rate)) == both


def test_stoi_with_pauses_is_that_of_pystoi(speech: Samples) -> None:
    gaps = np.concatenate([np.zeros(5000), speech[:20_000], np.zeros(30_000), speech[20_000:], np.zeros(77)])
    degraded = add_noise(gaps, 5)
    assert stoi(gaps, degraded, sample_rate=RATE) == pytest.approx(pystoi.stoi(gaps, degraded, RATE), abs=1e-12)


def test_si_sdr_is_its_definition(speech: Samples, noisy: Samples) -> None:
    x, y = (signal - signal.mean() for signal in (speech.astype(float), noisy.astype(float)))
    scale, *_ = np.linalg.lstsq(x[:, None], y, rcond=None)
    expected = 10 * np.log10(np.sum((scale * x) ** 2) / np.sum((y - scale * x) ** 2))
    assert si_sdr(speech, noisy, sample_rate=RATE) == pytest.approx(expected, abs=1e-9)
    assert expected == pytest.approx(10, abs=0.2)


def test_multi_resolution_stft_distance_is_that_of_parallel_wavegan(speech: Samples, noisy: Samples) -> None:
    """The loss as the authors' code computes it, with torch.stft."""
    x, y = (torch.from_numpy(signal.astype(np.float64))[None] for signal in (speech, noisy))
    losses = []
    for n_fft, hop, window in ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240)):
        hann = torch.hann_window(window, dtype=torch.float64)
        mags = [
            torch.sqrt(torch.clamp(torch.stft(s, n_fft, hop, window, hann, return_complex=True).abs() ** 2, min=1e-7))
            for s in (x, y)
        ]
        convergence = torch.linalg.norm(mags[0] - mags[1]) / torch.linalg.norm(mags[0])
        losses.append(convergence + torch.nn.functional.l1_loss(mags[0].log(), mags[1].log()))
    value = multi_resolution_stft_distance(speech, noisy, sample_rate=RATE)
    assert value == pytest.approx(float(sum(losses) / 3), rel=1e-9)


def test_log_mel_distance_of_a_gain_is_that_gain() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE)
    assert log_mel_distance(noise, noise * 10 ** (-3 / 20), sample_rate=RATE) == pytest.approx(3.0, abs=1e-9)


def test_real_mimi_pairs_measure_as_published(shared: Path) -> None:
    pairs = shared / "audio" / "pairs"
    rows = list(csv.DictReader((pairs / "manifest.csv").open(encoding="utf-8")))
    chosen = rows[::6] + [row for row in rows if "muffin" in row["pair_id"]][:2]
    assert len(chosen) >= 9
    for row in chosen:
        files = (load(pairs / row[name], RATE).samples for name in ("orig_file", "recon_file"))
        _, reference, estimate, *_ = align(*files, RATE)
        value = partial(pesq, reference, estimate, sample_rate=RATE)
        intelligible = stoi_and_estoi(reference, estimate, sample_rate=RATE)
        assert value(mode="wb") == pytest.approx(float(row["pesq_wb_16k"]), abs=0.02), row["pair_id"]
        assert value(mode="nb") == pytest.approx(float(row["pesq_nb_16k"]), abs=0.02), row["pair_id"]
        assert intelligible.stoi == pytest.approx(float(row["stoi_16k"]), abs=0.005), row["pair_id"]
        assert intelligible.estoi == pytest.approx(float(row["estoi_16k"]), abs=0.005), row["pair_id"]


# Metamorphic behaviour


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("pesq_wb", 4.644),
        ("pesq_nb", 4.549),
        ("stoi", 1),
        ("estoi", 1),
        ("log_mel_distance", 0),
        ("mrstft_distance", 0),
        ("f0_correlation", 1),
        ("f0_error", 0),
    ],
)
def test_a_signal_is_best_at_being_itself(speech: Samples, name: str, best: float) -> None:
    assert METRICS[name](speech, speech.copy(), sample_rate=RATE) == pytest.approx(best, abs=1e-3)


@for_any_sound
@pytest.mark.parametrize("snr", [60, 0, -20])
def test_values_lie_in_the_stated_range(speech: Samples, name: str, snr: float) -> None:
    value = METRICS[name](speech, add_noise(speech, snr), sample_rate=RATE)
    low, high = MEASURES[name].low, MEASURES[name].high
    assert low is None or value >= low
    assert high is None or value <= high


def test_every_measure_has_its_facts_and_its_function() -> None:
    assert list(METRICS) == list(MEASURES)


@for_any_sound
def test_more_noise_is_never_better(speech: Samples, name: str) -> None:
    values = [METRICS[name](speech, add_noise(speech, snr), sample_rate=RATE) for snr in (30, 15, 5, -5)]
    assert values == sorted(values, reverse=MEASURES[name].higher_is_better)
    assert values[0] != values[-1]


@pytest.mark.parametrize("name", ["pesq_wb", "pesq_nb", "stoi", "estoi", "si_sdr", "f0_correlation", "f0_error"])
def test_gain_and_polarity_of_the_estimate_do_not_matter(speech: Samples, noisy: Samples, name: str) -> None:
    plain = METRICS[name](speech, noisy, sample_rate=RATE)
    assert METRICS[name](speech, noisy * np.float32(-0.3), sample_rate=RATE) == pytest.approx(plain, abs=2e-3)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mrstft_distance"])  # its floor is absolute
def test_the_level_of_both_does_not_matter(speech: Samples, noisy: Samples, name: str) -> None:
    half = (signal * np.float32(0.5) for signal in (speech, noisy))
    plain = METRICS[name](speech, noisy, sample_rate=RATE)
    assert METRICS[name](*half, sample_rate=RATE) == pytest.approx(plain, rel=0.01)


@pytest.mark.parametrize("name", ["pesq_wb", "stoi", "estoi", "mrstft_distance", "log_mel_distance", "f0_error"])
def test_a_delay_is_punished(speech: Samples, name: str) -> None:
    metric = partial(METRICS[name], sample_rate=RATE)
    whole, late = metric(speech[960:], speech[960:]), metric(speech[960:], speech[:-960])
    assert late < whole - 0.05 if MEASURES[name].higher_is_better else late > whole + 0.05


# Undefined, and misused


@measures
@pytest.mark.parametrize(
    ("fault", "reason"), [(0.0, "silent"), (np.nan, "NaN or infinite"), (np.inf, "NaN or infinite")]
)
def test_no_measure_has_a_value_for_silence_or_nan(speech: Samples, name: str, fault: float, reason: str) -> None:
    bad = np.full_like(speech, fault)
    for reference, estimate, which in ((bad, speech, "reference"), (speech, bad, "estimate")):
        with pytest.raises(Undefined, match=rf"{which} (is|has) {reason}"):
            METRICS[name](reference, estimate, sample_rate=RATE)


@pytest.mark.parametrize(
    ("name", "samples", "reason"),
    [
        ("pesq_wb", 3000, "quarter of a second"),
        ("stoi", 5000, "30 frames of speech"),
        ("estoi", 5000, "30 frames of speech"),
        ("stoi", 300, "one frame"),
        ("log_mel_distance", 500, "40 ms"),
        ("mrstft_distance", 1000, "1025 samples"),
        ("si_sdr", 0, "empty"),
        ("f0_correlation", 4000, "30 frames"),
        ("f0_error", 4000, "30 frames"),
    ],
)
def test_too_short_says_how_short(speech: Samples, noisy: Samples, name: str, samples: int, reason: str) -> None:
    cut = slice(8000, 8000 + samples)
    with pytest.raises(Undefined, match=reason):
        METRICS[name](speech[cut], noisy[cut], sample_rate=RATE)


def knock(seconds: float) -> Samples:
    """A tenth of a second of noise in silence: too short to be an utterance."""
    sound = np.zeros(round(seconds * RATE), np.float32)
    sound[RATE : RATE + 1600] = np.random.default_rng(0).standard_normal(1600)
    return sound


def test_pesq_of_a_knock_finds_no_utterance() -> None:
    with pytest.raises(Undefined, match="no utterance"):
        pesq(knock(2), knock(2), sample_rate=RATE)


def test_si_sdr_is_undefined_where_it_would_be_infinite(speech: Samples) -> None:
    with pytest.raises(Undefined, match="infinite: the estimate equals"):
        si_sdr(speech, speech * 2, sample_rate=RATE)
    with pytest.raises(Undefined, match="constant"):
        si_sdr(np.ones(100), np.arange(100.0), sample_rate=RATE)


@measures
def test_signals_that_do_not_match_are_the_callers_mistake(speech: Samples, name: str) -> None:
    for other in (speech[:-1], speech[None]):
        with pytest.raises(InputError, match=r"two vectors of one length.*\n.*audio.clip.align"):
            METRICS[name](speech, other, sample_rate=RATE)


@pytest.mark.parametrize(("rate", "mode"), [(24_000, "wb"), (8000, "wb"), (RATE, "swb")])
def test_pesq_names_the_rates_it_takes(speech: Samples, rate: int, mode: str) -> None:
    with pytest.raises(InputError, match="use wb or nb at 16000 Hz"):
        pesq(speech, speech, sample_rate=rate, mode=mode)


# Long signals


def test_windows_cover_a_long_signal_and_are_cut_in_its_pauses(speech: Samples) -> None:
    pause = np.zeros(RATE // 2)
    phrase = speech[: 3 * RATE]
    long = np.concatenate([np.concatenate([phrase, pause]) for _ in range(20)])
    spans = windows(long, RATE)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(long)
    assert all(end == start for (_, end), (start, _) in pairwise(spans))
    assert all(8 * RATE <= end - start <= 20 * RATE for start, end in spans)
    assert all(not long[end - 100 : end + 100].any() for _, end in spans[:-1])


@pytest.mark.parametrize("seconds", [20.001, 27.9, 28, 36, 61.3])
def test_every_window_is_8_to_20_s_long(seconds: float) -> None:
    noise = np.random.default_rng(0).standard_normal(round(seconds * 8000))
    lengths = [(end - start) / 8000 for start, end in windows(noise, 8000)]
    assert sum(lengths) == pytest.approx(len(noise) / 8000)
    assert min(lengths) >= 8
    assert max(lengths) <= 20


def test_pesq_of_a_long_signal_is_a_labelled_mean_over_its_windows(speech: Samples) -> None:
    long = np.tile(speech, 6)
    degraded = add_noise(long, 10)
    value = pesq(long, degraded, sample_rate=RATE)
    parts = [itu.pesq(RATE, long[a:b], degraded[a:b], "wb") for a, b in windows(long, RATE)]
    assert isinstance(value, WindowMean)
    assert value == pytest.approx(np.mean(parts), abs=1e-5)
    assert (value.windows, value.attempted) == (2, 2)
    assert pickle.loads(pickle.dumps(value)).windows == 2


def test_a_window_without_an_utterance_is_counted_and_left_out(speech: Samples) -> None:
    long = np.concatenate([np.tile(speech, 4)[: 12 * RATE], knock(9)])
    value = pesq(long, 0.9 * long, sample_rate=RATE)
    assert isinstance(value, WindowMean)
    assert (value.windows, value.attempted) == (1, 2)
    assert repr(value).endswith("(mean over 1 of 2 windows)")
