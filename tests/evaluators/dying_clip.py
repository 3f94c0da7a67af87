"""In the place of `work.score_clip`: a codec called `bad` ends its process by its code, one called `shot` is killed."""

from __future__ import annotations

import os
import signal
from typing import Any


def dies(task: Any) -> Any:
    """One for every measure, unless something ends the process first."""
    from evaluators.comparison.work import Outcome

    for setting in task.settings:
        if setting.source in ("bad", "shot"):
            os.kill(os.getpid(), signal.SIGSEGV if setting.source == "bad" else signal.SIGKILL)
    return Outcome(tuple({"stoi": 1.0} for _ in task.settings), 1.0)
