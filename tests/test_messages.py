"""What the program says in another language: all of it, the same at every door, and never what is kept."""

from __future__ import annotations

import ast
import json
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from basics.errors import InputError, Problem
from basics.messages import Message, in_language, plural, quoted, say, together
from tools import words

PRINTING = {"print", "add_column", "add_row", "Text", "prose", "assemble", "append", "say_error"}
WORD = re.compile(r"[A-Za-z]{2,}")
NO_WORDS = re.compile(r"`[^`]*`|--[a-z-]+|\.\w+|earwitness")
"""Commands, options and suffixes of files are the same in every language."""


@pytest.mark.parametrize("path", words.catalogues(), ids=lambda path: path.parts[-3])
def test_the_catalogue_holds_what_the_program_says_and_what_is_read_is_made_of_it(path: Path) -> None:
    catalogue = words.updated(path)
    assert [*words.lacking(catalogue)] == []
    assert words.as_po(catalogue) == path.read_bytes(), "run `python -m tools.words`"
    assert words.as_mo(catalogue) == path.with_suffix(".mo").read_bytes(), "run `python -m tools.words`"


def test_whatever_is_printed_is_a_message(repository: Path) -> None:
    literal = [
        f"{path.relative_to(repository)}:{line}: {text}"
        for floor in ("basics", "audio", "evaluators", "grader")
        for path in sorted((repository / floor).rglob("*.py"))
        for line, text in printed_literals(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert literal == []


def printed_literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """English that is handed to a console as it stands."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and name_of(call.func) in PRINTING - {"append"}:
            styled = name_of(call.func) in ("prose", "styled", "Text")  # what follows is a style
            for argument in call.args[: 1 if styled else None]:
                for part in argument.elts if isinstance(argument, ast.Tuple) else [argument]:
                    text = literal_of(part)
                    if WORD.search(NO_WORDS.sub("", text)):
                        yield call.lineno, text
                    if isinstance(argument, ast.Tuple):
                        break  # what follows is a style


def name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def literal_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return " ".join(literal_of(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return f"{literal_of(node.left)} {literal_of(node.right)}"
    if isinstance(node, ast.IfExp):
        return f"{literal_of(node.body)} {literal_of(node.orelse)}"
    return ""


def test_a_message_is_its_english_text_and_is_told_in_another_language_with_all_it_is_made_of() -> None:
    inner = say("there is no such file")
    message = say("cannot be read ({reason})", reason=inner)
    assert message == "cannot be read (there is no such file)"
    assert json.dumps([message]) == '["cannot be read (there is no such file)"]'
    told = in_language(message, "zh-TW")
    assert not WORD.search(told)
    assert in_language(together([inner, inner]), "zh-TW").count(in_language(inner, "zh-TW")) == 2
    assert in_language(quoted("a {brace} of theirs"), "zh-TW") == "a {brace} of theirs"
    assert in_language(say("a {brace} that nobody fills"), "zh-TW") == "a {brace} that nobody fills"
    assert [plural("{n} clip", "{n} clips", n) for n in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]
    assert isinstance("x" + inner + "y", Message)


def test_a_problem_of_another_process_is_told_in_the_language_that_is_spoken_here() -> None:
    problem = Problem("a.csv", say("there is no such file"), say("check the path"))
    error = pickle.loads(pickle.dumps(InputError(problem)))
    assert str(error) == "a.csv: there is no such file\n    -> check the path"
    assert in_language(error.problems[0].what, "zh-TW") == in_language(problem.what, "zh-TW") != problem.what


def test_every_field_of_a_template_is_given(repository: Path) -> None:
    wrong = []
    for floor in ("basics", "audio", "evaluators", "grader"):
        for path in sorted((repository / floor).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and (name := name_of(call.func)) in ("say", "plural"):
                    given = {keyword.arg for keyword in call.keywords}
                    asked = (
                        set[str]().union(*(words.fields(literal_of(text)) for text in call.args)) - {"n"}
                        if given
                        else set()
                    )
                    if asked != given - {"n"} and None not in given:
                        wrong.append(
                            f"{path.relative_to(repository)}:{call.lineno}: {name} with {given}, asked {asked}"
                        )
    assert wrong == []
