"""Clips come in whole, mono, at the wanted rate and with a verdict on their level; pairs come out aligned."""

from __future__ import annotations

import csv
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.clip import align, load, naming_unreadable, resample, save, summary_of
from basics.errors import InputError, Problem, Unavailable, Undefined
from tests.audio.conftest import RATE, Samples, add_noise


def tone(seconds: float, rate: int, frequency: float = 440.0) -> Samples:
    return (0.4 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize(("name", "tolerance"), [("a.wav", 1e-4), ("a.flac", 1e-4), ("a.ogg", 0.05), ("a.mp3", 0.05)])
def test_every_format_is_read_as_the_sound_it_holds(
    tmp_path: Path, speech: Samples, name: str, tolerance: float
) -> None:
    soundfile.write(tmp_path / name, speech, RATE)
    clip = load(tmp_path / name)
    aligned = align(speech, clip.samples, RATE)
    assert clip.sample_rate == RATE
    assert clip.samples.dtype == np.float32
    assert np.abs(aligned.reference - aligned.estimate).max() < tolerance


def test_channels_are_averaged_and_the_digest_is_of_the_file(tmp_path: Path) -> None:
    left, right = tone(1, 8000), tone(1, 8000, 600)
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([left, right], axis=1), 8000, subtype="FLOAT")
    clip = load(path)
    np.testing.assert_allclose(clip.samples, (left + right) / 2, atol=1e-7)
    assert clip.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert clip.name == "stereo.wav"
    assert clip.seconds == 1.0


def test_a_tone_is_the_same_tone_at_another_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tone.wav", tone(1, 44_100), 44_100, subtype="FLOAT")
    clip = load(tmp_path / "tone.wav", 24_000)
    assert (clip.sample_rate, len(clip.samples)) == (24_000, 24_000)
    inside = slice(2000, -2000)
    np.testing.assert_allclose(clip.samples[inside], tone(1, 24_000)[inside], atol=1e-3)


def test_a_file_of_many_blocks_is_read_whole(tmp_path: Path) -> None:
    sound = tone(30, 22_050)
    soundfile.write(tmp_path / "long.flac", sound, 22_050)
    np.testing.assert_allclose(load(tmp_path / "long.flac").samples, sound, atol=1e-4)


def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not sound")
    soundfile.write(tmp_path / "empty.wav", np.empty(0, np.float32), RATE)
    soundfile.write(tmp_path / "nan.wav", np.array([0.1, np.nan], np.float32), RATE, subtype="FLOAT")
    for name, reason in (
        ("absent.wav", "no such audio file"),
        ("text.wav", "cannot be read as audio"),
        ("empty.wav", "has no samples"),
        ("nan.wav", "has NaN or infinite samples"),
    ):
        with pytest.raises(InputError, match=rf"{name}.*{reason}"):
            load(tmp_path / name)


@pytest.mark.parametrize(
    ("samples", "warning"),
    [
        (np.zeros(RATE), "silent"),
        (np.clip(5 * tone(1, RATE), -1, 1), "clipping"),
        (tone(1, RATE) + 0.2, "offset"),
        (tone(0.2, RATE), "short"),
        (32_767 * tone(1, RATE), "reach 13107, expected within [-1, 1] (integers written as floats have to be divided"),
        (2.6 * tone(1, RATE), "beyond full scale: its samples reach 1.04, expected within [-1, 1]"),
        (np.stack([tone(1, RATE), -0.9 * tone(1, RATE)], axis=1), "antiphase: its 2 channels cancel"),
    ],
)
def test_a_doubtful_level_is_a_warning(tmp_path: Path, samples: Samples, warning: str) -> None:
    soundfile.write(tmp_path / "clip.wav", samples, RATE, subtype="FLOAT")
    (only,) = load(tmp_path / "clip.wav").warnings
    assert warning in only


def test_a_good_clip_has_no_warnings(tmp_path: Path, speech: Samples) -> None:
    save(tmp_path / "clip.flac", speech, RATE)
    assert load(tmp_path / "clip.flac").warnings == ()


def test_two_channels_of_other_things_do_not_cancel(tmp_path: Path, speech: Samples) -> None:
    soundfile.write(tmp_path / "stereo.wav", np.stack([speech, np.roll(speech, 8000)], axis=1), RATE)
    soundfile.write(tmp_path / "one_side.wav", np.stack([speech, 0 * speech], axis=1), RATE)
    assert load(tmp_path / "stereo.wav").warnings == load(tmp_path / "one_side.wav").warnings == ()


def test_warnings_of_many_clips_are_a_line_for_each_kind() -> None:
    clipped = [(f"{name}.wav", "clipping: 0.30% of its samples are at full scale") for name in "abcde"]
    assert summary_of([*clipped, ("f.wav", "silent: its peak is below -70 dBFS")]) == (
        "clipping, 5 clips: "
        + ", ".join(f"{n}.wav (0.30% of its samples are at full scale)" for n in "abc")
        + " and 2 more",
        "silent, 1 clip: f.wav (its peak is below -70 dBFS)",
    )


