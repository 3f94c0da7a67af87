"""Fingerprints and provenance: what a result depends on, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators import provenance as provenance_module
from evaluators.evidence import Evidence, Inputs, Measurement, Site, canonical_json
from evaluators.gathering import fingerprint, gather
from evaluators.provenance import git_state, package_versions
from evaluators.store import Store
from tests.foreign.foreign_evaluators import Dice, DiceParameters

INPUTS = Inputs(files={"a.wav": "1" * 64, "b.wav": "2" * 64}, weights="3" * 64, packages=("numpy",), seed=1)


def mark(parameters: DiceParameters = DiceParameters(), inputs: Inputs = INPUTS) -> str:  # noqa: B008 - immutable
    return fingerprint(Dice(), parameters, inputs, Site())


def test_equal_requests_have_equal_fingerprints_whatever_was_left_to_default() -> None:
    assert mark(DiceParameters(sides=6)) == mark(DiceParameters())
    assert len(mark()) == 64


@pytest.mark.parametrize(
    "inputs",
    [
        replace(INPUTS, files={"a.wav": "1" * 64, "b.wav": "4" * 64}),
        replace(INPUTS, files={"b.wav": "2" * 64, "a.wav": "1" * 64}),
        replace(INPUTS, weights="5" * 64),
        replace(INPUTS, packages=("numpy", "scipy")),
        replace(INPUTS, seed=2),
    ],
    ids=["content", "order", "weights", "packages", "seed"],
)
def test_whatever_moves_a_number_moves_the_fingerprint(inputs: Inputs) -> None:
    assert mark(inputs=inputs) != mark()


def test_parameters_and_version_move_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = mark()
    assert mark(DiceParameters(sides=8)) != before
    monkeypatch.setattr(Dice, "version", 2)
    assert mark() != before


def test_where_and_how_fast_do_not(tmp_path: Path) -> None:
    here = gather(Dice(), DiceParameters(), Site(audio=tmp_path, jobs=1), Store(tmp_path / "a")).evidence
    there = gather(Dice(), DiceParameters(), Site(device="cpu", jobs=7), Store(tmp_path / "b")).evidence
    assert here.fingerprint == there.fingerprint
    assert here.measurements == there.measurements


def test_the_store_answers_the_second_time_unless_asked_anew(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = gather(Dice(), DiceParameters(), Site(), store).evidence
    assert gather(Dice(), DiceParameters(), Site(), store).evidence.provenance.started == first.provenance.started
    assert (
        gather(Dice(), DiceParameters(), Site(), store, refresh=True).evidence.provenance.started
        > first.provenance.started
    )


def test_provenance_names_commit_and_dirt_under_pytest_too(tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git
    for arguments in (["init", "-q"], ["config", "user.email", "a@b"], ["config", "user.name", "a"]):
        subprocess.run([git, "-C", tmp_path, *arguments], check=True)
    (tmp_path / "file").write_text("one")
    subprocess.run([git, "-C", tmp_path, "add", "file"], check=True)
    subprocess.run([git, "-C", tmp_path, "commit", "-qm", "one"], check=True)
    commit, dirty = git_state(tmp_path)
    assert len(str(commit)) == 40
    assert dirty is False
    (tmp_path / "file").write_text("two")
    assert git_state(tmp_path) == (commit, True)
    assert git_state(tmp_path / "nowhere") == (None, None)


def test_evidence_of_an_edited_checkout_is_marked_as_such(repository: Path, tmp_path: Path) -> None:
    """In a checkout of its own, made for the test, from which a process of its own runs."""
    for folder in ("basics", "audio", "evaluators", "tests"):
        shutil.copytree(
            repository / folder, tmp_path / folder, ignore=shutil.ignore_patterns("clips", "pocket_mimi*", "__py*")
        )
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *arguments], check=True)
    code = (
        "from evaluators.evidence import Site; from evaluators.gathering import gather;"
        "from tests.foreign.foreign_evaluators import Dice, DiceParameters;"
        "found = gather(Dice(), DiceParameters(), Site(), None).evidence.provenance;"
        "print(found.git_commit, found.git_dirty)"
    )

    def told() -> list[str]:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.split()

    commit, dirty = told()
    assert (len(commit), dirty) == (40, "False")
    with (tmp_path / "evaluators" / "store.py").open("a") as file:
        file.write("# edited\n")
    assert told() == [commit, "True"]


def test_evidence_of_this_checkout_carries_its_commit() -> None:
    found = gather(Dice(), DiceParameters(), Site(), None).evidence.provenance
    inside = (provenance_module.REPOSITORY / ".git").exists()
    assert (found.git_commit is not None) == inside
    assert found.packages == package_versions(["pydantic"])
    assert found.seed == 7
    assert found.started.tzinfo is not None


def test_a_missing_package_is_named_absent() -> None:
    assert package_versions(["no-such-package"]) == {"no-such-package": "absent"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": "measured"}, "a value or the reason"),
        ({"value": 1.0, "undefined": "x", "source": "measured"}, "a value or the reason"),
        ({"value": 1.0, "source": "published"}, "checked"),
        ({"value": 1.0, "source": "published", "checked": "read"}, "locator"),
        ({"value": 1.0, "source": "measured", "checked": "read"}, "checked"),
        ({"value": "a", "source": "measured", "interval": {"low": 0.0, "high": 1.0}}, "interval"),
        ({"value": 1.0, "source": "measured", "interval": {"low": 2.0, "high": 1.0}}, "upside down"),
        ({"value": 1.0, "source": "measured", "interval": {"low": float("nan"), "high": 1.0}}, "finite"),
        ({"value": 1.0, "source": "guessed"}, "measured"),
        ({"value": 1.0, "source": "measured", "colour": "red"}, "Extra"),
    ],
)
def test_inconsistent_measurements_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Measurement.model_validate({"name": "a.b", **fields})


def test_one_source_cannot_give_two_values_for_one_name() -> None:
    evidence = gather(Dice(), DiceParameters(), Site(), None).evidence
    doubled = evidence.model_dump() | {"measurements": [m.model_dump() for m in evidence.measurements[:1]] * 2}
    with pytest.raises(ValueError, match="measured twice"):
        Evidence.model_validate(doubled, strict=False)


def test_canonical_json_has_one_text_for_equal_data() -> None:
    assert canonical_json({"b": 1, "a": [1.5, "ä"]}) == '{"a":[1.5,"ä"],"b":1}'
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))
