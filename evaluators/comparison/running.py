"""All clips of a comparison, here or on a cluster: a few at a time, each kept in the store as soon as it stands.

Memory does not grow with the folder: what is held of a clip that is done are its values. A run that was ended at any
moment goes on from what is kept, whoever ended it. Long clips come first, so that no worker waits for one at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.metrics.registry import facts_of, identity_of, require_metrics
from basics.errors import InputError, MachineFault
from basics.files import sha256_of
from basics.messages import say
from basics.workers import Crew, Pool, as_completed, available_processors, here, in_order
from evaluators.cluster import Cluster, on_cluster, require_alike
from evaluators.codecs import Facts
from evaluators.comparison.sources import Source
from evaluators.comparison.statistics import Summary, summarize
from evaluators.comparison.work import RATE, Outcome, Setting, Task, attempt, nothing, opened_below
from evaluators.evidence import digest
from evaluators.provenance import package_versions
from evaluators.store import Store

RECIPE = 1
"""Raised when the same codec, clip and measure may give another value."""
MOVES_VALUES = ("numpy", "scipy", "soxr", "pesq", "soundfile", "librosa")

Report = Callable[[str, float], None]
Unit = tuple[int, tuple[int, ...], list[str], Task]
"""What of a clip is not kept yet: its index, those of the settings, their keys in the store, and the task."""


@dataclass(frozen=True)
class Codecs:
    """The settings of a comparison, those of one source together."""

    settings: tuple[Setting, ...]

    @property
    def facts(self) -> dict[str, Facts]:
        """By source what says which codec it is."""
        return {setting.source: setting.facts for setting in self.settings}


@dataclass
class Comparison:
    """Everything that was found: `values` (clips, settings) by measure, NaN where `reasons` has the reason.

    `reasons` is by (clip, setting, measure), their indices and its name. `seconds` (clips,) are the clips' lengths,
    `fresh` those seconds that were measured in this run, in `took` s; `lost` clips say nothing because of the machine.
    """

    sources: tuple[Source, ...]
    settings: tuple[Setting, ...]
    metrics: tuple[str, ...]
    values: dict[str, NDArray[np.float64]]
    seconds: NDArray[np.float64]
    reasons: dict[tuple[int, int, str], str] = field(default_factory=dict)
    warnings: dict[int, tuple[str, ...]] = field(default_factory=dict)
    provenance: dict[str, tuple[str, ...]] = field(default_factory=dict)
    summaries: list[Summary] = field(default_factory=list)
    fresh: float = 0.0
    took: float = 0.0
    known: int = 0
    lost: int = 0


def crew_for(
    cluster: str | None, metrics: Sequence[str], device: str = "cpu", jobs: int | None = None
) -> AbstractContextManager[Crew]:
    """Who does the work: the cluster at an address (as `on_cluster`), or `jobs` worker processes here.

    By default there is one for each processor, of a GPU one. Raises InputError for unknown measures.
    """
    require_metrics(metrics, RATE)
    return on_cluster(cluster, _packages(metrics)) if cluster else here(workers_for(device, jobs))


def open_codecs(texts: Sequence[str], device: str, crew: Crew | None = None) -> Codecs:
    """Every codec that is asked for, loaded by all who will need it, to see that it can be and is the same one.

    On a cluster that is each of its machines, and this one needs neither weights nor device. Raises InputError with all
    that is wrong.
    """
    if isinstance(crew, Cluster):
        found = crew.ask(opened_below, texts, device)
        require_alike({place: Codecs(tuple(settings)).facts for place, settings in found.items()})
        settings = next(iter(found.values()))
    else:
        settings = opened_below(texts, device, crew.size if crew else 1)
    settings = _told_apart(settings)
    order = list(dict.fromkeys(setting.source for setting in settings))
    return Codecs(tuple(sorted(settings, key=lambda setting: order.index(setting.source))))


def _told_apart(settings: Sequence[Setting]) -> list[Setting]:
    """Codecs of one name (two folders called alike) are called by what they were asked for."""
    names: dict[str, set[str]] = {}
    for setting in settings:
        names.setdefault(setting.codec, set()).add(setting.source)
    return [replace(s, codec=s.source) if len(names[s.codec]) > 1 else s for s in settings]


def compare(
    sources: Sequence[Source],
    codecs: Codecs,
    metrics: Sequence[str],
    store: Store,
    report: Report,
    *,
    crew: Crew,
    device: str = "cpu",
) -> Comparison:
    """Every clip at every setting, by the crew of `crew_for`.

    Raises InputError for a machine that measures by other weights.
    """
    metrics = tuple(dict.fromkeys(metrics))
    report(say("reading how long {n} clips are", n=len(sources)), 0.0)
    shape = len(sources), len(codecs.settings)
    found = Comparison(
        tuple(sources),
        codecs.settings,
        metrics,
        {name: np.full(shape, np.nan) for name in metrics},
        np.array([_seconds(source) for source in sources]),
        provenance=codecs.facts,
    )
    weights = identities(metrics)
    if isinstance(crew, Cluster):
        told = {"here": weights} | crew.ask(identities_there, metrics)
        require_alike({place: {name: (digest,) for name, digest in one.items()} for place, one in told.items()})
    run = _Run(found, weights, store, device, report)
    run.all(crew)
    found.took = time.monotonic() - run.began
    report(say("comparing {n} clips", n=len(sources)), 1.0)
    found.summaries += in_order((partial(_summary, metric, found.values[metric]) for metric in metrics), crew)
    return found


def _summary(metric: str, values: NDArray[np.float64], pool: Pool) -> Summary:
    facts = facts_of(metric)
    within = (-inf if facts.low is None else facts.low, inf if facts.high is None else facts.high)
    return pool.call_surely(summarize, metric, values, within)


def workers_for(device: str, jobs: int | None) -> int:
    """Worker processes where nobody says how many: one for each processor, of a GPU one."""
    return jobs or (1 if device.startswith("cuda") else available_processors())


def identities(metrics: Sequence[str]) -> dict[str, str]:
    """What moves the values of measures besides versions of packages: digests of weights, by name."""
    return {name: identity for name in metrics if (identity := identity_of(name))}


def _packages(metrics: Sequence[str]) -> set[str]:
    """Packages whose versions may move a value."""
    return {*MOVES_VALUES, *(facts_of(metric).package for metric in metrics)} - {""}


def identities_there(metrics: Sequence[str]) -> dict[str, str]:
    """`identities` where this is run. Raises InputError where a measure, or what it needs, is not there."""
    require_metrics(metrics, RATE)
    return identities(metrics)


def task_for(source: Source, settings: Sequence[Setting], metrics: Sequence[str], device: str, crew: Crew) -> Task:
    """What a clip's worker is given: on a cluster with the file's bytes, which lies here."""
    content = None
    if isinstance(crew, Cluster) and not source.remote:
        with suppress(OSError):  # what cannot be read here is told of by who finds the same there
            content = Path(source.place).read_bytes()
    return Task(source.name, source.place, tuple(settings), tuple(metrics), device, content)


class _Run:
    """What is still to be done, and how fast it goes."""

    def __init__(
        self, found: Comparison, weights: Mapping[str, str], store: Store, device: str, report: Report
    ) -> None:
        self.found, self.store, self.device, self.report = found, store, device, report
        lengths = found.seconds
        typical = float(np.nanmean(lengths)) if np.isfinite(lengths).any() else 1.0
        self.lengths = np.where(np.isfinite(lengths), lengths, typical)
        self.began = time.monotonic()
        self.total = self.left = float(self.lengths.sum())
        self.done = 0
        self.first: tuple[float, float] | None = None  # when the first clip was handed out, and what was left then
        self.versions = package_versions(_packages(found.metrics)) | dict(weights)

    def all(self, crew: Crew) -> None:
        """Every clip, the longest first, a few in hand at a time."""
        tasks = ((unit, partial(attempt, task=unit[-1])) for unit in self._units(crew))
        for unit, future in as_completed(tasks, crew):
            try:
                outcome = future.result()
            except MachineFault as fault:
                outcome = replace(nothing(unit[-1], fault.what), kept=False)
            self._take(unit, outcome)

    def _units(self, crew: Crew) -> Iterator[Unit]:
        for index in np.argsort(-self.lengths, kind="stable").tolist():
            if (unit := self._prepare(index, crew)) is not None:
                yield unit

    def _prepare(self, index: int, crew: Crew) -> Unit | None:
        """What of a clip is not kept yet; None where all of it is."""
        source, settings = self.found.sources[index], self.found.settings
        sound = _identity(source)
        keys = [self._key(sound, setting) for setting in settings] if sound else [""] * len(settings)
        kept = [self.store.record(key) if key else None for key in keys]
        for place, record in enumerate(kept):
            if record is not None:
                self._note(index, place, record["values"])
                self.found.seconds[index] = record["seconds"]
                self.found.warnings[index] = tuple(record["warnings"])
        places = tuple(place for place, record in enumerate(kept) if record is None)
        if not places:
            self.found.known += 1
            self._step(index, fresh=False)
            return None
        self.first = self.first or (time.monotonic(), self.left)
        wanted = [settings[place] for place in places]
        task = task_for(source, wanted, self.found.metrics, self.device, crew)
        return index, places, [keys[place] for place in places], task

    def _take(self, unit: Unit, outcome: Outcome) -> None:
        index, places, keys, _ = unit
        for place, key, values in zip(places, keys, outcome.values, strict=True):
            self._note(index, place, values)
            if key and outcome.kept and outcome.seconds:
                told = {"values": values, "seconds": outcome.seconds, "warnings": list(outcome.warnings)}
                self.store.keep_record(key, told)
        if outcome.seconds:
            self.found.seconds[index] = outcome.seconds
        if outcome.warnings:
            self.found.warnings[index] = outcome.warnings
        self.found.lost += not outcome.kept
        self._step(index, fresh=True)

    def _note(self, index: int, place: int, values: dict[str, Any]) -> None:
        for metric in self.found.metrics:
            value = values[metric]
            if isinstance(value, str):
                self.found.reasons[index, place, metric] = value
            else:
                self.found.values[metric][index, place] = value

    def _step(self, index: int, *, fresh: bool) -> None:
        self.done += 1
        self.left -= self.lengths[index]
        if fresh:
            self.found.fresh += self.lengths[index]
        share = 1 - max(0.0, self.left) / (self.total or 1.0)
        about: dict[str, Any] = {"done": self.done, "all": len(self.lengths)}
        step = say("{done} of {all} clips", **about)
        if told := self._speed():
            about |= {"speed": told[0], "rest": in_words(told[1])}
            step = say("{done} of {all} clips, {speed:.3g} s of sound a second, {rest} left", **about)
        self.report(step, share)

    def _speed(self) -> tuple[float, float] | None:
        """How many s of sound go through a second, and s that the rest takes where as much of it is known.

        None at first.
        """
        if not self.first or not self.found.fresh:
            return None
        began, left = self.first
        if (elapsed := time.monotonic() - began) < 1:
            return None
        return self.found.fresh / elapsed, elapsed * max(0.0, self.left) / (left - self.left)

    def _key(self, sound: str, setting: Setting) -> str:
        rate = [setting.rate.bits_per_second, setting.rate.codebooks]
        return digest(["comparison", RECIPE, sound, setting.facts, rate, self.found.metrics, self.versions])


def in_words(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _identity(source: Source) -> str:
    """What says which sound it is: the file's sha256, or what its file system says of an address; empty if nothing."""
    if not source.remote:
        try:
            return sha256_of(Path(source.place))
        except InputError:
            return ""
    try:
        import fsspec

        files, path = fsspec.core.url_to_fs(source.place)
        return f"{source.place}|{files.ukey(path)}"
    except Exception:  # without it the clip is measured again in every run
        return ""


def _seconds(source: Source) -> float:
    """How long a file says it is; NaN where it does not."""
    import soundfile

    if source.remote:
        return float("nan")
    try:
        found = soundfile.info(source.place)
    except (RuntimeError, OSError):
        return float("nan")
    return float(found.frames / found.samplerate) if 0 < found.frames < 1 << 40 else float("nan")
