"""Where the quiz in the LMS is not the quiz of the specs: points, texts, options, key, scoring rule, dates.

Each difference is one line; nothing here decides which side is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from basics.messages import Message, say
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
) -> list[Message]:
    """All of them, the quiz's own first. `key` has the correct letters by question, None where it is not settled."""
    pairs, lonely = _pairs(book, [q for q in questions if q.question_type != TEXT_ONLY])
    found = [*_settings(book, quiz, assignment), *lonely]
    for pair in pairs:
        found += [
            say("{where}: {what}", where=pair.ours.id, what=line) for line in _of_question(pair, key[pair.ours.id])
        ]
    return found


def _pairs(book: QuizBook, questions: Sequence[QuizQuestion]) -> tuple[list[Pair], list[Message]]:
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
            lonely.append(say("question {id} of the LMS is none of the specs': {text}", id=theirs.id, text=text))
    lonely += [
        say("{question}: is not in the LMS's quiz ({text})", question=q.id, text=shortened(q.prompt)) for q in left
    ]
    order = {question.id: at for at, question in enumerate(book.questions)}
    return sorted(pairs, key=lambda pair: order[pair.ours.id]), lonely


def _settings(book: QuizBook, quiz: LmsQuiz, assignment: LmsAssignment | None) -> Iterator[Message]:
    total = sum(Fraction(str(question.points)) for question in book.questions)
    theirs = (quiz.points_possible, assignment and assignment.points_possible)
    for what, points in zip((say("quiz"), say("gradebook")), theirs, strict=True):
        if points is not None and Fraction(str(points)) != total:
            yield say(
                "points: the LMS's {place} has {points:g}, the specs {total:g}",
                place=what,
                points=points,
                total=float(total),
            )
    if not _same_moment(quiz.due_at, book.quiz.deadline):
        yield say(
            "deadline: {theirs} in the LMS, {ours} in the specs",
            theirs=book.quiz.local(quiz.due_at).isoformat() if quiz.due_at else say("none"),
            ours=book.quiz.local(book.quiz.deadline).isoformat(),
        )
    regulations = book.quiz.regulations
    if regulations.late == "refused" and (quiz.lock_at is None or quiz.lock_at > book.quiz.deadline + SAME_MINUTE):
        if quiz.lock_at is None:
            yield say("late: the LMS takes answers for ever; the specs refuse late ones")
        else:
            until = book.quiz.local(quiz.lock_at).isoformat()
            yield say("late: the LMS takes answers until {until}; the specs refuse late ones", until=until)
    if quiz.allowed_attempts != 1 and quiz.scoring_policy not in (None, SCORING_POLICY[regulations.attempts]):
        yield say(
            "attempts: the LMS keeps {theirs}, the specs the {ours}",
            theirs=quiz.scoring_policy,
            ours=regulations.attempts,
        )
    rule = book.quiz.credit_rule
    if rule != NET and any(question.choose == "many" for question in book.questions):
        yield say(
            "scoring rule: the LMS scores choose-many questions {theirs}, the specs {ours}: its scores will change",
            theirs=NET,
            ours=rule,
        )


def _same_moment(theirs: datetime | None, ours: datetime) -> bool:
    return theirs is not None and abs(theirs - ours) <= SAME_MINUTE


def _of_question(pair: Pair, correct: Chosen | None) -> Iterator[Message]:
    theirs, ours = pair.theirs, pair.ours
    if ours.id not in matching(theirs.question_text, [ours]):
        yield say("its text in the LMS is {text}", text=shortened(without_tags(theirs.question_text)))
    if Fraction(str(theirs.points_possible)) != Fraction(str(ours.points)):
        yield say(
            "the LMS gives {theirs:g} points, the specs {ours:g}", theirs=theirs.points_possible, ours=ours.points
        )
    kind = {MANY: "many", **dict.fromkeys(ONE, "one")}.get(theirs.question_type)
    if kind != ours.choose:
        yield say("is a {theirs} in the LMS, choose {ours} in the specs", theirs=theirs.question_type, ours=ours.choose)
    decoder = CellDecoder(ours)
    known: dict[str, bool] = {}
    for answer in theirs.answers:
        letter = _letter(decoder, answer.shown)
        if letter is None:
            text = shortened(without_tags(answer.shown))
            yield say("the LMS has an option that the specs have not: {text}", text=text)
        else:
            known[letter] = known.get(letter, False) or answer.correct
    if missing := [letter for letter in ours.options if letter not in known]:
        yield say("option {letters} is not in the LMS", letters=", ".join(missing))
    right = frozenset(letter for letter, is_right in known.items() if is_right)
    if correct is None:
        yield say("the LMS's key is {theirs}, the specs' is not settled", theirs=in_letters([*right]))
    elif right != correct:
        yield say(
            "the LMS's key is {theirs}, the specs' {ours}", theirs=in_letters([*right]), ours=in_letters([*correct])
        )


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
