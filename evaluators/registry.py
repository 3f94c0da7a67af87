"""Evaluators by name: the built-in ones, and other people's through the entry-point group `earwitness.evaluators`.

Nothing is imported until an evaluator is asked for by name.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from basics.errors import InputError, Problem
from basics.suggestions import did_you_mean
from evaluators.evidence import Evaluator
from evaluators.packages import PROJECT, installed_version

GROUP = "earwitness.evaluators"

BUILT_IN = {
    "layer_separation": "evaluators.layer_separation:LayerSeparation",
    "literature": "evaluators.literature:Literature",
    "moshi_model": "evaluators.moshi_model:MoshiModel",
    "reconstruction": "evaluators.reconstruction:Reconstruction",
    "speaker_gender": "evaluators.speaker_gender:SpeakerGender",
}


@cache
def targets() -> dict[str, str]:
    """Name -> `module:attribute` of every evaluator in this environment; a built-in name cannot be taken over."""
    return {name: point.value for name, point in _foreign().items()} | BUILT_IN


def _foreign() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def owner(name: str) -> str:
    """The package, with its version, that brings an evaluator: whose fault it is when the evaluator breaks."""
    point = None if name in BUILT_IN else _foreign().get(name)
    if point is None or point.dist is None:
        return f"{PROJECT} {installed_version(PROJECT)}"
    return f"{point.dist.name} {point.dist.version}"


@cache
def get(name: str) -> Evaluator:
    """The evaluator called `name`. Raises InputError with suggestions if there is none, or if it cannot be loaded."""
    target = targets().get(name)
    if target is None:
        raise InputError(Problem(f"evaluator {name!r}", "is not known", did_you_mean(name, targets())))
    module, _, attribute = target.partition(":")
    try:
        evaluator: Evaluator = getattr(import_module(module), attribute)()
    except (Exception, SystemExit) as error:  # it may be anybody's code
        what = f"cannot be loaded from {target} ({owner(name)}): {type(error).__name__}: {error}"
        remedy = f"check the entry point {name} = {target} in group {GROUP}"
        raise InputError(Problem(f"evaluator {name!r}", what, remedy)) from error
    return evaluator
