"""The parts of the report that need no browser: drawings, sounds, pictures, maps of a large corpus."""

from __future__ import annotations

import base64
import io
import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evaluators.evidence import Evidence, Interval, Measurement, Provenance, Site
from evaluators.store import Store
from grader.quiz.claims import AtLeast, AtMost, Equals, Form, Greater, IsTrue, Less, in_words, names_of
from grader.quiz.loading import BUILT_IN_QUIZ, load_quiz
from grader.quiz.spec import QuizBook
from grader.report.cards import leaves
from grader.report.panels import HEARD, MapDrawings, Page, sections
from grader.report.sounds import PICTURE_SIZE, SoundBank, level_matched, spectrograms
from grader.verdicts import testimony as testimonies
from grader.verdicts.judge import compare, every_comparison, judge
from grader.verdicts.lines import number_line

NUMBERS = st.floats(-50, 50).map(lambda x: round(x, 3))
SIZES = st.floats(0, 5).map(lambda x: round(x, 3))
FORMS = st.one_of(
    st.builds(lambda x, m: AtLeast(at_least=("a", x), margin=m), NUMBERS, SIZES),
    st.builds(lambda x, m: AtMost(at_most=("a", x), margin=m), NUMBERS, SIZES),
    st.builds(lambda x, m: Greater(greater=("a", "b"), by=x, margin=m), SIZES, SIZES),
    st.builds(lambda x, m: Less(less=("a", "b"), by=x, margin=m), SIZES, SIZES),
    st.builds(lambda x, m: Equals(equals=("a", x), tolerance=m), NUMBERS, SIZES),
)


@pytest.fixture(scope="module")
def book() -> QuizBook:
    return load_quiz(BUILT_IN_QUIZ)


def measured(name: str, value: float, half: float) -> Measurement:
    interval = Interval(low=value - half, high=value + half) if half else None
    return Measurement(name=name, value=value, interval=interval, source="measured")


class TestNumberLine:
    @given(FORMS, NUMBERS, NUMBERS, SIZES)
    def test_shows_what_was_decided(self, form: Form, a: float, b: float, half: float) -> None:
        candidates = {"a": [measured("a", a, half)], "b": [measured("b", b, half)]}
        comparison = compare(form, candidates)
        line = number_line(form, comparison)
        assert line is not None
        low, high = (line.interval.left, line.interval.right) if line.interval else (line.value, line.value)
        everything = [low, high, line.value, *(tick.at for tick in (*line.thresholds, *line.ticks))]
        assert all(0 <= place <= 100 for place in everything)
        assert low - 0.011 <= line.value <= high + 0.011
        slack = 0.03  # percent of the width: positions are rounded to a hundredth
        if comparison.state == "supported":
            assert low >= line.holds.left - slack
            assert high <= line.holds.right + slack
        if comparison.state == "refuted":
            assert high <= line.holds.left + slack or low >= line.holds.right - slack

    def test_marks_the_margin_on_both_sides_of_the_threshold(self) -> None:
        form = AtLeast(at_least=("a", 0.8), margin=0.05)
        line = number_line(form, compare(form, {"a": [measured("a", 0.9, 0.02)]}))
        assert line is not None
        (margin,), (threshold,) = line.margin, line.thresholds
        assert threshold.at == pytest.approx((margin.left + margin.right) / 2, abs=0.02)
        assert threshold.label == "≥ 0.8"

    def test_is_left_out_for_facts_and_for_what_is_undefined(self) -> None:
        fact = Measurement(name="a", value=True, source="executed")
        assert number_line(IsTrue(is_true="a"), compare(IsTrue(is_true="a"), {"a": [fact]})) is None
        form = AtLeast(at_least=("a", 1.0))
        absent = Measurement(name="a", undefined="no utterance", source="measured")
        assert number_line(form, compare(form, {"a": [absent]})) is None


