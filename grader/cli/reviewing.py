"""`earwitness items`, `sensitivity`, `appeal` and `ledger`: a graded class and its key, looked at again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from basics.messages import say, together
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
    is_run,
    key_for_grading,
    load_book,
    print_json,
)

if TYPE_CHECKING:
    from fractions import Fraction

    from grader.marking.grading import Grades
    from grader.marking.run_record import RunRecord
    from grader.quiz.spec import QuizBook
    from grader.verdicts.key import AnswerKey

ResultArgument = Annotated[Path, typer.Argument(help="Folder of a grading run, or a file of submissions.")]


def register(app: typer.Typer) -> None:
    command(app, help="Item analysis: difficulty, discrimination, distractors, reliability.")(items)
    command(app, help="What if an option's verdict were the other way round, and does the class agree?")(sensitivity)
    command(
        app, help="Prepare an appeal about an option, decide it with a letter to the student, or list a run's appeals."
    )(appeal)
    command(app, help="Show the record of grading runs and verify it.")(ledger)


def items(
    result: ResultArgument,
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    override: OverrideOption = None,
    as_json: JsonOption = False,
) -> None:
    from grader.review.items import analyse, show_items

    grades, key = graded(load_book(quiz, result, override), result, accept, override)
    data = analyse(grades, key)
    print_json(data) if as_json else show_items(console(), data)


def sensitivity(
    result: ResultArgument,
    line: Annotated[
        str | None, typer.Option("--line", help="A total in points that matters, such as 6.0.", show_default=False)
    ] = None,
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    override: OverrideOption = None,
    as_json: JsonOption = False,
) -> None:
    from grader.review.sensitivity import sensitivity as examine
    from grader.review.sensitivity import sensitivity_data, show_sensitivity, two_witnesses

    grades, key = graded(load_book(quiz, result, override), result, accept, override)
    mark = _points(line)
    data = sensitivity_data(examine(grades, key, mark), two_witnesses(grades, key), mark)
    print_json(data) if as_json else show_sensitivity(console(), data)


def appeal(
    result: Annotated[Path, typer.Option("--result", help="Folder of the grading run.")],
    question: Annotated[str, typer.Argument(help="Question id, such as q07.", show_default=False)] = "",
    option: Annotated[str, typer.Argument(help="Letter in the question file.", show_default=False)] = "",
    student: Annotated[str, typer.Option("--student", help="Id of the student who appeals.", show_default=False)] = "",
    all_: Annotated[bool, typer.Option("--list", help="List the run's appeals, the open ones first.")] = False,
    decision: Annotated[
        Literal["accepted", "rejected"] | None,
        typer.Option("--decision", help="Record the outcome.", show_default=False),
    ] = None,
    way: Annotated[
        Literal["also", "instead"] | None,
        typer.Option("--as", help="How it is accepted: also right, or right instead.", show_default=False),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; needed with --decision.", show_default=False)] = "",
    by: Annotated[str, typer.Option("--by", help="Who decided.", show_default=False)] = "",
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    as_json: JsonOption = False,
) -> None:
    from grader.review.appeals import Appeal, handle_appeal, list_appeals, show_appeal, show_appeals

    if all_:
        _need_none_of((question, option, student, decision, way, reason, by))
        appeals = list_appeals(result)
        print_json({"appeals": appeals}) if as_json else show_appeals(console(), appeals)
        return
    _need_all_of({"QUESTION": question, "OPTION": option, "--student": student})
    book = load_book(quiz, result)
    wanted = Appeal(question, option.upper(), student, decision, way, reason, by)
    run = run_with_its_own_key(book, result, None)
    grades, key = graded(book, result, accept, None)
    data = handle_appeal(run, grades, key, wanted, result)
    print_json(data) if as_json else show_appeal(console(), data)


def _need_all_of(named: dict[str, str]) -> None:
    from basics.errors import InputError, Problem

    if missing := [name for name, value in named.items() if not value]:
        what = say("needs {options}", options=together(missing, say(" and ")))
        raise InputError(
            Problem("appeal", what, say("such as `earwitness appeal q07 C --student ID --result DIR`; or --list"))
        )


def _need_none_of(values: tuple[str | None, ...]) -> None:
    from basics.errors import InputError, Problem

    if said := [value for value in values if value]:
        what = say("lists all appeals of a run; it was given with {options}", options=", ".join(said))
        raise InputError(Problem("--list", what, say("leave out either")))


def ledger(
    folder: Annotated[Path, typer.Argument(help="The --out folder of grading runs.")], as_json: JsonOption = False
) -> None:
    from grader.marking.ledger import inspect

    seen = inspect(folder)
    entries, findings = seen.entries, seen.findings
    if as_json:
        found = [{"entry": finding.entry, "what": finding.what} for finding in findings]
        listed = [entry.model_dump(mode="json") for entry in entries]
        data = {"entries": listed, "last": seen.digest, "anchored": seen.anchored}
        print_json(data | {"intact": not findings, "findings": found})
    else:
        out = console()
        for entry in entries:
            line = say(
                "{number:>4}  {time}  {action:<8}  key {key}",
                number=entry.number,
                time=entry.time.isoformat(),
                action=entry.action,
                key=entry.key[:12],
            )
            out.print(line)
        for finding in findings:
            out.print(say("{entry}: {what}", entry=finding.entry, what=finding.what), style="red")
        out.print(say("last entry: sha256 {digest}", digest=seen.digest), soft_wrap=True)
        if later := [str(entry.number) for entry in entries if entry.number > seen.anchored]:
            told = say(
                "written elsewhere, or by somebody else: {entries}; compare the digest with what they note",
                entries=", ".join(later),
            )
            out.print(told, soft_wrap=True)
        out.print(say("NOT intact") if findings else say("intact"), style="bold red" if findings else "green")
    raise typer.Exit(FAILED if findings else DONE)


def graded(
    book: QuizBook, path: Path, accept: list[str] | None, override: list[Path] | None
) -> tuple[Grades, AnswerKey]:
    """A graded class and the key with its evidence, from a run's folder or from submissions.

    Raises InputError if the evidence now makes other options correct than the run used; evidence that was gathered
    anew since and says the same of every option is told, and no obstacle.
    """
    from grader.marking.class_run import grade_file
    from grader.marking.run_record import grades_of
    from grader.runs import key_of_run
    from grader.submissions.reading import read_submissions

    if not is_run(path):
        said = given(override, book)
        key = key_for_grading(book, accept, said, anew=True)
        return grade_file(read_submissions(path, book), book, key, floors=said.floors).grades, key
    run = run_with_its_own_key(book, path, override)
    key = key_of_run(run, book, str(path))
    tell_of_other_evidence(path, run, key)
    return grades_of(run, book), key


def run_with_its_own_key(book: QuizBook, path: Path, override: list[Path] | None) -> RunRecord:
    """The run at `path`. Raises InputError where other decisions than the run's own are asked for."""
    from basics.errors import InputError, Problem
    from grader.marking.run_record import read_run
    from grader.quiz.commands import about_run

    if override:
        what = say("was given with {path}, a run that has its decisions", path=path)
        decide = about_run("regrade", path, "CHANGES.yaml")
        raise InputError(
            Problem(f"--override {override[0]}", what, say("leave it out, or decide with `{command}`", command=decide))
        )
    return read_run(path, book)


def tell_of_other_evidence(path: Path, run: RunRecord, key: AnswerKey) -> None:
    """Say so where the evidence was gathered anew since the run."""
    if key.evidence != run.key.evidence:
        told = say("{path}: the evidence is other than it was; what is correct is not", path=path)
        console(stderr=True).print(told)


def _points(text: str | None) -> Fraction | None:
    from fractions import Fraction

    from basics.errors import InputError, Problem

    if text is None:
        return None
    try:
        return Fraction(text)
    except ValueError as error:
        raise InputError(Problem(f"--line {text}", say("is not a number of points"), say("such as 6.0"))) from error
