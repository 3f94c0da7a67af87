"""Decisions of the teaching staff: one ordered, dated list, and what of it is in force.

An *override* says which options of a question are right. A *ruling* says what becomes of a question or of its options
after the fact. A *credit rule* says how ticks become points, until the next one. *Hold-harmless* says that no total
falls any more, until it is *lifted*. Decisions about a question add up: a later one joins the earlier ones, or is
refused with both named; never does the last one win. Who means to take a decision back says so with `replaces`, and
both stay in the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from basics.errors import InputError, Problem
from basics.messages import NOTHING, Message, quoted, say, together
from basics.moments import Moment
from basics.suggestions import did_you_mean
from basics.yaml_source import Source, read, validate
from evaluators.evidence import Frozen
from grader.quiz.spec import CreditRule, Letter, QuizBook, Text

Reason = Annotated[str, Field(min_length=8)]
Numbers = tuple[Annotated[int, Field(ge=1)], ...]
DECIDED = say("decided by the teaching staff")
"""How a decision is named wherever it is shown."""
BACK = say("as if nothing had been decided")
REMEDY = say("say one of the two, or let the later one say `replaces: [{number}]`", number=0)


class Said(Frozen):
    """What every decision about a question has.

    `when` is the time of the run where it is left out. `replaces` are the numbers of earlier decisions about the same
    question that this one takes the place of, as `regrade` lists them. `appeal` says whose appeal was accepted.
    """

    question: Text
    reason: Reason
    by: str = ""
    when: Moment | None = None
    replaces: Numbers = ()
    appeal: str = ""


class Override(Said):
    """A TA's decision about what is right in a question. Of a choose-one question, each of several letters is.

    Without `correct` it takes the decisions that it replaces back, and the evidence decides again.
    """

    correct: tuple[Letter, ...] | None = None

    @property
    def effect(self) -> Message:
        """What it comes to, in words."""
        if self.correct is None:
            return BACK
        letters = ", ".join(self.correct)
        return say("{letters} right", letters=letters or say("no option"))


class Ruling(Said):
    """What a TA decides about a question or its options after the fact, for everybody alike.

    `disregard`: the options count as if they had never been in the question, in its key and among the ticks; whoever
    had more before keeps it. `always_correct`: however a student treated these options, they count as treated rightly.
    `everyone`: the question gives full credit to all who submitted.
    """

    disregard: tuple[Letter, ...] = ()
    always_correct: tuple[Letter, ...] = ()
    everyone: bool = False

    @property
    def effect(self) -> Message:
        """What it comes to, in words."""
        parts = [say("{letters} taken out", letters=", ".join(self.disregard))] if self.disregard else []
        if self.always_correct:
            parts.append(say("{letters} counted as right", letters=", ".join(self.always_correct)))
        if self.everyone:
            parts.append(say("full points for everyone"))
        return together(parts) if parts else BACK


class StaffDecision(Frozen):
    """One decision as a run carries it. `question` is empty where it is about the class, `choose` is the question's."""

    what: Literal["override", "ruling", "credit-rule", "hold-harmless", "lift-hold-harmless"]
    question: str = ""
    choose: Literal["one", "many"] | None = None
    correct: tuple[Letter, ...] | None = None
    disregard: tuple[Letter, ...] = ()
    always_correct: tuple[Letter, ...] = ()
    everyone: bool = False
    rule: CreditRule | None = None
    reason: Reason
    by: str = ""
    when: Moment
    replaces: Numbers = ()
    appeal: str = ""

    @model_validator(mode="after")
    def _about_something(self) -> StaffDecision:
        if (self.what in ("override", "ruling")) != bool(self.question):
            raise ValueError(f"{self.what} is about {'the class' if self.question else 'a question'}")
        if (self.what == "credit-rule") != (self.rule is not None):
            raise ValueError(f"{self.what} {'names a rule' if self.rule else 'names no rule'}")
        return self

    @property
    def effect(self) -> Message:
        """What it comes to, in words."""
        if self.what in ("hold-harmless", "lift-hold-harmless"):
            return say("no total falls") if self.what == "hold-harmless" else say("totals may fall again")
        if self.rule:
            return quoted(self.rule)
        return say("{question}, {effect}", question=self.question, effect=self.said.effect)

    @property
    def said(self) -> Override | Ruling:
        """A decision about a question as it was written down."""
        common = self.model_dump(include=set(Said.model_fields))
        if self.what == "override":
            return Override(correct=None if self.correct is None else tuple(sorted(set(self.correct))), **common)
        out, right = (tuple(sorted(set(letters))) for letters in (self.disregard, self.always_correct))
        return Ruling(disregard=out, always_correct=right, everyone=self.everyone, **common)

    def told(self, number: int) -> Message:
        """The decision in one line: its number in the list, what, when, who, why."""
        return say(
            "{number}. {what} {effect} [{when}{who}]{appeal}: {reason}",
            number=number,
            what=self.what,
            effect=self.effect,
            when=self.when.isoformat(sep=" ", timespec="minutes"),
            who=f", {self.by}" if self.by else "",
            appeal=say(" (appeal of {student})", student=self.appeal) if self.appeal else "",
            reason=self.reason,
        )

    @property
    def substance(self) -> tuple[object, ...]:
        """What it decides, whoever said so and when."""
        right = None if self.correct is None else frozenset(self.correct)
        letters = (right, frozenset(self.disregard), frozenset(self.always_correct))
        return (self.what, self.question, *letters, self.everyone, self.rule)


