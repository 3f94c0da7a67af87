"""The vote for the worst reconstruction: leads of both signs, and what a lead is worth between clips of one kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from basics.errors import Undefined
from evaluators.evidence import Measurement, Site
from evaluators.reconstruction import Reconstruction
from evaluators.reconstruction.null import DRAWS, Null
from evaluators.reconstruction.parameters import Request, quantities
from evaluators.reconstruction.scores import Score
from evaluators.reconstruction.summary import Summary

METRICS = ("stoi", "si_sdr", "log_mel_distance")
WORSE = {"stoi": -1.0, "si_sdr": -1.0, "log_mel_distance": 1.0}
"""Where a higher value is on the side of worse, by measure."""


def request(**keys: Any) -> Request:
    """The two roles that compete, by three measures of which two do not assume speech."""
    asked = {"clips": {"laughter": "l", "music": "m"}, "metrics": METRICS, **keys}
    return Request.model_validate_json(json.dumps(asked))


def clip(role: str, name: str, worse: float, windows: int = 12, codebooks: int | None = 8) -> Score:
    """A clip that is worse than 0 by so much by every measure, its windows a little apart."""
    jitter = np.random.default_rng(len(name)).normal(0, 0.01, windows)
    return Score(
        role,
        name,
        codebooks,
        {metric: worse * sign for metric, sign in WORSE.items()},
        tuple({metric: worse * sign + by for metric, sign in WORSE.items()} for by in jitter.tolist()),
    )


def null(scores: Sequence[Score], **keys: Any) -> dict[str, Measurement]:
    asked = request(**{"null_roles": ["music"], **keys})
    found = Null(asked, scores, "measured", {"laughter": "l", "music": "m"}).measurements()
    return {measurement.name: measurement for measurement in found}


def test_the_lead_has_both_signs_and_is_the_difference_of_the_votes() -> None:
    asked = request()
    scores = [clip("laughter", "l", 0.2), clip("music", "m", 0.8)]
    found = {m.name: m for m in Summary(asked, "measured", {"laughter": "l", "music": "m"}).measurements(scores, 8)}
    assert (found["worst_votes.music"].value, found["worst_votes.laughter"].value) == (3, 0)
    assert found["worst_votes_lead.music_minus_laughter"].value == 3
    assert found["worst_votes_lead.laughter_minus_music"].value == -3
    assert found["worst_votes_nonspeech_lead.music_minus_laughter"].value == 2
    assert found["worst_votes_lead.music_minus_laughter"].locator == "m against l"
    assert set(found) == {quantity.name for quantity in quantities(asked)}


def test_a_lead_is_undefined_where_the_votes_are() -> None:
    bare = [Score(role, role, 8, dict.fromkeys(METRICS, 0.5)) for role in ("laughter", "music")]
    found = {m.name: m for m in Summary(request(), "measured", {"laughter": "l", "music": "m"}).measurements(bare, 8)}
    for name in ("worst_votes.music", "worst_votes_lead.music_minus_laughter"):
        assert "no measure compares laughter and music" in (found[name].undefined or "")


def test_nothing_is_announced_or_measured_of_a_null_that_nobody_asked_for() -> None:
    assert not [quantity.name for quantity in quantities(request()) if "null" in quantity.name]
    assert not null([clip("music", "a", 0.5), clip("music", "b", 0.5)], null_roles=[])


def test_the_null_counts_the_leads_of_all_pairs_of_clips_of_one_role() -> None:
    """Three clips alike and one that is worse by everything: it loses its three pairs by all measures."""
    scores = [clip("music", "a" * i, 0.5) for i in (1, 2, 3)] + [clip("music", "worse", 0.9), clip("laughter", "l", 2)]
    found = null(scores)
    assert set(found) == {"worst_votes_null", "worst_votes_nonspeech_null"}
    assert (found["worst_votes_null"].value, found["worst_votes_null"].n) == (3, 6)
    assert "two clips of one kind differ by 0: 3, 3: 3 of 6 draws (4 clips of music)" in found["worst_votes_null"].note
    assert found["worst_votes_nonspeech_null"].value == 2
    announced = {quantity.name: quantity for quantity in quantities(request(null_roles=["music"]))}
    assert announced["worst_votes_null"].about
    assert (announced["worst_votes_null"].low, announced["worst_votes_null"].high) == (0, 3)


def test_the_null_is_what_the_same_two_clips_give_as_two_roles() -> None:
    random = np.random.default_rng(1)
    clips = [clip("music", f"clip {'x' * i}", float(random.normal(0.5, 0.02)), windows=8) for i in range(6)]
    leads = []
    for a, b in combinations(clips, 2):
        two = [Score("laughter", a.clip, 8, a.values, a.windows), b]
        summary = Summary(request(), "measured", {"laughter": "l", "music": "m"})
        found = {m.name: m for m in summary.measurements(two, 8)}
        leads.append(abs(int(found["worst_votes_lead.music_minus_laughter"].value or 0)))
    assert 0 < sum(lead > 0 for lead in leads) < len(leads)
    measured = null(clips)["worst_votes_null"]
    assert measured.value == np.quantile(leads, 0.95, method="inverted_cdf")
    assert f"0: {leads.count(0)}" in measured.note


def test_clips_of_two_roles_or_two_numbers_of_codebooks_are_not_of_one_kind() -> None:
    scores = [clip("music", "a", 0.5), clip("music", "bb", 0.9, codebooks=4), clip("laughter", "ccc", 0.9)]
    found = null([*scores, clip("laughter", "dddd", 0.9)], null_roles=["music", "laughter"])
    assert found["worst_votes_null"].n == 1
    assert "clips of one kind differ by 0: 1 of 1 draws (2 clips of music, laughter)" in found["worst_votes_null"].note


def test_a_null_without_two_clips_long_enough_for_windows_is_undefined_and_says_so() -> None:
    found = null([clip("music", "a", 0.5), clip("music", "bb", 0.9, windows=2)])
    assert found["worst_votes_null"].value is None
    assert found["worst_votes_null"].undefined == (
        "no two clips of music at one number of codebooks are long enough for windows"
    )
    silent = Undefined("no utterance")
    mute = [
        Score("music", name, 8, dict.fromkeys(METRICS, silent), (dict.fromkeys(METRICS, silent),) * 4) for name in "ab"
    ]
    assert null(mute)["worst_votes_null"].undefined == "no measure compares any two clips of music"


def test_of_very_many_pairs_so_many_are_drawn_by_the_seed() -> None:
    clips = [clip("music", "x" * i, 0.5, windows=3) for i in range(1, 23)]
    asked = request(null_roles=["music"])
    draws = Null(asked, clips, "measured", {"music": "m"}).draws
    assert len(set(draws)) == len(draws) == DRAWS
    assert draws == Null(asked, clips, "measured", {"music": "m"}).draws
    assert draws != Null(request(null_roles=["music"], seed=1), clips, "measured", {"music": "m"}).draws


def test_two_clips_of_one_kind_that_mimi_reconstructed_seldom_differ_by_many_votes(shared: Path) -> None:
    keys = {"mode": "pairs", "pairs": {"english": {"language": "en", "kind": "speech"}}, "metrics": ["stoi", "si_sdr"]}
    asked = Request.model_validate_json(json.dumps({**keys, "null_roles": ["english"]}))
    findings = Reconstruction().measure(asked, Site(pairs=shared / "audio/pairs"))
    found = {measurement.name: measurement for measurement in findings.measurements}
    assert set(found) == {quantity.name for quantity in quantities(asked)}
    assert found["stoi.english"].interval
    assert found["stoi.english"].interval.over == "clips"
    assert found["worst_votes_null"].n == 16 * 15 / 2
    assert float(found["worst_votes_null"].value or 0) <= 2
    assert "0: " in found["worst_votes_null"].note


def test_codec_mode_polls_the_clips_of_a_folder(repository: Path, tmp_path: Path) -> None:
    from tests.checkpoints import random_checkpoint

    asked = Request.model_validate_json(
        json.dumps({"clips": {"laughter": "laughter"}, "codebooks": 2, "metrics": METRICS, "null_roles": ["laughter"]})
    )
    folder = tmp_path / "clips" / "laughter"
    folder.mkdir(parents=True)
    for path in sorted((repository / "audio/clips").glob("laughter*.flac")):
        (folder / path.name).symlink_to(path)
    site = Site(audio=folder.parent, codec=str(random_checkpoint(tmp_path / "mimi")), device="cpu")
    found = {measurement.name: measurement for measurement in Reconstruction().measure(asked, site).measurements}
    assert set(found) == {quantity.name for quantity in quantities(asked)}
    assert found["worst_votes_null"].n == 6
    assert found["stoi.laughter"].interval
    assert found["stoi.laughter"].interval.over == "clips"


@pytest.mark.parametrize("name", ["worst_votes_null", "worst_votes_nonspeech_null"])
def test_a_null_of_one_measure_that_assumes_speech_has_no_other_poll(name: str) -> None:
    known = {quantity.name for quantity in quantities(request(metrics=["stoi"], null_roles=["music"]))}
    assert (name in known) == (name == "worst_votes_null")
