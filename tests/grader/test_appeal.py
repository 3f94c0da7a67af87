"""The window of appeals: open up to its last moment, over after it, whatever the time zone it is written in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from grader.cli import app
from tests.grader.classroom import Command, write_quiz

OVER = "the revision window is over"
Appeal = Callable[[datetime | None], tuple[bool | None, str]]


@pytest.fixture
def appeal(run: Command, quiz: Path, report: Path, tmp_path: Path) -> Appeal:
    """Appeals under a quiz whose revision ends at a moment: whether it is in time, and what is shown."""
    assert quiz
    out = tmp_path / "out"
    assert run("grade", report, "--out", out).exit_code == 0
    about = ["appeal", "q03", "E", "--student", "b00000002", "--result", str(out)]

    def ask(until: datetime | None) -> tuple[bool | None, str]:
        written = {"revision_until": until.isoformat()} if until else {"revision_until": None}
        folder = write_quiz(tmp_path / "quiz", **written)
        shown = CliRunner().invoke(app, [*about, "--quiz", str(folder)])
        assert shown.exit_code == 0, shown.output
        [packet] = (out / "appeals").glob("q03-E-*.json")
        data: dict[str, Any] = json.loads(packet.read_text(encoding="utf-8"))
        return data["within_revision_window"], shown.output

    return ask


@pytest.mark.parametrize("hours", [0, 8, -9.5, 14])
def test_a_minute_before_the_end_is_in_time_and_a_second_after_it_is_not(appeal: Appeal, hours: float) -> None:
    zone = timezone(timedelta(hours=hours))
    inside, shown = appeal(datetime.now(zone) + timedelta(minutes=1))
    assert inside is True
    assert OVER not in shown
    inside, shown = appeal(datetime.now(zone) - timedelta(seconds=1))
    assert inside is False
    assert OVER in shown


def test_the_window_closes_at_its_end_and_not_before(appeal: Appeal) -> None:
    """Asked again and again across the end: an answer wholly before it is yes, one wholly after it is no."""
    end = datetime.now(UTC) + timedelta(seconds=4)
    told: list[bool | None] = []
    while not told or told[-1]:
        began = datetime.now(UTC)
        inside, _ = appeal(end)
        if datetime.now(UTC) <= end:
            assert inside is True
        assert inside is (began <= end) or began <= end <= datetime.now(UTC)
        told.append(inside)
        time.sleep(0.05)
    assert told[0] is True, "the first answer comes within four seconds"


def test_a_quiz_without_an_end_says_nothing_about_one(appeal: Appeal) -> None:
    inside, shown = appeal(None)
    assert inside is None
    assert OVER not in shown
