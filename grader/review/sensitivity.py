"""The key cross-examined against a class: what if an option's verdict were the other way round, and does the class
agree?

Two questions per option. *Sensitivity*: how firm is its evidence, and if the verdict flipped, how many totals would
change, by how much, and who would cross a line. *Two witnesses*: the evidence on one side, the strong half of the
class (by the score on the other questions) on the other; where they disagree, one of them deserves a second look.

The attempt that counts is held fixed: under `highest` another attempt might win after a flip, which `regrade` works
out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from basics.messages import say
from grader.marking.grading import Grades, StudentRecord
from grader.marking.scoring import rounded, share
from grader.quiz.spec import Question
from grader.review.items import SMALL_CLASS, wilson
from grader.submissions.model import Chosen
from grader.verdicts.judge import Verdict
from grader.verdicts.key import AnswerKey, QuestionKey
from grader.verdicts.sentences import is_close

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 25
Doubt = Literal["undecided", "recalled", "dissent", "close", "firm", "overridden"]
DOUBTS: tuple[Doubt, ...] = ("undecided", "recalled", "dissent", "close", "firm", "overridden")
"""From what deserves most of a TA's time to what deserves least."""
IN_WORDS = {
    "undecided": say("undecided"),
    "recalled": say("recalled"),
    "dissent": say("dissent"),
    "close": say("close"),
    "firm": say("firm"),
    "overridden": say("overridden"),
    "supported": say("supported"),
    "refuted": say("refuted"),
    "disagrees": say("disagrees"),
    "leans against": say("leans against"),
}
"""What the data say of evidence and of witnesses."""


@dataclass(frozen=True)
class Flip:
    """One option, its evidence, and the effect of flipping its verdict. Changes are in points, exact."""

    question: str
    letter: str
    correct: bool
    doubt: Doubt
    gap: float | None
    margin: float
    n: int
    changed: int
    mean_change: Fraction
    crossing: tuple[str, ...]

    @property
    def signed_change(self) -> str:
        """The mean change to three decimals, with its sign."""
        return ("" if self.mean_change < 0 else "+") + rounded(self.mean_change, 3)


@dataclass(frozen=True)
class Witness:
    """What the strong and the weak half of the class did with an option that the evidence decided.

    `strong` and `weak` are shares who ticked it; `interval` is Wilson's 95 % interval of `strong`.
    """

    question: str
    letter: str
    supported: bool
    n: int
    strong: float
    weak: float
    interval: tuple[float, float]
    standing: Literal["disagrees", "leans against", "agrees"]


def sensitivity(grades: Grades, key: AnswerKey, line: Fraction | None = None) -> list[Flip]:
    """Every option of every settled question, what deserves a TA's time first: doubtful evidence, then large effect."""
    flips = [
        flip
        for index, question in enumerate(grades.scorer.book.questions)
        if grades.scorer.key[question.id] is not None
        for flip in _flips(grades, key.question(question.id), question, index, line)
    ]
    return sorted(flips, key=lambda f: (DOUBTS.index(f.doubt), -abs(f.mean_change), -f.changed, f.question, f.letter))


def flipped(question: Question, correct: Chosen, letter: str) -> Chosen:
    """The key with one option's verdict turned round; of a choose-one question an option is right instead of others."""
    return frozenset({letter}) if question.choose == "one" and letter not in correct else correct ^ {letter}


def _flips(grades: Grades, entry: QuestionKey, question: Question, index: int, line: Fraction | None) -> Iterator[Flip]:
    correct = grades.scorer.key[question.id] or frozenset()
    records = [r for r in grades.records if r.decision.kept and r.units[index] is not None]
    for letter in question.options:
        other = flipped(question, correct, letter)
        gains = _gains(grades, question, index, records, other)
        changes = [gains[_chosen(r, index)] * r.decision.factor for r in records]
        crossing = tuple(
            r.student_id
            for r, change in zip(records, changes, strict=True)
            if line is not None and (grades.total(r) >= line) != (grades.total(r) + change >= line)
        )
        verdict = entry.verdicts[letter]
        yield Flip(
            question=question.id,
            letter=letter,
            correct=letter in correct,
            doubt="overridden" if entry.override else doubt_of(verdict),
            gap=verdict.deciding.gap,
            margin=verdict.deciding.margin,
            n=len(records),
            changed=sum(1 for change in changes if change),
            mean_change=sum(changes, Fraction(0)) / len(records) if records else Fraction(0),
            crossing=crossing,
        )


def _gains(
    grades: Grades, question: Question, index: int, records: list[StudentRecord], other: Chosen
) -> dict[Chosen, Fraction]:
    """What each distinct answer would gain under the other key."""
    ruling = grades.scorer.rulings.get(question.id)
    gains = {}
    for chosen in {_chosen(record, index) for record in records}:
        now = grades.scorer.points(index, chosen) or Fraction(0)
        then = share(question, other, chosen, grades.scorer.rule, ruling).points(question)
        gains[chosen] = then - now
    return gains


def _chosen(record: StudentRecord, index: int) -> Chosen:
    kept = record.decision.kept
    chosen = kept.chosen[index] if kept else None
    return frozenset() if chosen is None else chosen


