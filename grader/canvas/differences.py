"""Where the quiz in the LMS is not the quiz of the specs: points, texts, options, key, scoring rule, dates.

Each difference is one line; nothing here decides which side is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from grader.canvas.lms import LmsAssignment, LmsQuiz, QuizQuestion
from grader.exports.qti import SCORING_POLICY
from grader.quiz.spec import Question, QuizBook
from grader.submissions.cells import CellDecoder, CellError, shortened, without_tags
from grader.submissions.model import Chosen
from grader.submissions.question_columns import LIKE, likeness, matching
from grader.verdicts.key import in_letters

MANY, ONE = "multiple_answers_question", ("multiple_choice_question", "true_false_question")
TEXT_ONLY = "text_only_question"
NET = "net-correct"
LATEST, HIGHEST = "keep_latest", "keep_highest"
SAME_MINUTE = timedelta(seconds=59)
"""The LMS's form takes minutes and adds 59 seconds; so much is no other deadline."""


@dataclass(frozen=True)
class Pair:
    """A question of the LMS and the one of the specs that it is."""

    theirs: QuizQuestion
    ours: Question


def differences(
    book: QuizBook,
    key: Mapping[str, Chosen | None],
    quiz: LmsQuiz,
    questions: Sequence[QuizQuestion],
    assignment: LmsAssignment | None,
) -> list[str]:
    """All of them, the quiz's own first. `key` has the correct letters by question, None where it is not settled."""
    pairs, lonely = _pairs(book, [q for q in questions if q.question_type != TEXT_ONLY])
    found = [*_settings(book, quiz, assignment), *lonely]
    for pair in pairs:
        found += [f"{pair.ours.id}: {line}" for line in _of_question(pair, key[pair.ours.id])]
    return found


def _pairs(book: QuizBook, questions: Sequence[QuizQuestion]) -> tuple[list[Pair], list[str]]:
    """Questions by their text, else by the one they are most like; what has no partner, in words."""
    pairs: list[Pair] = []
    left = list(book.questions)
    unmatched = []
    for theirs in questions:
        named = [q for q in left if q.id in matching(theirs.question_text, left)]
        if len(named) == 1:
            pairs.append(Pair(theirs, named[0]))
            left.remove(named[0])
        else:
            unmatched.append(theirs)
    lonely = []
    for theirs in unmatched:
        best = max(left, key=lambda q: likeness(theirs.question_text, q), default=None)
        if best is not None and likeness(theirs.question_text, best) >= LIKE:
            pairs.append(Pair(theirs, best))
            left.remove(best)
        else:
            text = shortened(without_tags(theirs.question_text))
            lonely.append(f"question {theirs.id} of the LMS is none of the specs': {text}")
    lonely += [f"{q.id}: is not in the LMS's quiz ({shortened(q.prompt)})" for q in left]
    order = {question.id: at for at, question in enumerate(book.questions)}
    return sorted(pairs, key=lambda pair: order[pair.ours.id]), lonely


def _settings(book: QuizBook, quiz: LmsQuiz, assignment: LmsAssignment | None) -> Iterator[str]:
    total = sum(Fraction(str(question.points)) for question in book.questions)
    for what, points in (("quiz", quiz.points_possible), ("gradebook", assignment and assignment.points_possible)):
        if points is not None and Fraction(str(points)) != total:
            yield f"points: the LMS's {what} has {points:g}, the specs {float(total):g}"
    if not _same_moment(quiz.due_at, book.quiz.deadline):
        theirs = book.quiz.local(quiz.due_at).isoformat() if quiz.due_at else "none"
        yield f"deadline: {theirs} in the LMS, {book.quiz.local(book.quiz.deadline).isoformat()} in the specs"
    regulations = book.quiz.regulations
    if regulations.late == "refused" and (quiz.lock_at is None or quiz.lock_at > book.quiz.deadline + SAME_MINUTE):
        until = book.quiz.local(quiz.lock_at).isoformat() if quiz.lock_at else "for ever"
        yield f"late: the LMS takes answers {f'until {until}' if quiz.lock_at else until}; the specs refuse late ones"
    if quiz.allowed_attempts != 1 and quiz.scoring_policy not in (None, SCORING_POLICY[regulations.attempts]):
        yield f"attempts: the LMS keeps {quiz.scoring_policy}, the specs the {regulations.attempts}"
    rule = book.quiz.credit_rule
    if rule != NET and any(question.choose == "many" for question in book.questions):
        yield f"scoring rule: the LMS scores choose-many questions {NET}, the specs {rule}: its scores will change"


def _same_moment(theirs: datetime | None, ours: datetime) -> bool:
    return theirs is not None and abs(theirs - ours) <= SAME_MINUTE


def _of_question(pair: Pair, correct: Chosen | None) -> Iterator[str]:
    theirs, ours = pair.theirs, pair.ours
    if ours.id not in matching(theirs.question_text, [ours]):
        yield f"its text in the LMS is {shortened(without_tags(theirs.question_text))}"
    if Fraction(str(theirs.points_possible)) != Fraction(str(ours.points)):
        yield f"the LMS gives {theirs.points_possible:g} points, the specs {ours.points:g}"
    kind = {MANY: "many", **dict.fromkeys(ONE, "one")}.get(theirs.question_type)
    if kind != ours.choose:
        yield f"is a {theirs.question_type} in the LMS, choose {ours.choose} in the specs"
    decoder = CellDecoder(ours)
    known: dict[str, bool] = {}
    for answer in theirs.answers:
        letter = _letter(decoder, answer.shown)
        if letter is None:
            yield f"the LMS has an option that the specs have not: {shortened(without_tags(answer.shown))}"
        else:
            known[letter] = known.get(letter, False) or answer.correct
    if missing := [letter for letter in ours.options if letter not in known]:
        yield f"option {', '.join(missing)} is not in the LMS"
    right = frozenset(letter for letter, is_right in known.items() if is_right)
    if correct is None:
        yield f"the LMS's key is {in_letters([*right])}, the specs' is not settled"
    elif right != correct:
        yield f"the LMS's key is {in_letters([*right])}, the specs' {in_letters([*correct])}"


def _letter(decoder: CellDecoder, text: str) -> str | None:
    """The one option whose text this is, in whatever dress the LMS has it."""
    for dress in (text, without_tags(text)):
        try:
            found = decoder.decode(dress, by_hand=True)
        except CellError:
            continue
        if len(found) == 1:
            return next(iter(found))
    return None
