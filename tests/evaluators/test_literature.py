"""Cited facts: what the tables say, that each cell has its place, and that bad tables are refused with all problems."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from basics.errors import InputError
from evaluators.evidence import Measurement, Site
from evaluators.literature import Literature, LiteratureParameters, load
from evaluators.literature.tables import FIGURES, FOLDER, SYSTEMS

PLACE = re.compile(
    r"arXiv:\d{4}\.\d{4,5}"  # a paper
    r"|[\w.-]+/[\w.-]+:\S+@[0-9a-f]{7}"  # a file at a commit
    r"|[\w.-]+/[\w.-]+(@[0-9a-f]{7})? |\w+\.github\.io |huggingface\.co/|scikit-learn:"  # a site or a released package
    r"|slides of the homework|demo pages named in this file"
)


def everything() -> dict[str, Measurement]:
    """All facts by name."""
    library = load()
    parameters = LiteratureParameters(systems=tuple(library.systems), tables=tuple(library.tables))
    return {found.name: found for found in Literature().measure(parameters, Site()).measurements}


@pytest.fixture(scope="module")
def facts() -> dict[str, Measurement]:
    return everything()


def test_every_fact_names_its_place_and_how_it_was_checked(facts: dict[str, Measurement]) -> None:
    assert len(facts) > 250
    assert {found.source for found in facts.values()} == {"published"}
    assert [name for name, found in facts.items() if not PLACE.search(found.locator)] == []
    assert {found.checked for found in facts.values()} == {"read", "secondary", "recalled"}


@pytest.mark.parametrize(
    ("name", "value", "checked"),
    [
        ("moshi.training_stages", 4, "read"),
        ("cascade.llm_input", "transcript", "read"),
        ("model_a.llm_input", "transcript", "read"),
        ("model_b.llm_input", "transcript and encoder features", "read"),
        ("model_b.asr_stages", 1, "read"),
        ("full_duplex_bench.moshi.pause_takeover.candor", 0.98, "read"),
        ("date.mimi.lm_gender_consistency.q8", 88.0, "read"),
        ("twist.text_embedding_table", "replaced", "recalled"),
        ("twist.weights_trained", "all", "recalled"),
        ("glm4_voice.text_tokens_per_block", 13, "read"),
        ("glm4_voice.speech_tokens_per_block", 26, "read"),
        ("llama_omni2.reply_wer_without_text", 6.83, "read"),
        ("twist.best_unit_rate_hz", 25, "recalled"),
        ("twist.data_share_for_parity", 0.1, "recalled"),
        ("twist.imagegpt_start_vs_cold_start", "worse", "secondary"),
        ("audiolm.acoustic_tokens_visqol", 3.3, "read"),
        ("moss.mimi.pesq_wb.english.q32", 3.43, "read"),
        ("moss.mimi.pesq_wb.chinese.q32", 2.78, "read"),
        ("moss.encodec_4500bps.mel_distance.music", 0.84, "read"),
        ("date.mimi.stoi.english.q8", 0.90, "read"),
        ("date.mimi.emotion_accuracy.q32", 46.76, "read"),
        ("audiocodecbench.mimi.vocal_sound_accuracy", 0.833, "read"),
        ("tadicodec_pairs.mimi.pesq_wb.chinese.q8", 1.68, "read"),
        ("pesq_wb.english", 2.07, "secondary"),
    ],
)
def test_facts_are_those_of_the_sources(
    facts: dict[str, Measurement], name: str, value: float | str, checked: str
) -> None:
    assert (facts[name].value, facts[name].checked) == (value, checked)


def test_interval_and_sample_size_travel_with_a_figure(facts: dict[str, Measurement]) -> None:
    interval = facts["moshi_paper.mimi.mushra.english.q8"].interval
    assert interval is not None
    assert (interval.low, interval.high, interval.level) == (79.7, 82.3, 0.95)
    assert facts["tadicodec_pairs.mimi.stoi.english.q8"].n == 16


def test_missing_figures_are_undefined_with_a_reason(facts: dict[str, Measurement]) -> None:
    for name in ("pesq_wb.laughter", "stoi.laughter", "log_mel_distance.laughter"):
        assert facts[name].value is None
        assert "no published reconstruction of laughter" in (facts[name].undefined or "")


def test_reconstruction_ladder_rises_with_codebooks_and_words_drop(facts: dict[str, Measurement]) -> None:
    """The transcription of the tables keeps what must hold in them: more codebooks, better speech."""
    for metric in ("pesq_wb", "stoi"):
        ladder = [facts[f"moss.mimi.{metric}.english.q{count}"].value for count in (8, 18, 32)]
        assert ladder == sorted(ladder, key=lambda value: float(value or 0))
    wer = [
        facts[f"date.{codec}"].value
        for codec in ("mimi.wer.english.q8", "mimi.wer.english.q32", "original.wer.english")
    ]
    assert wer == sorted(wer, key=lambda value: float(value or 0), reverse=True)


def test_quantities_foretell_what_is_measured() -> None:
    library = load()
    for parameters in (
        LiteratureParameters(systems=tuple(library.systems)),
        LiteratureParameters(tables=tuple(library.tables)),
    ):
        quantities = {quantity.name: quantity for quantity in Literature().quantities(parameters)}
        measured = Literature().measure(parameters, Site()).measurements
        assert list(quantities) == [found.name for found in measured]
        for found in measured:
            if found.value is not None:
                assert (quantities[found.name].kind == "text") == isinstance(found.value, str)
            assert quantities[found.name].unit == found.unit


def test_only_what_is_asked_for_comes_back() -> None:
    found = Literature().measure(LiteratureParameters(systems=("twist",)), Site()).measurements
    assert {name.name.split(".")[0] for name in found} == {"twist"}


def test_unknown_systems_and_tables_are_refused_with_a_suggestion() -> None:
    with pytest.raises(ValidationError, match=r"system 'mosh'.*did you mean moshi.*table 'mos'.*did you mean moss"):
        LiteratureParameters(systems=("mosh",), tables=("mos",))
    with pytest.raises(ValidationError, match="name at least one of systems and tables"):
        LiteratureParameters()


def test_fingerprint_depends_on_the_facts() -> None:
    digests = Literature().inputs(LiteratureParameters(systems=("moshi",)), Site()).files
    assert set(digests) == {SYSTEMS, FIGURES}
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests.values())


@pytest.mark.parametrize(
    ("locator", "read_at", "fault"),
    [
        ("arXiv:2410.00037", "", "neither its locator nor `read_at` says where it stands"),
        ("owner/name:src/table.py@abcdef0", "", "neither its locator nor `read_at` says where it stands"),
        (
            "owner/name:src/table.py@abcdef0",
            "other.py: line 3",
            "was read at other.py, which its locator does not name",
        ),
        ("owner/name:src/table.py@abcdef0", "table.py: line 3", ""),
        ("arXiv:2410.00037 Table 4", "", ""),
    ],
)
def test_what_is_said_to_be_read_says_where_and_in_a_file_that_is_cited(
    tmp_path: Path, locator: str, read_at: str, fault: str
) -> None:
    cell = f"{{value: 80, locator: '{locator}', read_at: '{read_at}', checked: read}}"
    systems = f"frame_ms:\n  about: length\n  unit: ms\n  systems:\n    mimi: {cell}\n"
    rows = f"  t:\n    about: x\n    locator: '{locator}'\n    checked: read\n    rows:\n"
    rows += f"      - {{codec: mimi, figures: {{stoi: 0.9}}, read_at: '{read_at}'}}\n"
    folder = folder_with(tmp_path, systems, GOOD_FIGURES + rows)
    if not fault:
        measured = load(folder).systems["mimi"][0].measurement
        assert measured.locator == "; read at ".join(filter(None, (locator, read_at)))
        return
    with pytest.raises(InputError) as caught:
        load(folder)
    assert str(caught.value).count(fault) == 2


def test_a_property_of_one_system_alone_is_marked() -> None:
    library = load()
    about = {entry.quantity.name: entry.quantity.about for entries in library.systems.values() for entry in entries}
    assert "known of this system alone" in about["twist.data_share_for_parity"]
    assert "known of this system alone" not in about["moshi.llm_input"]


GOOD_FIGURES = "metrics: {stoi: {unit: correlation, low: -1, high: 1, about: x}}\ntables:\n"
BAD_SYSTEMS = """
asr_stages:
  about: recognisers
  unit: stages
  systems:
    moshi: {value: 0, locator: "arXiv:2410.00037 §1", checked: read}
    moshi: {value: 1, locator: "arXiv:2410.00037 §1", checked: read}
    cascade: {value: one, locator: "arXiv:2410.00037 §1", checked: read}
