"""What the commands share: options, exit codes, the two consoles, JSON on standard output."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from basics.errors import InputError, Problem, Unavailable, unusable, with_remedy
from basics.messages import language_spoken, say, say_error, speaking
from basics.visible import HIDDEN

if TYPE_CHECKING:
    from fractions import Fraction

    from rich.console import Console

    from evaluators.evidence import Standing
    from grader.marking.run_record import RunRecord
    from grader.quiz.spec import QuizBook
    from grader.verdicts.decisions import Decisions
    from grader.verdicts.key import AnswerKey, QuestionKey
    from grader.verdicts.testimony import Testimony

DONE, FAILED, UNUSABLE, UNSETTLED, BROKE = 0, 1, 2, 3, 4
INTERRUPTED = 130  # what a shell reports of a command ended by Ctrl-C
UNHEARD = 141  # and of one whose output nobody reads any more; 1 would say that what was checked does not hold

QuizOption = Annotated[
    Path | None,
    typer.Option(
        "--quiz",
        help="Folder with quiz.yaml; default: that of the run, else ./questions, else the built-in quiz.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
MOST = 1000
"""Problems of one command that are told; of more, how many there are besides."""
CLUSTER = "Dask scheduler (tcp://…, tls://…), or local:N for N workers here."
AcceptOption = Annotated[
    list[str] | None,
    typer.Option(
        "--accept", help="Accept a further standing of evidence: demonstration, recalled.", show_default=False
    ),
]
OverrideOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--override",
        help="YAML file of the teaching staff's overrides and rulings, with reasons; or a run, whose decisions hold. "
        "Several add up.",
        show_default=False,
    ),
]
ModeOption = Annotated[
    Literal["auto", "cached", "refresh"],
    typer.Option("--evidence", help="auto: measure what is not stored; cached: only stored; refresh: measure anew."),
]


LanguageOption = Annotated[
    Literal["en", "zh-TW"] | None,
    typer.Option("--language", help="Language of what is said; default: that of the locale.", show_default=False),
]


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal; plain text without colour codes in a pipe."""
    from basics.terminal import PlainConsole

    return PlainConsole(stderr=stderr)


ABOUT_SOUND = "For quizzes about sound and speech models"
"""Where help lists what quizzes of other courses have no use for."""


def command(
    app: typer.Typer, name: str | None = None, *, help: str, panel: str | None = None
) -> Callable[[Callable[..., None]], None]:
    """Register a function as a command whose errors are told as errors, each kind with its exit code.

    Every command takes `--language`, be it that the function has use for it or not.
    """

    def register(function: Callable[..., None]) -> None:
        app.command(name, help=help, rich_help_panel=panel)(_guarded(function))

    return register


def _guarded(function: Callable[..., None]) -> Callable[..., None]:
    taken = inspect.signature(function, eval_str=True)
    asks = "language" in taken.parameters

    @wraps(function)
    def run(*arguments: Any, **options: Any) -> None:
        from evaluators.gathering import collected_faults

        named = options["language"] if asks else options.pop("language")
        with speaking(named or language_spoken()):
            with collected_faults() as faults:
                code = _exit_code(lambda: function(*arguments, **options))
            for fault in faults:
                output = f"\n{fault.output}" if fault.output else ""
                what = say("{evaluator} {what}", evaluator=fault.evaluator, what=fault.what)
                say_error(with_remedy(what, fault.remedy) + output)
        raise typer.Exit(BROKE if faults else code)

    if not asks:
        option = inspect.Parameter("language", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=LanguageOption)
        run.__signature__ = taken.replace(parameters=[*taken.parameters.values(), option])  # type: ignore[attr-defined]
        run.__annotations__ = {name: one.annotation for name, one in run.__signature__.parameters.items()}  # type: ignore[attr-defined]
    return run


def _exit_code(command: Callable[[], None]) -> int:
    """Run a command and tell what ended it."""
    try:
        command()
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, typer.BadParameter):
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed goes nowhere
        return UNHEARD
    except InputError as error:
        say_error(InputError(error.problems[:MOST]).told)
        if (more := len(error.problems) - MOST) > 0:
            say_error(say("and {n} more problems like these", n=more))
        return UNUSABLE
    except Unavailable as error:
        say_error(error.told)
        return UNUSABLE
    except KeyboardInterrupt:
        say_error(say("interrupted; the same command goes on from what is stored"))
        return INTERRUPTED
    except OSError as error:
        say_error(unusable(error).message)
        return UNUSABLE
    except MemoryError:
        say_error(say("the memory of this machine is not enough for that"))
        return UNUSABLE
    except Exception as error:
        return tell(error)
    return DONE


def tell(error: Exception) -> int:
    """An error that nobody expected: a package that is not here, or a fault of the program. Returns the exit code."""
    from evaluators.packages import (
        PROJECT,
        cause_of,
        how_to_install,
        installed_version,
        not_installed,
        show_traceback,
        whose_fault,
    )

    show_traceback(error)
    if package := not_installed(error):
        what = say("this needs the package {package}, which is not installed", package=package)
        say_error(with_remedy(what, how_to_install(package)))
        return UNUSABLE
    fault = whose_fault(f"{PROJECT} {installed_version(PROJECT)}", error)
    say_error(with_remedy(say("broke: {cause}", cause=cause_of(error)), fault))
    return BROKE


