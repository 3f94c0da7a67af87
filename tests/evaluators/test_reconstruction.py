"""Reconstruction: real Mimi pairs against their manifest, a small random Mimi end to end, and the votes by hand."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from audio.clip import load, save
from audio.codec import load_codec
from audio.codec.weights import find_weights
from audio.measures import MEASURES
from basics import workers
from basics.errors import InputError, Unavailable, Undefined
from evaluators.evidence import Evidence, Measurement, Site, request_key
from evaluators.gathering import answer, gather, plain
from evaluators.reconstruction import Reconstruction
from evaluators.reconstruction.display import METRICS as TITLES
from evaluators.reconstruction.display import sweep
from evaluators.reconstruction.parameters import Request
from evaluators.reconstruction.scores import Score
from evaluators.reconstruction.selection import find_clips
from evaluators.reconstruction.summary import Summary
from evaluators.store import Store
from grader.quiz.loading import load_quiz, parameters_of
from grader.quiz.sources import read_published
from grader.verdicts.record import read_records
from tests.checkpoints import random_checkpoint

EVALUATOR = Reconstruction()
FAST = ["stoi", "log_mel_distance"]
SPEECH = {"english": "TTS_English_speech.wav", "chinese": "TTS_Chinese_speech.wav"}


def request(**keys: Any) -> Request:
    """Parameters as a question's YAML gives them."""
    return Request.model_validate_json(json.dumps(keys))


def by_name(evidence: Evidence) -> dict[str, Measurement]:
    return {measurement.name: measurement for measurement in evidence.measurements}


def rows_of(evidence: Evidence, store: Path) -> list[dict[str, str]]:
    """The table of every clip."""
    table = next(artefact for artefact in evidence.artefacts if artefact.media_type == "text/csv")
    with (store / table.path).open(newline="") as file:
        return list(csv.DictReader(file))


# --- what may be asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "mode codec needs `clips`"),
        ({"mode": "pairs", "clips": SPEECH}, "mode pairs needs `pairs`"),
        ({"clips": SPEECH, "pairs": {"music": {}}}, "does not take `pairs`"),
        ({"mode": "pairs", "pairs": {"music": {}}, "sweep": [8]}, "`sweep` needs mode codec"),
        ({"clips": SPEECH, "metrics": ["stoi", "stoi"]}, "names a measure twice"),
        ({"clips": SPEECH, "codebooks": 0}, "greater than or equal to 1"),
        ({"clips": SPEECH, "null_roles": ["music"]}, "`null_roles` names music, which `clips` does not"),
        ({"clips": SPEECH, "null_roles": ["english", "english"]}, "`null_roles` names a role twice"),
        ({"clips": {"English speech": "a.wav"}}, "String should match pattern"),
        ({"mode": "pairs", "pairs": {"music": {"codebooks": "unknown"}}}, "'not stated' or 'any'"),
    ],
)
def test_requests_that_make_no_sense_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        request(**keys)


def test_quantities_are_bounded_where_theory_bounds_them() -> None:
    known = {q.name: q for q in EVALUATOR.quantities(request(clips={**SPEECH, "laughter": "l.wav", "music": "m.wav"}))}
    assert (known["stoi.english"].low, known["stoi.english"].high) == (-1, 1)
    assert known["stoi.english_minus_chinese"].high == 2
    assert known["log_mel_distance.music"].low == 0
    assert known["si_sdr.laughter_minus_music"].low is None
    assert known["worst_votes.music"].high == 7
    assert known["worst_votes_nonspeech.laughter"].high == 3


def test_measures_of_pitch_are_taken_where_they_are_named_and_have_no_vote() -> None:
    assert set(request(clips=SPEECH).metrics) == MEASURES.keys() - {"f0_correlation", "f0_error"}
    roles = {"laughter": "laughter", "music": "music"}
    asked = request(clips=roles, metrics=["f0_correlation", "log_mel_distance", "f0_error"])
    known = {q.name: q for q in EVALUATOR.quantities(asked)}
    assert (known["f0_error.music"].unit, known["f0_error.music"].low) == ("semitones", 0)
    assert known["f0_correlation.laughter_minus_music"].low == -2
    assert known["worst_votes.music"].high == known["worst_votes_nonspeech.music"].high == 1
    alone = request(clips=roles, metrics=["f0_error"])
    assert not [q.name for q in EVALUATOR.quantities(alone) if "votes" in q.name]


def test_evidence_rests_on_librosa_only_where_pitch_is_measured(pairs: Path) -> None:
    keys: dict[str, Any] = {"mode": "pairs", "pairs": {"unstated": ROLES["unstated"]}}
    assert "librosa" not in EVALUATOR.inputs(request(**keys), Site(pairs=pairs)).packages
    pitch = request(**keys, metrics=["f0_error", "f0_correlation"])
    assert EVALUATOR.inputs(pitch, Site(pairs=pairs)).packages.count("librosa") == 1


# --- pairs mode, on real Mimi output and on pairs made here -----------------------------------------------------------

