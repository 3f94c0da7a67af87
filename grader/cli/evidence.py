"""`earwitness validate`, `evidence` and `run-models`: check the quiz, gather what its claims need, record answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from basics.messages import Message, say, say_error, spoken
from grader.cli.common import (
    ABOUT_SOUND,
    CLUSTER,
    DONE,
    UNSETTLED,
    UNUSABLE,
    JsonOption,
    QuizOption,
    command,
    console,
    load_book,
    print_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from evaluators.evidence import Evaluator, Evidence
    from evaluators.speaker_gender.recording import Outcome
    from grader.quiz.spec import QuizBook


AT_HAND, HOW, MODELS = ABOUT_SOUND, "How to work", "Which models"


def register(app: typer.Typer) -> None:
    command(app, help="Check quiz.yaml, every question, the evidence of record: all problems at once, by file.")(
        validate
    )
    command(app, help="Measure, execute and cite what the questions' claims need; resumes, reuses what is stored.")(
        evidence
    )
    about = "Record the answers of two models, a cascade and an end-to-end one (Q2)."
    command(app, "run-models", help=about, panel=ABOUT_SOUND)(run_models)


def validate(
    folder: Annotated[Path | None, typer.Argument(help="As --quiz.", metavar="QUIZ", show_default=False)] = None,
    quiz: QuizOption = None,
    write_schema: Annotated[
        bool, typer.Option("--write-schema", help="Write the JSON Schemas beside the quiz.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    from basics.errors import InputError, Problem
    from basics.files import write_whole
    from grader.quiz.commands import about_run
    from grader.quiz.loading import find_quiz, unlisted
    from grader.quiz.spec import schema_texts, stale

    if folder and quiz:
        raise InputError(Problem("--quiz", say("{folder} is given already", folder=folder), say("name the quiz once")))
    folder = find_quiz(folder or quiz)
    if write_schema:
        for name, text in schema_texts(_asked(folder)).items():
            write_whole(folder / "schema" / name, text.encode())
    book = _checked(folder)
    if book.faults:
        raise InputError(book.faults)
    outdated = stale(folder / "schema") if (folder / "schema").is_dir() else []
    if outdated:
        problem = say("differs from the types of this version")
        remedy = say("run `{command}`", command=about_run("validate", folder, "--write-schema"))
        raise InputError(Problem(f"schema/{name}", problem, remedy) for name in outdated)
    for path in unlisted(book):
        say_error(
            say(
                "note: {path} looks like a question and is not among `questions` in quiz.yaml: list it there, or move "
                "it away",
                path=path,
            )
        )
    count = sum(len(question.options) for question in book.questions)
    notes = list(_notes(book))
    summary = {
        "quiz": book.quiz.id,
        "questions": len(book.questions),
        "options": count,
        "points": book.quiz.total,
        "notes": notes,
    }
    if as_json:
        print_json(summary)
    else:
        said = say(
            "{title}: {questions} questions, {options} options, no problem found.",
            title=book.quiz.title,
            questions=len(book.questions),
            options=count,
        )
        console().print(said)
        for note in notes:
            console().print(say("note: {note}", note=note), soft_wrap=True)


def _asked(folder: Path) -> list[Evaluator]:
    """The evaluators that a quiz asks and that are here, each once; none where it cannot be read yet."""
    from basics.errors import InputError
    from grader.quiz.loading import evaluator_of, load_quiz

    try:
        book = load_quiz(folder)
        requests = {request.evaluator: request for question in book.questions for request in question.evidence}
        return [evaluator_of(request, book.bench) for _, request in sorted(requests.items())]
    except InputError:
        return []


def _notes(book: QuizBook) -> Iterator[Message]:
    """What makes verdicts hard to read, and is no fault: comparisons without words, thresholds without a reason."""
    from grader.quiz.claims import in_words, unexplained

    for question in book.questions:
        for letter, option in question.options.items():
            for comparison, name in unexplained(option.claim):
                yield say(
                    "{question} {letter}: `{claim}` has no `{key}` (docs/claims.md)",
                    question=question.id,
                    letter=letter,
                    claim=in_words(comparison),
                    key=name,
                )


def _checked(folder: Path) -> QuizBook:
    """The quiz in a folder. Raises InputError with all problems of its files and of its evidence of record."""
    from basics.errors import InputError
    from grader.quiz.loading import load_quiz
    from grader.verdicts.record import inspect_record

    problems = inspect_record(folder).problems
    try:
        book = load_quiz(folder)
    except InputError as error:
        raise InputError((*error.problems, *problems)) from error
    if problems:
        raise InputError(problems)
    return book


def evidence(
    questions: Annotated[
        list[str] | None, typer.Argument(help="Question ids; default: all.", show_default=False)
    ] = None,
    quiz: QuizOption = None,
    audio: Annotated[
        Path | None,
        typer.Option("--audio", help="Folder with the course's clips.", rich_help_panel=AT_HAND, show_default=False),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            help="Folder with original/reconstruction pairs and manifest.csv.",
            rich_help_panel=AT_HAND,
            show_default=False,
        ),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus",
            help="EmoV-DB, or a manifest CSV of labelled speech.",
            rich_help_panel=AT_HAND,
            show_default=False,
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out",
            help="Label or file of the corpus not to use; may be repeated.",
            rich_help_panel=AT_HAND,
            show_default=False,
        ),
    ] = None,
    allow_truncated: Annotated[
        bool,
        typer.Option(
            "--allow-truncated",
            help="Use what is there of sound files that are cut; the evidence says so.",
            rich_help_panel=AT_HAND,
        ),
    ] = False,
    responses: Annotated[
        Path | None,
        typer.Option(
            "--responses", help="Recorded answers of models A and B.", rich_help_panel=AT_HAND, show_default=False
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            "--codec",
            help="Name (mimi, pocket), folder or hub id of the codec; default: the quiz's.",
            rich_help_panel=AT_HAND,
            show_default=False,
        ),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.", rich_help_panel=HOW)] = "auto",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", min=1, help="Worker processes; default: one a core.", rich_help_panel=HOW, show_default=False
        ),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", help=CLUSTER, rich_help_panel=HOW, show_default=False)
    ] = None,
    mode: Annotated[
        Literal["auto", "cached", "refresh"],
        typer.Option(
            "--evidence", help="cached: only list what is stored; refresh: measure anew.", rich_help_panel=HOW
        ),
    ] = "auto",
    record: Annotated[
        bool, typer.Option("--record", help="Make the results evidence of record, after showing what changes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    from audio.codec.naming import require_place
    from evaluators.cluster import working_on
    from evaluators.store import Store
    from grader.verdicts.terminal import show_results
    from grader.verdicts.testimony import Gatherer

    book = load_book(quiz)
    wanted = [book.question(name) for name in questions] if questions else list(book.questions)
    store = Store()
    if mode != "cached":
        store.require_writable()
    with progress_bar(quiet=as_json) as report:
        site = replace(
            book.site,
            audio=audio,
            pairs=pairs,
            corpus=corpus,
            leave_out=tuple(leave_out or ()),
            allow_truncated=allow_truncated,
            responses=responses,
            codec=codec and require_place(codec),
            device=device,
            jobs=jobs,
            cache=store.root,
            progress=report,
        )
        with working_on(cluster if mode != "cached" else None):
            results = Gatherer(book, book.quiz.accept, site, store, mode).results(wanted, report)
    if as_json:
        print_json([result.as_data() for result in results])
    else:
        show_results(console(), results, book, wanted, store.root)
    if record:
        _record(book.folder, [result.evidence for result in results if result.evidence])
    causes = {result.problem.cause for result in results if result.problem}
    code = UNUSABLE if "input" in causes else UNSETTLED if causes else DONE
    raise typer.Exit(code)


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error that says what is being done; silent for JSON and where nobody watches."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    watched = console(stderr=True)
    with Progress(*columns, console=watched, transient=True, disable=quiet or not watched.is_terminal) as progress:
        task = progress.add_task(spoken(say("reading the questions")), total=1.0)

        def report(step: str, done: float) -> None:
            progress.update(task, description=spoken(step), completed=done)

        yield report


def _record(folder: Path, found: list[Evidence]) -> None:
    """Record what can be; InputError names what cannot."""
    from basics.errors import InputError
    from evaluators.registry import BUILT_IN, get
    from grader.verdicts.record import changes, not_for_record, write_record

    out = console(stderr=True)
    kept = [one for one in found if one.evaluator not in BUILT_IN or get(one.evaluator).stored]
    for evidence in kept:
        if not_for_record(evidence):
            continue
        for line in changes(folder, evidence):
            out.print(line, soft_wrap=True)
        out.print(say("recorded {path}", path=write_record(folder, evidence)), soft_wrap=True)
    if problems := [problem for evidence in kept if (problem := not_for_record(evidence))]:
        raise InputError(problems)


def run_models(
    audio: Annotated[Path, typer.Option("--audio", help="Folder with the clips (F_1.wav, M_1.wav or a manifest).")],
    out: Annotated[Path, typer.Option("--out", help="Answers file, appended to.")] = Path("responses.jsonl"),
    asr: Annotated[
        str | None, typer.Option("--asr", help="Model A's Whisper.", rich_help_panel=MODELS, show_default=False)
    ] = None,
    llm: Annotated[
        str | None,
        typer.Option("--llm", help="Model A's instruct model.", rich_help_panel=MODELS, show_default=False),
    ] = None,
    audio_llm: Annotated[
        str | None,
        typer.Option("--audio-llm", help="Model B, an audio model.", rich_help_panel=MODELS, show_default=False),
    ] = None,
    only: Annotated[
        Literal["a", "b"] | None,
        typer.Option("--only", help="Run one of the two models.", rich_help_panel=MODELS, show_default=False),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    from evaluators.evidence import Site
    from evaluators.speaker_gender import models, recording
    from evaluators.speaker_gender.transcribe import device as device_of
    from grader.cli.evidence import progress_bar

    clips = recording.clips_in(audio)
    where = device_of(Site(device=device))
    a = (asr or models.ASR, llm or models.LLM)
    b = audio_llm or models.AUDIO_LLM
    plans = [
        recording.Plan("model_a", a, lambda: models.Cascade(*a, where)),
        recording.Plan("model_b", (b,), lambda: models.EndToEnd(b, where)),
    ]
    wanted = [plan for plan in plans if only is None or plan.model == f"model_{only}"]
    with progress_bar(quiet=as_json) as report:
        outcome = recording.record(clips, wanted, out, report)
    if outcome.problems and not outcome.written + outcome.known:
        raise outcome.problems[0]
    _show(outcome, out, as_json)
    raise typer.Exit(UNSETTLED if outcome.problems else DONE)


def _show(outcome: Outcome, out: Path, as_json: bool) -> None:
    from grader.verdicts.terminal import print_command

    if as_json:
        problems = [str(problem) for problem in outcome.problems]
        print_json({"out": str(out), "written": outcome.written, "known": outcome.known, "problems": problems})
        return
    console().print(
        say(
            "{path}: {written} answers written, {present} were there already.",
            path=out,
            written=outcome.written,
            present=outcome.known,
        )
    )
    for problem in outcome.problems:
        console(stderr=True).print(problem.told, style="yellow")
    if not outcome.problems:
        before = spoken(say("Next: "))
        print_command(console(), "earwitness", "evidence", "q02", "--responses", out, before=before)
