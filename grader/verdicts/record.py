"""The evidence of record of a quiz: what lies in its folder, reviewed like code, and what may become part of it.

Every entry carries the digests of what it says, and `index.json` names every entry with its digests: whoever changes,
adds, takes away, doubles or renames one by hand is told of it by whatever reads the record. It shows tampering by
accident and in passing; against those who rewrite the digests as well stand version control and a signature of the
index (`earwitness record verify`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from basics.errors import InputError, Problem
from basics.files import read_bytes, write_whole
from basics.messages import Message, said_by, say
from evaluators.display import value_of
from evaluators.entries import (
    Damaged,
    Digests,
    departures,
    digests_of,
    entry_text,
    first_fault,
    parsed,
    read_entry,
    unlike,
)
from evaluators.evidence import Evidence, Frozen, Source, canonical_json
from grader.quiz.commands import command

RECORD_FOLDER = "evidence"
INDEX = "index.json"
FORMAT: Final = 1
RESTORE = say("restore it from version control (`git checkout`)")
ANEW = "earwitness evidence --record"
REMEDY = say(
    "{restore}, or take it and its line of {index} out and record it anew: `{command}`",
    restore=RESTORE,
    index=INDEX,
    command=ANEW,
)
REBUILD = say("{restore}, or delete the folder and record anew: `{command}`", restore=RESTORE, command=ANEW)


class Index(Frozen):
    """What is of record: the digests of every entry by the name of its file."""

    format: Literal[1]
    entries: dict[str, Digests]

    def text(self) -> bytes:
        """The file, in the one form in which it is written and signed."""
        data = {
            "format": self.format,
            "entries": {name: self.entries[name].model_dump() for name in sorted(self.entries)},
        }
        return (json.dumps(data, indent=1) + "\n").encode()


@dataclass(frozen=True)
class Entry:
    """A file of the record: its name, what it holds where that can be read, and all that is wrong with it."""

    name: str
    evidence: Evidence | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Record:
    """The evidence of record as it lies there, sound or not. `index` is None where there is none that can be read."""

    entries: tuple[Entry, ...]
    index: Index | None
    index_problems: tuple[Problem, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, by file."""
        return (*(problem for entry in self.entries for problem in entry.problems), *self.index_problems)


def entry_name(evidence: Evidence) -> str:
    """What a request is called in the record, without the file's suffix."""
    return f"{evidence.evaluator}-{evidence.request[:8]}"


def _file_name(evidence: Evidence) -> str:
    return f"{entry_name(evidence)}.json"


def read_records(folder: Path) -> list[Evidence]:
    """The evidence of record of a quiz.

    Raises InputError with everything that is not as it was recorded: entries and lines of the index that were changed,
    added, removed, doubled or renamed, and values that their evaluator cannot have given.
    """
    return [entry.evidence for entry in sound_record(folder).entries if entry.evidence]


def sound_record(folder: Path) -> Record:
    """The record of a quiz. Raises InputError like `read_records`."""
    record = inspect_record(folder)
    if record.problems:
        raise InputError(record.problems)
    return record


def inspect_record(folder: Path) -> Record:
    """The record of a quiz with all that is wrong with it; raises nothing of that."""
    found = sorted((folder / RECORD_FOLDER).glob("*.json"))
    paths = [path for path in found if path.name != INDEX and not path.name.startswith(".")]
    index, problems = _index(folder / RECORD_FOLDER / INDEX, needed=bool(paths))
    entries = [_entry(path, index) for path in paths]
    names = {path.name for path in paths}
    for name in index.entries if index else ():
        if name not in names:
            problems.append(
                _problem(
                    INDEX,
                    say("names {file}, which is not there", file=name),
                    say("restore {file}, or take its line out", file=name),
                )
            )
    told = [replace(e, problems=tuple(_of_quiz(folder, p) for p in e.problems)) for e in _doubled(entries)]
    return Record(tuple(told), index, tuple(_of_quiz(folder, problem) for problem in problems))


def _of_quiz(folder: Path, problem: Problem) -> Problem:
    """The problem with the command of its remedy as it is for this quiz."""
    return replace(problem, remedy=problem.remedy.filled(command=command(folder, "evidence", "--record")))


def _problem(name: str, what: Message, remedy: Message) -> Problem:
    return Problem(f"{RECORD_FOLDER}/{name}", what, remedy)