ROLES: dict[str, dict[str, Any]] = {
    "english": {"language": "en", "kind": "speech", "codebooks": 8, "sources": ["tadicodec/tadicodec.github.io"]},
    "chinese": {"language": "zh", "kind": "speech", "codebooks": 8},
    "read": {"language": "en", "kind": "speech", "codebooks": 8, "sources": ["Stability-AI/stable-codec-demo"]},
    "four": {"language": "en", "kind": "speech", "codebooks": 4},
    "unstated": {"language": "en", "kind": "speech", "codebooks": "not stated"},
    "singing": {"kind": "singing"},
    "music": {"kind": "music", "codebooks": "not stated"},
}
PAIRS = request(mode="pairs", pairs=ROLES, metrics=["pesq_wb", "stoi"], rank=["read", "four"])


QUESTIONS = Path(__file__).resolve().parents[2] / "questions"
STABLE_CODEC = "9388a431e40ecb121018997686bff570967d84b0"
UNIAUDIO = ("yangdongchao/UniAudio2Demo", "06d2fed56dc0f1c38e53db02b288310c842efe20")
MADE: dict[str, tuple[str, str, str, str, tuple[str, str], float]] = {
    "english": ("English_speech", "speech", "en", "8", ("tadicodec/tadicodec.github.io", "a" * 40), 10),
    "chinese": ("Chinese_speech", "speech", "zh", "8", ("tadicodec/tadicodec.github.io", "a" * 40), 10),
    "read": ("English_speech", "speech", "en", "8", ("Stability-AI/stable-codec-demo", "b" * 40), 30),
    "four": ("English_speech", "speech", "en", "4", ("Stability-AI/stable-codec-demo", "b" * 40), 5),
    "unstated": ("English_speech", "speech", "en", "", UNIAUDIO, 15),
    "singing": ("laughter", "singing", "und", "8", ("tadicodec/tadicodec.github.io", "a" * 40), 15),
    "music": ("laughter", "music", "und", "", UNIAUDIO, 0),
}
"""Pairs made of the built-in clips, by role: clip, kind, language, codebooks, source, level above the noise in dB."""
PAIRS_OF = {"singing": 2, "read": 8, "four": 8}
CLIPS_OF = ("_4", "", "_2", "_3")