Decisions = tuple[StaffDecision, ...]


@dataclass(frozen=True)
class InForce:
    """What a list of decisions comes to: at most one override and one ruling for each question, each a sum.

    `rule` is the credit rule that was decided last, None where none was.
    """

    overrides: Mapping[str, Override]
    rulings: Mapping[str, Ruling]
    hold_harmless: bool
    rule: CreditRule | None


def in_force(decisions: Sequence[StaffDecision]) -> InForce:
    """What the list comes to. Raises InputError with every pair of decisions that cannot both hold."""
    if problems := list(contradictions(decisions)):
        raise InputError(problems)
    overrides: dict[str, list[StaffDecision]] = {}
    rulings: dict[str, list[StaffDecision]] = {}
    hold, rule = False, None
    for _, decision in standing(decisions):
        if decision.what == "override" and decision.correct is not None:
            overrides.setdefault(decision.question, []).append(decision)
        elif decision.what == "ruling":
            rulings.setdefault(decision.question, []).append(decision)
        elif decision.what == "credit-rule":
            rule = decision.rule
        elif not decision.question:
            hold = decision.what == "hold-harmless"
    return InForce(
        {name: _joined_override(same) for name, same in overrides.items()},
        {name: ruling for name, same in rulings.items() if (ruling := _joined_ruling(same))},
        hold,
        rule,
    )


def standing(decisions: Sequence[StaffDecision]) -> list[tuple[int, StaffDecision]]:
    """The decisions that no later one replaces, with their numbers in the list."""
    replaced = {number for decision in decisions for number in decision.replaces}
    return [(number, decision) for number, decision in enumerate(decisions, 1) if number not in replaced]


def contradictions(decisions: Sequence[StaffDecision]) -> Iterator[Problem]:
    """Pairs of decisions that cannot both hold, and entries that refer to what is not there."""
    yield from _wrong_references(decisions)
    for (i, one), (j, other) in combinations(standing(decisions), 2):
        if one.question and one.question == other.question and (why := _clash(one, other)):
            what = say(
                "two decisions cannot both hold, {reason}: {first} | {second}",
                reason=why,
                first=one.told(i),
                second=other.told(j),
            )
            yield Problem(one.question, what, REMEDY.filled(number=i))
    hold = False
    for number, decision in enumerate(decisions, 1):
        if decision.what == "lift-hold-harmless" and not hold:
            yield Problem(
                "hold-harmless",
                say("is not in force: {decision}", decision=decision.told(number)),
                say("remove lift_hold_harmless"),
            )
        if decision.what in ("hold-harmless", "lift-hold-harmless"):
            hold = decision.what == "hold-harmless"


def _wrong_references(decisions: Sequence[StaffDecision]) -> Iterator[Problem]:
    for number, decision in enumerate(decisions, 1):
        for earlier in decision.replaces:
            what = say("{decision} replaces decision {earlier}", decision=decision.told(number), earlier=earlier)
            if earlier >= number:
                yield Problem(
                    decision.question,
                    say("{replacement}, which is not an earlier one", replacement=what),
                    say("correct the number"),
                )
            elif decisions[earlier - 1].question != decision.question:
                about = decisions[earlier - 1].told(earlier)
                yield Problem(
                    decision.question,
                    say("{replacement}, which is about another question: {other}", replacement=what, other=about),
                    say("correct it"),
                )
            elif decisions[earlier - 1].what == "override" and decision.what == "ruling":
                told = decisions[earlier - 1].told(earlier)
                yield Problem(
                    decision.question,
                    say("{replacement}, an override: {decision}", replacement=what, decision=told),
                    say("replace it by an override"),
                )


def _clash(one: StaffDecision, other: StaffDecision) -> Message:
    """Why two decisions about a question exclude one another; empty where both can hold.

    `one` is the earlier. A choose-one question has alternatives: a later override may add to them, not take away.
    """
    if one.what == other.what == "override":
        if one.correct is None or other.correct is None:
            return NOTHING
        wider = one.choose == "one" and set(one.correct) < set(other.correct)
        same = wider or set(one.correct) == set(other.correct)
        return NOTHING if same else say("each names the whole key")
    both = {*one.disregard, *other.disregard} & {*one.always_correct, *other.always_correct}
    if not both:
        return NOTHING
    return say("{letters} is taken out and counted as right", letters=", ".join(sorted(both)))


