"""A verdict in sentences that a student of the course understands, in any language of the program.

One place makes them, for the terminal, feedback, report and appeals: what a comparison found (its `about`), the number
with its unit and interval against the threshold, and why the threshold is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from basics.messages import in_language
from evaluators.display import value_of
from evaluators.evidence import Measurement
from grader.quiz.claims import Fact, Form, Lack, Range, asked_by, comparisons, expanded, in_words, parts
from grader.quiz.spec import Option
from grader.quiz.words import Language, Phrase, Words, outcome, translation, words
from grader.verdicts.judge import OPPOSITE, Beside, Comparison, State, Step, Verdict, every_comparison, weight
from grader.verdicts.lines import NumberLine, number_line

MEASURED = ("measured", "published_audio", "demonstration")
"""Sources whose numbers could have come out a little otherwise: a gap says something of these alone."""

TIE = "\N{NO-BREAK SPACE}"
THRESHOLD = 6
"""Significant digits of a threshold, which is told as it was set; measured values have three."""


@dataclass(frozen=True)
class Finding:
    """One comparison: what it found, its numbers in brackets, why its threshold is there."""

    state: State
    about: Phrase
    numbers: str
    why: Phrase | None
    sentence: str
    line: NumberLine | None = None
    """Its drawing, where the value could have come out a little otherwise."""
    foreign: tuple[str, ...] = ()
    """Parts of the sentence that are English in whatever language it is: values and reasons without a translation."""

    @property
    def space(self) -> str:
        """What stands between its sentence and the next one."""
        return _space(self.sentence)

    @property
    def text(self) -> str:
        """The finding and the reason, in one line."""
        return joined(self.sentence, *filter(None, [self.why]))


@dataclass(frozen=True)
class Told:
    """A verdict: the findings that carry it, the strongest first, what it comes to, and what stands beside it."""

    findings: tuple[Finding, ...]
    conclusion: str
    beside: tuple[Phrase, ...]
    numbers: tuple[str, ...]
    more: str = ""

    @property
    def line(self) -> str:
        """One sentence, and how many more there are."""
        first = self.findings[0].sentence if self.findings else next(map(str, self.beside), self.conclusion)
        return joined(first, self.more)

    @property
    def text(self) -> str:
        """All of it in one paragraph."""
        return joined(*self.lines)

    @property
    def lines(self) -> list[str]:
        """All of it as text, a line for each thought."""
        return [*(finding.text for finding in self.findings), self.conclusion, *map(str, self.beside)]


@dataclass(frozen=True)
class _Leaf:
    """A comparison in a claim; `wanted` is False where the claim asks that it does not hold."""

    step: Step
    form: Form
    wanted: bool
    why: str


@dataclass(frozen=True)
class Teller:
    """Tells verdicts in one language, with the quiz's own words where they were translated."""

    language: Language = "en"
    own: Words = field(default_factory=dict)

    @classmethod
    def of(cls, quiz: Path, language: Language = "en") -> Teller:
        """With the translation that lies in the quiz's folder."""
        return cls(language, translation(quiz, language))

    @property
    def words(self) -> Words:
        return words("said", self.language)

    def phrase(self, text: str, holds: bool = True) -> Phrase:
        """A text of the quiz, translated where it was, else in English; `{holds|fails}` as it came out."""
        plain = " ".join(text.split())
        known = self.own.get(plain) or _reasons(self.language).get(plain)
        if known:
            return Phrase(outcome(known, holds), self.language)
        return Phrase(outcome(plain, holds), "en")

    def reason(self, text: str) -> Phrase:
        """Why there is no value, in short."""
        told = in_language(text, self.language)
        return self.phrase(shortened(text)) if told == text else Phrase(shortened(told), self.language)

    def tell(self, option: Option, verdict: Verdict) -> Told:
        """The findings that carry the verdict, its conclusion, and the answers to what stands beside it."""
        forms = _forms(option.claim)
        defeated = verdict.state != verdict.step.state  # by what stands beside the claim, which is told there
        leaves = [] if defeated else list(dict.fromkeys(_carrying(verdict.step, forms)))
        if verdict.state == "refuted":
            leaves.sort(key=lambda leaf: weight(leaf.step), reverse=True)
        findings = tuple(_each_reason_once(dict.fromkeys(map(self._finding, leaves))))
        beside = [self._aside(one) for one in verdict.beside if one.stands]
        if verdict.recalled:
            beside.insert(0, Phrase(self.words["recalled"], self.language))
        ends: dict[State, str] = {"supported": "holds", "refuted": "fails", "inconclusive": "undecided"}
        more = self.words["more"].format(n=len(findings) - 1) if len(findings) > 1 else ""
        numbers = tuple(map(grounds_in_words, verdict.grounds))
        return Told(findings, self.words[ends[verdict.state]], tuple(beside), numbers, more)

    def _aside(self, one: Beside) -> Phrase:
        answer = self.phrase(one.answer)
        frame = self.words["beside" if one.side == "for" else "against"]
        return Phrase(frame.format(answer=answer), answer.language)

    def _finding(self, leaf: _Leaf) -> Finding:
        step, form = leaf.step, leaf.form
        found = every_comparison(step)
        about = self.phrase(form.about or step.claim, step.state != "refuted")
        numbers, said = self._numbers(leaf, found), about.text
        if step.state == "inconclusive":
            known = all(m.undefined is None for comparison in found for m in comparison.measurements)
            said = self.words["close" if known else "whether"].format(about=said)
        foreign = tuple(dict.fromkeys(text for text in self._quotes(found) if text in numbers))
        drawn = _drawn(form, found[0]) if len(found) == 1 else None
        return Finding(step.state, about, numbers, self._why(leaf), self._sentence(said, numbers), drawn, foreign)

    def _quotes(self, found: list[Comparison]) -> Iterator[str]:
        """What stands in the brackets and is English for want of a translation."""
        for measurement in (m for comparison in found for m in comparison.measurements):
            value, reason = measurement.value, measurement.undefined
            phrases = [self.phrase(value)] if isinstance(value, str) else []
            phrases += [self.reason(reason)] if reason is not None else []
            yield from (phrase.text for phrase in phrases if phrase.language != self.language)

    def _sentence(self, said: str, numbers: str) -> str:
        """One pair of brackets at the end, whether or not `said` has one already."""
        if not numbers:
            return self.words["plain"].format(about=said)
        if said.endswith((")", "）")):
            return self.words["plain"].format(about=f"{said[:-1]}{self.words['semicolon']}{numbers}{said[-1]}")
        return self.words["with_numbers"].format(about=said, numbers=numbers)

    def _why(self, leaf: _Leaf) -> Phrase | None:
        if not leaf.why or leaf.why.casefold() in leaf.form.about.casefold():
            return None
        phrase = self.phrase(leaf.why)
        first, rest = phrase.text[:1].upper(), phrase.text[1:]
        stop = "" if rest.endswith((".", "。", "!", "?")) else words("said", phrase.language)["stop"]
        return Phrase(f"{first}{rest}{stop}", phrase.language)

    def _numbers(self, leaf: _Leaf, found: list[Comparison]) -> str:
        """What stands in brackets: values, what was needed, and the gap where something was measured."""
        reasons = list(dict.fromkeys(m.undefined for c in found for m in c.measurements if m.undefined is not None))
        if reasons:
            return self.words["semicolon"].join(str(self.reason(reason)) for reason in reasons)
        if len(found) > 1:  # the highest or the lowest of several
            first, *others = [m for c in found for m in c.measurements[:1]][:1] + [c.measurements[1] for c in found]
            values = self.words["comma"].join(self.amount(m) for m in others)
            return self.words["against_value"].format(a=self.amount(first), b=values)
        (comparison,) = found
        asked = asked_by(next(iter(parts(expanded(leaf.form))), leaf.form))
        if isinstance(asked, Fact):
            return self._found(comparison)
        if isinstance(asked, Lack):
            return self.amount(comparison.measurements[0])
        said = [self._values(asked, comparison), self._needed(asked, leaf, comparison), self._gap(comparison)]
        return self.words["semicolon"].join(filter(None, said))

    def _found(self, comparison: Comparison) -> str:
        value = comparison.measurements[0].value
        if comparison.state != "refuted" or not isinstance(value, str):
            return ""
        return self.words["found"].format(value=self.phrase(value))

    def _values(self, asked: Range, comparison: Comparison) -> str:
        known = {m.name: m for m in comparison.measurements}
        if asked.minus is None:
            return self.amount(known[asked.name])
        first, second = (self.amount(m) for m in comparison.measurements)
        return self.words["against_value"].format(a=first, b=second)

    def _needed(self, asked: Range, leaf: _Leaf, comparison: Comparison) -> str:
        unit = comparison.measurements[0].unit
        way = "" if leaf.wanted and comparison.state == "supported" else "_missed" if leaf.wanted else "_not"
        if asked.minus is not None:
            bound = asked.low if asked.low is not None else asked.high
            return (
                self.words[f"apart{way}"].format(bound=self.number(bound or 0, unit, digits=THRESHOLD)) if bound else ""
            )
        if asked.low is not None and asked.high is not None:
            if comparison.state == "supported":
                return ""
            return self.words[f"equal{way}"].format(
                bound=self.number((asked.low + asked.high) / 2, unit, digits=THRESHOLD)
            )
        kind, bound = ("low", asked.low) if asked.low is not None else ("high", asked.high)
        kind = {"low": "above", "high": "below"}[kind] if asked.strict else kind
        return self.words[f"{kind}{way}"].format(bound=self.number(bound or 0, unit, bare=True, digits=THRESHOLD))

    def _gap(self, comparison: Comparison) -> str:
        """By how much a measured value clears the threshold, or that its interval reaches over it."""
        if comparison.state == "inconclusive":
            return self.words["over"]
        if comparison.gap is None or not any(m.source in MEASURED for m in comparison.measurements):
            return ""
        unit = next((m.unit for m in comparison.measurements if m.unit), "")
        sure = any(m.interval is not None and m.interval.low < m.interval.high for m in comparison.measurements)
        return self.words["clear_interval" if sure else "clear"].format(gap=self.number(abs(comparison.gap), unit))

    def amount(self, measurement: Measurement) -> str:
        """A value with unit and interval; a count that nothing could make otherwise is `exactly` so."""
        value, interval = measurement.value, measurement.interval
        if value is None:
            return shortened(measurement.undefined or "")
        if isinstance(value, bool):
            return self.words["true" if value else "false"]
        if isinstance(value, str):
            return self.words["quote"].format(value=self.phrase(value))
        said = self.number(value, measurement.unit)
        if interval is not None and interval.low < interval.high:
            low, high = (self.number(end, measurement.unit, bare=True) for end in (interval.low, interval.high))
            level = figures(100 * interval.level)
            return f"{said}{self.words['comma']}{self.words['interval'].format(level=level, low=low, high=high)}"
        exact = measurement.source == "executed" and float(value).is_integer()
        return self.words["exactly"].format(amount=said) if exact else said

    def number(self, value: float, unit: str, *, bare: bool = False, digits: int = 3) -> str:
        """A number with its unit as people say it: a share in percent, `1 class`, `8 classes`; `bare` without.

        No line may end between the two.
        """
        if unit in ("share", "%"):
            return self.words["percent"].format(value=figures(100 * value if unit == "share" else value, digits))
        shown = figures(value, digits)
        return shown if bare or not unit else f"{shown}{TIE}{self.unit(unit, value)}".rstrip(TIE)

    def unit(self, unit: str, value: float) -> str:
        """The unit of a value in words; as the evaluator writes it where the catalogue does not know it."""
        said = words("units", self.language).get(unit, unit)
        one, _, many = said.partition("|")
        return one if value == 1 or not many else many

    def firmness(self, verdicts: Mapping[str, Verdict]) -> str:
        """How firm a question is: which options are close to a threshold, else what the verdicts rest on."""
        decided = {x: v for x, v in verdicts.items() if v.state != "inconclusive"}
        if close := [letter for letter, verdict in decided.items() if is_close(verdict)]:
            return self.words["firm_close"].format(letters=self.words["comma"].join(close))
        sources = {source for verdict in decided.values() for source in verdict.sources}
        found = [self.words[f"firm_{kind}"] for kind, of in FIRM.items() if sources & of]
        return self.words["firm"].format(by=self.words["and"].join(found)) if found else ""


