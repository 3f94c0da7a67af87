"""Numbers of gradebooks in every dress that the LMS and spreadsheets give them: read rightly or not at all."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.exports.numerals import decimal_mark, plain_number, why_no_number

LOCALES = {
    "en": (".", ","),
    "de": (",", "."),
    "de-CH": (".", "\u2019"),
    "it-CH": (".", "'"),
    "fr": (",", "\u202f"),
    "nb": (",", "\u00a0"),
    "pl": (",", " "),
    "fa": ("\u066b", "\u066c"),
}
"""Decimal mark and group of a language. `I18n.n` writes the mark; groups come in where a spreadsheet saved the file."""


def written(cents: int, mark: str, group: str) -> str:
    whole, rest = divmod(cents, 100)
    return f"{whole:,}".replace(",", group) + f"{mark}{rest:02d}"


@pytest.mark.parametrize(("mark", "group"), LOCALES.values(), ids=LOCALES.keys())
@given(cents=st.integers(0, 10**9))
def test_two_decimals_are_read_in_every_language(mark: str, group: str, cents: int) -> None:
    for text in (written(cents, mark, ""), written(cents, mark, group), "-" + written(cents, mark, group)):
        number = plain_number(text)
        assert number is not None
        assert abs(Fraction(number)) == Fraction(cents, 100)
        assert number.isascii()
    assert decimal_mark([written(cents, mark, group), "EX", ""]) == mark


@pytest.mark.parametrize(
    ("text", "mark", "read"),
    [
        ("10", "", "10"),
        ("1,234", "", None),
        ("1.234", "", None),
        ("1,234", ",", "1.234"),
        ("1,234", ".", "1234"),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
        ("0,125", "", "0.125"),
        ("1234,567", "", "1234.567"),
        ("1,234,567", "", "1234567"),
        ("1 234", "", "1234"),
        ("8.3333", "", "8.3333"),
        ("1,2,3", "", None),
        ("1,234,56", "", None),
        ("1,234,567,89", "", None),
        ("12,34,567.00", "", None),
        ("１０", "", None),
        ("١٠", "", None),
        ("१०.००", "", None),
        ("１０分", "", None),
        ("10 points", "", None),
        ("1e3", "", None),
        ("½", "", None),
        (".", "", None),
        ("", "", None),
    ],
)
def test_what_can_be_two_numbers_is_none_unless_the_file_decides(text: str, mark: str, read: str | None) -> None:
    assert plain_number(text, mark) == read


def test_a_file_shows_its_mark_or_does_not() -> None:
    assert decimal_mark(["8.33", "1,234.50"]) == "."
    assert decimal_mark(["8,33", "1.234,50", "10"]) == ","
    assert decimal_mark(["8,33", "8.33"]) == ""
    assert decimal_mark(["10", "1,234", "EX"]) == ""


def test_why_is_said() -> None:
    assert why_no_number("1,234") == "can be read as 1.234 and as 1234"
    assert why_no_number("１０分") == "is no number in the digits 0 to 9"
