"""Entries of the store are held to what they said when they were written: an edited one is told, and never used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

import pytest

from basics.files import write_whole
from evaluators.entries import Damaged, digests_of, entry_text, read_entry
from evaluators.evidence import Evidence, Findings, Frozen, Inputs, Quantity, Site
from evaluators.gathering import gather
from evaluators.registry import get
from evaluators.store import Store
from tests import hand_edits
from tests.hand_edits import CONTENT, REFORMATTED, TEXT, edit_content, edit_text, edit_with_digests, put

OTHER_CODEC = Site(codec="another/codec")
"""The wheel says that it used weights, which are not those of the codec of record."""


class WheelParameters(Frozen):
    throws: int = 2000


class Wheel:
    """An evaluator that nobody installed; it counts how often it is asked to measure."""

    name: ClassVar[str] = "wheel"
    version: ClassVar[int] = 1
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = WheelParameters

    def __init__(self, store: Store) -> None:
        self.store, self.measured = store, 0

    def quantities(self, _parameters: WheelParameters) -> Iterable[Quantity]:
        kinds = {"dice.colour": "text", "dice.noted": "bool"}
        for m in (*hand_edits.MEASUREMENTS, hand_edits.SHOWN):
            yield Quantity.model_validate({"name": m.name, "kind": kinds.get(m.name, "number"), "rests_on": ()})

    def inputs(self, _parameters: WheelParameters, _site: Site) -> Inputs:
        return hand_edits.INPUTS

    def measure(self, _parameters: WheelParameters, _site: Site) -> Findings:
        self.measured += 1
        plot = self.store.blob("b" * 64, ".png", lambda path: write_whole(path, b"a picture"))
        picture = self.store.artefact("a plot", plot, "image/png")
        return Findings((*hand_edits.MEASUREMENTS, hand_edits.SHOWN), (picture,))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def wheel(store: Store) -> Wheel:
    return Wheel(store)


@pytest.fixture
def entry(wheel: Wheel, ask: Callable[[], Evidence]) -> Path:
    """The file of what the wheel gave."""
    evidence = ask()
    assert ask() == evidence
    assert wheel.measured == 1
    return next(wheel.store.root.glob(f"evidence/*/{evidence.fingerprint}.json"))


@pytest.fixture
def ask(wheel: Wheel, store: Store) -> Callable[[], Evidence]:
    def call() -> Evidence:
        evidence: Evidence = gather(wheel, WheelParameters(), OTHER_CODEC, store).evidence
        return evidence

    return call


def assert_measured_anew(
    wheel: Wheel, entry: Path, ask: Callable[[], Evidence], capsys: pytest.CaptureFixture[str]
) -> None:
    """The edited entry is set aside with one line, handed to nobody, and replaced by what is measured."""
    capsys.readouterr()
    original = entry.with_suffix(".kept").read_bytes()
    request = read_entry(original).request
    assert wheel.store.latest(request) == []
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1, told
    assert told[0].startswith(f"earwitness: {entry}: ")
    assert "set aside in" in told[0]
    assert (wheel.store.root / "damaged" / entry.name).is_file()
    assert digests_of(ask()).content == digests_of(read_entry(original)).content
    assert wheel.measured == 2
    assert capsys.readouterr().err == ""
    assert len(wheel.store.latest(request)) == 1


@pytest.mark.parametrize("name", CONTENT)
def test_an_entry_whose_content_was_edited_is_measured_anew(
    wheel: Wheel, entry: Path, ask: Callable[[], Evidence], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shutil.copy(entry, entry.with_suffix(".kept"))
    edit_content(entry, CONTENT[name])
    assert_measured_anew(wheel, entry, ask, capsys)


@pytest.mark.parametrize("name", TEXT)
def test_an_entry_whose_text_was_edited_is_measured_anew(
    wheel: Wheel, entry: Path, ask: Callable[[], Evidence], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shutil.copy(entry, entry.with_suffix(".kept"))
    edit_text(entry, TEXT[name])
    assert_measured_anew(wheel, entry, ask, capsys)


def test_an_entry_under_the_name_of_another_is_measured_anew(
    wheel: Wheel, entry: Path, ask: Callable[[], Evidence], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(entry, entry.with_suffix(".kept"))
    other = gather(wheel, WheelParameters(throws=9), OTHER_CODEC, wheel.store).evidence
    wheel.measured = 1
    shutil.copy(next(wheel.store.root.glob(f"evidence/*/{other.fingerprint}.json")), entry)
    assert_measured_anew(wheel, entry, ask, capsys)


def test_an_entry_that_cannot_be_set_aside_is_not_used_either(
    wheel: Wheel, entry: Path, ask: Callable[[], Evidence], capsys: pytest.CaptureFixture[str]
) -> None:
    before = ask()
    (wheel.store.root / "damaged").write_text("a file where a folder belongs")
    edit_content(entry, CONTENT["a value"])
    assert wheel.store.get(before.fingerprint) is None
    assert "not used, and it cannot be set aside (" in capsys.readouterr().err
    assert ask().measurements == before.measurements


def test_a_removed_entry_is_measured_anew(wheel: Wheel, entry: Path, ask: Callable[[], Evidence]) -> None:
    entry.unlink()
    ask()
    assert wheel.measured == 2


def test_a_pointer_to_the_answer_to_another_request_is_not_followed(wheel: Wheel, entry: Path) -> None:
    other = gather(wheel, WheelParameters(throws=9), OTHER_CODEC, wheel.store).evidence
    asked = read_entry(entry.read_bytes()).request
    for pointer in wheel.store.root.glob(f"latest/*/{asked}.*"):
        pointer.write_text(other.fingerprint)
    assert wheel.store.latest(asked) == []


@pytest.mark.parametrize("name", REFORMATTED)
def test_a_reformatted_entry_is_the_same_entry(
    wheel: Wheel, entry: Path, ask: Callable[[], Evidence], name: str
) -> None:
    before = ask()
    entry.write_bytes(REFORMATTED[name](entry.read_text(encoding="utf-8")))
    assert ask() == before
    assert wheel.measured == 1


@pytest.mark.parametrize(
    "edit",
    [
        hand_edits.of("dice.mean", value=7.5, interval=None),
        hand_edits.of("dice.mean", name="dice.median"),
        hand_edits.of("dice.sides", value="six"),
        put("parameters", "sides", value="many"),
    ],
    ids=["outside its bounds", "an unknown name", "another kind", "an impossible parameter"],
)
@pytest.mark.usefixtures("foreign_quiz")
def test_what_its_evaluator_cannot_have_given_is_measured_anew_whatever_its_digests_say(
    store: Store, capsys: pytest.CaptureFixture[str], edit: hand_edits.Edit
) -> None:
    dice = get("dice")
    before = gather(dice, dice.Parameters(), Site(), store).evidence
    path = next(store.root.glob(f"evidence/*/{before.fingerprint}.json"))
    edit_with_digests(path, edit)
    assert gather(dice, dice.Parameters(), Site(), store).evidence.measurements == before.measurements
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_entry_reads_back_as_what_was_written(entry: Path) -> None:
    evidence = read_entry(entry.read_bytes())
    assert read_entry(entry_text(evidence)) == evidence
    assert json.loads(entry.read_bytes())["digests"] == digests_of(evidence).model_dump()


def test_the_content_is_the_same_whenever_and_wherever_it_is_measured(entry: Path) -> None:
    evidence = read_entry(entry.read_bytes())
    elsewhere = evidence.provenance.model_copy(update={"platform": "Plan9 mips", "seconds": 9.0, "python": "3.99"})
    again = digests_of(evidence.model_copy(update={"provenance": elsewhere}))
    assert again.content == digests_of(evidence).content
    assert again.provenance != digests_of(evidence).provenance


def test_an_entry_of_before_there_were_digests_says_that_it_has_none(entry: Path) -> None:
    edit_content(entry, CONTENT["no digests"])
    with pytest.raises(Damaged, match="has no digests of what it says"):
        read_entry(entry.read_bytes())


def test_what_is_damaged_says_what_was_found_and_what_was_expected(entry: Path) -> None:
    stated = digests_of(read_entry(entry.read_bytes())).content
    edit_content(entry, CONTENT["a value"])
    with pytest.raises(Damaged, match=rf"the sha256 of its content is \w{{12}}…, expected {stated[:12]}…"):
        read_entry(entry.read_bytes())
