"""The commands around the key, as a user runs them: real processes on another course's quiz and on this one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def run(earwitness: Any, foreign_quiz: Path) -> Any:
    """Runs a command on the foreign quiz."""

    def call(command: str, *arguments: object, **options: Any) -> Any:
        where = [foreign_quiz] if command == "validate" else ["--quiz", foreign_quiz]
        return earwitness(command, *arguments, *where, **options)

    return call


def test_key_prints_every_option_with_verdict_and_source(run: Any) -> None:
    done = run("key")
    assert done.returncode == 0, done.stderr
    for text in (
        "settled: A, C",
        "settled: B",
        "2 of 2 questions settled, 6 of 6 options decided",
        "close: C",
        "exactly 6 sides; at least 7 would be needed",
    ):
        assert text in done.stdout
    assert "\x1b" not in done.stdout, "no colour codes in a pipe"


def test_key_json_has_the_documented_shape(run: Any) -> None:
    data = json.loads(run("key", "--json").stdout)
    assert [(q["id"], q["settled"], q["correct"]) for q in data["questions"]] == [
        ("fair", True, ["A", "C"]),
        ("sides", True, ["B"]),
    ]
    option = data["questions"][0]["options"][0]
    assert (option["letter"], option["verdict"], option["sources"]) == ("A", "supported", ["measured"])
    assert option["gap"] > 0
    assert option["deciding"]["measurements"][0]["interval"]["over"] == "throws"


def test_an_unsettled_key_says_what_is_missing_and_exits_with_3(run: Any, foreign_quiz: Path) -> None:
    sides = foreign_quiz / "sides.yaml"
    sides.write_text(sides.read_text().replace("evaluator: dice", "evaluator: dice\n    needs: a table"))
    done = run("key")
    assert done.returncode == 3
    assert "sides  open" in done.stdout
    assert "sides: there is no table to throw dice on\n  -> buy a table\n" in done.stdout


def test_a_brief_key_has_one_line_for_each_question(run: Any) -> None:
    said = run("key", "--brief").stdout
    assert [line.split()[0] for line in said.splitlines() if "settled:" in line] == ["fair", "sides"]
    assert "→" not in said


def test_key_and_why_speak_the_language_that_is_asked_for(earwitness: Any) -> None:
    said = earwitness("why", "q01", "A", "--brief", "--language=zh-TW", env={**os.environ, "COLUMNS": "200"}).stdout
    assert "沒有任何執行中的模組負責辨識或合成語音（恰為 0 個類別；須至少 1 才行）。" in said
    assert "因此此敘述不成立。" in said


def test_a_student_may_check_answers_in_the_language_of_the_locale(run: Any, tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text("answers: {fair: [A, C], sides: [A]}\n", encoding="utf-8")
    assert run("evidence").returncode == 0
    said = run("check", tmp_path / "answers.yaml", "--why", env={**os.environ, "LC_ALL": "zh_TW.UTF-8"}).stdout
    for part in ("答對", "未全對", "因此此敘述成立。", "計分方式"):
        assert part in said


def test_why_reads_like_an_argument(run: Any) -> None:
    done = run("why", "fair", "c")
    assert done.returncode == 0, done.stderr
    for part in ("SUPPORTED", "dice.mean = 3.5 ± 0.2", "over throws", "recompute:"):
        assert part in done.stdout
    data = json.loads(run("why", "fair", "C", "--json").stdout)
    assert data["options"][0]["measurements"][0]["n"] == 2000
    assert data["evidence"][0]["provenance"]["seed"] == 7


def test_evidence_is_measured_stored_recorded_and_found_again(run: Any, foreign_quiz: Path) -> None:
    first = run("evidence")
    assert first.returncode == 0, first.stderr
    assert "dice for fair, sides" in first.stdout
    assert "dice.colour is undefined: nobody looked" in first.stdout
    recorded = run("evidence", "--record")
    assert "new      dice.mean" in recorded.stderr
    assert len(list((foreign_quiz / "evidence").glob("dice-*.json"))) == 1
    assert "nothing changes" in run("evidence", "fair", "--record").stderr
    assert json.loads(run("why", "fair", "A", "--json").stdout)["evidence"][0]["origin"] == "record"


def test_a_broken_evaluator_is_told_and_the_rest_is_kept(run: Any, foreign_quiz: Path) -> None:
    sides = foreign_quiz / "sides.yaml"
    sides.write_text(sides.read_text().replace("evaluator: dice", "evaluator: dice\n    needs: luck"))
    done = run("evidence")
    assert done.returncode == 4
    assert "the dice fell off the table" in done.stdout
    assert re.search(r"dice\.mean +3\.", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("why", "fairy", "A"), "did you mean fair"),
        (("why", "fair", "Z"), "known: A, B, C"),
        (("key", "--accept", "demonstrations"), "did you mean demonstration?"),
        (("key", "--override", "no-such-file.yaml"), "there is no such file"),
        (("key", "--override", "."), "there is no result here"),
        (("evidence", "q99"), "is not in the quiz"),
    ],
)
def test_bad_arguments_get_one_message_and_exit_code_2(run: Any, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_validate_tells_all_problems_of_all_files(run: Any, foreign_quiz: Path) -> None:
    assert "2 questions, 6 options, no problem found" in run("validate").stdout
    (foreign_quiz / "fair.yaml").write_text("id: fair\npoints: two\n")
    (foreign_quiz / "sides.yaml").write_text("id: sides\n  title: x\n")
    done = run("validate")
    assert done.returncode == 2
    for part in ("fair.yaml:2: points", "title is missing", "options is missing", "sides.yaml:2: is not valid YAML"):
        assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_validate_notices_a_stale_schema(run: Any, foreign_quiz: Path) -> None:
    assert run("validate", "--write-schema").returncode == 0
    (foreign_quiz / "schema" / "question.schema.json").write_text("{}")
    done = run("validate")
    assert done.returncode == 2
    assert "schema/question.schema.json" in done.stderr


def test_tables_stay_readable_at_80_columns(earwitness: Any, foreign_quiz: Path) -> None:
    import os

    done = earwitness("key", "--quiz", foreign_quiz, env={**os.environ, "COLUMNS": "80"})
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_evidence_counts_the_cited_figures_that_no_claim_compares(earwitness: Any) -> None:
    done = earwitness("evidence", "q06")
    assert re.search(r"mimo\.mimi\.pesq_wb\.english\.q8 +2\.07 MOS-LQO\n", done.stdout)
    assert "encodec_4500bps" not in done.stdout
    assert re.search(r"and \d+ more that no claim compares", done.stdout)


def test_an_interrupted_run_says_so_and_the_next_one_goes_on(repository: Path, tmp_path: Path) -> None:
    sound = ["--audio", repository / "audio/clips", "--codec", repository / "audio/pocket_mimi", "--json"]
    command = [sys.executable, "-c", "from grader.cli import main; main()", "evidence", "q06", *map(str, sound)]
    here = {**os.environ, "EARWITNESS_CACHE": str(tmp_path)}
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
    first = subprocess.Popen(
        command, env=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=listen
    )
    deadline = time.monotonic() + 120
    while not (codes := sorted(tmp_path.rglob("[!.]*.npy"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "interrupted; the same command goes on" in said
    assert "Traceback" not in said
    stamps = [path.stat().st_mtime_ns for path in codes]
    again = subprocess.run(command, env=here, capture_output=True, text=True, check=False, timeout=300)
    names = {m["name"] for one in json.loads(again.stdout) if one["evidence"] for m in one["evidence"]["measurements"]}
    assert {"pesq_wb.english", "stoi.chinese.q32"} <= names
    assert [path.stat().st_mtime_ns for path in codes] == stamps, "what was stored is used, not made again"
