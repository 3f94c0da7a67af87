"""A folder whose files change together: written beside, decided by one rename, the same for everybody who looks.

New content is staged in a hidden folder inside the folder it is meant for. One rename (to `.committed`) decides: before
it nothing has happened, after it everything has. Moving the files to their places is then a formality that may be done
again: whoever comes next finishes it where a process was killed half way. One lock for each folder keeps writers apart,
and is held only while files are moved.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from basics.errors import InputError, Problem
from basics.files import sync_names, told
from basics.messages import say

LOCK, COMMITTED, WRITING = ".lock", ".committed", ".writing-"
FILES, FOLDERS, GONE, OLD, ALIVE = "files", "folders", "gone", "old", "alive"
PATIENCE = 120.0
"""Seconds to wait for another process; one holds the lock for as long as it takes to rename a few files."""


@dataclass(frozen=True)
class Stage:
    """What is going to be in the folder `out`, until `commit` puts it there."""

    out: Path
    place: Path
    alive: FileLock
    after: list[Callable[[], None]] = field(default_factory=list)

    def afterwards(self, what: Callable[[], None]) -> None:
        """Have `what` called once everything is in place."""
        self.after.append(what)

    def file(self, name: str) -> Path:
        """Where to write the file that will be `out/name`; a name may lead into folders, which are kept."""
        path = self.place / FILES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def folder(self, name: str) -> Path:
        """Where to make the folder that will be `out/name`, in the place of one that may be there."""
        (self.place / FOLDERS).mkdir(exist_ok=True)
        return self.place / FOLDERS / name

    def drop(self, name: str) -> None:
        """Have `out/name`, file or folder, be gone afterwards."""
        (self.place / GONE).mkdir(exist_ok=True)
        (self.place / GONE / name).touch()

    def commit(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Put everything in place at once.

        `prepare` runs while nobody else writes and may stage more, such as what depends on what is there by then;
        what it raises leaves the folder as it was.
        """
        with told(self.out), alone(self.out):
            prepare()
            self.alive.release()
            self.place.replace(self.out / COMMITTED)
            sync_names(self.out)
            _put_in_place(self.out)
            _sweep(self.out)
        for what in self.after:
            what()


@contextmanager
def staging(out: Path) -> Iterator[Stage]:
    """A stage for `out`. What the block does not commit leaves nothing behind, not even an `out` that was not there.

    Raises InputError where `out` is a file or cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise InputError(Problem(str(out), say("is a file, expected a folder"), say("name another folder with --out")))
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        stage = _begin(out)
        try:
            with told(out):
                yield stage
        finally:
            stage.alive.release()
            shutil.rmtree(stage.place, ignore_errors=True)
    except BaseException:
        _take_back(made)
        raise


def settle(out: Path) -> None:
    """Finish what a killed process had decided to put into `out`; wait for one that is about it."""
    if (out / COMMITTED).is_dir():
        with told(out), alone(out):
            pass


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody else changes `out` meanwhile, and nothing in it is half way. Raises InputError after `PATIENCE`."""
    try:
        with FileLock(out / LOCK, timeout=PATIENCE):
            _put_in_place(out)
            yield
    except Timeout as error:
        what = say("another run has been writing here for {seconds:.0f} seconds", seconds=PATIENCE)
        raise InputError(Problem(str(out), what, say("wait until it is done, or name another folder"))) from error


@contextmanager
def steady(out: Path) -> Iterator[None]:
    """As `alone`, for who only looks; a folder that may not be written here is looked at as it is."""
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(alone(out))
        yield


def _begin(out: Path) -> Stage:
    with told(out):
        out.mkdir(parents=True, exist_ok=True)
        place = out / f"{WRITING}{secrets.token_hex(4)}"
        with alone(out):  # or a sweeper could come between the two steps
            _sweep(out)
            place.mkdir()
            alive = FileLock(place / ALIVE)
            alive.acquire()
    return Stage(out, place, alive)


def _take_back(made: list[Path]) -> None:
    """Remove folders that were made for nothing, the innermost first; one that somebody uses stays."""
    with suppress(OSError, Timeout):
        if made and made[0].is_dir():
            with FileLock(made[0] / LOCK, timeout=0):
                if {path.name for path in made[0].iterdir()} == {LOCK}:
                    (made[0] / LOCK).unlink()
        for folder in made:
            folder.rmdir()


def _put_in_place(out: Path) -> None:
    """Move what was committed; doing it again after half of it comes to the same."""
    committed = out / COMMITTED
    if not committed.is_dir():
        return
    (committed / OLD).mkdir(exist_ok=True)
    for folder in sorted((committed / FOLDERS).glob("*")):
        _set_aside(out / folder.name, committed)
        folder.replace(out / folder.name)
    for file in sorted(path for path in (committed / FILES).rglob("*") if path.is_file()):
        target = out / file.relative_to(committed / FILES)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    for name in sorted((committed / GONE).glob("*")):
        _set_aside(out / name.name, committed)
    sync_names(out)
    done = out / f"{WRITING}{secrets.token_hex(4)}"
    committed.replace(done)
    shutil.rmtree(done, ignore_errors=True)


def _set_aside(path: Path, committed: Path) -> None:
    if path.exists():
        path.replace(committed / OLD / f"{path.name}-{secrets.token_hex(4)}")


def _sweep(out: Path) -> None:
    """Remove stages whose process is gone: the lock of a process goes with it."""
    for place in out.glob(f"{WRITING}*"):
        with suppress(Timeout, OSError):
            with FileLock(place / ALIVE, timeout=0):
                pass
            shutil.rmtree(place, ignore_errors=True)
