"""Evidence as it stands in a file: JSON that carries digests of what it says, and is held to them whenever it is read.

Where the evaluator that it is of is here, it is held to what that one announces, too.

The digests are taken of what the JSON means, so a file may be indented, ordered and ended as anybody likes; whoever
changes a value, a locator or a date in it changes what it means.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, ValidationError

from basics.errors import InputError
from basics.json_source import parsed_object
from basics.messages import NOTHING, Message, said_by, say, together
from basics.model_faults import raised
from evaluators.announcement import announced, unlike_announced
from evaluators.evidence import Evaluator, Evidence, Frozen, digest
from evaluators.registry import get

DIGESTS = "digests"
CIRCUMSTANCES = {
    *("earwitness", "git_commit", "git_dirty", "python", "platform", "started", "seconds"),
    *("evaluator", "code"),
}
"""Of the provenance, what another run of the same measurement would not repeat."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Digests(Frozen):
    """What a piece of evidence says, as two digests.

    `content` is over all that the same measurement gives again elsewhere: evaluator, version, parameters, fingerprint,
    measurements, artefacts, and of the provenance inputs, weights, packages and seed. `provenance` is over the whole
    provenance, date and machine included.
    """

    content: Sha256
    provenance: Sha256


class Damaged(Exception):
    """What a file holds cannot be taken for evidence; the text says what was found and what was expected.

    `evidence` is what it would be where it can be read all the same.
    """

    def __init__(self, what: Message, evidence: Evidence | None = None) -> None:
        super().__init__(what)
        self.evidence = evidence


def digests_of(evidence: Evidence) -> Digests:
    """The digests of evidence as it is now; what has its default counts as left out."""
    said = evidence.model_dump(mode="json", exclude_defaults=True)
    provenance = said["provenance"]
    lasting = {name: value for name, value in provenance.items() if name not in CIRCUMSTANCES}
    return Digests(content=digest({**said, "provenance": lasting}), provenance=digest(provenance))


def entry_text(evidence: Evidence) -> bytes:
    """The file of a piece of evidence, its digests first."""
    said = evidence.model_dump(mode="json", exclude_defaults=True)
    entry = {DIGESTS: digests_of(evidence).model_dump(), **said}
    return (json.dumps(entry, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_entry(content: bytes) -> Evidence:
    """The evidence in a file's bytes. Raises Damaged where it is none, or is not what its digests say."""
    entry = parsed(content)
    stated = entry.pop(DIGESTS, None)
    try:
        evidence = Evidence.model_validate_json(json.dumps(entry, allow_nan=False))
        found = digests_of(evidence)
    except ValueError as error:
        raise Damaged(say("is not evidence: {fault}", fault=first_fault(error))) from error
    if stated is None:
        raise Damaged(say("has no {key} of what it says", key=DIGESTS), evidence)
    if difference := unlike(stated, found):
        raise Damaged(say("was changed: {difference}", difference=difference), evidence)
    return evidence


def unlike(stated: Any, found: Digests) -> Message:
    """The first of the digests that is not as stated, in words; empty where both are."""
    if not isinstance(stated, dict) or stated.keys() != Digests.model_fields.keys():
        return say("its {key} are not of {names}", key=DIGESTS, names=together(Digests.model_fields, say(" and ")))
    for name, sha256 in found:
        if stated[name] != sha256:
            return say(
                "the sha256 of its {name} is {sha256}…, expected {expected}…",
                name=name,
                sha256=sha256[:12],
                expected=str(stated[name])[:12],
            )
    return NOTHING


def parsed(content: bytes) -> dict[str, Any]:
    """The object in the bytes of a JSON file. Raises Damaged also for a key that is given twice."""
    try:
        return parsed_object(content)
    except ValueError as error:
        raise Damaged(said_by(error)) from error


def departures(evidence: Evidence) -> tuple[Message, ...]:
    """What stored evidence holds that its evaluator cannot have given: parameters, names, kinds, ranges, words.

    Nothing where that evaluator, in that version, is not here or breaks when asked; asking it anew tells of that.
    """
    evaluator = _author(evidence)
    if evaluator is None:
        return tuple(unlike_announced(evidence.measurements, evidence.announced)) if evidence.announced else ()
    try:
        parameters = evaluator.Parameters.model_validate_json(json.dumps(evidence.parameters))
        return tuple(unlike_announced(evidence.measurements, announced(evaluator, parameters)))
    except ValidationError as error:
        return (
            say(
                "its parameters are none that {evaluator} takes: {fault}",
                evaluator=evaluator.name,
                fault=first_fault(error),
            ),
        )
    except (Exception, SystemExit):  # an evaluator may be anybody's code
        return ()


def _author(evidence: Evidence) -> Evaluator | None:
    """The evaluator, in the version, that evidence says it is of."""
    try:
        evaluator = get(evidence.evaluator)
    except InputError:
        return None
    return evaluator if evaluator.version == evidence.version else None


def first_fault(error: ValueError) -> Message:
    """The first place that is wrong, and how many more there are."""
    if not isinstance(error, ValidationError):
        return said_by(error)
    fault, *others = error.errors()
    place, what = ".".join(map(str, fault["loc"])), raised(fault)
    told = say("{place}: {what}", place=place, what=what) if place else what
    return say("{problem} (and {n} more)", problem=told, n=len(others)) if others else told
