"""`earwitness items`, `sensitivity`, `appeal` and `ledger`: a graded class and its key, looked at again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grader.cli.common import (
    DONE,
    FAILED,
    AcceptOption,
    JsonOption,
    OverrideOption,
    QuizOption,
    command,
    console,
    key_for_grading,
    load_book,
    print_json,
)

if TYPE_CHECKING:
    from fractions import Fraction

    from grader.marking.grading import Grades
    from grader.quiz.spec import QuizBook
    from grader.verdicts.key import AnswerKey

ResultArgument = Annotated[Path, typer.Argument(help="Folder of a grading run, or a file of submissions.")]


def register(app: typer.Typer) -> None:
    command(app, help="Item analysis: difficulty, discrimination, distractors, reliability.")(items)
    command(app, help="What if an option's verdict were the other way round, and does the class agree?")(sensitivity)
    command(app, help="Prepare an appeal about an option, or record its decision.")(appeal)
    command(app, help="Show the record of grading runs and verify it.")(ledger)


def items(
    result: ResultArgument,
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    override: OverrideOption = None,
    as_json: JsonOption = False,
) -> None:
    from grader.review.items import analyse, show_items

    grades, _ = graded(load_book(quiz), result, accept, override)
    data = analyse(grades)
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

    grades, key = graded(load_book(quiz), result, accept, override)
    mark = _points(line)
    data = sensitivity_data(examine(grades, key, mark), two_witnesses(grades, key), mark)
    print_json(data) if as_json else show_sensitivity(console(), data)


def appeal(
    question: Annotated[str, typer.Argument(help="Question id, such as q07.")],
    option: Annotated[str, typer.Argument(help="Letter in the question file.")],
    student: Annotated[str, typer.Option("--student", help="Id of the student who appeals.")],
    result: Annotated[Path, typer.Option("--result", help="Folder of the grading run.")],
    decision: Annotated[
        Literal["accepted", "rejected"] | None,
        typer.Option("--decision", help="Record the outcome.", show_default=False),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; needed with --decision.", show_default=False)] = "",
    by: Annotated[str, typer.Option("--by", help="Who decided.", show_default=False)] = "",
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    as_json: JsonOption = False,
) -> None:
    from grader.review.appeals import Appeal, handle_appeal, show_appeal

    book = load_book(quiz)
    wanted = Appeal(question, option.upper(), student, decision, reason, by)
    grades, key = graded(book, result, accept, None)
    data = handle_appeal(grades, key, wanted, result)
    print_json(data) if as_json else show_appeal(console(), data)


def ledger(
    folder: Annotated[Path, typer.Argument(help="The --out folder of grading runs.")], as_json: JsonOption = False
) -> None:
    from grader.review.ledger import inspect

    seen = inspect(folder)
    entries, findings = seen.entries, seen.findings
    if as_json:
        found = [{"entry": finding.entry, "what": finding.what} for finding in findings]
        print_json({"entries": entries, "intact": not findings, "findings": found})
    else:
        out = console()
        for entry in entries:
            facts = entry["facts"]
            out.print(f"{entry['number']:>4}  {entry['time']}  {entry['action']:<8}  key {facts['key'][:12]}")
        for finding in findings:
            out.print(f"{finding.entry}: {finding.what}", style="red")
        out.print("intact" if not findings else "NOT intact", style="green" if not findings else "bold red")
    raise typer.Exit(FAILED if findings else DONE)


def graded(book: QuizBook, path: Path, accept: list[str] | None, override: Path | None) -> tuple[Grades, AnswerKey]:
    """A graded class and the key with its evidence, from a run's folder or from submissions.

    Raises InputError if the evidence now makes other options correct than the run used; evidence that was gathered
    anew since and says the same of every option is told, and no obstacle.
    """
    from basics.errors import InputError, Problem
    from grader.marking.class_run import grade_file
    from grader.marking.run_record import grades_of, read_run
    from grader.submissions.reading import read_submissions
    from grader.verdicts.key import key_digest
    from grader.verdicts.testimony import answer_key

    if not (path.is_dir() or path.suffix == ".json"):
        key = key_for_grading(book, accept, override)
        return grade_file(read_submissions(path, book), book, key).grades, key
    result = read_run(path, book)
    key = answer_key(book, accept=result.key.accepted, overrides=result.overrides)
    now = {question.id: question.correct for question in key.questions}
    if result.key.digest not in (key_digest(book, now, result.key.evidence), key_digest(book, now, None)):
        what = "was graded with another key than the evidence now gives"
        raise InputError(Problem(str(path), what, "grade again, and compare the two with `earwitness regrade`"))
    if key.evidence != result.key.evidence:
        console(stderr=True).print(f"{path}: the evidence is other than it was; what is correct is not", markup=False)
    return grades_of(result, book), key


def _points(text: str | None) -> Fraction | None:
    from fractions import Fraction

    from basics.errors import InputError, Problem

    if text is None:
        return None
    try:
        return Fraction(text)
    except ValueError as error:
        raise InputError(Problem(f"--line {text}", "is not a number of points", "such as 6.0")) from error
