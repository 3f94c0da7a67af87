"""`pytest questions/`: one test per option (its claim is decided) and one per question (well posed, rightly answered).

The plugin is loaded in every pytest run of its environment, so it imports pytest alone and touches only folders that
hold a `quiz.yaml`. Outcomes: evidence that cannot be had here skips and says what would supply it; evidence that was
had and decides nothing, and a wrong answer, fail with the numbers; an option that an evaluator which broke would have
decided is an error, and the run ends with exit code 4 as commands do; a bad spec, or evidence of record that is not as
it was recorded, is a collection error; bad answers, and decisions that cannot be taken, are a usage error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evaluators.gathering import Missing
    from grader.cli.common import Given
    from grader.quiz.spec import EvidenceRequest, Question, QuizBook
    from grader.verdicts.decisions import Override, Ruling
    from grader.verdicts.key import QuestionKey
    from grader.verdicts.testimony import Gatherer, Testimony

QUIZ_FILE = "quiz.yaml"
BROKE = 4
BROKEN: set[str] = set()
"""Evaluators that broke in this run."""
books_key = pytest.StashKey[dict[Path, "QuizBook"]]()
gatherers_key = pytest.StashKey[dict[Path, "Gatherer"]]()
records_key = pytest.StashKey[dict[Path, str]]()
given_key = pytest.StashKey[dict[Path, "Given"]]()
answers_key = pytest.StashKey[dict[Path, dict[str, frozenset[str]]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("earwitness", "Earwitness: quizzes whose answer key has to testify")
    group.addoption(
        "--answers", metavar="FILE", help="answers.yaml to check against the evidence (write --answers=FILE)"
    )
    group.addoption(
        "--override",
        action="append",
        default=[],
        metavar="FILE",
        help="decisions of the teaching staff, or a run that carries them (--override=FILE); several add up",
    )
    group.addoption(
        "--evidence",
        choices=("auto", "cached", "refresh"),
        default="auto",
        help="auto: measure what is not stored; cached: only stored evidence; refresh: measure anew",
    )
    group.addoption(
        "--accept-evidence",
        action="append",
        default=[],
        metavar="SOURCE",
        help="accept a further source of evidence, such as demonstration",
    )


def pytest_configure(config: pytest.Config) -> None:
    BROKEN.clear()
    config.stash[books_key] = {}
    config.stash[gatherers_key] = {}
    config.stash[records_key] = {}
    config.stash[answers_key] = {}
    config.stash[given_key] = {}


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix != ".yaml" or not (file_path.parent / QUIZ_FILE).is_file():
        return None
    if file_path.name == QUIZ_FILE:
        return QuizFile.from_parent(parent, path=file_path)
    if file_path.name in _listed(file_path.parent / QUIZ_FILE):
        return QuestionFile.from_parent(parent, path=file_path)
    return None


def _listed(quiz_file: Path) -> tuple[str, ...]:
    """The question files that a quiz names; none if the quiz cannot be used (its own collector reports that)."""
    from basics.errors import InputError
    from basics.yaml_source import read, validate
    from grader.quiz.edition import is_edition
    from grader.quiz.spec import Quiz

    try:
        quiz = validate(Quiz, read(quiz_file))
        return () if is_edition(quiz_file.parent, quiz) else quiz.questions
    except InputError:
        return ()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Read answers and decisions before anything runs (under xdist, before any worker): a bad file ends the run."""
    config = session.config
    if config.getoption("answers") is None and not config.getoption("override"):
        return
    from basics.errors import InputError, unusable

    problems: dict[str, None] = {}
    for folder in _quiz_folders(config):
        for read in (answers_for, given_for):
            try:
                read(config, folder)
            except InputError as error:
                problems[str(error)] = None
            except OSError as error:
                problems[str(unusable(error))] = None
    if problems:
        raise pytest.UsageError("\n".join(problems))


def _quiz_folders(config: pytest.Config) -> list[Path]:
    """The quiz folders that the arguments name, by themselves or by a file in them, and those below."""
    named = [Path(str(argument).partition("::")[0]).absolute() for argument in config.args]
    folders = [folder for path in named for folder in (_below(config, path) if path.is_dir() else [path.parent])]
    return [folder for folder in dict.fromkeys(folders) if (folder / QUIZ_FILE).is_file()]


def _below(config: pytest.Config, top: Path) -> Iterator[Path]:
    """A folder and those below it in which pytest looks: not what it passes over by name, and no environment."""
    passed_over = config.getini("norecursedirs")
    for name, below, _ in os.walk(top):
        yield Path(name)
        below[:] = [
            other
            for other in below
            if not any(fnmatch(other, pattern) for pattern in passed_over)
            and not Path(name, other, "pyvenv.cfg").is_file()
        ]


def book_of(config: pytest.Config, folder: Path) -> QuizBook:
    """One quiz, loaded once per process. Raises InputError if it cannot be read."""
    known = config.stash[books_key]
    if folder not in known:
        from grader.quiz.loading import load_quiz

        known[folder] = load_quiz(folder)
    return known[folder]


