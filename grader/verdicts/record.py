"""The evidence of record of a quiz: what lies in its folder, reviewed like code, and what may become part of it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from basics.errors import InputError, Problem
from basics.files import write_whole
from evaluators.evidence import Evidence, Measurement
from grader.verdicts.showing import value_of

RECORD_FOLDER = "evidence"


def read_records(folder: Path) -> list[Evidence]:
    """The evidence of record of a quiz. Raises InputError naming every file that cannot be read."""
    records, problems = [], []
    for path in sorted((folder / RECORD_FOLDER).glob("*.json")):
        try:
            records.append(Evidence.model_validate_json(path.read_bytes()))
        except (ValidationError, UnicodeDecodeError) as error:
            what = f"is not evidence: {str(error).splitlines()[0]}"
            problems.append(Problem(f"{RECORD_FOLDER}/{path.name}", what, "restore it from version control"))
    if problems:
        raise InputError(problems)
    return records


def not_for_record(evidence: Evidence) -> Problem | None:
    """Why evidence can never be that of record, if it cannot."""
    if any(m.source == "demonstration" for m in evidence.measurements):
        where = f"{evidence.evaluator} ({evidence.request[:8]})"
        return Problem(where, "is demonstration evidence, never of record", "measure it with the codec of record")
    return None


def write_record(folder: Path, evidence: Evidence) -> Path:
    """Make evidence that of record, replacing the earlier answer to the same request.

    Raises InputError for a demonstration.
    """
    if problem := not_for_record(evidence):
        raise InputError(problem)
    path = folder / RECORD_FOLDER / f"{evidence.evaluator}-{evidence.request[:8]}.json"
    write_whole(path, evidence.model_dump_json(indent=1, exclude_defaults=True).encode() + b"\n")
    return path


def changes(folder: Path, evidence: Evidence) -> list[str]:
    """What would change if `evidence` became that of record: a line for each that differs as shown, appears or goes."""
    known = [record for record in read_records(folder) if record.request == evidence.request]
    old = {(m.name, m.source): m for m in known[0].measurements} if known else {}
    new = {(m.name, m.source): m for m in evidence.measurements}
    lines = [f"  new      {name} = {_shown(m)}" for (name, source), m in new.items() if (name, source) not in old]
    lines += [f"  gone     {name} = {_shown(m)}" for (name, source), m in old.items() if (name, source) not in new]
    for key in [key for key in new if key in old]:
        if _shown(old[key]) != _shown(new[key]):
            lines.append(f"  changed  {key[0]}: {_shown(old[key])} -> {_shown(new[key])}")
    return lines or ["  nothing changes"]


def _shown(m: Measurement) -> str:
    return value_of(m) + (f", n = {m.n}" if m.n is not None else "")
