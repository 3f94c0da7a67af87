"""Item statistics of classical test theory, for questions scored in parts and for every option as a true/false item.

Conventions: a score matrix has one row per student and one column per item. Statistics that need variance are None
where there is none, and where there are fewer than three students.

- difficulty: mean share of the item's points, in [0, 1]; low is hard.
- discrimination: Pearson's r of the item with the rest score, the total without this item ("corrected item-total
  correlation"; for 0/1 items the point-biserial), in [-1, 1].
- upper-lower: difference of the item's difficulty between the best and the weakest 27 % by total (Kelley 1939); ties
on a border go to the group they touch, so groups may be larger.
- alpha: Cronbach (1951), k/(k-1) * (1 - sum of item variances / variance of the total); KR-20 for 0/1 items. The
interval is the percentile bootstrap over students.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from basics.messages import NOTHING, Message, say
from evaluators.evidence import Frozen, Interval
from grader.marking.grading import Grades, StudentRecord
from grader.marking.scoring import printed_points, treated_rightly
from grader.submissions.model import Chosen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from grader.verdicts.key import AnswerKey

    Matrix = NDArray[np.float64]
    from numpy.typing import NDArray
    from rich.console import Console


FEWEST = 3
SMALL_CLASS = 30
"""Below this, correlations are mostly noise: with 30 students the 95 % interval of r = 0.3 still covers 0."""
GROUP = 0.27
RESAMPLES = 2000


class ItemStatistics(Frozen):
    """One item. `without` is alpha if the item is left out."""

    name: str
    n: int
    difficulty: float | None
    deviation: float | None
    discrimination: float | None
    upper_lower: float | None
    without: float | None


class Reliability(Frozen):
    """Alpha of a set of items; None where it is not defined, with the reason."""

    items: int
    n: int
    alpha: float | None
    interval: Interval | None
    reason: Message = NOTHING


def item_statistics(scores: Matrix, possible: Matrix, names: list[str]) -> tuple[ItemStatistics, ...]:
    """Statistics of every column of `scores` (n, k), each worth `possible` (k,) points."""
    n = len(scores)
    totals = scores.sum(axis=1)
    best, weakest = extreme_groups(totals)
    return tuple(
        ItemStatistics(
            name=name,
            n=n,
            difficulty=_mean(scores[:, i] / possible[i]),
            deviation=float(scores[:, i].std()) if n else None,
            discrimination=correlation(scores[:, i], totals - scores[:, i]),
            upper_lower=_difference(scores[best, i] / possible[i], scores[weakest, i] / possible[i]),
            without=alpha(np.delete(scores, i, axis=1)),
        )
        for i, name in enumerate(names)
    )


def reliability(scores: Matrix, *, seed: int = 0, resamples: int = RESAMPLES) -> Reliability:
    """Alpha of `scores` (n, k) with its 95 % bootstrap interval over students."""
    n, k = scores.shape
    value = alpha(scores)
    if value is None:
        reason = (
            say("fewer than two items")
            if k < 2
            else say("fewer than three students")
            if n < FEWEST
            else say("no variance in the totals")
        )
        return Reliability(items=k, n=n, alpha=None, interval=None, reason=reason)
    generator = np.random.default_rng(seed)
    draws = [alpha(scores[generator.integers(0, n, n)]) for _ in range(resamples)]
    low, high = np.percentile([draw for draw in draws if draw is not None], [2.5, 97.5])
    return Reliability(items=k, n=n, alpha=value, interval=Interval(low=float(low), high=float(high), over="students"))


def alpha(scores: Matrix) -> float | None:
    """Cronbach's alpha of `scores` (n, k), at most 1; None below two items, three students, or without variance."""
    n, k = scores.shape
    if n < FEWEST or k < 2:
        return None
    total = scores.sum(axis=1).var(ddof=1)
    if total <= 1e-12:
        return None
    return float(k / (k - 1) * (1 - scores.var(axis=0, ddof=1).sum() / total))


