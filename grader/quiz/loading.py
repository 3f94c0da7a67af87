"""From a folder of YAML files to a checked `QuizBook`: every problem of every file at once.

Beyond what the types refuse, this finds unknown evaluators and measurements, claims that compare a text with a number,
claims that no evidence can decide or that hold whatever the evidence says, and a choose-one question whose claims allow
two options at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path

from basics.errors import InputError, Problem
from basics.files import real_path
from basics.messages import Message, say
from basics.suggestions import did_you_mean
from basics.yaml_source import Path_, Source, read, validate
from evaluators.announcement import announced
from evaluators.evidence import Confirmed, Evaluator, Frozen, Kind, PublishedPair, Quantity, Site, quiz_files
from evaluators.generic import KINDS
from evaluators.packages import cause_of, shown_output, whose_fault
from evaluators.recorded import Bench
from evaluators.registry import Unloadable, owner
from evaluators.serving import RESERVED
from grader.quiz.claims import Fact, Form, HighestOf, Lack, LowestOf, asked_by, comparisons, in_words, names_of
from grader.quiz.consistency import MOST_STEPS, TooComplex, satisfiable
from grader.quiz.edition import is_edition, not_a_quiz, read_edition
from grader.quiz.sources import read_facts, read_published
from grader.quiz.spec import EvidenceRequest, Question, Quiz, QuizBook

QUIZ_FILE = "quiz.yaml"
CITING = ("literature", "facts")
"""The evaluators whose facts can be looked up."""
OWN_FILE = say("name a file of its folder, without `..`")
TOO_COMPLEX = say("there are too many alternatives to go through ({limit:,} are tried)", limit=MOST_STEPS)
BUILT_IN_QUIZ = Path(__file__).resolve().parents[2] / "questions"


def find_quiz(folder: Path | None) -> Path:
    """The quiz folder meant: `folder`, else `./questions` or `.` if a quiz lies there, else the built-in quiz."""
    candidates = [folder] if folder else [Path("questions"), Path()]
    for candidate in candidates:
        if (candidate / QUIZ_FILE).is_file():
            return candidate
    if folder is None:
        return BUILT_IN_QUIZ
    raise InputError(
        Problem(
            str(folder), say("holds no {quiz_file}", quiz_file=QUIZ_FILE), say("name the folder that holds the quiz")
        )
    )


def load_quiz(folder: Path) -> QuizBook:
    """Read and check a whole quiz. Raises InputError with all problems of all files, or for a students' edition."""
    source = read(folder / QUIZ_FILE)
    quiz = validate(Quiz, source)
    if is_edition(folder, quiz):
        raise not_a_quiz(folder)
    bench = Bench(folder)
    questions: list[Question] = []
    problems: list[Problem] = []
    faults: list[Problem] = []
    for i, name in enumerate(quiz.questions):
        if _leads_out(name):
            problems.append(
                Problem(source.where(("questions", i)), say("{path} lies outside the quiz", path=name), OWN_FILE)
            )
            continue
        try:
            questions.append(load_question(folder / name, bench, faults))
        except InputError as error:
            missing = not (folder / name).exists()
            where = source.where(("questions", i))
            problems += (
                [Problem(where, say("names {file}, which is not there", file=name), say("correct the name"))]
                if missing
                else error.problems
            )
    problems += _across(quiz, questions, source) if not problems else []
    published: tuple[PublishedPair, ...] = ()
    confirmed: dict[str, Confirmed] = {}
    try:
        published = _published(folder, quiz, source)
        confirmed = read_facts(folder, cited(questions, bench)) if not problems else {}
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return QuizBook(folder, quiz, tuple(questions), published, confirmed, bench, tuple(faults))


def unlisted(book: QuizBook) -> list[Path]:
    """YAML files beside the questions that say what a question says, and are not on the quiz's list."""
    listed = {(book.folder / name).resolve() for name in book.quiz.questions}
    beside = sorted(path for folder in {path.parent for path in listed} for path in folder.glob("*.y*ml"))
    return [path for path in beside if path.resolve() not in listed and _asks(path)]


