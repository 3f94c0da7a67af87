"""Strict CSV: what the csv module would let pass in silence, and where every problem stands."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from basics.csv_source import column_name, open_table, read_records
from basics.errors import InputError


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(path: Path) -> list[list[str]]:
    return [row for _, row in open_table(path, lambda _: True).rows()]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ('a,b\n1,"2\n3,4\n5,6\n', 2),
        ('a,b\n1,2\n3,"', 3),
        ('a,b\n1,2\n3,"\n', 3),
        ('a,b\n1,2\n3,"4', 3),
        ('a,b\n1,"2""\n', 2),
        ('a,b\n1,"2"" \n""\n3,4\n', 2),
        ('a,b\n\n1,"2\n3,"4"\n', 3),
        ('a,b\n"1\n1",2\n1,"2\n3,"4\n', 3),
        ('a,b\r\n1,"2\r\n3,4\r\n', 2),
        ('a,"b\n1,2\n', 1),
        ('a;b\n1;"2\n3;4\n', 2),
    ],
)
def test_a_quote_that_is_never_closed_names_the_row_it_opens_in(tmp_path: Path, content: str, row: int) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=rf"^table.csv row {row}: a cell opens with a quote"):
        list(open_table(path, lambda header: "a" in header).rows())
    with pytest.raises(InputError, match=rf"^table.csv row {row}: a cell opens with a quote"):
        read_records(path, [("a",)])


def test_quotes_that_are_closed_are_read_as_rfc_4180_has_them(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\r\n"1,\n2","say ""no"""\r\n"",5" disk\r\n')
    assert cells(path) == [["1,\n2", 'say "no"'], ["", '5" disk']]


def test_a_separator_within_quotes_is_none(tmp_path: Path) -> None:
    path = write(tmp_path, '"a,x";b\n"1,1";2\n')
    assert open_table(path, lambda header: "b" in header).header == ("a,x", "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n3,\0\n", "row 3: is not CSV: a NUL character"),
        ("a,b\n1," + "x" * ((1 << 20) + 1) + "\n", "row 2: a cell is longer than 1,048,576 characters"),
        ("a,b\n" + "," * 16_384 + "\n", "row 2: has more than 16,384 cells"),
        ("a\n" + "1\n" * 1_048_576, "row 1048577: is one more than the 1,048,576 rows"),
        ("a,b\n1,2\n".encode("utf-16"), "is UTF-16, expected UTF-8"),
        ("a,b\n王,2\n".encode("big5"), "^table.csv line 2: is not UTF-8"),
        ("a,b,a, B \n1,2,3,4\n", r"row 1, column C: the column 'a' stands there twice[^!]*row 1, column D: .* 'b'"),
        ("a,b,\n1,2,\n", "row 1, column C: has no name"),
        (",a,b\n0,1,2\n", "row 1, column A: has no name"),
        ("b,c\n1,2\n", "has no column a, only b, c"),
        ("a,b\n1,2,3\n4,5\n6,7,\n", r"row 2: has 3 cells, the header has 2[^!]*row 4: has 3 cells"),
        ("a,b\n1,2\n3\n", "row 3: has 1 cells, the header has 2"),
    ],
)
def test_what_would_pass_in_silence_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_records(write(tmp_path, content), [("a",)])


def test_records_by_name_whatever_the_dress(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffFile ; Spoken  Text\n a.wav ;x\n\nb.wav;\n")
    first, second = read_records(path, [("file",), ("spoken text",)])
    assert first.cells == {"file": "a.wav", "spoken text": "x"}
    assert second.cells == {"file": "b.wav", "spoken text": ""}
    assert second.text("spoken text", "file") == "b.wav"
    assert second.where == f"{path} row 4"


def test_the_limit_of_other_readers_stays_as_it_was(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    read_records(write(tmp_path, "a\n1\n"))
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_column_names(index: int, name: str) -> None:
    assert column_name(index) == name
