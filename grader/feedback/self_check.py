"""A student's own check: which questions are right, what they would earn, and on request why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.feedback.wording import work_out
from grader.marking.scoring import OutOf, Scorer, correct_options, out_of, rounded
from grader.quiz.spec import CreditRule, QuizBook
from grader.quiz.words import Language, words
from grader.submissions.model import Submission
from grader.verdicts.key import AnswerKey
from grader.verdicts.key_json import option_as_data
from grader.verdicts.sentences import Teller

if TYPE_CHECKING:
    from rich.console import Console


def check_answers(
    book: QuizBook,
    key: AnswerKey,
    submission: Submission,
    rule: CreditRule,
    *,
    with_evidence: bool,
    language: Language = "en",
) -> dict[str, Any]:
    """Each question `right`, `not right`, `blank` or `unsettled`, with its points under `rule`.

    Options are judged one by one only `with_evidence`: without it, a student learns what to think about again, not
    the key.
    """
    teller = Teller.of(book.folder, language)
    scorer = Scorer(book, correct_options(key), rule, key.rulings)
    questions: list[dict[str, Any]] = []
    for question, chosen in zip(book.questions, submission.chosen, strict=True):
        entry = key.question(question.id)
        result = work_out(question, scorer.key[question.id], chosen, rule, entry.ruling)
        state = "unsettled" if not result.points else "right" if result.whole else "not right" if chosen else "blank"
        line: dict[str, Any] = {
            "id": question.id,
            "title": question.title,
            "state": state,
            "ticked": sorted(chosen or ()),
            "points": result.points or None,
            "of": result.possible,
            "decided": [decision.reason for decision in entry.decided],
        }
        if with_evidence:
            line["options"] = [
                option_as_data(letter, question.options[letter], verdict)
                | {"ticked": letter in (chosen or ()), "why": teller.tell(question.options[letter], verdict).lines}
                for letter, verdict in entry.verdicts.items()
            ]
            line["obstacles"] = list(entry.obstacles)
        questions.append(line)
    units = [scorer.units(i, chosen) for i, chosen in enumerate(submission.chosen)]
    total = rounded(scorer.fraction(sum(filter(None, units))))
    reach = out_of(book, [points is not None for points in units])
    return {
        "quiz": book.quiz.id,
        "rule": rule,
        "demonstration": key.demonstration,
        "questions": questions,
        "total": total,
        "of": reach.possible,
        "open": reach.open or None,
        "key": key.digest,
        "unsettled": [line["id"] for line in questions if line["state"] == "unsettled"],
    }


def check_form(book: QuizBook, submission: Submission) -> dict[str, Any]:
    """What can be said of answers to the students' edition, which decides nothing."""
    answered = [question for question, chosen in submission.answers.items() if chosen]
    return {
        "quiz": book.quiz.id,
        "students_edition": True,
        "well_formed": True,
        "answered": len(answered),
        "questions": len(book.questions),
        "not_answered": [question.id for question in book.questions if question.id not in answered],
    }


def show_form(out: Console, result: dict[str, Any], language: Language = "en") -> None:
    """The same in one line."""
    out.print(words("check", language)["form"].format(**result), soft_wrap=True)


def show_check(out: Console, result: dict[str, Any], language: Language = "en") -> None:
    """The result as a table, then the options if they were asked for."""
    from rich.table import Table
    from rich.text import Text

    said = words("check", language)
    styles = {"right": "green", "not right": "red", "blank": "yellow", "unsettled": "yellow"}
    table = Table(*(said[column] for column in ("question", "title", "ticked", "state", "points")))
    for line in result["questions"]:
        points = f"{line['points']} / {line['of']}" if line["points"] is not None else said["not_graded"]
        state = Text(said[f"is_{line['state'].replace(' ', '_')}"], styles[line["state"]])
        table.add_row(line["id"], line["title"], "".join(line["ticked"]) or "-", state, points)
    out.print(table)
    for line in result["questions"]:
        for reason in line["decided"]:
            out.print(f"{line['id']}: {said['decided']}{said['colon']}{reason}")
        for option in line.get("options", ()):
            mark = said["ticked" if option["ticked"] else "blank"]
            verdict = said[option["verdict"]]
            out.print(f"{line['id']} {option['letter']} ({mark}){said['colon']}{verdict}", style="bold")
            for ground in option["why"]:
                out.print(f"    {ground}")
    if result["demonstration"]:
        out.print(said["demonstration"], style="yellow")
    total = OutOf(result["of"], result["open"] or "").sentence(result["total"], said["of"], said["open"])
    out.print(said["total"].format(total=total, rule=result["rule"], key=result["key"][:12]))
    if result["unsettled"]:
        out.print(said["not_counted"].format(questions=", ".join(result["unsettled"])), style="yellow")