def _asks(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return all(re.search(rf"^{key}:", text, re.MULTILINE) for key in ("prompt", "options"))


def load_edition(folder: Path) -> QuizBook | None:
    """The students' edition in `folder`, answers to which can be read and not judged; None for any other quiz."""
    quiz = validate(Quiz, read(folder / QUIZ_FILE))
    return read_edition(folder, quiz) if is_edition(folder, quiz) else None


def _published(folder: Path, quiz: Quiz, source: Source) -> tuple[PublishedPair, ...]:
    if quiz.published_audio is None:
        return ()
    path = folder / quiz.published_audio
    if _leads_out(quiz.published_audio) or not real_path(path).is_relative_to(real_path(folder)):
        where = source.where(("published_audio",))
        raise InputError(Problem(where, say("{path} lies outside the quiz", path=quiz.published_audio), OWN_FILE))
    return read_published(path)


def _leads_out(name: str) -> bool:
    """Whether the name of a quiz's file leads out of its folder: an edition lays its files out under the same names."""
    return Path(name).is_absolute() or ".." in Path(name).parts


def cited(questions: Iterable[Question], bench: Bench) -> dict[str, Quantity]:
    """The cited facts that questions ask for, by measurement: what somebody can look up."""
    requests = [request for question in questions for request in question.evidence if request.evaluator in CITING]
    asked = [(evaluator_of(request, bench), parameters_of(request, bench)) for request in requests]
    return {quantity.name: quantity for one in asked for quantity in announced(*one)}


def load_question(path: Path, bench: Bench | None = None, faults: list[Problem] | None = None) -> Question:
    """Read and check one question file. Raises InputError with all its problems.

    An evaluator of it that breaks is a problem like any other; where `faults` are given it goes there, and the claims,
    which cannot be checked without it, are not.
    """
    bench = bench or Bench()
    source = read(path)
    question = validate(Question, source)
    problems: list[Problem] = []
    broke: list[Problem] = []
    quantities: dict[str, Quantity] = {}
    before: list[tuple[EvidenceRequest, Mapping[str, Quantity]]] = []
    for i, request in enumerate(question.evidence):
        try:
            offered = vocabulary(request, bench, source, i)
            problems += _absent_files(request, bench, source, i)
            problems += _offered_twice(before, request, offered, source.where(("evidence", i)))
            before.append((request, offered))
            quantities |= offered
        except Broken as broken:
            broke += broken.problems
        except InputError as error:
            problems += error.problems
    if faults is None:
        problems += broke
    else:
        faults += broke
    if not problems and not broke:
        for letter, option in question.options.items():
            problems += _claim_problems(option.claim, quantities, source, ("options", letter, "claim"))
            for kind, asides in (("contrary", option.contrary), ("corroborating", option.corroborating)):
                for i, aside in enumerate(asides):
                    at = ("options", letter, kind, i, "evidence")
                    problems += _claim_problems(aside.evidence, quantities, source, at)
    if not problems and not broke and question.choose == "one":
        problems += _double_answers(question, quantities, source)
    if problems:
        raise InputError(problems)
    return question


class Broken(InputError):
    """An evaluator broke when it was asked what it measures: a fault of whoever wrote it, not of the quiz."""


def evaluator_of(request: EvidenceRequest, bench: Bench) -> Evaluator:
    """The evaluator that a request asks. Raises InputError like `Bench.evaluator`."""
    return bench.evaluator(request.evaluator, isolate=request.isolate, timeout=request.timeout)


def parameters_of(
    request: EvidenceRequest, bench: Bench | None = None, source: Source | None = None, index: int = 0
) -> Frozen:
    """The request's parameters in the evaluator's own type. Raises InputError, with lines if `source` is given."""
    evaluator = evaluator_of(request, bench or Bench())
    at: Path_ = ("evidence", index)
    here = source or Source(Path(request.evaluator), {}, {})
    return validate(evaluator.Parameters, here, request.parameters, at, beside=RESERVED)


def vocabulary(
    request: EvidenceRequest, bench: Bench | None = None, source: Source | None = None, index: int = 0
) -> dict[str, Quantity]:
    """The measurements that a request can bring, by name. Raises Broken where the evaluator cannot say."""
    bench, name = bench or Bench(), request.evaluator
    at = source or Source(Path(name), {}, {})
    where = at.where(("evidence", index))
    try:
        evaluator = evaluator_of(request, bench)
    except InputError as error:
        kind = Broken if isinstance(error, Unloadable) else InputError
        told = at.where(("evidence", index, "evaluator"))
        raise kind(
            Problem(told, say("{where} {what}", where=p.where, what=p.what), p.remedy) for p in error.problems
        ) from error
    try:
        return {request.named(q.name): q for q in announced(evaluator, parameters_of(request, bench, source, index))}
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # an evaluator may be anybody's code
        what = say(
            "the evaluator {evaluator} broke when asked what it measures: {cause}",
            evaluator=name,
            cause=cause_of(error),
        )
        output = f"\n{shown_output(error)}" if shown_output(error) else ""
        raise Broken(
            Problem(where, what, say("{fault}{output}", fault=whose_fault(owner(name), error), output=output))
        ) from error


def _absent_files(request: EvidenceRequest, bench: Bench, source: Source, index: int) -> Iterator[Problem]:
    """Files that evidence out of the quiz's own folder names, and that are not there."""
    if request.evaluator not in KINDS or bench.folder is None:
        return
    site = Site(quiz=bench.folder)
    for name in quiz_files(parameters_of(request, bench))[1]:
        try:
            site.file(name)
        except InputError as error:
            what = say("{name}: {problems}", name=name, problems="; ".join(problem.what for problem in error.problems))
            yield Problem(source.where(("evidence", index)), what, say("put it there, or correct its path"))


def _offered_twice(
    before: Iterable[tuple[EvidenceRequest, Mapping[str, Quantity]]],
    request: EvidenceRequest,
    offered: Iterable[str],
    where: str,
) -> Iterator[Problem]:
    """Names that two requests offer: which of the values a claim sees must not hang on their order.

    A fallback of the same evaluator stands in where the first has no value, and what is cited stands beside what was
    found out: of these `accept` says which counts.
    """
    for other, names in before:
        alike = other.evaluator == request.evaluator
        rivals = other.fallback == request.fallback if alike else _cites(other) == _cites(request)
        if same := rivals and sorted(names.keys() & set(offered)):
            names_both = ", ".join(same[:3]) + (" …" if same[3:] else "")
            what = say(
                "{evaluator} is asked twice for {measurements}", evaluator=request.evaluator, measurements=names_both
            )
            if not alike:
                what = say(
                    "{evaluator} and {other} offer {measurements}",
                    evaluator=other.evaluator,
                    other=request.evaluator,
                    measurements=names_both,
                )
            remedy = say("say `as: other` here and `other.{measurement}` in the claims", measurement=same[0])
            yield Problem(
                where, what, say("{remedy}, or `fallback: true` if it stands in", remedy=remedy) if alike else remedy
            )


def _cites(request: EvidenceRequest) -> bool:
    return request.evaluator in CITING


def _claim_problems(claim: Form, known: Mapping[str, Quantity], source: Source, at: Path_) -> list[Problem]:
    where = source.where(at)
    problems: list[Problem] = []
    for comparison in comparisons(claim):
        unknown = [name for name in names_of(comparison) if name not in known]
        problems += [
            Problem(
                where,
                say("measurement {name!r} is not offered by this question's evidence", name=name),
                did_you_mean(name, known),
            )
            for name in unknown
        ]
        if not unknown:
            problems += [Problem(where, what, say("compare like with like")) for what in _mismatches(comparison, known)]
    if problems:
        return list(dict.fromkeys(problems))
    try:
        can_hold, can_fail = satisfiable([(claim, True)], known), satisfiable([(claim, False)], known)
    except TooComplex:
        return [Problem(where, TOO_COMPLEX, say("ask for less in one claim, or with fewer alternatives"))]
    if not can_hold and not can_fail:
        return [
            Problem(where, say("this claim can never be decided: its margin leaves no room"), say("lower the margin"))
        ]
    if not can_hold or not can_fail:
        always = say("this claim is supported whatever the evidence says: {claim}", claim=in_words(claim))
        never = say("this claim is refuted whatever the evidence says: {claim}", claim=in_words(claim))
        what = always if can_hold else never
        return [Problem(where, what, say("compare measurements that could come out either way"))]
    return []


def _mismatches(comparison: Form, known: Mapping[str, Quantity]) -> Iterator[Message]:
    fact = None if isinstance(comparison, HighestOf | LowestOf) else asked_by(comparison)
    if isinstance(fact, Lack):
        return
    value = fact.value if isinstance(fact, Fact) else 0.0
    wanted: Kind = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
    for name in names_of(comparison):
        if known[name].kind != wanted:
            yield say(
                "{name} is a {kind}, and is compared as a {wanted}", name=name, kind=known[name].kind, wanted=wanted
            )
        elif wanted == "text" and (words := known[name].one_of) and value not in words:
            yield say(
                "{name} is never “{value}”, it is one of: {values}", name=name, value=value, values=", ".join(words)
            )


def _double_answers(question: Question, known: Mapping[str, Quantity], source: Source) -> list[Problem]:
    problems = []
    for (a, first), (b, second) in combinations(question.options.items(), 2):
        where = source.where(("options", b, "claim"))
        try:
            if satisfiable([(first.claim, True), (second.claim, True)], known):
                what = say(
                    "choose is one, but the claims of {letter} and {other} can both be supported", letter=a, other=b
                )
                problems.append(
                    Problem(where, what, say("make the claim of {other} exclude that of {letter}", other=b, letter=a))
                )
        except TooComplex:
            what = say(
                "whether the claims of {letter} and {other} exclude one another cannot be found out: {reason}",
                letter=a,
                other=b,
                reason=TOO_COMPLEX,
            )
            problems.append(Problem(where, what, say("use fewer alternatives")))
    return problems


def _across(quiz: Quiz, questions: list[Question], source: Source) -> list[Problem]:
    ids = [question.id for question in questions]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    problems = [
        Problem(
            source.where(("questions",)), say("two questions are called {question}", question=name), say("rename one")
        )
        for name in repeated
    ]
    points = sum(question.points for question in questions)
    if abs(points - quiz.total) > 1e-9:
        what = say("total is {total:g}, but the questions' points sum to {points:g}", total=quiz.total, points=points)
        problems.append(Problem(source.where(("total",)), what, say("correct the total or a question's points")))
    return problems