@cache
def _reasons(language: Language) -> Words:
    """The program's reasons in a language, by their English text."""
    spoken = words("reasons", language)
    return {text: spoken[key] for key, text in words("reasons", "en").items()}


FIRM: Mapping[str, frozenset[str]] = {
    "exact": frozenset({"executed"}),
    "published": frozenset({"published", "saved"}),
    "measured": frozenset({"measured", "published_audio", "simulated", "demonstration"}),
}
"""What a settled question rests on, by the sources of its verdicts."""

CLOSE = 0.1
"""A measured quantity that clears its threshold by less than a tenth of it counts as close; a count does not."""


def is_close(verdict: Verdict) -> bool:
    """Whether the weakest comparison of a decided verdict is a measured one that clears its threshold narrowly."""
    deciding = verdict.deciding
    measured = any(m.interval or (isinstance(m.value, float) and m.source != "executed") for m in deciding.measurements)
    return measured and deciding.clearance < CLOSE


def _drawn(form: Form, comparison: Comparison) -> NumberLine | None:
    """The number line of a value that was measured, or has decimals: of a count a picture tells no more than a word."""
    told = comparison.measurements
    if not any(m.source in MEASURED or m.interval or (isinstance(m.value, float) and m.value % 1) for m in told):
        return None
    return number_line(next(iter(parts(expanded(form))), form), comparison)


