"""Evaluators by name: the built-in ones, and other people's through the entry-point group `earwitness.evaluators`.

Nothing is imported until an evaluator is asked for by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from basics.errors import InputError, Problem
from basics.files import sha256_of
from basics.messages import say, together
from basics.suggestions import did_you_mean
from evaluators.announcement import NotAsAnnounced
from evaluators.evidence import Evaluator, digest
from evaluators.isolation import isolated
from evaluators.packages import PROJECT, cause_of, installed_version, show_traceback, shown_output

GROUP = "earwitness.evaluators"
SOURCE = {*SOURCE_SUFFIXES, *(f".{suffix.rpartition('.')[2]}" for suffix in EXTENSION_SUFFIXES)}
"""How the files end that code is imported from."""

BUILT_IN = {
    "command": "evaluators.generic.command:Command",
    "facts": "evaluators.generic.facts:Facts",
    "layer_separation": "evaluators.layer_separation:LayerSeparation",
    "literature": "evaluators.literature:Literature",
    "moshi_model": "evaluators.moshi_model:MoshiModel",
    "notebook": "evaluators.generic.notebook:Notebook",
    "python": "evaluators.generic.python:Python",
    "reconstruction": "evaluators.reconstruction:Reconstruction",
    "speaker_gender": "evaluators.speaker_gender:SpeakerGender",
    "table": "evaluators.generic.table:Table",
}
LISTENING = ("layer_separation", "moshi_model", "reconstruction", "speaker_gender")
"""Those that are about sound and speech models."""


class NotHere(InputError):
    """An evaluator that nobody brings."""


class Unloadable(InputError):
    """An evaluator that is here cannot be loaded, or is none: a fault of whoever wrote it."""


@cache
def targets() -> dict[str, str]:
    """Name -> `module:attribute` of every evaluator in this environment; of one that several bring, of the first."""
    return {name: points[0].value for name, points in _foreign().items()} | BUILT_IN


def _foreign() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, []).append(point)
    return found


def owner(name: str) -> str:
    """The package, with its version, that brings an evaluator: whose fault it is when the evaluator breaks."""
    points = [] if name in BUILT_IN else _foreign().get(name, [])
    return _package(points[0]) if points else f"{PROJECT} {installed_version(PROJECT)}"


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else f"the entry point {point.value}"


def source_digest(name: str) -> str:
    """sha256 of the source of an evaluator: the package or module that its class is in; empty where it is not here.

    Of a built-in one it is the package of that evaluator alone. Source is what can be imported: data that a package
    carries is declared in `Inputs` by whoever reads it. Nothing is imported that is not imported already.
    """
    module = targets().get(name, "").partition(":")[0].split(".")
    try:
        spec = find_spec(".".join(module[: 2 if name in BUILT_IN else 1]))
    except (ImportError, ValueError):
        return ""
    if spec is None:
        return ""
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = [(path.relative_to(folder).as_posix(), path) for folder in folders for path in folder.rglob("*")]
    files += [(Path(spec.origin).name, Path(spec.origin))] if not folders and spec.origin else []
    sources = {at: sha256_of(path) for at, path in files if path.suffix in SOURCE and path.is_file()}
    return digest(sources) if sources else ""


@cache
def get(name: str) -> Evaluator:
    """The evaluator called `name`; one that is not built in runs in processes of its own.

    Raises InputError with suggestions if there is none, or if several packages bring it, and Unloadable if it is none.
    """
    return get_here(name) if name in BUILT_IN else get_apart(name)


@cache
def get_here(name: str) -> Evaluator:
    """As `get`, to run in this process: for who wants to look at their own evaluator with a debugger."""
    return _checked(name, _here)


def get_apart(name: str) -> Evaluator:
    """As `get`, to run in processes of its own even if it is built in."""
    return _checked(name, lambda target: isolated(target, source_digest(name)))


def _checked(name: str, load: Callable[[str], Evaluator]) -> Evaluator:
    target = targets().get(name)
    if target is None:
        raise NotHere(Problem(f"evaluator {name!r}", say("is not known"), did_you_mean(name, targets())))
    brought = [_package(point) for point in _foreign().get(name, [])]
    if name in BUILT_IN:
        brought = [f"{PROJECT} {installed_version(PROJECT)} (built in)", *brought]
    if len(brought) > 1:
        what = say("is brought by more than one package: {packages}", packages=together(brought, say(" and ")))
        raise InputError(
            Problem(f"evaluator {name!r}", what, say("uninstall one, or have its author rename the evaluator"))
        )
    try:
        evaluator = load(target)
        if evaluator.name != name:
            raise NotAsAnnounced(f"it calls itself {evaluator.name!r}")
    except (Exception, SystemExit) as error:  # it may be anybody's code
        show_traceback(error)
        what = say(
            "cannot be loaded from {target} ({package}): {cause}",
            target=target,
            package=owner(name),
            cause=cause_of(error),
        )
        output = f"\n{shown_output(error)}" if shown_output(error) else ""
        remedy = say(
            "check the entry point {name} = {target} in group {group}{output}",
            name=name,
            target=target,
            group=GROUP,
            output=output,
        )
        raise Unloadable(Problem(f"evaluator {name!r}", what, remedy)) from error
    return evaluator


def _here(target: str) -> Evaluator:
    module, _, attribute = target.partition(":")
    evaluator: Evaluator = getattr(import_module(module), attribute)()
    return evaluator