def test_every_comparison_of_the_quiz_meets_its_own_form(book: QuizBook) -> None:
    for question in book.questions:
        for option in question.options.values():
            forms = list(leaves(option.claim))
            names = {name for form in forms for name in names_of(form)}
            unknown = {n: [Measurement(name=n, undefined="not measured", source="measured")] for n in names}
            decided = every_comparison(judge(option.claim, unknown).step)
            assert [in_words(form) for form in forms] == [comparison.claim for comparison in decided]


class TestSounds:
    @pytest.mark.parametrize("gain", [0.05, 1.0, 8.0])
    def test_are_brought_to_one_level_without_clipping(self, gain: float) -> None:
        generator = np.random.default_rng(0)
        first = (0.3 * generator.standard_normal(24_000).clip(-3, 3)).astype(np.float32)
        matched = level_matched(first, first * np.float32(gain))
        assert np.sqrt(np.mean(matched.first**2)) == pytest.approx(np.sqrt(np.mean(matched.second**2)), rel=1e-4)
        assert max(np.abs(matched.first).max(), np.abs(matched.second).max()) <= 0.9901
        assert matched.gain_db == pytest.approx(-20 * np.log10(gain), abs=1e-3)

    def test_silence_stays_silence(self) -> None:
        silence, sound = np.zeros(100, np.float32), np.full(100, 0.5, np.float32)
        assert not level_matched(sound, silence).second.any()
        assert level_matched(silence, sound).gain_db == 0

    def test_to_be_compared_are_kept_exactly_and_once(self) -> None:
        sound = np.sin(np.arange(2400) / 10).astype(np.float32) / 2
        bank = SoundBank()
        assert bank.exact(sound, 24_000) == bank.exact(sound, 24_000)
        (place,) = bank.places.values()
        head, body = place.split(",")
        assert head == "data:audio/flac;base64"
        heard, rate = soundfile.read(io.BytesIO(base64.b64decode(body)))
        assert rate == 24_000
        np.testing.assert_allclose(heard, sound, atol=1 / 32768)


def test_the_difference_of_equal_sounds_has_no_colour() -> None:
    sound = np.random.default_rng(0).standard_normal(24_000).astype(np.float32) / 10
    drawn = spectrograms(sound, sound, 24_000)
    picture = Image.open(io.BytesIO(base64.b64decode(drawn.difference.split(",")[1]))).convert("RGB")
    assert picture.size == PICTURE_SIZE
    assert np.ptp(np.asarray(picture, float).mean(axis=(0, 1))) < 3
    assert (drawn.seconds, drawn.khz) == (1.0, 8.0)


def test_a_large_corpus_stays_a_light_page(book: QuizBook, tmp_path: Path) -> None:
    store, dice, clips = Store(tmp_path), random.Random(0), 4000
    rows = ["layer,seed,x,y,file,label,speaker"]
    for layer in (0, 6, 16, 31):
        for i in range(clips):
            x, y = dice.gauss(0, 1), dice.gauss(0, 1)
            rows.append(f"{layer},0,{x:.5f},{y:.5f},bea_{i}.wav,{('Angry', 'Sleepy')[i % 2]},bea")
    path = store.blob("0" * 64, ".csv", lambda made: made.write_text("\n".join(rows)) and None)
    evidence = Evidence(
        evaluator="layer_separation",
        version=1,
        parameters={},
        fingerprint="f" * 64,
        measurements=(Measurement(name="corpus.clips", value=clips, source="measured"),),
        artefacts=(store.artefact("points", path, "text/csv"),),
        provenance=Provenance(earwitness="0", python="3", started=datetime.now(UTC), seconds=0),
    )
    testimony = testimonies.Testimony(book.question("q05"), (testimonies.Exhibit(evidence, "store"),), (), {}, {})
    (found,) = sections([testimony], Site(cache=store.root), Page(store, SoundBank(), "en"))
    (shown,) = (figure.view for figure in found.groups[""])
    assert isinstance(shown, MapDrawings)
    assert "--corpus" in shown.notice
    for panel in shown.drawings:
        behind = "".join(path for _, path in panel.background)
        assert len(panel.points) == HEARD
        assert len(panel.points) + behind.count("M") == clips
        assert all(0 <= x <= 300 and 0 <= y <= 300 for _, x, y in panel.points)
