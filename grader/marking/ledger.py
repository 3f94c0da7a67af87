"""An append-only record of grading runs: who got what under which key can be shown later, and shown to be unaltered.

A ledger is a folder of numbered entries. Each holds the digest of the entry before it, the digests of what went in
(submissions, key, evidence, rule) and of what came out, and the results themselves are kept under their digests.
Changing or removing anything breaks the chain, which `inspect` reports. What breaks no chain, a tail that was cut off
or written anew, is told by the anchor: where the ledger ended is kept outside of it, too (`anchor.py`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from basics.errors import InputError, Problem
from basics.files import read_bytes, sha256_of, write_whole
from basics.folders import Stage, settle, steady
from basics.json_source import parsed_object
from basics.messages import NOTHING, Message, say
from basics.moments import Moment
from evaluators.evidence import Frozen, canonical_json
from grader.marking.anchor import Anchor, read_anchor, write_anchor
from grader.quiz.commands import about_run

FOLDER, OBJECTS = "ledger", "objects"
RESULT = "result.json"
APPEALS = "appeals"
"""The folder beside the ledger whose files stay when a class is graded anew into the same folder."""
APPEAL, PUSH = "appeal", "push"
ADDING = (APPEAL, PUSH)
"""Actions about the run that is there; any other one is a run of its own."""
MOST_BYTES = 1 << 24
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _within(name: str) -> str:
    """A name of an output leads to a place beside the ledger, and nowhere else."""
    if not name or name.startswith("/") or {"", ".", ".."} & set(name.split("/")) or "\0" in name:
        raise ValueError(f"{name!r} is no name of a file of the run")
    return name


Name = Annotated[str, AfterValidator(_within)]


class Entry(Frozen):
    """One entry. `folders` are outputs of many files, each as one digest over names and contents."""

    format: Literal[1, 2] = 1
    number: Annotated[int, Field(ge=1)]
    time: Moment
    action: str
    previous: Sha256 | None
    facts: dict[str, Any]
    outputs: dict[Name, Sha256]
    folders: Annotated[dict[Name, Sha256], Field(default_factory=dict)]

    @property
    def key(self) -> str:
        """The digest of the key that was used."""
        return str(self.facts.get("key", ""))


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was recorded."""

    entry: str
    what: Message


def record(
    stage: Stage, action: str, facts: Mapping[str, Any], outputs: Sequence[str], folders: Sequence[str] = ()
) -> None:
    """Add an entry about `action` to what is staged; `outputs` (staged files) are kept under their digests.

    To be called while the stage is committed: an entry follows the last one there, and comes with what it is about.
    Raises InputError where the ledger is not as it was left.
    """
    place = stage.out / FOLDER
    if found := [*chain(place), *_cut(stage.out)]:
        raise InputError(_problems(stage.out, found))
    kept = {}
    for name in outputs:
        digest = sha256_of(stage.file(name))
        kept[name] = digest
        if not (place / OBJECTS / digest).exists():
            shutil.copyfile(stage.file(name), stage.file(f"{FOLDER}/{OBJECTS}/{digest}"))
    before = entries(place)
    entry = Entry(
        format=2,
        number=len(before) + 1,
        time=datetime.now(UTC).replace(microsecond=0),
        action=action,
        previous=sha256_of(before[-1]) if before else None,
        facts=dict(facts),
        outputs=kept,
        folders={name: digest_of_folder(stage.folder(name)) for name in folders},
    )
    content = (canonical_json(entry.model_dump(mode="json")) + "\n").encode()
    write_whole(stage.file(f"{FOLDER}/{entry.number:06d}.json"), content)
    end = Anchor(number=entry.number, digest=hashlib.sha256(content).hexdigest())
    stage.afterwards(lambda: write_anchor(stage.out, end))


def digest_of_folder(folder: Path) -> str:
    """One sha256 over the names and contents of all files in a folder, whatever their order; of an empty one, too."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        whole.update(canonical_json([path.relative_to(folder).as_posix(), sha256_of(path)]).encode() + b"\n")
    return whole.hexdigest()


def entries(folder: Path) -> list[Path]:
    """The entries' files, oldest first."""
    return sorted(folder.glob("[0-9]" * 6 + ".json"))


