"""From evidence to a key: what counts, what is kept, what a missing or breaking evaluator does to the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from basics.errors import InputError
from evaluators.evidence import Measurement, Site
from evaluators.gathering import gather
from evaluators.registry import get
from evaluators.store import Store
from grader.quiz.loading import load_quiz
from grader.quiz.spec import QuizBook
from grader.verdicts.record import changes, write_record
from grader.verdicts.testimony import Gatherer, answer_key, pick


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def book(foreign_quiz: Path) -> QuizBook:
    return load_quiz(foreign_quiz)


def test_another_courses_quiz_is_settled_by_its_own_evaluator(book: QuizBook) -> None:
    key = answer_key(book, mode="auto")
    assert {question.id: question.correct for question in key.questions} == {"fair": ("A", "C"), "sides": ("B",)}
    assert key.unsettled == ()
    assert not key.demonstration


def test_without_stored_evidence_the_cached_key_is_unsettled_and_says_what_to_run(book: QuizBook) -> None:
    gatherer = Gatherer(book, book.quiz.accept, book.site, Store(), "cached")
    testimony = gatherer.testimony(book.question("fair"))
    assert {verdict.state for verdict in testimony.verdicts.values()} == {"inconclusive"}
    assert "earwitness evidence" in testimony.missing[0].remedy


def test_a_second_key_measures_nothing(book: QuizBook) -> None:
    first = answer_key(book, mode="auto")
    second = answer_key(book, mode="cached")
    assert second == first


def test_evidence_of_record_comes_before_the_store(book: QuizBook) -> None:
    evidence = gather(get("dice"), get("dice").Parameters(), Site(), Store()).evidence
    biased = evidence.measurements[1].model_copy(update={"value": 4})
    others = tuple(m for m in evidence.measurements if m.name != "dice.sides")
    recorded = evidence.model_copy(update={"measurements": (biased, *others), "fingerprint": "f" * 64})
    new = changes(book.folder, recorded)
    assert [line.split()[:2] for line in new] == [["new", m.name] for m in recorded.measurements]
    assert "  new      dice.sides = 4 sides" in new
    assert "  new      dice.colour = undefined: nobody looked" in new
    write_record(book.folder, recorded)
    assert answer_key(book, mode="auto").question("sides").correct == ("A",)
    assert answer_key(book, mode="refresh").question("sides").correct == ("B",)
    assert changes(book.folder, evidence) == ["  changed  dice.sides: 4 sides -> 6 sides"]
    fewer = evidence.model_copy(update={"measurements": tuple(m.model_copy(update={"n": 6}) for m in others)})
    assert any(line.endswith("n = 6") for line in changes(book.folder, fewer)), "how many were measured is told, too"


def test_a_damaged_record_is_named(book: QuizBook) -> None:
    (book.folder / "evidence").mkdir()
    (book.folder / "evidence" / "dice-1.json").write_text('{"evaluator": "dice"')
    with pytest.raises(InputError, match=r"evidence/dice-1\.json: is not JSON"):
        answer_key(book)


def test_demonstration_evidence_never_becomes_that_of_record(book: QuizBook) -> None:
    evidence = gather(get("dice"), get("dice").Parameters(), Site(), None).evidence
    shown = tuple(m.model_copy(update={"source": "demonstration"}) for m in evidence.measurements)
    with pytest.raises(InputError, match="demonstration"):
        write_record(book.folder, evidence.model_copy(update={"measurements": shown}))


def test_what_is_missing_leaves_the_other_questions_alone(book: QuizBook) -> None:
    edit(book.folder / "sides.yaml", "evaluator: dice", "evaluator: dice\n    needs: a table")
    key = answer_key(load_quiz(book.folder), mode="auto")
    assert key.question("fair").settled
    assert not key.question("sides").settled
    assert "there is no table" in key.question("sides").obstacles[0]


def test_an_evaluator_that_breaks_loses_no_other_result(book: QuizBook) -> None:
    edit(book.folder / "fair.yaml", "evaluator: dice", "evaluator: dice\n    needs: luck")
    book = load_quiz(book.folder)
    results = Gatherer(book, book.quiz.accept, mode="auto").results(book.questions, lambda _step, _done: None)
    assert [(r.evidence is not None, r.problem is not None) for r in results] == [(False, True), (True, False)]
    assert results[0].problem
    assert results[0].problem.broken
    assert "the dice fell off the table" in results[0].problem.what


def test_questions_that_ask_the_same_are_measured_once(book: QuizBook) -> None:
    gatherer = Gatherer(book, book.quiz.accept, store=Store(), mode="auto")
    told: list[tuple[str, float]] = []
    results = gatherer.results(book.questions, lambda step, done: told.append((step, done)))
    assert told[0] == ("dice", 0.0)
    assert [result.questions for result in results] == [["fair", "sides"]]


def number(value: float | None, source: str) -> Measurement:
    more = {"locator": "§2", "checked": "read"} if source == "published" else {}
    content = {"value": value} if value is not None else {"undefined": "why not"}
    return Measurement.model_validate({"name": "dice.mean", "source": source, **content, **more})


@pytest.mark.parametrize(
    ("known", "accept", "expected"),
    [
        ([("published", 3.0), ("measured", 3.5)], ("measured", "published"), [3.5, 3.0]),
        ([("published", 3.0), ("measured", 3.5)], ("published", "measured"), [3.0, 3.5]),
        ([("measured", None), ("published", 3.0)], ("measured", "published"), [3.0, None]),
        ([("demonstration", 3.0)], ("measured", "published"), [None]),
        ([("demonstration", 3.0)], ("measured", "demonstration"), [3.0]),
    ],
)
def test_the_order_of_accept_decides_which_value_a_claim_sees(
    book: QuizBook, known: list[tuple[str, float | None]], accept: tuple[str, ...], expected: list[float | None]
) -> None:
    from grader.verdicts.testimony import Exhibit

    evidence = gather(get("dice"), get("dice").Parameters(), Site(), None).evidence
    exhibits = [
        Exhibit(evidence.model_copy(update={"measurements": (number(value, source),)}), "store")
        for source, value in known
    ]
    question = book.question("fair")
    picked = pick(question, exhibits, (), accept)["dice.mean"]  # type: ignore[arg-type]
    assert [m.value for m in picked] == expected
    if expected == [None]:
        assert "demonstration" in str(picked[0].undefined)


ASKED_TWICE = ("{evaluator: dice, sides: 4, throws: 300, as: small}", "{evaluator: dice, sides: 12, throws: 300}")


@pytest.mark.parametrize("order", [1, -1])
def test_requests_with_names_are_told_apart_in_any_order(foreign_quiz: Path, order: int) -> None:
    requests = "\n  - ".join(ASKED_TWICE[::order])
    edit(foreign_quiz / "sides.yaml", "- evaluator: dice", f"- {requests}")
    edit(foreign_quiz / "sides.yaml", "at_most: [dice.sides, 5]", "at_most: [small.dice.sides, 3]")
    edit(foreign_quiz / "sides.yaml", "equals: [dice.sides, 6]", "equals: [small.dice.sides, 4]")
    edit(foreign_quiz / "sides.yaml", "[dice.sides, 7]", "[small.dice.sides, 5]")
    book = load_quiz(foreign_quiz)
    gatherer = Gatherer(book, book.quiz.accept, store=Store(), mode="auto")
    found = gatherer.testimony(book.question("sides"))
    assert {letter: verdict.state for letter, verdict in found.verdicts.items()} == {
        "A": "refuted",
        "B": "supported",
        "C": "refuted",
    }
    assert {exhibit.prefix for exhibit in found.exhibits} == {"small", ""}


def test_two_requests_for_the_same_names_are_refused(foreign_quiz: Path) -> None:
    requests = "\n  - ".join(ASKED_TWICE).replace(", as: small", "")
    edit(foreign_quiz / "sides.yaml", "- evaluator: dice", f"- {requests}")
    with pytest.raises(
        InputError, match=r"sides\.yaml:8: dice is asked twice for dice\.colour, dice\.mean, dice\.sides"
    ):
        load_quiz(foreign_quiz)


@pytest.mark.parametrize("order", [1, -1])
def test_two_evaluators_that_offer_one_name_are_refused_in_either_order(foreign_quiz: Path, order: int) -> None:
    requests = ["evaluator: dice", "evaluator: quick_dice"][::order]
    edit(foreign_quiz / "sides.yaml", "- evaluator: dice", "- " + "\n  - ".join(requests))
    told = rf"{requests[0][11:]} and {requests[1][11:]} offer dice\.colour, dice\.mean, dice\.sides\n.*say `as: other`"
    with pytest.raises(InputError, match=rf"sides\.yaml:8: {told}"):
        load_quiz(foreign_quiz)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("needs", ["", ", needs: a table"])
def test_a_fallback_counts_only_where_the_other_gives_no_value(foreign_quiz: Path, order: int, needs: str) -> None:
    requests = [f"{{evaluator: dice, sides: 6{needs}}}", "{evaluator: dice, sides: 12, fallback: true}"][::order]
    edit(foreign_quiz / "sides.yaml", "- evaluator: dice", "- " + "\n  - ".join(requests))
    book = load_quiz(foreign_quiz)
    found = Gatherer(book, book.quiz.accept, store=Store(), mode="auto").testimony(book.question("sides"))
    supported = [letter for letter, verdict in found.verdicts.items() if verdict.state == "supported"]
    assert supported == (["C"] if needs else ["B"])
