"""`earwitness check`, `grade` and `regrade`: a student's own answers, a whole class, and the class again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from basics.messages import language_spoken
from grader.cli.common import (
    BROKE,
    DONE,
    UNSETTLED,
    AcceptOption,
    JsonOption,
    LanguageOption,
    OverrideOption,
    QuizOption,
    command,
    console,
    given,
    key_for_grading,
    load_book,
    print_json,
)

Rule = Literal["all-or-nothing", "net-correct", "each-answer", "coverage"]
RuleOption = Annotated[
    Rule | None, typer.Option("--rule", help="Credit rule; default: the quiz's own.", show_default=False)
]
ClassOption = Annotated[
    Path | None,
    typer.Option(
        "--class",
        help="YAML: roster, extensions, violations, cells to skip, LMS columns; `earwitness new class` writes one.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    command(app, help="Check one student's answers (YAML) against the evidence.")(check)
    command(app, help="Grade a class from a Canvas Student Analysis report, a plain CSV or YAML.")(grade)
    command(app, help="Grade again under another key, rule or ruling, and show who changes.")(regrade)


def check(
    answers: Annotated[Path, typer.Argument(help="YAML file: answers: {q01: [B, D], q02: E}.")],
    why: Annotated[bool, typer.Option("--why", help="Show each option's verdict and its evidence.")] = False,
    rule: RuleOption = None,
    override: OverrideOption = None,
    quiz: QuizOption = None,
    accept: AcceptOption = None,
    language: LanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    from grader.feedback.self_check import check_answers, check_form, show_check, show_form
    from grader.marking.class_run import rule_in_force
    from grader.quiz.loading import find_quiz, load_edition
    from grader.submissions.plain import read_yaml

    spoken = language or "en" if as_json else language_spoken()
    if edition := load_edition(find_quiz(quiz)):
        form = check_form(edition, read_yaml(answers, edition).submissions[0])
        print_json(form) if as_json else show_form(console(), form, spoken)
        raise typer.Exit(UNSETTLED)
    book = load_book(quiz, override=override)
    file = read_yaml(answers, book)
    said = given(override, book)
    key = key_for_grading(book, accept, said)
    asked = rule or (said.run.rule if said.run else None)
    in_force = rule_in_force(book, key, asked)
    result = check_answers(book, key, file.submissions[0], in_force, with_evidence=why, language=spoken)
    if as_json:
        print_json(result)
    else:
        show_check(console(), result, spoken)
    raise typer.Exit(UNSETTLED if key.unsettled else DONE)


def grade(
    file: Annotated[Path, typer.Argument(help="Submissions: Canvas Student Analysis CSV, plain CSV, or YAML.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for scores.csv, result.json and feedback/.", show_default=False)
    ] = None,
    rule: RuleOption = None,
    compare_rules: Annotated[
        bool, typer.Option("--compare-rules", help="Show who gains and who loses under each credit rule.")
    ] = False,
    class_file: ClassOption = None,
    override: OverrideOption = None,
    accept: AcceptOption = None,
    quiz: QuizOption = None,
    as_json: JsonOption = False,
) -> None:
    from evaluators.gathering import faults_so_far
    from grader.marking.class_run import compare_rules as comparison
    from grader.marking.class_run import grade_file, show_comparison, show_run, summary
    from grader.marking.digest import digest, show_digest
    from grader.runs import write_class_run
    from grader.submissions.class_file import read_class_file
    from grader.submissions.reading import read_submissions

    book = load_book(quiz, override=override)
    known = read_class_file(class_file, book)
    submissions = read_submissions(file, book, known)
    said = given(override, book)
    key = key_for_grading(book, accept, said, anew=True)
    run = grade_file(submissions, book, key, rule, known, said.floors)
    compared = comparison(run) if compare_rules else None
    written = write_class_run(out, run) if out else []
    broken = [fault.evaluator for fault in faults_so_far()]
    code = BROKE if broken else DONE if run.grades.complete else UNSETTLED
    data = summary(run, written) | digest(run, code, broken)
    if as_json:
        print_json(data | ({"rules": compared} if compared else {}))
    else:
        show_digest(console(), run, data)
        show_run(console(), data)
        if compared:
            show_comparison(console(), compared)
    raise typer.Exit(code)


def regrade(
    old: Annotated[Path, typer.Argument(help="Folder of an earlier run.")],
    new: Annotated[Path, typer.Argument(help="Folder of another run of the same class, or a YAML file of changes.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the new result and the diff.")] = None,
    policy: Annotated[
        Literal["strict", "hold-harmless"],
        typer.Option("--policy", help="hold-harmless: no total falls, now or later."),
    ] = "strict",
    gradebook: Annotated[
        Path | None, typer.Option("--gradebook", help="Exported gradebook: write one with changes.")
    ] = None,
    assignment: Annotated[str, typer.Option("--assignment", help="Its column: Title (id), id or title.")] = "",
    quiz: QuizOption = None,
    as_json: JsonOption = False,
) -> None:
    from grader.review.regrade import show_diff
    from grader.runs import regrade_run

    data = regrade_run(load_book(quiz, old), old, new, policy, out, gradebook, assignment)
    print_json(data) if as_json else show_diff(console(), data)