def read_entry(path: Path) -> Entry:
    """One entry. Raises InputError where it is none."""
    try:
        return Entry.model_validate_json(canonical_json(parsed_object(read_bytes(path, most=MOST_BYTES))))
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc']))} {first['msg'][:1].lower()}{first['msg'][1:]}".strip()
    except ValueError as error:
        what = str(error)
    raise InputError(
        Problem(str(path), say("is not an entry: {problem}", problem=what), say("restore it from a backup"))
    )


def read_entries(folder: Path) -> list[Entry]:
    """All entries, oldest first. Raises InputError where there is no ledger, and for each entry that is none."""
    found = entries(folder)
    if not found:
        raise InputError(Problem(str(folder), say("holds no ledger"), say("name the --out folder of a grading run")))
    read: list[Entry] = []
    problems: list[Problem] = []
    for path in found:
        try:
            read.append(read_entry(path))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return read


def _readable(folder: Path) -> list[tuple[Path, Entry]]:
    """The entries that are entries."""
    found = []
    for path in entries(folder):
        try:
            found.append((path, read_entry(path)))
        except InputError:
            continue
    return found


def chain(folder: Path) -> Iterator[Finding]:
    """Where the entries in `folder` do not follow one another, or are none."""
    previous: str | None = None
    for number, path in enumerate(entries(folder), start=1):
        try:
            entry = read_entry(path)
            if not entry.number == number == int(path.stem):
                what = say(
                    "is number {number}, expected {expected}: an entry was removed or added",
                    number=entry.number,
                    expected=number,
                )
                yield Finding(path.name, what)
            if entry.previous != previous:
                yield Finding(
                    path.name, say("does not follow the entry before it: that one was changed, removed or added")
                )
            previous = sha256_of(path)
        except InputError as error:
            yield from (Finding(path.name, problem.what) for problem in error.problems)
            previous = None


def _objects(folder: Path) -> Iterator[Finding]:
    for path, entry in _readable(folder):
        for name, digest in entry.outputs.items():
            what = _unlike(folder / OBJECTS / digest, digest)
            if what:
                yield Finding(path.name, say("{name} ({digest}) {what}", name=name, digest=digest[:12], what=what))


def _unlike(path: Path, digest: str) -> Message:
    """What is wrong with the file that should have this digest; empty where nothing is."""
    try:
        return NOTHING if sha256_of(path) == digest else say("was changed")
    except InputError as error:
        return say("is gone") if not path.exists() else error.problems[0].what


def _cut(out: Path) -> Iterator[Finding]:
    """What shows that entries which were here are here no more, or are others."""
    left = any(os.path.lexists(out / name) for name in (FOLDER, RESULT))
    if not left or (anchor := read_anchor(out)) is None:  # a folder that was removed is begun anew
        return
    path = out / FOLDER / f"{anchor.number:06d}.json"
    what = _unlike(path, anchor.digest)
    if what:
        known = say("its digest was {digest}…, as kept in {where}", digest=anchor.digest[:12], where=anchor.where)
        yield Finding(path.name, say("{what}: {known}", what=what, known=known))


@dataclass(frozen=True)
class Inspection:
    """A ledger as it was found: its entries, where it ends, and everything that is not as it was recorded.

    `anchored` is the number of the last entry that was kept outside of it by this user; 0 where none was.
    """

    entries: tuple[Entry, ...]
    digest: str
    anchored: int
    findings: tuple[Finding, ...]


def inspect(folder: Path) -> Inspection:
    """The ledger in or at `folder`, and the files beside it, verified while nobody writes there.

    What a killed run had decided to write is put in place first. Raises InputError where there is no ledger.
    """
    out = folder.parent if folder.name == FOLDER and not (folder / FOLDER).is_dir() else folder
    settle(out)
    place = out / FOLDER
    if not entries(place):
        read_entries(place)
    with steady(out):
        found = [*chain(place), *_cut(out), *_objects(place), *current_outputs(out)]
        read = tuple(entry for _, entry in _readable(place))
        anchor, digest = read_anchor(out), sha256_of(entries(place)[-1])
        return Inspection(read, digest, anchor.number if anchor else 0, tuple(found))


