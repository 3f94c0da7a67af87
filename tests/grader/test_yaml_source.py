"""Strict YAML: what PyYAML would misread, and where every problem stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from basics.errors import InputError
from basics.yaml_source import read, validate
from evaluators.evidence import Frozen


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    return read(path).data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("012", "012"),
        ("1:30", "1:30"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("null", None),
        ("0.80", 0.8),
        ("-3", -3),
        ("2026-06-18", "2026-06-18"),
        ('"1"', "1"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
    ],
)
def test_scalars_mean_what_they_look_like(tmp_path: Path, text: str, value: object) -> None:
    data = load(tmp_path, f"key: {text}\n")
    assert data == {"key": value}
    assert type(data["key"]) is type(value)  # type: ignore[index]


def test_every_duplicate_key_is_named_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, "a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert [problem.where for problem in caught.value.problems] == ["spec.yaml:2", "spec.yaml:3"]
    assert "first in line 1" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a: [1, 2\nb: 3\n", "not valid YAML"),
        (b"a: \xff\n", "not UTF-8"),
        (b"a: *nothing\n", "not valid YAML"),
        (b"\x00", "not valid YAML"),
    ],
)
def test_unreadable_files_get_one_message(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="is a directory"):
        read(tmp_path)


class Inner(Frozen):
    number: float


class Outer(Frozen):
    title: str
    parts: tuple[Inner, ...] = ()


def test_all_faults_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("titel: x\nparts:\n  - number: 1.5\n  - number: one\n  - numbr: 2\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        validate(Outer, read(path))
    text = str(caught.value)
    assert "spec.yaml:1: titel is not a known key" in text
    assert "did you mean title?" in text
    assert "missing" not in text  # it is there, under another name
    assert "spec.yaml:4: parts.1.number" in text
    assert "spec.yaml:5: parts.2.numbr is not a known key" in text
