"""The letter to a student whose appeal was decided: question, answer, decision, reason, points; nothing of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from grader.feedback.writing import templates
from grader.marking.scoring import printed_points, rounded
from grader.quiz.spec import Question, Quiz
from grader.quiz.words import Language, words

BREAK = "\n\n---\n\n"
"""Between two languages."""


def letter(
    quiz: Quiz, question: Question, name: str, packet: Mapping[str, Any], effect: str, languages: Sequence[Language]
) -> str:
    """Markdown, once in each language (English where none is named), from the packet of a decided appeal.

    `effect` is what an accepted one does: `also`, `instead` or `everyone`; empty for a rejected one.
    """
    decision = packet["decision"]
    way = decision["as"]
    now = packet["if_accepted"][way or "also"]["this_student"]
    then = "_then" if way else ""
    about = {
        "name": name,
        "student": packet["student"],
        "letter": packet["option"],
        "ticked": now["ticked"],
        "outcome": decision["outcome"],
        "effect": effect,
        "reason": decision["reason"],
        "by": decision["by"],
        "decided": quiz.local(datetime.fromisoformat(decision["time"])).date().isoformat(),
        "points": now["points"],
        "points_then": now[f"points{then}"],
        "total": now.get("total"),
        "total_then": now.get(f"total{then}"),
        "possible": rounded(printed_points(question)),
    }
    return BREAK.join(_page(language, quiz, question, about) for language in languages or ("en",)) + "\n"


def _page(language: Language, quiz: Quiz, question: Question, about: Mapping[str, Any]) -> str:
    text = words("feedback", language)
    same = f" ({text['unchanged']})"
    rendered: str = (
        templates("md").get_template("letter.md.j2").render(t=text, quiz=quiz, question=question, same=same, **about)
    )
    return rendered.strip()
