"""From a folder of YAML files to a checked `QuizBook`: every problem of every file at once.

Beyond what the types refuse, this finds unknown evaluators and measurements, claims that compare a text with a number,
claims that no evidence can decide or that hold whatever the evidence says, and a choose-one question whose claims allow
two options at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from basics.errors import InputError, Problem
from basics.files import real_path
from basics.suggestions import did_you_mean
from basics.yaml_source import Path_, Source, read, validate
from evaluators.announcement import announced
from evaluators.evidence import Confirmed, Evaluator, Frozen, Kind, PublishedPair, Quantity
from evaluators.packages import cause_of, whose_fault
from evaluators.registry import get, owner
from grader.quiz.claims import Fact, Form, HighestOf, LowestOf, asked_by, comparisons, in_words, names_of
from grader.quiz.consistency import MOST_STEPS, TooComplex, satisfiable
from grader.quiz.edition import is_edition, not_a_quiz, read_edition
from grader.quiz.sources import read_facts, read_published
from grader.quiz.spec import EvidenceRequest, Question, Quiz, QuizBook

QUIZ_FILE = "quiz.yaml"
CITING = "literature"
"""The evaluator whose facts can be looked up."""
OWN_FILE = "name a file of its folder, without `..`"
TOO_COMPLEX = f"there are too many alternatives to go through ({MOST_STEPS:,} are tried)"
BUILT_IN_QUIZ = Path(__file__).resolve().parents[2] / "questions"


def find_quiz(folder: Path | None) -> Path:
    """The quiz folder meant: `folder`, else `./questions` or `.` if a quiz lies there, else the built-in quiz."""
    candidates = [folder] if folder else [Path("questions"), Path()]
    for candidate in candidates:
        if (candidate / QUIZ_FILE).is_file():
            return candidate
    if folder is None:
        return BUILT_IN_QUIZ
    raise InputError(Problem(str(folder), f"holds no {QUIZ_FILE}", "name the folder that holds the quiz"))


def load_quiz(folder: Path) -> QuizBook:
    """Read and check a whole quiz. Raises InputError with all problems of all files, or for a students' edition."""
    source = read(folder / QUIZ_FILE)
    quiz = validate(Quiz, source)
    if is_edition(folder, quiz):
        raise not_a_quiz(folder)
    questions: list[Question] = []
    problems: list[Problem] = []
    for i, name in enumerate(quiz.questions):
        if _leads_out(name):
            problems.append(Problem(source.where(("questions", i)), f"{name} lies outside the quiz", OWN_FILE))
            continue
        try:
            questions.append(load_question(folder / name))
        except InputError as error:
            missing = not (folder / name).exists()
            where = source.where(("questions", i))
            problems += (
                [Problem(where, f"names {name}, which is not there", "correct the name")] if missing else error.problems
            )
    problems += _across(quiz, questions, source) if not problems else []
    published: tuple[PublishedPair, ...] = ()
    confirmed: dict[str, Confirmed] = {}
    try:
        published = _published(folder, quiz, source)
        confirmed = read_facts(folder, cited(questions)) if not problems else {}
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    return QuizBook(folder, quiz, tuple(questions), published, confirmed)


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
        raise InputError(Problem(where, f"{quiz.published_audio} lies outside the quiz", OWN_FILE))
    return read_published(path)


def _leads_out(name: str) -> bool:
    """Whether the name of a quiz's file leads out of its folder: an edition lays its files out under the same names."""
    return Path(name).is_absolute() or ".." in Path(name).parts


def cited(questions: Iterable[Question]) -> dict[str, Quantity]:
    """The cited facts that questions ask for, by measurement: what somebody can look up."""
    requests = [request for question in questions for request in question.evidence if request.evaluator == CITING]
    return {quantity.name: quantity for request in requests for quantity in announced(*_asked(request))}


def _asked(request: EvidenceRequest) -> tuple[Evaluator, Frozen]:
    return get(request.evaluator), parameters_of(request)


def load_question(path: Path) -> Question:
    """Read and check one question file. Raises InputError with all its problems."""
    source = read(path)
    question = validate(Question, source)
    problems: list[Problem] = []
    quantities: dict[str, Quantity] = {}
    for i, request in enumerate(question.evidence):
        try:
            offered = vocabulary(request, source, i)
            problems += _offered_twice(question.evidence[:i], request, offered, source, i)
            quantities |= offered
        except InputError as error:
            problems += error.problems
    if not problems:
        for letter, option in question.options.items():
            problems += _claim_problems(option.claim, quantities, source, ("options", letter, "claim"))
            for kind, asides in (("contrary", option.contrary), ("corroborating", option.corroborating)):
                for i, aside in enumerate(asides):
                    at = ("options", letter, kind, i, "evidence")
                    problems += _claim_problems(aside.evidence, quantities, source, at)
    if not problems and question.choose == "one":
        problems += _double_answers(question, quantities, source)
    if problems:
        raise InputError(problems)
    return question


