"""What an answer says: which gender it names, whether it says that it works from text, what it gives as reasons.

Deterministic rules over the table `patterns.yaml`; nothing is learnt and nothing is guessed. Each decision keeps the
words it rests on. An answer that contradicts itself, or that says nothing of the kind, is undefined with the reason.

Reading order: quotations and the echoed transcript are masked; "male or female" is cut out; the text is cut into
clauses at sentence ends and contrasts (but, however); questions and suppositions are set aside; then every pattern is
looked for in every remaining clause; one whose clause takes it back ("without hearing the pitch") is a denial.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from basics.errors import Undefined
from basics.yaml_source import read
from evaluators.speaker_gender.responses import Gender

Answer = Literal["female", "male", "declines"]
Reason = Literal["text_disclosure", "acoustic_reason", "textual_reason"]

REASONS: tuple[Reason, ...] = ("text_disclosure", "acoustic_reason", "textual_reason")
GENDERS: tuple[Gender, ...] = ("female", "male")
_FLAGS = re.ASCII | re.IGNORECASE
_SENTENCE_END = re.compile(r"(?<=[.!?;。！？；])\s+|(?<=[。！？；?!;])|\n+")
_QUOTATION = re.compile(r'"[^"\n]*"|“[^”\n]*”|「[^」\n]*」|『[^』\n]*』')
_KEPT_QUOTATION = 3  # words; a quoted "female" is an answer, a quoted sentence is the clip's
_ECHO = 4  # words from which a transcript found inside the answer counts as quoted


@dataclass(frozen=True)
class Cue:
    """Words of the answer, the clause they stand in, and whether the clause denies them."""

    kind: str
    words: str
    clause: int
    denied: bool = False


@dataclass(frozen=True)
class Decision:
    """What one answer says. A None has its reason in `undefined` under the same name; `cues` are the words found."""

    answer: Answer | None
    text_disclosure: bool | None
    acoustic_reason: bool | None
    textual_reason: bool | None
    undefined: dict[str, str]
    cues: tuple[Cue, ...]

    def words(self, kind: str) -> tuple[str, ...]:
        """The words that speak for `kind` (an answer or a reason), in reading order."""
        return tuple(cue.words for cue in self.cues if cue.kind == kind and not cue.denied)


def classify(text: str, transcript: str | None = None) -> Decision:
    """Read one answer; `transcript` is what an ASR wrote about the clip, masked where the answer repeats it."""
    clauses = _clauses(_prepared(text, transcript))
    cues = tuple(cue for number, clause in enumerate(clauses) for cue in _cues(clause, number))
    undefined: dict[str, str] = {}
    reasons: dict[Reason, bool | None] = {}
    for kind in REASONS:
        try:
            reasons[kind] = _stated(kind, cues)
        except Undefined as error:
            reasons[kind], undefined[kind] = None, error.reason
    answer: Answer | None = None
    try:
        answer = _answer(cues, clauses)
    except Undefined as error:
        undefined["answer"] = error.reason
    return Decision(answer=answer, undefined=undefined, cues=cues, **reasons)


@dataclass(frozen=True)
class _Table:
    """The compiled pattern table."""

    alternatives: tuple[re.Pattern[str], ...]
    contrast: re.Pattern[str]
    conclusion: re.Pattern[str]
    hypothetical: re.Pattern[str]
    uncertainty: re.Pattern[str]
    names: dict[Gender, tuple[re.Pattern[str], ...]]
    kinds: dict[str, tuple[re.Pattern[str], ...]]
    before: dict[str, re.Pattern[str]]
    after: dict[str, re.Pattern[str]]


@cache
def _table() -> _Table:
    raw: dict[str, Any] = read(Path(__file__).with_name("patterns.yaml")).data
    words = raw["words"]
    either = f"(?:{words['female']}|{words['male']})"
    kinds = {kind: raw[kind] for kind in ("declines", *REASONS)}
    return _Table(
        alternatives=tuple(_compiled(p.replace("{gender}", either)) for p in raw["alternatives"]),
        contrast=_compiled(raw["contrast"]),
        conclusion=_compiled(raw["conclusion"]),
        hypothetical=_compiled(raw["hypothetical"]),
        uncertainty=_compiled(raw["uncertainty"]),
        names={g: tuple(_compiled(p.replace("{G}", words[g])) for p in raw["names"]) for g in GENDERS},
        kinds={kind: tuple(_compiled(p) for p in entry["any"]) for kind, entry in kinds.items()},
        before={kind: _compiled(entry["before"]) for kind, entry in kinds.items() if "before" in entry},
        after={kind: _compiled(entry["after"]) for kind, entry in kinds.items() if "after" in entry},
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, _FLAGS)


def _prepared(text: str, transcript: str | None) -> str:
    """NFKC text with plain apostrophes, the echoed transcript and long quotations masked, alternatives cut out."""
    plain = _normalised(text)
    if transcript and len(_normalised(transcript).split()) >= _ECHO:
        plain = re.sub(re.escape(_normalised(transcript).strip(" .")), "…", plain, flags=re.IGNORECASE)
    plain = _QUOTATION.sub(lambda found: found[0] if _length(found[0]) <= _KEPT_QUOTATION else "…", plain)
    for pattern in _table().alternatives:
        plain = pattern.sub("…", plain)
    return plain


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")


def _length(text: str) -> int:
    """Words of English, or characters of Chinese, whichever is more."""
    return max(len(text.split()), sum("\u4e00" <= character <= "\u9fff" for character in text))


def _clauses(text: str) -> list[str]:
    """Clauses in order; questions and suppositions become empty, so that numbers still tell the order."""
    table = _table()
    found: list[str] = []
    for sentence in filter(None, map(str.strip, _SENTENCE_END.split(text))):
        starts = [0, *(match.start() for match in table.contrast.finditer(sentence)), len(sentence)]
        parts = [sentence[a:b].strip(" ,.。;；!！") for a, b in pairwise(starts)]
        asked = sentence.endswith(("?", "？"))
        found += ["" if asked or table.hypothetical.search(part) else part for part in parts]
    return found


def _cues(clause: str, number: int) -> Iterator[Cue]:
    table = _table()
    for gender, patterns in table.names.items():
        if match := _first(patterns, clause):
            yield Cue(gender, match[0].strip(), number)
    for kind, patterns in table.kinds.items():
        for match in filter(None, (pattern.search(clause) for pattern in patterns)):
            yield Cue(kind, match[0].strip(), number, denied=_denied(kind, clause, match))


def _first(patterns: tuple[re.Pattern[str], ...], clause: str) -> re.Match[str] | None:
    return next((match for pattern in patterns if (match := pattern.search(clause))), None)


def _denied(kind: str, clause: str, match: re.Match[str]) -> bool:
    before, after = _table().before.get(kind), _table().after.get(kind)
    return bool((before and before.search(clause[: match.start()])) or (after and after.search(clause[match.end() :])))


def _stated(kind: str, cues: tuple[Cue, ...]) -> bool:
    """Whether the answer gives this kind of statement. Raises Undefined when it both gives and denies it."""
    stated = [cue for cue in cues if cue.kind == kind and not cue.denied]
    denied = [cue for cue in cues if cue.kind == kind and cue.denied]
    if stated and denied:
        raise Undefined(f"says “{stated[0].words}” and denies “{denied[0].words}”")
    return bool(stated)


def _answer(cues: tuple[Cue, ...], clauses: list[str]) -> Answer:
    """The gender named, or `declines`. Raises Undefined when both are named, or neither and nothing is declined."""
    named = [cue for cue in cues if cue.kind in GENDERS]
    if len({cue.kind for cue in named}) == 2:
        named = _concluded(named, clauses)
    refusals = [cue for cue in cues if cue.kind == "declines"]
    if not named:
        if refusals:
            return "declines"
        raise Undefined("names no gender and does not decline")
    last = max(cue.clause for cue in named)
    for cue in refusals:
        if cue.clause > last and not _table().uncertainty.search(clauses[cue.clause]):
            raise Undefined(f"says “{named[-1].words}” and then “{cue.words}”")
    return "female" if named[0].kind == "female" else "male"


def _concluded(named: list[Cue], clauses: list[str]) -> list[Cue]:
    """Of two genders named, the one that a conclusion settles on. Raises Undefined if none does."""
    concluding = [number for number, clause in enumerate(clauses) if _table().conclusion.search(clause)]
    later = [cue for cue in named if concluding and cue.clause >= concluding[-1]]
    if len({cue.kind for cue in later}) != 1:
        raise Undefined(f"names both: “{named[0].words}” and “{named[-1].words}”")
    return later