llm_input:
  about: what the model is given
  one_of: [transcript, waveform]
  systems:
    cascade: {value: smoke, locator: "arXiv:2410.00037 §1", checked: read}
frame_ms:
  about: length
  unit: ms
  systems:
    mimi: {value: 80, undefined: unknown, locator: "arXiv:2410.00037 §1", checked: seen}
    twist: {value: 40, checked: read}
"""
BAD_FIGURES = """
  one:
    about: no locator
    rows: [{codec: mimi, figures: {stoi: 0.9}}]
  two:
    about: two faults
    locator: "arXiv:2602.10934 Table 1"
    checked: read
    rows:
      - {codec: mimi, sound: english, figures: {stoi: 90, pesq: 2.0}}
      - {codec: mimi, sound: music, figures: {stoi: 0.5}}
      - {codec: mimi, sound: music, figures: {stoi: 0.6}}
"""


def folder_with(tmp_path: Path, systems: str, figures: str) -> Path:
    (tmp_path / SYSTEMS).write_text(systems, encoding="utf-8")
    (tmp_path / FIGURES).write_text(figures, encoding="utf-8")
    return tmp_path


def test_all_problems_of_bad_tables_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(folder_with(tmp_path, BAD_SYSTEMS, GOOD_FIGURES + BAD_FIGURES))
    told = str(caught.value)
    for part in (
        "systems.yaml:7: key 'moshi' is given twice, first in line 6",
        "systems.yaml:2: asr_stages: cascade: 'one' is not a number",
        "systems.yaml:9: llm_input: cascade: 'smoke' is none of transcript, waveform",
        "systems.yaml:18: frame_ms.systems.mimi.checked: input should be 'read', 'secondary' or 'recalled'",
        "systems.yaml:19: frame_ms.systems.twist.locator is missing",
        "mimi_figures.yaml:4: tables.one: a table with rows needs a locator",
        "mimi_figures.yaml:12: two.mimi.stoi.english: 90 lies outside [-1",
        "mimi_figures.yaml:12: two.mimi.pesq.english: pesq is not among the metrics",
        "mimi_figures.yaml:14: two.mimi.stoi.music is given twice",
    ):
        assert part in told


def test_value_and_reason_exclude_each_other(tmp_path: Path) -> None:
    both = """
frame_ms:
  about: length
  unit: ms
  systems:
    mimi: {value: 80, undefined: unknown, locator: "arXiv:2410.00037 §1", checked: read}
"""
    with pytest.raises(InputError, match="give a value or the reason why it is undefined, and not both"):
        load(folder_with(tmp_path, both, GOOD_FIGURES + "  t: {about: x, cells: {}}"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("asr_stages: [", "is not valid YAML"),
        ("", "is empty"),
        ("~", "the file holds no mapping of names to facts"),
        ("- a list", "the file holds no mapping of names to facts"),
    ],
)
def test_broken_files_are_one_clear_message(tmp_path: Path, text: str, message: str) -> None:
    shutil.copy(FOLDER / FIGURES, tmp_path / FIGURES)
    (tmp_path / SYSTEMS).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"^systems.yaml(:\d)?: {message}"):
        load(tmp_path)
