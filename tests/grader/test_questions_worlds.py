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

World = Mapping[str, float | tuple[float, float]]


def verdicts(repository: Path, name: str, world: World) -> dict[str, str]:
    """State of each option when `world` (values or intervals) is measured and the literature is as it is."""
    (path,) = (repository / "questions").glob(f"{name}_*.yaml")
    question = validate(Question, read(path))
    known: dict[str, list[Measurement]] = {label: [measured(label, value)] for label, value in world.items()}
    for request in question.evidence:
        if request.evaluator == "literature":
            for found in get("literature").measure(parameters_of(request), Site()).measurements:
                known.setdefault(found.name, []).append(found)
    for option in question.options.values():
        for comparison in comparisons(option.claim):
            for label in names_of(comparison):
                known.setdefault(label, [Measurement(name=label, undefined="not here", source="measured")])
    return {letter: judge(option.claim, known).state for letter, option in question.options.items()}


def measured(name: str, value: float | tuple[float, float]) -> Measurement:
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


def test_q02_without_answers_knows_from_the_code_which_is_the_cascade(repository: Path) -> None:
    states = verdicts(repository, "q02", {})
    assert {letter: states[letter] for letter in "BCD"} == dict.fromkeys("BCD", "refuted")
    assert undecided(states) == "AE"


def test_q02_without_answers_rests_on_the_code_and_on_published_models_of_both_kinds(repository: Path) -> None:
    states = verdicts(repository, "q02", {"responses.recorded": False})
    assert (supported(states), undecided(states)) == ("AE", "")


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
        ("It could be a man or a woman.", "A", "E"),
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


def layers(all_emotions: tuple[float, float], pair: tuple[float, float], pair_at_6: tuple[float, float]) -> World:
    return {
        "silhouette_map_difference.layer_31_minus_0": all_emotions,
        "silhouette_difference.layer_31_minus_0": all_emotions,
        "pair_separation_map_difference.layer_6_minus_16": pair,
        "pair_separation_map.layer_6": pair_at_6,
    }


@pytest.mark.parametrize(
    ("world", "expected", "open_"),
    [
        (layers((-0.20, -0.10), (0.05, 0.15), (0.1, 0.2)), "ABDE", ""),
        (layers((0.10, 0.20), (-0.15, -0.05), (0.1, 0.2)), "ABC", ""),
        (layers((-0.05, 0.05), (-0.05, 0.05), (0.1, 0.2)), "AB", "CDE"),
        (layers((-0.20, -0.10), (0.05, 0.15), (-0.2, -0.1)), "ABD", ""),
        ({}, "AB", "CDE"),
    ],
    ids=["low-layers-separate", "high-layers-separate", "no-telling", "no-clusters", "not-measured"],
)
def test_q05_follows_the_layers(repository: Path, world: World, expected: str, open_: str) -> None:
    states = verdicts(repository, "q05", world)
    assert (supported(states), undecided(states)) == (expected, open_)


def speech(english: float, chinese: float, gap: tuple[float, float]) -> World:
    return {"stoi.english": english, "stoi.chinese": chinese, "pesq_wb.english_minus_chinese": gap}


@pytest.mark.parametrize(
    ("world", "expected", "open_"),
    [
        ({}, "C", ""),
        (speech(0.92, 0.90, (-0.1, 0.3)), "C", ""),
        (speech(0.92, 0.86, (0.7, 1.1)), "D", ""),
        (speech(0.92, 0.86, (0.2, 0.8)), "", "CD"),
        (speech(0.86, 0.92, (-1.1, -0.7)), "", ""),  # both published comparisons speak against an advantage in Chinese
        (speech(0.60, 0.55, (-0.1, 0.3)), "", ""),  # published reconstructions of Chinese are intelligible
        (speech(0.92, 0.70, (0.0, 0.2)), "", ""),
    ],
    ids=["published", "alike", "english-ahead", "no-telling", "chinese-ahead", "both-bad", "one-bad"],
)
def test_q06_follows_the_two_files(repository: Path, world: World, expected: str, open_: str) -> None:
    states = verdicts(repository, "q06", world)
    assert (supported(states), undecided(states)) == (expected, open_)


def votes(music: int, laughter: int, music_nonspeech: int, laughter_nonspeech: int) -> World:
    return {
        "worst_votes.music": music,
        "worst_votes.laughter": laughter,
        "worst_votes_nonspeech.music": music_nonspeech,
        "worst_votes_nonspeech.laughter": laughter_nonspeech,
    }


@pytest.mark.parametrize(
    ("world", "expected", "open_"),
    [
        (votes(6, 0, 3, 0), "C", ""),
        (votes(1, 5, 0, 3), "B", ""),
        (votes(3, 3, 1, 1), "", "BC"),
        (votes(4, 3, 2, 1), "", "C"),  # too close to call, but for laughter there is nothing to say any more
        ({}, "", "BC"),
    ],
    ids=["music-worst", "laughter-worst", "tie", "one-vote-ahead", "not-measured"],
)
def test_q07_follows_the_votes_and_the_reasons_are_refuted_already(
    repository: Path, world: World, expected: str, open_: str
) -> None:
    states = verdicts(repository, "q07", world)
    assert (states["A"], states["D"]) == ("refuted", "refuted")
    assert (supported(states), undecided(states)) == (expected, open_)
