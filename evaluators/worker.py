"""The process in which an evaluator runs that is not built in: it answers calls until its input ends.

It is started by its path, in Python's isolated mode, so that no file of the folder that somebody works in is taken for
a library. What the evaluator prints goes to standard error, and it has nothing to read: the standard input and output
of this process belong to the two programs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ARCHIVES = (".zip", "DLLs")
"""How else parts of the standard library are called, on some systems."""


def main() -> None:
    """Serve the calls on standard input; the arguments list where modules lie, and name the folder to work in."""
    home = Path(os.__file__).parent
    library = [path for path in sys.path if Path(path) in (home, home / "lib-dynload") or path.endswith(ARCHIVES)]
    sys.path[:] = [*library, *(path for path in json.loads(sys.argv[1]) if path not in library)]
    calls, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    from evaluators.serving import serve

    serve(calls, replies, folder=sys.argv[2])


if __name__ == "__main__":
    main()
