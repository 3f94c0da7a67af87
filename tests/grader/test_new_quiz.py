"""`earwitness new`: a quiz of another course is complete and decided at once, and every command about it works."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from basics.errors import InputError, Unavailable
from grader.authoring import KINDS, Kind, new_question, new_quiz
from grader.cli import app
from grader.quiz.loading import load_quiz
from tests.newcomer import OF_SOUND, go_through, shown
from tests.test_readme import commands

NEEDS = {"command": ("jmespath",), "notebook": ("nbclient", "ipykernel")}
TODAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    for module in NEEDS.get(found, ()):
        pytest.importorskip(module)
    return found


def test_every_command_of_its_readme_works_and_speaks_of_no_sound(tmp_path: Path, kind: Kind) -> None:
    begin = f"earwitness new my-course --with {kind}"
    doctor = "earwitness doctor --quiz my-course"
    told = go_through([begin], tmp_path)[begin]
    lines = list(commands((tmp_path / "my-course/README.md").read_text(encoding="utf-8")))
    if kind != "python":
        lines = [line for line in lines if not line.startswith("pytest")]  # the same for every quiz, and slow to start
    sheet = "earwitness report --quiz my-course --edition before --out sheet.html"
    said = go_through([*lines, sheet, doctor], tmp_path)
    assert not re.search(r"codec|clips|corpus", said[doctor])  # it lists the packages that are here
    assert not OF_SOUND.search("\n".join([told, *(text for line, text in said.items() if line != doctor)]))
    key = next(text for line, text in said.items() if line.startswith("earwitness key"))
    assert "2 of 2 questions settled" in key
    assert "inconclusive" not in key
    assert not OF_SOUND.search(shown(tmp_path / "report.html"))
    assert not OF_SOUND.search(shown(tmp_path / "sheet.html"))
    assert len((tmp_path / "my-course/class.csv").read_text(encoding="utf-8").splitlines()) == 31


def test_its_evidence_is_of_record_so_that_it_is_graded_where_nothing_can_run(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_quiz(tmp_path / "course", kind, today=TODAY)
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("PATH", "")
    graded = run("grade", tmp_path / "course/class.csv", "--quiz", tmp_path / "course", "--out", tmp_path / "graded")
    assert graded.exit_code == 0, graded.output
    assert "30 students" in graded.output
    assert run("record", "verify", tmp_path / "course").exit_code == 0


def test_the_same_day_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a/course", "b/course"):
        new_quiz(tmp_path / name, "table", today=TODAY)
    for path in (tmp_path / "a/course").glob("*.*"):
        assert path.read_bytes() == (tmp_path / "b/course" / path.name).read_bytes(), path.name


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep me")
    ended = run("new", tmp_path / "mine", "--with", "python")
    assert ended.exit_code == 2
    assert "is there already and is not empty" in ended.output
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    (tmp_path / "file").write_text("")
    assert run("new", tmp_path / "file", "--with", "python").exit_code == 2


def test_nothing_is_left_behind_where_its_evidence_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARWITNESS_CACHE", str(tmp_path / "empty"))
    monkeypatch.setitem(sys.modules, "jmespath", None)  # as if it were not installed
    with pytest.raises(Unavailable, match=r"needs the package jmespath") as refused:
        new_quiz(tmp_path / "course", "command")
    assert "pip install 'earwitness[courses]'" in str(refused.value)
    assert not (tmp_path / "course").exists()


def test_a_kind_that_there_is_not_and_no_kind_at_all(tmp_path: Path) -> None:
    assert run("new", tmp_path / "course", "--with", "spreadsheet").exit_code == 2
    assert run("new", tmp_path / "course").exit_code == 2
    assert run("new", "quiz", tmp_path / "course", "--with", "facts").exit_code == 0


@pytest.mark.parametrize(("name", "made"), [("Kurs 7 (Übung)", "kurs-7-übung"), ("2026", "2026"), ("統計", "統計")])
def test_names_of_folders_become_ids(tmp_path: Path, name: str, made: str) -> None:
    book = new_quiz(tmp_path / name, "facts", today=TODAY)
    assert book.quiz.id == made


def test_a_class_is_invented_for_questions_that_were_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = tmp_path / "course"
    new_quiz(course, "facts", today=TODAY)
    question = course / "samples.yaml"
    question.write_text(question.read_text(encoding="utf-8").replace("id: samples", "id: rates"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    begun = run("new", "class", "--students", "12", "--quiz", course, "--out", "day")
    assert begun.exit_code == 0, begun.output
    assert not OF_SOUND.search(begun.output + "".join(path.read_text() for path in Path("day").iterdir()))
    graded = run("grade", "day/class.csv", "--class", "day/class.yaml", "--quiz", course, "--out", "graded")
    assert (graded.exit_code, "12 students, 12 submissions" in graded.output) == (0, True)
    assert "late" not in Path("graded/scores.csv").read_text()
    assert run("new", "class", "--students", "12", "--quiz", course, "--out", "day").exit_code == 2


# ---- further questions


def test_a_further_question_counts_and_is_decided(tmp_path: Path) -> None:
    new_quiz(tmp_path / "course", "facts", today=TODAY)
    added = run("new", "question", "speed", "--with", "table", "--quiz", tmp_path / "course")
    assert added.exit_code == 0, added.output
    book = load_quiz(tmp_path / "course")
    assert [question.id for question in book.questions] == ["access", "samples", "speed"]
    assert (book.quiz.total, book.quiz.accept) == (6, ("published", "measured"))
    key = run("key", "--quiz", tmp_path / "course")
    assert "3 of 3 questions settled" in key.output


LISTS = {
    "flow": "questions: [access.yaml, samples.yaml]\n",
    "flow over lines": "questions: [\n  access.yaml,\n  samples.yaml]\n",
    "block": "questions:  # in order\n  - access.yaml\n  - samples.yaml  # the last\n",
    "block without indentation, at the end": "questions:\n- access.yaml\n- samples.yaml",
}


@pytest.mark.parametrize("written", LISTS.values(), ids=LISTS)
def test_quiz_yaml_keeps_what_stands_there(tmp_path: Path, written: str) -> None:
    course = tmp_path / "course"
    new_quiz(course, "facts", today=TODAY)
    path = course / "quiz.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("questions:")] + "# mine\n" + written, encoding="utf-8")
    new_question("third", "facts", course)
    after = path.read_text(encoding="utf-8")
    assert "# mine" in after
    assert after.startswith("# A quiz.")
    assert [question.id for question in load_quiz(course).questions] == ["access", "samples", "third"]


def states(folder: Path) -> Iterator[tuple[str, bytes]]:
    yield from ((path.name, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("samples", "is a question of the quiz already"),
        ("Third", "is no id of a question"),
        ("quiz", "other content"),
    ],
)
def test_a_question_that_cannot_be_added_changes_nothing(tmp_path: Path, name: str, told: str) -> None:
    course = tmp_path / "course"
    new_quiz(course, "facts", today=TODAY)
    before = list(states(course))
    with pytest.raises(InputError, match=told):
        new_question(name, "facts", course)
    assert list(states(course)) == before


def test_evidence_that_was_edited_is_not_written_over(tmp_path: Path) -> None:
    course = tmp_path / "course"
    new_quiz(course, "table", today=TODAY)
    shutil.copy(course / "bench.csv", tmp_path)
    (course / "bench.csv").write_text("method,seconds,finished\nquicksort,1,true\n")
    with pytest.raises(InputError, match=r"bench\.csv: is there already, with other content"):
        new_question("third", "table", course)
    shutil.copy(tmp_path / "bench.csv", course)
    assert {path.name for path in new_question("third", "table", course)} == {"third.yaml", "quiz.yaml"}


# ---- other scripts


def in_another_script(course: Path) -> None:
    """The first question and its measurements, in another script."""
    words = {"id: coin": "id: größe", "chance": "機率", "rare": "रेयर"}
    for path in (course / "coin.yaml", course / "evidence.py"):
        text = path.read_text(encoding="utf-8")
        for old, new in words.items():
            text = re.sub(rf"(?<![\w%]){old}(?=[\W])", new, text)
        path.write_text(text, encoding="utf-8")
    (course / "class.csv").write_text("student_id,größe,room\nu1,A,B\nu2,AB,A\n", encoding="utf-8")


def test_ids_and_names_of_any_script_go_through_every_command(tmp_path: Path) -> None:
    new_quiz(tmp_path / "統計", "python", today=TODAY)
    in_another_script(tmp_path / "統計")
    lines = [
        "earwitness validate 統計",
        "earwitness evidence --quiz 統計 --record",
        "earwitness key --quiz 統計",
        "earwitness why größe A --quiz 統計",
        "earwitness grade 統計/class.csv --quiz 統計 --out graded",
        "earwitness report --quiz 統計 --grades graded --out report.html",
        "earwitness appeal größe B --student u2 --result graded --quiz 統計",
        *(f"earwitness export {kind} --quiz 統計 --out {kind}.out" for kind in ("qti", "moodle", "gift")),
        "earwitness export student --quiz 統計 --out edition --opening opening.json",
        "earwitness export open edition opening.json",
    ]
    said = go_through(lines, tmp_path)
    assert "größe  settled: A  2 points  firm (counted)  Eight heads in ten throws" in said[lines[2]]
    assert "機率" in said[lines[3]]
    assert (tmp_path / "graded/scores.csv").read_text(encoding="utf-8").startswith("student_id,name,section,größe,room")


@pytest.mark.parametrize("name", ["Größe", "3rd", "a-b", "_a", "a b", ""])
def test_what_is_no_id_in_any_script(tmp_path: Path, name: str) -> None:
    course = tmp_path / "course"
    new_quiz(course, "facts", today=TODAY)
    question = course / "samples.yaml"
    text = question.read_text(encoding="utf-8").replace("id: samples", f"id: {name!r}")
    question.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"samples\.yaml:1: id: .*has to be small letters, digits and _"):
        load_quiz(course)
