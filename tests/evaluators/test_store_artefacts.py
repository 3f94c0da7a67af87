"""Evidence is returned with the plots and sounds that it names, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evaluators.evidence import Evidence, Measurement, Provenance
from evaluators.store import Store

FINGERPRINT = "a" * 64


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def shown(store: Store) -> list[Path]:
    """The files of two artefacts whose evidence is in the store."""
    paths = [store.blob(letter * 64, ".png", lambda path: _draw(path, b"\x89PNG")) for letter in "bc"]
    store.put(
        Evidence(
            evaluator="dice",
            version=1,
            parameters={},
            fingerprint=FINGERPRINT,
            measurements=(Measurement(name="dice.mean", value=3.5, source="measured"),),
            artefacts=tuple(store.artefact(path.stem[0], path, "image/png") for path in paths),
            provenance=Provenance(earwitness="0", python="3", started=datetime.now(UTC), seconds=0),
        )
    )
    return paths


def _draw(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def test_evidence_with_its_artefacts_is_found(store: Store, shown: list[Path]) -> None:
    found = store.get(FINGERPRINT)
    assert found
    assert [store.root / artefact.path for artefact in found.artefacts] == shown
    assert store.latest(found.request) == [found]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    "lose", [Path.unlink, lambda path: _draw(path, b"\x89PN"), lambda path: _draw(path, b"\x89PNg")],
    ids=["gone", "cut short", "altered"],
)  # fmt: skip
def test_evidence_whose_artefact_is_gone_or_altered_counts_as_missing(
    store: Store, shown: list[Path], lose: Callable[[Path], None], number: int
) -> None:
    found = store.get(FINGERPRINT)
    assert found
    lose(shown[number])
    assert store.latest(found.request) == []
    assert store.get(FINGERPRINT) is None
