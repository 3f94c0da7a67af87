"""Who handed in: ids by their content, and what a spreadsheet did to them.

An id that was written as a number loses zeros and digits, one that was typed changes case or width. Such an id is
refused, or taken for a student where the roster leaves no other reading; every one that was is noted.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Literal

from basics.messages import NOTHING, Message, say
from basics.suggestions import did_you_mean
from grader.quiz.spec import normalise
from grader.submissions.model import RosterEntry

Loss = Literal["none", "zeros", "digits"]
"""What of an id is gone: nothing (its case or width is another), zeros at its beginning, or digits."""

SCIENTIFIC = re.compile(r"(\d(?:[.,]\d+)?)E\+?(\d{1,2})", re.IGNORECASE)
THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
DIGITS_KEPT = 15
"""A spreadsheet keeps so many digits of a number and writes zeros for the rest."""
MOST_LIKELY = 3

MANGLED: Mapping[Message, re.Pattern[str]] = {
    say("is a number in scientific notation"): re.compile(r"\d(?:[.,]\d+)?E\+\d+"),
    say("is a number with a decimal part"): re.compile(r"\d+[.,]0+"),
    say("has separators of thousands"): THOUSANDS,
    say("begins with an apostrophe"): re.compile(r"['\u2018\u2019`].*", re.DOTALL),
    say("is a text written as a formula"): re.compile(r'="[^"]*"'),
}


def mangled(text: str) -> Message:
    """What a spreadsheet or a keyboard seems to have done to this id, or an empty text."""
    if text.isascii() and text.isalnum():
        return NOTHING
    for what, pattern in MANGLED.items():
        if pattern.fullmatch(text):
            return what
    if unicodedata.normalize("NFKC", text) != unicodedata.normalize("NFC", text):
        return say("has full-width or other compatibility characters")
    return say("has characters that nobody sees") if normalise(text) != " ".join(text.split()) else NOTHING


def canonical(text: str) -> str:
    """The id without what costs no information: case, width, apostrophe, `="…"`, decimal part, thousands."""
    if text.isascii() and text.isalnum():
        return text.lower()
    plain = unicodedata.normalize("NFKC", normalise(text)).casefold().replace(" ", "")
    plain = re.sub(r'^="(.*)"$', r"\1", plain).lstrip("='\u2018\u2019`")
    plain = plain.replace(",", "") if THOUSANDS.fullmatch(plain) else plain
    return re.sub(r"^(\d+)[.,]0+$", r"\1", plain)


class Directory:
    """The roster, found by what may be left of an id; `lms` finds by the LMS's number, where the roster has it."""

    def __init__(self, people: Mapping[str, RosterEntry]) -> None:
        self.people = people
        self.lms = {person.lms_id: person for person in people.values() if person.lms_id}
        self._by_form: dict[str, list[RosterEntry]] = defaultdict(list)
        self._by_number: dict[str, list[RosterEntry]] = defaultdict(list)
        for person in people.values():
            form = canonical(person.student_id)
            self._by_form[form].append(person)
            if form.isdecimal():
                self._by_number[form.lstrip("0") or "0"].append(person)

    @cached_property
    def _by_name(self) -> Mapping[frozenset[str], list[RosterEntry]]:
        """Taken only where an id is not found: of a large class it is a good part of the reading."""
        found: dict[frozenset[str], list[RosterEntry]] = defaultdict(list)
        for person in self.people.values():
            if person.name:
                found[_words(person.name)].append(person)
        return found

    def readings(self, text: str) -> tuple[list[RosterEntry], Loss]:
        """Everybody whose id this may have been, and what of it would be gone; nobody may be."""
        if not self.people:
            return [], "none"
        form = canonical(text)
        if form in self._by_form:
            return self._by_form[form], "none"
        number = form.lstrip("0") or "0"
        if form.isdecimal() and number in self._by_number:
            return self._by_number[number], "zeros"
        rounded = [person for whole, people in self._by_number.items() if _may_be(form, whole) for person in people]
        return rounded, "digits"

    def certain(self, text: str, name: str = "") -> RosterEntry | None:
        """The one person this id can be: where digits are gone the name must be theirs, where zeros, not another's."""
        people, loss = self.readings(text)
        if len(people) != 1:
            return None
        [person] = people
        same = _same_name(name, person.name)
        allowed = {"none": (True, False, None), "zeros": (True, None), "digits": (True,)}
        return person if same in allowed[loss] else None

    def rival(self, text: str, name: str) -> RosterEntry | None:
        """Somebody else by this name whose id a spreadsheet makes `text`, which is an id of the roster itself."""
        number = canonical(text).lstrip("0") or "0"
        if _same_name(name, self.people[text].name) is not False:
            return None
        others = (person for person in self._by_number.get(number, []) if person.student_id != text)
        return next((person for person in others if _same_name(name, person.name)), None)

    def likely(self, text: str, name: str = "") -> list[RosterEntry]:
        """Whom somebody may have meant: by what is left of the id, else by the name."""
        people, _ = self.readings(text)
        return people or (self._by_name.get(_words(name), []) if name else [])

    def remedy(self, text: str, name: str = "") -> str:
        """`perhaps b12901001 (Wang)`, or the ids that are close."""
        people = self.likely(text, name)
        if people:
            more = f" or {len(people) - MOST_LIKELY} more" if len(people) > MOST_LIKELY else ""
            return f"perhaps {' or '.join(map(str, people[:MOST_LIKELY]))}{more}"
        return did_you_mean(text, self.people) if self.people else ""


def alike(ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of different ids that only differ in what spreadsheets and keyboards change."""
    first: dict[str, str] = {}
    for text in ids:
        form = canonical(text)
        other = first.setdefault((form.lstrip("0") or "0") if form.isdecimal() else form, text)
        if other != text:
            yield other, text


def _may_be(form: str, number: str) -> bool:
    """Whether a spreadsheet may have made `form` of this number: digits in scientific notation, or after the 15th."""
    if match := SCIENTIFIC.fullmatch(form):
        shown = Decimal(match[1].replace(",", ".")).scaleb(int(match[2]))
        unit = Decimal(1).scaleb(int(match[2]) - max(0, len(match[1]) - 2))
        return 2 * abs(Decimal(number) - shown) <= unit
    gone = form[DIGITS_KEPT:]
    return form.isdecimal() and bool(gone) and not gone.strip("0") and _same_but_for(form, number)


def _same_but_for(form: str, number: str) -> bool:
    return len(number) == len(form) and number[:DIGITS_KEPT] == form[:DIGITS_KEPT]


def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", unicodedata.normalize("NFKC", name).casefold()))


def _same_name(a: str, b: str) -> bool | None:
    """Whether two names have the same words in any order; None where one is not known."""
    return _words(a) == _words(b) if _words(a) and _words(b) else None