def correlation(a: Matrix, b: Matrix) -> float | None:
    """Pearson's r of two columns (n,); None below three students or without variance."""
    if len(a) < FEWEST or a.std() <= 1e-12 or b.std() <= 1e-12:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def extreme_groups(totals: Matrix) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks (n,) of the best and the weakest 27 % by total, ties on the border included."""
    n = len(totals)
    size = max(1, round(GROUP * n))
    if not n:
        return np.zeros(0, bool), np.zeros(0, bool)
    ordered = np.sort(totals)
    return totals >= ordered[n - size], totals <= ordered[size - 1]


def wilson(successes: int, n: int, level_z: float = 1.959963984540054) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), honest for few students too; (0, 1) for none."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = successes / n, level_z**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = level_z * (p * (1 - p) / n + z2 / (4 * n * n)) ** 0.5 / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def _mean(values: Matrix) -> float | None:
    return float(values.mean()) if len(values) else None


def _difference(a: Matrix, b: Matrix) -> float | None:
    return float(a.mean() - b.mean()) if len(a) and len(b) else None


Row = dict[str, Any]


def analyse(grades: Grades, key: AnswerKey | None = None) -> dict[str, Any]:
    """All statistics of the kept attempts, as JSON data; `key` says what the teaching staff decided.

    Students are counted who answered every graded question of the quiz in the attempt that counts; late and ungraded
    ones are left out, and how many is said.
    """
    graded = [i for i, is_graded in enumerate(grades.scorer.graded) if is_graded and _has_key(grades, i)]
    records = [r for r in grades.records if r.decision.kept and all(r.units[i] is not None for i in graded)]
    questions = [grades.scorer.book.questions[i] for i in graded]
    scores = _question_scores(grades, records, graded)
    possible = np.array([float(printed_points(question)) for question in questions])
    rightly, ticked, names = _option_items(grades, records, graded)
    total = scores.sum(axis=1)
    return {
        "quiz": grades.scorer.book.quiz.id,
        "rule": grades.scorer.rule,
        "n": len(records),
        "left_out": len(grades.records) - len(records),
        "mean": grades.mean,
        "key": key.digest if key else None,
        "decisions": [decision.told(number) for number, decision in enumerate(key.decisions if key else (), 1)],
        "small_class": len(records) < SMALL_CLASS,
        "questions": [s.model_dump() for s in item_statistics(scores, possible, [q.id for q in questions])],
        "options": _options(rightly, ticked, names, total, scores, graded, grades),
        "reliability": {
            "questions": reliability(scores).model_dump(),
            "options": reliability(rightly).model_dump(),
        },
    }


def _has_key(grades: Grades, index: int) -> bool:
    return grades.scorer.key[grades.scorer.book.questions[index].id] is not None


def _question_scores(grades: Grades, records: list[StudentRecord], graded: list[int]) -> NDArray[np.float64]:
    units = [[float(record.units[i] or 0) for i in graded] for record in records]
    return np.array(units, dtype=float).reshape(len(records), len(graded)) / grades.scorer.denominator


def _option_items(
    grades: Grades, records: list[StudentRecord], graded: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[int, str]]]:
    """Whether each option was treated rightly, and whether it was ticked: both (students, options)."""
    names = [(i, letter) for i in graded for letter in grades.scorer.book.questions[i].options]
    judged: dict[tuple[int, Chosen], list[bool]] = {}
    rightly, ticked = [], []
    for record in records:
        kept = record.decision.kept
        assert kept is not None
        ticked.append([letter in (kept.chosen[i] or ()) for i, letter in names])
        row: list[bool] = []
        for i in graded:
            answer = i, kept.chosen[i] or frozenset()
            if answer not in judged:
                judged[answer] = _treated_rightly(grades, *answer)
            row += judged[answer]
        rightly.append(row)
    shape = len(records), len(names)
    return np.array(rightly, dtype=float).reshape(shape), np.array(ticked, dtype=float).reshape(shape), names


def _treated_rightly(grades: Grades, index: int, chosen: Chosen) -> list[bool]:
    """Of each option of a question, whether it was; where a decision leaves nothing to judge, it was."""
    question, scorer = grades.scorer.book.questions[index], grades.scorer
    correct, ruling = scorer.key[question.id] or frozenset(), scorer.rulings.get(question.id)
    return [treated_rightly(question, correct, chosen, letter, ruling) is not False for letter in question.options]


def _options(
    rightly: NDArray[np.float64],
    ticked: NDArray[np.float64],
    names: list[tuple[int, str]],
    total: NDArray[np.float64],
    scores: NDArray[np.float64],
    graded: list[int],
    grades: Grades,
) -> list[Row]:
    """Each option as an item of its own; as a distractor it is compared with the score on the other questions."""
    labels = [f"{grades.scorer.book.questions[i].id} {letter}" for i, letter in names]
    statistics = item_statistics(rightly, np.ones(len(names)), labels)
    best, weakest = extreme_groups(total)
    rows = []
    for j, ((i, letter), item) in enumerate(zip(names, statistics, strict=True)):
        question = grades.scorer.book.questions[i]
        rest = total - scores[:, graded.index(i)]
        rows.append(
            item.model_dump()
            | {
                "question": question.id,
                "letter": letter,
                "correct": letter in (grades.scorer.key[question.id] or ()),
                "ticked": _share(ticked[:, j]),
                "ticked_by_best": _share(ticked[best, j]),
                "ticked_by_weakest": _share(ticked[weakest, j]),
                "tick_and_rest": correlation(ticked[:, j], rest),
            }
        )
    return rows


def _share(column: NDArray[np.float64]) -> float | None:
    return float(column.mean()) if len(column) else None


def show_items(out: Console, data: dict[str, Any]) -> None:
    """The statistics for people; n stands at the top and small classes are told so."""
    from rich.table import Table

    n, left_out = data["n"], data["left_out"]
    counted = say(
        "n = {n} students, rule {rule}; {left_out} left out (late or not graded)",
        n=n,
        rule=data["rule"],
        left_out=left_out,
    )
    out.print(counted)
    mean = say("mean {mean} of all {n} who submitted", mean=data["mean"], n=n + left_out)
    out.print(say("{summary}; key {key}", summary=mean, key=data["key"][:12]) if data["key"] else mean)
    for line in data["decisions"]:
        out.print(say("decided: {decision}", decision=line))
    if data["small_class"]:
        told = say(
            "Fewer than {n} students: correlations and alpha are mostly noise, read them as hints.", n=SMALL_CLASS
        )
        out.print(told, style="yellow")
    discrimination = say("discrimination")
    table = Table(say("question"), say("difficulty"), discrimination, say("upper-lower"), say("alpha without"))
    for row in data["questions"]:
        cells = [row[name] for name in ("difficulty", "discrimination", "upper_lower", "without")]
        table.add_row(row["name"], *map(number, cells))
    out.print(table)
    by_group = say("best 27%"), say("weakest 27%")
    options = Table(say("option"), say("key"), say("ticked"), *by_group, say("treated rightly"), discrimination)
    for row in data["options"]:
        cells = [row[n] for n in ("ticked", "ticked_by_best", "ticked_by_weakest", "difficulty", "discrimination")]
        options.add_row(row["name"], say("yes") if row["correct"] else say("no"), *map(number, cells))
    out.print(options)
    for name, label in (("questions", say("questions")), ("options", say("options as true/false items"))):
        out.print(_reliability(label, data["reliability"][name]))


def _reliability(label: Message, row: Row) -> Message:
    if row["alpha"] is None:
        return say("alpha over {items}: none ({reason})", items=label, reason=row["reason"])
    told = say("alpha over {n} {items}: {alpha:.2f}", n=row["items"], items=label, alpha=row["alpha"])
    low, high = row["interval"]["low"], row["interval"]["high"]
    return say("{estimate} [{low:.2f}, {high:.2f}], n = {n}", estimate=told, low=low, high=high, n=row["n"])


def number(value: float | None) -> str:
    """Two decimals, or a dash where there is no value."""
    return "-" if value is None else f"{value:.2f}"
