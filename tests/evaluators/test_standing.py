"""What can be of record: the quiz's own codec, on sound that did not come with the project."""

from __future__ import annotations

import pytest

from audio.codec.weights import MIMI
from evaluators.evidence import Site
from evaluators.standing import built_in_sounds, standing

OWN = ["a" * 64]


@pytest.mark.parametrize(
    ("codec", "of_record", "is_reference", "expected"),
    [
        (None, MIMI, True, "measured"),
        (MIMI, MIMI, True, "measured"),
        ("folder/with/a/copy", MIMI, True, "measured"),
        ("folder/with/another", MIMI, False, "demonstration"),
        (MIMI, "somebody/else", True, "demonstration"),
        ("somebody/else", "somebody/else", False, "measured"),
    ],
)
def test_the_codec_of_record_is_known_by_name_or_by_weights(
    codec: str | None, of_record: str, is_reference: bool, expected: str
) -> None:
    site = Site(codec=codec, codec_of_record=of_record)
    assert standing(site, is_reference, OWN) == expected


def test_one_built_in_clip_makes_a_demonstration_of_any_codec() -> None:
    built_in = next(iter(built_in_sounds()))
    assert len(built_in_sounds()) > 200
    assert standing(Site(codec_of_record=MIMI), True, [*OWN, built_in]) == "demonstration"
