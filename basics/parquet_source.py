"""What is wrong with a Parquet file, in one message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from basics.errors import EarwitnessError, InputError, Problem
from basics.messages import say

LONGEST = 200
"""Characters of what pyarrow says."""


@contextmanager
def parquet_faults(where: str) -> Iterator[None]:
    """Raise InputError about `where` for whatever pyarrow raises: it has no error that all its faults derive from."""
    try:
        yield
    except EarwitnessError:
        raise
    except Exception as error:
        what = say("cannot be read as Parquet: {reason}", reason=" ".join(str(error).split())[:LONGEST])
        raise InputError(Problem(where, what, say("write the file again"))) from error
