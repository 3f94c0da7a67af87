"""What this side knows of the scores in the LMS, written down before each step: a push that was killed goes on from it.

It lies beside what was pulled. A score there that is neither the one that was pulled, nor the last that was read back
after a push, nor one that a push was about to write, is somebody else's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from basics.errors import InputError, Problem
from basics.files import read_bytes, write_whole
from basics.messages import say
from evaluators.evidence import Frozen

JOURNAL = "push.json"
MOST_BYTES = 1 << 26
FORMAT: Final = 1
Score = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2}$")]


class Write(Frozen):
    """A score that a push wrote and read back, and the one before it; `old` is empty where there was none."""

    old: str
    new: Score


class Journal(Frozen):
    """By the LMS's numbers of students: scores read back after a push, and scores that one was about to write.

    `written` has not been recorded in the ledger yet. `job` is the LMS's job that was last begun, None once it is over.
    """

    format: Literal[1] = FORMAT
    confirmed: dict[str, Score] = Field(default_factory=dict)
    pending: dict[str, tuple[Score, ...]] = Field(default_factory=dict)
    written: dict[str, Write] = Field(default_factory=dict)
    job: int | None = None

    def base(self, student: str, pulled: str) -> str:
        """The last score that is known to have been there: read back after a push, else pulled."""
        return self.confirmed.get(student, pulled)

    def ours(self, student: str, pulled: str) -> set[str]:
        """Every score that may be there without anybody else having set it."""
        return {self.base(student, pulled), *self.pending.get(student, ())}

    def about_to_write(self, scores: dict[str, str]) -> Journal:
        """The journal before these scores are sent."""
        pending = {s: tuple(dict.fromkeys((*self.pending.get(s, ()), new))) for s, new in scores.items()}
        return self.model_copy(update={"pending": {**self.pending, **pending}})

    def read_back(self, scores: dict[str, str], pulled: dict[str, str]) -> Journal:
        """The journal after these scores, which a push was about to write, were found in the LMS."""
        mine = {s: new for s, new in scores.items() if new in self.pending.get(s, ())}
        before = {s: self.written[s].old if s in self.written else self.base(s, pulled[s]) for s in mine}
        written = {s: Write(old=before[s], new=new) for s, new in mine.items()}
        return self.model_copy(
            update={
                "confirmed": {**self.confirmed, **mine},
                "pending": {s: tried for s, tried in self.pending.items() if s not in mine},
                "written": {**self.written, **written},
            }
        )


def read_journal(folder: Path) -> Journal:
    """The journal in a folder that was pulled; an empty one where nothing was pushed yet."""
    path = folder / JOURNAL
    if not path.exists():
        return Journal()
    try:
        return Journal.model_validate_json(read_bytes(path, most=MOST_BYTES))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        what = say("is not the journal of a push: {place} {error}", place=place, error=first["msg"])
        remedy = say("pull again into another folder, and push from there")
        raise InputError(Problem(str(path), what, remedy)) from None


def write_journal(folder: Path, journal: Journal) -> None:
    """Keep it, whole or not at all."""
    write_whole(folder / JOURNAL, (journal.model_dump_json() + "\n").encode())
