"""What people do to a file of evidence in an editor: one edit each, of its content or of where it lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluators.entries import entry_text
from evaluators.evidence import Artefact, Evidence, Inputs, Interval, Measurement

Content = dict[str, Any]
Edit = Callable[[Content], None]


def put(*path: str | int, value: Any) -> Edit:
    """Set what stands at a path."""

    def edit(content: Any) -> None:
        *way, last = path
        for step in way:
            content = content[step]
        content[last] = value

    return edit


def drop(*path: str | int) -> Edit:
    """Take out what stands at a path."""

    def edit(content: Any) -> None:
        *way, last = path
        for step in way:
            content = content[step]
        del content[last]

    return edit


def each(*edits: Edit) -> Edit:
    """Several edits at once."""

    def edit(content: Content) -> None:
        for one in edits:
            one(content)

    return edit


def of(name: str, /, **values: Any) -> Edit:
    """Change a measurement, found by its name."""

    def edit(content: Content) -> None:
        measurement(content, name).update(values)

    return edit


def measurement(content: Content, name: str) -> Content:
    found: Content = next(m for m in content["measurements"] if m["name"] == name)
    return found


def grown(*more: Content) -> Edit:
    return lambda content: content["measurements"].extend(more)


def defined(content: Content) -> None:
    colour = measurement(content, "dice.colour")
    del colour["undefined"]
    colour["value"] = "red"


def undefined(content: Content) -> None:
    sides = measurement(content, "dice.sides")
    del sides["value"]
    sides["undefined"] = "nobody counted"


def swapped(content: Content) -> None:
    content["measurements"].reverse()


NEW = {"name": "dice.weight", "value": 3.0, "source": "measured"}
SHA = "5" * 64

CONTENT: dict[str, Edit] = {
    "a value": of("dice.mean", value=3.5),
    "a value in its last digit": lambda c: of("dice.mean", value=measurement(c, "dice.mean")["value"] + 1e-15)(c),
    "an integer": of("dice.sides", value=5),
    "a number as a text": of("dice.sides", value="6"),
    "a number as a truth value": of("dice.sides", value=True),
    "the interval's low": lambda c: measurement(c, "dice.mean")["interval"].update(low=3.0),
    "the interval's high": lambda c: measurement(c, "dice.mean")["interval"].update(high=4.0),
    "the interval's level": lambda c: measurement(c, "dice.mean")["interval"].update(level=0.5),
    "what was resampled": lambda c: measurement(c, "dice.mean")["interval"].update(over="dice"),
    "no interval": lambda c: measurement(c, "dice.mean").pop("interval"),
    "an interval that excludes the value": lambda c: measurement(c, "dice.mean")["interval"].update(low=3.9, high=4.0),
    "an interval upside down": lambda c: measurement(c, "dice.mean")["interval"].update(low=9.0),
    "demonstration to measured": of("dice.shown", source="measured"),
    "measured to demonstration": of("dice.mean", source="demonstration"),
    "executed to measured": of("dice.sides", source="measured"),
    "recalled to read": of("dice.said", checked="read"),
    "read to recalled": of("dice.read", checked="recalled"),
    "a locator": of("dice.said", locator="§3"),
    "a unit": of("dice.sides", unit="faces"),
    "n": of("dice.mean", n=200000),
    "no n": lambda c: measurement(c, "dice.mean").pop("n"),
    "a note": of("dice.said", note="seen by two"),
    "no note": lambda c: measurement(c, "dice.noted").pop("note"),
    "undefined to a value": defined,
    "a value to undefined": undefined,
    "why it is undefined": of("dice.colour", undefined="it was dark"),
    "a measurement removed": drop("measurements", 0),
    "every measurement removed": put("measurements", value=[]),
    "a measurement added": grown(NEW),
    "a measurement renamed": of("dice.mean", name="dice.median"),
    "a measurement doubled": lambda c: grown(dict(measurement(c, "dice.mean")))(c),
    "a measurement doubled from another source": lambda c: grown(
        {**measurement(c, "dice.mean"), "source": "executed", "value": 3.6, "interval": None}
    )(c),
    "two names swapped": each(of("dice.mean", name="x"), of("dice.said", name="dice.mean"), of("x", name="dice.said")),
    "the order of measurements": swapped,
    "an artefact's sha256": put("artefacts", 0, "sha256", value=SHA),
    "an artefact's path": put("artefacts", 0, "path", value="blobs/bb/other.png"),
    "an artefact's title": put("artefacts", 0, "title", value="another plot"),
    "an artefact's labels": put("artefacts", 0, "labels", value={"kind": "faces"}),
    "an artefact's media type": put("artefacts", 0, "media_type", value="image/gif"),
    "an artefact removed": drop("artefacts", 0),
    "weights": put("provenance", "weights", value=SHA),
    "no weights": drop("provenance", "weights"),
    "an input's sha256": put("provenance", "inputs", "clip: a.wav", value=SHA),
    "an input's name": put("provenance", "inputs", value={"clip: b.wav": "4" * 64}),
    "an input added": put("provenance", "inputs", "clip: b.wav", value=SHA),
    "an input removed": drop("provenance", "inputs", "clip: a.wav"),
    "a package's version": put("provenance", "packages", "pydantic", value="9.9"),
    "a package added": put("provenance", "packages", "numpy", value="9.9"),
    "a package removed": put("provenance", "packages", value={}),
    "the seed": put("provenance", "seed", value=8),
    "no seed": drop("provenance", "seed"),
    "the commit": put("provenance", "git_commit", value="0" * 40),
    "a checkout that was dirty": lambda c: c["provenance"].update(git_dirty=not c["provenance"].get("git_dirty")),
    "when it was measured": put("provenance", "started", value="2020-01-01T00:00:00Z"),
    "how long it took": put("provenance", "seconds", value=1.0),
    "which Python": put("provenance", "python", value="3.99.0"),
    "which machine": put("provenance", "platform", value="Plan9 mips"),
    "which Earwitness": put("provenance", "earwitness", value="9"),
    "a parameter": put("parameters", "throws", value=20),
    "a parameter added": put("parameters", "colour", value="red"),
    "a parameter removed": drop("parameters", "throws"),
    "the fingerprint": put("fingerprint", value=SHA),
    "the version": put("version", value=2),
    "the evaluator": put("evaluator", value="quick_dice"),
    "an unknown evaluator": put("evaluator", value="roulette"),
    "an unknown key": put("verdict", value="supported"),
    "an unknown key of a measurement": of("dice.mean", trust="me"),
    "no digests": drop("digests"),
    "digests that are null": put("digests", value=None),
    "the digest of the content": put("digests", "content", value=SHA),
    "the digest of the provenance": put("digests", "provenance", value=SHA),
    "one digest only": drop("digests", "provenance"),
    "one digest more": put("digests", "measurements", value=SHA),
    "no provenance": drop("provenance"),
    "an infinite value": of("dice.mean", value=float("inf")),
}
"""By name: an edit of an entry's content that changes what it says."""

