"""What is read has bounds, what is no file is refused before it is opened, and what is shown steers no terminal."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from basics.errors import InputError, Problem
from basics.files import read_bytes, replacing, write_whole
from basics.json_source import read_object
from basics.terminal import PlainConsole
from basics.visible import visible
from basics.yaml_source import read


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made, pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        made.bind(path.name)


def make_device(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root makes devices")
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))


SPECIAL: dict[str, Callable[[Path], None]] = {
    "is a pipe": os.mkfifo,
    "is a socket": make_socket,
    "is a device": make_device,
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_neither_opened_nor_replaced(tmp_path: Path, kind: str) -> None:
    """A pipe that nobody writes to would be waited for until the end of time."""
    path = tmp_path / "x.yaml"
    SPECIAL[kind](path)
    before = path.lstat()
    with pytest.raises(InputError, match=f"{kind}, expected a file"):
        read(path)
    with pytest.raises(InputError, match=f"{kind}, expected a file"):
        write_whole(path, b"")
    assert path.lstat().st_ino == before.st_ino
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    "name", ["x" * 300, "file/below", "loop", "gone", ".", "d/" * 3000, "a\0b", "\udcff" * 200, "/proc/self/mem"]
)
def test_whatever_the_system_says_is_one_message(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError) as told:
        read_bytes(tmp_path / name)
    [problem] = told.value.problems
    assert str(problem).isprintable() or "\n    -> " in str(problem)


def test_a_file_beyond_the_bound_is_refused_also_where_its_size_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # sparse: it takes no space
    with pytest.raises(InputError, match="larger than"):
        read_bytes(path)
    with pytest.raises(InputError, match="larger than 5 bytes"):
        read_bytes(Path("/proc/self/status"), most=5)


def test_what_a_killed_process_left_goes_at_the_next_write_and_what_one_is_writing_stays(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    with replacing(path) as being_written:
        left = being_written.with_name(".scores.csv.0123abcd.csv")
        own = being_written.with_name(".scores.csv.backup.csv")
        left.write_text("half")
        own.write_text("mine")
        write_whole(path, b"other")
        assert being_written.exists()
        assert not left.exists()
    assert {file.name for file in tmp_path.iterdir()} == {"scores.csv", own.name}


def test_a_new_file_never_takes_the_place_of_one_that_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "opening.json"
    with pytest.raises(InputError, match="is there already"), replacing(path, new=True):
        path.write_text("first")
    assert path.read_text() == "first"
    assert [*tmp_path.iterdir()] == [path]


BOMB = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else 'x'}]\n" for i in range(12))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "holds more than 250,000 values"),
        ("a: &a [*a]", r"\*a stands inside &a"),
        ("a: &a {b: {c: *a}}", r"\*a stands inside &a"),
        ("a: " + "[" * 100 + "]" * 100, "nested deeper than 64"),
        ("[" * 100_000, "nested deeper than 64|not valid YAML|holds more than"),
        ("a: " + "1" * 5000, "is no number that can be meant"),
        ("a: 1e999", "is no number that can be meant"),
        ("a: 1\n---\nb: 2", "a second document"),
        ('a: "\\e[2J"', r"control character \\x1b"),
        ('a: "\\ud800"', "control character|not valid YAML"),
        ("? [a]\n: b", "a key is no text"),
        ("x: '" + "y" * 1_100_000 + "'", "a text is longer than"),
    ],
)
def test_yaml_is_bounded(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        read(path)


def test_aliases_that_are_meant_are_written_out(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: &a {b: [1, 2]}\nc: *a\nd: [*a, *a]\n")
    assert read(path).data == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}, "d": [{"b": [1, 2]}] * 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": 1, "a": 2}', "'a' is given twice"),
        ('{"a": ' + "[" * 100_000, "nests too deep|is not JSON"),
        ("[1]", "holds a list"),
        ('{"a": ' + "1" * 5000 + "}", "is not JSON"),
        ("\x00", "is not JSON"),
    ],
)
def test_json_is_bounded(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        read_object(path)


HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31m\u202eabc\r[/b][bold]x[/bold] :smile: \udcff"


def test_a_terminal_shows_what_would_steer_it() -> None:
    from rich.table import Table

    out = io.StringIO()
    console = PlainConsole(file=out, width=200, force_terminal=True)
    table = Table("title")
    table.add_row(HOSTILE)
    console.print(HOSTILE, style="bold")
    console.print(table)
    shown = out.getvalue()
    assert r"\x1b[2J" in shown
    assert "[/b][bold]x[/bold] :smile:" in shown
    own = ("\x1b[1m", "\x1b[0m", "\x1b[1;3m")  # bold, and the end of it, which the console wrote itself
    for sequence in own:
        shown = shown.replace(sequence, "")
    assert not any((ord(c) < 32 and c != "\n") or 126 < ord(c) < 160 or c in "\u202e\udcff" for c in shown)
    assert str(Problem(HOSTILE, HOSTILE)).count(r"\u202e") == 2


def test_json_on_a_terminal_says_the_same_and_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    from grader.cli.common import print_json

    print_json({HOSTILE: [HOSTILE, "中文"]})
    said = capsys.readouterr().out
    assert json.loads(said) == {HOSTILE: [HOSTILE, "中文"]}
    assert "中文" in said
    assert visible(said) == said