def print_json(data: Any) -> None:
    """Indented JSON, Chinese left readable, what would steer a terminal escaped."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    print(HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def load_book(quiz: Path | None, result: Path | None = None, override: Sequence[Path] | None = None) -> QuizBook:
    """The quiz that the user means, checked: the one that is named, else that of the run among the arguments."""
    from grader.marking.quiz_of_run import quiz_of_run
    from grader.quiz.loading import find_quiz, load_quiz

    runs = [result] if result and is_run(result) else [path for path in override or () if carries_decisions(path)]
    return quiz_of_run(runs[0]) if quiz is None and runs else load_quiz(find_quiz(quiz))


def accepted_sources(book: QuizBook, extra: list[str] | None) -> tuple[Standing, ...]:
    """What the quiz accepts and the ones added on the command line. Raises InputError for an unknown one."""
    from basics.suggestions import did_you_mean
    from evaluators.evidence import STANDINGS

    unknown = [name for name in extra or [] if name not in STANDINGS]
    if unknown:
        raise InputError(
            Problem(f"--accept {name}", say("is no standing of evidence"), did_you_mean(name, STANDINGS))
            for name in unknown
        )
    added = [source for source in STANDINGS if source in (extra or []) and source not in book.quiz.accept]
    return (*book.quiz.accept, *added)


def is_run(path: Path) -> bool:
    """Whether this names a run (its folder or its record) where submissions could be named as well."""
    return path.is_dir() or path.suffix == ".json"


def carries_decisions(path: Path) -> bool:
    """Whether this names a run (its folder or its record) where a file of decisions, YAML or JSON, could be named."""
    from grader.marking.ledger import RESULT

    return path.is_dir() or path.name == RESULT


@dataclass(frozen=True)
class Given:
    """What `--override` gives: what was decided, and the run that carries it, if one is named."""

    decisions: Decisions = ()
    run: RunRecord | None = None
    where: str = ""

    def accepting(self, extra: Sequence[str] | None) -> list[str]:
        """The standings of evidence that the command line (`extra`) and the run accept beside the quiz."""
        return [*(extra or ()), *(self.run.key.accepted if self.run else ())]

    @property
    def floors(self) -> Mapping[str, Fraction]:
        """The totals that hold-harmless, if it is in force in the run, keeps from falling, by student."""
        from grader.verdicts.decisions import in_force

        return self.run.totals if self.run and in_force(self.decisions).hold_harmless else {}

    def need_same(self, questions: Iterable[QuestionKey]) -> None:
        """Raises InputError with each question that the evidence now decides otherwise than in the run."""
        from grader.verdicts.key import in_letters

        if self.run is None:
            return
        later = {decision.question for decision in self.decisions[len(self.run.decisions) :]}
        before = self.run.key.questions
        remedy = say(
            "grade the file again with `--override {path}`, and compare the two runs with `regrade`", path=self.where
        )
        problems = []
        for question in questions:
            was, now = in_letters(before[question.id].correct), in_letters(question.correct)
            if was != now and question.id not in later:
                what = say(
                    "was {old_key} in {run}, and is {new_key} by the evidence as it is now",
                    old_key=was,
                    run=self.where,
                    new_key=now,
                )
                problems.append(Problem(question.id, what, remedy))
        if problems:
            raise InputError(problems)


def given(paths: Sequence[Path] | None, book: QuizBook) -> Given:
    """What `--override` names, in this order: a run (its folder or record), and files of decisions.

    An entry's `replaces` counts through the whole list. Raises InputError for a run that is not the first, and for
    decisions that cannot both hold, wherever they stand.
    """
    from grader.marking.run_record import read_run
    from grader.verdicts.decisions import read_decisions

    run: RunRecord | None = None
    decisions: Decisions = ()
    for number, path in enumerate(paths or ()):
        if not carries_decisions(path):
            decisions += read_decisions(path, book, decisions)
        elif number:
            what = say("is a run and not the first that is named")
            raise InputError(Problem(f"--override {path}", what, say("name one run at most, before any file")))
        else:
            run = read_run(path, book)
            decisions = run.decisions
    return Given(decisions, run, str(paths[0]) if paths else "")


def testify(
    book: QuizBook,
    mode: Literal["auto", "cached", "refresh"],
    sources: tuple[Standing, ...],
    decisions: Decisions,
) -> tuple[AnswerKey, list[Testimony]]:
    """Key and testimonies of a quiz."""
    from evaluators.store import Store
    from grader.verdicts.testimony import Gatherer, key_from

    gatherer = Gatherer(book, sources, book.site, Store(), mode)
    testimonies = [gatherer.testimony(question) for question in book.questions]
    return key_from(book, testimonies, sources, decisions), testimonies


def key_for_grading(book: QuizBook, accept: list[str] | None, said: Given, *, anew: bool = False) -> AnswerKey:
    """The key from evidence at hand: that of the run in `said`, if there is one, unless graded `anew`.

    Raises InputError if it rests on demonstrations or on facts that nobody has looked up, unless accepted here, and
    where it is not the run's.
    """
    allowed = said.accepting(accept)
    key, testimonies = testify(book, "cached", accepted_sources(book, allowed), said.decisions)
    for testimony in testimonies:
        for told in testimony.differences:
            say_error(
                say("note: {question} rests on evidence {difference}", question=testimony.question.id, difference=told)
            )
    if not anew:
        said.need_same(key.questions)
    doubtful = {
        "demonstration": ([q.id for q in key.questions if q.demonstration], say("demonstration evidence")),
        "recalled": ([q.id for q in key.questions if q.recalled], say("facts recalled and not yet looked up")),
    }
    problems = [
        Problem(
            book.quiz.id,
            say("the key of {questions} rests on {basis}", questions=", ".join(names), basis=what),
            say("say --accept {standing}; every result will be marked", standing=standing),
        )
        for standing, (names, what) in doubtful.items()
        if names and standing not in allowed
    ]
    if problems:
        raise InputError(problems)
    return key
