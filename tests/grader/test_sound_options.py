"""What is said on the command line of sound that does not go in whole, by real processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Twelve clips of two voices, a third of them labelled with an emotion that nobody asked for."""
    draw, rows = np.random.default_rng(0), []
    for number in range(12):
        label = ("anger", "Neutral", "calm")[number % 3]
        soundfile.write(tmp_path / f"{number}.wav", draw.normal(0, 0.1, 8000), 16_000)
        rows.append(f"{number}.wav,{label},{'ab'[number % 2]}\n")
    (tmp_path / "manifest.csv").write_text("file,emotion,speaker\n" + "".join(rows))
    return tmp_path


def test_labels_that_are_nobodys_end_the_command_with_counts_and_what_to_type(earwitness: Any, corpus: Path) -> None:
    done = earwitness("evidence", "q05", "--corpus", corpus)
    assert done.returncode == 2
    told = " ".join((done.stdout + done.stderr).split())
    assert "12 clips: 4 carry labels that are not among the five" in told
    assert "calm (4)" in told
    assert "--leave-out calm" in told
    assert "Traceback" not in told


def test_what_is_left_out_and_taken_in_part_is_said(earwitness: Any, corpus: Path) -> None:
    cut = corpus / "0.wav"
    cut.write_bytes(cut.read_bytes()[:-4000])
    doctor = earwitness("doctor", "--corpus", corpus, "--leave-out", "calm")
    assert "8 clips in" in doctor.stdout
    assert "4 clips left out as asked: calm" in doctor.stdout
    command = ("evidence", "q05", "--corpus", corpus, "--leave-out", "calm", "--codec", "pocket", "--json")
    refused = earwitness(*command)
    assert refused.returncode == 2
    assert "0.wav: is cut short: its header says 0.50 s, 0.38 s can be decoded" in refused.stdout + refused.stderr
    done = earwitness(*command, "--allow-truncated")
    found = {
        m["name"]: m for one in json.loads(done.stdout) if one["evidence"] for m in one["evidence"]["measurements"]
    }
    assert found["corpus.clips"]["value"] == 8
    assert "1 file: 0.wav is cut short" in found["corpus.clips"]["note"]
    assert "4 clips left out as asked: calm" in found["corpus.missing"]["note"]


@pytest.mark.parametrize(
    ("codec", "told"),
    [
        ("opus", "without a file of weights, which evidence is told by"),
        ("pokcet", "did you mean pocket?"),
        ("nowhere/at/all", "is no codec: neither a name, nor a folder that is there, nor a hub id"),
    ],
)
def test_what_is_no_codec_with_weights_is_refused_before_anything_is_measured(
    earwitness: Any, repository: Path, codec: str, told: str
) -> None:
    done = earwitness("evidence", "q06", "--audio", repository / "audio/clips", "--codec", codec)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert not done.stdout
