"""Verdicts as people read them, and that nothing which is said is missing in a language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evaluators.evidence import Interval, Measurement
from grader.quiz.claims import Form, comparisons, parts
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.quiz.spec import Option
from grader.quiz.words import CHOICE, translation, words
from grader.verdicts.judge import judge
from grader.verdicts.sentences import Teller, figures
from tests.conftest import REPOSITORY

COUNT = {"at_least": ("code.modules", 1), "about": "The code has {a|no} module for speech", "why": "one would do"}


def option(**claim: object) -> Option:
    return Option.model_validate({"text": "It recognises speech.", "claim": claim}, strict=False)


def told(asked: Option, *measurements: Measurement, language: str = "en") -> list[str]:
    verdict = judge(asked.claim, {m.name: (m,) for m in measurements})
    lines = Teller(language).tell(asked, verdict).lines  # type: ignore[arg-type]
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def executed(value: int | float, name: str = "code.modules", unit: str = "classes") -> Measurement:
    return Measurement(name=name, value=value, unit=unit, source="executed")


def test_a_count_is_exact_and_stands_beside_what_was_needed() -> None:
    needed = "The code has no module for speech (exactly 0 classes; at least 1 would be needed). One would do."
    assert told(option(**COUNT), executed(0)) == [needed, "So the statement does not hold."]
    assert told(option(**COUNT), executed(1))[0].startswith(
        "The code has a module for speech (exactly 1 class; at least 1 needed)."
    )


def test_a_measured_value_has_its_interval_and_its_gap_and_a_published_one_has_no_gap() -> None:
    asked = option(at_least=("stoi.english", 0.7), about="The speech is {intelligible|not intelligible}")
    heard = Measurement(
        name="stoi.english", value=0.84, unit="share", source="measured", interval=Interval(low=0.8, high=0.87)
    )
    (said, _) = told(asked, heard)
    assert said == (
        "The speech is intelligible (84 %, 95 % interval 80 % to 87 %; at least 70 % needed; "
        "the whole interval is at least 10 % from the threshold)."
    )
    cited = Measurement(name="stoi.english", value=0.84, source="published", checked="read", locator="Table 2")
    assert told(asked, cited)[0] == "The speech is intelligible (0.84; at least 0.7 needed)."


def test_what_is_asked_not_to_hold_is_told_as_it_was_found() -> None:
    asked = option(**{"not": {"equals": ("model.input", "text"), "about": "It is given {text|more than text}"}})
    found = Measurement(name="model.input", value="sound", source="published", checked="read", locator="section 3")
    assert told(asked, found) == ["It is given more than text (found: “sound”).", "So the statement holds."]


def test_everything_that_refutes_is_told_the_strongest_first() -> None:
    asked = option(
        all=[
            {"at_least": ("code.near", 10), "about": "near {ten|not ten}"},
            {"at_least": ("code.far", 10), "about": "far {ten|not ten}"},
            {"at_least": ("code.there", 10), "about": "there {ten|not ten}"},
        ]
    )
    values = {"code.near": 9, "code.far": 1, "code.there": 12}
    said = told(asked, *(executed(value, name) for name, value in values.items()))
    assert [line.partition(" ")[0] for line in said[:-1]] == ["far", "near"]


def test_what_is_unknown_is_said_with_its_reason() -> None:
    revision = "89091b3e466eb6a9d11e537bf26b144f194978f7"
    missing = Measurement(name="code.modules", undefined=f"no weights of {revision}; run it again", source="executed")
    said = told(option(**COUNT), missing)
    assert said[0].startswith(
        "Whether this is so is not known: The code has a module for speech (no weights of 89091b3…)."
    )
    assert said[-1] == "So it stays open."


def test_a_comparison_without_words_of_its_own_is_told_as_it_is_written() -> None:
    assert told(option(at_most=("code.modules", 2)), executed(1))[0] == (
        "code.modules ≤ 2 (exactly 1 class; at most 2 allowed)."
    )


def test_what_defeats_a_claim_is_what_is_told() -> None:
    asked = Option.model_validate(
        {
            "text": "It recognises speech.",
            "claim": COUNT,
            "contrary": [
                {
                    "evidence": {"at_least": ("code.refusals", 1)},
                    "answer": "It refused to, when tried.",
                    "defeats": True,
                }
            ],
        },
        strict=False,
    )
    found = {m.name: (m,) for m in (executed(1), executed(2, "code.refusals", "answers"))}
    said = Teller().tell(asked, judge(asked.claim, found, asked.asides))
    assert said.line == "Against it: It refused to, when tried."
    assert said.lines == ["So the statement does not hold.", "Against it: It refused to, when tried."]


@pytest.mark.parametrize(("value", "text"), [(0.05394, "0.0539"), (-0.66, "−0.66"), (44100, "44,100"), (81, "81")])
def test_figures(value: float, text: str) -> None:
    assert figures(value) == text


def test_the_reasons_that_are_translated_are_still_given() -> None:
    sources = [path for floor in ("evaluators", "grader") for path in (REPOSITORY / floor).rglob("*.py")]
    given = "".join(path.read_text(encoding="utf-8") for path in sources)
    told = [text.replace("only recalled", "only {standings}") for text in words("reasons", "en").values()]
    assert [text for text in told if text not in given] == []


def reasons(claim: Form) -> Iterator[str]:
    if claim.why:
        yield claim.why
    for part in parts(claim):
        yield from reasons(part)


def test_all_that_the_quiz_says_of_its_comparisons_is_translated_and_nothing_is_left_over() -> None:
    questions = load_quiz(BUILT_IN_QUIZ).questions
    options = [option for question in questions for option in question.options.values()]
    claims = [option.claim for option in options]
    said = [c.about for claim in claims for c in comparisons(claim)] + [why for c in claims for why in reasons(c)]
    said += [aside.answer for option in options for aside in option.asides]
    said += [one.note for one in (*questions, *options) if one.note]
    english = {" ".join(text.split()) for text in said}
    chinese = translation(BUILT_IN_QUIZ, "zh-TW")
    assert english - set(chinese) == set()
    left = set(chinese) - english
    assert {text for text in left if CHOICE.search(text) or text.endswith(".")} == set(), "nobody says this any more"
    uneven = [text for text in english if bool(CHOICE.search(text)) != bool(CHOICE.search(chinese[text]))]
    assert uneven == []