NO_EVIDENCE = {
    "an interval that excludes the value",
    "an interval upside down",
    "a measurement doubled",
    "an unknown key",
    "an unknown key of a measurement",
    "no provenance",
}
"""Edits that leave nothing to work digests out of."""


def _doubled_key(text: str) -> str:
    return text.replace('"name": "dice.sides"', '"name": "dice.sides", "value": 4', 1)


TEXT: dict[str, Callable[[str], str]] = {
    "cut short": lambda text: text[: len(text) // 2],
    "emptied": lambda _: "",
    "another kind of JSON": lambda text: f"[{text}]",
    "no JSON": lambda text: text.replace(":", "=", 1),
    "a key given twice, the true value last": _doubled_key,
    "a comment": lambda text: f"// checked\n{text}",
    "conflict markers": lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n",
    "nested without end": lambda _: "[" * 100_000,
}
"""By name: an edit of an entry's text."""


REFORMATTED: dict[str, Callable[[str], bytes]] = {
    "indented otherwise": lambda text: json.dumps(json.loads(text), indent=4, ensure_ascii=False).encode(),
    "on one line": lambda text: json.dumps(json.loads(text)).encode(),
    "keys in order": lambda text: json.dumps(json.loads(text), sort_keys=True, indent=1).encode(),
    "line ends of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "a byte order mark": lambda text: text.encode("utf-8-sig"),
    "no line end": lambda text: text.rstrip().encode(),
    "blank lines": lambda text: text.replace(",\n", ",\n\n\t").encode(),
    "letters escaped": lambda text: json.dumps(json.loads(text), indent=1, ensure_ascii=True).encode(),
}
"""By name: another way to write the same entry, or index."""

MEASUREMENTS = (
    Measurement(
        name="dice.mean", value=3.4925, n=2000, interval=Interval(low=3.41, high=3.57, over="throws"), source="measured"
    ),
    Measurement(name="dice.sides", value=6, unit="sides", source="executed"),
    Measurement(name="dice.colour", undefined="nobody looked", source="measured"),
    Measurement(name="dice.said", value=3.5, source="published", checked="recalled", locator="§2, 表 1"),
    Measurement(name="dice.read", value=3.5, source="published", checked="read", locator="§2"),
    Measurement(name="dice.noted", value=True, source="executed", note="by hand"),
)
SHOWN = Measurement(name="dice.shown", value=3.4, source="demonstration")
INPUTS = Inputs(files={"clip: a.wav": "4" * 64}, weights="3" * 64, packages=("pydantic",), seed=7)


def picture(path: str, sha256: str) -> Artefact:
    return Artefact(title="a plot", path=path, media_type="image/png", sha256=sha256)


def edit_content(path: Path, edit: Edit) -> None:
    """Edit what an entry, or an index, says; everything else stays as it was."""
    content = json.loads(path.read_bytes())
    edit(content)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def edit_text(path: Path, edit: Callable[[str], str]) -> None:
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")


def edit_with_digests(path: Path, edit: Edit) -> Evidence:
    """Edit what an entry says, and work its digests out anew."""
    content = json.loads(path.read_bytes())
    edit(content)
    del content["digests"]
    evidence = Evidence.model_validate_json(json.dumps(content))
    path.write_bytes(entry_text(evidence))
    return evidence