def _joined_override(same: Sequence[StaffDecision]) -> Override:
    reason, by, appeal = _together(same)
    correct = tuple(sorted({letter for decision in same for letter in decision.correct or ()}))
    return Override(question=same[0].question, correct=correct, reason=reason, by=by, appeal=appeal)


def _joined_ruling(same: Sequence[StaffDecision]) -> Ruling | None:
    """The sum of the rulings on a question; None if nothing is left of them."""
    effective = [d for d in same if d.disregard or d.always_correct or d.everyone]
    if not effective:
        return None
    reason, by, appeal = _together(effective)
    return Ruling(
        question=effective[0].question,
        disregard=tuple(sorted({letter for d in effective for letter in d.disregard})),
        always_correct=tuple(sorted({letter for d in effective for letter in d.always_correct})),
        everyone=any(d.everyone for d in effective),
        reason=reason,
        by=by,
        appeal=appeal,
    )


def _together(same: Sequence[StaffDecision]) -> tuple[str, str, str]:
    """Reasons, names and appeals of decisions that are one by now."""
    reasons, names, appeals = (
        (d.reason for d in same),
        (d.by for d in same if d.by),
        (d.appeal for d in same if d.appeal),
    )
    return "; ".join(dict.fromkeys(reasons)), ", ".join(dict.fromkeys(names)), ", ".join(dict.fromkeys(appeals))


def as_decisions(book: QuizBook, entries: Iterable[Override | Ruling], when: datetime, by: str = "") -> Decisions:
    """Overrides and rulings as they enter the list of a run; `when` and `by` stand in for what they leave out."""
    return tuple(
        StaffDecision(
            what="override" if isinstance(entry, Override) else "ruling",
            choose=book.question(entry.question).choose,
            **(entry.model_dump() | {"when": entry.when or when, "by": entry.by or by}),
        )
        for entry in entries
    )


class DecisionFile(Frozen):
    """A file of decisions (`--override FILE`); `by` holds for every entry that names nobody."""

    overrides: tuple[Override, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    by: str = ""


File = TypeVar("File", bound=DecisionFile)


def read_decisions(path: Path, book: QuizBook, earlier: Decisions = ()) -> Decisions:
    """Overrides and rulings from YAML, which come after `earlier` ones in the list.

    Raises InputError for unknown questions or letters, and for decisions that cannot both hold.
    """
    source = read(path)
    file = validate(DecisionFile, source)
    problems = faults(file, source, book)
    if not (file.overrides or file.rulings):
        problems.append(Problem(path.name, say("decides nothing"), say("give overrides or rulings")))
    if problems:
        raise InputError(problems)
    decisions = as_decisions(book, [*file.overrides, *file.rulings], datetime.now(UTC).replace(microsecond=0), file.by)
    if problems := list(contradictions((*earlier, *decisions))):
        raise InputError(problems)
    return decisions


def faults(file: DecisionFile, source: Source, book: QuizBook) -> list[Problem]:
    """A problem for each entry of a file of decisions that the quiz cannot take."""
    places: list[tuple[str, Override | Ruling]] = []
    places += [(source.where(("overrides", i)), override) for i, override in enumerate(file.overrides)]
    places += [(source.where(("rulings", i)), ruling) for i, ruling in enumerate(file.rulings)]
    return [problem for where, entry in places for problem in _faults(entry, where, book)]


def _faults(entry: Override | Ruling, where: str, book: QuizBook) -> list[Problem]:
    ids = [question.id for question in book.questions]
    if entry.question not in ids:
        return [
            Problem(
                where, say("{question} is not in the quiz", question=entry.question), did_you_mean(entry.question, ids)
            )
        ]
    question = book.question(entry.question)
    named = (entry.correct or ()) if isinstance(entry, Override) else (*entry.disregard, *entry.always_correct)
    problems = []
    if unknown := sorted(set(named) - set(question.options)):
        what = say("{question} has no option {letters}", question=question.id, letters=", ".join(unknown))
        problems.append(Problem(where, what, say("its options are {options}", options=", ".join(question.options))))
    if isinstance(entry, Override):
        if entry.correct is None and not entry.replaces:
            what = say("decides nothing")
            problems.append(Problem(where, what, say("give correct; or replaces, to take earlier decisions back")))
        if question.choose == "one" and entry.correct == ():
            problems.append(
                Problem(
                    where,
                    say("{question} is choose-one, and no letter is right", question=question.id),
                    say("give one or more"),
                )
            )
        return problems
    if both := sorted(set(entry.disregard) & set(entry.always_correct)):
        what = say("takes {letters} out and counts it as right", letters=", ".join(both))
        problems.append(Problem(where, what, say("name each option under one of the two")))
    if not (named or entry.everyone or entry.replaces):
        problems.append(Problem(where, say("decides nothing"), say("give disregard, always_correct or everyone")))
    return problems
