"""Facts that nobody has looked up do not count; looked up, they do, with the value that stands in the source."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from grader.cli import app

LOOK_UP = (
    "--locator",
    "arXiv:2305.13009 section 4, figure 3",
    "--quote",
    "a quarter of the updates",
    "--by",
    "Lin, TA",
)
RATIO = "twist.update_ratio_for_parity"


@pytest.fixture
def earwitness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The commands, in this process and with a store of their own."""
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "store"))

    def run(*arguments: object) -> SimpleNamespace:
        done = CliRunner().invoke(app, [*map(str, arguments)])
        return SimpleNamespace(returncode=done.exit_code, stdout=done.stdout, stderr=done.stderr)

    return run


@pytest.fixture
def quiz(repository: Path, tmp_path: Path) -> Path:
    return shutil.copytree(repository / "questions", tmp_path / "quiz")


def states(earwitness: Any, quiz: Path, *options: str) -> dict[str, str]:
    """Verdicts on q08, from nothing but the record and the literature."""
    done = earwitness("why", "q08", "--quiz", quiz, "--evidence=cached", "--json", *options)
    return {option["letter"]: option["verdict"] for option in json.loads(done.stdout)["options"]}


def confirm(earwitness: Any, quiz: Path, name: str, value: str, *options: str) -> Any:
    return earwitness("facts", "confirm", name, "--value", value, *(options or LOOK_UP), "--quiz", quiz)


def test_what_is_recalled_is_listed_with_the_options_that_wait_for_it(earwitness: Any, quiz: Path) -> None:
    told = json.loads(earwitness("facts", "list", "--unread", "--json", "--quiz", quiz).stdout)
    assert {fact["name"].partition(".")[0] for fact in told} == {"twist"}
    assert {option for fact in told for option in fact["options"]} == {f"q08 {letter}" for letter in "ABDE"}
    everything = json.loads(earwitness("facts", "list", "--json", "--quiz", quiz).stdout)
    assert len(everything) > 80
    assert all(fact["locator"] for fact in everything)


def test_a_fact_counts_once_somebody_looked_it_up(earwitness: Any, quiz: Path) -> None:
    assert states(earwitness, quiz)["E"] == "inconclusive"
    done = confirm(earwitness, quiz, RATIO, "0.25")
    assert done.returncode == 0, done.stderr
    assert states(earwitness, quiz) == {
        "A": "inconclusive",
        "B": "inconclusive",
        "C": "refuted",
        "D": "refuted",
        "E": "supported",
    }
    card = earwitness("why", "q08", "E", "--quiz", quiz, "--evidence=cached").stdout
    assert "looked up by Lin, TA on" in " ".join(card.split())
    assert RATIO not in earwitness("facts", "list", "--unread", "--quiz", quiz).stdout


def test_the_value_in_the_source_counts_whatever_was_recalled(earwitness: Any, quiz: Path) -> None:
    confirm(earwitness, quiz, RATIO, "0.8")
    assert states(earwitness, quiz)["E"] == "refuted"


def test_recalled_facts_may_be_accepted_and_are_marked(earwitness: Any, quiz: Path) -> None:
    assert states(earwitness, quiz, "--accept", "recalled")["E"] == "supported"
    key = earwitness("key", "--quiz", quiz, "--evidence=cached", "--accept", "recalled").stdout
    assert "† rests on a fact recalled and not yet looked up in the source" in key


def test_a_quiz_that_accepts_recalled_facts_does_not_grade_by_them_unasked(
    earwitness: Any, quiz: Path, tmp_path: Path
) -> None:
    text = (quiz / "quiz.yaml").read_text(encoding="utf-8")
    (quiz / "quiz.yaml").write_text(
        text.replace("published_audio, published]", "published_audio, published, recalled]")
    )
    answers = tmp_path / "answers.yaml"
    answers.write_text("answers: {q08: [C]}\n")
    done = earwitness("check", answers, "--quiz", quiz)
    assert done.returncode == 2
    assert "q08 rests on facts recalled and not yet looked up" in done.stderr
    assert "--accept recalled" in done.stderr
    assert earwitness("check", answers, "--quiz", quiz, "--accept", "recalled").returncode == 3


@pytest.mark.parametrize(
    ("name", "value", "options", "said"),
    [
        ("twist.update_ratio_for_party", "0.25", (), "did you mean twist.update_ratio_for_parity"),
        ("twist.data_share_for_parity", "10", (), "announced within [0, 1]"),
        ("twist.weights_trained", "some", (), "announced as one of all, new embeddings only"),
        (RATIO, "a quarter", (), "announced as a number"),
        (RATIO, "0.25", ("--locator", "paper", *LOOK_UP[2:]), "at least 8 characters"),
        (RATIO, "0.25", (*LOOK_UP[:3], "word " * 26, *LOOK_UP[4:]), "26 words"),
        (RATIO, "0.25", (*LOOK_UP, "--when", "yesterday"), "--when"),
    ],
)
def test_what_cannot_be_that_fact_is_refused(
    earwitness: Any, quiz: Path, name: str, value: str, options: tuple[str, ...], said: str
) -> None:
    done = confirm(earwitness, quiz, name, value, *options)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (quiz / "confirmed_facts.yaml").exists()


def test_a_second_look_is_refused_with_the_first_one_named(earwitness: Any, quiz: Path) -> None:
    confirm(earwitness, quiz, RATIO, "0.25")
    before = (quiz / "confirmed_facts.yaml").read_bytes()
    done = confirm(earwitness, quiz, RATIO, "0.5")
    assert done.returncode == 2
    assert "0.25 by Lin, TA" in " ".join(done.stderr.split())
    assert (quiz / "confirmed_facts.yaml").read_bytes() == before
    assert confirm(earwitness, quiz, "twist.best_unit_rate_hz", "25").returncode == 0
    assert (quiz / "confirmed_facts.yaml").read_bytes().startswith(before.rstrip())


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("twist.nothing: {value: 1, locator: somewhere, quote: x, by: me, when: 2026-06-01}", "confirmed_facts.yaml:1"),
        (
            "twist.best_unit_rate_hz: {value: -1, locator: somewhere, quote: x, by: me, when: 2026-06-01}",
            "confirmed_facts.yaml:1",
        ),
        ("twist.best_unit_rate_hz: {value: 25, locator: somewhere, by: me, when: 2026-06-01}", "quote is missing"),
        ("- twist.best_unit_rate_hz", "no mapping"),
    ],
)
def test_a_facts_file_is_checked_like_the_questions(earwitness: Any, quiz: Path, entry: str, said: str) -> None:
    (quiz / "confirmed_facts.yaml").write_text(f"{entry}\n")
    done = earwitness("validate", quiz)
    assert done.returncode == 2
    assert said in done.stderr + done.stdout