def _index(path: Path, *, needed: bool) -> tuple[Index | None, list[Problem]]:
    """The index at `path`; that there is none is a problem where it is needed."""
    if not path.exists():
        return None, [_problem(INDEX, say("is not there, although there are entries"), REBUILD)] if needed else []
    try:
        return Index.model_validate_json(canonical_json(parsed(read_bytes(path)))), []
    except InputError as error:
        return None, [_problem(INDEX, problem.what, REBUILD) for problem in error.problems]
    except Damaged as damage:
        return None, [_problem(INDEX, said_by(damage), REBUILD)]
    except ValueError as error:
        return None, [_problem(INDEX, say("is not an index: {fault}", fault=first_fault(error)), REBUILD)]


def _entry(path: Path, index: Index | None) -> Entry:
    """One file, checked by itself and against the index."""
    try:
        evidence: Evidence | None = read_entry(read_bytes(path))
        found: list[Message] = []
    except InputError as error:
        return Entry(path.name, None, tuple(_problem(path.name, problem.what, REMEDY) for problem in error.problems))
    except Damaged as damage:
        evidence, found = damage.evidence, [said_by(damage)]
    if index and path.name not in index.entries:
        found.append(say("is not in {index}: it was added or renamed", index=INDEX))
    if evidence:
        found += _contradictions(path.name, evidence)
        if index and path.name in index.entries and not found:
            found += _unlike_index(evidence, index.entries[path.name])
    return Entry(path.name, evidence, tuple(_problem(path.name, what, REMEDY) for what in found))


def _contradictions(name: str, evidence: Evidence) -> Iterator[Message]:
    """What an entry says that cannot be true, whatever its digests say."""
    if name != (expected := _file_name(evidence)):
        yield say("has another request's name, expected {expected}", expected=expected)
    if problem := not_for_record(evidence):
        yield problem.what
    yield from departures(evidence)


def _unlike_index(evidence: Evidence, listed: Digests) -> Iterator[Message]:
    if difference := unlike(listed.model_dump(), digests_of(evidence)):
        yield say("is not what {index} says: {difference}", index=INDEX, difference=difference)


def _doubled(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries, those beside the one that answers a request with a problem that says so."""
    answers = Counter(entry.evidence.request for entry in entries if entry.evidence)
    for entry in entries:
        doubles = entry.evidence and answers[entry.evidence.request] > 1 and entry.name != _file_name(entry.evidence)
        doubled = (
            (_problem(entry.name, say("answers a request that another entry answers, too"), REMEDY),) if doubles else ()
        )
        yield replace(entry, problems=(*entry.problems, *doubled))


def not_for_record(evidence: Evidence) -> Problem | None:
    """Why evidence can never be that of record, if it cannot."""
    if evidence.is_demonstration:
        where = f"{evidence.evaluator} ({evidence.request[:8]})"
        return Problem(
            where, say("is demonstration evidence, never of record"), say("measure what the quiz asks about")
        )
    return None


def write_record(folder: Path, evidence: Evidence) -> Path:
    """Make evidence that of record, replacing the earlier answer to the same request, and note it in the index.

    Raises InputError for a demonstration, and where the record is not as it was recorded.
    """
    if problem := not_for_record(evidence):
        raise InputError(problem)
    before, path = sound_record(folder).index, folder / RECORD_FOLDER / _file_name(evidence)
    entries = {**(before.entries if before else {}), path.name: digests_of(evidence)}
    write_whole(path, entry_text(evidence))
    write_whole(path.with_name(INDEX), Index(format=FORMAT, entries=entries).text())
    return path


def changes(folder: Path, evidence: Evidence) -> list[str]:
    """What would change if `evidence` became that of record: a line for each that differs as shown, appears or goes."""
    known = [record for record in read_records(folder) if record.request == evidence.request]
    old, new = _shown(known[0] if known else None), _shown(evidence)
    lines = [f"  new      {name} = {value}" for (name, source), value in new.items() if (name, source) not in old]
    lines += [f"  gone     {name} = {value}" for (name, source), value in old.items() if (name, source) not in new]
    lines += [f"  changed  {key[0]}: {old[key]} -> {new[key]}" for key in new if key in old and old[key] != new[key]]
    return lines or ["  nothing changes"]


def _shown(evidence: Evidence | None) -> dict[tuple[str, Source], str]:
    """Every value in words, by name and source."""
    return {(m.name, m.source): value_of(m, with_n=True) for m in evidence.measurements} if evidence else {}