@pytest.fixture(scope="module", params=["published", "made here"])
def pairs(request: pytest.FixtureRequest, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pairs in each role: real output of Mimi, or built-in clips at half their level with noise."""
    if request.param == "published":
        shared: Path = request.getfixturevalue("shared")
        return shared / "audio/pairs"
    folder = tmp_path_factory.mktemp("pairs")
    write_manifest(folder, [row for role in MADE for row in made_pairs(repository / "audio/clips", folder, role)])
    return folder


def write_manifest(folder: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def made_pairs(clips: Path, folder: Path, role: str) -> Iterator[dict[str, str]]:
    """Rows of the manifest, with what the packages pesq and pystoi say of each pair."""
    import pesq
    import pystoi

    name, kind, language, codebooks, (repo, commit), above = MADE[role]
    for number in range(1, 1 + PAIRS_OF.get(role, 3)):
        clip = load(clips / f"{name}{CLIPS_OF[number % 4]}.flac", 16_000).samples / 2
        noise = np.random.default_rng(number).normal(0, 1, len(clip)) * np.sqrt(np.mean(clip**2)) / 10 ** (above / 20)
        files = f"{role}_{number}_original.wav", f"{role}_{number}_mimi.wav"
        for file, sound in zip(files, (clip, np.clip(clip + noise, -1, 1)), strict=True):
            soundfile.write(folder / file, sound, 16_000, subtype="FLOAT")
        reference, estimate = (soundfile.read(folder / file, dtype="float32")[0] for file in files)
        yield {
            "pair_id": f"{role}_{number}",
            "orig_file": files[0],
            "recon_file": files[1],
            "system": "Mimi (kyutai)",
            "kind": kind,
            "language": language,
            "codebooks": codebooks,
            "repo": repo,
            "commit": commit,
            "pesq_wb_16k": f"{pesq.pesq(16_000, reference, estimate, 'wb'):.4f}",
            "stoi_16k": f"{pystoi.stoi(reference, estimate, 16_000):.4f}",
        }


@pytest.fixture(scope="module")
def manifest(pairs: Path) -> list[dict[str, str]]:
    with (pairs / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def published(pairs: Path, store: Path) -> Evidence:
    """All pairs, each in one role."""
    listed = read_published(QUESTIONS / "published_audio.csv")
    return gather(EVALUATOR, PAIRS, Site(pairs=pairs, cache=store, published=listed), Store(store)).evidence


def test_every_pair_gives_the_values_of_its_manifest(
    published: Evidence, store: Path, manifest: list[dict[str, str]]
) -> None:
    measured = {row["clip"]: row for row in rows_of(published, store)}
    assert set(measured) == {row["pair_id"] for row in manifest}
    for row in manifest:
        clip = measured[row["pair_id"]]
        assert float(clip["pesq_wb"]) == pytest.approx(float(row["pesq_wb_16k"]), abs=0.02), row["pair_id"]
        assert float(clip["stoi"]) == pytest.approx(float(row["stoi_16k"]), abs=0.005), row["pair_id"]


@pytest.mark.parametrize("role", ROLES)
def test_mean_and_interval_of_a_role(published: Evidence, manifest: list[dict[str, str]], role: str) -> None:
    wanted = {key: value for key, value in ROLES[role].items() if key in ("language", "kind")}
    counts, sources = ROLES[role].get("codebooks", 8), ROLES[role].get("sources")
    chosen = [
        float(row["pesq_wb_16k"])
        for row in manifest
        if all(row[key] == value for key, value in wanted.items())
        and row["codebooks"] == ("" if counts == "not stated" else str(counts))
        and (sources is None or row["repo"] in sources)
    ]
    found = by_name(published)[f"pesq_wb.{role}"]
    assert found.n == len(chosen)
    assert found.value == pytest.approx(np.mean(chosen), abs=0.02)
    assert found.source == ("published_audio" if manifest[0]["commit"] == STABLE_CODEC else "demonstration")
    assert found.interval
    assert found.interval.low < float(found.value or 0) < found.interval.high
    assert found.interval.over == ("windows of 2 clips, in blocks" if role == "singing" else "clips")


@pytest.mark.parametrize("pairs", ["published"], indirect=True)
def test_a_difference_of_the_same_originals_is_one_of_pairs(published: Evidence) -> None:
    """What an original does to both reconstructions falls out: the interval is far narrower than of two samples."""
    known = by_name(published)
    paired, apart = known["stoi.read_minus_four"], known["stoi.read_minus_english"]
    assert paired.interval
    assert apart.interval
    assert paired.interval.over == "clips, as pairs"
    assert paired.interval.low > 0
    assert "as pairs" not in apart.interval.over
    sides = [known[f"stoi.{role}"].interval for role in ("read", "four")]
    widths = [side.high - side.low for side in sides if side]
    assert paired.interval.high - paired.interval.low < sum(width**2 for width in widths) ** 0.5


def test_a_difference_stands_both_ways_round(published: Evidence) -> None:
    known = by_name(published)
    for name, found in known.items():
        if "_minus_" in name and found.value is not None and "worst" not in name:
            metric, _, roles = name.partition(".")
            a, _, b = roles.partition("_minus_")
            other = known[f"{metric}.{b}_minus_{a}"]
            assert other.value == -float(found.value)
            assert found.interval
            assert other.interval
            assert (other.interval.low, other.interval.high) == (-found.interval.high, -found.interval.low)


def test_systems_are_never_pooled(pairs: Path, tmp_path: Path) -> None:
    with (pairs / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "speech"][:4]
    for row in rows:
        row.update(orig_file=str(pairs / row["orig_file"]), recon_file=str(pairs / row["recon_file"]), codebooks="8")
    rows[0]["system"] = "EnCodec"
    write_manifest(tmp_path, rows)
    asked = {"mode": "pairs", "pairs": {"speech": {"kind": "speech"}}, "metrics": ["stoi"]}
    with pytest.raises(InputError, match=r"takes pairs of 2 systems: EnCodec, Mimi \(kyutai\)"):
        EVALUATOR.inputs(request(**asked), Site(pairs=tmp_path))
    named = request(**{**asked, "pairs": {"speech": {"kind": "speech", "system": "EnCodec"}}})
    assert len(EVALUATOR.inputs(named, Site(pairs=tmp_path)).published) == 1


def test_systems_are_compared_only_where_each_role_names_its_own(tmp_path: Path, repository: Path) -> None:
    rows = [row for role in ("english", "chinese") for row in made_pairs(repository / "audio/clips", tmp_path, role)]
    for row in rows:
        row["system"] = "Mimi" if row["language"] == "en" else "EnCodec"
    write_manifest(tmp_path, rows)
    roles: dict[str, dict[str, Any]] = {"english": {"language": "en"}, "chinese": {"language": "zh"}}
    with pytest.raises(InputError, match=r"would compare systems: english has Mimi, chinese has EnCodec"):
        EVALUATOR.inputs(request(mode="pairs", pairs=roles, metrics=["stoi"]), Site(pairs=tmp_path))
    named = {
        role: {**keys, "system": system}
        for (role, keys), system in zip(roles.items(), ("Mimi", "EnCodec"), strict=True)
    }
    assert len(EVALUATOR.inputs(request(mode="pairs", pairs=named, metrics=["stoi"]), Site(pairs=tmp_path)).files) == 12


BROKEN: dict[str, tuple[Callable[[Any, Any], Any], int, str]] = {
    "another utterance": (lambda made, other: np.resize(other, len(made)), 16_000, "envelopes correlate by"),
    "late": (lambda made, _: np.concatenate([np.zeros(9600), made]), 16_000, "comes 0.60 s late"),
    "wrong rate": (lambda made, _: made, 24_000, "at 16000 Hz instead of 24000 Hz it would fit"),
    "one second": (lambda made, _: made[:16_000], 16_000, "lasts 1.00 s"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_reconstruction_of_something_else_is_undefined_and_told(what: str, tmp_path: Path, repository: Path) -> None:
    """A good pair keeps its value; the broken one counts among the clips, without a value, and everybody is told."""
    rows = list(made_pairs(repository / "audio/clips", tmp_path, "english"))
    write_manifest(tmp_path, rows)
    make, rate, why = BROKEN[what]
    made, other = (soundfile.read(tmp_path / rows[number]["recon_file"])[0] for number in (0, 1))
    soundfile.write(tmp_path / rows[0]["recon_file"], make(made, other), rate, subtype="FLOAT")
    asked = request(mode="pairs", pairs={"english": {"language": "en"}}, metrics=["stoi", "pesq_wb"])
    store = tmp_path / "store"
    evidence = gather(EVALUATOR, asked, Site(pairs=tmp_path, cache=store), Store(store)).evidence
    stoi, broken, *good = by_name(evidence)["stoi.english"], *rows_of(evidence, store)
    assert stoi.n == len(rows) - 1
    assert why in stoi.note
    assert [broken["stoi"], broken["pesq_wb"], broken["correlation"], broken["reconstruction_hz"]] == [
        "",
        "",
        "",
        f"{rate}",
    ]
    assert why in broken["undefined"]
    assert [row["lag_ms"] for row in good] == ["0.00"] * len(good)
    assert all(float(row["correlation"]) > 0.7 and row["length_ratio"] == "1.0000" for row in good)
    assert len(evidence.warnings) == 1
    assert evidence.warnings[0].startswith(
        "not measured, 1 clip: english_1 (the reconstruction is not one of this orig"
    )
    assert by_name(evidence)["least_correlation.english"].n == len(rows) - 1


def test_english_and_chinese_are_not_told_apart(published: Evidence) -> None:
    difference = by_name(published)["pesq_wb.english_minus_chinese"]
    assert difference.interval
    assert difference.interval.low < 0 < difference.interval.high


def test_fewer_codebooks_are_clearly_worse_than_eight(published: Evidence) -> None:
    values = by_name(published)
    for name in ("pesq_wb.read_minus_four", "stoi.read_minus_four"):
        interval = values[name].interval
        assert interval, name
        assert interval.low > 0, name
    assert (values["worst_votes.four"].value, values["worst_votes.four"].n) == (2, 2)
    assert values["worst_votes.read"].value == 0
    assert values["worst_votes_lead.four_minus_read"].value == 2
    assert values["worst_votes_lead.read_minus_four"].value == -2


@pytest.mark.parametrize("pairs", ["published"], indirect=True)
def test_three_clips_of_music_are_too_few_to_be_clearly_worse_than_speech(published: Evidence) -> None:
    difference = by_name(published)["stoi.read_minus_music"]
    assert difference.interval
    assert float(difference.value or 0) > 0.3
    assert difference.interval.low < 0


def test_pairs_evidence_says_who_published_what_and_who_ran_the_codec(published: Evidence) -> None:
    music = by_name(published)["stoi.music"]
    assert "yangdongchao/UniAudio2Demo@06d2fed56dc0f1c38e53db02b288310c842efe20" in music.locator
    assert "3 pairs, Mimi (kyutai), codebooks not stated" in music.locator
    assert "run by those who published the pairs" in music.note
    assert "not validated for music" in music.note
    assert "not validated" not in by_name(published)["stoi.english"].note


def test_names_measured_are_the_names_announced(published: Evidence) -> None:
    assert set(by_name(published)) == {q.name for q in EVALUATOR.quantities(PAIRS)}


@pytest.mark.parametrize("pairs", ["published"], indirect=True)
def test_evidence_of_record_answers_the_questions_and_agrees_with_these_pairs(
    published: Evidence, repository: Path
) -> None:
    book = load_quiz(repository / "questions")
    asked = {
        request_key(EVALUATOR.name, EVALUATOR.version, plain(parameters_of(wanted)))
        for question in book.questions
        for wanted in question.evidence
        if wanted.evaluator == EVALUATOR.name
    }
    records = [record for record in read_records(book.folder) if record.evaluator == EVALUATOR.name]
    assert len(records) == 3
    assert {record.request for record in records} <= asked
    recorded = by_name(next(record for record in records if "english" in record.parameters["pairs"]))
    assert {m.source for m in recorded.values()} == {"published_audio"}
    for name in ("pesq_wb.english", "pesq_wb.chinese", "stoi.english", "stoi.chinese"):
        interval = recorded[name].interval
        assert interval, name
        assert interval.low < float(by_name(published)[name].value or 0) < interval.high, name


def test_pairs_that_state_no_codebooks_are_left_out_unless_asked_for(pairs: Path) -> None:
    asked = request(mode="pairs", pairs={"music": {"kind": "music"}, "laughter": {"kind": "laughter"}})
    with pytest.raises(Unavailable, match=r"no pair plays music .*codebooks 8") as caught:
        EVALUATOR.inputs(asked, Site(pairs=pairs))
    assert "3 would, at codebooks: not stated" in str(caught.value)
    assert "no pair plays laughter" in str(caught.value)


def listed(folder: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    lines = [f"{name},{original},{made},Mimi,speech,8\n" for name, original, made in rows]
    (folder / "manifest.csv").write_text("pair_id,orig_file,recon_file,system,kind,codebooks\n" + "".join(lines))
    return folder


def test_copies_of_a_pair_count_once_and_narrow_no_interval(repository: Path, tmp_path: Path) -> None:
    rows = []
    for number, clip in enumerate(sorted((repository / "audio/clips").glob("English_speech*.flac"))):
        sound = load(clip, 16_000).samples[:32_000]
        noise = np.random.default_rng(number).normal(0, 0.01 * (number + 1), len(sound))
        for name, samples in ((f"{number}.wav", sound), (f"{number}_mimi.wav", sound + noise)):
            soundfile.write(tmp_path / name, samples, 16_000, subtype="PCM_16")
        rows.append((str(number), f"{number}.wav", f"{number}_mimi.wav"))
    asked = request(mode="pairs", pairs={"speech": {"kind": "speech"}}, metrics=["log_mel_distance"])
    once = EVALUATOR.measure(asked, Site(pairs=listed(tmp_path, rows))).measurements[0]
    for ending in ("", "_mimi"):  # the same samples in another container
        soundfile.write(tmp_path / f"copy{ending}.flac", *soundfile.read(tmp_path / f"0{ending}.wav", dtype="int16"))
    copies = [("again", "0.wav", "0_mimi.wav"), ("copy", "copy.flac", "copy_mimi.flac")]
    twice = EVALUATOR.measure(asked, Site(pairs=listed(tmp_path, [*rows, *copies]))).measurements[0]
    assert (twice.value, twice.n, twice.interval) == (once.value, once.n, once.interval)
    assert "copies, counted once: again is 0, copy is 0" in twice.locator
    wrong = tmp_path / "manifest.csv"
    wrong.write_text(wrong.read_text().replace("copy_mimi.flac,Mimi,speech,8", "copy_mimi.flac,Mimi,speech,4"))
    both = request(mode="pairs", pairs={"speech": {"kind": "speech", "codebooks": "any"}}, metrics=["log_mel_distance"])
    with pytest.raises(InputError, match=r"said to be several things: 0 \(Mimi speech und 8\), again .*, copy .* 4\)"):
        EVALUATOR.inputs(both, Site(pairs=tmp_path))


def test_without_pairs_it_says_what_supplies_them() -> None:
    with pytest.raises(Unavailable, match="--pairs DIR"):
        EVALUATOR.inputs(PAIRS, Site())


# --- codec mode, with a small Mimi of random weights -----------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_checkpoint(tmp_path_factory.mktemp("mimi"))


@pytest.fixture(scope="module")
def site(repository: Path, checkpoint: Path, store: Path) -> Site:
    """The demonstration clips and the small codec."""
    return Site(audio=repository / "audio/clips", codec=str(checkpoint), cache=store, device="cpu")


@pytest.fixture(scope="module")
def folders(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips of laughter, one of them silent; three of music."""
    folder = tmp_path_factory.mktemp("clips")
    for role, count in (("laughter", 3), ("music", 3)):
        (folder / role).mkdir()
        for path in sorted((repository / "audio/clips").glob(f"{role}*.flac"))[:count]:
            clip = load(path, 24_000)
            backwards = np.flip(clip.samples[: 2 * 24_000]).copy()  # no built-in clip to the ear
            save(folder / role / path.name, backwards, 24_000)
    save(folder / "laughter" / "silence.flac", np.zeros(24_000, np.float32), 24_000)
    return folder


SWEEP = request(clips=SPEECH, codebooks=4, sweep=[1, 4], metrics=FAST)
FOLDERS = request(clips={"laughter": "laughter.wav", "music": "music.wav"}, codebooks=2, metrics=FAST)


@pytest.fixture(scope="module")
def swept(site: Site, store: Path) -> Evidence:
    return gather(EVALUATOR, SWEEP, site, Store(store)).evidence


@pytest.fixture(scope="module")
def laughed(site: Site, folders: Path, store: Path) -> Evidence:
    return gather(EVALUATOR, FOLDERS, replace(site, audio=folders), Store(store)).evidence


def test_codec_mode_measures_every_announced_name(swept: Evidence, laughed: Evidence) -> None:
    assert set(by_name(swept)) == {q.name for q in EVALUATOR.quantities(SWEEP)}
    assert set(by_name(laughed)) == {q.name for q in EVALUATOR.quantities(FOLDERS)}


def test_only_the_codec_of_record_on_clips_that_are_not_built_in_is_measured(
    swept: Evidence, site: Site, checkpoint: Path, folders: Path
) -> None:
    assert {m.source for m in swept.measurements} == {"demonstration"}
    assert swept.provenance.weights
    known = (find_weights(checkpoint).digest,)
    of_record = replace(site, codec=None, codec_of_record=str(checkpoint), codec_sha256=known, cache=None)
    short = request(clips={"music": "music"}, metrics=["log_mel_distance"], codebooks=1)
    assert EVALUATOR.measure(short, replace(of_record, audio=folders)).measurements[0].source == "measured"
    assert EVALUATOR.measure(short, of_record).measurements[0].source == "demonstration"


def test_one_clip_has_its_interval_over_windows_and_says_so(swept: Evidence) -> None:
    english = by_name(swept)["stoi.english"]
    assert english.n == 1
    assert english.interval
    assert english.interval.over == "windows of one clip, in blocks"
    assert english.interval.low <= float(english.value or 0) <= english.interval.high
    assert english.locator == "English_speech.flac"


def test_value_is_that_of_the_whole_reconstructed_clip(swept: Evidence, site: Site, checkpoint: Path) -> None:
    from audio.clip import resample
    from audio.metrics import log_mel_distance

    codec = load_codec(checkpoint, device="cpu")
    clip = load(Path(site.audio or "") / "English_speech.flac", codec.sample_rate)
    estimate = codec.reconstruct([clip.samples], 4)[0]
    pair = [resample(signal, codec.sample_rate, 16_000) for signal in (clip.samples, estimate.clip(-1, 1))]
    measured = by_name(swept)["log_mel_distance.english"].value
    assert measured == pytest.approx(log_mel_distance(*pair, sample_rate=16_000), abs=0.001)


def test_sweep_repeats_the_value_at_its_own_number_of_codebooks(swept: Evidence) -> None:
    values = by_name(swept)
    assert values["stoi.chinese.q4"].value == values["stoi.chinese"].value
    assert values["stoi.chinese.q1"].value != values["stoi.chinese"].value


def test_a_clip_without_a_value_stays_in_the_count(laughed: Evidence) -> None:
    laughter = by_name(laughed)["stoi.laughter"]
    assert laughter.n == 3
    assert "defined for 3 of 4 clips" in laughter.note
    assert "the reference is silent (1 ×)" in laughter.note
    assert re.search(r"silent, \d clips?: [^;]*silence.flac, original", laughter.note)
    assert laughter.interval
    assert laughter.interval.over == "clips"


def test_artefacts_can_be_seen_and_heard(swept: Evidence, store: Path) -> None:
    kinds = [artefact.media_type for artefact in swept.artefacts]
    assert (kinds.count("image/png"), kinds.count("audio/flac"), kinds.count("text/csv")) == (2, 4, 1)
    for artefact in swept.artefacts:
        content = (store / artefact.path).read_bytes()
        assert content[:4] in (b"\x89PNG", b"fLaC", b"role")
    assert load(store / swept.artefacts[-1].path).sample_rate == 24_000


def test_second_run_comes_from_the_store_and_a_broken_off_one_goes_on(swept: Evidence, site: Site, store: Path) -> None:
    heard: list[str] = []
    listening = replace(site, progress=lambda step, _: heard.append(step))
    assert gather(EVALUATOR, SWEEP, listening, Store(store)).evidence == swept
    assert not heard
    before = sorted((store / "blobs").rglob("*.flac"))
    stamps = [path.stat().st_mtime_ns for path in before]
    again = gather(EVALUATOR, SWEEP, listening, Store(store), refresh=True).evidence
    assert again.measurements == swept.measurements
    assert "measuring reconstructions" in " ".join(heard)
    assert [path.stat().st_mtime_ns for path in before] == stamps


def test_without_a_store_the_values_are_the_same(swept: Evidence, site: Site) -> None:
    findings = EVALUATOR.measure(SWEEP, replace(site, cache=None))
    assert findings.measurements == swept.measurements
    assert not findings.artefacts


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        EVALUATOR.inputs(SWEEP, Site(audio=tmp_path, codec="nowhere/at/all"))
    text = str(caught.value)
    assert "TTS_English_speech.wav" in text
    assert "TTS_Chinese_speech.wav" in text
    assert "--codec" in text
    with pytest.raises(Unavailable, match="--audio DIR"):
        EVALUATOR.inputs(SWEEP, Site(codec="nowhere/at/all"))
    with pytest.raises(InputError, match="is not a folder"):
        EVALUATOR.inputs(SWEEP, Site(audio=tmp_path / "absent"))


def test_every_file_that_cannot_be_read_is_named_at_once(folders: Path, site: Site, tmp_path: Path) -> None:
    spoilt = tmp_path / "clips"
    shutil.copytree(folders, spoilt)
    (spoilt / "laughter" / "text.wav").write_text("not sound")
    flac = next((spoilt / "music").glob("*.flac"))
    flac.write_bytes(flac.read_bytes()[:2000])
    with pytest.raises(InputError) as caught:
        EVALUATOR.measure(FOLDERS, replace(site, audio=spoilt))
    assert [Path(problem.where).name for problem in caught.value.problems] == ["text.wav", flac.name]
    (spoilt / "music" / "voice memo.m4a").write_bytes(b"")
    with pytest.raises(InputError, match=r"voice memo\.m4a: cannot be read as audio"):
        EVALUATOR.inputs(FOLDERS, replace(site, audio=spoilt))


def test_a_clip_that_lies_there_twice_counts_once_and_never_in_two_roles(
    folders: Path, site: Site, tmp_path: Path
) -> None:
    folder = shutil.copytree(folders, tmp_path / "clips")
    first = next(iter(sorted((folder / "music").iterdir())))
    soundfile.write(folder / "music" / "zz backup.wav", *soundfile.read(first), subtype="PCM_24")
    found = find_clips(folder, {"music": "music", "laughter": "laughter"})
    assert len(found["music"]) == 3
    assert f"music/{first.name} (also as music/zz backup.wav)" in found["music"]
    shutil.copy(first, folder / "laughter" / "joke.flac")
    with pytest.raises(InputError, match=r"said to be several things: .*joke\.flac \(laughter\)"):
        EVALUATOR.inputs(FOLDERS, replace(site, audio=folder))


def test_a_clip_that_is_cut_is_measured_only_when_asked_and_the_evidence_says_so(
    folders: Path, site: Site, tmp_path: Path
) -> None:
    folder = shutil.copytree(folders, tmp_path / "clips")
    sound, rate = soundfile.read(sorted((folder / "music").iterdir())[0])
    spoilt = folder / "music" / "cut.wav"
    soundfile.write(spoilt, sound[::-1], rate)
    spoilt.write_bytes(spoilt.read_bytes()[:-20_000])
    asked = request(clips={"music": "music"}, metrics=["log_mel_distance"], codebooks=1)
    with pytest.raises(InputError, match=r"cut\.wav: is cut short: its header says 2\.00 s, 1\.58 s can be decoded"):
        EVALUATOR.inputs(asked, replace(site, audio=folder))
    allowed = replace(site, audio=folder, allow_truncated=True)
    evidence = gather(EVALUATOR, asked, allowed, Store(tmp_path / "store")).evidence
    assert "cut short, 1 clip: music/cut.wav, original (its header says 2.00 s" in evidence.measurements[0].note


def test_another_configuration_of_the_same_tensors_is_another_codec(
    site: Site, checkpoint: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(checkpoint, tmp_path / "other")
    settings = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(settings | {"sliding_window": 3}))
    asked = request(clips={"english": "English_speech.flac"}, codebooks=1, metrics=["log_mel_distance"])
    store = Store(tmp_path / "store")
    values = [
        by_name(gather(EVALUATOR, asked, replace(site, codec=str(folder), cache=store.root), store).evidence)[
            "log_mel_distance.english"
        ].value
        for folder in (checkpoint, other)
    ]
    assert values[0] != values[1]


def test_clips_of_one_name_in_two_folders_are_two_clips(folders: Path, site: Site, tmp_path: Path) -> None:
    music = sorted((folders / "music").iterdir())
    for folder, path in zip(("first", "second", "third"), music, strict=True):
        (tmp_path / "music" / folder).mkdir(parents=True)
        shutil.copy(path, tmp_path / "music" / folder / "clip.flac")
    asked = request(clips={"music": "music"}, codebooks=1, metrics=FAST)
    here = replace(site, audio=tmp_path)
    assert sum(name.startswith("music") for name in EVALUATOR.inputs(asked, here).files) == 3
    assert by_name(gather(EVALUATOR, asked, here, Store(tmp_path / "store")).evidence)["stoi.music"].n == 3


def test_more_codebooks_than_the_codec_has_is_one_clear_message(site: Site) -> None:
    with pytest.raises(InputError, match="choose 1 to 32"):
        EVALUATOR.measure(request(clips=SPEECH, codebooks=33, metrics=FAST), site)


# --- votes, by hand --------------------------------------------------------------------------------------------------

Value = float | Undefined


def scores(role: str, clips: Sequence[Mapping[str, Value]]) -> list[Score]:
    return [Score(role, f"{role}{i}", 8, values) for i, values in enumerate(clips)]


def spread(centre: Mapping[str, float]) -> list[Mapping[str, Value]]:
    """Five clips around these values."""
    return [{name: value + 0.01 * i for name, value in centre.items()} for i in range(-2, 3)]


@pytest.fixture
def judge_votes() -> Callable[..., dict[str, Measurement]]:
    def judge(laughter: list[Mapping[str, Value]], music: list[Mapping[str, Value]]) -> dict[str, Measurement]:
        asked = request(clips={"laughter": "l", "music": "m"}, metrics=["stoi", "si_sdr", "log_mel_distance"])
        summary = Summary(asked, "measured", {"laughter": "l", "music": "m"})
        return {m.name: m for m in summary.measurements([*scores("laughter", laughter), *scores("music", music)], 8)}

    return judge


def test_each_measure_votes_in_its_own_direction(judge_votes: Callable[..., dict[str, Measurement]]) -> None:
    votes = judge_votes(
        spread({"stoi": 0.8, "si_sdr": -3.0, "log_mel_distance": 9.0}),
        spread({"stoi": 0.5, "si_sdr": -3.0, "log_mel_distance": 5.0}),
    )
    assert (votes["worst_votes.music"].value, votes["worst_votes.laughter"].value) == (1, 1)
    assert votes["worst_votes.music"].n == 3
    assert "stoi: music; si_sdr: no clear loser; log_mel_distance: laughter" in votes["worst_votes.music"].note
    assert votes["worst_votes_nonspeech.laughter"].value == 1
    assert votes["worst_votes_nonspeech.music"].value == 0


def test_an_undefined_measure_has_no_vote_and_is_named(judge_votes: Callable[..., dict[str, Measurement]]) -> None:
    silent = Undefined("no utterance")
    music = [{**values, "stoi": silent} for values in spread({"stoi": 0.5, "si_sdr": -9.0, "log_mel_distance": 5.0})]
    votes = judge_votes(spread({"stoi": 0.8, "si_sdr": -3.0, "log_mel_distance": 5.0}), music)
    assert (votes["worst_votes.music"].value, votes["worst_votes.music"].n) == (1, 2)
    assert "stoi: undefined" in votes["worst_votes.music"].note
    assert votes["stoi.music"].undefined == "stoi has no value for any clip of music: no utterance (5 ×)"
    assert votes["stoi.laughter_minus_music"].value is None


def test_pitch_has_no_vote() -> None:
    asked = request(clips={"laughter": "l", "music": "m"}, metrics=["si_sdr", "f0_correlation"])
    summary = Summary(asked, "measured", {"laughter": "l", "music": "m"})
    sung, played = (spread({"si_sdr": -3.0, "f0_correlation": centre}) for centre in (0.9, 0.1))
    found = {m.name: m for m in summary.measurements([*scores("laughter", sung), *scores("music", played)], 8)}
    assert found["f0_correlation.laughter_minus_music"].value == pytest.approx(0.8)
    assert (found["worst_votes.music"].value, found["worst_votes.music"].n) == (0, 1)
    assert "F0 is followed as that of one speaking voice" in found["f0_correlation.music"].note


def test_no_spread_no_difference_and_no_vote(judge_votes: Callable[..., dict[str, Measurement]]) -> None:
    one = [{"stoi": 0.8, "si_sdr": -3.0, "log_mel_distance": 9.0}]
    votes = judge_votes(one, one)
    assert votes["stoi.laughter"].value == 0.8
    assert votes["stoi.laughter"].interval is None
    assert "too short for windows" in (votes["stoi.laughter_minus_music"].undefined or "")
    assert "no measure compares" in (votes["worst_votes.music"].undefined or "")


def test_the_arrows_of_the_titles_point_to_better() -> None:
    for name, words in TITLES.items():
        texts = [words] if isinstance(words, str) else words.values()
        assert {text[-1] for text in texts} == {"↑" if MEASURES[name].higher_is_better else "↓"}


@pytest.mark.parametrize("how", ["cannot start", "is killed"])
def test_a_fault_of_the_machine_is_no_value_and_is_not_stored(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The same request gives its values as soon as the machine is well again."""
    write_manifest(tmp_path, list(made_pairs(repository / "audio/clips", tmp_path, "english")))
    asked = request(mode="pairs", pairs={"english": {"language": "en"}}, metrics=["stoi"])
    site, store = Site(pairs=tmp_path, cache=tmp_path / "store", jobs=1), Store(tmp_path / "store")
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_pool", None)
        killer = tmp_path / "python"
        killer.write_text("#!/bin/sh\nkill -9 $$\n" if how == "is killed" else "#!/bin/sh\nexit 1\n")
        killer.chmod(0o755)
        patch.setattr(sys, "executable", str(killer))
        told = answer(EVALUATOR, asked, site, store)
    assert told.evidence is None
    assert told.missing
    assert (told.missing.cause, "a worker process" in told.missing.what) == ("fault", True)
    assert "this is the machine's fault" in told.missing.remedy
    found = answer(EVALUATOR, asked, site, store)
    assert found.evidence
    assert by_name(found.evidence)["stoi.english"].n == 3


def test_pesq_of_a_long_sound_is_called_a_mean_of_windows_wherever_it_stands(tmp_path: Path, repository: Path) -> None:
    rows = list(made_pairs(repository / "audio/clips", tmp_path, "english"))
    for name in ("orig_file", "recon_file"):
        sound, rate = soundfile.read(tmp_path / rows[0][name])
        soundfile.write(tmp_path / rows[0][name], np.tile(sound, 1 + 22 * rate // len(sound)), rate, subtype="FLOAT")
    write_manifest(tmp_path, rows)
    asked = request(mode="pairs", pairs={"english": {"language": "en"}}, metrics=["pesq_wb", "stoi"])
    store = tmp_path / "store"
    evidence = gather(EVALUATOR, asked, Site(pairs=tmp_path, cache=store), Store(store)).evidence
    pesq, stoi = (by_name(evidence)[f"{metric}.english"] for metric in ("pesq_wb", "stoi"))
    assert (pesq.unit, stoi.unit) == ("MOS-LQO, mean of windows", "")
    assert "PESQ of 1 of them, of more than 20 s, is a mean over windows of 8 to 20 s" in pesq.note
    long, *short = rows_of(evidence, store)
    assert re.search(r"pesq_wb: mean over \d of \d windows", long["remarks"])
    assert not any("windows" in row["remarks"] for row in short)


def test_curves_of_windowed_pesq_say_so() -> None:
    def point(metric: str, count: int, unit: str) -> Measurement:
        return Measurement(name=f"{metric}.english.q{count}", value=0.5 * count, unit=unit, source="demonstration")

    units = {"pesq_wb": "MOS-LQO, mean of windows", "pesq_nb": "MOS-LQO", "stoi": ""}
    (curves,) = sweep(tuple(point(metric, count, unit) for metric, unit in units.items() for count in (1, 8)))
    titles = [plot.title if isinstance(plot.title, str) else plot.title["en"] for plot in curves.plots]
    assert titles == ["PESQ, wide band ↑ (mean of windows)", "PESQ, narrow band ↑", "STOI ↑"]
