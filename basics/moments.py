"""Times that can be meant: with their zone, in years in which a conversion to any other zone is still a time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

from basics.messages import say

FIRST_YEAR, LAST_YEAR = 1970, 9998


def in_range(moment: datetime) -> datetime:
    """The moment itself. Raises ValueError for a year outside FIRST_YEAR to LAST_YEAR."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(
            say(
                "the year {year} is none between {first} and {last}", year=moment.year, first=FIRST_YEAR, last=LAST_YEAR
            )
        )
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(in_range)]
"""An aware time of these years, as a field of a pydantic model."""