def doubt_of(verdict: Verdict) -> Doubt:
    """How firm a verdict is."""
    if verdict.state == "inconclusive":
        return "undecided"
    if verdict.recalled:
        return "recalled"
    if any(comparison.dissent for comparison in verdict.grounds):
        return "dissent"
    return "close" if is_close(verdict) else "firm"


def two_witnesses(grades: Grades, key: AnswerKey) -> list[Witness]:
    """Options on which evidence and the strong half of the class differ first; those on which they agree last."""
    order = ("disagrees", "leans against", "agrees")
    found = [
        witness
        for index, question in enumerate(grades.scorer.book.questions)
        for witness in _witnesses(grades, key.question(question.id), question, index)
    ]
    return sorted(
        found, key=lambda w: (order.index(w.standing), abs(w.strong - w.supported) * -1, w.question, w.letter)
    )


def _witnesses(grades: Grades, entry: QuestionKey, question: Question, index: int) -> Iterator[Witness]:
    records = [r for r in grades.records if r.decision.kept and r.units[index] is not None]
    if not records:
        return
    rest = sorted(records, key=lambda r: r.earned - (r.units[index] or 0))
    weak, strong = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    weak_ticks, strong_ticks = _ticks(weak, index), _ticks(strong, index)
    for letter in question.options:
        state = entry.verdicts[letter].state
        if state == "inconclusive":
            continue
        yield _witness(
            question.id, letter, state == "supported", strong_ticks[letter], len(strong), weak_ticks[letter], len(weak)
        )


def _witness(
    question: str, letter: str, supported: bool, ticks: int, strong: int, weak_ticks: int, weak: int
) -> Witness:
    low, high = wilson(ticks, strong)
    against = ticks / strong < 0.5 if supported else ticks / strong > 0.5
    beyond = high < 0.5 if supported else low > 0.5
    standing: Literal["disagrees", "leans against", "agrees"] = (
        "disagrees" if beyond else "leans against" if against else "agrees"
    )
    share_weak = weak_ticks / weak if weak else 0.0
    return Witness(question, letter, supported, strong, ticks / strong, share_weak, (low, high), standing)


def _ticks(records: list[StudentRecord], index: int) -> Counter[str]:
    return Counter(letter for record in records for letter in _chosen(record, index))


def sensitivity_data(flips: Sequence[Flip], witnesses: Sequence[Witness], line: Fraction | None) -> dict[str, Any]:
    """Both tables as JSON data."""
    return {
        "line": None if line is None else rounded(line),
        "flips": [
            {
                "question": f.question,
                "option": f.letter,
                "correct": f.correct,
                "evidence": f.doubt,
                "gap": f.gap,
                "margin": f.margin,
                "n": f.n,
                "changed": f.changed,
                "mean_change": rounded(f.mean_change, 3),
                "crossing": list(f.crossing),
            }
            for f in flips
        ],
        "witnesses": [
            {
                "question": w.question,
                "option": w.letter,
                "evidence": "supported" if w.supported else "refuted",
                "n": w.n,
                "strong_half_ticked": round(w.strong, 3),
                "interval": [round(bound, 3) for bound in w.interval],
                "weak_half_ticked": round(w.weak, 3),
                "standing": w.standing,
            }
            for w in witnesses
        ],
    }


def show_sensitivity(out: Console, data: dict[str, Any]) -> None:
    """What deserves a TA's time, from the top."""
    from rich.table import Table

    flips = data["flips"]
    n = max((row["n"] for row in flips), default=0)
    out.print(say("If an option's verdict were the other way round (n = {n} students):", n=n))
    if n < SMALL_CLASS:
        out.print(say("Fewer than {n} students: read the numbers as hints.", n=SMALL_CLASS), style="yellow")
    effect = say("changed"), say("mean change"), say("cross the line")
    table = Table(say("option"), say("key"), say("evidence"), say("gap"), *effect)
    for row in flips[:SHOWN]:
        gap = "-" if row["gap"] is None else f"{row['gap']:.3g}"
        crossing = "-" if data["line"] is None else str(len(row["crossing"]))
        name, key = f"{row['question']} {row['option']}", say("yes") if row["correct"] else say("no")
        doubt = IN_WORDS[row["evidence"]]
        table.add_row(name, key, doubt, gap, str(row["changed"]), row["mean_change"], crossing)
    out.print(table)
    if len(flips) > SHOWN:
        more = say("{n} more options, from firmer evidence, are in --json", n=len(flips) - SHOWN)
        out.print(more, style="dim")
    against = [row for row in data["witnesses"] if row["standing"] != "agrees"]
    if not against:
        out.print(say("On every option the strong half of the class agrees with the evidence."))
        return
    out.print(say("Evidence and the strong half of the class differ on:"))
    for row in against:
        low, high = row["interval"]
        line = say(
            "  {question} {option}: evidence {evidence}, ticked by {strong:.0%} [{low:.0%}, {high:.0%}] of the strong "
            "half (n = {n}), {weak:.0%} of the weak: {standing}",
            question=row["question"],
            option=row["option"],
            evidence=IN_WORDS[row["evidence"]],
            strong=row["strong_half_ticked"],
            low=low,
            high=high,
            n=row["n"],
            weak=row["weak_half_ticked"],
            standing=IN_WORDS[row["standing"]],
        )
        out.print(line)
