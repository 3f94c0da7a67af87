"""From questions to an answer key: find the evidence, pick what counts, judge every option.

Evidence is looked for in this order: measured just now (only on request or when nothing else is there), of record
(`evidence/` in the quiz folder, reviewed like code), then the user's store. Among the sources, the quiz's `accept`
order decides which value a claim sees; the others are kept as corroboration or dissent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from basics.messages import first_line, quoted, say, together
from evaluators.entries import digests_of
from evaluators.evidence import Evaluator, Evidence, Frozen, Measurement, Site, Standing
from evaluators.gathering import Answer, Missing, answer, asked_by, kept, told
from evaluators.provenance import OTHER_INPUTS, another_run, differences
from evaluators.recorded import Bench, Recorded
from evaluators.store import Store
from grader.quiz.claims import Form, comparisons, names_of
from grader.quiz.commands import command, published
from grader.quiz.loading import Broken, evaluator_of, parameters_of, vocabulary
from grader.quiz.spec import EvidenceRequest, Question, QuizBook
from grader.verdicts.decisions import Decisions, in_force
from grader.verdicts.judge import Verdict, every_comparison, judge, measured_by
from grader.verdicts.key import AnswerKey, QuestionKey, make_key, make_question_key
from grader.verdicts.record import entry_name, read_records

Mode = Literal["cached", "auto", "refresh"]
Origin = Literal["fresh", "record", "store"]
WHERE: dict[Origin, str] = {"fresh": "", "record": "of record", "store": "from the store"}


@dataclass(frozen=True)
class Exhibit:
    """One piece of evidence, where it was found, and what its question calls the measurements."""

    evidence: Evidence
    origin: Origin
    prefix: str = ""
    differences: tuple[str, ...] = ()
    """What it rests on that is otherwise by now (`evaluators.provenance.differences`): said wherever it is shown."""

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """The measurements under the names that claims use, with what is to be said of all of them in their notes."""
        if not self.prefix and not self.differences:
            return self.evidence.measurements
        return tuple(map(self._said, self.evidence.measurements))

    def _said(self, m: Measurement) -> Measurement:
        name = f"{self.prefix}.{m.name}" if self.prefix else m.name
        return m.model_copy(update={"name": name, "note": "; ".join(filter(None, (m.note, *self.differences)))})


@dataclass(frozen=True)
class Number:
    """A value of what a claim compares. `corroborates`: another source counted before it."""

    measurement: Measurement
    corroborates: bool


@dataclass(frozen=True)
class Testimony:
    """All that is known about one question, and the verdict on each option."""

    question: Question
    exhibits: tuple[Exhibit, ...]
    missing: tuple[Missing, ...]
    candidates: Mapping[str, tuple[Measurement, ...]]
    verdicts: Mapping[str, Verdict]
    quiz: Path = Path()

    @property
    def recompute(self) -> str:
        """The command that measures the question anew."""
        return command(self.quiz, "evidence", self.question.id, "--evidence=refresh")

    def as_published(self) -> Testimony:
        """The same for people elsewhere."""
        return replace(self, quiz=published(self.quiz))

    def numbers(self, letter: str) -> tuple[Number, ...]:
        """All values of what is compared for an option, each that counts before those that corroborate it."""
        return tuple(
            Number(candidate, corroborates=i > 0)
            for measurement in self._compared(letter)
            for i, candidate in enumerate(self.candidates[measurement.name])
        )

    def _compared(self, letter: str) -> list[Measurement]:
        """What the claim compares, and what is known beside it."""
        verdict = self.verdicts[letter]
        steps = (verdict.step, *(one.step for one in verdict.beside))
        return measured_by(comparison for step in steps for comparison in every_comparison(step))

    @property
    def differences(self) -> tuple[str, ...]:
        """What the evidence rests on that is otherwise by now."""
        return tuple(dict.fromkeys(told for exhibit in self.exhibits for told in exhibit.differences))

    @property
    def used(self) -> tuple[Evidence, ...]:
        """The evidence whose values the claims see; what only corroborates or contradicts it is left out."""
        seen = {counts.name: counts for counts, *_ in self.candidates.values()}
        source: dict[str, Evidence] = {}
        for exhibit in self.exhibits:
            for m in exhibit.measurements:
                if seen.get(m.name) == m:
                    source.setdefault(m.name, exhibit.evidence)
        return tuple({evidence.stored_as: evidence for evidence in source.values()}.values())

    def origins(self, letter: str) -> tuple[Exhibit, ...]:
        """The evidence that measured anything that is compared for an option."""
        names = {m.name for m in self._compared(letter)}
        return tuple(e for e in self.exhibits if names & {m.name for m in e.measurements})


@dataclass(frozen=True)
class Asked:
    """An evaluator and the parameters that it is asked with; what has the same key has one answer."""

    evaluator: Evaluator
    parameters: Frozen
    key: str

    @classmethod
    def by(cls, request: EvidenceRequest, bench: Bench) -> Asked:
        """What a request of a question asks.

        Raises InputError for an unknown evaluator or parameter, and whatever an evaluator raises that breaks.
        """
        evaluator, parameters = evaluator_of(request, bench), parameters_of(request, bench)
        return cls(evaluator, parameters, asked_by(evaluator, parameters))

    def answered_in(self, mode: Mode) -> bool:
        """Whether what is stored or of record answers in this mode, and nothing is run."""
        return mode == "cached" and kept(self.evaluator)


@dataclass(frozen=True)
class Result:
    """What became of one request: evidence, what prevented it, or both where a fault cost a part."""

    evaluator: str
    questions: list[str]
    evidence: Evidence | None
    problem: Missing | None
    origin: str = ""
    differences: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """JSON data."""
        return {
            "evaluator": self.evaluator,
            "questions": self.questions,
            "origin": self.origin,
            "differences": list(self.differences),
            "evidence": self.evidence.model_dump(mode="json") if self.evidence else None,
            "problem": self.problem.model_dump(mode="json") if self.problem else None,
        }


@dataclass
class Gatherer:
    """Gathers testimony for the questions of one quiz; requests that questions share are answered once."""

    book: QuizBook
    accept: tuple[Standing, ...]
    site: Site = field(default_factory=Site)
    store: Store | None = None
    mode: Mode = "cached"

    def __post_init__(self) -> None:
        self._records = read_records(self.book.folder)
        self._known: dict[str, tuple[tuple[Exhibit, ...], Missing | None]] = {}
        self._answers: dict[str, Answer] = {}

    def testimony(self, question: Question) -> Testimony:
        """Evidence and verdicts for one question."""
        requests = sorted(question.evidence, key=lambda request: request.fallback)
        answers = [(request, *self.exhibits(request)) for request in requests]
        exhibits = tuple(replace(one, prefix=request.prefix) for request, found, _ in answers for one in found)
        missing = tuple(gap for _, _, gap in answers if gap)
        candidates = pick(question, exhibits, missing, self.accept)
        verdicts = {
            letter: judge(option.claim, candidates, option.asides) for letter, option in question.options.items()
        }
        return Testimony(question, exhibits, missing, candidates, verdicts, self.book.folder)

    def exhibits(self, request: EvidenceRequest) -> tuple[tuple[Exhibit, ...], Missing | None]:
        """The evidence that answers a request, the one that counts first, and what is missing."""
        asked = self._asked(request)
        if isinstance(asked, Missing):
            return (), asked
        if asked.key not in self._known:
            self._known[asked.key] = self._find(asked)
        return self._known[asked.key]

    def _asked(self, request: EvidenceRequest) -> Asked | Missing:
        """What a request asks, or what is told of an evaluator that breaks when it is asked what it measures."""
        try:
            vocabulary(request, self.book.bench)
            return Asked.by(request, self.book.bench)
        except Broken as broken:
            (problem,) = broken.problems
            name = request.evaluator
            what = quoted(problem.what.removeprefix(f"evaluator {name!r} ").removeprefix(f"the evaluator {name} "))
            return told(Missing(evaluator=name, what=what, remedy=problem.remedy, cause="fault"))

    def results(self, questions: Iterable[Question], report: Callable[[str, float], None]) -> list[Result]:
        """What became of every request of these questions, shared ones once, in order of first appearance.

        Each is measured unless the store or the evidence of record holds it for the same inputs, versions and seed; in
        mode `cached` only the store and the evidence of record are looked into. `report(step, done)` is told of
        progress from 0 to 1.
        """
        wanted: dict[str, tuple[Asked | Missing, list[str]]] = {}
        for question in questions:
            for request in question.evidence:
                asked = self._asked(request)
                key = str(asked) if isinstance(asked, Missing) else asked.key
                wanted.setdefault(key, (asked, []))[1].append(question.id)
        return [
            Result(asked.evaluator, list(dict.fromkeys(names)), None, asked)
            if isinstance(asked, Missing)
            else self._result(asked, list(dict.fromkeys(names)), _within(report, i / len(wanted), 1 / len(wanted)))
            for i, (asked, names) in enumerate(wanted.values())
        ]

    def _result(self, asked: Asked, questions: list[str], report: Callable[[str, float], None]) -> Result:
        name = asked.evaluator.name
        report(name, 0.0)
        if asked.answered_in(self.mode):
            return self._known_result(asked, questions) or Result(name, questions, None, self._gap(asked))
        earlier = [exhibit.evidence for exhibit in (*self._of_record(asked), *self._stored(asked))]
        evidence, problem = self._answer(asked, replace(self.site, progress=report))
        if evidence is None and isinstance(asked.evaluator, Recorded):
            return self._known_result(asked, questions) or Result(name, questions, None, problem)
        told = (*self._differences(evidence), *another_run(evidence, earlier)) if evidence else ()
        return Result(name, questions, evidence, problem, "", told)

    def _gap(self, asked: Asked) -> Missing:
        """What is told where nothing is stored."""
        name = asked.evaluator.name
        asking = [q.id for q in self.book.questions if any(self._asks(request, asked) for request in q.evidence)]
        gather = command(self.book.folder, "evidence", *asking)
        how = say(
            "run `{command}`, with what the evaluator {evaluator} needs (see `earwitness evidence --help`)",
            command=gather,
            evaluator=name,
        )
        return Missing(evaluator=name, what=say("no stored evidence"), remedy=how)

    def _asks(self, request: EvidenceRequest, asked: Asked) -> bool:
        try:
            return request.evaluator == asked.evaluator.name and Asked.by(request, self.book.bench).key == asked.key
        except (Exception, SystemExit):  # it breaks there, which that question tells
            return False

    def _known_result(self, asked: Asked, questions: list[str]) -> Result | None:
        """What the store has, or else the evidence of record; None where neither has any."""
        for exhibit in (*self._stored(asked), *self._of_record(asked)):
            origin = WHERE[exhibit.origin]
            return Result(asked.evaluator.name, questions, exhibit.evidence, None, origin, exhibit.differences)
        return None

    def _find(self, asked: Asked) -> tuple[tuple[Exhibit, ...], Missing | None]:
        record, stored = self._of_record(asked), self._stored(asked)
        found = [*record, *stored]
        usable = self._counts(found)
        if asked.answered_in(self.mode):
            return _distinct(found), None if usable else self._gap(asked)
        current = [*record, *filter(_of_these_inputs, stored)]
        if asked.evaluator.stored and self.mode == "auto" and self._counts(current):
            return _distinct(found), None
        fresh, gap = self._answer(asked, self.site)
        here = [Exhibit(fresh, "fresh", differences=self._differences(fresh))] if fresh else []
        return _distinct([*here, *found]), None if gap and gap.cause == "absent" and usable else gap

    def _counts(self, found: Iterable[Exhibit]) -> bool:
        return any(m.standing in self.accept for exhibit in found for m in exhibit.evidence.measurements)

    def _of_record(self, asked: Asked) -> list[Exhibit]:
        return [self._exhibit(evidence, "record") for evidence in self._records if evidence.request == asked.key]

    def _stored(self, asked: Asked) -> list[Exhibit]:
        stored = self.store.latest(asked.key) if self.store else []
        return [self._exhibit(evidence, "store") for evidence in stored]

    def _exhibit(self, evidence: Evidence, origin: Origin) -> Exhibit:
        return Exhibit(evidence, origin, differences=self._differences(evidence))

    def _differences(self, evidence: Evidence) -> tuple[str, ...]:
        return differences(evidence, self.book.folder)

    def _answer(self, asked: Asked, site: Site) -> Answer:
        """What it answers, asked once."""
        if asked.key not in self._answers:
            refresh, records = self.mode == "refresh", self._records
            self._answers[asked.key] = answer(
                asked.evaluator, asked.parameters, site, self.store, refresh=refresh, records=records
            )
        return self._answers[asked.key]


def _within(report: Callable[[str, float], None], start: float, share: float) -> Callable[[str, float], None]:
    """Tells of progress from 0 to 1 as of that part of the whole."""
    return lambda step, done: report(step, start + share * done)


def _of_these_inputs(exhibit: Exhibit) -> bool:
    return not any(told.startswith(OTHER_INPUTS) for told in exhibit.differences)


def _distinct(exhibits: Iterable[Exhibit]) -> tuple[Exhibit, ...]:
    first: dict[str, Exhibit] = {}
    for exhibit in exhibits:
        first.setdefault(exhibit.evidence.fingerprint, exhibit)
    return tuple(first.values())


def pick(
    question: Question, exhibits: Iterable[Exhibit], missing: Iterable[Missing], accept: tuple[Standing, ...]
) -> dict[str, tuple[Measurement, ...]]:
    """For every measurement that the claims name, its candidates, the one that counts first.

    Defined values come before undefined ones, then the order of `accept`, then that of the exhibits. Where nothing is
    known the only candidate is an undefined measurement that says why.
    """
    everything = [m for exhibit in exhibits for m in exhibit.measurements]
    result: dict[str, tuple[Measurement, ...]] = {}
    for name in sorted(_names(claim for option in question.options.values() for claim in option.claims)):
        known = [m for m in everything if m.name == name]
        accepted = [m for m in known if m.standing in accept]
        accepted.sort(key=lambda m: (m.value is None, accept.index(m.standing)))
        result[name] = tuple(accepted) or (_unknown(name, known, tuple(missing)),)
    return result


def _names(claims: Iterable[Form]) -> set[str]:
    return {name for claim in claims for comparison in comparisons(claim) for name in names_of(comparison)}


def _unknown(name: str, refused: list[Measurement], missing: tuple[Missing, ...]) -> Measurement:
    if refused:
        standings = ", ".join(sorted({m.standing for m in refused}))
        reason = say("only {standings} evidence is here, which this key does not accept", standings=standings)
    else:
        gaps = [say("{evaluator}: {what}", evaluator=gap.evaluator, what=first_line(gap.what)) for gap in missing]
        reason = together(gaps) if gaps else say("no evidence names it")
    return Measurement(name=name, undefined=reason, unmeasured=True, source="measured")


def answer_key(
    book: QuizBook,
    *,
    accept: tuple[Standing, ...] | None = None,
    decisions: Decisions = (),
    mode: Mode = "cached",
    site: Site | None = None,
    store: Store | None = None,
) -> AnswerKey:
    """The key of a quiz from the evidence at hand; `accept` defaults to the quiz's own."""
    sources = accept or book.quiz.accept
    gatherer = Gatherer(book, sources, site or book.site, store or Store(), mode)
    return key_from(book, [gatherer.testimony(question) for question in book.questions], sources, decisions)


