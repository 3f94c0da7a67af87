"""In the place of functions of `work`: a codec called `bad` ends its process by its code, `shot` is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any

from evaluators.comparison import work


def dies(task: Any) -> Any:
    """One for every measure, unless something ends the process first."""
    for setting in task.settings:
        if setting.source in ("bad", "shot"):
            os.kill(os.getpid(), signal.SIGSEGV if setting.source == "bad" else signal.SIGKILL)
    return work.Outcome(tuple({"stoi": 1.0} for _ in task.settings), 1.0)


def opens(texts: Sequence[str], device: str) -> list[work.Setting]:
    """`work.opened`, but that a codec called `bad` ends its process."""
    if "bad" in texts:
        os.kill(os.getpid(), signal.SIGSEGV)
    return work.opened(texts, device)
