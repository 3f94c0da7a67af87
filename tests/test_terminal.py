"""Where lines end on a terminal, and that what stands for a place to end one is never shown."""

from __future__ import annotations

import io

from basics.terminal import PlainConsole, prose


def shown(text: str, width: int) -> list[str]:
    out = PlainConsole(file=io.StringIO(), width=width)
    out.print(prose(text))
    out.print(text)
    once, again = (half := out.file.getvalue().splitlines())[: len(half) // 2], half[len(half) // 2 :]  # type: ignore[attr-defined]
    assert once == again, "a string is laid out as prose is"
    return [line.rstrip() for line in once]


def test_a_number_stays_with_its_unit() -> None:
    assert shown("88\N{NO-BREAK SPACE}% against 69.5\N{NO-BREAK SPACE}%", 16) == ["88 % against", "69.5 %"]


def test_chinese_is_broken_between_its_characters_and_never_before_a_full_stop() -> None:
    assert shown("在串接式系統中，語氣與情緒並非在語言模型處遺失。", 14) == [
        "在串接式系統",
        "中，語氣與情緒",
        "並非在語言模型",
        "處遺失。",
    ]


def test_control_characters_of_a_text_are_still_told() -> None:
    assert shown("a\x1cb\x1dc\x1fd", 40) == [r"a\x1cb\x1dc\x1fd"]
