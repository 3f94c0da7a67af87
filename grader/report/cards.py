"""The evidence card of each option as plain data: the decided claim with drawings, the numbers and their origins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluators.evidence import Evidence, Measurement
from grader.quiz.claims import Form, comparisons, expanded, parts
from grader.quiz.spec import Option, Question
from grader.report.number_lines import NumberLine, number_line
from grader.verdicts.judge import Comparison, Step, Verdict, every_comparison, measured_by
from grader.verdicts.key import AnswerKey, QuestionKey
from grader.verdicts.testimony import Exhibit, Testimony


@dataclass(frozen=True)
class StepView:
    """A node of the decided claim, with its drawing if it compares numbers."""

    step: Step
    line: NumberLine | None
    children: tuple[StepView, ...]

    @property
    def comparison(self) -> Comparison | None:
        return self.step.comparison


@dataclass(frozen=True)
class Number:
    """A measurement as it stands on a card. `corroborates`: another source counted before it."""

    measurement: Measurement
    corroborates: bool


@dataclass(frozen=True)
class OptionView:
    """One option with its verdict and all that it rests on."""

    letter: str
    option: Option
    verdict: Verdict
    tree: StepView
    numbers: tuple[Number, ...]
    origins: tuple[Exhibit, ...]

    @property
    def dissent(self) -> bool:
        return any(comparison.dissent for comparison in self.verdict.grounds)


@dataclass(frozen=True)
class QuestionView:
    """One question with its options; `commands` recompute its evidence."""

    question: Question
    entry: QuestionKey
    testimony: Testimony
    options: tuple[OptionView, ...]

    @property
    def decided(self) -> int:
        return sum(option.verdict.state != "inconclusive" for option in self.options)

    @property
    def command(self) -> str:
        return f"earwitness evidence {self.question.id} --evidence=refresh"

    def why(self, letter: str) -> str:
        """The command that prints an option's card in a terminal."""
        return f"earwitness why {self.question.id} {letter}"


def question_views(testimonies: Sequence[Testimony], key: AnswerKey) -> tuple[QuestionView, ...]:
    """All questions in the order of the quiz."""
    return tuple(_question_view(testimony, key.question(testimony.question.id)) for testimony in testimonies)


def _question_view(testimony: Testimony, entry: QuestionKey) -> QuestionView:
    options = tuple(_option_view(testimony, letter) for letter in testimony.question.options)
    return QuestionView(testimony.question, entry, testimony, options)


def _option_view(testimony: Testimony, letter: str) -> OptionView:
    option, verdict = testimony.question.options[letter], testimony.verdicts[letter]
    compared = measured_by(every_comparison(verdict.step))
    names = {m.name for m in compared}
    return OptionView(
        letter=letter,
        option=option,
        verdict=verdict,
        tree=_step_view(verdict.step, leaves(option.claim)),
        numbers=tuple(
            Number(candidate, corroborates=i > 0)
            for name in dict.fromkeys(m.name for m in compared)
            for i, candidate in enumerate(testimony.candidates[name])
        ),
        origins=tuple(e for e in testimony.exhibits if names & {m.name for m in e.measurements}),
    )


def leaves(claim: Form) -> Iterator[Form]:
    """The comparisons of a claim as they are decided: `highest_of` and `lowest_of` as what they stand for."""
    for comparison in comparisons(claim):
        yield from parts(expanded(comparison)) or (comparison,)


def _step_view(step: Step, forms: Iterator[Form]) -> StepView:
    """The step with its drawings; takes the form of each comparison from `forms`, which come in the same order."""
    if step.comparison:
        return StepView(step, number_line(next(forms), step.comparison), ())
    return StepView(step, None, tuple(_step_view(inner, forms) for inner in step.steps))


def all_evidence(testimonies: Sequence[Testimony]) -> tuple[Exhibit, ...]:
    """Every piece of evidence once, whichever questions share it."""
    first: dict[str, Exhibit] = {}
    for testimony in testimonies:
        for exhibit in testimony.exhibits:
            first.setdefault(exhibit.evidence.fingerprint, exhibit)
    return tuple(first.values())


def questions_using(evidence: Evidence, testimonies: Sequence[Testimony]) -> tuple[str, ...]:
    """Ids of the questions that asked for this evidence."""
    return tuple(
        t.question.id for t in testimonies if evidence.fingerprint in {e.evidence.fingerprint for e in t.exhibits}
    )