def parameters_of(request: EvidenceRequest, source: Source | None = None, index: int = 0) -> Frozen:
    """The request's parameters in the evaluator's own type. Raises InputError, with lines if `source` is given."""
    evaluator = get(request.evaluator)
    at: Path_ = ("evidence", index)
    return validate(evaluator.Parameters, source or Source(Path(request.evaluator), {}, {}), request.parameters, at)


def vocabulary(request: EvidenceRequest, source: Source | None = None, index: int = 0) -> dict[str, Quantity]:
    """The measurements that a request can bring, by name."""
    try:
        evaluator = get(request.evaluator)
    except InputError as error:
        if source is None:
            raise
        where = source.where(("evidence", index, "evaluator"))
        raise InputError(Problem(where, f"{p.where} {p.what}", p.remedy) for p in error.problems) from error
    parameters = parameters_of(request, source, index)
    try:
        return {request.named(q.name): q for q in announced(evaluator, parameters)}
    except (Exception, SystemExit) as error:  # an evaluator may be anybody's code
        where = (source or Source(Path(request.evaluator), {}, {})).where(("evidence", index))
        what = f"the evaluator {request.evaluator} broke when asked what it measures: {cause_of(error)}"
        raise InputError(Problem(where, what, whose_fault(owner(request.evaluator), error))) from error


def _offered_twice(
    before: Sequence[EvidenceRequest], request: EvidenceRequest, offered: Iterable[str], source: Source, index: int
) -> Iterator[Problem]:
    """One evaluator asked twice for the same names: which of the values a claim sees must not hang on their order."""
    for other in before:
        rivals = other.evaluator == request.evaluator and other.fallback == request.fallback
        if same := rivals and sorted(vocabulary(other).keys() & set(offered)):
            what = f"{request.evaluator} is asked twice for {', '.join(same[:3])}{' …' if same[3:] else ''}"
            remedy = f"say `as: other` here and `other.{same[0]}` in the claims, or `fallback: true` if it stands in"
            yield Problem(source.where(("evidence", index)), what, remedy)


def _claim_problems(claim: Form, known: Mapping[str, Quantity], source: Source, at: Path_) -> list[Problem]:
    where = source.where(at)
    problems: list[Problem] = []
    for comparison in comparisons(claim):
        unknown = [name for name in names_of(comparison) if name not in known]
        problems += [
            Problem(
                where, f"measurement {name!r} is not offered by this question's evidence", did_you_mean(name, known)
            )
            for name in unknown
        ]
        if not unknown:
            problems += [Problem(where, what, "compare like with like") for what in _mismatches(comparison, known)]
    if problems:
        return list(dict.fromkeys(problems))
    try:
        can_hold, can_fail = satisfiable([(claim, True)], known), satisfiable([(claim, False)], known)
    except TooComplex:
        return [Problem(where, TOO_COMPLEX, "ask for less in one claim, or with fewer alternatives")]
    if not can_hold and not can_fail:
        return [Problem(where, "this claim can never be decided: its margin leaves no room", "lower the margin")]
    if not can_hold or not can_fail:
        always = "supported" if can_hold else "refuted"
        what = f"this claim is {always} whatever the evidence says: {in_words(claim)}"
        return [Problem(where, what, "compare measurements that could come out either way")]
    return []


def _mismatches(comparison: Form, known: Mapping[str, Quantity]) -> Iterator[str]:
    fact = None if isinstance(comparison, HighestOf | LowestOf) else asked_by(comparison)
    value = fact.value if isinstance(fact, Fact) else 0.0
    wanted: Kind = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
    for name in names_of(comparison):
        if known[name].kind != wanted:
            yield f"{name} is a {known[name].kind}, and is compared as a {wanted}"
        elif wanted == "text" and (words := known[name].one_of) and value not in words:
            yield f"{name} is never “{value}”, it is one of: {', '.join(words)}"


def _double_answers(question: Question, known: Mapping[str, Quantity], source: Source) -> list[Problem]:
    problems = []
    for (a, first), (b, second) in combinations(question.options.items(), 2):
        where = source.where(("options", b, "claim"))
        try:
            if satisfiable([(first.claim, True), (second.claim, True)], known):
                what = f"choose is one, but the claims of {a} and {b} can both be supported"
                problems.append(Problem(where, what, f"make the claim of {b} exclude that of {a}"))
        except TooComplex:
            what = f"whether the claims of {a} and {b} exclude one another cannot be found out: {TOO_COMPLEX}"
            problems.append(Problem(where, what, "use fewer alternatives"))
    return problems


def _across(quiz: Quiz, questions: list[Question], source: Source) -> list[Problem]:
    ids = [question.id for question in questions]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    problems = [
        Problem(source.where(("questions",)), f"two questions are called {name}", "rename one") for name in repeated
    ]
    points = sum(question.points for question in questions)
    if abs(points - quiz.total) > 1e-9:
        what = f"total is {quiz.total:g}, but the questions' points sum to {points:g}"
        problems.append(Problem(source.where(("total",)), what, "correct the total or a question's points"))
    return problems
