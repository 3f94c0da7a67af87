"""Where a ledger ended, kept outside of it: whoever rewrites a run's folder has to rewrite this as well.

One small file for each folder of runs, in the user's state folder (`$EARWITNESS_STATE`), named by the folder's path. It
is written after each entry. It vouches for nothing by itself: a note of its digest elsewhere, a commit or a signature
(docs/grading.md) says more.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from platformdirs import user_state_path
from pydantic import Field, ValidationError

from basics.errors import InputError, Problem
from basics.files import read_bytes, real_path, write_whole
from basics.messages import say
from evaluators.evidence import Frozen

ENVIRONMENT_VARIABLE = "EARWITNESS_STATE"
MOST_BYTES = 1 << 12


class Anchor(Frozen):
    """The last entry of a ledger: its number and the sha256 of its file; `where` this was kept."""

    number: Annotated[int, Field(ge=1)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    where: str = ""


def state_folder() -> Path:
    """`$EARWITNESS_STATE`, or the user's folder for what programs remember."""
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(chosen) if chosen else user_state_path("earwitness")


def read_anchor(out: Path) -> Anchor | None:
    """What was kept about the ledger in `out`, or None. Raises InputError where that cannot be read."""
    path = _path(out)
    if not os.path.lexists(path):
        return None
    try:
        return Anchor.model_validate_json(read_bytes(path, most=MOST_BYTES)).model_copy(update={"where": str(path)})
    except ValidationError as error:
        what = say("does not say where a ledger ended")
        raise InputError(
            Problem(str(path), what, say("remove it, if you know that {folder} is sound", folder=out))
        ) from error


def write_anchor(out: Path, end: Anchor) -> None:
    """Keep where the ledger in `out` ends; a user whose state folder cannot be written goes without."""
    with suppress(InputError):
        write_whole(_path(out), (end.model_dump_json(exclude={"where"}) + "\n").encode())


def _path(out: Path) -> Path:
    name = hashlib.sha256(os.fsencode(real_path(out))).hexdigest()
    return state_folder() / "ledgers" / f"{name}.json"
