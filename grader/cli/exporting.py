"""`earwitness export`: grades for NTU COOL and Gradescope; the quiz as QTI, Moodle XML, GIFT, a students' edition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basics.messages import language_spoken, say, together
from grader.cli.common import (
    DONE,
    FAILED,
    AcceptOption,
    JsonOption,
    OverrideOption,
    QuizOption,
    command,
    console,
    given,
    key_for_grading,
    load_book,
    print_json,
)

if TYPE_CHECKING:
    from grader.quiz.spec import QuizBook
    from grader.submissions.model import Chosen
    from grader.verdicts.key import AnswerKey

GradebookOption = Annotated[Path, typer.Option("--gradebook", help="The gradebook as exported from the LMS.")]
CommentsOption = Annotated[
    bool,
    typer.Option("--comments", help="Say beside each option why it holds or not: shown to students, it tells the key."),
]
OutOption = Annotated[Path, typer.Option("--out", help="File to write.")]


def register(app: typer.Typer) -> None:
    exports = typer.Typer(no_args_is_help=True, help="Write grades or the quiz for another system.")
    command(exports, help="Gradebook CSV for NTU COOL: only students whose score changes; checked first.")(canvas)
    command(exports, help="Say what importing a CSV into the gradebook would do, before anybody does it.")(check)
    command(exports, help="The quiz as a Canvas QTI 1.2 package.")(qti)
    command(exports, help="The quiz as Moodle XML.")(moodle)
    command(exports, help="The quiz in GIFT, Moodle's plain text for questions.")(gift)
    command(exports, help="A results.json of Gradescope for each student of a run.")(gradescope)
    command(exports, help="The quiz without its key, and a sealed key to open after the deadline.")(student)
    command(exports, "open", help="Check an opened key against the seal that was published with the quiz.")(open_seal)
    app.add_typer(exports, name="export")


def canvas(
    gradebook: GradebookOption,
    result: Annotated[Path, typer.Argument(help="Folder or result.json of `grade` or `regrade`.")],
    assignment: Annotated[str, typer.Option("--assignment", help="Its column: Title (id), id or title.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write; none: a dry run.", show_default=False)
    ] = None,
    scale: Annotated[bool, typer.Option("--scale", help="Scale to the points of the LMS's assignment.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Export although not everything is graded.")] = False,
    as_json: JsonOption = False,
) -> None:
    from grader.exports.gradebook import read_gradebook
    from grader.exports.transfer import plan_transfer, show_plan

    plan = plan_transfer(result, read_gradebook(gradebook), assignment, scale=scale, partial=partial)
    if out is not None:
        plan.write(out)
    print_json(plan.as_data(out)) if as_json else show_plan(console(), plan, out)


def check(
    file: Annotated[Path, typer.Argument(help="Any CSV that somebody is about to import into the gradebook.")],
    gradebook: GradebookOption,
    as_json: JsonOption = False,
) -> None:
    from grader.exports.gradebook import read_gradebook
    from grader.exports.transfer import checked, show_outcome

    outcome = checked(file, read_gradebook(gradebook))
    print_json(outcome) if as_json else show_outcome(console(), outcome)
    raise typer.Exit(DONE if outcome["safe"] else FAILED)


def qti(
    out: OutOption,
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    override: OverrideOption = None,
    with_comments: CommentsOption = False,
) -> None:
    from basics.files import write_whole
    from grader.exports.comments import comments
    from grader.exports.exportable import exported_key
    from grader.exports.qti import qti_package

    book = load_book(quiz, override=override)
    key = key_for_grading(book, accept, given(override, book))
    correct, notes = exported_key(book, key)
    said_beside = comments(book, key, language_spoken()) if with_comments else None
    write_whole(out, qti_package(book, correct, said_beside))
    console().print(
        say(
            "{path}: {n} questions; Canvas scores choose-many questions net of wrong ticks",
            path=out,
            n=len(book.questions),
        )
    )
    _warn(notes)


def moodle(
    out: OutOption,
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    override: OverrideOption = None,
    with_comments: CommentsOption = False,
) -> None:
    from grader.exports.comments import comments
    from grader.exports.moodle import moodle_xml

    def write(book: QuizBook, correct: Mapping[str, Chosen | None], key: AnswerKey) -> bytes:
        said = comments(book, key, language_spoken()) if with_comments else None
        return moodle_xml(book, correct, said)

    _for_moodle(out, write, quiz, accept, override)


def gift(out: OutOption, quiz: QuizOption = None, accept: AcceptOption = None, override: OverrideOption = None) -> None:
    from grader.exports.gift import gift as write_gift

    _for_moodle(out, lambda book, correct, _: write_gift(book, correct).encode(), quiz, accept, override)
    console().print(say("GIFT holds no points: set them in Moodle"))


def _for_moodle(
    out: Path,
    write: Callable[[QuizBook, Mapping[str, Chosen | None], AnswerKey], bytes],
    quiz: Path | None,
    accept: list[str] | None,
    override: list[Path] | None,
) -> None:
    """Write the quiz, and say on standard error what Moodle will score otherwise."""
    from basics.files import write_whole
    from grader.exports.exportable import exported_key
    from grader.exports.moodle_weights import inexact

    book = load_book(quiz, override=override)
    key = key_for_grading(book, accept, given(override, book))
    correct, notes = exported_key(book, key)
    write_whole(out, write(book, correct, key))
    console().print(say("{path}: {n} questions", path=out, n=len(book.questions)))
    _warn([*notes, *inexact(book, correct)])


def _warn(notes: list[str]) -> None:
    for note in notes:
        console(stderr=True).print(note, style="yellow")


def gradescope(
    result: Annotated[Path, typer.Argument(help="Folder or result.json of `grade` or `regrade`.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for one folder a student, with a results.json in each.")],
    partial: Annotated[bool, typer.Option("--partial", help="Export although not everything is graded.")] = False,
    quiz: QuizOption = None,
) -> None:
    from grader.exports.gradescope import write_results

    number = write_results(result, load_book(quiz, result), out, partial=partial)
    console().print(say("{path}: {n} students; shown to them when the grades are published", path=out, n=number))


def student(
    out: Annotated[Path, typer.Option("--out", help="Folder for the students' edition.")],
    opening: Annotated[Path, typer.Option("--opening", help="Secret file that opens the seal; keep it.")],
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    override: OverrideOption = None,
) -> None:
    from grader.exports.student import check_places, publish, seal
    from grader.marking.scoring import correct_options

    book = load_book(quiz, override=override)
    check_places(book, out, opening)
    key = key_for_grading(book, accept, given(override, book))
    sealed, secret = seal(book, correct_options(key))
    publish(out, book, sealed, opening, secret)
    console().print(
        say(
            "{folder}: publish this folder now; {opening}: keep it secret until the deadline, then publish it",
            folder=out,
            opening=opening,
        )
    )
    if key.unsettled:
        names = ", ".join(question.id for question in key.unsettled)
        console(stderr=True).print(say("sealed as not settled: {questions}", questions=names), style="yellow")


def open_seal(
    edition: Annotated[Path, typer.Argument(help="The students' edition, or its commitment.json.")],
    opening: Annotated[Path, typer.Argument(help="The published opening.")],
    as_json: JsonOption = False,
) -> None:
    from grader.exports.student import read_opening, read_seal, verify

    sealed, opened = read_seal(edition), read_opening(opening)
    broken = verify(sealed, opened)
    if as_json:
        print_json({"quiz": sealed.quiz, "holds": not broken, "broken": broken})
    elif broken:
        console().print(
            say("the key does not fit the seal: {questions}", questions=together(broken, ", ")), style="red"
        )
    else:
        n = len(sealed.questions)
        console().print(say("the key of {n} questions is the one that was sealed", n=n), style="green")
    raise typer.Exit(FAILED if broken else DONE)
