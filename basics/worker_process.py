"""The process that `basics.workers` starts: calls come in, what became of each goes out.

The first thing read is the search path. Of each call two things are written: (True, "") once the function is at hand,
or (False, why) where it is not, a library under it being broken; then (True, its result), or (False, the error that it
raised and where). It imports what its calls need and nothing else, and ends with its input.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from typing import Any, BinaryIO


def main() -> None:
    """Serve calls until the end of input."""
    calls, replies = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not land among the replies
    sys.path[:] = pickle.load(calls)
    while True:
        try:
            function, arguments = pickle.load(calls)
        except EOFError:
            return
        except Exception as error:
            _reply(replies, (False, f"{type(error).__name__}: {error}"))
            continue
        _reply(replies, (True, ""))
        _reply(replies, _outcome(function, arguments))


def _outcome(function: Any, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, function(*arguments)
    except Exception as error:
        return False, (error, f"in a worker process:\n{traceback.format_exc()}")


def _reply(replies: BinaryIO, reply: tuple[bool, Any]) -> None:
    try:
        content = pickle.dumps(reply, protocol=5)
    except Exception:  # of another kind than pickle takes, most often an error with a handle in it
        content = pickle.dumps((False, (RuntimeError(str(reply[1])), "in a worker process")))
    try:
        replies.write(content)
        replies.flush()
    except BrokenPipeError:  # who asked was killed, and nobody is left to be told
        os._exit(0)


if __name__ == "__main__":
    main()
