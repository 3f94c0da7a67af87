"""A fact that is otherwise flips the options that say so, and no other: claims ask what the options say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from evaluators.store import Store
from grader.quiz.loading import load_quiz
from grader.verdicts.testimony import Gatherer
from tests.grader.test_questions_worlds import World, answers, layers, speech, verdicts, votes

REPOSITORY = Path(__file__).resolve().parents[2]
MEASURED = {
    "q02": answers((0, 3), (3, 0), disclosures=(3, 0)),
    "q05": layers((-0.20, -0.10), (0.05, 0.15)),
    "q06": speech(0.92, 0.90, (-0.1, 0.3), heard=((81, 84), (81, 84))),
    "q07": votes(6, 0, 3, 0),
}
"""What nobody has measured yet, in a world in which it decides every option of its question."""

SIGNS = {"supported": "+", "refuted": "-", "inconclusive": "?"}

MUTATIONS: tuple[tuple[str, World, str], ...] = (
    ("q01", {"moshi.dialogue_asr_tts_modules": 1}, ""),
    ("q01", {"moshi.asr_stages": 1}, ""),
    ("q01", {"cascade.turn_boundary_mark": "none"}, "B-"),
    ("q01", {"moshi.turn_boundary_mark": "voice activity detection"}, "B-"),
    ("q01", {"moshi.user_audio_streams": 0}, "B-"),
    ("q01", {"moshi.model_audio_streams": 0}, "B-"),
    ("q01", {"moshi.steps_until_output_reacts_to_user": 5}, "B-"),
    ("q01", {"cascade.paralinguistics_lost_at": "language model"}, ""),
    ("q01", {"cascade.asr_stages": 0}, "D-"),
    ("q01", {"cascade.llm_input": "speech tokens"}, "D-"),
    ("q01", {"moshi.training_stages": 1}, ""),
    ("q02", {"model_a.asr_stages": 0}, "A-"),
    ("q02", {"model_a.llm_input": "encoder features"}, "A-"),
    ("q02", {"model_b.llm_input": "transcript"}, "D? E-"),
    ("q02", {"model_a.text_disclosures": 0}, "A-"),
    ("q02", {"model_b.text_disclosures": 3}, "A-"),
    ("q02", {"model_b.wrong_answers": 1}, "E-"),
    ("q02", {"audiobench.qwen2_audio_7b_instruct.gender_accuracy.voxceleb": 50}, "E-"),
    ("q02", {"talkarena.cascade.gender_f1.set_one": 90}, "E-"),
    ("q02", {"talkarena.cascade.gender_f1.set_two": 90}, "E-"),
    ("q03", {"llama_omni2.initialised_from": "random weights"}, "A-"),
    ("q03", {"llama_omni2.llm_output": "speech tokens"}, "A-"),
    ("q03", {"llama_omni2.speech_modules_added": 0}, "A-"),
    ("q03", {"llama_omni2.modules_before_llm": 0}, "B-"),
    ("q03", {"llama_omni2.llm_input": "waveform"}, "B-"),
    ("q03", {"llama_omni2.talker_input": "nothing"}, "C-"),
    ("q03", {"llama_omni2.reply_wer_without_text": 3}, "C-"),
    ("q03", {"llama_omni2.llm_sequence": "interleaved text and speech"}, ""),
    ("q03", {"llama_omni2.talker_loss_on": "text and speech tokens"}, ""),
    ("q04", {"llama_omni2.models_in_series": 1}, "A-"),
    ("q04", {"llama_omni2.talker_loss_on": "text and speech tokens"}, "A-"),
    ("q04", {"llama_omni2.talker_input": "text"}, "B-"),
    ("q04", {"llama_omni2.reply_wer_without_gate": 3}, "B-"),
    ("q04", {"moshi.user_audio_streams": 0}, "C-"),
    ("q04", {"moshi.output_share_while_user_speaks": 0.2}, "C- E-"),
    ("q04", {"moshi.steps_until_output_reacts_to_user": 30}, "C-"),
    ("q04", {"moshi.frames_between_text_and_audio": 100}, ""),
    ("q04", {"moshi.step_audio_codes_out": 0}, "E-"),
    ("q04", {"moshi.step_user_codes_in": 0}, "E-"),
    ("q04", {"llama_omni2.turn_boundary_mark": "none"}, "E-"),
    ("q05", {"umap.reduction_family": "linear"}, "A-"),
    ("q05", {"umap.default_output_dimensions": 300}, "A-"),
    ("q05", {"emotion_map.colour": "speaker"}, "B-"),
    ("q05", {"emotion_map.point": "audio frame"}, "B-"),
    ("q05", {"silhouette_map_within_speaker_difference.layer_0_minus_31": -0.2}, "D-"),
    ("q05", {"pair_separation_map.layer_6": -0.1}, "E-"),
    ("q06", {"stoi.english": 0.6}, "C-"),
    ("q06", {"mushra.chinese": 70}, "C-"),
    ("q06", {"pesq_wb.english_minus_chinese": 0.9}, "C- D+"),
    ("q06", {"mimo.mimi.stoi.chinese.q8": 0.5}, ""),
    ("q07", {"mimi.training_sound": "speech and music"}, "C-"),
    ("q07", {"published.worst_votes_null": 6}, "C-"),
    ("q07", {"published.longest_s.music": 30}, "C- D+"),
    ("q07", {"audiocodecbench.mimi.vocal_sound_accuracy": 0.2}, ""),
    ("q08", {"twist.data_share_for_parity": 0.5}, "B-"),
    ("q08", {"twist.text_embedding_table": "retained"}, "B-"),
    ("q08", {"twist.parameters_million": 331}, "B-"),
    ("q08", {"twist.weights_trained": "new embeddings only"}, "A? B-"),
    ("q08", {"twist.imagegpt_start_vs_cold_start": "better"}, "C+"),
    ("q08", {"twist.text_start_vs_cold_start": "worse"}, "E-"),
    ("q08", {"twist.convergence_vs_cold_start": "slower"}, "E-"),
    ("q08", {"twist.update_ratio_for_parity": 0.9}, "E-"),
    ("q08", {"twist.best_unit_rate_hz": 50}, ""),
    ("q09", {"audiolm.semantic_tokens_from": "hand-written rules"}, "A-"),
    ("q09", {"audiolm.semantic_tokens_carry": "waveform detail and speaker"}, "A-"),
    ("q09", {"audiolm.acoustic_tokens_from": "hand-written rules"}, "B-"),
    ("q09", {"audiolm.acoustic_tokens_visqol": 2}, "B-"),
    ("q09", {"prosody.f0_error.eight": 4}, "B-"),
    ("q09", {"prosody.f0_error.four_minus_eight": -0.5}, "B-"),
    ("q09", {"audiolm.llm_input": "transcript"}, ""),
    ("q09", {"audiolm.generation_stages": 1}, "D-"),
    ("q09", {"audiolm.first_stage_tokens": "acoustic"}, "D-"),
    ("q09", {"audiolm.acoustic_stage_given": "nothing"}, "D-"),
    ("q10", {"glm4_voice.llm_sequence": "text"}, "A-"),
    ("q10", {"glm4_voice.text_tokens_per_block": 12}, "A-"),
    ("q10", {"glm4_voice.speech_tokens_per_block": 13}, "A-"),
    ("q10", {"glm4_voice.interleaved_data_from": "recorded conversations"}, "C-"),
    ("q10", {"glm4_voice.interleaved_spans": "recordings cut into words"}, "C-"),
    ("q10", {"moshi.step_text_tokens_out": 0}, "E-"),
    ("q10", {"moshi.text_padding_tokens": 0}, "E-"),
    ("q10", {"moshi.padding_share": 0}, "E-"),
    ("q10", {"moshi.temporal_steps_without_text": 8}, ""),
    ("q10", {"glm4_voice.tokens_per_second": 6}, ""),
    ("q11", {"mimi.frame_rate_hz": 50}, "A-"),
    ("q11", {"mimi.algorithmic_delay_ms": 320}, "A-"),
    ("q11", {"moshi.depth_to_temporal_ratio": 0.9}, "B-"),
    ("q11", {"moshi.depth_steps_per_frame": 1}, "B-"),
    ("q11", {"moshi.temporal_steps_per_frame": 8}, "B-"),
    ("q11", {"mimi.encoder_lookahead_frames": 4}, "C-"),
    ("q11", {"moshi.llm_input": "transcript"}, "C-"),
    ("q11", {"moshi.models_in_series": 3}, "C-"),
    ("q11", {"moshi.step_ms": 10000}, ""),
    ("q11", {"mimi.sample_rate_hz": 44100}, ""),
    ("q12", {"moshi.source_matches_voice_activity": 3}, ""),
    ("q12", {"moshi.step_user_codes_in": 0}, "B- E-"),
    ("q12", {"moshi.streams_unaccounted": 8}, "B-"),
    ("q12", {"moshi.step_text_tokens_out": 0}, "B-"),
    ("q12", {"moshi.turn_token_count": 1}, ""),
    ("q12", {"moshi.source_matches_loudness": 2}, ""),
    ("q12", {"moshi.temporal_steps_per_frame": 8}, "E-"),
    ("q12", {"moshi.steps_until_output_reacts_to_user": 20}, "E-"),
    ("q12", {"moshi.output_share_while_user_speaks": 0.3}, "E-"),
    ("q12", {"moshi.turn_boundary_mark": "voice activity detection"}, "E-"),
    ("q01", {"moshi.dialogue_asr_tts_modules": 1, "moshi.asr_stages": 1, "moshi.tts_stages": 1}, "A+"),
    (
        "q01",
        {
            "moshi.training_stages": 1,
            "llama_omni2.training_stages": 1,
            "glm4_voice.training_stages": 1,
            "cascade.separately_trained_models": 1,
        },
        "E+",
    ),
    (
        "q02",
        {"model_a.llm_input": "encoder features", "model_a.correct_answers": 3, "model_a.wrong_answers": 0},
        "A- B+ C?",
    ),
    (
        "q03",
        {
            "llama_omni2.llm_sequence": "interleaved text and speech",
            "llama_omni2.talker_loss_on": "text and speech tokens",
        },
        "D+",
    ),
    ("q03", {"llama_omni2.llm_output": "speech tokens", "llama_omni2.initialised_from": "random weights"}, "A- E+"),
    ("q04", {"moshi.frames_between_text_and_audio": 100, "moshi.step_audio_codes_out": 0}, "D+ E-"),
    ("q06", {"stoi.english": 0.6, "stoi.chinese": 0.6, "mimo.mimi.stoi.chinese.q8": 0.6}, "B+ C-"),
    ("q07", {"published.longest_s.music": 30, "mimi.decoder_reach_s": 5}, "C-"),
    (
        "q08",
        {"twist.text_embedding_table": "retained", "twist.parameters_million": 331, "twist.best_unit_rate_hz": 50},
        "B- D+",
    ),
    ("q08", {"twist.weights_trained": "new embeddings only", "twist.frozen_body_vs_cold_start": "worse"}, "A+ B-"),
    (
        "q09",
        {
            "audiolm.llm_input": "transcript",
            "moshi.llm_input": "transcript",
            "glm4_voice.llm_input": "transcript",
            "twist.llm_input": "transcript",
        },
        "C+",
    ),
    ("q09", {"audiolm.semantic_tokens_from": "hand-written rules", "audiolm.semantic_token_clusters": 0}, "A- E+"),
    ("q10", {"glm4_voice.tokens_per_second": 6, "moshi.temporal_steps_without_text": 8}, "B+"),
    (
        "q10",
        {
            "moshi.step_text_tokens_out": 0,
            "moshi.frames_between_text_and_audio": 50,
            "moshi.text_before_speech": "whole reply",
        },
        "D+ E-",
    ),
    ("q11", {"moshi.step_ms": 10000, "mimi.streaming_step_ms": 10000}, "D+"),
    ("q11", {"mimi.sample_rate_hz": 44100, "moshi.llm_input": "waveform"}, "C- E+"),
    (
        "q12",
        {"moshi.source_matches_voice_activity": 3, "moshi.turn_boundary_mark": "voice activity detection"},
        "A+ E-",
    ),
    ("q12", {"moshi.turn_token_count": 1, "moshi.source_matches_turn_token": 2}, "C+"),
    ("q12", {"moshi.source_matches_loudness": 2, "moshi.output_share_user_loud": 0.1}, "D+"),
    (
        "q01",
        {
            "cascade.paralinguistics_lost_at": "language model",
            "audiobench.qwen2_audio_7b_instruct.gender_accuracy.voxceleb": 50,
            "talkarena.audio_language_model.gender_f1.set_one": 30,
            "talkarena.audio_language_model.gender_f1.set_two": 30,
            "date.mimi.lm_gender_consistency.q8": 60,
            "channel.sound_advantage_over_transcript": -0.1,
        },
        "C+",
    ),
    ("q05", layers((0.10, 0.20), (-0.15, -0.05)), "C+ D- E-"),
    ("q06", {"pesq_wb.english_minus_chinese": -0.9, "mimo.mimi.pesq_wb.chinese.q8": 3.0}, "A+ C-"),
    ("q07", votes(1, 5, 0, 3), "B+ C-"),
    (
        "q07",
        votes(1, 5, 0, 3) | {"audiocodecbench.mimi.vocal_sound_accuracy": 0.2, "date.mimi.emotion_accuracy.q8": 30},
        "A+ C-",
    ),
)


@cache
def recorded(name: str) -> World:
    """What the evidence of record holds for a question, executed code and published audio."""
    book = load_quiz(REPOSITORY / "questions")
    gatherer = Gatherer(book, book.quiz.accept, book.site, Store(Path("no-such-store")), "cached")
    exhibits = gatherer.testimony(book.question(name)).exhibits
    found = (m for one in exhibits if one.evidence.evaluator != "literature" for m in one.measurements)
    return {
        m.name: (m.interval.low, m.interval.high) if m.interval else m.value
        for m in found
        if isinstance(m.value, int | float | str)
    } | dict(MEASURED.get(name, {}))


@cache
def undisturbed(name: str) -> dict[str, str]:
    return verdicts(REPOSITORY, name, recorded(name))


@pytest.mark.parametrize(
    ("name", "otherwise", "flips"), MUTATIONS, ids=lambda part: ",".join(part) if isinstance(part, dict) else part
)
def test_a_fact_that_is_otherwise_flips_what_says_so(name: str, otherwise: World, flips: str) -> None:
    before = undisturbed(name)
    after = verdicts(REPOSITORY, name, {**recorded(name), **otherwise})
    assert " ".join(letter + SIGNS[after[letter]] for letter in before if before[letter] != after[letter]) == flips


@pytest.mark.parametrize("name", [f"q{number:02}" for number in range(1, 13)])
def test_every_option_is_decided_in_a_world_in_which_all_is_measured(name: str) -> None:
    assert "inconclusive" not in undisturbed(name).values()


def test_every_option_flips_by_some_fact() -> None:
    flipped = {(name, flip[0]) for name, _, flips in MUTATIONS for flip in flips.split()}
    assert flipped == {(name, letter) for name in map("q{:02}".format, range(1, 13)) for letter in undisturbed(name)}