def answers_for(config: pytest.Config, folder: Path) -> dict[str, frozenset[str]] | None:
    """The answers given for one quiz, read once; None without `--answers`. Raises InputError if they cannot be read."""
    given, known = config.getoption("answers"), config.stash[answers_key]
    if given is not None and folder not in known:
        from grader.submissions.plain import read_answers

        known[folder] = read_answers(Path(given), book_of(config, folder))
    return known.get(folder)


def given_for(config: pytest.Config, folder: Path) -> Given:
    """What `--override` says of one quiz, read once. Raises InputError if it cannot be read."""
    known = config.stash[given_key]
    if folder not in known:
        from grader.cli.common import given

        known[folder] = given([Path(path) for path in config.getoption("override")], book_of(config, folder))
    return known[folder]


def gatherer_of(config: pytest.Config, folder: Path) -> Gatherer:
    """The gatherer of one quiz folder, made once per process."""
    known = config.stash[gatherers_key]
    if folder not in known:
        from evaluators.store import Store
        from grader.cli.common import accepted_sources
        from grader.verdicts.testimony import Gatherer

        book = book_of(config, folder)
        sources = accepted_sources(book, given_for(config, folder).accepting(config.getoption("accept_evidence")))
        known[folder] = Gatherer(book, sources, book.site, Store(), config.getoption("evidence"))
    return known[folder]


def record_problem(config: pytest.Config, folder: Path) -> str:
    """What is wrong with a quiz's evidence of record, in full the first time; empty where nothing is."""
    from grader.verdicts.record import inspect_record

    known = config.stash[records_key]
    if folder in known:
        return known[folder] and "the evidence of record cannot be used (told above)"
    known[folder] = "\n".join(map(str, inspect_record(folder).problems))
    return known[folder]


class QuizFile(pytest.File):
    """`quiz.yaml`: one test that the quiz as a whole is sound."""

    def collect(self) -> Iterator[pytest.Item]:
        if problem := record_problem(self.config, self.path.parent):
            raise self.CollectError(problem)
        yield QuizItem.from_parent(self, name="quiz")


