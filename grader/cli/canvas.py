"""`earwitness canvas`: the LMS by its API. Every command that writes there shows first what it is about to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basics.messages import Message, say, spoken, together
from grader.cli.common import (
    DONE,
    FAILED,
    UNSETTLED,
    AcceptOption,
    JsonOption,
    OverrideOption,
    QuizOption,
    accepted_sources,
    command,
    console,
    given,
    key_for_grading,
    load_book,
    print_json,
    testify,
)

if TYPE_CHECKING:
    from grader.canvas.connection import Connection
    from grader.canvas.pushing import Steps, Wanted

EXTRA = "canvas"
SHOWN = 20
HostOption = Annotated[
    str, typer.Option("--host", envvar="CANVAS_HOST", help="The LMS, such as cool.ntu.edu.tw.", show_default=False)
]
TrustOption = Annotated[bool, typer.Option("--trust-host", help="Confirm the host without being asked, for good.")]
CourseOption = Annotated[int, typer.Option("--course", min=1, help="Its number in the LMS's address.")]
ToldOption = Annotated[bool, typer.Option("--partial", help="Push although not everything is graded.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        no_args_is_help=True,
        help="The LMS by its API (extra `canvas`): token from $CANVAS_TOKEN, a file of mode 0600 named by "
        "$CANVAS_TOKEN_FILE, or the keyring.",
    )
    command(group, help="Ask the LMS what it lets the token do; reads only.")(check)
    command(group, help="Roster, report, gradebook column and extensions of a quiz, as the files that `grade` reads.")(
        pull
    )
    command(group, help="Write the changed scores of a run, read all back; with --feedback, each student's page too.")(
        push
    )
    command(group, help="Put the quiz into a course, unpublished.")(post)
    app.add_typer(group, name="canvas")


def check(
    host: HostOption = "",
    course: Annotated[
        int | None, typer.Option("--course", min=1, help="Its number in the LMS's address.", show_default=False)
    ] = None,
    quiz: Annotated[
        int | None, typer.Option("--quiz", min=1, help="The LMS's number of the quiz.", show_default=False)
    ] = None,
    trust_host: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    connection = _connection(host, trust_host)
    from grader.canvas.first_contact import first_contact

    found = first_contact(connection, course, quiz)
    if as_json:
        print_json({"host": connection.host.origin, "answers": [vars(contact) for contact in found]})
    else:
        out = console()
        out.print(say("{host}: nothing is written there", host=connection.host.origin), style="bold")
        for contact in found:
            mark, style = (say("ok"), "green") if contact.good else (say("no"), "red")
            line = say("  {mark}  {what}: {answer}", mark=mark, what=contact.what, answer=contact.answer)
            out.print(line, style=style, soft_wrap=True)
    raise typer.Exit(DONE if all(contact.good for contact in found) else FAILED)


def pull(
    out: Annotated[Path, typer.Option("--out", help="Folder to write the files into.")],
    course: CourseOption,
    lms_quiz: Annotated[int, typer.Option("--quiz", min=1, help="The LMS's number of the quiz.")],
    host: HostOption = "",
    specs: Annotated[
        Path | None,
        typer.Option(
            "--specs", help="Folder with quiz.yaml; default: ./questions, else the built-in quiz.", show_default=False
        ),
    ] = None,
    override: OverrideOption = None,
    trust_host: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    connection = _connection(host, trust_host)
    from grader.canvas.lms import Lms
    from grader.canvas.pulling import CLASS, REPORT, as_data
    from grader.canvas.pulling import pull as fetch
    from grader.marking.scoring import correct_options
    from grader.quiz.commands import command as command_of

    book = load_book(specs, override=override)
    said = given(override, book)
    key, _ = testify(book, "cached", accepted_sources(book, said.accepting(None)), said.decisions)
    pulled = fetch(Lms(connection, course), lms_quiz, book, correct_options(key), out)
    if as_json:
        print_json(as_data(pulled, out))
    else:
        told = console()
        for line in pulled.differences:
            told.print(say("differs: {difference}", difference=line), style="yellow", soft_wrap=True)
        between = say(
            "{n} differences between the LMS's quiz and {folder}", n=len(pulled.differences), folder=book.folder
        )
        told.print(between, soft_wrap=True)
        for line in pulled.open:
            told.print(say("open: {issue}", issue=line), style="yellow", soft_wrap=True)
        for note in pulled.notes:
            told.print(say("note: {note}", note=note), soft_wrap=True)
        for path in as_data(pulled, out)["written"]:
            told.print(say("wrote {path}", path=path), soft_wrap=True)
        grade = command_of(book.folder, "grade", out / REPORT, "--class", out / CLASS, "--out", "graded")
        told.print(say("then: {command}", command=grade), soft_wrap=True)
    raise typer.Exit(UNSETTLED if pulled.differences or pulled.open else DONE)


def push(
    run: Annotated[Path, typer.Argument(help="Folder or result.json of `grade` or `regrade`.")],
    from_: Annotated[Path, typer.Option("--from", help="The folder of `earwitness canvas pull`.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and write nothing.")] = False,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="Attach each student's feedback page to a comment, once.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    scale: Annotated[bool, typer.Option("--scale", help="Scale to the points of the LMS's assignment.")] = False,
    partial: ToldOption = False,
    trust_host: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    _need_extra()
    from grader.canvas.lms import Lms
    from grader.canvas.pulling import read_pulled
    from grader.canvas.pushing import as_data, begin, need_writable, one_at_a_time, wanted
    from grader.canvas.pushing import push as send

    pulled = read_pulled(from_)
    job = wanted(run, from_, pulled, scale=scale, partial=partial)
    lms = Lms(_connection(pulled.origin, trust_host), pulled.course)
    need_writable(lms.assignment(pulled.assignment))
    told = console(stderr=as_json)
    if dry_run:
        _, found = begin(lms, job)
        print_json(as_data(job, found, None)) if as_json else _show(job, found)
        told.print(say("dry run: nothing was written"), soft_wrap=True)
        raise typer.Exit(UNSETTLED if found.refused else DONE)
    with one_at_a_time(from_):
        _, found = begin(lms, job)
        if not as_json:
            _show(job, found)
        n = len(found.write)
        if not yes and not _ask(
            say("Write {n} scores and feedback?", n=n) if feedback else say("Write {n} scores?", n=n)
        ):
            told.print(say("nothing was written"))
            raise typer.Exit(UNSETTLED)
        result = send(lms, job, feedback=feedback, tell=lambda line: told.print(line, style="dim"))
    if as_json:
        print_json(as_data(job, found, result))
    else:
        for line in result.refused:
            told.print(say("left alone: {entry}", entry=line), style="yellow", soft_wrap=True)
        for line in result.unlike:
            told.print(say("not as it was sent: {difference}", difference=line), style="red", soft_wrap=True)
        told.print(
            say(
                "{written} scores written; {read_back} of {all} read back as in the run",
                written=len(result.written),
                read_back=result.read_back,
                all=len(job.targets),
            )
        )
        if feedback:
            told.print(
                say(
                    "{given} students were given their feedback, {before} had it already",
                    given=result.comments,
                    before=result.comments_before,
                )
            )
    raise typer.Exit(DONE if result.whole else UNSETTLED)


def post(
    course: CourseOption,
    host: HostOption = "",
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    override: OverrideOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    trust_host: TrustOption = False,
    as_json: JsonOption = False,
) -> None:
    connection = _connection(host, trust_host)
    from grader.canvas.lms import Lms
    from grader.canvas.posting import post as send
    from grader.exports.exportable import exportable, exported_key

    book = load_book(quiz, override=override)
    correct, notes = exported_key(book, key_for_grading(book, accept, given(override, book)))
    exportable(book, correct)
    told = console(stderr=as_json)
    for note in notes:
        told.print(note, style="yellow", soft_wrap=True)
    lms = Lms(connection, course)
    question = say(
        "Put {title!r}, {n} questions with their key, into {course!r}?",
        title=book.quiz.title,
        n=len(book.questions),
        course=lms.about().name,
    )
    if not yes and not _ask(question):
        told.print(say("nothing was written"))
        raise typer.Exit(UNSETTLED)
    posted = send(lms, book, correct)
    if as_json:
        print_json(vars(posted))
    else:
        for line in (*posted.issues, *posted.differences):
            told.print(line, style="yellow", soft_wrap=True)
        state = say("PUBLISHED: unpublish it in the LMS") if posted.published else say("not published")
        where = say("quiz {quiz} of course {course}: {state}", quiz=posted.quiz, course=course, state=state)
        told.print(where, style="red" if posted.published else "green")
    raise typer.Exit(UNSETTLED if posted.published or posted.issues or posted.differences else DONE)


def _show(job: Wanted, found: Steps) -> None:
    """The plan: whose score changes from what to what, and who is left alone."""
    from grader.exports.gradebook import column_of

    out = console()
    out.print(column_of(job.plan.gradebook, job.plan.transfer.column), style="bold")
    pulled = job.pulled
    course = say("{host}, course {number} {name}", host=pulled.origin, number=pulled.course, name=pulled.course_name)
    out.print(course, soft_wrap=True)
    out.print(say("key {digest}   mean {mean}", digest=job.run.key.digest[:12], mean=job.run.mean))
    if job.run.submissions.sha256 != pulled.files.get("report.csv"):
        out.print(say("the run was graded from another report than the one that was pulled"), style="yellow")
    for step in found.write[:SHOWN]:
        out.print(say("  {who}: {old} -> {new}", who=step.who, old=step.live or say("none"), new=step.new))
    if len(found.write) > SHOWN:
        out.print("  " + say("and {n} more", n=len(found.write) - SHOWN))
    out.print(say("{n} scores to write, {present} are there already", n=len(found.write), present=len(found.there)))
    for line in found.left_alone:
        out.print("  " + line, style="yellow", soft_wrap=True)
    for told in job.plan.transfer.left_alone:
        out.print(together(("  ", told), ""), soft_wrap=True)


def _need_extra() -> None:
    """Raises Unavailable where a package of the extra is not installed."""
    from importlib.util import find_spec

    from basics.errors import Unavailable

    absent = [name for name in ("canvasapi", "keyring", "requests") if find_spec(name) is None]
    if absent:
        what = say("the LMS's API needs {packages}, not installed here", packages=", ".join(absent))
        remedy = say("pip install 'earwitness[{extra}]' (or {packages} alone)", extra=EXTRA, packages=" ".join(absent))
        raise Unavailable(what, remedy)


def _connection(host: str, trusted: bool) -> Connection:
    """The connection to the host that is meant, which a person has confirmed. Raises InputError and Unavailable."""
    _need_extra()
    from basics.errors import InputError, Problem
    from grader.canvas import credentials
    from grader.canvas.connection import Connection

    if not host:
        raise InputError(
            Problem("--host", say("is not given: which LMS?"), say("such as --host cool.ntu.edu.tw, or $CANVAS_HOST"))
        )
    meant = credentials.host(host)
    credentials.confirm(meant, _ask, trusted=trusted)
    return Connection(meant, credentials.token(meant))


def _ask(question: Message) -> bool:
    """A question on standard error; no where nobody answers."""
    try:
        return typer.confirm(spoken(question), err=True)
    except typer.Abort:
        return False
