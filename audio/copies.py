"""What a file sounds like, so that one sound is counted once however many files hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from audio.clip import digest_of, is_silent, load
from basics.errors import InputError, Problem
from basics.messages import say

Item = TypeVar("Item")


@dataclass(frozen=True)
class Heard:
    """One file by its content: `content` is its content digest, `digest` the sha256 of the file.

    `sound` is the content with the sample rate; silence is nobody's sound: every silent file is one of its own.
    `warnings` are those of `audio.clip.load`; `remarks`, among them, tell of what was not read as the file states it.
    """

    sound: str
    content: str
    digest: str
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]


def hear(paths: Iterable[Path], *, allow_truncated: bool = False) -> dict[Path, Heard]:
    """What each file holds; files are decoded once in a process.

    Raises InputError naming every file that `audio.clip.load` refuses.
    """
    heard, problems = {}, []
    for path in dict.fromkeys(paths):
        try:
            status = path.stat()
            heard[path] = _hear(path, status.st_size, status.st_mtime_ns, allow_truncated)
        except OSError as error:
            problems.append(
                Problem(str(path), say("cannot be read ({reason})", reason=error.strerror), say("check the path"))
            )
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return heard


@cache
def _hear(path: Path, _size: int, _modified: int, allow_truncated: bool) -> Heard:
    clip = load(path, allow_truncated=allow_truncated)
    content = digest_of(clip.samples)
    sound = str(path) if is_silent(clip.samples) else f"{content}@{clip.sample_rate}"
    return Heard(sound, content, clip.digest, clip.warnings, clip.read_as)


def once(
    items: Sequence[Item],
    *,
    sound: Callable[[Item], object],
    said: Callable[[Item], object],
    named: Callable[[Item], str],
) -> list[tuple[Item, tuple[str, ...]]]:
    """The first item of each sound, with the names of the others that have the same.

    Raises InputError naming all of which the same sound is `said` to be different things.
    """
    groups: dict[object, list[Item]] = {}
    for item in items:
        groups.setdefault(sound(item), []).append(item)
    if problems := [_contradiction(same, said, named) for same in groups.values() if len(set(map(said, same))) > 1]:
        raise InputError(problems)
    return [(first, tuple(map(named, others))) for first, *others in groups.values()]


def _contradiction(same: Sequence[Item], said: Callable[[Item], object], named: Callable[[Item], str]) -> Problem:
    claims = ", ".join(f"{named(item)} ({_words(said(item))})" for item in same)
    return Problem(
        named(same[0]),
        say("one sound is said to be several things: {claims}", claims=claims),
        say("keep the one that is right"),
    )


def _words(said: object) -> str:
    return " ".join(str(part) for part in said if part not in (None, "")) if isinstance(said, tuple) else str(said)
