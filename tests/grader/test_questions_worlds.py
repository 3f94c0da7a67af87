"""How the claims of the empirical questions come out under evidence that nobody has yet: each world, its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from basics.yaml_source import read, validate
from evaluators.evidence import Interval, Measurement, Site
from evaluators.registry import get
from grader.quiz.claims import comparisons, names_of
from grader.quiz.loading import parameters_of
from grader.quiz.spec import Question
from grader.verdicts.judge import judge

World = dict[str, float | str | tuple[float, float]]


def verdicts(repository: Path, name: str, world: World) -> dict[str, str]:
    """State of each option when `world` (values, words or intervals) is measured and the literature is as it is."""
    (path,) = (repository / "questions").glob(f"{name}_*.yaml")
    question = validate(Question, read(path))
    known: dict[str, list[Measurement]] = {label: [measured(label, value)] for label, value in world.items()}
    for request in question.evidence:
        if request.evaluator == "literature":
            for found in get("literature").measure(parameters_of(request), Site()).measurements:
                known.setdefault(found.name, []).append(found)
    for claim in (claim for option in question.options.values() for claim in option.claims):
        for comparison in comparisons(claim):
            for label in names_of(comparison):
                known.setdefault(label, [Measurement(name=label, undefined="not here", source="measured")])
    return {letter: judge(option.claim, known, option.asides).state for letter, option in question.options.items()}


def measured(name: str, value: float | str | tuple[float, float]) -> Measurement:
    if isinstance(value, tuple):
        middle = sum(value) / 2
        return Measurement(name=name, value=middle, interval=Interval(low=value[0], high=value[1]), source="measured")
    return Measurement(name=name, value=value, source="measured")


def supported(states: Mapping[str, str]) -> str:
    return "".join(letter for letter, state in states.items() if state == "supported")


def undecided(states: Mapping[str, str]) -> str:
    return "".join(letter for letter, state in states.items() if state == "inconclusive")


def answers(a: tuple[int, int], b: tuple[int, int], *, disclosures: tuple[int, int]) -> World:
    """(correct, wrong) answers of both models, and how often each says that it works from text."""
    return {
        "model_a.correct_answers": a[0],
        "model_a.wrong_answers": a[1],
        "model_b.correct_answers": b[0],
        "model_b.wrong_answers": b[1],
        "model_a.text_disclosures": disclosures[0],
        "model_b.text_disclosures": disclosures[1],
        "responses.recorded": 1.0,
    }


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (answers((0, 3), (3, 0), disclosures=(3, 0)), "AE"),
        (answers((1, 2), (2, 1), disclosures=(3, 0)), "A"),
        (answers((3, 0), (3, 0), disclosures=(0, 0)), "E"),
        (answers((3, 0), (3, 0), disclosures=(1, 2)), "E"),
    ],
    ids=["as-designed", "b-errs-once", "a-guesses-right", "both-say-so"],
)
def test_q02_is_decided_by_what_the_models_said(repository: Path, world: World, expected: str) -> None:
    states = verdicts(repository, "q02", world)
    assert (supported(states), undecided(states)) == (expected, "")


def test_q02_without_answers_leaves_open_how_model_a_accounts_for_itself(repository: Path) -> None:
    """That no file was given is no evidence; what model B can do rests on boards that have both kinds of model."""
    states = verdicts(repository, "q02", {})
    assert (supported(states), undecided(states)) == ("E", "A")


@pytest.mark.parametrize(
    "board",
    [
        "audiobench.qwen2_audio_7b_instruct.gender_accuracy.voxceleb",
        "talkarena.audio_language_model.gender_f1.set_one",
        "talkarena.audio_language_model.gender_f1.set_two",
    ],
)
def test_q02_e_needs_every_board(repository: Path, board: str) -> None:
    assert verdicts(repository, "q02", {board: 20.0})["E"] == "refuted"


RECORDED = {  # written for this test; the models' real answers come from the notebook
    ("model_a", "F_1", "female"): "As a text-based AI I cannot hear the voice, so I cannot determine the gender.",
    ("model_a", "F_2", "female"): "I'm a text-based model and cannot listen to audio.",
    ("model_a", "M_1", "male"): "As a text-based AI, I cannot identify the speaker's gender from a transcript.",
    ("model_b", "F_1", "female"): "The speaker is female, judging by the high pitch of the voice.",
    ("model_b", "F_2", "female"): "The speaker is a woman.",
    ("model_b", "M_1", "male"): "The speaker is male; the voice is deep.",
}


@pytest.mark.parametrize(
    ("last", "expected", "open_"),
    [
        ("The speaker is male; the voice is deep.", "AE", ""),
        ("The speaker is female.", "A", ""),
        ("It could be a man or a woman.", "AE", ""),  # what cannot be read shows nothing against it
    ],
    ids=["right", "wrong", "unreadable"],
)
def test_q02_is_settled_by_three_recorded_answers_of_each_model(
    repository: Path, tmp_path: Path, last: str, expected: str, open_: str
) -> None:
    answers_of_all = RECORDED | {("model_b", "M_1", "male"): last}
    rows = [
        dict(zip(("model", "clip", "gender"), key, strict=True)) | {"response": text}
        for key, text in answers_of_all.items()
    ]
    recorded = tmp_path / "responses.jsonl"
    recorded.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    evaluator = get("speaker_gender")
    found = evaluator.measure(evaluator.Parameters(), Site(responses=recorded)).measurements
    world = {m.name: float(m.value) for m in found if isinstance(m.value, int | float)}
    states = verdicts(repository, "q02", world)
    assert (supported(states), undecided(states)) == (expected, open_)


SPREAD = 0.02
"""Half the width that seeds and the number of clips leave in these worlds."""


def layers(later: tuple[float, float], pair: tuple[float, float], clusters: float = 0.2, within: float = 1.0) -> World:
    """How much more layer 31 separates than layer 0, and layer 6 the pair than layer 16; `within` speakers so much."""
    low, high = later
    inside = (within * later[0], within * later[1]) if within >= 0 else (within * later[1], within * later[0])
    world: World = {
        "silhouette_map.layer_0": (clusters - 0.01, clusters + 0.01),
        "silhouette_map.layer_31": (clusters - 0.01, clusters + 0.01),
        "pair_separation_map.layer_6": (clusters - 0.01, clusters + 0.01),
        "pair_separation_map_resolution.layer_6": SPREAD,
        "pair_separation_map_difference.layer_6_minus_16": pair,
        "pair_separation_map_difference_resolution.layer_6_minus_16": SPREAD,
        "pair_separation_map_within_speaker_difference.layer_6_minus_16": pair,
        "pair_separation_map_within_speaker_difference_resolution.layer_6_minus_16": SPREAD,
    }
    for place in ("silhouette_map", "silhouette", "silhouette_map_within_speaker"):
        found = inside if place.endswith("speaker") else (low, high)
        world[f"{place}_difference.layer_31_minus_0"] = found
        world[f"{place}_difference.layer_0_minus_31"] = (-found[1], -found[0])
        for key in ("layer_31_minus_0", "layer_0_minus_31"):
            world[f"{place}_difference_resolution.{key}"] = SPREAD
    for layer in (0, 31):
        world[f"silhouette_map_resolution.layer_{layer}"] = SPREAD
    return world


@pytest.mark.parametrize(
    ("world", "expected", "open_"),
    [
        (layers((-0.20, -0.10), (0.05, 0.15)), "ABDE", ""),
        (layers((0.10, 0.20), (-0.15, -0.05)), "ABC", ""),
        (layers((-0.05, 0.05), (-0.05, 0.05)), "AB", "CDE"),
        (layers((-0.015, 0.015), (-0.01, 0.01)), "AB", ""),
        (layers((0.10, 0.20), (0.05, 0.15), clusters=-0.1), "AB", ""),
        (layers((0.10, 0.20), (0.05, 0.15), within=0.05), "ABE", ""),
        (layers((0.10, 0.20), (0.05, 0.15), within=-1), "ABE", ""),
        ({}, "AB", "CDE"),
    ],
    ids=[
        "low-layers-separate",
        "high-layers-separate",
        "no-telling",
        "within-what-seeds-change",
        "no-clusters",
        "only-across-speakers",
        "speakers-say-the-opposite",
        "not-measured",
    ],
)
def test_q05_follows_the_layers(repository: Path, world: World, expected: str, open_: str) -> None:
    states = verdicts(repository, "q05", world)
    assert (supported(states), undecided(states)) == (expected, open_)


Span = tuple[float, float]


def speech(english: float, chinese: float, gap: Span, heard: tuple[Span, Span] | None = None) -> World:
    """STOI of both files, the gap in PESQ, and what listeners say of both on a scale to 100, if they were asked."""
    listened = dict(zip(("mushra.english", "mushra.chinese"), heard, strict=True)) if heard else {}
    return {"stoi.english": english, "stoi.chinese": chinese, "pesq_wb.english_minus_chinese": gap} | listened


@pytest.mark.parametrize(
    ("world", "expected", "open_"),
    [
        ({}, "", "C"),
        (speech(0.92, 0.90, (-0.1, 0.3)), "", "C"),
        (speech(0.92, 0.90, (-0.1, 0.3), heard=((80.5, 83), (81, 84))), "C", ""),
        (speech(0.92, 0.90, (-0.1, 0.3), heard=((80.5, 83), (60, 70))), "", ""),
        (speech(0.92, 0.86, (0.7, 1.1)), "D", ""),
        (speech(0.92, 0.86, (0.2, 0.8)), "", "CD"),
        (speech(0.86, 0.92, (-1.1, -0.7)), "", ""),  # both published comparisons speak against an advantage in Chinese
        (speech(0.60, 0.55, (-0.1, 0.3)), "", ""),  # published reconstructions of Chinese are intelligible
        (speech(0.92, 0.70, (0.0, 0.2)), "", ""),
    ],
    ids=[
        "published",
        "alike",
        "alike-and-heard-so",
        "chinese-heard-worse",
        "english-ahead",
        "no-telling",
        "chinese-ahead",
        "both-bad",
        "one-bad",
    ],
)
def test_q06_follows_the_two_files_and_what_listeners_say(
    repository: Path, world: World, expected: str, open_: str
) -> None:
    states = verdicts(repository, "q06", world)
    assert (supported(states), undecided(states)) == (expected, open_)


def votes(music: int, laughter: int, music_nonspeech: int, laughter_nonspeech: int, **others: float) -> World:
    """A poll, beside published pairs in which two clips of one kind part by two votes and music is short."""
    return {
        "worst_votes.music": music,
        "worst_votes.laughter": laughter,
        "worst_votes_lead.music_minus_laughter": music - laughter,
        "worst_votes_lead.laughter_minus_music": laughter - music,
        "worst_votes_nonspeech_lead.music_minus_laughter": music_nonspeech - laughter_nonspeech,
        "worst_votes_nonspeech_lead.laughter_minus_music": laughter_nonspeech - music_nonspeech,
        "published.worst_votes_null": others.get("null", 2),
        "published.worst_votes_nonspeech_null": others.get("null", 2),
        "published.longest_s.music": others.get("longest", 10),
        "published.log_mel_growth.librispeech": 0.7,
        "published.log_mel_distance.music_minus_speech": 1.5,
        "mimi.decoder_reach_s": others.get("reach", 27.8),
    }


@pytest.mark.parametrize(
    ("world", "expected", "open_"),
    [
        (votes(6, 0, 3, 0), "C", ""),
        (votes(1, 5, 0, 3), "B", ""),
        (votes(3, 3, 1, 1), "", ""),
        (votes(4, 3, 2, 1), "", ""),  # a lead that two clips of one kind reach as well
        (votes(6, 0, 3, 0, null=6), "", ""),
        (votes(6, 0, 3, 0, longest=30), "D", ""),
        (votes(6, 0, 3, 0, longest=30, reach=9.0), "", ""),
        ({}, "", "BCD"),
    ],
    ids=[
        "music-worst",
        "laughter-worst",
        "tie",
        "one-vote-ahead",
        "clips-differ-as-much",
        "published-music-is-long",
        "nothing-reaches-back",
        "not-measured",
    ],
)
def test_q07_follows_the_votes_and_what_they_are_worth(
    repository: Path, world: World, expected: str, open_: str
) -> None:
    states = verdicts(repository, "q07", world)
    assert states["A"] == "refuted"
    assert (supported(states), undecided(states)) == (expected, open_)
