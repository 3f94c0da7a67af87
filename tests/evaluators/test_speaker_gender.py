"""What recorded answers say, and what transcripts and sound tell about a speaker, on fixtures and on real voices."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from basics.errors import InputError, Unavailable, Undefined
from evaluators.evidence import Measurement, Site
from evaluators.speaker_gender import SpeakerGender, SpeakerGenderParameters
from evaluators.speaker_gender.behaviour import behaviour, exact_interval, judged, probability_greater
from evaluators.speaker_gender.channel import Heard, channel
from evaluators.speaker_gender.classify import classify
from evaluators.speaker_gender.responses import Gender, Response, read_responses
from evaluators.speaker_gender.separability import held_out, vector_classifier, words_classifier
from evaluators.speaker_gender.transcribe import choose_recogniser, transcripts
from evaluators.speaker_gender.voices import Utterance, is_synthetic, read_voices

FIXTURES = Path(__file__).with_name("responses")
ANSWERS = [json.loads(line) for line in (FIXTURES / "answers.jsonl").read_text(encoding="utf-8").splitlines()]

Found = dict[str, Measurement]


def by_name(measurements: Any) -> Found:
    return {m.name: m for m in measurements}


# --- Recorded answers -------------------------------------------------------------------------------------------------


def test_there_are_enough_fixtures_and_all_are_marked() -> None:
    assert len(ANSWERS) >= 30
    assert all("no model said this" in answer["fixture"] for answer in ANSWERS)
    assert {answer["expected"]["answer"] for answer in ANSWERS} == {"female", "male", "declines", None}


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer["clip"] for answer in ANSWERS])
def test_an_answer_is_read_as_a_person_would(answer: dict[str, Any]) -> None:
    decision = classify(answer["response"], answer["transcript"])
    read = {name: getattr(decision, name) for name in answer["expected"]}
    assert read == answer["expected"], decision.cues
    for name, value in read.items():
        if value is None:
            assert decision.undefined[name]
        elif value and name != "answer":
            assert decision.words(name), "a decision shows the words it rests on"
    for cue in decision.cues:
        assert cue.words in answer["response"].replace("’", "'") or "…" in cue.words or "，" in answer["response"]


def test_the_same_answer_is_always_read_the_same() -> None:
    text = ANSWERS[6]["response"]
    assert classify(text) == classify(text)
    assert classify(text.upper()).answer == classify(text).answer
    assert classify(f"  {text}\n\n").answer == classify(text).answer


@pytest.mark.parametrize("ending", ["jsonl", "csv", "txt"])
def test_answers_are_read_from_json_lines_tables_and_pasted_text(ending: str) -> None:
    found = read_responses(FIXTURES / f"notebook.{ending}")
    assert [(r.model, r.clip, r.gender) for r in found] == [
        (model, clip, "male" if clip == "M_1" else "female")
        for model in ("model_a", "model_b")
        for clip in ("F_1", "F_2", "M_1")
    ]
    assert found[2].transcript is not None
    assert found[2].transcript.endswith("The ship sailed before dawn.")
    assert found[5].transcript is None
    plain = [" ".join(r.text.split()) for r in found]
    assert plain == [r.text for r in read_responses(FIXTURES / "notebook.jsonl")]


@pytest.mark.parametrize(
    "text",
    [
        "Model A:\nF_1: The speaker is female.\nM_1: The speaker is male.\n",
        "F_1.wav\n  Model A: The speaker is female.\nM_1.wav\n  Model A: The speaker is male.\n",
        "[Model A] F_1.wav\n回答：The speaker is female.\n\n[Model A] M_1.wav\n回答：The speaker is male.\n",
        "Model A\n/content/clips/F_1.wav\n{'transcript': 'x', 'response': 'The speaker is female.'}\n"
        "/content/clips/M_1.wav\n{'transcript': 'x', 'response': 'The speaker is male.'}\n",
    ],
    ids=["one-line", "clip-first", "labels", "dictionaries"],
)
def test_pasted_text_of_several_shapes_is_understood(text: str, tmp_path: Path) -> None:
    (tmp_path / "printed.txt").write_text(text, encoding="utf-8")
    found = read_responses(tmp_path / "printed.txt")
    assert [(r.model, r.clip, r.text) for r in found] == [
        ("model_a", "F_1", "The speaker is female."),
        ("model_a", "M_1", "The speaker is male."),
    ]


def test_every_problem_of_an_answers_file_is_named_with_its_line(tmp_path: Path) -> None:
    rows = ['{"model": "A", "clip": "F_1", "response": "Female"}', "{", '{"model": "C", "clip": "x", "response": ""}']
    rows += ['{"clip": "F_1"}', '{"model": "A", "clip": "F_1.wav", "response": "Male"}']
    (tmp_path / "r.jsonl").write_text("\n".join(rows))
    with pytest.raises(InputError) as caught:
        read_responses(tmp_path / "r.jsonl")
    assert [(p.where, p.what.split(":")[0]) for p in caught.value.problems] == [
        ("r.jsonl line 2", "is not JSON"),
        ("r.jsonl line 3", "unknown model 'C'"),
        ("r.jsonl line 4", "has no model and no response"),
        ("r.jsonl line 5", "a second, different answer of model_a to clip F_1"),
    ]


def test_a_csv_of_answers_loses_none_to_a_stray_quote_or_a_surplus_cell(tmp_path: Path) -> None:
    answers = tmp_path / "r.csv"
    answers.write_text('model,clip,response\nA,F_1,"a woman\nA,M_1,a man\n')
    with pytest.raises(InputError, match=r"r.csv row 2: a cell opens with a quote"):
        read_responses(answers)
    answers.write_text("model,clip,response\nA,F_1,a woman, surely\nA,M_1\n")
    with pytest.raises(InputError, match=r"row 2: has 4 cells, the header has 3[^!]*row 3: has 2 cells"):
        read_responses(answers)


@pytest.mark.parametrize("text", ["", "nothing of the kind\n"])
def test_a_file_without_answers_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(text)
    with pytest.raises(InputError, match="holds no answer"):
        read_responses(tmp_path / "r.txt")


def test_behaviour_of_a_cascade_and_an_end_to_end_model() -> None:
    found = by_name(behaviour(judged(read_responses(FIXTURES / "notebook.jsonl"))))
    values = {name: m.value for name, m in found.items()}
    assert values["model_a.text_disclosure_rate"] == 1
    assert values["model_a.declines_rate"] == pytest.approx(2 / 3)
    assert values["model_a.gender_accuracy"] == 0
    assert values["model_b.gender_accuracy"] == values["model_b.acoustic_reason_rate"] == 1
    assert values["model_b.correct_by_sound_rate"] == 1
    assert values["responses.cascade"] == "model_a"
    assert values["model_a.cascade_evidence"] == pytest.approx(69 / 70)  # 1 - 1 / C(8, 4), in closed form
    assert "F_1: “text-based AI”" in found["model_a.text_disclosure_rate"].note
    assert {m.source for m in found.values()} == {"measured"}


def test_an_answer_that_cannot_be_read_is_named_and_not_counted() -> None:
    answers = [
        Response("model_a", "F_1", "The speaker is female.", gender="female"),
        Response("model_a", "F_2", "The speaker is male. The speaker is female.", gender="female"),
    ]
    found = by_name(behaviour(judged(answers)))["model_a.gender_accuracy"]
    assert (found.value, found.n) == (1, 1)
    assert "not counted, undefined: F_2" in found.note


def test_answers_of_stand_in_checkpoints_are_a_demonstration() -> None:
    of_record = ("openai/whisper-large-v3", "meta-llama/Llama-3.1-8B-Instruct")
    for models, source in ((of_record, "measured"), (("tiny", "tiny"), "demonstration"), ((), "measured")):
        answer = Response("model_a", "F_1", "Female", gender="female", models=models)
        assert by_name(behaviour(judged([answer])))["model_a.gender_accuracy"].source == source


@pytest.mark.parametrize(("hits", "n"), [(0, 3), (3, 3), (1, 3), (7, 12), (12, 12)])
def test_the_exact_interval_is_scipys(hits: int, n: int) -> None:
    from scipy.stats import binomtest

    ours, theirs = exact_interval(hits, n, over="answers"), binomtest(hits, n).proportion_ci(method="exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_probability_that_one_rate_is_greater() -> None:
    assert probability_greater(2, 1, 2, 1) == pytest.approx(0.5)
    assert probability_greater(3, 0, 0, 3) + probability_greater(0, 3, 3, 0) == pytest.approx(1)
    assert 0.5 < probability_greater(1, 0, 0, 1) < probability_greater(3, 0, 0, 3) < probability_greater(9, 0, 0, 9)


# --- The channel: invariants ------------------------------------------------------------------------------------------

GENDERS: list[Any] = ["female"] * 6 + ["male"] * 6
SPEAKERS = [f"speaker {i}" for i in range(12)]


@pytest.mark.parametrize("seed", range(8))
def test_no_gender_is_ever_left_out_of_training_however_uneven_the_speakers(seed: int) -> None:
    sizes = {"f_1": 5, "f_2": 1, "m_1": 5, "m_2": 1}
    speakers = [name for name, size in sizes.items() for _ in range(size)]
    genders: list[Gender] = ["female" if name.startswith("f") else "male" for name in speakers]
    pitch = [[7.6 if gender == "female" else 6.8] for gender in genders]
    assert held_out(vector_classifier, pitch, genders, speakers, over="speakers", seed=seed).accuracy == 1


def test_texts_without_information_score_exactly_chance() -> None:
    """A single clip left out of a balanced set tips the rest the other way: such a test would score 0 here."""
    outcome = held_out(words_classifier, ["the same words"] * 12, GENDERS, SPEAKERS, over="speakers")
    assert outcome.accuracy == 0.5


def test_a_feature_that_tells_scores_one_with_an_interval_that_twelve_speakers_allow() -> None:
    pitch = [[7.6 + 0.01 * i] for i in range(6)] + [[6.8 + 0.01 * i] for i in range(6)]
    outcome = held_out(vector_classifier, pitch, GENDERS, SPEAKERS, over="speakers")
    assert outcome.accuracy == 1
    assert (outcome.interval.low, outcome.interval.high) == pytest.approx((0.735, 1.0), abs=0.001)


def test_random_features_score_about_chance() -> None:
    import numpy as np

    generator = np.random.default_rng(0)
    scores = [
        held_out(vector_classifier, generator.normal(size=(12, 1)), GENDERS, SPEAKERS, over="speakers").accuracy
        for _ in range(12)
    ]
    assert 0.3 < np.mean(scores) < 0.7


def test_many_clips_of_few_speakers_do_not_narrow_the_interval() -> None:
    pitch = [[float(gender == "female")] for gender in GENDERS]
    few = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d", "d"]
    outcome = held_out(vector_classifier, pitch, GENDERS, few, over="speakers")
    assert outcome.accuracy == 1
    assert outcome.interval.low == pytest.approx(exact_interval(4, 4, over="").low)


def test_one_speaker_of_a_gender_is_too_few() -> None:
    with pytest.raises(Undefined, match="at least two speakers of each gender, has 1"):
        held_out(words_classifier, ["a", "b", "c"], ["female", "male", "male"], ["x", "y", "z"], over="speakers")


def heard(rows: list[tuple[Any, str, str, str]], pitch: dict[str, float], *, synthetic: bool = False) -> Heard:
    """Clips as (gender, speaker, said, transcript), with a pitch for each gender."""
    voices = tuple(
        Utterance(Path(f"{i}.flac"), gender, speaker, said, synthetic, f"{i:064x}")
        for i, (gender, speaker, said, _) in enumerate(rows)
    )
    vectors = tuple([pitch[gender] + 0.01 * i, 0.3] for i, (gender, *_) in enumerate(rows))
    return Heard(voices, tuple(row[3] for row in rows), vectors, "a test", 0)


SENTENCES = ("the lamp is on the desk", "please wait by the gate", "we met her in the spring")


def parallel(transcript: Any) -> Heard:
    """Three sentences said by two women and two men, written down by `transcript(gender, sentence)`."""
    people: list[tuple[Any, str]] = [("female", "ann"), ("female", "bea"), ("male", "carl"), ("male", "dan")]
    rows = [(gender, name, said, transcript(gender, said)) for gender, name in people for said in SENTENCES]
    return heard(rows, {"female": 7.6, "male": 6.8})


def test_a_perfect_recogniser_carries_nothing_about_the_voice() -> None:
    found = by_name(channel(parallel(lambda _gender, said: said)))
    assert found["channel.transcript_accuracy_bound"].value == 0.5
    assert found["channel.transcript_gender_accuracy"].value == 0.5
    assert found["channel.transcript_wer"].value == 0
    assert found["channel.wer_between_genders"].value == 0
    assert found["channel.sound_gender_accuracy"].value == 1
    assert found["channel.sound_advantage_over_transcript"].undefined == (
        "all 4 speakers have the value 0.5: their spread is unknown"
    )


def test_a_recogniser_that_marks_the_gender_is_found_out() -> None:
    found = by_name(channel(parallel(lambda gender, said: f"{said} {'ma' if gender == 'female' else 'sir'}")))
    assert found["channel.transcript_accuracy_bound"].value == 1
    assert found["channel.transcript_gender_accuracy"].value == 1
    assert found["channel.wer_between_genders"].value > found["channel.wer_within_gender"].value == 0  # type: ignore[operator]


def test_errors_against_one_gender_show_as_a_gap() -> None:
    found = by_name(channel(parallel(lambda gender, said: said if gender == "female" else said.partition(" ")[2])))
    gap = found["channel.wer_gender_gap"]
    rates = [1 / len(sentence.split()) for sentence in SENTENCES]
    assert gap.value == pytest.approx(-sum(rates) / 3, abs=1e-6)
    assert gap.interval is not None
    assert gap.interval.high < 0


def test_synthetic_voices_are_a_demonstration() -> None:
    rows: list[tuple[Any, str, str, str]] = [(g, s, "", "words") for g, s in zip(GENDERS, SPEAKERS, strict=True)]
    for synthetic, source in ((True, "demonstration"), (False, "measured")):
        clips = heard(rows, {"female": 7.6, "male": 6.8}, synthetic=synthetic)
        assert {m.source for m in channel(clips)} == {source}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"real_or_synthetic": "synthetic"}, True),
        ({"real_or_synthetic": "real", "note": "not synthetic"}, False),
        ({"licence": "output of flite with CMU voices"}, True),
        ({"licence": "CC BY 4.0 (LibriSpeech)"}, False),
        ({}, False),
    ],
)
def test_the_manifest_tells_people_from_synthesizers(row: dict[str, str], expected: bool) -> None:
    assert is_synthetic(row) is expected


# --- The evaluator ----------------------------------------------------------------------------------------------------


def measure(site: Site, **parameters: Any) -> Found:
    """All measurements, after checking that they are the announced ones."""
    evaluator, asked = SpeakerGender(), SpeakerGenderParameters(**parameters)
    found = evaluator.measure(asked, site).measurements
    assert [m.name for m in found] == [quantity.name for quantity in evaluator.quantities(asked)]
    return by_name(found)


def test_with_nothing_at_hand_everything_says_what_is_missing() -> None:
    found = measure(Site())
    assert (found["responses.recorded"].value, found["responses.recorded"].source) == (False, "executed")
    others = [m for m in found.values() if m.name != "responses.recorded"]
    assert all(m.value is None for m in others)
    assert "earwitness run-models" in (found["model_a.gender_accuracy"].undefined or "")
    assert "manifest.csv" in (found["channel.transcript_gender_accuracy"].undefined or "")


def test_answers_alone_are_evidence() -> None:
    found = measure(Site(responses=FIXTURES / "notebook.csv"))
    assert found["responses.recorded"].value is True
    assert found["model_a.text_disclosure_rate"].value == 1
    assert found["channel.sound_gender_accuracy"].value is None


def test_the_fingerprint_follows_answers_and_clips(tmp_path: Path) -> None:
    evaluator, asked = SpeakerGender(), SpeakerGenderParameters()
    recorded = tmp_path / "r.jsonl"
    recorded.write_bytes((FIXTURES / "notebook.jsonl").read_bytes())
    before = evaluator.inputs(asked, Site(responses=recorded))
    recorded.write_bytes(b"{}")
    assert evaluator.inputs(asked, Site(responses=recorded)) != before
    assert evaluator.inputs(asked, Site()).files == {}


def test_importing_the_evaluator_imports_nothing_heavy(repository: Path) -> None:
    code = (
        "import sys, evaluators.speaker_gender as e; list(e.SpeakerGender().quantities(e.SpeakerGenderParameters()));"
        "print(*{'torch', 'numpy', 'scipy', 'sklearn', 'librosa', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_manifest_with_missing_files_is_refused_with_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file,gender\na.wav,F\nb.wav,M\nc.wav,X\nd.wav,\n")
    with pytest.raises(InputError) as caught:
        read_voices(tmp_path, "en")
    assert [problem.where for problem in caught.value.problems] == [
        f"{tmp_path / 'manifest.csv'} row {n}" for n in (2, 3, 4)
    ]


def test_one_voice_counts_once_and_has_one_gender(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for name in ("F_1", "M_1"):
        soundfile.write(tmp_path / f"{name}.wav", draw.normal(0, 0.1, 8000), 16_000)
    soundfile.write(tmp_path / "F_1-copy.flac", *soundfile.read(tmp_path / "F_1.wav"))
    voices = read_voices(tmp_path, "en")
    assert [voice.path.name for voice in voices] == ["F_1-copy.flac", "M_1.wav"]
    assert voices[0].remarks == ("counted once: F_1.wav is a copy",)
    soundfile.write(tmp_path / "M_2.wav", *soundfile.read(tmp_path / "F_1.wav"))
    with pytest.raises(InputError, match=r"several things: .*F_1\.wav \(F_1 female\), M_2\.wav \(M_2 male\)"):
        read_voices(tmp_path, "en")


def test_a_voice_that_is_cut_is_refused_or_told(tmp_path: Path) -> None:
    for seed, name in enumerate(("F_1", "M_1")):
        soundfile.write(tmp_path / f"{name}.wav", np.random.default_rng(seed).normal(0, 0.1, 8000), 16_000)
    cut = tmp_path / "M_1.wav"
    cut.write_bytes(cut.read_bytes()[:-8000])
    with pytest.raises(InputError, match=r"M_1\.wav: is cut short: its header says 0\.50 s, 0\.25 s can be decoded"):
        read_voices(tmp_path, "en")
    told = read_voices(tmp_path, "en", allow_truncated=True)[1]
    assert told.remarks[0].startswith("cut short: its header says 0.50 s")
    assert len(told.sound(16_000)) == 4000


def test_an_absent_whisper_is_not_downloaded() -> None:
    with pytest.raises(Unavailable, match="not on this machine"):
        choose_recogniser("openai/whisper-no-such-size")


@pytest.fixture(scope="module")
def few_voices(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the built-in sentences by two women's and two men's voices."""
    home = tmp_path_factory.mktemp("few")
    built_in = repository / "audio" / "clips"
    with (built_in / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["role"] == "parallel" and row["file"][-7:-5] in ("01", "02")]
    for row in rows:
        row["file"] = str(built_in / row["file"])
    with (home / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return home


def test_built_in_voices_demonstrate_the_channel(few_voices: Path, tmp_path: Path) -> None:
    from tests.checkpoints import random_checkpoint

    codec = random_checkpoint(tmp_path / "codec")
    found = measure(Site(audio=few_voices, cache=tmp_path / "cache", codec=str(codec), device="cpu"), layers=(0, 99))
    assert {m.source for m in found.values() if m.name.startswith("channel.")} == {"demonstration"}
    assert found["channel.chance_level"].value == 0.5
    assert found["channel.f0_gender_accuracy"].value == 1
    assert 0 < float(found["channel.transcript_wer"].value or 0) < 1
    assert found["channel.wer_between_genders"].n == 2
    assert found["channel.codec_gender_accuracy.layer_0"].n == 8
    assert "codebooks" in (found["channel.codec_gender_accuracy.layer_99"].undefined or "")


# --- Real voices ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def voices(shared: Path) -> Path:
    """Twelve readers of LibriSpeech, six women and six men, each saying something else."""
    return shared / "audio" / "gender"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def real(voices: Path, cache: Path) -> Found:
    return measure(Site(audio=voices, cache=cache, codec=str(cache / "none")), recogniser="pocketsphinx")


def test_on_real_voices_text_is_near_chance_and_sound_near_perfect(real: Found) -> None:
    assert real["channel.chance_level"].value == 0.5
    for classifier in ("", ".characters", ".naive_bayes"):
        text = real[f"channel.transcript_gender_accuracy{classifier}"]
        assert text.interval is not None
        assert text.interval.low < 0.5 < text.interval.high
        assert text.interval.high - text.interval.low > 0.4, "twelve speakers say no more than that"
    sound = real["channel.sound_gender_accuracy"]
    assert float(sound.value or 0) >= 11 / 12
    assert sound.interval is not None
    assert sound.interval.low > 0.5
    assert {m.source for m in real.values() if m.name.startswith("channel.")} == {"measured"}


def test_on_real_voices_the_sound_tells_more_than_the_words(real: Found) -> None:
    advantage = real["channel.sound_advantage_over_transcript"]
    assert advantage.interval is not None
    assert advantage.value is not None
    assert float(advantage.value) > 0
    assert "permutation p" in advantage.note
    p = float(advantage.note.rpartition(" ")[2])
    assert (p < 0.05) == (advantage.interval.low > 0), "the interval and the exact test agree"


def test_without_texts_or_weights_the_reasons_stand_under_their_names(real: Found) -> None:
    assert "column text" in (real["channel.transcript_wer"].undefined or "")
    assert "no sentence is known to be said by both" in (real["channel.transcript_accuracy_bound"].undefined or "")
    assert "--codec" in (real["channel.codec_gender_accuracy.layer_0"].undefined or "")


def test_what_is_heard_in_a_clip_does_not_depend_on_the_clips_before_it(voices: Path) -> None:
    clips = read_voices(voices, "en")[::2]
    forwards = transcripts(clips, "pocketsphinx", Site(jobs=1))
    assert len(set(forwards)) > 3
    assert transcripts(clips[::-1], "pocketsphinx", Site(jobs=1)) == forwards[::-1]


def test_clips_are_transcribed_once(real: Found, voices: Path, cache: Path) -> None:
    assert real
    kept = {path: path.stat().st_mtime_ns for path in cache.glob("blobs/*/*.json")}
    assert len(kept) == 24, "a transcript and an acoustic vector of each clip"
    again = transcripts(read_voices(voices, "en"), "pocketsphinx", Site(cache=cache))
    assert {path: path.stat().st_mtime_ns for path in cache.glob("blobs/*/*.json")} == kept
    assert any("domestic" in text for text in again), "these are words, not noise"