@dataclass(frozen=True)
class Outputs:
    """Digests of what stands beside a ledger by its entries: files, and folders of files."""

    files: Mapping[str, str]
    folders: Mapping[str, str]


def last_outputs(out: Path) -> Outputs:
    """What the entries say stands in `out` now; nothing where there is no ledger.

    A run takes the place of the run before it, whose appeals stay; what adds to a run leaves it as it is.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for _, entry in _readable(out / FOLDER):
        if entry.action not in ADDING:
            files = {name: digest for name, digest in files.items() if name.startswith(f"{APPEALS}/")}
            folders = {}
        files |= entry.outputs
        folders |= entry.folders
    return Outputs(files, folders)


def current_outputs(out: Path) -> Iterator[Finding]:
    """What stands beside the ledger and differs from what was last recorded, is gone, or was never recorded."""
    yield from _outputs(out)
    last = last_outputs(out)
    for name, digest in last.folders.items():
        if not (out / name).is_dir():
            yield Finding(name, say("is gone"))
        elif digest_of_folder(out / name) != digest:
            yield Finding(name, say("does not hold the files that were last recorded"))


def _outputs(out: Path) -> Iterator[Finding]:
    """The same of single files."""
    last = last_outputs(out).files
    for name, digest in last.items():
        if what := _unlike(out / name, digest):
            yield Finding(name, say("is not the file that was last recorded") if what == "was changed" else what)
    for path in sorted((out / APPEALS).glob("*")):
        name = path.relative_to(out).as_posix()
        if name not in last and not path.name.startswith("."):
            yield Finding(name, say("was never recorded"))


def need_recorded(out: Path, names: Callable[[str], bool]) -> None:
    """Raises InputError unless the files of a run that `names` picks are those that its ledger recorded.

    A folder without a ledger, and without a trace of one that was there, has nothing to be held to.
    """
    with steady(out):
        found = [*chain(out / FOLDER), *_cut(out)]
        found += [finding for finding in _outputs(out) if names(finding.entry)] if entries(out / FOLDER) else []
    if found:
        raise InputError(_problems(out, found))


def need_recorded_folder(out: Path, name: str) -> None:
    """Raises InputError unless a folder of a run holds the very files that the ledger recorded."""
    with steady(out):
        recorded = last_outputs(out).folders.get(name)
        found = [finding for finding in current_outputs(out) if finding.entry == name]
    if recorded is None:
        raise InputError(Problem(str(out / name), say("was never recorded"), say("grade again with --out DIR")))
    if found:
        raise InputError(_problems(out, found))


def need_recorded_result(file: Path) -> None:
    """Raises InputError where a ledger lies beside a result and does not vouch for it.

    Under its own name a result is held to the last entry; under another one, to any of them.
    """
    if file.name == RESULT:
        need_recorded(file.parent, RESULT.__eq__)
        return
    known = {digest for _, entry in _readable(file.parent / FOLDER) for digest in entry.outputs.values()}
    if known and sha256_of(file) not in known:
        what = say("is no file that the ledger beside it ever recorded")
        raise InputError(_problems(file.parent, [Finding(file.name, what)]))


def _problems(out: Path, found: Sequence[Finding]) -> list[Problem]:
    remedy = say(
        "see `{command}`; restore it from a backup (the ledger keeps every version under {folder}/)",
        command=about_run("ledger", out),
        folder=OBJECTS,
    )
    problems = [Problem(str(out / _place(finding.entry)), finding.what) for finding in found]
    return [*problems[:-1], Problem(problems[-1].where, problems[-1].what, remedy)]


def _place(name: str) -> str:
    return f"{FOLDER}/{name}" if "/" not in name and name[:6].isdecimal() else name
