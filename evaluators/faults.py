"""Faults of the program or of a package under it: a line of cause, whose fault it may be, a traceback on request."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from pydantic import ValidationError

from evaluators.announcement import NotAsAnnounced
from evaluators.packages import blamed

DEBUG = "EARWITNESS_DEBUG"
"""Set to anything (`--debug` sets it): the traceback of every fault is printed on standard error."""
LONGEST = 200


def cause_of(error: BaseException) -> str:
    """`AttributeError: 'X' object has no attribute 'y' (transformers_network.py:48)`, in one line."""
    said = " ".join((_in_words(error) if isinstance(error, ValidationError) else str(error)).split())
    said = said if len(said) <= LONGEST else f"{said[:LONGEST]} …"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{f': {said}' if said else ''}{where}"


def _in_words(error: ValidationError) -> str:
    """What a value breaks, without pydantic's echo of the input."""
    told = [(".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")) for fault in error.errors()]
    return "; ".join(f"{where}: {what}" if where else what for where, what in told)


def whose_fault(owner: str, *errors: BaseException) -> str:
    """Whose fault it may be: `owner` (a package and its version), or a package that it rests on."""
    causes = [error for error in errors if not isinstance(error, ValidationError | NotAsAnnounced)]  # the owner's alone
    suspects = [str(package) for error in causes for package in blamed(error) if package.name != owner.split()[0]]
    others = "".join(f", or of {suspect}" for suspect in dict.fromkeys(suspects[:3]))
    return f"this is a fault of {owner}{others}; --debug (or {DEBUG}=1) shows where"


def show_traceback(error: BaseException) -> None:
    """Print it where somebody asked for it."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error, file=sys.stderr)
