"""Packages: which versions are installed, which were tested, what a missing one means, and whose fault a break may be.

`tested.json` lists, for every package that is imported directly, the versions of the worlds in which continuous
integration runs the tests; `python -m tools.pin` writes it. A version between two tested ones counts as tested.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path
from traceback import walk_tb
from typing import Literal, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import ValidationError

from basics.errors import Incompatible, MachineFault
from basics.messages import Message, say, together
from basics.visible import visible
from evaluators.announcement import NotAsAnnounced

PROJECT = "earwitness"
FLOORS = ("basics", "audio", "evaluators", "grader")
TESTED = Path(__file__).with_name("tested.json")
ABSENT = "absent"
IMPORTED_AS = {"sklearn": "scikit-learn", "umap": "umap-learn", "yaml": "pyyaml", "PIL": "pillow"}

State = Literal["tested", "newer", "older", "absent"]


class Package(NamedTuple):
    """One package: the installed version, and the versions it was tested with, oldest first."""

    name: str
    installed: str
    tested: tuple[str, ...]

    @property
    def state(self) -> State:
        """Where the installed version lies beside the tested ones."""
        if self.installed == ABSENT:
            return "absent"
        here = Version(self.installed)
        if not self.tested or Version(self.tested[0]) <= here <= Version(self.tested[-1]):
            return "tested"
        return "newer" if here > Version(self.tested[-1]) else "older"

    @property
    def range(self) -> str:
        """`4.57.0 to 5.24.0`."""
        return " to ".join(dict.fromkeys([self.tested[0], self.tested[-1]])) if self.tested else "not listed"

    def __str__(self) -> str:
        return f"{self.name} {self.installed}" + (f" (tested: {self.range})" if self.tested else "")


def installed_version(name: str) -> str:
    """The installed version of a package without its build tag (`+cpu`), or `absent`."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return ABSENT


@cache
def tested_versions() -> dict[str, tuple[str, ...]]:
    """Tested versions by package name, oldest first; none where they cannot be read: a fault is told all the same."""
    if not os.access(TESTED, os.R_OK):
        return {}
    return {name: tuple(versions) for name, versions in json.loads(TESTED.read_text(encoding="utf-8")).items()}


def package(name: str) -> Package:
    """What is known of one package."""
    return Package(name, installed_version(name), tested_versions().get(name, ()))


def all_packages() -> list[Package]:
    """Every package that the project imports directly."""
    return [package(name) for name in tested_versions()]


def distribution_of(module: str) -> str:
    """The package that a module belongs to; the module's own first name where nobody claims it."""
    top = module.partition(".")[0]
    if top in FLOORS:
        return PROJECT
    claimed = packages_distributions().get(top)
    return canonicalize_name(claimed[0]) if claimed else IMPORTED_AS.get(top, top.replace("_", "-"))


class Elsewhere(Exception):
    """Something broke in a process of its own; what this process would have found out of the error goes with it.

    Attributes:
        suspects: packages whose fault it may be, besides that of whoever wrote what broke.
        absent: the package that is not installed, if it is that.
        trace: the traceback, for `--debug`.
        output: the last that the process printed.
    """

    def __init__(
        self, cause: str, *, suspects: Iterable[str] = (), absent: str | None = None, trace: str = "", output: str = ""
    ) -> None:
        super().__init__(cause)
        self.suspects, self.absent, self.trace, self.output = tuple(suspects), absent, trace, output


def not_installed(error: BaseException) -> str | None:
    """The package whose absence raised `error`, if it is one that the project or a package of it needs.

    Anything else that cannot be imported is a fault of whoever imports it.
    """
    if isinstance(error, Elsewhere):
        return error.absent
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    name = distribution_of(error.name)
    by_project = name in tested_versions() or any(_needs(known, name) for known in tested_versions())
    return name if by_project and installed_version(name) == ABSENT else None


def how_to_install(name: str) -> Message:
    """What to do where a package is absent; all that are, so that nobody goes from one message to the next."""
    absent = [known.name for known in all_packages() if known.state == "absent"]
    return say(
        "`pip install {packages}`, or see docs/install.md for a full environment",
        packages=" ".join(dict.fromkeys([name, *absent])),
    )