def _each_reason_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; a reason that several of them share stands with the first."""
    said = set[Phrase | None]()
    for finding in findings:
        yield replace(finding, why=None) if finding.why in said else finding
        said.add(finding.why)


def _forms(claim: Form) -> dict[str, Form]:
    """The comparisons of a claim by how a step names them."""
    return {in_words(form): form for form in comparisons(claim)}


def _carrying(step: Step, forms: Mapping[str, Form], wanted: bool = True, why: str = "") -> Iterator[_Leaf]:
    """The comparisons that make the step what it is; for an inconclusive one, those that stand in the way."""
    why = step.why or why
    if step.claim in forms or not step.steps:
        yield _Leaf(step, forms.get(step.claim) or Form(), wanted, why)
        return
    state = OPPOSITE[step.state] if step.operator == "not" else step.state
    for inner in step.steps:
        if inner.state == state:
            yield from _carrying(
                inner, forms, wanted != (step.operator == "not"), why if step.operator == "not" else ""
            )


def joined(*sentences: str | Phrase) -> str:
    """Sentences one after the other; Chinese ones have no space between them."""
    return "".join(f"{said}{_space(str(said))}" for said in sentences if str(said)).rstrip()


def _space(sentence: str) -> str:
    return "" if sentence.endswith("。") else " "


def grounds_in_words(comparison: Comparison) -> str:
    """A comparison as it was decided, with its numbers, sources and locators."""
    told = (
        f"{m.name} = {value_of(m)} [{m.source}{f': {m.locator}' if m.locator else ''}]" for m in comparison.measurements
    )
    return f"{comparison.claim}: {'; '.join(told)}"


def shortened(reason: str) -> str:
    """A reason up to its first remedy, long revisions cut to what tells them apart."""
    return re.sub(r"\b([0-9a-f]{7})[0-9a-f]{33,57}\b", r"\1…", re.sub(r"^[a-z_]+: ", "", re.split("; |；", reason)[0]))


def figures(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, whole thousands set apart, a real minus sign."""
    rounded = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"
    return rounded.replace("-", "−")
