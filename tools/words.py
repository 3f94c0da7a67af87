"""Bring the catalogues of `basics/locale` up to date with what the program says: `python -m tools.words`.

New texts are added without a translation, those that nobody says any more are dropped, and what gettext reads (`.mo`)
is compiled. Translate what is told as lacking, in the `.po`, and run it again. `--new LANGUAGE` begins a catalogue.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import string
from collections.abc import Iterator
from pathlib import Path

import typer
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from basics.files import write_whole
from basics.messages import DOMAIN, LOCALE

ROOT = Path(__file__).parents[1]
FLOORS = ("basics", "audio", "evaluators", "grader")
FIELD = re.compile(r"\{[^{}]*\}")
LETTERS = re.compile(r"[^\W\d_]")
HEADER = """\
# What Earwitness says, in another language. Kept up to date by `python -m tools.words`.
"""
LIBRARY: tuple[str | tuple[str, str], ...] = (
    "Usage:",
    "Options",
    "Arguments",
    "Positional arguments",
    "Commands",
    "Error",
    "Error: {message}",
    "Error: invalid input",
    "Aborted.",
    "Aborted!",
    "(deprecated) ",
    "[default: {}]",
    "[env var: {}]",
    "[required]",
    "default: {default}",
    "env var: {var}",
    "required",
    "(dynamic)",
    "Try [blue]'{command_path} {help_option}'[/] for help.",
    "Try '{command} {option}' for help.",
    "Missing command.",
    "Missing argument",
    "Missing option",
    "Missing parameter",
    "Choose from:\n\t{choices}",
    "No such command {name!r}.",
    "No such option {name!r}.",
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    "Invalid value: {message}",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    "Option {name!r} does not take a value.",
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    "Invalid value for {param_hint}: {message}",
)
"""What the command-line library says by gettext where it can be met with here: typer, and the click that older versions
stand on; where there are two, the second is the plural."""


def said() -> Catalog:
    """Everything that the program says, in English: in its source, in `words.yaml` by place, in help texts."""
    found = Catalog(domain=DOMAIN, fuzzy=False)
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            for text in templates(ast.parse(path.read_text(encoding="utf-8"))):
                if LETTERS.search(FIELD.sub("", str(text))) or not FIELD.search(str(text)):
                    found.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    from grader.quiz.words import in_english

    for part, texts in in_english().items():
        for key, text in texts.items():
            if text:
                found.add(text, context=f"{part}.{key}", locations=[("grader/quiz/words.yaml", 0)])
    for text in helps():
        found.add(text, locations=[("grader/cli", 0)])
    for text in LIBRARY:
        found.add(text, locations=[("typer", 0)])
    for message in found:
        message.flags.clear()
    return found


def templates(tree: ast.AST) -> Iterator[str | tuple[str, str]]:
    """What is given to `say`, and both forms given to `plural`."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("say", "plural"):
            texts = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if texts:
                yield texts[0] if call.func.id == "say" else (texts[0], texts[1])


def helps() -> Iterator[str]:
    """The help texts of all commands and their options."""
    from grader.cli import app
    from grader.cli.help import texts

    yield from (text for _, _, text in texts(typer.main.get_command(app)))


def updated(path: Path) -> Catalog:
    """The catalogue at `path` with the texts that the program says today."""
    catalogue = read_po(io.BytesIO(path.read_bytes()), locale=path.parts[-3], domain=DOMAIN)
    catalogue.update(said(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    for message in catalogue:
        message.flags.clear()
        if isinstance(message.id, tuple) and not message.string:
            message.string = ("",)
    return catalogue


def as_po(catalogue: Catalog) -> bytes:
    text = io.BytesIO()
    write_po(text, catalogue, width=120, omit_header=False, include_lineno=False, sort_by_file=True)
    return text.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    return compiled.getvalue()


def lacking(catalogue: Catalog) -> Iterator[str]:
    """The texts without a translation, and those whose translation has other fields."""
    for message in catalogue:
        if not message.id:
            continue
        one = message.id if isinstance(message.id, str) else message.id[0]
        told = message.string if isinstance(message.string, str) else next(iter(message.string or ()), "")
        if not told:
            yield f"not translated: {one}"
        elif (fields(one) != fields(told) and message.context is None) or fields(one) - fields(told):
            yield f"other fields: {one} -> {told}"


def fields(template: str) -> set[str]:
    """The names of a template's fields; none where it is no template."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}
    except ValueError:
        return set()


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", metavar="LANGUAGE", help="such as ja or zh_TW")
    options = parser.parse_args()
    if options.new:
        path = LOCALE / options.new / "LC_MESSAGES" / f"{DOMAIN}.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(
            path,
            as_po(Catalog(locale=options.new, domain=DOMAIN, project="earwitness", header_comment=HEADER, fuzzy=False)),
        )
    for path in catalogues():
        catalogue = updated(path)
        write_whole(path, as_po(catalogue))
        write_whole(path.with_suffix(".mo"), as_mo(catalogue))
        told = [*lacking(catalogue)]
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {len(told)} to be mended")
        for line in told:
            print(f"  {line}")


if __name__ == "__main__":
    main()
