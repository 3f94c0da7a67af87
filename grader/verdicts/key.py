"""The answer key: which options of each question the evidence supports, and whether that settles the question.

A question is settled when every option is decided and, for choose-one, exactly one option is supported; or when a TA
overrides it with a reason, which travels with every result (`grader.verdicts.decisions`). Options are identified by
their text, so a key survives an LMS that shuffles them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from basics.messages import Message, say
from evaluators.evidence import Frozen, Standing, Told, digest
from grader.quiz.spec import Letter, Question, QuizBook, normalise
from grader.verdicts.decisions import Decisions, Override, Ruling, in_force
from grader.verdicts.judge import Verdict


class QuestionKey(Frozen):
    """The key of one question. `correct` is None while the question is unsettled; `obstacles` says why.

    `override` and `ruling` are the sums of what the teaching staff decided about it.
    """

    id: str
    choose: str
    correct: tuple[Letter, ...] | None
    verdicts: dict[Letter, Verdict]
    obstacles: tuple[Told, ...] = ()
    override: Override | None = None
    ruling: Ruling | None = None

    @property
    def settled(self) -> bool:
        return self.correct is not None

    @property
    def decided(self) -> tuple[Override | Ruling, ...]:
        """What the teaching staff decided about the question."""
        return tuple(decision for decision in (self.override, self.ruling) if decision)

    @property
    def demonstration(self) -> bool:
        """Whether the key rests on evidence of other inputs than the quiz asks about."""
        return self.settled and not self.override and any(v.demonstration for v in self.verdicts.values())

    @property
    def recalled(self) -> tuple[Letter, ...]:
        """Options whose verdict rests on facts that nobody has looked up yet."""
        return tuple(letter for letter, verdict in self.verdicts.items() if verdict.recalled)


class Tally(NamedTuple):
    """How far a key is settled, in questions, and decided, in options."""

    settled: int
    questions: int
    decided: int
    options: int


class AnswerKey(Frozen):
    """The key of a quiz.

    `evidence` is the content digest of every piece of evidence whose values the claims see, by request. `digest`
    depends on that, on question ids, on option texts and on what is correct, on nothing else.
    """

    quiz: str
    questions: tuple[QuestionKey, ...]
    accepted: tuple[Standing, ...]
    evidence: dict[str, str] = Field(default_factory=dict)
    digest: str
    decisions: Decisions = ()

    @property
    def unsettled(self) -> tuple[QuestionKey, ...]:
        return tuple(question for question in self.questions if not question.settled)

    @property
    def rulings(self) -> tuple[Ruling, ...]:
        """The ruling on each question that has one."""
        return tuple(question.ruling for question in self.questions if question.ruling)

    @property
    def demonstration(self) -> bool:
        return any(question.demonstration for question in self.questions)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts on all options."""
        return tuple(verdict for question in self.questions for verdict in question.verdicts.values())

    @property
    def tally(self) -> Tally:
        """What a headline says of the key."""
        settled, decided = len(self.questions) - len(self.unsettled), [v.state != "inconclusive" for v in self.verdicts]
        return Tally(settled, len(self.questions), sum(decided), len(decided))

    def question(self, name: str) -> QuestionKey:
        """The key of one question; KeyError if there is none."""
        return {q.id: q for q in self.questions}[name]


def in_letters(correct: Sequence[str] | None) -> str:
    """What is correct, for people."""
    return "not settled" if correct is None else "".join(sorted(correct)) or "none"


def make_key(
    book: QuizBook,
    verdicts: Mapping[str, Mapping[str, Verdict]],
    *,
    accepted: tuple[Standing, ...],
    evidence: Mapping[str, str] | None = None,
    decisions: Decisions = (),
) -> AnswerKey:
    """The key that these verdicts (by question id and letter) and decisions of the teaching staff give."""
    decided = in_force(decisions)
    questions = tuple(
        make_question_key(q, verdicts[q.id], decided.overrides.get(q.id), decided.rulings.get(q.id))
        for q in book.questions
    )
    return AnswerKey(
        quiz=book.quiz.id,
        questions=questions,
        accepted=accepted,
        evidence=dict(evidence or {}),
        digest=key_digest(book, {q.id: q.correct for q in questions}, evidence or {}),
        decisions=decisions,
    )


def make_question_key(
    question: Question,
    verdicts: Mapping[str, Verdict],
    override: Override | None = None,
    ruling: Ruling | None = None,
) -> QuestionKey:
    """The key of one question from its verdicts, or from a TA's override."""
    obstacles = () if override else tuple(_obstacles(question, verdicts))
    supported = tuple(letter for letter, verdict in verdicts.items() if verdict.state == "supported")
    return QuestionKey(
        id=question.id,
        choose=question.choose,
        correct=override.correct if override else None if obstacles else supported,
        verdicts=dict(verdicts),
        obstacles=obstacles,
        override=override,
        ruling=ruling,
    )


def _obstacles(question: Question, verdicts: Mapping[str, Verdict]) -> list[Message]:
    """Why the question is not settled; empty when it is."""
    states = [verdict.state for verdict in verdicts.values()]
    if question.choose == "one" and states.count("supported") == 1:
        return []  # the claims exclude one another, so an undecided option cannot be right as well
    undecided = [letter for letter, verdict in verdicts.items() if verdict.state == "inconclusive"]
    found = [
        say("{letter}: {reason}", letter=letter, reason=verdicts[letter].deciding.reason or say("inconclusive"))
        for letter in undecided
    ]
    if question.choose == "one" and not undecided:
        found.append(say("choose is one, but {n} options are supported", n=states.count("supported")))
    return found


def key_digest(
    book: QuizBook, correct: Mapping[str, tuple[str, ...] | None], evidence: Mapping[str, str] | None
) -> str:
    """sha256 over question ids, the texts of correct options and the digests of the evidence behind them.

    Independent of letters and of the order of options. Without `evidence`, of what is correct alone: runs that were
    graded before evidence was part of it are known by that.
    """
    content = {
        question.id: None if letters is None else sorted(normalise(question.options[x].text) for x in letters)
        for question in book.questions
        for letters in [correct[question.id]]
    }
    behind = {} if evidence is None else {"evidence": dict(evidence)}
    return digest({"quiz": book.quiz.id, "key": content, **behind})