def blamed(error: BaseException) -> list[Package]:
    """Whose fault an error may be, besides the project's: likeliest first.

    A package is suspected because it says so (Incompatible), because the error arose in it, or because it owns the
    object that lacks something; where nothing points anywhere, because its version is not a tested one.
    """
    if isinstance(error, Incompatible):
        return [package(error.package)]
    if isinstance(error, Elsewhere):
        return [package(name) for name in error.suspects]
    suspects = [package(name) for name in dict.fromkeys(_involved(error)) if name != PROJECT]
    untested = [known for known in all_packages() if known.state in ("newer", "older")]
    return [known for known in suspects if known.installed != ABSENT] or untested


def _involved(error: BaseException) -> Iterator[str]:
    owner = getattr(error, "obj", None)  # of an AttributeError
    modules = [getattr(owner, "__module__", None) or type(owner).__module__] if owner is not None else []
    frames = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    for module in dict.fromkeys([*modules, *reversed(frames)]):
        if module and module.partition(".")[0] not in sys.stdlib_module_names:
            yield distribution_of(module)


def _needs(known: str, name: str) -> bool:
    try:
        wanted = requires(known) or []
    except PackageNotFoundError:
        return False
    return name in {canonicalize_name(Requirement(line).name) for line in wanted}


DEBUG = "EARWITNESS_DEBUG"
"""Set to anything (`--debug` sets it): the traceback of every fault is printed on standard error."""
LIVE = "EARWITNESS_LIVE"
"""Set to anything (`earwitness try` sets it): what evaluators print is shown while they print it."""
LONGEST, LINES = 200, 15
"""Characters of a message, and lines of what was printed, that are shown."""


def cause_of(error: BaseException) -> str:
    """`AttributeError: 'X' object has no attribute 'y' (transformers_network.py:48)`, in one line."""
    if isinstance(error, MachineFault):
        return error.what
    if isinstance(error, Elsewhere):
        return str(error)
    said = " ".join(visible(_text(error)).split())
    said = said if len(said) <= LONGEST else f"{said[:LONGEST]} …"
    if isinstance(error, NotAsAnnounced):
        return said
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "pydantic" not in Path(frame.filename).parts
    ]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{f': {said}' if said else ''}{where}"


def _text(error: BaseException) -> str:
    try:
        return _in_words(error) if isinstance(error, ValidationError) else str(error)
    except Exception:  # whoever wrote it did not try it
        return ""


def _in_words(error: ValidationError) -> str:
    """What a value breaks, without pydantic's echo of the input."""
    told = [(".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")) for fault in error.errors()]
    return "; ".join(f"{where}: {what}" if where else what for where, what in told)


def whose_fault(owner: str, *errors: BaseException) -> Message:
    """Whose fault it may be: `owner` (a package and its version), a package that it rests on, or the machine."""
    if machine := next((error for error in errors if isinstance(error, MachineFault)), None):
        return machine.remedy
    suspects = [str(one) for error in errors for one in suspected(error) if one.name != owner.split()[0]]
    owners = together([owner, *dict.fromkeys(suspects[:3])], say(", or of "))
    return say("this is a fault of {packages}; --debug (or {variable}=1) shows where", packages=owners, variable=DEBUG)


def suspected(error: BaseException) -> list[Package]:
    """As `blamed`; nobody besides its owner for what is not as it was announced."""
    return [] if isinstance(error, ValidationError | NotAsAnnounced) else blamed(error)


def show_traceback(error: BaseException) -> None:
    """Print it where somebody asked for it."""
    if os.environ.get(DEBUG):
        trace = error.trace if isinstance(error, Elsewhere) else "".join(traceback.format_exception(error))
        print(trace, end="", file=sys.stderr)


def shown_output(*errors: BaseException) -> str:
    """The last lines that what broke in a process of its own had printed there, indented."""
    lines = [line for error in errors if isinstance(error, Elsewhere) for line in visible(error.output).splitlines()]
    return "\n".join(f"    | {line.rstrip()[:LONGEST]}" for line in lines[-LINES:] if line.strip())