def key_from(
    book: QuizBook, testimonies: Iterable[Testimony], accept: tuple[Standing, ...], decisions: Decisions = ()
) -> AnswerKey:
    """The key that these testimonies give."""
    by_question = {testimony.question.id: testimony for testimony in testimonies}
    used = [evidence for testimony in by_question.values() for evidence in testimony.used]
    return make_key(
        book,
        {name: testimony.verdicts for name, testimony in by_question.items()},
        accepted=accept,
        evidence=_digests(used),
        decisions=decisions,
    )


def question_key(testimony: Testimony, decisions: Decisions = ()) -> QuestionKey:
    """The key of one question that its testimony and the teaching staff's decisions give."""
    decided, name = in_force(decisions), testimony.question.id
    overridden, ruled = decided.overrides.get(name), decided.rulings.get(name)
    return make_question_key(testimony.question, testimony.verdicts, overridden, ruled)


def _digests(used: Iterable[Evidence]) -> dict[str, str]:
    """The content digest of each piece of evidence by its request; where a request has several, they are numbered."""
    found: dict[str, str] = {}
    for name, pieces in groupby(sorted({(entry_name(e), digests_of(e).content) for e in used}), lambda piece: piece[0]):
        for i, (_, content) in enumerate(pieces, 1):
            found[name if i == 1 else f"{name}.{i}"] = content
    return found