def test_saving_keeps_24_bits_and_leaves_nothing_else(tmp_path: Path, speech: Samples) -> None:
    save(tmp_path / "clip.flac", speech, RATE)
    assert np.abs(load(tmp_path / "clip.flac").samples - speech).max() < 2.0**-23
    assert [path.name for path in tmp_path.iterdir()] == ["clip.flac"]


def test_saving_what_is_no_sound_leaves_the_old_file(tmp_path: Path, speech: Samples) -> None:
    save(tmp_path / "clip.flac", speech, RATE)
    with pytest.raises(ValueError, match="dimension"):
        save(tmp_path / "clip.flac", np.zeros((2, 2, 2), np.float32), RATE)
    assert len(load(tmp_path / "clip.flac").samples) == len(speech)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.flac"]


@pytest.mark.parametrize("lag", [0, 1, 512, -512, 3000, -7999])
@pytest.mark.parametrize("gain", [1.0, -0.1])
def test_a_constant_lag_is_found_to_the_sample(speech: Samples, lag: int, gain: float) -> None:
    padding = np.zeros(abs(lag), np.float32)
    late = np.concatenate([padding, speech]) if lag > 0 else speech[-lag:]
    found = align(speech, np.float32(gain) * add_noise(late, 15), RATE)
    assert found.lag_samples == lag
    assert len(found.reference) == len(found.estimate)
    assert abs(np.corrcoef(found.reference, found.estimate)[0, 1]) > 0.9


def test_a_lag_that_gains_nothing_clear_is_none(speech: Samples) -> None:
    """A codec moves envelopes by some samples; that is how it sounds, and no delay."""
    smeared = resample(resample(speech, RATE, 4000), 4000, RATE)
    rough = add_noise(np.convolve(smeared, [0, 0, 0.5, 0.5], "same").astype(np.float32), 0)
    assert align(speech, rough, RATE).lag_samples == 0
    assert align(speech, speech[3:], RATE).lag_samples == -3, "what is equal is placed to the sample"


def test_a_lag_beyond_half_a_second_is_told_and_not_taken_out(speech: Samples) -> None:
    found = align(speech, np.concatenate([np.zeros(round(0.8 * RATE), np.float32), speech]), RATE)
    assert (found.lag_samples, found.beyond_samples) == (0, round(0.8 * RATE))


def test_unlike_sounds_are_left_where_they_are(speech: Samples) -> None:
    noise = np.random.default_rng(0).standard_normal(len(speech) + 10).astype(np.float32)
    found = align(speech, noise, RATE)
    assert found.lag_samples == 0
    assert len(found.reference) == len(found.estimate) == len(speech)


def test_a_long_recording_is_aligned_by_its_loudest_minute(speech: Samples) -> None:
    long = np.concatenate([0.01 * np.tile(speech, 10), np.tile(speech * np.float32(0.9), 6), speech, speech[::-1]])
    assert align(long, np.concatenate([np.zeros(480, np.float32), long]), RATE).lag_samples == 480


def test_silence_cannot_be_aligned(speech: Samples) -> None:
    with pytest.raises(Undefined, match="estimate is silent"):
        align(speech, np.zeros_like(speech), RATE)


def test_real_reconstructions_are_shifted_where_they_are_late_and_not_for_a_sample_or_two(shared: Path) -> None:
    pairs = shared / "audio" / "pairs"
    rows = list(csv.DictReader((pairs / "manifest.csv").open(encoding="utf-8")))
    chosen = [row for row in rows if "muffin" in row["pair_id"]] + rows[:3]
    for row in chosen:
        reference, estimate = (load(pairs / row[name], RATE).samples for name in ("orig_file", "recon_file"))
        stated = round(float(row["lag_ms"]) / 1000 * RATE)
        assert align(reference, estimate, RATE).lag_samples == (stated if abs(stated) > 2 else 0), row["pair_id"]


def test_errors_read_the_same_when_they_come_from_another_process() -> None:
    problems = (Problem("a.wav", "is silent", "speak up"), Problem("b.wav", "is empty"))
    for error in (InputError(problems), Unavailable("no clips", "--audio DIR"), Undefined("too short")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_all_unreadable_files_are_named_and_another_message_is_not_swallowed(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.wav", "b.wav", "c.wav")]
    save(paths[0], tone(1, RATE), RATE)
    for path in paths[1:]:
        path.write_text("not sound")
    with pytest.raises(InputError) as caught, naming_unreadable(paths):
        load(paths[1])
    assert [problem.where for problem in caught.value.problems] == [str(path) for path in paths[1:]]
    with pytest.raises(InputError, match="cuda is not on this machine"), naming_unreadable(paths[:1]):
        raise InputError(Problem("device", "cuda is not on this machine"))
