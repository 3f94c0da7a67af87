"""The evidence of record of a quiz: what lies in its folder, reviewed like code, and what may become part of it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from basics.errors import InputError, Problem
from basics.files import write_whole
from evaluators.display import value_of
from evaluators.evidence import Evidence, Source

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
    if evidence.is_demonstration:
        where = f"{evidence.evaluator} ({evidence.request[:8]})"
        return Problem(
            where, "is demonstration evidence, never of record", "measure the course's clips with the codec of record"
        )
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
    old, new = _shown(known[0] if known else None), _shown(evidence)
    lines = [f"  new      {name} = {value}" for (name, source), value in new.items() if (name, source) not in old]
    lines += [f"  gone     {name} = {value}" for (name, source), value in old.items() if (name, source) not in new]
    lines += [f"  changed  {key[0]}: {old[key]} -> {new[key]}" for key in new if key in old and old[key] != new[key]]
    return lines or ["  nothing changes"]


def _shown(evidence: Evidence | None) -> dict[tuple[str, Source], str]:
    """Every value in words, by name and source."""
    return {(m.name, m.source): value_of(m, with_n=True) for m in evidence.measurements} if evidence else {}
