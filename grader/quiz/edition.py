"""The students' edition of a quiz: the questions as they are seen, a sealed key, and nothing that decides an option.

Answers to it can be read, because every question has its options; nothing can be judged or graded by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from basics.errors import InputError, Problem
from basics.messages import say
from basics.yaml_source import Source, read, validate
from grader.quiz.spec import Question, Quiz, QuizBook

SEAL: Final = "commitment.json"
"""The sealed key, beside the questions."""
PRINTED: Final = ("id", "title", "points", "choose", "prompt", "references", "options")
"""The keys of a question in the edition; of an option it has the text alone."""
ANNOUNCED: Final = (
    *("id", "title", "course", "total", "credit_rule", "time_zone", "deadline", "release", "revision_until"),
    *("final_release", "regulations", "questions"),
)
"""The keys of `quiz.yaml` in the edition."""
SEALED: Final[dict[str, Any]] = {"evaluator": "sealed"}
OPAQUE: Final[dict[str, Any]] = {"is_true": "sealed.key"}


def is_edition(folder: Path, quiz: Quiz) -> bool:
    """Whether `folder` holds the students' edition: a seal, and no question with evidence or a claim."""
    return (folder / SEAL).is_file() and not any(_decides(source.data) for source in _sources(folder, quiz))


def not_a_quiz(folder: Path) -> InputError:
    """What every command says that would need the evidence, in one line."""
    what = say(
        "is the students' edition, without evidence and key: only the teaching staff's quiz can be decided, explained, "
        "graded, reported or exported (`check` tells whether answers to this one are well formed)"
    )
    return InputError(Problem(str(folder), what))


def read_edition(folder: Path, quiz: Quiz) -> QuizBook:
    """The edition as a quiz whose claims no evidence can decide, so that answers to it can be read.

    Raises InputError with every question that is not as it was published.
    """
    questions: list[Question] = []
    problems: list[Problem] = []
    for source in _sources(folder, quiz):
        try:
            questions.append(validate(Question, source, _undecidable(source.data)))
        except InputError as error:
            problems += error.problems
    missing = [name for name in quiz.questions if not (folder / name).is_file()]
    problems += [
        Problem(str(folder / name), say("is not there"), say("use the edition as it was published")) for name in missing
    ]
    if problems:
        raise InputError(problems)
    return QuizBook(folder, quiz, tuple(questions))


def _sources(folder: Path, quiz: Quiz) -> Iterator[Source]:
    yield from (read(folder / name) for name in quiz.questions if (folder / name).is_file())


def _decides(data: Any) -> bool:
    options = data.get("options") if isinstance(data, dict) else None
    entries = options.values() if isinstance(options, dict) else ()
    return isinstance(data, dict) and ("evidence" in data or any("claim" in e for e in entries if isinstance(e, dict)))


def _undecidable(data: Any) -> Any:
    """The question with the claims that a question has to have, none of which anything decides."""
    if not isinstance(data, dict) or not isinstance(data.get("options"), dict):
        return data
    options = {x: {**o, "claim": OPAQUE} if isinstance(o, dict) else o for x, o in data["options"].items()}
    return {**data, "evidence": [SEALED], "options": options}
