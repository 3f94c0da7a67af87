"""What the program says: in English where it is said, and in another language by the catalogue, where it is told.

`locale/<language>/LC_MESSAGES/earwitness.po` is the one catalogue of a language, in gettext's format, and the `.mo`
beside it what is read; `tools.words` keeps both. A `Message` is its English text, and is that wherever it is
stored or compared; whoever shows it to a person shows `spoken(message)`.
"""

from __future__ import annotations

import gettext
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from basics.visible import visible

Language = Literal["en", "zh-TW"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DOMAIN = "earwitness"
LOCALE = Path(__file__).with_name("locale")


class Message(str):
    """An English text that knows what it was made from: a template as `str.format` takes it, and its fields.

    `many` is the template for any number `n` but one. Fields that are messages are told in the same language.
    """

    template: str
    many: str
    fields: dict[str, Any]

    def __new__(cls, template: str, many: str, fields: dict[str, Any]) -> Message:
        message = super().__new__(cls, _fill(many if many and fields["n"] != 1 else template, fields))
        message.template, message.many, message.fields = template, many, fields
        return message

    def filled(self, **fields: Any) -> Message:
        """The same message with these fields otherwise; one that has none of them as it is."""
        known = {name: value for name, value in fields.items() if name in self.fields}
        return Message(self.template, self.many, {**self.fields, **known}) if known else self

    def __reduce__(self) -> tuple[Any, ...]:
        return Message, (self.template, self.many, self.fields)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """In a pydantic model: a message stays one, a text that is read is quoted; written it is a text."""
        from pydantic import WrapValidator

        kept = WrapValidator(lambda value, read: value if isinstance(value, Message) else quoted(read(value)))
        return handler.generate_schema(Annotated[str, kept])

    def __add__(self, other: str) -> Message:
        return together((self, other), "")

    def __radd__(self, other: str) -> Message:
        return together((other, self), "")

    def in_language(self, language: Language) -> str:
        """The text in a language; in English what the catalogue lacks."""
        if language == "en":
            return str(self)
        catalogue = translations(language)
        if self.many:
            template = catalogue.ngettext(self.template, self.many, self.fields["n"])
        else:
            template = catalogue.gettext(self.template) if self.template else ""
        return _fill(template, {name: in_language(value, language) for name, value in self.fields.items()})


def _fill(template: str, fields: dict[str, Any]) -> str:
    return template.format(**fields) if fields else template


def say(template: str, /, **fields: Any) -> Message:
    """`say("has no column {name!r}", name=name)`: a template in English, a literal so that it is found, and its fields.

    Without fields the text is taken as it is, braces and all.
    """
    return Message(template, "", _kept(fields))


NOTHING = Message("", "", {})


def plural(one: str, many: str, n: int, /, **fields: Any) -> Message:
    """`plural("{n} clip", "{n} clips", n)`: the first for 1, the second for any other number."""
    return Message(one, many, {"n": n, **_kept(fields)})


def _kept(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields that any process can take: of an error what it says."""
    return {name: said_by(value) if isinstance(value, BaseException) else value for name, value in fields.items()}


def quoted(text: str) -> Message:
    """What others said (a library, an author, a file), which has no translation."""
    return Message("{text}", "", {"text": text})


SEMICOLON = say("; ")


def said_by(error: BaseException) -> Message:
    """What an error says: the message that it was raised with, or the text of one that is not ours."""
    said = error.args[0] if error.args else None
    return said if isinstance(said, Message) else quoted(str(error))


def first_line(message: Message) -> Message:
    """A message, or of one with several lines the first, which then is told in English."""
    return quoted(message.splitlines()[0]) if "\n" in message else message


def together(parts: Iterable[str], between: str = SEMICOLON) -> Message:
    """Several messages as one; what stands between them may be a message too."""
    fields = {f"part{number}": part for number, part in enumerate(parts)}
    template = "{between}".join(f"{{{name}}}" for name in fields)
    return Message(template, "", {**fields, "between": between} if fields else {})


def in_language(value: Any, language: Language) -> Any:
    """A message in a language; anything else as it is."""
    return value.in_language(language) if isinstance(value, Message) else value


@cache
def translations(language: Language) -> gettext.NullTranslations:
    """The catalogue of a language, its translations by English text (in words.yaml by place: `pgettext`)."""
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALE, [language.replace("-", "_")])


def language_of_locale() -> Language:
    """Traditional Chinese where the environment's locale says so, else English."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh-TW" if locale.replace("-", "_").startswith(("zh_TW", "zh_Hant")) else "en"


_spoken: Language | None = None


def speak(language: Language) -> None:
    """From here on `spoken` and the messages of the command-line library are in this language."""
    global _spoken
    _spoken = language
    os.environ["LANGUAGE"] = language.replace("-", "_")  # read by gettext for the messages of other packages
    gettext.bindtextdomain(DOMAIN, str(LOCALE))
    gettext.textdomain(DOMAIN)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """`speak` for a while."""
    before = language_spoken()
    speak(language)
    try:
        yield
    finally:
        speak(before)


def language_spoken() -> Language:
    """The language that was said to be spoken, else that of the locale."""
    return _spoken or language_of_locale()


def spoken(text: str) -> str:
    """A text as it is shown to the person at the terminal; one that is no message as it is."""
    return str(in_language(text, language_spoken()))


def say_error(text: str) -> None:
    """What the program says on standard error, in the language that is spoken."""
    print(visible(f"earwitness: {spoken(text)}"), file=sys.stderr)