class QuizItem(pytest.Item):
    """The quiz and all its questions can be read and fit together."""

    def runtest(self) -> None:
        from basics.errors import InputError
        from grader.quiz.loading import load_quiz

        problem = ""
        try:
            load_quiz(self.path.parent)
        except InputError as error:
            problem = str(error)
        if problem:
            pytest.fail(problem, pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, "the quiz fits together"


class QuestionFile(pytest.File):
    """One question: a test per option and one for the whole."""

    def collect(self) -> Iterator[pytest.Item]:
        from basics.errors import InputError
        from evaluators.recorded import Bench
        from grader.quiz.loading import load_question

        problems = [record_problem(self.config, self.path.parent)]
        try:
            question = load_question(self.path, Bench(self.path.parent), [])  # what breaks is an error of its items
        except InputError as error:
            problems.append(str(error))
        if any(problems):
            raise self.CollectError("\n".join(filter(None, problems)))
        for letter in question.options:
            yield OptionItem.from_parent(self, name=f"{question.id}-{letter}", question=question, letter=letter)
        yield QuestionItem.from_parent(self, name=question.id, question=question)


class _Item(pytest.Item):
    def __init__(self, *, question: Question, **more: Any) -> None:
        super().__init__(**more)
        self.question = question
        self.letters = tuple(question.options)
        self.user_properties.append(("earwitness", question.id))

    def setup(self) -> None:
        """Gather evidence here, so that an evaluator that breaks is an error and not a failed test.

        So is evidence that decides the question otherwise than in the run that `--override` names.
        """
        from basics.errors import InputError
        from grader.verdicts.testimony import question_key

        problem = ""
        try:
            said = given_for(self.config, self.path.parent)
            self.testimony: Testimony = gatherer_of(self.config, self.path.parent).testimony(self.question)
            self.entry: QuestionKey = question_key(self.testimony, said.decisions)
            if not (problem := "\n".join(self.broken())):
                said.need_same([self.entry])
        except InputError as error:
            problem = str(error)
        if problem:
            pytest.fail(problem, pytrace=False)

    def broken(self) -> list[str]:
        """What broke of the evidence that would have decided the options here; other options are not concerned."""
        undecided = [letter for letter in self.letters if self.testimony.verdicts[letter].state == "inconclusive"]
        broken = {gap: None for letter in undecided for gap in gaps_of(self.testimony, letter) if gap.broken}
        self.user_properties += [("broke", gap.evaluator) for gap in self.testimony.missing if gap.cause == "fault"]
        return [f"{gap.evaluator}: {gap.what}" + (f"\n    -> {gap.remedy}" if gap.remedy else "") for gap in broken]

    def card(self, letter: str) -> str:
        """The evidence card of an option as plain text."""
        from io import StringIO

        from basics.terminal import PlainConsole
        from grader.verdicts.terminal import show_card

        text = StringIO()
        show_card(PlainConsole(file=text, width=110), self.testimony, letter)
        return text.getvalue().rstrip()


class OptionItem(_Item):
    """The claim of one option is decided."""

    def __init__(self, *, letter: str, **more: Any) -> None:
        super().__init__(**more)
        self.letter = letter
        self.letters = (letter,)

    def runtest(self) -> None:
        verdict = self.testimony.verdicts[self.letter]
        marks = ", ".join([*verdict.sources, *(["DEMONSTRATION"] if verdict.demonstration else [])])
        self.user_properties.append(("verdict", f"{self.question.id} {self.letter}: {verdict.state} ({marks})"))
        if verdict.state != "inconclusive":
            return
        if said := self.entry.decided:
            pytest.skip(f"{self.question.id} {self.letter}: {told(said)}")
        if remedies := what_would_settle(self.testimony, self.letter):
            pytest.skip(f"{self.question.id} {self.letter}: {'; '.join(remedies)}")
        pytest.fail(f"the evidence is here and decides nothing\n{self.card(self.letter)}", pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.question.id} {self.letter} is decided"


class QuestionItem(_Item):
    """The question is well posed, and the answers given (if any) agree with the evidence."""

    def runtest(self) -> None:
        entry = self.entry
        if entry.decided:
            self.user_properties.append(("decided", f"{self.question.id}: {told(entry.decided)}"))
        if not entry.settled:
            remedies = [r for letter in self.question.options for r in what_would_settle(self.testimony, letter)]
            if remedies:
                pytest.skip(f"{self.question.id} is unsettled here: {'; '.join(dict.fromkeys(remedies))}")
            pytest.fail(f"{self.question.id} is not well posed: {'; '.join(entry.obstacles)}", pytrace=False)
        answers = answers_for(self.config, self.path.parent)
        if answers is None:
            pytest.skip(f"{self.question.id} is settled; no answers were given to check (--answers=FILE)")
        from grader.marking.scoring import treated_rightly

        chosen, correct = answers.get(self.question.id, frozenset()), frozenset(entry.correct or ())
        wrong = [
            letter
            for letter in self.question.options
            if treated_rightly(self.question, correct, chosen, letter, entry.ruling) is False
        ]
        if wrong:
            said = ", ".join(sorted(chosen)) or "nothing"
            lines = [f"{self.question.id}: ticked {said}; wrong about {', '.join(wrong)}"]
            lines += [told(entry.decided)] if entry.decided else []
            cards = "\n\n".join(self.card(letter) for letter in wrong)
            pytest.fail("\n".join([*lines, cards]), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.question.id} is well posed and rightly answered"


def told(said: Sequence[Override | Ruling]) -> str:
    """Decisions of the teaching staff with their reasons."""
    from grader.verdicts.decisions import DECIDED

    return "; ".join(f"{DECIDED}: {decision.effect} ({decision.reason})" for decision in said)


def what_would_settle(testimony: Testimony, letter: str) -> list[str]:
    """What keeps an undecided verdict from evidence: a request that could not be met, or a value that is undefined.

    Empty for a decided verdict, and where everything was measured and still decides nothing.
    """
    verdict = testimony.verdicts[letter]
    if verdict.state != "inconclusive":
        return []
    found = [f"{gap.what} -> {gap.remedy}" for gap in gaps_of(testimony, letter)]
    undefined = [m.undefined for comparison in verdict.grounds for m in comparison.measurements if m.undefined]
    return list(dict.fromkeys(found or undefined))


def gaps_of(testimony: Testimony, letter: str) -> list[Missing]:
    """The requests without evidence that offer what an option's claim is judged by."""
    needed = {m.name for comparison in testimony.verdicts[letter].grounds for m in comparison.measurements}
    return [
        gap
        for gap in testimony.missing
        if any(r.evaluator == gap.evaluator and _may_bring(r, needed) for r in testimony.question.evidence)
    ]


def _may_bring(request: EvidenceRequest, needed: set[str]) -> bool:
    """Whether a request offers any of these measurements, as far as can be found out."""
    from basics.errors import InputError
    from grader.quiz.loading import vocabulary

    try:
        return bool(needed & vocabulary(request).keys())
    except InputError:
        return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Under xdist this process hears of faults by report alone."""
    BROKEN.update(str(name) for kind, name in report.user_properties if kind == "broke")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """An evaluator that broke ends the run with a code of its own, whatever the tests made of it."""
    if BROKEN:
        session.exitstatus = BROKE


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line on how the verdicts came out; works under xdist, where only report properties reach this process."""
    told_of = [
        (name, text)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, text in report.user_properties
    ]
    verdicts = [text for name, text in told_of if name == "verdict"]
    decided = [text for name, text in told_of if name == "decided"]
    if not (verdicts or decided):
        return
    counts = {
        state: sum(f": {state}" in text for text in verdicts) for state in ("supported", "refuted", "inconclusive")
    }
    terminalreporter.section("earwitness")
    terminalreporter.write_line(", ".join(f"{number} options {state}" for state, number in counts.items()))
    for line in decided:
        terminalreporter.write_line(line)
    resting = [text.partition(":")[0] for text in verdicts if "DEMONSTRATION" in text]
    if resting:
        terminalreporter.write_line(f"resting on DEMONSTRATION evidence, not of record: {', '.join(resting)}")
