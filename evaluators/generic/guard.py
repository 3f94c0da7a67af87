"""Kept in every Python process that evidence is run in: no network but the machine's own, nothing written outside.

A copy of this file is the `sitecustomize` of those processes. It guards against mistakes, not against malice: what is
written or sent by other means than Python's is not seen.
"""

from __future__ import annotations

import os
import sys
from typing import Any

FOLDER, OFFLINE = "EARWITNESS_FOLDER", "EARWITNESS_OFFLINE"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.remove": 1, "os.rename": 2, "os.mkdir": 1, "os.rmdir": 1, "os.truncate": 1, "sqlite3.connect": 1}
"""How many of the first arguments of these events are paths that are written to."""
CALLS = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Raises PermissionError for what must not be done here."""
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & WRITING:
            _inside(path)
    elif event in CHANGES:
        for path in arguments[: CHANGES[event]]:
            _inside(path)
    elif event in CALLS and os.environ.get(OFFLINE):
        place = arguments[0] if event.startswith("socket.get") else arguments[1]
        host = place[0] if isinstance(place, tuple) else None
        _near(place if event.startswith("socket.get") else host)


def _inside(path: Any) -> None:
    folder = os.environ.get(FOLDER)
    if not folder or not isinstance(path, str | bytes | os.PathLike):
        return
    place = os.path.realpath(os.fsdecode(path))
    if place.startswith((os.path.realpath(folder) + os.sep, "/dev/", "/proc/")) or os.fsdecode(path).startswith(
        ":memory:"
    ):
        return
    raise PermissionError(f"{os.fsdecode(path)!r} lies outside the copy of the quiz: evidence writes nothing there")


def _near(host: Any) -> None:
    name = os.fsdecode(host) if isinstance(host, str | bytes) else ""
    if name and name != "localhost" and not name.startswith("127.") and name != "::1":
        raise PermissionError(f"no network here ({name}): say `online: true` beside this evidence if it needs one")


def install() -> None:
    """Begin to watch, where somebody named the folder to stay in."""
    if os.environ.get(FOLDER):
        sys.addaudithook(watch)
