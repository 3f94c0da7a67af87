"""The evidence card of each option as plain data: the decided claim with drawings, the numbers and their origins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.quiz.claims import Form, comparisons, expanded, parts
from grader.quiz.glossary import Glossary, mentioned
from grader.quiz.spec import Option, Question
from grader.verdicts.judge import Beside, Comparison, Step, Verdict
from grader.verdicts.key import AnswerKey, QuestionKey
from grader.verdicts.lines import NumberLine, number_line
from grader.verdicts.sentences import Teller, Told, is_close
from grader.verdicts.testimony import Exhibit, Number, Testimony


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
class BesideView:
    """What is known beside a claim, with its drawing and what it means."""

    judged: Beside
    tree: StepView


@dataclass(frozen=True)
class OptionView:
    """One option with its verdict and all that it rests on."""

    letter: str
    option: Option
    verdict: Verdict
    tree: StepView
    beside: tuple[BesideView, ...]
    numbers: tuple[Number, ...]
    origins: tuple[Exhibit, ...]
    told: Told
    terms: tuple[str, ...]
    """Ids of the glossary's terms that its text and its verdict use."""


@dataclass(frozen=True)
class QuestionView:
    """One question with its options; `command` recomputes its evidence."""

    question: Question
    entry: QuestionKey
    testimony: Testimony
    options: tuple[OptionView, ...]
    firm: str

    @property
    def contested(self) -> bool:
        """Whether somebody could dispute an option: another source disagrees, contrary evidence, a close call."""
        verdicts = [option.verdict for option in self.options]
        return any(v.dissent or v.contrary or v.recalled or is_close(v) for v in verdicts)

    @property
    def command(self) -> str:
        return self.testimony.recompute


def question_views(
    testimonies: Sequence[Testimony], key: AnswerKey, teller: Teller, terms: Glossary
) -> tuple[QuestionView, ...]:
    """All questions in the order of the quiz."""
    return tuple(_question_view(one, key.question(one.question.id), teller, terms) for one in testimonies)


def _question_view(testimony: Testimony, entry: QuestionKey, teller: Teller, terms: Glossary) -> QuestionView:
    options = tuple(_option_view(testimony, letter, teller, terms) for letter in testimony.question.options)
    firm = teller.firmness(testimony.verdicts) if entry.settled else ""
    return QuestionView(testimony.question, entry, testimony, options, firm)


def _option_view(testimony: Testimony, letter: str, teller: Teller, terms: Glossary) -> OptionView:
    option, verdict = testimony.question.options[letter], testimony.verdicts[letter]
    told = teller.tell(option, verdict)
    return OptionView(
        letter=letter,
        option=option,
        verdict=verdict,
        tree=_step_view(verdict.step, leaves(option.claim)),
        beside=tuple(
            BesideView(judged, _step_view(judged.step, leaves(stated.evidence)))
            for stated, judged in zip(option.asides, verdict.beside, strict=True)
        ),
        numbers=testimony.numbers(letter),
        origins=testimony.origins(letter),
        told=told,
        terms=tuple(mentioned(terms, [option.text, *told.lines])),
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


@dataclass(frozen=True)
class Used:
    """A piece of evidence, and the ids of the questions that asked for it."""

    exhibit: Exhibit
    questions: tuple[str, ...]

    @property
    def demonstration(self) -> bool:
        return self.exhibit.evidence.is_demonstration


def all_evidence(testimonies: Sequence[Testimony]) -> tuple[Used, ...]:
    """Every piece of evidence once, whichever questions share it."""
    found: dict[str, tuple[Exhibit, dict[str, None]]] = {}
    for testimony in testimonies:
        for exhibit in testimony.exhibits:
            found.setdefault(exhibit.evidence.fingerprint, (exhibit, {}))[1][testimony.question.id] = None
    return tuple(Used(exhibit, tuple(questions)) for exhibit, questions in found.values())
